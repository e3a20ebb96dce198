"""What can be done to any unit: verilog, simulate, regress, synthesize."""
