"""Formats of blocks with shared scales (MX, NVFP4, their integer kin), and what brings numbers into
them."""

from .definitions import ScaleRule
from .format import (
    BLOCKS,
    BlockFormat,
    BlockName,
    block_format,
    format,
    named_block,
    scalar_format,
)
from .hadamard import TE_SIGNS, Hadamard
from .metadata import Metadata
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
    "Metadata",
    "ScaleRule",
    "block_format",
    "format",
    "named_block",
    "quantize_blocks",
    "scalar_format",
]
