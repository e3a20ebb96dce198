
  // A packet begins after a reset and after the end of another one.
  reg first;
  always @(posedge aclk) begin
    if (!aresetn) first <= 1'b1;
    else if (taken) first <= s_axis_tlast;
  end

