"""The exact accumulator of products: Kulisch's, a quire of any format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, rounding
from ...golden import apply, to_integers
from ...lazily import np
from .. import evaluation
from ..accumulator import Accumulator
from ..contract import Contract
from ..conventions import conventions, nan_words, of_integers, overflow_words, rounding_words
from ..exact.options import round_parameter
from ..operations import DOT_PRODUCT, Operation
from ..overflow import checked_overflow, default_overflow, overflow_parameter, without_defaults
from ..parameters import format_parameter, integer_parameter
from . import definitions
from .hardware import Hardware

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

MOST_PRODUCTS = 1 << 40

MOST_BITS = 1024
"""Of a sum in hardware: wider ones, as of fp64, would take minutes to write as Verilog."""


def sum_bits(k: int, *factors: Format) -> int:
    """Bits of a sum, in two's complement, of `k` products of a value of each of these formats.

    They are those of k times the greatest magnitudes, in units of the smallest ones, and a sign.
    """
    largest = k * prod(max(f.max, -f.min) / f.smallest for f in factors)
    return int(largest).bit_length() + 1


@dataclass(frozen=True, kw_only=True, repr=False)
class Kulisch(Accumulator):
    """Exact sum of up to `k` products a*b, in whatever order, rounded once to `out`.

    The sum is an integer of `bits` bits, in units of the smallest product, as many as `k` products
    of the largest values need, so that nothing is ever lost: the same products give the same bits
    in any order, and in parts that are summed up on their own (`accumulate` and `merge`). A NaN, an
    infinity times zero, or infinities of both signs make the result NaN; an infinity makes it
    infinite. A sum of zero is +0, whatever the signs of its products and the rounding mode.

    Formats may be integers, two of which can have an integer result as well. The greatest values
    are those that a format's encoder gives: the code -128 of a symmetric integer (mxint8_element)
    counts as it is, but `bits` has no room for `k` products of it.

    In hardware, up to sums of 1024 bits, one product a clock. With `segments` the sum is kept in
    pieces of so many bits, with a carry between them saved for the next clock, so that the adder is
    no longer than a piece however wide the sum is; the carries are resolved behind the memory. Of
    the ranks that `stages` adds to the memory as many stand before it as behind it, or one more
    behind it.

    Source: Kulisch, Computer Arithmetic and Validity, 2013 (complete arithmetic, with saved carries
    between pieces). NaN, infinities and the sign of zero are decisions of this project.
    """

    family: ClassVar[str] = "kulisch"
    summary: ClassVar[str] = "exact sum of products (Kulisch accumulator), rounded once"
    operation: ClassVar[Operation] = DOT_PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "a": "first factor",
        "b": "second factor",
        "y": "sum of the products of the group, rounded once",
    }

    a: Format = format_parameter("first factor", "bf16")
    b: Format = format_parameter("second factor", same_as="a")
    out: Format = format_parameter("result", "fp32")
    k: int = integer_parameter("most products of a group", 1, MOST_PRODUCTS, 4096)
    round: str = round_parameter()
    overflow: str = overflow_parameter()
    segments: int = integer_parameter(
        "bits of a piece of the sum, with saved carries between them; 0: one piece",
        0,
        None,
        0,
        quiet=True,
    )

    def validate(self) -> None:
        super().validate()
        policy = checked_overflow(self.family, self.overflow, self.out)
        object.__setattr__(self, "overflow", policy)
        if self.segments >= self.bits:
            raise InvalidInput(
                f"kulisch: parameter segments: must be 0 to {self.bits - 1}, less than the bits of "
                f"the sum, not {self.segments}"
            )
        if not self.out.is_float:
            self._validate_integers()

    def _validate_integers(self) -> None:
        for f in (self.a, self.b, self.out):
            if f.is_float or f.exponent:
                raise InvalidInput(
                    f"kulisch: an integer result takes integer operands, not {f.name}"
                )
        if self.round != "rne":
            raise InvalidInput(
                "kulisch: parameter round: integer arithmetic is exact and takes none"
            )

    def shown_parameters(self) -> dict[str, Any]:
        return without_defaults(
            super().shown_parameters(), default_overflow(self.out), self.out.is_float
        )

    # -- ports ---------------------------------------------------------------------------------

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a, "b": self.b}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.out}

    @property
    def bits(self) -> int:
        """Bits of the sum."""
        return sum_bits(self.k, self.a, self.b)

    @property
    def lsb(self) -> int:
        """Weight of the sum's lsb: it counts units of 2^lsb."""
        return self.a.numbers.lsb + self.b.numbers.lsb

    @property
    def carries(self) -> int:
        """Saved carries."""
        return (self.bits - 1) // self.segments if self.segments else 0

    @property
    def memory(self) -> dict[str, Format]:
        """Sum, flags, and saved carries, which are hardware's alone."""
        registers = {"sum": self.bits, "met": 3, "carries": self.carries}
        return {
            name: Format(f"uint{bits}", "int", bits, signed=False)
            for name, bits in registers.items()
            if bits
        }

    @property
    def ranks_behind(self) -> int:
        return self.stages // 2

    @property
    def contract(self) -> Contract:
        source = "Kulisch, Computer Arithmetic and Validity, 2013"
        of = f"of the exact sum of up to {self.k} products"
        if not self.out.is_float:
            return Contract("exact integer", f"{of}, then {self.overflow}", source)
        half = self.round in ("rne", "rna")
        bound = f"error at most {'1/2 ulp' if half else 'less than 1 ulp'}, one rounding {of}"
        return Contract("correctly rounded", bound, source)

    @property
    def conventions(self) -> dict[str, str]:
        overflow = overflow_words(str(self.overflow), self.out, self.round)
        if not self.out.is_float:
            return of_integers(overflow)
        mode = rounding_words(self.round)
        return conventions(f"once, {mode}", overflow, "kept", nan_words(self.out))

    # -- golden --------------------------------------------------------------------------------

    @property
    def _sum(self) -> tuple[int, int]:
        return (1 << self.bits) - 1, self.bits

    def definition(self) -> tuple[Callable[..., int], tuple]:
        constants = (self.a.numbers, self.b.numbers, self.lsb, *self._sum)
        return definitions.accumulate, constants

    @property
    def word_bits(self) -> int:
        return self.bits + 4

    def check_operands(self, codes: tuple[ArrayLike, ...]) -> list[np.ndarray]:
        """Codes as arrays of one shape (..., n). Raises `InvalidInput`."""
        arrays = super().check_operands(codes)
        if arrays[0].shape[-1] > self.k:
            raise InvalidInput(
                f"groups of {self.family} with k={self.k} have at most {self.k} products, not "
                f"{arrays[0].shape[-1]}"
            )
        return arrays

    def merge(self, memory: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Memories (`accumulate`) after the products of both, at most `k` together: arrays of one
        shape, or that broadcast to one."""
        x, y = np.broadcast_arrays(memory, other)
        dtype, bits = self._memory_dtype, evaluation.word_bits(self)
        return to_integers(apply(definitions.merge, [x, y], self._sum, dtype, bits))

    @property
    def _rounding(self) -> tuple:
        mode, policy = rounding.rounding(self.round), rounding.overflow(str(self.overflow))
        return (self.out.numbers, int(mode), int(policy), self.lsb, *self._sum)

    def outputs(self, memory: np.ndarray) -> list[np.ndarray]:
        widest = max(self.bits, self.out.precision, self.out.bits) + 4
        return [apply(definitions.rounded, [memory], self._rounding, self.out.dtype, widest)]

    def outputs_of_one(self, memory: int) -> list[int]:
        return [definitions.rounded(memory, *self._rounding)]

    # -- hardware ------------------------------------------------------------------------------

    @property
    def _hardware(self) -> Hardware:
        if self.bits > MOST_BITS:
            raise InvalidInput(
                f"kulisch: a={self.a.name}, b={self.b.name}, k={self.k}: the hardware of a sum has "
                f"at most {MOST_BITS} bits, not {self.bits}"
            )
        return Hardware(
            self.a, self.b, self.out, self.round, str(self.overflow), self.bits, self.segments
        )

    def front_datapath(self) -> list[rtl.Step]:
        return self._hardware.front()

    def datapath(self) -> list[rtl.Step]:
        return [self._hardware.accumulate]

    def output_datapath(self) -> list[rtl.Step]:
        return self._hardware.output()
