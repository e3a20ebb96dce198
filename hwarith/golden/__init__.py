"""What a definition is, and how it runs: interpreted, compiled over arrays, tabulated, folded."""
