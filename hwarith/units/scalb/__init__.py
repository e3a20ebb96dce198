"""Multiplication by a power of two whose exponent is an operand."""

from .unit import Scalb

__all__ = ["Scalb"]
