"""Units of one's own: what is checked when the class and the unit are made."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from amaranth.hdl import Module

import hwarith as hw
from hwarith import rtl
from hwarith.golden.arrays import golden
from hwarith.units import Contract, Unit
from hwarith.units.accumulator import Accumulator
from hwarith.units.operations import MEASURED, PRODUCT, Operation, Role


@golden
def both(a, b):
    return a & b


@dataclass(frozen=True, kw_only=True, repr=False)
class Both(Unit):
    """Bits that are set in both operands. The names of its ports are a class attribute each."""

    family: ClassVar[str] = "both"
    summary: ClassVar[str] = "bits that are set in both"
    operation: ClassVar[Operation] = Operation("conjunction")
    names: ClassVar[tuple[str, str, str]] = ("a", "b", "y")

    @property
    def operands(self) -> dict[str, hw.Format]:
        return {name: hw.format("uint4") for name in self.names[:2]}

    @property
    def results(self) -> dict[str, hw.Format]:
        return {self.names[2]: hw.format("uint4")}

    @property
    def contract(self) -> Contract:
        return Contract("exact", "exact", "Boole, 1847")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return both, ()

    @property
    def word_bits(self) -> int:
        return 4

    def datapath(self) -> list[rtl.Step]:
        return [self._both]

    def _both(self, m: Module, x: rtl.Values) -> rtl.Values:
        a, b, y = self.names
        return {y: rtl.wire(m, "conjunction", x[a] & x[b])}


def named(*names: str) -> type[Both]:
    return type("Named", (Both,), {"names": names})


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("a", "o_ready", "y"), "'o_ready' is taken; operands, controls and results cannot be clk"),
        (("clk", "b", "y"), "'clk' is taken"),
        (("a", "b", "i_valid"), "'i_valid' is taken"),
        (("a", "signature", "y"), "'signature' is taken"),
        (("unit", "b", "y"), "'unit' is taken"),
        (("a", "b", "b"), "'b' is there twice; operands, controls and results must differ"),
        (("a", "", "y"), "'' must be letters, digits and underscores, a letter first"),
        (("2a", "b", "y"), "'2a' must be letters, digits and underscores, a letter first"),
        (("a", "b c", "y"), "'b c' must be letters"),
        (("a", "b", "y$"), "'y$' must be letters"),
        (("ä", "b", "y"), "'ä' must be letters"),
        (
            ("lambda", "b", "y"),
            "'lambda' must be letters, digits and underscores, a letter first, and no keyword",
        ),
    ],
)
@pytest.mark.parametrize("stages", [0, 2])
def test_names_of_ports(names: tuple[str, ...], reason: str, stages: int) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(f"both: port name {reason}")):
        named(*names)(stages=stages)


def test_names_that_are_allowed() -> None:
    for stages in (0, 1):
        u = named("valid", "ready", "o")(stages=stages)
        assert hw.simulate(u)(12, 10) == u(12, 10) == 8


def test_controls_are_ports_too() -> None:
    class First(Accumulator, Both):
        names = ("first", "b", "y")

    with pytest.raises(hw.InvalidInput, match="port name 'first' is there twice"):
        First()


@pytest.mark.parametrize("operation", ["product", None, PRODUCT.name])
def test_an_unknown_operation_is_an_error_of_the_class(operation: Any) -> None:
    with pytest.raises(hw.InvalidInput, match="Odd: operation must be an Operation, such as"):
        type("Odd", (Both,), {"operation": operation})


def test_operations_that_are_measured() -> None:
    operands = (3, 5, 7)
    for operation in MEASURED:
        assert operation.exact is not None
        values = operands[: operation.arity]
        product = 1
        for x in values[: operation.factors]:
            product *= x
        assert operation.exact(*values) == product + (values[-1] if operation.adds else 0)
        assert str(operation) == operation.name
    assert [o.name for o in MEASURED if o.role] == ["product", "sum", "multiply-add"]
    assert {o.role for o in MEASURED} == {None, *Role}


def test_base_class_is_small() -> None:
    """What `docs/adding-a-unit.md` tells an author to write: ten members, each explained."""
    tree = ast.parse(inspect.getsource(Unit))
    (base,) = tree.body
    assert isinstance(base, ast.ClassDef)
    methods = [node for node in base.body if isinstance(node, ast.FunctionDef)]
    written = [m for m in methods if "raise NotImplementedError" in ast.unparse(m)]
    authored = {m.name for m in written} | {"family", "summary", "operation", "validate"}
    assert len(authored) == 10
    assert all(len(ast.get_docstring(m) or "") > 40 for m in written)
