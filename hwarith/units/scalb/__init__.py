"""Multiplication by a power of two whose exponent is an operand."""

from .cast import Cast
from .unit import Scalb

__all__ = ["Cast", "Scalb"]
