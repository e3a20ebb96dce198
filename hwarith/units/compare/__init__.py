"""Comparison, minimum, maximum and relu."""
