"""The functions of I-ViT, a transformer in integers alone."""

from .layernorm import ILayerNorm
from .rows import ShiftGelu, ShiftMax
from .shiftexp import ShiftExp

__all__ = ["ILayerNorm", "ShiftExp", "ShiftGelu", "ShiftMax"]
