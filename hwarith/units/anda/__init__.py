"""Anda: activations of a shared exponent, a bit of their mantissas at a time."""

from .compressor import AndaQuant
from .unit import AndaPe

__all__ = ["AndaPe", "AndaQuant"]
