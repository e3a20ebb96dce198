"""Faults put into the Verilog of a unit: whether its checks find them, and which change nothing."""
