"""Units that go over a row of values several times: normalizations of layers."""

from .base import RowUnit
from .norms import LayerNorm, RmsNorm

__all__ = ["LayerNorm", "RmsNorm", "RowUnit"]
