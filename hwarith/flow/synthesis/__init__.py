"""What a unit costs in a library of cells or an FPGA: mapping, timing, place and route."""
