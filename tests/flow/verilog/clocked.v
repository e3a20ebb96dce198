// Products of bytes, two clocks after their factors; a counter that is not needed for that.
module clocked (
    input clk,
    input enable,
    input signed [7:0] a,
    input signed [7:0] b,
    output reg signed [15:0] y,
    output reg [7:0] unused
);
  reg signed [7:0] first, second;
  always @(posedge clk)
    if (enable) begin
      first <= a;
      second <= b;
      y <= first * second;
      unused <= unused + 1;
    end
endmodule
