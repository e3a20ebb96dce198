"""Bit-serial arithmetic: BitMoD's term generator, processing element, dequantizer and tile."""

from .dequant import BsDequant
from .pe import BitSerialPe, Group
from .terms import TermGen
from .tile import BsTile

__all__ = ["BitSerialPe", "BsDequant", "BsTile", "Group", "TermGen"]
