"""The rotation of a pair of values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import count
from typing import ClassVar

from amaranth.hdl import Cat, Module

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...rtl import Values
from ..applied import applied, keeping
from ..contract import Contract, Unit
from ..exact.fma import Fma
from ..exact.options import round_parameter
from ..operations import MULTIPLY_ADDS, Operation
from ..parameters import format_parameter
from ..registry import unit
from . import definitions

ROTATION = Operation("rotation of a pair", noun="rotator", rank=47, piece=MULTIPLY_ADDS)


@dataclass(frozen=True, kw_only=True, repr=False)
class Rope(Unit):
    """Rotation of a pair of values by an angle whose cosine c and sine s are given:
    y0 = x0 c - x1 s and y1 = x0 s + x1 c, each the exact sum of both products, rounded once.

    NaN, infinity times zero, and infinities that cancel give NaN; an exact zero of products that
    cancel is +0, or -0 when rounding down. In hardware one product, which is exact in a format of
    its own, is added to the other by a fused multiply-add.

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
    def wide(self) -> Format:
        """A float that has every product of a value and a cosine."""
        least = self.a.smallest * self.w.smallest
        precision = self.a.precision + self.w.precision
        for bits in count(2):
            f = format(f"e{bits}m{precision - 1}")
            if f.smallest <= least and self.a.max * self.w.max <= f.max:
                return f
        raise AssertionError

    @cached_property
    def _product(self) -> Unit:
        return unit(f"mul:a={self.a},b={self.w},out={self.wide}")

    @cached_property
    def _sum(self) -> Fma:
        """What adds the other product, and rounds."""
        found = unit(f"fma:a={self.a},b={self.w},c={self.wide},out={self.out},round={self.round}")
        assert isinstance(found, Fma)
        return found

    def definition(self) -> tuple[Callable[..., int], tuple]:
        control, fa, fw, _, fo, rules = self._sum.constants()
        return definitions.rope, (fa, fw, fo, rules, control, self._width)

    @property
    def _width(self) -> int:
        """Bits with which the sum of the products is exact enough (`add_exact`)."""
        return max(self.a.precision + self.w.precision, self.out.precision) + 4

    @property
    def word_bits(self) -> int:
        return max(self._width + 2, self.out.word_bits + 5, 2 * self.out.bits)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [
            *applied(self._product, "x1_s", "x1", "s"),
            *applied(self._product, "x1_c", "x1", "c"),
            self._negate,
            *applied(self._sum, "y0", "x0", "c", "minus_x1_s"),
            *applied(self._sum, "y1", "x0", "s", "x1_c"),
            keeping("y0", "y1"),
        ]

    def _negate(self, m: Module, x: Values) -> Values:
        """Invert the sign of one product."""
        product = x["x1_s"]
        return x | {"minus_x1_s": Cat(product[:-1], ~product[-1])}
