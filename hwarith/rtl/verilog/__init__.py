"""The Verilog writer: from a component of Amaranth to text that is meant to be read."""

from .comments import comment
from .names import KEYWORDS
from .writer import verilog_module

__all__ = ["KEYWORDS", "comment", "verilog_module"]
