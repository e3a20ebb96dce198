"""Decoders of weights in few bits: sub-byte floats and integers, and the power-exponent code."""

from .packed import DecodeMulti
from .power import PowDecode, PowEncode
from .tilus import TYPES, Encoded, encode
from .unit import Decode

__all__ = ["TYPES", "Decode", "DecodeMulti", "Encoded", "PowDecode", "PowEncode", "encode"]
