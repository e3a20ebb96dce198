# Timing constraints of @name@; times in the unit of the library (usually ns).
set period @period@
# Of the period, what logic around the block takes before its inputs and behind its outputs.
set outside 0

create_clock -name clk -period $period [get_ports clk]
set_input_delay $outside -clock clk [get_ports {@inputs@}]
set_output_delay $outside -clock clk [get_ports {@outputs@}]

# The reset is held for clocks before anything is expected of the block: no path from it counts.
set_false_path -from [get_ports rst]
