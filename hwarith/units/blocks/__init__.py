"""Units that quantize blocks of numbers, what goes before them, and what decodes blocks."""

from .blockdecode import BlockDecode
from .blockquant import BlockQuant
from .hadamard import Hadamard
from .lanes import LaneUnit
from .nvfp4 import Nvfp4Quant

__all__ = ["BlockDecode", "BlockQuant", "Hadamard", "LaneUnit", "Nvfp4Quant"]
