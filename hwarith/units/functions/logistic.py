"""The unit of the logistic function, whose tail is a power of e."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module

from ... import rtl
from ...exceptions import InvalidInput
from ...rtl import Values, wire
from ..operations import LOGISTIC, Operation
from ..parameters import choice_parameter
from .curves import Curve
from .fit import AUTOMATIC, SHORT, Wish
from .lookup import piece
from .powers import in_fixed_point
from .tails import TailTable


@dataclass(frozen=True, kw_only=True, repr=False)
class Sigmoid(Curve):
    """The logistic function 1/(1 + e^-x).

    Source: Goodfellow, Bengio and Courville, Deep Learning, 2016, 3.10; of infinities it is the
    limit.
    """

    family: ClassVar[str] = "sigmoid"
    summary: ClassVar[str] = "1/(1 + e^-a), correctly rounded or faithful"
    operation: ClassVar[Operation] = LOGISTIC
    meanings: ClassVar[dict[str, str]] = {"a": "operand", "y": "1/(1 + e^-a)"}

    optimize: str = choice_parameter(
        "area, or delay: more gates for a shorter path, faithful and of 9 to 16 bits",
        ("area", "delay"),
        "area",
        quiet=True,
    )

    def validate(self) -> None:
        super().validate()
        few, many = self.a.bits <= 8, self.is_wide
        if self.optimize == "delay" and (self.accuracy == "correct" or few or many):
            raise InvalidInput(
                f"sigmoid: parameter optimize: must be area from {self.a.name} with "
                f"accuracy={self.accuracy}, not delay, which is for accuracy=faithful and operands "
                "of 9 to 16 bits"
            )

    @property
    def wish(self) -> Wish:
        return SHORT if self.optimize == "delay" else AUTOMATIC

    @property
    def has_tail(self) -> bool:
        """Whether its table is one of pieces of powers of two."""
        return isinstance(self.approximation, TailTable)

    @property
    def weights(self) -> tuple[int, int]:
        if not self.has_tail:
            return super().weights
        return -(1 << self.approximation.magnitude.integer) - 1, -1

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        if not self.has_tail:
            return super().datapath()
        steps = [self._classify, self._reduce, self._look_up, self._normalize, self._denormalize]
        return self.with_ports([*steps, *self.rounder.after_normalization()])

    def _classify(self, m: Module, x: Values) -> Values:
        """Fields and classes of the operand; which special results there are."""
        raws = self.unpacked(m, x)
        a = raws["a"]
        return self._specials(m, x, raws) | {
            "negative": a.sign,
            "weight": a.exponent,
            "t": x["a"][: self.a.fraction_bits],
        }

    def _reduce(self, m: Module, x: Values) -> Values:
        """The operand's magnitude times log2(e) in fixed point, its fraction inverted if it is
        negative."""
        magnitude, t = self.approximation.magnitude, x["t"]
        multiples = [
            rtl.read_table(m, f"multiple{low}_", entries, t[low : low + bits])
            for low, bits, entries in magnitude.tables(self.a.precision)
        ]
        scaled = rtl.sum_of_products(m, "times_log2_e", [], multiples, magnitude.window)
        z = in_fixed_point(m, self.a, scaled, x["weight"], magnitude.highest, magnitude.window)[0]
        fraction, negative = z[: magnitude.fraction], x["negative"]
        return self.handed_on(x, "one", "half", "negative") | {
            "fraction": wire(m, "rising", fraction ^ negative.replicate(len(fraction))),
            "n": z[magnitude.fraction :],
        }

    def _look_up(self, m: Module, x: Values) -> Values:
        """A linear piece of n's, or of those of all that are large."""
        t, n, negative = self.approximation, x["n"], x["negative"]
        large = wire(m, "large", n[t.near :].any())
        low = len(x["fraction"]) - t.select
        row = Cat(x["fraction"][low:], n[: t.near], large, negative)
        y = piece(m, t.by_bits, wire(m, "row", row), x["fraction"][:low], t.width + 1)
        exponent = wire(m, "k", self.out.bias - 1 - (n & negative.replicate(len(n))))
        return self.handed_on(x, "one", "half") | {"y": y, "k": exponent, "weight": Const(0, 1)}
