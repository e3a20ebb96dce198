"""Bit-serial arithmetic: BitMoD's term generator, processing element, dequantizer and tile."""

from .pe import BitSerialPe, Group

__all__ = ["BitSerialPe", "Group"]
