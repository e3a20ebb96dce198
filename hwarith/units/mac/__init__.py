"""Multiply-accumulators: units that sum up products in a register of their own."""
