// IEEE 754 addition, to nearest even, of numbers with EXP bits of exponent and MAN of fraction: both
// are put into one fixed-point number. The place of its leading one has EXP+1 bits, which are too
// few where MAN is at least 2^EXP: wrong for small exponents only.
module adder #(parameter EXP = 5, parameter MAN = 10) (
    input [EXP+MAN:0] x,
    input [EXP+MAN:0] y,
    output reg [EXP+MAN:0] sum
);
  localparam WIDTH = (1 << EXP) + MAN + 1;
  localparam [EXP-1:0] ONES = {EXP{1'b1}};

  wire [EXP-1:0] ex = x[MAN +: EXP], ey = y[MAN +: EXP];
  wire [WIDTH-1:0] fx = {ex != 0, x[MAN-1:0]}, fy = {ey != 0, y[MAN-1:0]};
  wire signed [WIDTH:0] vx = fx << (ex != 0 ? ex - 1 : 0);
  wire signed [WIDTH:0] vy = fy << (ey != 0 ? ey - 1 : 0);
  wire signed [WIDTH:0] total = (x[EXP+MAN] ? -vx : vx) + (y[EXP+MAN] ? -vy : vy);
  wire [WIDTH-1:0] size = total < 0 ? -total : total;
  wire x_nan = ex == ONES && x[MAN-1:0] != 0, y_nan = ey == ONES && y[MAN-1:0] != 0;
  wire x_inf = ex == ONES && !x_nan, y_inf = ey == ONES && !y_nan;
  wire sign = total == 0 ? x[EXP+MAN] & y[EXP+MAN] : total < 0;

  integer i;
  reg [EXP:0] top;  // the fault
  reg [WIDTH-1:0] kept, place;
  reg [WIDTH-1:0] code;
  reg half, sticky;
  always @* begin
    top = 0;
    for (i = 0; i < WIDTH; i = i + 1) if (size[i]) top = i;
    place = top > MAN ? top - MAN : 0;
    kept = size >> place;
    half = place != 0 && size[place - 1];
    sticky = 0;
    for (i = 0; i < WIDTH; i = i + 1) if (i + 1 < place) sticky = sticky | size[i];
    code = (place << MAN) + kept + (half & (sticky | kept[0]));
    if (code > {ONES, {MAN{1'b0}}}) code = {ONES, {MAN{1'b0}}};
    sum = {sign, code[EXP+MAN-1:0]};
    if (x_inf || y_inf) sum = {x_inf ? x[EXP+MAN] : y[EXP+MAN], ONES, {MAN{1'b0}}};
    if (x_nan || y_nan || (x_inf && y_inf && x[EXP+MAN] != y[EXP+MAN]))
      sum = {1'b0, ONES, 1'b1, {MAN-1{1'b0}}};
  end
endmodule
