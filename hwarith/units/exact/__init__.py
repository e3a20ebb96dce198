"""Exact arithmetic in any format: multiply, add, fused multiply-add, rounded once."""
