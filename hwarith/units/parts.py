"""Units that are arrays: modules of their own, put in place many times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Value
from amaranth.lib import wiring

from .. import rtl
from ..exceptions import InvalidInput
from ..rtl import Values
from .contract import Unit


def matrix_shape(rows: Sequence[Sequence[int]], what: str) -> tuple[int, int]:
    """How many rows and columns a matrix has, given row by row. Raises `InvalidInput`, naming
    `what`, if its rows differ in length."""
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        given = " and ".join(map(str, sorted(lengths)))
        raise InvalidInput(f"{what}: rows must be of one length, not {given}")
    return len(rows), max(lengths, default=0)


class Grid(Protocol):
    """What the hardware of an array takes of its unit.

    Members
    -------
    rows, columns : its size.
    place : where parts are put (`ArrayUnit.place`).
    """

    @property
    def rows(self) -> int: ...

    @property
    def columns(self) -> int: ...

    def place(
        self, m: Module, kind: str, name: str, inputs: Values, out: Values, instance: bool
    ) -> None: ...


class ArrayUnit(Unit):
    """Base of the units that are made of parts, each of which is in their Verilog once."""

    combinational_parts: tuple[str, ...] = ()
    """Parts without a clock."""

    @property
    def operand_axes(self) -> dict[str, int]:
        return dict.fromkeys(self.operands, 2)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its parts."""
        raise NotImplementedError

    @property
    def parts(self) -> dict[str, Callable[[], wiring.Component]]:
        return {self.part_name(kind): partial(self.part, kind) for kind in self.kinds}

    def build(
        self, m: Module, inputs: Values, valid: Value, o_ready: Value, instances: bool
    ) -> tuple[Value, Value, Values]:
        """The array in a module, between two streams; its parts are submodules, or where
        `instances` is set references to modules of their names, so that Verilog has each once.

        Gives ready for inputs, valid results, results."""
        raise NotImplementedError

    def core(self, instances: bool) -> rtl.Core:
        return partial(self.build, instances=instances)

    def part_name(self, kind: str) -> str:
        """The Verilog module of a part."""
        return f"{self.name}_{kind}"

    def part(self, kind: str) -> wiring.Component:
        """A component of the array."""
        raise NotImplementedError

    def place(
        self, m: Module, kind: str, name: str, inputs: Values, out: Values, instance: bool
    ) -> None:
        """Put a part into a module: as a submodule, or as a reference to the module of its name."""
        if instance:
            clocked = kind not in self.combinational_parts
            clock = {"i_clk": ClockSignal(), "i_rst": ResetSignal()} if clocked else {}
            ports = {f"i_{port}": x for port, x in inputs.items()}
            ports |= {f"o_{port}": x for port, x in out.items()}
            m.submodules[name] = Instance(self.part_name(kind), **clock, **ports)
            return
        m.submodules[name] = part = self.part(kind)
        m.d.comb += [getattr(part, port).eq(x) for port, x in inputs.items()]
        m.d.comb += [x.eq(getattr(part, port)) for port, x in out.items()]
