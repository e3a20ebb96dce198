// Testbench of @name@: every vector.
// @spec@
//
// Reads vectors/*.memh from the folder that it runs in. Prints PASS or FAIL with counts; a failure
// ends in $stop, which is exit status 1 with `vvp -N` and not 0 with Verilator.
module @name@_tb;
  localparam TRANSFERS = @transfers@;

@memories@

@registers@
@wires@

  @name@ dut (
@pins@
  );

  integer sent, received, failed;
  wire @payload@got = {@got@};
  wire @payload@expected = {@expected@};

  initial begin
@reads@
    failed = 0;
    for (sent = 0; sent < TRANSFERS; sent = sent + 1) begin
      received = sent;
@offers@
      #1;
      if (got !== expected) begin
        failed = failed + 1;
        if (failed <= 10) $display("FAIL: vector %0d gives %h, not %h", sent, got, expected);
      end
    end
    if (failed == 0) begin
      $display("PASS: %0d results of @name@", TRANSFERS);
      $finish;
    end else begin
      $display("FAIL: %0d of %0d results of @name@", failed, TRANSFERS);
      $stop;
    end
  end
endmodule
