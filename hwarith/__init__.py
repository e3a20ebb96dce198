"""hwarith: bit-accurate models and verified Verilog of machine-learning arithmetic."""

from __future__ import annotations

import builtins
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .services import provide

if TYPE_CHECKING:
    from .exceptions import HwarithError, InvalidInput, MissingTool, ToolFailure
    from .explore.compare import compare
    from .explore.cycles.table import cycles
    from .explore.datatypes import datatypes
    from .explore.format_search import search_format
    from .explore.gpus import gpu
    from .explore.metrics import metrics
    from .explore.reproducibility import reproducibility
    from .explore.states import state_updates
    from .explore.workloads.minilm.task import transformer
    from .flow.checking import check
    from .flow.energy.measure import energy
    from .flow.export.folder import export
    from .flow.mutants.mutate import mutate
    from .flow.proofs.prove import prove
    from .flow.recordings import gpu_check
    from .flow.regress import regress
    from .flow.simulate import simulate
    from .flow.synthesis.breakdown import breakdown
    from .flow.synthesis.place_and_route import place_and_route
    from .flow.synthesis.synthesize import synthesize
    from .flow.vectors import conform, run_vectors, vectors
    from .flow.verilog import verilog
    from .formats import BlockFormat, Blocks, Format, Hadamard, format
    from .formats.dynamic import dynamic_fixed_point
    from .formats.fp4 import fp4_to_fp8, power_of_two_scales
    from .formats.layouts import float_layout
    from .formats.masks import clip_exp, mask_mantissa
    from .formats.weights import Quantized, quantize, weight_type
    from .matrix.affine import affine_matmul
    from .matrix.dynamic import dynamic_matmul
    from .matrix.int8 import int8_matmul
    from .matrix.product import matmul
    from .pictures import Picture
    from .reports import report, sweep, weights
    from .units import Unit, unit
    from .units.requant import quantize_multiplier
    from .units.shown import list, show
    from .version import __version__ as __version__

_HOMES = {
    "version": ("__version__",),
    "exceptions": ("HwarithError", "InvalidInput", "MissingTool", "ToolFailure"),
    "formats": ("BlockFormat", "Blocks", "Format", "Hadamard", "format"),
    "formats.dynamic": ("dynamic_fixed_point",),
    "formats.fp4": ("fp4_to_fp8", "power_of_two_scales"),
    "formats.layouts": ("float_layout",),
    "formats.masks": ("clip_exp", "mask_mantissa"),
    "formats.weights": ("Quantized", "quantize", "weight_type"),
    "units": ("Unit", "unit"),
    "units.shown": ("list", "show"),
    "units.requant": ("quantize_multiplier",),
    "matrix": ("affine_matmul", "dynamic_matmul", "int8_matmul", "matmul"),
    "flow.vectors": ("conform", "run_vectors", "vectors"),
    "flow.verilog": ("verilog",),
    "flow.simulate": ("simulate",),
    "flow.checking": ("check",),
    "flow.regress": ("regress",),
    "flow.mutants.mutate": ("mutate",),
    "flow.proofs.prove": ("prove",),
    "flow.synthesis.synthesize": ("synthesize",),
    "flow.synthesis.place_and_route": ("place_and_route",),
    "flow.synthesis.breakdown": ("breakdown",),
    "flow.energy.measure": ("energy",),
    "flow.export.folder": ("export",),
    "flow.recordings": ("gpu_check",),
    "explore.compare": ("compare",),
    "explore.cycles.table": ("cycles",),
    "explore.datatypes": ("datatypes",),
    "explore.format_search": ("search_format",),
    "explore.gpus": ("gpu",),
    "explore.metrics": ("metrics",),
    "explore.reproducibility": ("reproducibility",),
    "explore.states": ("state_updates",),
    "explore.workloads.minilm.task": ("transformer",),
    "pictures": ("Picture",),
    "reports": ("report", "sweep", "weights"),
}
"""Public names by the module that has them."""

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BlockFormat",
    "Blocks",
    "Format",
    "Hadamard",
    "HwarithError",
    "InvalidInput",
    "MissingTool",
    "Picture",
    "Quantized",
    "ToolFailure",
    "Unit",
    "__version__",
    "affine_matmul",
    "breakdown",
    "check",
    "clip_exp",
    "compare",
    "conform",
    "cycles",
    "datatypes",
    "dynamic_fixed_point",
    "dynamic_matmul",
    "energy",
    "export",
    "float_layout",
    "format",
    "fp4_to_fp8",
    "gpu",
    "gpu_check",
    "int8_matmul",
    "list",
    "mask_mantissa",
    "matmul",
    "metrics",
    "mutate",
    "place_and_route",
    "power_of_two_scales",
    "prove",
    "quantize",
    "quantize_multiplier",
    "regress",
    "report",
    "reproducibility",
    "run_vectors",
    "search_format",
    "show",
    "simulate",
    "state_updates",
    "sweep",
    "synthesize",
    "transformer",
    "unit",
    "vectors",
    "verilog",
    "weight_type",
    "weights",
]


provide("closed pipeline", f"{__name__}.flow.synthesis.closing:closed")


def __getattr__(name: str) -> Any:
    """Public names are imported on first use: the command line answers before numpy is loaded."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'hwarith' has no attribute {name!r}")
    return getattr(import_module(f".{_HOME_OF[name]}", __name__), name)


def __dir__() -> builtins.list[str]:
    return sorted(__all__)
