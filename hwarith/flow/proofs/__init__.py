"""Proofs for every input: emitted Verilog and a unit's definition as terms, and solvers of them."""
