"""Hardware that the units share: stages and streams, unpack, shifters, the rounder, pack."""

from .adders import add, increment
from .datapath import stages_for
from .floats import Raw, round_and_pack, round_normalized, unpack, zeros_in_front
from .integers import fit_integer
from .logic import (
    Step,
    Values,
    leading_zeros,
    one_hot,
    shift_left,
    shift_right,
    wire,
)
from .multiplier import Columns, product, sum_of_products
from .pipeline import Combinational, Pipelined, PipelinedPorts

__all__ = [
    "Columns", "Combinational", "Pipelined", "PipelinedPorts", "Raw", "Step", "Values",
    "add", "fit_integer", "increment", "leading_zeros", "one_hot", "product",
    "round_and_pack", "round_normalized", "shift_left", "shift_right", "stages_for",
    "sum_of_products", "unpack", "wire", "zeros_in_front",
]  # fmt: skip
