"""The product of a float and a weight in few bits by one addition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from ... import rtl
from ...formats import Format
from ..contract import Contract
from ..conventions import conventions, nan_words
from ..operations import PRODUCT, Operation
from . import definitions, hardware
from .base import SOURCE, Multiplying


@dataclass(frozen=True, kw_only=True, repr=False)
class AxMul(Multiplying):
    """Approximate product a * w, made by adding the fields of exponent and fraction as integers.

    T = A - bias * 2^m + c1 is the same for all weights that an activation meets; the product is T
    plus the field of the weight, at the top of A's fraction. Before, a weight that is subnormal is
    mapped to the nearest normal one (``snc=1``: subnormal number conversion), in the binade below
    the least of its format if need be, so that every weight has a hidden one. One that lies half
    way between zero and the least of these becomes either, by the top fraction bit of T. `c1` makes
    the mean error of all pairs of fractions zero, if it is not given.

    Subnormal activations count as zeros, results below the least normal number become zeros, both
    with the product's sign; results beyond the largest become the largest. NaN and infinity follow
    IEEE 754.

    ``profile=ae`` is what the authors' code computes: words are added modulo 2^bits, the sign of
    the weight into the top bit. What leaves the fields runs into the sign, all operands are
    numbers, and zero (a = +0, or a weight that is zero) is +0. There c1 is 43 for all weights with
    fp16, 5 with bf16.

    Source: AxCore (MICRO 2025), and its artifact (github.com/CLab-HKUST-GZ/micro58-axcore-ae).
    """

    family: ClassVar[str] = "axmul"
    summary: ClassVar[str] = "AxCore: a float times a weight in four or eight bits by one addition"
    operation: ClassVar[Operation] = PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "a": "activation",
        "w": "weight",
        "y": "approximate product",
    }

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a, "w": self.w}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.a}

    @property
    def contract(self) -> Contract:
        return Contract("approximate", product_bound(self), SOURCE)

    @property
    def policy(self) -> dict[str, str]:
        return {"subnormals": "flush", "overflow": "satprop"}

    @property
    def conventions(self) -> dict[str, str]:
        if self.artifact:
            return conventions("none", "runs into the sign", "are numbers", "is a number")
        return conventions(
            "none, a sum of fields is exact",
            "becomes the largest value",
            "activations count as zeros; results below the smallest normal value become zeros",
            nan_words(self.a),
        )

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.multiply, (self.a.numbers, self.w.numbers, self.rules)

    @property
    def word_bits(self) -> int:
        return self.a.bits + 2

    def datapath(self) -> list[rtl.Step]:
        return hardware.product(self)


def product_bound(unit: Multiplying) -> str:
    """How far a product of numbers may be from the exact one: of normal activations, results and
    weights."""
    low, high = relative_errors(unit)
    return (
        f"relative error {100 * low:+.2f} % to {100 * high:+.2f} % for normal operands and results"
    )


def relative_errors(unit: Multiplying) -> tuple[float, float]:
    """Least and greatest relative error for normal operands and results.

    For each fraction y of a weight the product (1 + x)(1 + y) is compared with what the field
    x + y + c stands for, which is 1 + x + y + c, or twice (x + y + c) from 1 on. Both are linear
    in x, so that an extreme lies at an end of x or where one of them bends.
    """
    c = unit.c1 / (1 << unit.a.fraction_bits)
    steps = 1 << unit.w.fraction_bits
    errors = []
    for y in (j / steps for j in range(steps)):
        bends = [bend for bend in (1 - y - c, 2 - y - c) if 0 <= bend <= 1]
        for x in (0.0, *bends, 1.0):
            whole, rest = divmod(x + y + c, 1)
            errors.append(2**whole * (1 + rest) / ((1 + x) * (1 + y)) - 1)
    return min(errors), max(errors)
