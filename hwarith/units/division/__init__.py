"""Quotients and roots, correctly rounded: division, reciprocal, square root, its reciprocal; and
remainders."""

from .divsqrt import DivSqrt
from .quotients import Div, Recip
from .remainders import Fmod, Rem
from .roots import Rsqrt, Sqrt

__all__ = ["Div", "DivSqrt", "Fmod", "Recip", "Rem", "Rsqrt", "Sqrt"]
