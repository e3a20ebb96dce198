"""Matrix products made of units: the loops, and kernels that use a unit's structure."""

from .affine import affine_matmul
from .dynamic import dynamic_matmul
from .int8 import Int8Product, int8_matmul
from .product import ORDERS, matmul

__all__ = ["ORDERS", "Int8Product", "affine_matmul", "dynamic_matmul", "int8_matmul", "matmul"]
