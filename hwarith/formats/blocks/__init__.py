"""Formats of blocks with shared scales (MX, NVFP4, their integer kin), and what brings numbers into
them."""

from .definitions import ScaleRule
from .format import BLOCKS, BlockFormat, BlockName, block_format, format, scalar_format
from .hadamard import TE_SIGNS, Hadamard
from .quantizer import MX_RULES, NV_RULES, quantize_blocks
from .values import Blocks

__all__ = [
    "BLOCKS",
    "MX_RULES",
    "NV_RULES",
    "TE_SIGNS",
    "BlockFormat",
    "BlockName",
    "Blocks",
    "Hadamard",
    "ScaleRule",
    "block_format",
    "format",
    "quantize_blocks",
    "scalar_format",
]
