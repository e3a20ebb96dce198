# Static timing of the netlist that synth/netlist.ys writes:
#   sta -no_splash -exit synth/sta.tcl
# In place of liberty/hwarith_generic.lib put the library of your process.
read_liberty liberty/hwarith_generic.lib
read_verilog @name@_netlist.v
link_design @name@
read_sdc @constraints@
report_checks -path_delay max
report_worst_slack
