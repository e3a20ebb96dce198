# Timing constraints of @name@; times in the unit of the library (usually ns).
set period @period@
# Of the period, what logic around the block takes before its inputs and behind its outputs.
set outside 0

# The block has no clock: its paths run between registers outside, which this one stands for.
create_clock -name outside_clock -period $period
set_input_delay $outside -clock outside_clock [get_ports {@inputs@}]
set_output_delay $outside -clock outside_clock [get_ports {@outputs@}]
