"""The rotation of a pair of values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, wraps
from typing import ClassVar

from amaranth.hdl import Cat, Module

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format
from ...rtl import Values, wires_named
from ..contract import Contract, Unit
from ..dot import Dot
from ..exact.options import round_parameter
from ..operations import MULTIPLY_ADDS, Operation
from ..parameters import format_parameter
from ..registry import unit
from . import definitions

ROTATION = Operation("rotation of a pair", noun="rotator", rank=41, piece=MULTIPLY_ADDS)


@dataclass(frozen=True, kw_only=True, repr=False)
class Rope(Unit):
    """Rotation of a pair of values by an angle whose cosine c and sine s are given:
    y0 = x0 c - x1 s and y1 = x0 s + x1 c, each the exact sum of both products, rounded once.

    NaN, infinity times zero, and infinities that cancel give NaN; an exact zero of products that
    cancel is +0, or -0 when rounding down. The hardware is that of two dot products of two pairs
    (``dot:n=2``), one with the sign of s inverted.

    Source: Su et al., "RoFormer: enhanced transformer with rotary position embedding", 2021. That
    each result is rounded once is a decision of this project.
    """

    family: ClassVar[str] = "rope"
    summary: ClassVar[str] = "rotation of a pair of values, each result rounded once"
    operation: ClassVar[Operation] = ROTATION
    meanings: ClassVar[dict[str, str]] = {
        "x0": "first value of the pair",
        "x1": "second value of the pair",
        "c": "cosine of the angle",
        "s": "sine of the angle",
        "y0": "x0 c - x1 s",
        "y1": "x0 s + x1 c",
    }

    a: Format = format_parameter("values of a pair", "bf16")
    w: Format = format_parameter("cosine and sine", same_as="a")
    out: Format = format_parameter("results", same_as="a")
    round: str = round_parameter()

    def validate(self) -> None:
        for name in ("a", "w", "out"):
            f = getattr(self, name)
            if not f.is_float or not f.signed:
                raise InvalidInput(f"rope: parameter {name}: must be a float with a sign, not {f}")
        if not self.w.has_negative_zero:
            raise InvalidInput(f"rope: parameter w: must have -0, not {self.w}")
        try:
            assert self._sum
        except InvalidInput as error:
            raise InvalidInput(f"rope: {error}") from None

    @property
    def operands(self) -> dict[str, Format]:
        return {"x0": self.a, "x1": self.a, "c": self.w, "s": self.w}

    @property
    def results(self) -> dict[str, Format]:
        return {"y0": self.out, "y1": self.out}

    @property
    def work(self) -> Fraction:
        return Fraction(4)

    @property
    def contract(self) -> Contract:
        kind, bound, _ = self._sum.contract
        return Contract(kind, bound, "Su et al., RoFormer, 2021; IEEE 754-2019, 5.4.1")

    @property
    def conventions(self) -> dict[str, str]:
        return self._sum.conventions

    @cached_property
    def _sum(self) -> Dot:
        """What sums up two products."""
        found = unit(
            f"dot:a={self.a},b={self.w},n=2,c=none,out={self.out},acc=exact,round={self.round}"
        )
        assert isinstance(found, Dot)
        return found

    def definition(self) -> tuple[Callable[..., int], tuple]:
        _, f, rules, control = self._sum.constants
        return definitions.rope, (f.a, f.b, f.out, rules, control, self._width)

    @property
    def _width(self) -> int:
        """Bits with which the sum of the products is exact enough (`add_exact`)."""
        return max(self.a.precision + self.w.precision, self.out.precision) + 4

    @property
    def word_bits(self) -> int:
        return max(self._width + 2, self.out.word_bits + 5, 2 * self.out.bits)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._pair, *map(_of_both, self._sum.datapath()), self._together]

    def _pair(self, m: Module, x: Values) -> Values:
        """The factors of both sums, with the sign of s inverted in the first one."""
        values = Cat(x["x0"], x["x1"])
        minus = Cat(x["s"][:-1], ~x["s"][-1])
        return {
            "y0.a": values,
            "y0.b": Cat(x["c"], minus),
            "y1.a": values,
            "y1.b": Cat(x["s"], x["c"]),
        }

    def _together(self, m: Module, x: Values) -> Values:
        """Both results."""
        return {name: x[f"{name}.y"] for name in self.results}


def _of_both(step: rtl.Step) -> rtl.Step:
    """A step of a sum done for both of them."""

    @wraps(step)
    def both(m: Module, x: Values) -> Values:
        found: Values = {}
        for name in ("y0", "y1"):
            own = {k.partition(".")[2]: v for k, v in x.items() if k.startswith(f"{name}.")}
            with wires_named(f"{name}_"):
                found |= {f"{name}.{k}": v for k, v in step(m, own).items()}
        return found

    return both
