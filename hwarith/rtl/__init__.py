"""Hardware that the units share: stages and streams, unpack, shifters, the rounder, pack."""

from .adders import add, add_magnitudes, increment
from .floats import PORT, Operand, Raw, Rounder, unpack
from .integers import fit_integer
from .logic import (
    Step,
    Values,
    apart,
    at_least,
    handing_on,
    leading_zeros,
    least,
    move_right,
    one_hot,
    parts_apart,
    piece,
    renamed,
    scaled,
    shift_left,
    shift_right,
    wire,
)
from .multiplier import Columns, Structure, plain_products, product, sum_of_products
from .pipeline.datapath import stages_for
from .streams import RESERVED_PORTS, Combinational, Core, Pipelined, PipelinedPorts, ranks

__all__ = [
    "PORT", "RESERVED_PORTS", "Columns",
    "Combinational", "Core", "Operand", "Pipelined", "PipelinedPorts", "Raw",
    "Rounder",
    "Step", "Structure", "Values", "add", "add_magnitudes", "apart", "at_least", "fit_integer",
    "handing_on", "increment", "leading_zeros", "least", "move_right", "one_hot",
    "parts_apart", "piece", "plain_products", "product", "ranks", "renamed", "scaled", "shift_left",
    "shift_right", "stages_for", "sum_of_products", "unpack", "wire",
]  # fmt: skip
