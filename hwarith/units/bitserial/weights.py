"""The types of weights that bit-serial units take, and their terms as arrays."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from ...exceptions import InvalidInput, quoted
from ...formats import BlockFormat
from ...formats.codec import array_of
from ...formats.weights import TYPES, WeightKind
from ...lazily import np
from . import definitions

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

SOURCE = "Chen et al., BitMoD, HPCA 2025 (arXiv 2411.11745)"


class Weights(NamedTuple):
    """A type of weights: bits of its code, and whether it is fp3 or fp4."""

    name: str
    bits: int
    floating: bool

    @property
    def terms(self) -> int:
        """Terms of a weight, which is how many clocks it takes."""
        return (self.bits + 1) // 2

    @property
    def step(self) -> int:
        """From each term's bsig to that of the next one."""
        return 1 if self.floating else 2

    @property
    def most_bsig(self) -> int:
        """The greatest bsig of a term."""
        return self.step * (self.terms - 1)

    def term(self, code: int, special: int, k: int, signed_t0: bool = False) -> int:
        """The code of the term of bsig `step` * k of a weight's code. `special` is a code too
        (`special_codes`)."""
        if self.floating:
            return definitions.float_term(code << (4 - self.bits), special, k, int(signed_t0))
        return definitions.booth_term(code - (code >> (self.bits - 1) << self.bits), k)

    def clocks(self, n: int, lanes: int) -> int:
        """Clocks that a group of n weights takes."""
        return -(-n // lanes) * self.terms


WEIGHTS = {
    **{f"int{b}": Weights(f"int{b}", b, False) for b in range(3, 9)},
    "fp3": Weights("fp3", 3, True),
    "fp4": Weights("fp4", 4, True),
}
"""Every type by its name: integers in two's complement, and fp3 and fp4 with a special value."""

MIXED = "mixed"
"""The name of all types at once."""

LEGAL_SPECIALS = (0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 16, 17, 18, 20, 24)
"""Magnitudes of special values, in halves, that are two terms of one sign."""

LEGAL_WITH_SIGNED_T0 = (*LEGAL_SPECIALS, 7, 14, 15)


def element_type(kind: WeightKind) -> str | None:
    """What processing elements call the codes of a type of weights: ``fp3``, ``fp4`` or an integer
    type; None for codes that none takes."""
    if isinstance(kind, BlockFormat):
        is_fp4 = kind.element.name == "e2m1fn" and kind.metadata is None
        return f"int{kind.bits}" if kind.is_integer else "fp4" if is_fp4 else None
    if kind.kind in ("offset", "power"):
        return None
    if all(book.integer for book in kind.codebooks):
        return f"int{kind.bits}"
    like = TYPES.get(f"fp{kind.bits}")
    levels = like.codebooks[0].magnitudes if like else ()
    fits = f"fp{kind.bits}" in WEIGHTS and all(
        book.magnitudes == levels and abs(2 * (book.special or 0)) in LEGAL_SPECIALS
        for book in kind.codebooks
    )
    return f"fp{kind.bits}" if fits else None


def special_codes(halves: ArrayLike, signed_t0: bool = False) -> np.ndarray:
    """Special values, integers that count halves, as sign and magnitude: uint8 codes of 6 bits, of
    the same shape.

    With `signed_t0` the second term may have the other sign than the first. Raises `InvalidInput`
    for a value that is no sum of two terms.
    """
    values = array_of(halves, "special values")
    legal = LEGAL_WITH_SIGNED_T0 if signed_t0 else LEGAL_SPECIALS
    if values.dtype.kind not in "iu" or not np.isin(np.abs(values), legal).all():
        raise InvalidInput(
            "special values are integers, in halves, of magnitude "
            f"{', '.join(map(str, sorted(legal)))}, not {quoted(halves)}"
        )
    return np.asarray(np.abs(values) | np.where(values < 0, 32, 0), np.uint8)


def terms(
    weights: Weights, codes: np.ndarray, special: np.ndarray, signed_t0: bool = False
) -> np.ndarray:
    """The terms of weights, clock by clock, those of all lanes side by side.

    Parameters
    ----------
    weights : the type of the weights.
    codes : of weights, unsigned, of shape (..., chunks, lanes), at most 4 lanes.
    special : codes of the special values (`special_codes`), of shape (...) or ().
    signed_t0 : whether the last term may have the other sign.

    Returns uint16 of shape (..., chunks, terms), the term of the highest bsig first.
    """
    table = _table(weights, signed_t0)
    if not weights.floating:
        special = np.zeros((), np.uint8)
    if special.ndim == 0:
        all_terms = np.take(table[special], codes)
    else:
        rows = special.astype(np.int32)[..., None, None] << weights.bits
        all_terms = np.take(table.ravel(), rows + codes)
    words = np.zeros((*codes.shape[:-1], weights.terms), np.uint16)
    for k in range(weights.terms):
        for i in range(codes.shape[-1]):
            term = all_terms[..., i] >> np.uint16(4 * k) & np.uint16(15)
            words[..., k] |= term << np.uint16(4 * i)
    return words


@cache
def _table(weights: Weights, signed_t0: bool) -> np.ndarray:
    """All terms of a weight side by side, highest bsig at the lsb, by the codes of the special
    value and of the weight."""
    order = range(weights.terms)[::-1]

    def side_by_side(special: int, code: int) -> int:
        in_order = (weights.term(code, special, k, signed_t0) for k in order)
        return sum(term << (4 * i) for i, term in enumerate(in_order))

    specials, codes = range(64 if weights.floating else 1), range(1 << weights.bits)
    return np.array([[side_by_side(s, c) for c in codes] for s in specials], np.uint16)
