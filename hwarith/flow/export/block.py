"""What the files of an exported block are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ...units import Unit
from ...units.interface import Port
from ..forms import Form
from ..vectors import Vectors


@dataclass(frozen=True)
class Block:
    """A unit on its way into a user's flow.

    Attributes
    ----------
    unit : the unit.
    form : that of its Verilog.
    verilog : its Verilog.
    period : of the clock, in ns.
    vectors : those of the testbench.
    has_axis : whether there is an AXI4-Stream wrapper.
    """

    unit: Unit
    form: Form
    verilog: str
    period: float
    vectors: Vectors
    has_axis: bool

    @property
    def name(self) -> str:
        """The module's name, and what all files are called after."""
        return self.form.module(self.unit)

    @cached_property
    def ports(self) -> list[Port]:
        """All ports of the module, in its order."""
        return self.form.ports(self.unit)

    @property
    def inputs(self) -> list[Port]:
        """The ports by which data enters."""
        return [port for port in self.ports if port.name in self.unit.inputs]

    @property
    def results(self) -> list[Port]:
        """The ports of the results."""
        return [port for port in self.ports if port.name in self.unit.results]

    # -- names of files, from the block's folder on ---------------------------------------------

    @property
    def rtl(self) -> str:
        return f"rtl/{self.name}.v"

    @property
    def axis(self) -> str:
        return f"rtl/{self.name}_axis.v"

    @property
    def sources(self) -> list[str]:
        """The files that are synthesized."""
        return [self.rtl, *([self.axis] if self.has_axis else [])]

    @property
    def testbench(self) -> str:
        return f"tb/{self.name}_tb.v"

    @property
    def constraints(self) -> str:
        return f"constraints/{self.name}.sdc"

    def codes(self, port: Port) -> str:
        """The file with the codes of a port."""
        return f"vectors/{port.name}.memh"


def width(bits: int) -> str:
    """A range of bits as declarations have it, and a space: nothing for one bit."""
    return f"[{bits - 1}:0] " if bits > 1 else ""


def pins(block: Block, at: dict[str, str]) -> str:
    """The connections of an instance: what is at each port, a line each."""
    return ",\n".join(f"    .{port.name}({at[port.name]})" for port in block.ports)
