"""Matrix products made of units: the loops, and kernels that use a unit's structure."""

from .product import ORDERS, matmul

__all__ = ["ORDERS", "matmul"]
