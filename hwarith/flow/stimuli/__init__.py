"""Operands to try units with: random, directed at what is hard, and as they are at work."""
