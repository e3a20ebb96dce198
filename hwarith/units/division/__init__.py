"""Quotients and roots, correctly rounded: division, reciprocal, square root, its reciprocal."""

from .quotients import Div, Recip
from .roots import Rsqrt, Sqrt

__all__ = ["Div", "Recip", "Rsqrt", "Sqrt"]
