"""Conversion of any format to any: floats, integers and fixed point, every rounding mode."""

from .unit import Convert

__all__ = ["Convert"]
