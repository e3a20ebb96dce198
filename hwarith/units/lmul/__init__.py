"""L-Mul: multiplication by adding the exponent and fraction fields (arXiv 2410.00907)."""

from .unit import LMul

__all__ = ["LMul"]
