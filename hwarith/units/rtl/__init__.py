"""Hardware that the units share: stages and streams, unpack, shifters, the rounder, pack."""

from .floats import Raw, round_and_pack, unpack
from .integers import fit_integer
from .logic import (
    Values,
    conditional_negate,
    leading_zeros,
    shift_left,
    shift_right_jam,
    wire,
)
from .pipeline import Combinational, Pipelined, PipelinedPorts, Step

__all__ = [
    "Combinational", "Pipelined", "PipelinedPorts", "Raw", "Step", "Values",
    "conditional_negate", "fit_integer", "leading_zeros", "round_and_pack", "shift_left",
    "shift_right_jam", "unpack", "wire",
]  # fmt: skip
