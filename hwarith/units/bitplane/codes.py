"""Bipolar integers: values, codes, bit planes.

An n-bit code u stands for the odd integer 2u - (2^n - 1), from -(2^n - 1) to 2^n - 1: each of its
bits is -1 or +1 times its weight, the sign being in no bit of its own. There is no zero.

Source: arXiv 2409.17870 and 2508.19087.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...exceptions import InvalidInput, quoted, shown
from ...formats import Format, format
from ...formats.codec import array_of
from ...formats.lanes import join
from ...lazily import np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

MOST_BITS = 8
"""Widest code."""


def encode(values: ArrayLike, bits: int) -> np.ndarray:
    """Codes of odd integers.

    Parameters
    ----------
    values : array of odd integers from -(2^bits - 1) to 2^bits - 1, any shape.
    bits : of a code, 1 to 8.

    Returns an array of uint8 of the same shape. Raises `InvalidInput` for values that have no code:
    rounding to the nearest one is left to the caller, for zero has two.
    """
    _code_format(bits)
    x = array_of(values, "bipolar values")
    largest = (1 << bits) - 1
    if x.dtype.kind not in "iu":
        raise InvalidInput(f"bipolar values must be integers, not {shown(x.dtype)}")
    wrong = x[(x % 2 == 0) | (x > largest) | (x < -largest)]
    if wrong.size:
        raise InvalidInput(
            f"{wrong.flat[0]} is no bipolar value of {bits} bits: odd, {-largest} to {largest}"
        )
    return ((x.astype(np.int64) + largest) >> 1).astype(np.uint8)[()]


def decode(codes: ArrayLike, bits: int) -> np.ndarray:
    """The odd integers (int64, of the shape of `codes`) of codes of 1 to 8 bits.

    Raises `InvalidInput` for what are no such codes.
    """
    u = _code_format(bits).check(codes, "bipolar codes")
    return (2 * u.astype(np.int64) - (1 << bits) + 1)[()]


def from_signed(integers: ArrayLike, bits: int) -> np.ndarray:
    """Bipolar codes of value 2x + 1 for signed integers x of as many bits.

    `integers` are numbers or two's complement codes; inverting their msb makes bipolar codes, which
    loses nothing. Of dot products with these, `affine` makes those of x = value / 2 - 1 / 2.
    Raises `InvalidInput` for integers that do not fit.
    """
    _code_format(bits)
    x = format(f"int{bits}").check(integers, "signed integers")
    return (x ^ x.dtype.type(1 << (bits - 1)))[()]


def affine(product: Any, total: Any, scale: Any, zero: Any) -> Any:
    """The dot product A . W for weights W = scale * x + zero, from A . x and the sum of A.

    A . W = scale * (A . x) + zero * sum of A, of numbers or of arrays, which broadcast together;
    `product` is A . x, and `total` the sum of A.
    """
    return scale * product + zero * total


def planes(codes: ArrayLike, bits: int, lanes: int = 64) -> np.ndarray:
    """Bit planes of vectors of codes, packed into words.

    Parameters
    ----------
    codes : array of shape (..., K) of codes of `bits` bits, 1 to 8.
    lanes : elements in a word, 1 to 1024.

    Returns words of shape (..., ceil(K / lanes), bits): the lsb of word [..., c, i] is bit i of
    element c * lanes, the bit above it that of the next element; lanes behind the last element are
    0. Their type is the smallest unsigned one (object above 64 lanes). Raises `InvalidInput`.
    """
    u = _code_format(bits).check(codes, "bipolar codes")
    if u.ndim == 0:
        raise InvalidInput("bipolar codes must be an array of shape (..., K), not a number")
    word = format(f"uint{lanes}")
    *front, k = u.shape
    chunks = -(-k // lanes)
    padded = np.zeros((*front, chunks * lanes), u.dtype)
    padded[..., :k] = u
    digits = padded[..., None] >> np.arange(bits, dtype=u.dtype) & 1
    by_plane = digits.reshape(*front, chunks, lanes, bits).swapaxes(-1, -2)
    return join(by_plane, format("uint1")).astype(word.dtype)


def _code_format(bits: int) -> Format:
    if not isinstance(bits, int) or not 1 <= bits <= MOST_BITS:
        raise InvalidInput(f"bipolar codes have 1 to {MOST_BITS} bits, not {quoted(bits)}")
    return format(f"uint{bits}")
