"""Everything that comes with a unit's Verilog as an IP block: a module for each kind of file, which
gives texts, and `folder`, which writes them."""
