"""Verilog that a user brings, against the golden model of a unit."""

from .result import Checked
from .run import check

__all__ = ["Checked", "check"]
