"""Dot products of bipolar integers, by bit planes."""

from .codes import affine, decode, encode, from_signed, planes
from .unit import BitplaneDot

__all__ = ["BitplaneDot", "affine", "decode", "encode", "from_signed", "planes"]
