"""Decoders of weights in few bits: sub-byte floats and integers, the power-exponent code, ANT's
flint and OliVe's pairs."""

from .outliers import FlintDecode, OliveDecode
from .packed import DecodeMulti
from .power import PowDecode, PowEncode
from .tilus import TYPES, Encoded, encode
from .unit import Decode

__all__ = [
    "TYPES",
    "Decode",
    "DecodeMulti",
    "Encoded",
    "FlintDecode",
    "OliveDecode",
    "PowDecode",
    "PowEncode",
    "encode",
]
