"""Exact results of units whose operands or results are no plain numbers: blocks with a scale,
matrices, words of elements, states.

`reference_of` (`families`) finds by a unit's class what they are.
"""

from .base import Outcome, Reference, number
from .families import reference_of

__all__ = ["Outcome", "Reference", "number", "reference_of"]
