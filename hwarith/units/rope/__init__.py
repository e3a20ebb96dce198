"""Rotations of pairs of values, as of rotary position embeddings."""

from .unit import Rope

__all__ = ["Rope"]
