// IEEE 754 multiply-add, to nearest even, with EXP bits of exponent and MAN of fraction: product and
// addend are put into one fixed-point number in units of the square of the smallest step.
`include "widths.svh"
module fma
  import faults::*;
#(
    parameter int EXP = 3,
    parameter int MAN = 2,
    parameter int FAULT = 0
) (
    input logic [`CODE] a, b, c,
    output logic [`CODE] y
);
  localparam int STEP = (1 << (EXP - 1)) - 2 + MAN;  // the smallest step in these units
  localparam int WIDTH = 2 * MAN + 2 * (1 << EXP) + STEP + 2;

  typedef struct packed {
    logic sign;
    logic [EXP-1:0] exponent;
    logic [MAN-1:0] fraction;
  } number_t;
  typedef logic [WIDTH-1:0] size_t;

  number_t p, q, r;
  assign {p, q, r} = {a, b, c};

  function automatic logic is_max(number_t x);
    return &x.exponent;
  endfunction
  function automatic logic is_nan(number_t x);
    return is_max(x) && x.fraction != 0 && FAULT != int'(NAN_AS_INFINITY);
  endfunction
  function automatic logic is_inf(number_t x);
    return is_max(x) && !is_nan(x);
  endfunction
  function automatic logic is_zero(number_t x);
    return {x.exponent, x.fraction} == 0;
  endfunction
  function automatic size_t size(number_t x);
    return size_t'({x.exponent != 0, x.fraction}) << (x.exponent != 0 ? x.exponent - 1 : 0);
  endfunction

  logic sign, product_sign, up;
  size_t product, addend, total, kept, code, rest;
  int top, place;
  always_comb begin
    product_sign = p.sign ^ q.sign;
    product = size(p) * size(q);
    addend = size(r) << STEP;
    if (FAULT == int'(FLUSHED_ADDEND) && r.exponent == 0) addend = 0;
    if (product_sign == r.sign) begin
      total = product + addend;
      sign = r.sign;
    end else begin
      total = product > addend ? product - addend : addend - product;
      sign = product > addend ? product_sign : r.sign;
      if (total == 0) sign = FAULT == int'(ZERO_SIGN) ? product_sign : 1'b0;
    end
    top = 0;
    for (int i = 0; i < WIDTH; i++) if (total[i]) top = i;
    place = top > STEP + MAN ? top - MAN : STEP;
    kept = total >> place;
    rest = total << (WIDTH - place);
    up = rest[WIDTH-1] && (rest[WIDTH-2:0] != 0 || kept[0]);
    if (FAULT == int'(LOST_STICKY)) up = rest[WIDTH-1] && kept[0];
    if (FAULT == int'(TIE_AWAY)) up = rest[WIDTH-1];
    if (FAULT == int'(TRUNCATED)) up = 1'b0;
    code = (size_t'(place - STEP) << MAN) + kept + size_t'(up);
    if (FAULT == int'(LOST_CARRY) && product >> (STEP + MAN) == 0 && addend >> (STEP + MAN) == 0)
      code[MAN] = 1'b0;
    if (code >> MAN >= (1 << EXP) - 1) code = size_t'((1 << EXP) - 1) << MAN;
    y = {sign, code[EXP+MAN-1:0]};
    if (is_inf(p) || is_inf(q)) y = {product_sign, {EXP{1'b1}}, {MAN{1'b0}}};
    else if (is_inf(r)) y = {r.sign, {EXP{1'b1}}, {MAN{1'b0}}};
    if (is_nan(p) || is_nan(q) || is_nan(r) || is_inf(p) && is_zero(q) || is_zero(p) && is_inf(q)
        || (is_inf(p) || is_inf(q)) && is_inf(r) && product_sign != r.sign)
      y = {1'b0, {EXP{1'b1}}, 1'b1, {MAN - 1{1'b0}}};
  end
endmodule
