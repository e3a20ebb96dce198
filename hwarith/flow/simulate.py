"""The RTL itself on arrays of codes: compiled by Verilator, called through ctypes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from ..exceptions import InvalidInput, ToolFailure, quoted
from ..units import Unit, unit
from . import tools
from .compiled import Model, codes, columns, compiled, interface, pauses, room
from .verilated import check_ports
from .verilog import verilog as verilog_of

_MOST_PAUSES = 0.99


def simulate(spec: Unit | str, verilog: str | None = None) -> Simulation:
    """The hardware of a unit (or of its spec), compiled to be called on arrays of codes.

    ``simulate(u)(a, b)`` takes and returns what ``u(a, b)`` does, but runs the Verilog. What was
    compiled is kept in the cache folder and found again by the Verilog and the tools' versions.

    Parameters
    ----------
    spec : the unit, or its spec.
    verilog : other Verilog with the unit's module name and ports (a synthesized netlist, say);
        without it, the unit's own.

    Raises `InvalidInput` for a wrong spec and for Verilog without the unit's ports, `MissingTool`
    without g++, make or perl, `ToolFailure` if the Verilog cannot be compiled.
    """
    u = unit(spec)
    tools.require("g++", "make", "perl")
    return Simulation(u, verilog_of(u) if verilog is None else verilog)


class Simulation:
    """Verilog of a unit, compiled; made by `simulate`.

    Attributes
    ----------
    unit : the unit.
    clocks : of a pipelined unit, how many clocks the last call took, from its first operands to
        its last result. Without pauses this is the number of vectors and `unit.stages`.
    """

    def __init__(self, unit: Unit, verilog: str):
        self.unit = unit
        self.clocks = 0
        self._model = Model(_library(unit, verilog))

    def __repr__(self) -> str:
        return f"hwarith.simulate({self.unit.spec!r})"

    def __call__(self, *operands: ArrayLike) -> Any:
        """Results for arrays of operand codes, with numpy's broadcasting, as the unit gives them
        (an array, or a named tuple of one for each result).

        A pipelined unit is reset, then takes operands and gives results at every clock.

        Raises `InvalidInput` for operands that are no codes of their formats, or whose shapes do
        not fit together, and `ToolFailure` if a pipelined unit blocks, or gives results that no
        operands went in for.
        """
        return self._run(operands, idle=0, stall=0, seed=0)

    def stream(self, *operands: ArrayLike, idle: float = 0, stall: float = 0, seed: int = 0) -> Any:
        """The same with pauses: results of a pipelined unit that is held up.

        Parameters
        ----------
        operands : arrays of operand codes.
        idle : chance that no operands are offered in a clock, 0 to 0.99.
        stall : chance that no result is accepted in a clock, 0 to 0.99.
        seed : of the pauses, 0 to 2^32 - 1.

        Raises what a call does, and `InvalidInput` for a unit without stages.
        """
        if self.unit.stages == 0:
            raise InvalidInput(f"{self.unit.spec} is combinational; only a pipeline can stream")
        chances = (("idle", idle, _MOST_PAUSES), ("stall", stall, _MOST_PAUSES))
        for name, value, most in (*chances, ("seed", seed, 2**32 - 1)):
            if not 0 <= value <= most:
                raise InvalidInput(f"stream: {name} must be 0 to {most}, not {quoted(value)}")
        return self._run(operands, idle, stall, seed)

    def _run(self, given: tuple, idle: float, stall: float, seed: int) -> Any:
        u = self.unit
        operands = u.check_operands(given)
        shape = u.transfers.result_shape(operands)
        inputs = columns(u, u.transfers.of(operands))
        results = room(u, math.prod(shape))
        if u.stages:
            ended = self._model.run(inputs, results, pauses(idle, stall, seed))
        else:
            ended = self._model.run_on_all_cores(inputs, results)
        if ended.message:
            raise ToolFailure(f"simulation of {u.name}: {ended.message}")
        self.clocks = ended.clocks
        return u.transfers.collect(codes(u, results), shape)


def _library(u: Unit, text: str) -> Path:
    """The shared library of this Verilog."""
    return compiled(
        u.name, u.name, text, _interface(u), lambda header: check_ports(header, u), u.parts
    )


def _interface(u: Unit) -> str:
    """What the driver must know of a unit."""
    return interface(u)
