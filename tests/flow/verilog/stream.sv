// Sums of bytes with valid and ready, kept in a queue of four, and what may go wrong with that.
module stream #(
    parameter int FAULT = 0
) (
    input logic clock, reset_n,
    input logic in_valid, output logic in_ready, input logic [7:0] left, right,
    output logic out_valid, input logic out_ready, output logic [7:0] sum
);
  localparam int DROPPED = 1;    // taken where there is no room, which only back-pressure makes
  localparam int TWICE = 2;      // given again
  localparam int SWAPPED = 3;    // before the one in front of it
  localparam int STUCK = 4;      // nothing is taken any more
  localparam int WITHDRAWN = 5;  // offered, and then not
  localparam int WRONG = 6;      // one of the sums

  logic [7:0] queue[4];
  logic [1:0] first, next;
  logic [2:0] count;
  logic [9:0] taken, given;
  logic [5:0] clocks;

  wire push = in_valid && in_ready;
  wire pop = out_valid && out_ready;
  wire kept = push && (count < 4 || pop);
  wire again = FAULT == TWICE && given[5:0] == 63 && given != taken - 10'd1;
  assign in_ready = reset_n && (count < 4 || FAULT == DROPPED) && !(FAULT == STUCK && taken == 700);
  assign out_valid = count != 0 && !(FAULT == WITHDRAWN && clocks == 63);
  assign sum = FAULT == WRONG && queue[first] == 8'h80 ? 8'h7f : queue[first];

  always_ff @(posedge clock or negedge reset_n)
    if (!reset_n) begin
      {first, next, count, taken, given, clocks} <= '0;
    end else begin
      clocks <= clocks + 6'd1;
      if (kept) begin
        queue[next] <= left + right;
        if (FAULT == SWAPPED && taken[5:0] == 63 && count == 2) begin
          queue[next] <= queue[next - 2'd1];
          queue[next - 2'd1] <= left + right;
        end
        next <= next + 2'd1;
        taken <= taken + 10'd1;
      end
      if (pop) given <= given + 10'd1;
      if (pop && !again) first <= first + 2'd1;
      count <= count + 3'(kept) - 3'(pop && !again);
    end
endmodule
