"""The units: one folder per family, and the catalogue of named ones."""

from .contract import Contract, Unit
from .registry import FAMILIES, family, unit
from .text import unit_tables

__all__ = ["FAMILIES", "Contract", "Unit", "family", "unit", "unit_tables"]
