"""The processing element of ternary weights: adders where others have multipliers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

from amaranth.hdl import Cat, Module, Mux, Value

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...formats.lanes import join, vector
from ...formats.ternary import DIGITS, checked, pack
from ...lazily import np
from ...rtl import Values, wire
from ..accumulator import Accumulator
from ..contract import Contract
from ..conventions import of_integers
from ..operations import INTEGER_DOT_PRODUCT, Operation
from ..parameters import choice_parameter, format_parameter, integer_parameter
from . import definitions

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

LANES = 40
"""Most lanes."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Ternary(Accumulator):
    """Sum of integer activations times weights -1, 0 and 1 over a group: each is added, subtracted
    or left out.

    A transfer brings `lanes` activations ``a`` and their weights ``w``, the first one at the lsb.
    With ``packing=two`` a weight is two bits of two's complement: 00 0, 01 +1, 11 -1. With
    ``packing=five`` five weights are a byte from 0 to 242 (`hwarith.formats.ternary`: digits of
    base 3, the first weight the most significant one), 1.6 bits of memory for each; `lanes` is then
    a multiple of five. Codes that stand for no weight (10; 243 to 255, all five) count 0 and set
    ``invalid`` for the group. Where a last transfer has lanes left their activations are 0.

    Source: BitNet b1.58 (arXiv 2402.17764) for the weights; both codes and what becomes of others
    are decisions of this project.
    """

    family: ClassVar[str] = "ternary"
    summary: ClassVar[str] = "sums of integer activations by ternary weights"
    operation: ClassVar[Operation] = INTEGER_DOT_PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "a": "activations of all lanes, lane 0 at the lsb",
        "w": "weights of all lanes, lane 0 at the lsb",
        "y": "sum of the products of the group",
        "invalid": "1: a code of the group was no weight",
    }

    a: Format = format_parameter("activations, signed integers", "int8")
    packing: str = choice_parameter(
        "two: bits of a weight; five: weights in a byte", ("two", "five"), "two"
    )
    lanes: int = integer_parameter("products in a transfer", 1, LANES, 5)
    k: int = integer_parameter("most products of a group", 1, 1 << 32, 256)

    def validate(self) -> None:
        super().validate()
        a = self.a
        if a.kind != "int" or not a.signed or a.exponent or not 2 <= a.bits <= 16:
            raise InvalidInput(f"ternary: parameter a: must be int2 to int16, not {a.name}")
        if self.packing == "five" and self.lanes % DIGITS:
            raise InvalidInput(
                f"ternary: parameter lanes: must be a multiple of {DIGITS} with packing=five, "
                f"not {self.lanes}"
            )

    @property
    def operands(self) -> dict[str, Format]:
        packed = self.packing == "five"
        w = (format("uint8"), self.lanes // DIGITS) if packed else (format("uint2"), self.lanes)
        return {"a": vector(self.a, self.lanes), "w": vector(*w)}

    @property
    def _sum(self) -> Format:
        products = -(-self.k // self.lanes) * self.lanes
        return format(f"int{(products << (self.a.bits - 1)).bit_length() + 1}")

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self._sum, "invalid": format("uint1")}

    @property
    def memory(self) -> dict[str, Format]:
        return {"sum": self._sum, "wrong": format("uint1")}

    @property
    def work(self) -> Fraction:
        return Fraction(self.lanes)

    @property
    def contract(self) -> Contract:
        return Contract("exact integer", f"exact for groups of up to {self.k}", "arXiv 2402.17764")

    @property
    def conventions(self) -> dict[str, str]:
        return of_integers(f"none for up to {self.k} products of a group; then it wraps")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        constants = (self.lanes, self.a.bits, self._sum.bits, int(self.packing == "five"))
        return definitions.accumulate, constants

    @property
    def word_bits(self) -> int:
        return max(self._sum.bits + 2, *(f.bits for f in self.operands.values()))

    # -- groups --------------------------------------------------------------------------------

    def group(self, acts: ArrayLike, numbers: ArrayLike) -> np.ndarray:
        """Sums of groups, int64 of shape (...), of activations and weights as `steps` takes them.
        Raises `InvalidInput`."""
        x, t = self._checked(acts, numbers)
        return np.einsum("...i,...i->...", self.a.decode(x).astype(np.int64), t)

    def steps(self, acts: ArrayLike, numbers: ArrayLike) -> list[np.ndarray]:
        """What enters transfer by transfer for groups: an array (..., transfers) of each operand.

        `acts` are activations of shape (..., n), integers or codes, `numbers` their weights -1, 0
        and 1 of the same shape, n at most `k`. Raises `InvalidInput` for what is not so.
        """
        x, t = self._checked(acts, numbers)
        missing = [(0, 0)] * (x.ndim - 1) + [(0, -x.shape[-1] % self.lanes)]
        x, t = np.pad(x, missing), np.pad(t, missing)
        lanes = (*x.shape[:-1], x.shape[-1] // self.lanes, self.lanes)
        if self.packing == "five":
            w = join(pack(t).reshape(*lanes[:-1], self.lanes // DIGITS), format("uint8"))
        else:
            w = join(format("int2").check(t).reshape(lanes), format("uint2"))
        return [join(x.reshape(lanes), self.a), w]

    def _checked(self, acts: ArrayLike, numbers: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Codes of activations, and their weights as int8."""
        x, t = self.a.check(acts, "activations of ternary"), checked(numbers)
        if x.ndim == 0 or x.shape != t.shape or not 1 <= x.shape[-1] <= self.k:
            raise InvalidInput(
                f"groups of ternary are activations and weights of one shape (..., n), n from 1 "
                f"to k={self.k}, not {x.shape} and {t.shape}"
            )
        return x, t

    # -- hardware ------------------------------------------------------------------------------

    def front_datapath(self) -> list[rtl.Step]:
        return [self._unpack if self.packing == "five" else self._take_apart]

    def datapath(self) -> list[rtl.Step]:
        return [self._accumulate]

    def _take_apart(self, m: Module, x: Values) -> Values:
        """Of each code of two bits whether its weight is not zero, and whether it is negative."""
        found: Values = {"a": x["a"]}
        illegal = []
        for i in range(self.lanes):
            code = x["w"].word_select(i, 2)
            found[f"adds{i}"], found[f"minus{i}"] = code[0], code.all()
            illegal.append(wire(m, f"illegal{i}", code == 2))
        return found | {"illegal": wire(m, "illegal", Cat(*illegal).any())}

    def _unpack(self, m: Module, x: Values) -> Values:
        """The digits of each byte, the most significant one first: how often its power is left."""
        found: Values = {"a": x["a"]}
        illegal = []
        for b in range(self.lanes // DIGITS):
            rest: Value = x["w"].word_select(b, 8)
            wrong = wire(m, f"illegal{b}", rest >= definitions.BYTES)
            illegal.append(wrong)
            for place in range(DIGITS):
                i, power = b * DIGITS + place, 3 ** (DIGITS - 1 - place)
                one = wire(m, f"one{i}", rest >= power)
                two = wire(m, f"two{i}", rest >= 2 * power)
                found[f"adds{i}"] = wire(m, f"adds{i}", (two | ~one) & ~wrong)
                found[f"minus{i}"] = wire(m, f"minus{i}", ~one & ~wrong)
                left = rest - Mux(two, 2 * power, Mux(one, power, 0))
                rest = wire(m, f"rest{i}", left, (power - 1 if power > 1 else 1).bit_length())
        return found | {"illegal": wire(m, "illegal", Cat(*illegal).any())}

    def _accumulate(self, m: Module, x: Values) -> Values:
        """The activations that count, inverted where they are subtracted, and the sum so far."""
        columns = rtl.Columns(m, "rows", self._sum.bits)
        columns.add_integer(x["sum"])
        for i in range(self.lanes):
            adds, minus = x[f"adds{i}"], x[f"minus{i}"]
            a, bits = x["a"].word_select(i, self.a.bits), self.a.bits
            row = (a ^ minus.replicate(bits)) & adds.replicate(bits)
            columns.add_integer(wire(m, f"product{i}", row).as_signed())
            columns.add(0, minus)
        low, high, _ = columns.compress()
        total = rtl.add(m, "total", low, high)
        return {
            "sum": total[: self._sum.bits],
            "wrong": wire(m, "wrong_now", x["wrong"] | x["illegal"]),
        }

    def output_datapath(self) -> list[rtl.Step]:
        return [rtl.renamed(sum="y", wrong="invalid")]
