"""Quotients and roots, correctly rounded: division, reciprocal, square root, its reciprocal; and
remainders."""

from .quotients import Div, Recip
from .remainders import Fmod, Rem
from .roots import Rsqrt, Sqrt

__all__ = ["Div", "Fmod", "Recip", "Rem", "Rsqrt", "Sqrt"]
