"""Units that go over a row of values several times: normalizations of layers, softmax."""

from .base import RowUnit
from .norms import LayerNorm, RmsNorm
from .softmax import SoftMax

__all__ = ["LayerNorm", "RmsNorm", "RowUnit", "SoftMax"]
