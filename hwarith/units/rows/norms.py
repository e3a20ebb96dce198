"""Normalizations of layers: a row less its mean, over its standard deviation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

from amaranth.hdl import Module

from ... import rtl
from ...exceptions import InvalidInput, quoted
from ...formats import Format
from ...rtl import Step, Values
from ..applied import applied, keeping
from ..contract import Contract, Unit
from ..conventions import of_parts
from ..division.recurring import Recurring
from ..operations import NORMALIZATION, Operation
from ..parameters import format_parameter, integer_parameter, text_parameter
from ..registry import unit
from .base import Evaluation, RowUnit
from .once import Once, clocks_parameter, waits

MOST_VALUES = 1 << 24
"""Of a row."""


def _number(text: Any) -> str:
    """A number from 0 on, as text."""
    try:
        value = Fraction(str(text))
    except (ValueError, ZeroDivisionError):
        raise InvalidInput(f"must be a number, such as 1e-5, not {quoted(text)}") from None
    if value < 0:
        raise InvalidInput(f"must be at least 0, not {quoted(text)}")
    return str(text)


@dataclass(frozen=True, kw_only=True, repr=False)
class Norm(RowUnit):
    """Base of the normalizations: formats, the number of values, and what is added to a mean of
    squares."""

    a: Format = format_parameter("values of a row", "bf16")
    out: Format = format_parameter("result", same_as="a")
    w: Format = format_parameter("what results are multiplied with, gamma, and beta", same_as="a")
    acc: Format = format_parameter("sums, and what is computed of them", "fp32")
    root: Format = format_parameter("one over the root of the mean of squares", same_as="acc")
    length: int = integer_parameter("values of a row", 1, MOST_VALUES, 64)
    eps: str = text_parameter(
        "added to the mean of squares",
        _number,
        "a number from 0 on",
        "1e-5",
        quiet=True,
        in_name=lambda _, value: (
            "eps" + value.replace("-", "m").replace(".", "p").replace("/", "_")
        ),
    )

    clocks: int = clocks_parameter("the reciprocal root")

    operation: ClassVar[Operation] = NORMALIZATION

    def validate(self) -> None:
        for name in ("a", "out", "w", "acc", "root"):
            if not getattr(self, name).is_float:
                raise InvalidInput(
                    f"{self.family}: parameter {name}: must be a float, not {getattr(self, name)}"
                )
        try:
            assert self._reciprocal_root
        except InvalidInput as error:
            raise InvalidInput(f"{self.family}: {str(error).removeprefix('rsqrt: ')}") from None
        super().validate()

    @property
    def row_length(self) -> int:
        return self.length

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.out}

    @property
    def contract(self) -> Contract:
        return Contract(
            "approximate",
            f"each operation rounded once, the last one to {self.out}",
            self.source,
        )

    source: ClassVar[str]
    """Where it is from."""

    @property
    def conventions(self) -> dict[str, str]:
        return of_parts({"each operation": self._times.conventions})

    # -- the units that it is made of -----------------------------------------------------------

    def _of(self, family: str, **formats: Format) -> Unit:
        """A unit whose result, unless it is given, is in the format of sums."""
        given = {"out": self.acc} | formats
        return unit(f"{family}:" + ",".join(f"{name}={f}" for name, f in given.items()))

    @cached_property
    def _times(self) -> Unit:
        return self._of("mul", a=self.acc)

    @cached_property
    def _scaled(self) -> Unit:
        return self._of("mul", a=self.acc, b=self.root)

    @cached_property
    def _plus(self) -> Unit:
        return self._of("add", a=self.acc)

    @cached_property
    def _reciprocal_root(self) -> Recurring:
        u = unit(f"rsqrt:a={self.acc},out={self.root},clocks={self.clocks}")
        assert isinstance(u, Recurring)
        return u

    @property
    def _part(self) -> int:
        """The code of one over the number of values: exact where this is a power of two."""
        return self.acc.encode_one(Fraction(1, self.length))

    @property
    def _eps(self) -> int:
        return self.acc.encode_one(Fraction(self.eps))

    def _spread(self, at: Evaluation, squares: Any) -> Any:
        """One over the root of the mean of squares, of their sum."""
        mean = at.each(self._times, squares, self._part)
        return at.each(self._reciprocal_root, at.each(self._plus, mean, self._eps))

    def _spread_steps(self) -> list[Step]:
        """From the sum of squares to one over the root of their mean; none, if that is found once a
        row."""
        if self.clocks:
            return []
        root = applied(self._reciprocal_root, "scale", "padded")
        return [*self._padded_steps("padded"), *root]

    def _padded_steps(self, result: str) -> list[Step]:
        return [
            *applied(self._times, "variance", "squares", self._part),
            *applied(self._plus, result, "variance", self._eps),
        ]

    def _squares(self, update: Step, phase: int) -> rtl.Memory:
        """The memory of the sum of squares."""
        registers = {"squares": self.acc}
        if not self.clocks:
            return rtl.Memory(registers, update, phase)
        steps = [*self._padded_steps("a"), keeping("a")]
        once = Once(self._reciprocal_root, registers, steps, "scale")
        return rtl.Memory(registers, update, phase, once=once)

    @property
    def waits(self) -> int:
        return waits(self.clocks)


@dataclass(frozen=True, kw_only=True, repr=False)
class LayerNorm(Norm):
    """Layer normalization of rows: y = (a - mean) / sqrt(variance + eps) * gamma + beta.

    Three passes: the first one sums up the values, in ascending order from +0; the second one the
    squares of their distances d from the mean, each by a fused multiply-add; the third one gives
    results, d times the reciprocal root, times gamma plus beta by a fused multiply-add. Means are
    sums times 1/`length`, which is rounded to `acc` where `length` is no power of two. Every
    operation is correctly rounded, to nearest even. A reciprocal `root` in fewer bits than `acc`
    makes most of the hardware smaller.

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016. The order of operations is a decision
    of this project.
    """

    family: ClassVar[str] = "layernorm"
    summary: ClassVar[str] = "layer normalization of a row, in three passes"
    source: ClassVar[str] = "Ba, Kiros and Hinton, 2016; order of operations: this project"
    meanings: ClassVar[dict[str, str]] = {
        "a": "a value of the row",
        "gamma": "what the normalized value is multiplied with; used in the last pass",
        "beta": "what is added to it; used in the last pass",
        "y": "the normalized value",
    }

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a, "gamma": self.w, "beta": self.w}

    @cached_property
    def _total(self) -> Unit:
        return self._of("add", a=self.a, b=self.acc)

    @cached_property
    def _distance(self) -> Unit:
        return unit(f"add:a={self.a},b={self.acc},out={self.acc},op=sub")

    @cached_property
    def _square(self) -> Unit:
        return self._of("fma", a=self.acc, b=self.acc, c=self.acc)

    @cached_property
    def _affine(self) -> Unit:
        return self._of("fma", a=self.acc, b=self.w, c=self.w, out=self.out)

    def row(self, at: Evaluation, a: Any, gamma: Any, beta: Any) -> Any:
        mean = at.each(self._times, at.over(self._total, a), self._part)
        d = at.each(self._distance, a, mean)
        scale = self._spread(at, at.over(self._square, d, d))
        return at.each(self._affine, at.each(self._scaled, d, scale), gamma, beta)

    # -- hardware ------------------------------------------------------------------------------

    @property
    def segments(self) -> Sequence[list[Step]]:
        distances = [
            *applied(self._times, "mean", "total", self._part),
            *applied(self._distance, "distance", "a", "mean"),
            keeping("distance", "gamma", "beta"),
        ]
        results = [
            *self._spread_steps(),
            *applied(self._scaled, "normalized", "distance", "scale"),
            *applied(self._affine, "y", "normalized", "gamma", "beta"),
            keeping("y"),
        ]
        return [], distances, results

    @property
    def memories(self) -> Sequence[rtl.Memory]:
        return [
            rtl.Memory({"total": self.acc}, self._sum, 0),
            self._squares(self._sum_of_squares, 1),
        ]

    def _sum(self, m: Module, x: Values) -> Values:
        """Add the value to the sum of the row."""
        return rtl.run_steps(m, applied(self._total, "total", "a", "total"), x)

    def _sum_of_squares(self, m: Module, x: Values) -> Values:
        """Add the square of the distance from the mean."""
        steps = applied(self._square, "squares", "distance", "distance", "squares")
        return rtl.run_steps(m, steps, x)


@dataclass(frozen=True, kw_only=True, repr=False)
class RmsNorm(Norm):
    """Normalization of rows by their root mean square: y = a / sqrt(mean of a^2 + eps) * gamma.

    Two passes: the first one sums up the squares, in ascending order from +0, each by a fused
    multiply-add; the second one gives results, a times the reciprocal root, times gamma. The mean
    is the sum times 1/`length`, which is rounded to `acc` where `length` is no power of two. Every
    operation is correctly rounded, to nearest even.

    Source: Zhang and Sennrich, "Root mean square layer normalization", NeurIPS 2019. The order of
    operations is a decision of this project.
    """

    family: ClassVar[str] = "rmsnorm"
    summary: ClassVar[str] = "normalization of a row by its root mean square, in two passes"
    source: ClassVar[str] = "Zhang and Sennrich, 2019; order of operations: this project"
    meanings: ClassVar[dict[str, str]] = {
        "a": "a value of the row",
        "gamma": "what the normalized value is multiplied with; used in the last pass",
        "y": "the normalized value",
    }

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a, "gamma": self.w}

    @cached_property
    def _square(self) -> Unit:
        return self._of("fma", a=self.a, b=self.a, c=self.acc)

    @cached_property
    def _normalized(self) -> Unit:
        return self._of("mul", a=self.a, b=self.root)

    @cached_property
    def _weighted(self) -> Unit:
        return self._of("mul", a=self.acc, b=self.w, out=self.out)

    def row(self, at: Evaluation, a: Any, gamma: Any) -> Any:
        scale = self._spread(at, at.over(self._square, a, a))
        return at.each(self._weighted, at.each(self._normalized, a, scale), gamma)

    # -- hardware ------------------------------------------------------------------------------

    @property
    def segments(self) -> Sequence[list[Step]]:
        results = [
            *self._spread_steps(),
            *applied(self._normalized, "normalized", "a", "scale"),
            *applied(self._weighted, "y", "normalized", "gamma"),
            keeping("y"),
        ]
        return [], results

    @property
    def memories(self) -> Sequence[rtl.Memory]:
        return [self._squares(self._sum_of_squares, 0)]

    def _sum_of_squares(self, m: Module, x: Values) -> Values:
        """Add the square of the value."""
        return rtl.run_steps(m, applied(self._square, "squares", "a", "a", "squares"), x)
