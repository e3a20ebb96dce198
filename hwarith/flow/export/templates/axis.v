// @name@_axis: AXI4-Stream around @name@
// @spec@
//
@layout@
// Bits between fields are ignored in s_axis_tdata and 0 in m_axis_tdata. Resets are synchronous.
module @name@_axis #(
  parameter TUSER_WIDTH = 1
) (
  input  wire aclk,
  input  wire aresetn,
  input  wire @into@s_axis_tdata,
  input  wire s_axis_tvalid,
  output wire s_axis_tready,
  input  wire s_axis_tlast,
  input  wire [TUSER_WIDTH-1:0] s_axis_tuser,
  output wire @out@m_axis_tdata,
  output wire m_axis_tvalid,
  input  wire m_axis_tready,
  output wire m_axis_tlast,
  output wire [TUSER_WIDTH-1:0] m_axis_tuser
);
  wire o_valid;
@results@
  wire taken = s_axis_tvalid & s_axis_tready;
  wire given = m_axis_tvalid & m_axis_tready;
@first@
  // What comes with the results under way: no more of them than the unit has stages.
  reg [TUSER_WIDTH:0] beside [0:@last@];
  reg @pointer@head, tail;
  wire completes = taken & @complete@;
  always @(posedge aclk) begin
    if (!aresetn) begin
      head <= @bits@'d0;
      tail <= @bits@'d0;
    end else begin
      if (completes) tail <= tail == @bits@'d@last@ ? @bits@'d0 : tail + @bits@'d1;
      if (given) head <= head == @bits@'d@last@ ? @bits@'d0 : head + @bits@'d1;
    end
  end
  always @(posedge aclk) if (completes) beside[tail] <= {s_axis_tuser, s_axis_tlast};
  assign {m_axis_tuser, m_axis_tlast} = beside[head];

  assign m_axis_tvalid = o_valid & aresetn;
  assign m_axis_tdata = {@packed@};
@unused@
  @name@ unit (
@pins@
  );
endmodule
