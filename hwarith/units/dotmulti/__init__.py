"""A dot product of four or eight elements whose format is chosen by a port."""

from .unit import MODES, DotMulti

__all__ = ["MODES", "DotMulti"]
