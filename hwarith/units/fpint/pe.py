"""The FP-INT processing element: aligned mantissas times integer weights, summed as integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, overload

from amaranth.hdl import Module

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...formats.lanes import join
from ...lazily import np
from ...rtl import Values, wire
from ..accumulator import Accumulator
from ..contract import Contract
from ..conventions import of_integers
from ..operations import INTEGER_DOT_PRODUCT, Operation
from ..parameters import choice_parameter, integer_parameter
from . import definitions
from .prealign import SIGNIFICAND, SOURCE, Aligned, align, mantissa_parameter

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

WEIGHTS = tuple(f"int{bits}" for bits in range(2, 9))

LANES = 16
"""Most lanes of a processing element."""

MOST_BITS = 64
"""Widest accumulator."""


class Group(NamedTuple):
    """Sums of groups: total * 2^exponent, two arrays int64 of one shape."""

    total: np.ndarray
    exponent: np.ndarray


class FlaggedGroup(NamedTuple):
    """Sums of groups as in `Group`, and which of them had an infinite or NaN activation (bool)."""

    total: np.ndarray
    exponent: np.ndarray
    invalid: np.ndarray


@dataclass(frozen=True, kw_only=True, repr=False)
class FpIntPe(Accumulator):
    """Sum of aligned activations times integer weights over a group, as an integer (FIGNA's PE).

    The activations are aligned outside, once for all PEs that share them, by the unit ``prealign``:
    mantissas of p + 1 bits in two's complement, with an exponent that the group shares and that
    does not enter the PE. A transfer brings `lanes` mantissas ``a`` and weights ``w``, each side by
    side, the first one at the lsb. The result is the sum of the products. With the scale
    2^(exponent - 14 - p) it is the dot product; all that was rounded are activations smaller than
    the block's greatest, so that with p=40 it is exact.

    The accumulator has as many bits as `k` products need, if mantissas come from ``prealign``
    (whose magnitude is at most 2047 * 2^(p - 11)); beyond that it wraps. Where a last transfer has
    lanes left their weights are 0. `acc` makes it wider. Infinity and NaN are mantissas of 0 here:
    their flag stays with the exponent outside, being the same for all PEs.

    Source: Jang et al., FIGNA, HPCA 2024 (idea); widths, rounding and specials are decisions of
    this project.
    """

    family: ClassVar[str] = "fpint"
    summary: ClassVar[str] = "FP-INT PE: pre-aligned fp16 times integer weights (FIGNA)"
    operation: ClassVar[Operation] = INTEGER_DOT_PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "a": "mantissas of all lanes, p + 1 bits each, lane 0 at the lsb (see prealign)",
        "w": "weights of all lanes, lane 0 at the lsb",
        "y": "sum of the products of the group",
    }

    w: str = choice_parameter("of the weights", WEIGHTS, "int4")
    p: int = mantissa_parameter()
    lanes: int = integer_parameter("products in a transfer", 1, LANES, 4)
    k: int = integer_parameter("most products of a group", 1, 1 << 32, 256)
    acc: int = integer_parameter(
        "bits of the accumulator (default: as few as k needs)", 1, MOST_BITS, None
    )

    def validate(self) -> None:
        super().validate()
        least = self._least_acc
        if least > MOST_BITS:
            raise InvalidInput(
                f"fpint: k={self.k} products of p={self.p} and {self.w} need an accumulator of "
                f"{least} bits; it has at most {MOST_BITS}"
            )
        if self.acc is None:
            object.__setattr__(self, "acc", least)
        if self.acc < least:
            raise InvalidInput(
                f"fpint: parameter acc: must be {least} or more with k={self.k}, not {self.acc}"
            )

    @property
    def _least_acc(self) -> int:
        """Bits that hold the greatest sum, of the most negative mantissas and weights."""
        largest = ((1 << SIGNIFICAND) - 1) << (self.p - SIGNIFICAND)
        return (self.most_transfers * self.lanes * largest << (self._w.bits - 1)).bit_length() + 1

    @property
    def most_transfers(self) -> int:
        """Of a group: what `k` products take."""
        return -(-self.k // self.lanes)

    def shown_parameters(self) -> dict[str, Any]:
        shown = super().shown_parameters()
        if self.acc == self._least_acc:
            del shown["acc"]
        return shown

    # -- ports ---------------------------------------------------------------------------------

    @property
    def _a(self) -> Format:
        return format(f"int{self.p + 1}")

    @property
    def _w(self) -> Format:
        return format(self.w)

    @property
    def operands(self) -> dict[str, Format]:
        return {
            "a": format(f"uint{self.lanes * self._a.bits}"),
            "w": format(f"uint{self.lanes * self._w.bits}"),
        }

    @property
    def results(self) -> dict[str, Format]:
        return {"y": format(f"int{self.acc}")}

    @property
    def memory(self) -> dict[str, Format]:
        return {"sum": format(f"int{self.acc}")}

    @property
    def work(self) -> Fraction:
        return Fraction(self.lanes)

    @property
    def contract(self) -> Contract:
        bound = f"exact for groups of up to {self.k} mantissas of prealign"
        return Contract("exact integer", bound, SOURCE)

    @property
    def conventions(self) -> dict[str, str]:
        return of_integers(f"none for up to {self.k} products of a group; then it wraps")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.multiply_add, (self.lanes, self._a.bits, self._w.bits, self.acc)

    @property
    def word_bits(self) -> int:
        return max(self.acc, self.p + self._w.bits + LANES.bit_length()) + 1

    def check_operands(self, codes: tuple[ArrayLike, ...]) -> list[np.ndarray]:
        """Codes as arrays of one shape (..., transfers). Raises `InvalidInput`."""
        arrays = super().check_operands(codes)
        if arrays[0].shape[-1] > self.most_transfers:
            raise InvalidInput(
                f"groups of {self.family} with k={self.k} have at most {self.most_transfers} "
                f"transfers, not {arrays[0].shape[-1]}"
            )
        return arrays

    # -- groups --------------------------------------------------------------------------------

    @overload
    def group(
        self, acts: ArrayLike, codes: ArrayLike, round: str = "rne", flags: Literal[False] = False
    ) -> Group: ...

    @overload
    def group(
        self, acts: ArrayLike, codes: ArrayLike, round: str = "rne", *, flags: Literal[True]
    ) -> FlaggedGroup: ...

    def group(
        self, acts: ArrayLike, codes: ArrayLike, round: str = "rne", flags: bool = False
    ) -> Group | FlaggedGroup:
        """Sums over groups, each of which is a block of activations with one exponent.

        Parameters
        ----------
        acts : fp16 codes of shape (..., n), n at most `k`.
        codes : weights of shape (..., n): integers, or codes in two's complement.
        round : how activations are aligned, ``rne`` or ``rtz``.
        flags : say which groups are invalid, too.

        Returns a `Group` of arrays (...), with `flags` a `FlaggedGroup`. Infinite and NaN
        activations count as 0. Raises `InvalidInput` for what is not as said here.
        """
        aligned, weights = self._aligned(acts, codes, round)
        total = np.einsum("...i,...i->...", aligned.mantissa, weights)
        exponent, invalid = (
            np.broadcast_to(x, total.shape)[()] for x in (aligned.exponent, aligned.invalid)
        )
        exponent = exponent.astype(np.int64) - 14 - self.p
        return FlaggedGroup(total, exponent, invalid) if flags else Group(total, exponent)

    def steps(self, acts: ArrayLike, codes: ArrayLike, round: str = "rne") -> list[np.ndarray]:
        """What enters transfer by transfer for `group`, of which it takes the arguments.

        Returns an array of shape (..., transfers) for each of the `operands`. Raises
        `InvalidInput` for what `group` does not take.
        """
        aligned, weights = self._aligned(acts, codes, round)
        columns = []
        for x, f in zip((aligned.mantissa, weights), (self._a, self._w), strict=True):
            missing = -x.shape[-1] % self.lanes
            padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, missing)])
            lanes = padded.reshape(*x.shape[:-1], padded.shape[-1] // self.lanes, self.lanes)
            columns.append(join(f.check(lanes), f))
        return list(np.broadcast_arrays(*columns))

    def decode(self, group: Group | FlaggedGroup) -> np.ndarray:
        """The values of sums, float64 of their shape (rounded where a total has more than 53
        bits)."""
        return np.ldexp(np.asarray(group.total).astype(np.float64), group.exponent)

    def _aligned(self, acts: ArrayLike, codes: ArrayLike, round: str) -> tuple[Aligned, np.ndarray]:
        """Aligned activations, and weights as int64; with as long a last axis."""
        aligned = align(acts, self.p, round)
        weights = self._w.decode(self._w.check(codes, f"weights of {self.family}"))
        n = aligned.mantissa.shape[-1]
        try:
            np.broadcast_shapes(aligned.mantissa.shape, weights.shape)
            fits = weights.ndim > 0 and weights.shape[-1] == n <= self.k
        except ValueError:
            fits = False
        if not fits:
            raise InvalidInput(
                f"groups of {self.family} are activations and weights of shape (..., n) with n "
                f"from 1 to k={self.k}, not {aligned.mantissa.shape} and {weights.shape}"
            )
        return aligned, weights

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._accumulate]

    def _accumulate(self, m: Module, x: Values) -> Values:
        """All products and the accumulator in one carry-save sum."""
        pairs = [
            (
                wire(m, f"a{i}", x["a"].word_select(i, self._a.bits).as_signed()),
                wire(m, f"w{i}", x["w"].word_select(i, self._w.bits).as_signed()),
            )
            for i in range(self.lanes)
        ]
        total = rtl.sum_of_products(m, "total", pairs, [x["sum"].as_signed()], self.acc)
        return {"sum": total}

    def output_datapath(self) -> list[rtl.Step]:
        return [rtl.renamed(sum="y")]
