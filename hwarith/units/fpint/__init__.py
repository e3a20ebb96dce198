"""FIGNA: fp16 activations, aligned to a shared exponent, times integer weights as integers."""

from .pe import FpIntPe, Group
from .prealign import Aligned, PreAlign, align, shared_exponent

__all__ = ["Aligned", "FpIntPe", "Group", "PreAlign", "align", "shared_exponent"]
