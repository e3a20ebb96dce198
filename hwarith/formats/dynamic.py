"""Dynamic fixed point: a tensor of integers that share one exponent.

Source: Das et al., Mixed Precision Training of CNNs using Integer Operations, arXiv 1802.00930
(DFP-16: exponent of the largest magnitude, additions at the greater exponent, narrowing by leading
zeros). How it is rounded and clipped is this project's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..exceptions import InvalidInput, quoted, shown, unknown
from ..lazily import np
from ..tables import Table, Tabled
from .codec import array_of
from .scalar import Format, format

LEAST_EXPONENT = -126
"""Of the largest magnitude, where all numbers are zero: that of fp32's smallest normal number."""

SUM_BITS = 32
"""Of sums and accumulators."""

ROUNDINGS = ("rne", "floor")


@dataclass(frozen=True, eq=False)
class DynamicFixedPoint(Tabled):
    """Numbers integers * 2^exponent; made by `dynamic_fixed_point`.

    Attributes
    ----------
    integers : int64 of any shape, of magnitudes below 2^(bits-1).
    exponent : of all of them.
    bits : of an integer, its sign among them.
    """

    integers: np.ndarray
    exponent: int
    bits: int

    @property
    def format(self) -> Format:
        """Of the integers."""
        return format(f"int{self.bits}")

    @property
    def codes(self) -> np.ndarray:
        """The integers as codes of `format`."""
        return self.format.encode(self.integers)

    def values(self) -> np.ndarray:
        """The numbers, float64."""
        return np.ldexp(self.integers.astype(np.float64), self.exponent)

    def plus(self, other: DynamicFixedPoint, round: str = "rne") -> DynamicFixedPoint:
        """The sum of both, 32-bit integers at the greater exponent, to which the other one's are
        shifted right and rounded to nearest even (``rne``) or down (``floor``). Raises
        `InvalidInput` for a sum that leaves 32 bits, and for shapes that do not fit."""
        if round not in ROUNDINGS:
            raise unknown("rounding of a sum", round, ROUNDINGS)
        high, low = (self, other) if self.exponent >= other.exponent else (other, self)
        down = min(high.exponent - low.exponent, SUM_BITS - 1)
        shifted = _rounded(low.integers, down) if round == "rne" else low.integers >> down
        try:
            total = high.integers + shifted
        except ValueError:
            raise InvalidInput(
                f"dynamic fixed point: shapes {high.integers.shape} and {low.integers.shape} do "
                "not fit"
            ) from None
        if np.abs(total).max(initial=0) >= 1 << (SUM_BITS - 1):
            raise InvalidInput(f"dynamic fixed point: a sum leaves {SUM_BITS} bits")
        return DynamicFixedPoint(total, high.exponent, SUM_BITS)

    def narrowed(self, bits: int) -> DynamicFixedPoint:
        """The same in fewer bits, all shifted right until the largest fits and rounded to nearest
        even; what rounding carries beyond the range is clipped. Raises `InvalidInput`."""
        kept = _bits(bits)
        length = int(np.abs(self.integers).max(initial=0)).bit_length()
        down = max(0, length - (kept - 1))
        return DynamicFixedPoint(
            _clipped(_rounded(self.integers, down), kept), self.exponent + down, kept
        )

    def tables(self) -> list[Table]:
        """Its shape, bits and exponent."""
        shape = " x ".join(map(str, self.integers.shape))
        return [Table([{"shape": shape, "bits": self.bits, "exponent": self.exponent}])]


def dynamic_fixed_point(
    x: Any, bits: int = 16, random: np.random.Generator | None = None
) -> DynamicFixedPoint:
    """Numbers as integers of so many bits (2 to 32) with one exponent, E = floor(log2 max|x|) -
    (bits - 2): each is rounded to the nearest multiple of 2^E, to even, and clipped to magnitudes
    below 2^(bits-1). Infinities are clipped and do not count for the largest one; of zeros alone
    the exponent is -126 - (bits - 2).

    With `random`, a generator of numpy, each is rounded down, or up with the probability of the
    part of 2^E that it is above: without bias, as gradients in integers need it (Tayaranian
    Hosseini et al., arXiv 2209.09815).

    Raises `InvalidInput` for NaN, and for what are no numbers or no generator.
    """
    kept = _bits(bits)
    array = array_of(x, "dynamic fixed point: x")
    if array.dtype.kind not in "fiu" and array.dtype.type.__module__ != "ml_dtypes":
        raise InvalidInput(
            f"dynamic fixed point: x must be numbers, not an array of {shown(array.dtype)}"
        )
    values = array.astype(np.float64)
    if np.isnan(values).any():
        raise InvalidInput("dynamic fixed point: there is a NaN in x")
    largest = np.abs(values[np.isfinite(values)]).max(initial=0)
    top = int(np.frexp(largest)[1]) - 1 if largest else LEAST_EXPONENT
    exponent = top - (kept - 2)
    most = float((1 << (kept - 1)) - 1)
    scaled = np.clip(np.ldexp(values, -exponent), -most, most)
    if random is None:
        rounded = np.rint(scaled)
    elif isinstance(random, np.random.Generator):
        rounded = np.floor(scaled)
        rounded += random.random(scaled.shape) < scaled - rounded
    else:
        raise InvalidInput(
            f"dynamic fixed point: random must be a numpy.random.Generator, not {quoted(random)}"
        )
    return DynamicFixedPoint(rounded.astype(np.int64), exponent, kept)


def _rounded(integers: np.ndarray, down: int) -> np.ndarray:
    """Integers over 2^down, to nearest even: a half that rounds up is one more than below it."""
    if down == 0:
        return integers
    odd = (integers >> down) & 1
    return (integers + ((1 << (down - 1)) - 1) + odd) >> down


def _clipped(integers: np.ndarray, bits: int) -> np.ndarray:
    most = (1 << (bits - 1)) - 1
    return np.clip(integers, -most, most)


def _bits(bits: Any) -> int:
    if not isinstance(bits, int | np.integer) or isinstance(bits, bool) or not 2 <= bits <= 32:
        raise InvalidInput(
            f"dynamic fixed point: bits must be an integer from 2 to 32, not {quoted(bits)}"
        )
    return int(bits)
