"""I-ViT's layer normalization in integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth.hdl import Const, Module, signed

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...lazily import np
from ...rtl import Step, Values, wire
from ..contract import Contract
from ..conventions import conventions
from ..operations import NORMALIZATION, Operation
from ..parameters import choice_parameter, format_parameter, integer_parameter
from . import definitions, hardware
from .rows import MOST, IntegerRow
from .shiftexp import SOURCE

MOST_BITS = 16
"""Of a value."""

MOST_VALUES = 1 << 16
"""Of a row."""


@dataclass(frozen=True, kw_only=True, repr=False)
class ILayerNorm(IntegerRow):
    """I-LayerNorm: layer normalization of a row of integers, y = floor(d f / 2) + bias.

    d are the distances from the mean, which is rounded to nearest, ties to even; k is the square
    root of the sum of their squares, and f = floor((2^31 - 1) / k). Of C values and a layer's gamma
    and beta, results are of the scale gamma sqrt(C) / 2^30, and the bias is the integer
    floor(beta / (gamma sqrt(C) / 2^30)): a requantizer is to follow. Three passes, for the sum, the
    squares and the results.

    ``root=newton`` has k of ten of Newton's iterations from 2^16, as published; for less than some
    36,000 they do not arrive: k is up to 64 too large then. ``root=exact`` is the integer square
    root, which takes a fraction of the hardware: a decision of this project, as are that k = 0
    counts as 1, and that the sum of squares is clamped to 2^32 - 1.

    Source: I-ViT, arXiv 2207.01405 (quant_modules.py).
    """

    family: ClassVar[str] = "ilayernorm"
    summary: ClassVar[str] = "layer normalization of a row of integers (I-ViT), in three passes"
    operation: ClassVar[Operation] = NORMALIZATION
    meanings: ClassVar[dict[str, str]] = {
        "a": "a value of the row",
        "bias": "what is added to it at the end; used in the last pass",
        "y": "floor(d f / 2) + bias, of scale gamma sqrt(C) / 2^30",
    }

    a: Format = format_parameter("values of a row, a signed integer", "int8")
    bias: Format = format_parameter("bias, a signed integer", "int32")
    length: int = integer_parameter("values of a row", 1, MOST_VALUES, 64)
    root: str = choice_parameter(
        "exact: the integer square root; newton: ten iterations, as published",
        ("exact", "newton"),
        "exact",
    )

    def validate(self) -> None:
        for name, most in (("a", MOST_BITS), ("bias", 32)):
            f = getattr(self, name)
            if f.is_float or f.exponent or f.symmetric or not f.signed or f.bits > most:
                raise InvalidInput(
                    f"ilayernorm: parameter {name}: must be a signed integer of up to {most} bits, "
                    f"not {f.name}"
                )
        super().validate()

    @property
    def row_length(self) -> int:
        return self.length

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a, "bias": self.bias}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": format(f"int{max(self.a.bits + 31, self.bias.bits) + 1}")}

    @property
    def contract(self) -> Contract:
        bound = "root up to 64 too large" if self.root == "newton" else "root rounded down"
        return Contract("approximate", bound, SOURCE)

    @property
    def conventions(self) -> dict[str, str]:
        rounding = "the mean to nearest, ties to even; quotients and roots down"
        return conventions(rounding, "the sum of squares is clamped", "", "")

    def definition(self) -> tuple[Callable[..., Any], tuple]:
        bits = self.a.bits, self.bias.bits, self.results["y"].bits
        return definitions.ilayernorm, (*bits, int(self.root == "newton"))

    def rows(self, *codes: np.ndarray) -> np.ndarray:
        pairs = zip(self.operands.values(), codes, strict=True)
        a, bias = (f.decode(x).astype(np.int64) for f, x in pairs)
        mean, rest = np.divmod(a.sum(axis=-1, keepdims=True), self.length)
        mean += (2 * rest > self.length) | ((2 * rest == self.length) & (mean & 1 == 1))
        d = a - mean
        squares = np.minimum((d * d).sum(axis=-1, keepdims=True), (1 << 32) - 1)
        root = np.maximum(self._roots(squares), 1)
        return (d * (MOST // root) >> 1) + bias

    def _roots(self, squares: np.ndarray) -> np.ndarray:
        if self.root == "newton":
            root = np.full_like(squares, 1 << 16)
            for _ in range(10):
                root = root + squares // root >> 1
            return root
        return np.floor(np.sqrt(squares.astype(np.float64))).astype(np.int64)

    # -- hardware ------------------------------------------------------------------------------

    @property
    def segments(self) -> Sequence[list[Step]]:
        distances: list[Step] = [self._mean, self._distance]
        results: list[Step] = [self._root, self._reciprocal, self._multiply]
        return [], distances, results

    @property
    def memories(self) -> Sequence[rtl.Memory]:
        total = {"total": format(f"uint{self._sum_bits}")}
        squares = {"squares": format("uint32")}
        return [rtl.Memory(total, self._sum, 0), rtl.Memory(squares, self._sum_of_squares, 1)]

    @property
    def _sum_bits(self) -> int:
        return (self.length * ((1 << self.a.bits) - 1)).bit_length()

    def _sum(self, m: Module, x: Values) -> Values:
        """Add the value, counted from the lowest one on, to the sum of the row."""
        a = x["a"] ^ (1 << (self.a.bits - 1))
        return {"total": wire(m, "with_value", x["total"] + a, self._sum_bits)}

    def _mean(self, m: Module, x: Values) -> Values:
        """The sum over the number of values, to nearest."""
        bits = self.a.bits
        n = Const(self.length, self.length.bit_length())
        mean, rest = hardware.quotient(m, "mean", x["total"], n, bits)
        twice = wire(m, "twice_rest", rest << 1)
        up = (twice > n) | ((twice == n) & mean[0])
        return x | {"mean": wire(m, "mean", mean + up, bits)}

    def _distance(self, m: Module, x: Values) -> Values:
        """How far from the mean the value is."""
        a = x["a"] ^ (1 << (self.a.bits - 1))
        d = wire(m, "distance", a - x["mean"], signed(self.a.bits + 1))
        return {"distance": d, "bias": x["bias"]}

    def _sum_of_squares(self, m: Module, x: Values) -> Values:
        """Add the square of the distance."""
        size = wire(m, "size", abs(x["distance"].as_signed()), self.a.bits)
        total = wire(m, "with_square", x["squares"] + rtl.product(m, "square", size, size))
        return {"squares": hardware.clamped_sum(m, "sum_of_squares", total, 32)}

    def _root(self, m: Module, x: Values) -> Values:
        """The square root of the sum of squares."""
        of = hardware.newton_root if self.root == "newton" else hardware.square_root
        return {"distance": x["distance"], "bias": x["bias"], "root": of(m, x["squares"])}

    def _reciprocal(self, m: Module, x: Values) -> Values:
        """2^31 - 1 over the root."""
        factor = hardware.reciprocal(m, "reciprocal", x["root"])
        return {"distance": x["distance"], "bias": x["bias"], "factor": factor}

    def _multiply(self, m: Module, x: Values) -> Values:
        """Half the distance times that, and the bias."""
        d, factor = x["distance"].as_signed(), x["factor"]
        product = rtl.product(m, "product", d, factor)
        half = product[1:].as_signed()
        return {"y": wire(m, "y", half + x["bias"].as_signed(), self.results["y"].bits)}
