"""Decoders of weights in few bits: sub-byte floats and integers, and the power-exponent code."""

from .power import PowDecode
from .tilus import TYPES, Encoded, encode
from .unit import Decode

__all__ = ["TYPES", "Decode", "Encoded", "PowDecode", "encode"]
