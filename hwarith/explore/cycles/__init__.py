"""Cycles and DRAM traffic of a language model on accelerators."""
