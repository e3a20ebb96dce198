"""Hardware that the units share: steps and streams, unpack, shifters, the rounder, pack."""

from .accumulate import accumulating_core, chained_core
from .adders import add, add_magnitudes, increment
from .floats import PORT, Operand, Raw, Rounder, unpack
from .integers import fit_integer
from .logic import anticipate, compare, leading_zeros, least, one_hot
from .lookup import read_table
from .multiplier import Columns, Structure, plain_products, product, square, sum_of_products
from .parts import make_part, named_part, steps_as_submodules
from .passes import FIRST, PHASE, Memory, Passing, passing_core, spread_ranks
from .pipeline.datapath import stages_for
from .pipeline.sums import SUM_BLOCK
from .protocols import Accumulating, Pipelinable, Recurring
from .recurrence import recurring_core
from .shifters import align_right, move_right, scaled, shift_left, shift_right
from .steps import handing_on, renamed, run_steps, step_name
from .streams import (
    RESERVED_PORTS,
    Combinational,
    Core,
    Handshake,
    Pipelined,
    PipelinedPorts,
    Tagged,
    datapath_core,
    registered_ready,
)
from .verilog import KEYWORDS, Reset, verilog_module
from .wires import Step, Values, wire, wires_named

__all__ = [
    "FIRST",
    "KEYWORDS",
    "PHASE",
    "PORT",
    "RESERVED_PORTS",
    "SUM_BLOCK",
    "Accumulating",
    "Columns",
    "Combinational",
    "Core",
    "Handshake",
    "Memory",
    "Operand",
    "Passing",
    "Pipelinable",
    "Pipelined",
    "PipelinedPorts",
    "Raw",
    "Recurring",
    "Reset",
    "Rounder",
    "Step",
    "Structure",
    "Tagged",
    "Values",
    "accumulating_core",
    "add",
    "add_magnitudes",
    "align_right",
    "anticipate",
    "chained_core",
    "compare",
    "datapath_core",
    "fit_integer",
    "handing_on",
    "increment",
    "leading_zeros",
    "least",
    "make_part",
    "move_right",
    "named_part",
    "one_hot",
    "passing_core",
    "plain_products",
    "product",
    "read_table",
    "recurring_core",
    "registered_ready",
    "renamed",
    "run_steps",
    "scaled",
    "shift_left",
    "shift_right",
    "spread_ranks",
    "square",
    "stages_for",
    "step_name",
    "steps_as_submodules",
    "sum_of_products",
    "unpack",
    "verilog_module",
    "wire",
    "wires_named",
]
