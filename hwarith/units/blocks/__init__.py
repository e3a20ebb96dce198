"""Units that quantize blocks of numbers, and what goes before them."""

from .blockquant import BlockQuant
from .hadamard import Hadamard
from .lanes import LaneUnit
from .nvfp4 import Nvfp4Quant

__all__ = ["BlockQuant", "Hadamard", "LaneUnit", "Nvfp4Quant"]
