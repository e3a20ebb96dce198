"""The multiply-add whose format is a port."""

from .unit import Multi

__all__ = ["Multi"]
