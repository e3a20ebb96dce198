"""Chained multiply-add with approximate normalization (arXiv 2408.11997)."""

from .ends import ColumnEnd, Seed
from .unit import AnFma

__all__ = ["AnFma", "ColumnEnd", "Seed"]
