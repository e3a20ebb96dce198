"""Where pipeline registers stand in a datapath: its delay model, cuts, and segments."""
