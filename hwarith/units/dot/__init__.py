"""Dot products of (scaled) blocks, and the accumulators of tensor cores."""

from .presets import PRESETS, Preset, preset
from .unit import Dot

__all__ = ["PRESETS", "Dot", "Preset", "preset"]
