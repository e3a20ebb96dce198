"""The softmax of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

from amaranth.hdl import Module

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format
from ...rtl import Step, Values
from ..applied import applied, keeping
from ..contract import Contract, Unit
from ..conventions import of_parts
from ..functions.exactly import ln2
from ..operations import SOFTMAX, Operation
from ..parameters import choice_parameter, format_parameter
from ..registry import unit
from .base import Evaluation, RowUnit

_BITS = 256

LOG2_E = Fraction(1 << _BITS, ln2(_BITS))
"""The binary logarithm of e, to many more bits than a format has."""


@dataclass(frozen=True, kw_only=True, repr=False)
class SoftMax(RowUnit):
    """The softmax of rows: y = exp(a - m) / sum of exp(a - m), m the greatest value of the row.

    Three passes: the first one finds m; the second one p = 2^z, z = (a - m) log2(e), and sums p up
    in ascending order from +0; the third one finds p again and divides it by the sum (or with
    ``normalize=recip`` multiplies it with its reciprocal, which may differ in the last place).
    a - m is rounded to `acc`, z once to its own format, beyond which it is clipped, p to `p`, sums
    to `acc`; all to nearest even. Rows have any number of values.

    Where all values are -infinity, one is +infinity or NaN, results are NaN (of the finite values
    beside +infinity zeros).

    Source: Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018, whose "safe
    softmax" this is. The order of operations is a decision of this project.
    """

    family: ClassVar[str] = "softmax"
    summary: ClassVar[str] = "softmax of a row, in three passes"
    operation: ClassVar[Operation] = SOFTMAX
    passes: ClassVar[int] = 3
    meanings: ClassVar[dict[str, str]] = {
        "a": "a value of the row",
        "y": "its exponential over the sum of those of the row",
    }

    a: Format = format_parameter("values of a row", "fp32")
    out: Format = format_parameter("result", "bf16")
    p: Format = format_parameter("exponentials", "bf16")
    z: Format = format_parameter("their exponents, a number of fixed point", "fix9.16")
    acc: Format = format_parameter("differences and sums", "fp32")
    normalize: str = choice_parameter(
        "div: exponentials over the sum; recip: times its reciprocal", ("div", "recip"), "div", True
    )

    def validate(self) -> None:
        for name in ("a", "out", "p", "acc"):
            f = getattr(self, name)
            if not f.is_float or not f.infinity:
                raise InvalidInput(
                    f"softmax: parameter {name}: must be a float with infinities, not {f}"
                )
        try:
            assert self._power
        except InvalidInput as error:
            raise InvalidInput(f"softmax: parameter z: {error}") from None
        super().validate()

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.out}

    @property
    def contract(self) -> Contract:
        return Contract(
            "approximate",
            f"each operation rounded once, exponents to {self.z}, exponentials to {self.p}",
            "Milakov and Gimelshein, 2018; order of operations: this project",
        )

    @property
    def conventions(self) -> dict[str, str]:
        return of_parts({"each operation": self._sum.conventions})

    # -- the units that it is made of -----------------------------------------------------------

    @cached_property
    def _greater(self) -> Unit:
        return unit(f"minmax:a={self.a},op=max")

    @cached_property
    def _distance(self) -> Unit:
        return unit(f"add:a={self.a},out={self.acc},op=sub")

    @cached_property
    def _exponent(self) -> Unit:
        return unit(f"mul:a={self.acc},out={self.z}")

    @cached_property
    def _power(self) -> Unit:
        return unit(f"exp2:a={self.z},out={self.p}")

    @cached_property
    def _sum(self) -> Unit:
        return unit(f"add:a={self.p},b={self.acc},out={self.acc}")

    @cached_property
    def _quotient(self) -> Unit:
        return unit(f"div:a={self.p},b={self.acc},out={self.out}")

    @cached_property
    def _reciprocal(self) -> Unit:
        return unit(f"recip:a={self.acc}")

    @cached_property
    def _product(self) -> Unit:
        return unit(f"mul:a={self.p},b={self.acc},out={self.out}")

    @property
    def _least(self) -> int:
        """The code of -infinity."""
        return self.a.encode_one(float("-inf"))

    @property
    def _log2_e(self) -> int:
        return self.acc.encode_one(LOG2_E)

    # -- golden --------------------------------------------------------------------------------

    def row(self, at: Evaluation, a: Any) -> Any:
        p, total = self.exponentials(at, a)
        if self.normalize == "div":
            return at.each(self._quotient, p, total)
        return at.each(self._product, p, at.each(self._reciprocal, total))

    def exponentials(self, at: Evaluation, a: Any) -> tuple[Any, Any]:
        """The exponentials of a row, and their sum."""
        greatest = at.over(self._greater, a, begin=self._least)
        z = at.each(self._exponent, at.each(self._distance, a, greatest), self._log2_e)
        p = at.each(self._power, z)
        return p, at.over(self._sum, p)

    # -- hardware ------------------------------------------------------------------------------

    @property
    def segments(self) -> Sequence[list[Step]]:
        exponentials = [
            *applied(self._distance, "distance", "a", "greatest"),
            *applied(self._exponent, "z", "distance", self._log2_e),
            *applied(self._power, "p", "z"),
            keeping("p"),
        ]
        if self.normalize == "div":
            results = applied(self._quotient, "y", "p", "total")
        else:
            results = [
                *applied(self._reciprocal, "part", "total"),
                *applied(self._product, "y", "p", "part"),
            ]
        return [], exponentials, [*results, keeping("y")]

    @property
    def memories(self) -> Sequence[rtl.Memory]:
        return [
            rtl.Memory({"greatest": self.a}, self._maximum, {"greatest": self._least}),
            rtl.Memory({"total": self.acc}, self._add),
        ]

    def _maximum(self, m: Module, x: Values) -> Values:
        """The greatest value so far."""
        return rtl.run_steps(m, applied(self._greater, "greatest", "a", "greatest"), x)

    def _add(self, m: Module, x: Values) -> Values:
        """Add the exponential to their sum."""
        return rtl.run_steps(m, applied(self._sum, "total", "p", "total"), x)
