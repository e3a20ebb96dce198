"""Systolic arrays of multiply-adds."""

from .engine import Engine

__all__ = ["Engine"]
