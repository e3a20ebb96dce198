"""Arithmetic on the fields of exponent and fraction side by side, which are nearly a logarithm."""

from .lmul import LMul
from .pam import Pad, Pam
from .slope import PaSlope
from .unary import PaExp2, PaLog2, PaSqrt

__all__ = ["LMul", "PaExp2", "PaLog2", "PaSlope", "PaSqrt", "Pad", "Pam"]
