"""The Verilog writer: from a component of Amaranth to text that is meant to be read."""

from .names import KEYWORDS
from .netlist import SYNCHRONOUS, Reset
from .text import comment
from .writer import verilog_module

__all__ = ["KEYWORDS", "SYNCHRONOUS", "Reset", "comment", "verilog_module"]
