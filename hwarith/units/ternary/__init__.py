"""Sums of activations by ternary weights."""

from .unit import Ternary

__all__ = ["Ternary"]
