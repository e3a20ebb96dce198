// Testbench of @name@: every vector three times, without pauses, with pauses on both sides, and for a
// sink that is ready only when it has seen valid.
// @spec@
//
// Reads vectors/*.memh from the folder that it runs in. Prints PASS or FAIL with counts; a failure
// ends in $stop, which is exit status 1 with `vvp -N` and not 0 with Verilator.
module @name@_tb;
  localparam TRANSFERS = @transfers@;
  localparam RESULTS = @count@;
  localparam PATIENCE = 1000;  // clocks without a transfer after which the unit is given up
  localparam [1:0] FAST = 2'd0, PAUSING = 2'd1, WAITING = 2'd2;

@memories@

  reg clk, rst, i_valid, o_ready;
  wire i_ready, o_valid;
@registers@
@wires@

  @name@ dut (
@pins@
  );

  reg [1:0] round;
  reg accepted;       // what was offered has been taken
  reg held;           // a result was offered and not taken
  reg @payload@waiting;
  reg [31:0] noise;
  integer sent, received, failed, total, silent;

  wire @payload@got = {@got@};
  wire @payload@expected = {@expected@};

  initial begin
    clk = 1'b0;
    forever #5 clk = ~clk;
  end

  initial begin
@reads@
    noise = 32'd@seed@;
    failed = 0;
    total = 0;
    run(FAST);
    run(PAUSING);
    run(WAITING);
    if (failed == 0) begin
      $display("PASS: %0d results of @name@", total);
      $finish;
    end else begin
      $display("FAIL: %0d of %0d results of @name@", failed, total);
      $stop;
    end
  end

  // One round: a reset, all transfers, and no result too many.
  task run(input [1:0] kind);
    begin
      @(negedge clk);
      rst = 1'b1;
      round = kind;
      @(negedge clk);
      @(negedge clk);
      rst = 1'b0;
      while (received < RESULTS && silent < PATIENCE) @(negedge clk);
      repeat (@drain@) @(negedge clk);
      if (received != RESULTS) begin
        $display("FAIL: %0d results came, not %0d", received, RESULTS);
        failed = failed + 1;
      end
    end
  endtask

  // Both ends change at falling edges, so that all stands still at rising ones.
  always @(negedge clk) begin
    noise <= {noise[30:0], noise[31] ^ noise[21] ^ noise[1] ^ noise[0]};
    if (rst) begin
      i_valid <= 1'b0;
      o_ready <= 1'b0;
    end else begin
      o_ready <= round == WAITING ? o_valid : ~(round == PAUSING && noise[3]);
      if (~i_valid | accepted) begin
        i_valid <= sent < TRANSFERS && !(round == PAUSING && noise[7]);
        // Between offers the ports carry what is wrong: it must not matter.
        if (sent < TRANSFERS && !(round == PAUSING && noise[7])) begin
@offers@
        end else begin
@garbage@
        end
      end
    end
  end

  always @(posedge clk) begin
    accepted <= i_valid & i_ready;
    if (rst) begin
      sent <= 0;
      received <= 0;
      silent <= 0;
      held <= 1'b0;
    end else begin
      silent <= (i_valid & i_ready) | (o_valid & o_ready) ? 0 : silent + 1;
      if (i_valid & i_ready) sent <= sent + 1;
      if (held && (o_valid !== 1'b1 || got !== waiting)) begin
        $display("FAIL: a result changed before it was taken");
        failed = failed + 1;
      end
      held <= o_valid & ~o_ready;
      waiting <= got;
      if (o_valid !== 1'b0 && o_ready) begin
        received <= received + 1;
        total = total + 1;
        if (received >= RESULTS || o_valid !== 1'b1 || got !== expected) begin
          failed = failed + 1;
          if (failed <= 10) $display("FAIL: result %0d is %h, not %h", received, got, expected);
        end
      end
    end
  end
endmodule
