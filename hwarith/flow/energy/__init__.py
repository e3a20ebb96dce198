"""What an operation of a unit takes, by the switching activity of its mapped netlist."""
