"""I-ViT's functions of rows: softmax, GELU and layer normalization in integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...formats import Format, format
from ...lazily import np
from ...rtl import Step, Values, wire
from ..contract import Contract
from ..conventions import conventions
from ..operations import ELEMENTS, SOFTMAX, Operation
from ..parameters import format_parameter, integer_parameter
from ..rows.base import Evaluation, Plain, RowUnit
from . import definitions, hardware
from .shiftexp import SOURCE, ShiftExp, checked, halvings_parameter

GELU = Operation("Gaussian error linear unit", noun="GELU unit", rank=48, piece=ELEMENTS)

MOST = definitions.MOST


@dataclass(frozen=True, kw_only=True, repr=False)
class IntegerRow(RowUnit):
    """Base of I-ViT's functions of rows: a definition of lists of codes, and the same of arrays."""

    def definition(self) -> tuple[Callable[..., Any], tuple]:
        """The golden definition of one row, of lists of codes; and its constants."""
        raise NotImplementedError

    def rows(self, *codes: np.ndarray) -> np.ndarray:
        """Results, integers, of arrays of codes (..., n)."""
        raise NotImplementedError

    def row(self, at: Evaluation, *codes: Any) -> Any:
        if isinstance(at, Plain):
            function, constants = self.definition()
            return function(*codes, *constants)
        (f,) = self.results.values()
        mask = np.uint64((1 << f.bits) - 1)
        return (self.rows(*codes).astype(np.uint64) & mask).astype(f.dtype)


@dataclass(frozen=True, kw_only=True, repr=False)
class Exponentials(IntegerRow):
    """Base of those that compare exponentials of a row, as ``shiftexp`` gives them."""

    a: Format = format_parameter("values of a row, a signed integer", "int8")
    x0: Format = format_parameter("x0, an unsigned integer", "uint8")
    out: int = integer_parameter("bits of a share, which counts units of 2^-(out - 1)", 2, 16, 8)

    def validate(self) -> None:
        checked(self.family, self.a, self.x0)
        super().validate()

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a, "x0": self.x0}

    @property
    def conventions(self) -> dict[str, str]:
        return conventions("shifts and quotients down", "sums and shares are clamped", "", "")

    @property
    def _halvings(self) -> int:
        """The parameter n of the family."""
        raise NotImplementedError

    @cached_property
    def exponential(self) -> ShiftExp:
        """The unit of an exponential of a difference."""
        return ShiftExp(a=format(f"int{self.a.bits + 1}"), x0=self.x0, n=self._halvings)

    def _exponentials(self, differences: np.ndarray, x0: np.ndarray) -> np.ndarray:
        u = self.exponential
        codes = u.a.encode(differences)
        return np.asarray(u.evaluate([codes, np.broadcast_to(x0, codes.shape)])).astype(np.int64)

    def _shares(self, e: np.ndarray, total: np.ndarray) -> np.ndarray:
        factor = MOST // np.clip(total, 1, MOST)
        return np.minimum(e * factor >> 32 - self.out, (1 << self.out - 1) - 1)


@dataclass(frozen=True, kw_only=True, repr=False)
class ShiftMax(Exponentials):
    """Shiftmax: the softmax of a row of integers of scale S, in units of 2^-(out - 1).

    With E as ``shiftexp`` has it, the result for each value a is (E(a - max) f) >> (32 - out), in
    which f = floor((2^31 - 1) / sum of E): a unit of three passes, for the greatest, the sum and
    the results. x0 is the magnitude of floor(-1 / S); it goes with each value, and is that of the
    layer. The sum is clamped to 2^31 - 1, as published, and a share to 2^(out - 1) - 1, which it
    exceeds with a clamped sum alone; the latter, and that an x0 of 0 gives 0, are decisions of this
    project. Quotients round down, so that a row's shares sum up to less than 1.

    Source: I-ViT, arXiv 2207.01405 (quant_modules.py).
    """

    family: ClassVar[str] = "shiftmax"
    summary: ClassVar[str] = "softmax of a row of integers by shifts (I-ViT), in three passes"
    operation: ClassVar[Operation] = SOFTMAX
    meanings: ClassVar[dict[str, str]] = {
        "a": "a value of the row, of scale S",
        "x0": "magnitude of floor(-1 / S); 0 gives 0",
        "y": "its share, in units of 2^-(out - 1)",
    }

    n: int = halvings_parameter(15)

    @property
    def _halvings(self) -> int:
        return self.n

    @property
    def results(self) -> dict[str, Format]:
        return {"y": format(f"int{self.out}")}

    @property
    def contract(self) -> Contract:
        bound = "of 64 random int8 values of scale 1/8, 1/16, 1/32 within 0.035, 0.024, 0.016"
        return Contract("approximate", bound, SOURCE)

    def definition(self) -> tuple[Callable[..., Any], tuple]:
        return definitions.shiftmax, (self.a.bits, self.n, self.out)

    def rows(self, *codes: np.ndarray) -> np.ndarray:
        a, x0 = codes
        values = self.a.decode(a).astype(np.int64)
        e = self._exponentials(values - values.max(axis=-1, keepdims=True), x0)
        return self._shares(e, e.sum(axis=-1, keepdims=True))

    # -- hardware ------------------------------------------------------------------------------

    @property
    def segments(self) -> Sequence[list[Step]]:
        exponentials: list[Step] = [self._distance, self._exponential]
        shares: list[Step] = [self._reciprocal, self._share]
        return [], exponentials, shares

    @property
    def memories(self) -> Sequence[rtl.Memory]:
        greatest = {"top": format(f"uint{self.a.bits}")}
        total = {"total": format("uint31")}
        return [rtl.Memory(greatest, self._greatest, 0), rtl.Memory(total, self._sum, 1)]

    def _greatest(self, m: Module, x: Values) -> Values:
        """The greatest value so far, counted from the lowest one on."""
        a = _from_lowest(x["a"])
        return {"top": wire(m, "greater", Mux(a > x["top"], a, x["top"]))}

    def _distance(self, m: Module, x: Values) -> Values:
        """How far below the greatest the value is."""
        distance = x["top"] - _from_lowest(x["a"])
        return {"x0": x["x0"], "distance": wire(m, "distance", distance[: self.a.bits])}

    def _exponential(self, m: Module, x: Values) -> Values:
        """Its exponential."""
        return {"e": hardware.shift_exp(m, "exp", x["distance"], x["x0"], self.n)}

    def _sum(self, m: Module, x: Values) -> Values:
        """Add the exponential to the sum of the row."""
        total = wire(m, "with_exponential", x["total"] + x["e"])
        return {"total": hardware.clamped_sum(m, "clamped_sum", total, 31)}

    def _reciprocal(self, m: Module, x: Values) -> Values:
        """2^31 - 1 over the sum."""
        return {"e": x["e"], "factor": hardware.reciprocal(m, "reciprocal", x["total"])}

    def _share(self, m: Module, x: Values) -> Values:
        """What the exponential is of the sum."""
        y = hardware.share(m, "share", x["e"], x["factor"], self.out)
        return {"y": Cat(y, Const(0, 1))}


@dataclass(frozen=True, kw_only=True, repr=False)
class ShiftGelu(Exponentials):
    """ShiftGELU: a sigmoid(1.702 S a) of the integers of a row, in units of S / 2^(out - 1).

    With the greatest of the row, or 0 if that is less, and E as ``shiftexp`` has it of x0, the
    magnitude of floor(-1 / 1.702 S), E1 = E(a - top) and E2 = E(-top): the sigmoid is
    (E1 f) >> (32 - out), f = floor((2^31 - 1) / (E1 + E2)), of a sum that is clamped to 2^31 - 1.
    The first of two passes finds the greatest, the second gives results.

    f has few bits, and the sigmoid errs by a part of f, where x0 2^n comes near 2^31; values more
    than n x0 / 1.4375 below the greatest, and a greatest above that, have all the same exponential.
    That top is no less than 0, so that exponentials do not overflow, that a sigmoid is clamped to
    2^(out - 1) - 1, and that an x0 of 0 gives 0 are decisions of this project.

    Source: I-ViT, arXiv 2207.01405 (quant_modules.py).
    """

    family: ClassVar[str] = "shiftgelu"
    summary: ClassVar[str] = "GELU of a row of integers by shifts (I-ViT), in two passes"
    operation: ClassVar[Operation] = GELU
    meanings: ClassVar[dict[str, str]] = {
        "a": "a value of the row, of scale S",
        "x0": "magnitude of floor(-1 / 1.702 S); 0 gives 0",
        "y": "a sigmoid(1.702 S a), in units of S / 2^(out - 1)",
    }

    n: int = halvings_parameter(23)

    @property
    def _halvings(self) -> int:
        return self.n

    @property
    def results(self) -> dict[str, Format]:
        return {"y": format(f"int{self.a.bits + self.out - 1}")}

    @property
    def contract(self) -> Contract:
        bound = "of x0 = 2 to 16, n = 23, a sigmoid within 0.09 while no exponential is cut off"
        return Contract("approximate", bound, SOURCE)

    def definition(self) -> tuple[Callable[..., Any], tuple]:
        return definitions.shiftgelu, (self.a.bits, self.n, self.out)

    def rows(self, *codes: np.ndarray) -> np.ndarray:
        a, x0 = codes
        values = self.a.decode(a).astype(np.int64)
        top = np.maximum(values.max(axis=-1, keepdims=True), 0)
        e = self._exponentials(values - top, x0)
        total = e + self._exponentials(np.broadcast_to(-top, values.shape), x0)
        return values * self._shares(e, total)

    # -- hardware ------------------------------------------------------------------------------

    @property
    def segments(self) -> Sequence[list[Step]]:
        sigmoid: list[Step] = [self._distance, self._exponential, self._reciprocal, self._share]
        return [], [*sigmoid, self._multiply]

    @property
    def memories(self) -> Sequence[rtl.Memory]:
        return [rtl.Memory({"top": format(f"uint{self.a.bits - 1}")}, self._greatest, 0)]

    def _greatest(self, m: Module, x: Values) -> Values:
        """The greatest value so far, 0 at first."""
        a = x["a"]
        more = ~a[-1] & (a[:-1] > x["top"])
        return {"top": wire(m, "greater", Mux(more, a[:-1], x["top"]))}

    def _distance(self, m: Module, x: Values) -> Values:
        """How far below the greatest the value is."""
        distance = x["top"] - x["a"].as_signed()
        distance = wire(m, "distance", distance[: self.a.bits])
        return {"a": x["a"], "x0": x["x0"], "top": x["top"], "distance": distance}

    def _exponential(self, m: Module, x: Values) -> Values:
        """Exponentials of the value and of 0, and their sum."""
        e = hardware.shift_exp(m, "exp", x["distance"], x["x0"], self.n)
        other = hardware.shift_exp(m, "other", x["top"], x["x0"], self.n)
        total = wire(m, "both", e + other)
        return {"a": x["a"], "e": e, "total": hardware.clamped_sum(m, "total", total, 31)}

    def _reciprocal(self, m: Module, x: Values) -> Values:
        """2^31 - 1 over the sum."""
        factor = hardware.reciprocal(m, "reciprocal", x["total"])
        return {"a": x["a"], "e": x["e"], "factor": factor}

    def _share(self, m: Module, x: Values) -> Values:
        """The sigmoid."""
        sigmoid = hardware.share(m, "sigmoid", x["e"], x["factor"], self.out)
        return {"a": x["a"], "sigmoid": sigmoid}

    def _multiply(self, m: Module, x: Values) -> Values:
        """The value times the sigmoid."""
        product = rtl.product(m, "product", x["a"].as_signed(), x["sigmoid"])
        return {"y": product[: self.a.bits + self.out - 1]}


def _from_lowest(a: Value) -> Value:
    """A code of two's complement, counted from the lowest one on."""
    return Cat(a[:-1], ~a[-1])
