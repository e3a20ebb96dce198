"""FIGNA: fp16 activations, aligned to a shared exponent, times integer weights as integers."""

from .align import Aligned, PreAlign, align, shared_exponent
from .pe import FpIntPe, Group

__all__ = ["Aligned", "FpIntPe", "Group", "PreAlign", "align", "shared_exponent"]
