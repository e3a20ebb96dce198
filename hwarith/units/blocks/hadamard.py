"""The random Hadamard transform of a block, by butterflies of exact integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...formats.lanes import vector
from ...golden import apply
from ...lazily import np
from ...rtl import Values, wire
from ..contract import Contract
from ..conventions import SUBNORMALS, conventions, overflow_words
from ..operations import TRANSFORM, Operation
from ..parameters import integer_parameter
from . import definitions
from .lanes import LaneUnit, each_lane, of_lane, side_by_side, taken_apart
from .shared import greatest_of, number_parameter, unpacked

MOST = 64
"""Most numbers of a block."""

SPAN = 32
"""Most bits below the significand of the greatest exponent."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Hadamard(LaneUnit):
    """The Hadamard transform of a block of n numbers with signs: y = (x * d) H_n / sqrt(n).

    In software x is an array of codes of shape (..., n) and d of integers of n bits, whose bit i
    negates x[i]; y are codes of the shape of x. H_n is Sylvester's matrix: row i and column j have
    the sign of the parity of the ones in i & j. With n=16 the division by 4 is exact (with 4 and 64
    that by 2 and 8). With n=32, whose square root is irrational, nothing is divided: take 2^-5 of a
    product of two transformed matrices.

    All numbers are aligned to the greatest exponent of the block, with `span` bits below its
    significand, into whose lsb what lies below is ORed (sticky). Their sums are exact; each result
    is rounded once, to nearest even. So results are correctly rounded where the exponents of a
    block lie within `span` of each other. An infinity or NaN makes all results NaN: whatever
    quantizes them next does the same. A sum of zero is +0.

    Source: NVFP4 training (arXiv 2509.25149, appendix C) for the transform; alignment, specials and
    widths are decisions of this project. `hwarith.Hadamard` is the same in float64.
    """

    family: ClassVar[str] = "hadamard"
    summary: ClassVar[str] = "random Hadamard transform of a block, exact sums rounded once"
    operation: ClassVar[Operation] = TRANSFORM
    meanings: ClassVar[dict[str, str]] = {
        "x": "numbers of a block, the first one at the lsb",
        "d": "signs: bit i negates number i",
        "y": "the transformed numbers, the first one at the lsb",
    }

    n: int = integer_parameter("numbers of a block, a power of two", 2, MOST, 16)
    a: Format = number_parameter("bf16")
    span: int = integer_parameter(
        "bits kept below the significand of the greatest exponent", 0, SPAN, SPAN, quiet=True
    )

    def validate(self) -> None:
        if self.n & (self.n - 1):
            raise InvalidInput(f"hadamard: parameter n: must be a power of two, not {self.n}")

    @property
    def growth(self) -> int:
        """Bits by which sums are longer than numbers."""
        return self.n.bit_length() - 1

    @property
    def shift(self) -> int:
        """Results are sums times 2^-shift: divided by sqrt(n), or where that is irrational not."""
        return 0 if self.growth % 2 else self.growth // 2

    @property
    def window(self) -> int:
        """Bits of the magnitude of an aligned number."""
        return self.a.precision + self.span

    @property
    def lane_formats(self) -> dict[str, tuple[Format, int]]:
        return {"x": (self.a, self.n), "y": (self.a, self.n)}

    @property
    def operands(self) -> dict[str, Format]:
        return {"x": vector(self.a, self.n), "d": format(f"uint{self.n}")}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": vector(self.a, self.n)}

    @property
    def contract(self) -> Contract:
        bound = f"correctly rounded if exponents of a block lie within {self.span} of each other"
        return Contract("faithful", bound, "arXiv 2509.25149, appendix C")

    @property
    def conventions(self) -> dict[str, str]:
        return conventions(
            "once, to nearest, ties to even",
            overflow_words("nosat", self.a),
            SUBNORMALS["keep"],
            "an infinity or NaN in a block makes all its results NaN",
        )

    # -- golden --------------------------------------------------------------------------------

    def definition(self) -> tuple[Callable[..., int], tuple]:
        """That of a result, of the sign and magnitude of an exact sum and the greatest exponent."""
        return definitions.rounded, (self.span + self.shift, self.a.numbers)

    def block_definition(self) -> tuple[Callable[..., list], tuple]:
        return definitions.hadamard, (self.span, self.shift, self.a.numbers)

    @property
    def word_bits(self) -> int:
        return self.window + self.growth + 1

    def compute(self, *codes: np.ndarray) -> list[np.ndarray]:
        x, d = codes
        f, n = self.a, self.n
        field = x >> f.fraction_bits & (1 << f.exponent_bits) - 1
        greatest = np.maximum(field.max(axis=-1, keepdims=True), 1).astype(np.uint16)
        greatest = np.broadcast_to(greatest, x.shape)
        bits, dtype = self.word_bits, np.dtype(np.uint64)
        magnitudes = apply(definitions.aligned, [x, greatest], (self.span, f.numbers), dtype, bits)
        negated = d[..., None].astype(np.uint64) >> np.arange(n, dtype=np.uint64) & np.uint64(1)
        negative = (x >> f.bits - 1 != 0) ^ (negated != 0)
        total = np.where(negative, -magnitudes.astype(np.int64), magnitudes.astype(np.int64))
        parity = np.bitwise_count(np.arange(n)[:, None] & np.arange(n)) % 2
        total = total @ (1 - 2 * parity.astype(np.int64))
        signs, sums = (total < 0).astype(np.uint8), np.abs(total).astype(np.uint64)
        definition, constants = self.definition()
        y = apply(definition, [signs, sums, greatest], constants, f.dtype, bits)
        nan = greatest == (1 << f.exponent_bits) - 1
        return [np.where(nan, f.dtype.type(f.numbers.nan_code), y)]

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        reach = self.growth - self.shift
        rounder = rtl.Rounder(self.a, "rne", "nosat")
        rounding = rounder.steps((1 + reach, (1 << self.a.exponent_bits) - 2 + reach))
        return [
            self._unpack,
            self._greatest,
            each_lane(self.n, self._align),
            each_lane(self.n, self._negate),
            *(self._butterflies(1 << k) for k in range(self.growth)),
            each_lane(self.n, self._magnitude),
            *(each_lane(self.n, step) for step in rounding),
            self._join,
        ]

    def _unpack(self, m: Module, x: Values) -> Values:
        """Sign, exponent and significand of each number; a sign that d negates."""
        found = taken_apart("x", self.a, self.n)(x)
        for i in range(self.n):
            found[of_lane(i, "negates")] = x["d"][i]
        return each_lane(self.n, self._unpack_lane)(m, found)

    def _unpack_lane(self, m: Module, x: Values) -> Values:
        found = unpacked(m, "x", x["x"], self.a)
        return found | {"sign": wire(m, "negative", found["sign"] ^ x["negates"])}

    def _greatest(self, m: Module, x: Values) -> Values:
        """The greatest exponent of the block."""
        exponents = [x[of_lane(i, "exponent")] for i in range(self.n)]
        greatest = greatest_of(m, "exponent", exponents)
        return x | {"greatest": greatest, "nan": wire(m, "nan", greatest.all())}

    def _align(self, m: Module, x: Values) -> Values:
        """The significand moved right to the greatest exponent, with a sticky lsb."""
        distance = wire(m, "distance", x["greatest"] - x["exponent"], self.a.exponent_bits)
        bits = min(self.window.bit_length(), len(distance))
        far = wire(m, "far", distance[bits:].any())
        significand = x["significand"]
        window, some = rtl.shift_right(m, "moved", significand, distance[:bits], self.window)
        kept = window & (~far).replicate(self.window)
        lost = some | (far & significand.any())
        row = Cat(kept[0] | lost, kept[1:])
        return {"row": wire(m, "row", row), "sign": x["sign"]}

    def _negate(self, m: Module, x: Values) -> Values:
        """Two's complement."""
        inverted = Cat(x["row"] ^ x["sign"].replicate(self.window), x["sign"])
        total = rtl.increment(m, "signed", inverted, x["sign"])[: self.window + 1]
        return {"term": wire(m, "term", total)}

    def _butterflies(self, distance: int) -> rtl.Step:
        def butterflies(m: Module, x: Values) -> Values:
            """Sums and differences of pairs at a distance, with a bit more."""
            found = {k: v for k, v in x.items() if not k.endswith(".term")}
            for low in (i for i in range(self.n) if not i & distance):
                high = low | distance
                a, b = (x[of_lane(i, "term")].as_signed() for i in (low, high))
                for i, total in ((low, a + b), (high, a - b)):
                    name = f"lane{i}_at_distance_{distance}"
                    found[of_lane(i, "term")] = wire(m, name, total).as_unsigned()
            return found

        return butterflies

    def _magnitude(self, m: Module, x: Values) -> Values:
        """A sum as the rounder takes it: perhaps negative, with a zero below."""
        sign, magnitude = x["term"][-1], x["term"][:-1]
        exponent = x["greatest"] + (self.growth - self.shift)
        return {
            "sign": sign,
            "negative": sign,
            "significand": Cat(Const(0, 1), magnitude),
            "exponent": wire(m, "exponent", exponent),
            "nan": x["nan"],
            "inf": Const(0, 1),
        }

    def _join(self, m: Module, x: Values) -> Values:
        return {"y": side_by_side(x, self.n, "y")}
