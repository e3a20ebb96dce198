"""Golden definitions of elements whose blocks keep metadata: MX+, MX++, M2XFP, RaZeR.

What a block shares is one word: the code of its scale, and above it its metadata. An element is
read as its class, sign, exponent and significand, so that its value is (-1)^s g 2^e before it is
scaled. `place` says where it stands: its index; its group of eight; or twice that, and 1 more for
the largest element of the group.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from ...formats.rounding import FINITE, FormatNumbers
from ...golden import golden
from .definitions import as_finite, parts_of_product, rounded_product, taken_apart


class Way(IntEnum):
    """How metadata changes elements."""

    LARGEST = 0  #: the largest element has a fraction in place of its exponent (MX+)
    OFFSET = 1  #: the same, and the others a scale of their own (MX++)
    TOP = 2  #: the largest of eight has two more bits of fraction (M2XFP, activations)
    FINER = 3  #: eight have a factor of their scale (M2XFP, weights)
    SPECIAL = 4  #: a code stands for a special value (RaZeR)


LARGEST, OFFSET, TOP, FINER, SPECIAL = (int(way) for way in Way)


class Reading(NamedTuple):
    """How the elements of a format are read, as integers."""

    way: int
    f: FormatNumbers  # of an element
    finer: FormatNumbers  # E2M3, of the largest of eight
    lsb: int  # exponent of the least significand's lsb
    scale: FormatNumbers  # of the block
    scale_bits: int  # of a word, below the metadata
    top: int  # exponent of the largest binade of elements
    places: int  # zeros behind the significand of an ordinary element
    code: int  # that stands for the special value
    outlier: int  # 1: the bit below its sign chooses the outlier
    five: int  # significand of 5
    five_places: int  # and its place
    other: int  # significand of the outlier
    other_places: int  # and its place


@golden
def element(code, place, word, r):
    """Class, sign, exponent and significand of an element."""
    kind, s, e, g = as_finite(code, r.f)
    more = word >> r.scale_bits
    if r.way <= OFFSET and place == more & 31:
        return largest(code, word, r)
    if r.way == OFFSET:
        e -= more >> 5 & 7
    if r.way == TOP and place & 1 == 1:
        return top(code, more >> (place >> 1 << 1) & 3, r)
    if r.way == FINER:
        return kind, s, e - 2, g * (4 + (more >> (place << 1) & 3))
    if r.way == SPECIAL:
        if code == r.code:
            return special(word, r)
        if g == 0:
            s = 0
    return kind, s, e - r.places, g << r.places


@golden
def largest(code, word, r):
    """The largest element of a block: all bits x below its sign are a fraction of 1 + x/2^bits in
    the largest binade; 0 for code 0 under the scale 00."""
    bits = r.f.bits - 1
    one = 0 if code == 0 and word & ((1 << r.scale_bits) - 1) == 0 else 1 << bits
    return FINITE, code >> bits, r.top - bits, one + (code & ((1 << bits) - 1))


@golden
def top(code, metadata, r):
    """The largest of eight: E2M3's number of code 4 i - 1 + metadata, i that of E2M1."""
    finer = max(4 * (code & 7) - 1 + metadata, 0)
    _, _, e, g = as_finite(finer, r.finer)
    return FINITE, code >> 3, e, g


@golden
def special(word, r):
    """The special value that the top bits of a word choose, in units of a half."""
    if r.outlier == 1 and word >> 6 & 1 == 1:
        return FINITE, word >> 7 & 1, r.other_places - 1, r.other
    return FINITE, word >> 7 & 1, r.five_places - 1, r.five


@golden
def place_of(x, i, r):
    """Where element i of a block stands, as `element` takes it."""
    if r.way == TOP:
        return 2 * (i // 8) + (1 if i == first_largest(x, i // 8) else 0)
    if r.way == FINER:
        return i // 8
    return i


@golden
def places(x, r):
    """Where all elements of a block stand."""
    return [place_of(x, i, r) for i in range(len(x))]


@golden
def first_largest(x, group):
    """The index of the first of the largest magnitudes of eight codes."""
    found = 8 * group
    for i in range(8 * group + 1, 8 * group + 8):
        if x[i] & 7 > x[found] & 7:
            found = i
    return found


# -- scaled ----------------------------------------------------------------------------------------


@golden
def scale_of(word, r):
    """The code of the scale in a word."""
    return word & ((1 << r.scale_bits) - 1)


@golden
def scaled(code, place, word, r, out):
    """An element times its block's scale, to nearest even, as a float."""
    kind, s, e, g = element(code, place, word, r)
    return rounded_product(kind, s, e, g, scale_of(word, r), r.scale, out)


@golden
def scaled_parts(code, place, word, r, significand_bits, exponent_bits):
    """Its parts side by side (`definitions.scaled_parts`)."""
    kind, s, e, g = element(code, place, word, r)
    scale = scale_of(word, r)
    return parts_of_product(kind, s, e, g, scale, r.scale, significand_bits, exponent_bits)


@golden
def scaled_block(x, word, constants):
    """The numbers of a block."""
    at = places(x, constants[0])
    return [scaled(x[i], at[i], word, *constants) for i in range(len(x))]


@golden
def scaled_parts_block(x, word, constants):
    """Signs, significands, exponents and marks of the elements of a block."""
    at = places(x, constants[0])
    found = [scaled_parts(x[i], at[i], word, *constants) for i in range(len(x))]
    return taken_apart(found, constants[1], constants[2])
