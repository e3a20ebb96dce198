"""Data types of weights: the levels that a code stands for, of which a group may choose a set.

Types with a special value (BitMoD, HPCA 2025) put it in the place of the code of -0; a group names
which of the allowed ones it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, overload

from ...exceptions import InvalidInput, name_of, quoted, unknown
from ...lazily import np
from ...tables import Table, Tabled
from ..blocks import BLOCKS, BlockFormat, BlockName, named_block


@dataclass(frozen=True)
class Codebook:
    """The levels that a group's codes stand for, before they are scaled.

    Parameters
    ----------
    magnitudes : in ascending order from 0 on; a level's code is its sign bit and its magnitude's
        place here, for integers their two's complement.
    special : the level that the code of -0 stands for; None if there is none.

    What is half-way between two levels goes to the lower one, as BitMoD has it, of integers to the
    even one.
    """

    bits: int
    magnitudes: tuple[float, ...]
    special: float | None = None
    integer: bool = False

    @cached_property
    def levels(self) -> np.ndarray:
        """All levels, ascending."""
        signed = {sign * x for x in self.magnitudes for sign in (1.0, -1.0)}
        return np.array(sorted(signed | ({self.special} if self.special is not None else set())))

    @cached_property
    def codes(self) -> np.ndarray:
        """The code of each of the `levels`."""
        sign = 1 << (self.bits - 1)
        places = {x: place for place, x in enumerate(self.magnitudes)}
        return np.array([self._code(float(x), sign, places) for x in self.levels], np.uint8)

    def _code(self, level: float, sign: int, places: dict[float, int]) -> int:
        if self.integer:
            return int(level) % (2 * sign)
        if level == self.special:
            return sign
        return places[abs(level)] + (sign if level < 0 else 0)

    @cached_property
    def bounds(self) -> np.ndarray:
        """The greatest number that each of the `levels` but the highest is nearest to."""
        return (self.levels[1:] + self.levels[:-1]) / 2

    @property
    def largest(self) -> float:
        """The largest magnitude, to which the largest weight of a group is scaled."""
        return float(np.abs(self.levels).max())

    def nearest(self, x: np.ndarray) -> np.ndarray:
        """The places of the nearest of the `levels`, intp of the shape of `x`."""
        if self.integer:
            half = len(self.levels) // 2
            return np.clip(np.rint(x), -half, half).astype(np.intp) + half
        if self._grid is None:
            return np.searchsorted(self.bounds, x, side="left")
        steps, places = self._grid
        most = len(places) // 2
        return places[(np.clip(np.ceil(x * steps), -most, most) + most).astype(np.intp)]

    @cached_property
    def _grid(self) -> tuple[float, np.ndarray] | None:
        """If all `bounds` are multiples of 1 / steps: steps, and the place of what lies above
        (k - 1) / steps and not above k / steps for k from -most to most. This is faster than to
        search for each number."""
        for steps in (2.0**k for k in range(7)):
            if not (self.bounds * steps % 1).any():
                most = int(self.largest * steps) + 1
                return steps, np.searchsorted(self.bounds, np.arange(-most, most + 1) / steps)
        return None


@dataclass(frozen=True)
class WeightType(Tabled):
    """A data type of weights.

    Parameters
    ----------
    codebooks : of which each group takes the one of the least squared error, the first of equal.
    kind : ``levels``: nearest levels of a codebook; ``offset``: integers with a zero point (no
        codebook); ``power``: levels are powers of a code, whose exponent is one for a whole
        tensor.
    source : where the type is defined.
    scale : of ``levels``, what is brought to the largest level: the largest magnitude of a group,
        ``absmax``, or the mean of magnitudes, ``absmean``.
    group : None: the user says how many weights share a scale (formats of blocks have a size).
    """

    name: str
    bits: int
    codebooks: tuple[Codebook, ...] = ()
    kind: str = "levels"
    source: str = ""
    scale: str = "absmax"
    group: ClassVar[int | None] = None

    def __str__(self) -> str:
        return self.name

    @property
    def selector_bits(self) -> int:
        """Bits for each group that name its codebook."""
        return (len(self.codebooks) - 1).bit_length() if self.codebooks else 0

    def tables(self) -> list[Table]:
        """Its facts, and the levels of each codebook."""
        facts = {"type": self.name, "bits": self.bits, "kind": self.kind, "source": self.source}
        levels = [
            {"codebook": place, "levels": ", ".join(f"{x:g}" for x in codebook.levels.tolist())}
            for place, codebook in enumerate(self.codebooks)
        ]
        return [Table([facts]), *[Table(levels)] * bool(levels)]


BITMOD = "Chen et al., BitMoD, HPCA 2025 (arXiv 2411.11745)"

MAGNITUDES = {
    "fp3": (3, (0, 1, 2, 4)),
    "fp4": (4, (0, 0.5, 1, 1.5, 2, 3, 4, 6)),
    "flint4": (4, (0, 1, 2, 3, 4, 6, 8, 16)),
    "flint5": (5, (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 24, 32, 64)),
}
"""Bits and magnitudes of the types that have no special value."""

SPECIALS = {3: {"er": (3.0, -3.0), "ea": (6.0, -6.0)}, 4: {"er": (5.0, -5.0), "ea": (8.0, -8.0)}}
"""Special values of BitMoD's types by their bits, in the order in which they are tried: what
extends the resolution, and what extends the range (table IV of the paper)."""


def minifloat_magnitudes(exponent_bits: int, fraction_bits: int) -> tuple[float, ...]:
    """All magnitudes of a float without infinities and NaN whose least normal number is 1."""
    one = 1 << fraction_bits
    normal = [(one + f) / one * 2.0**e for e in range((1 << exponent_bits) - 1) for f in range(one)]
    return (*(f / one for f in range(one)), *normal)


MAGNITUDES |= {
    f"fp{1 + e + m}_e{e}m{m}": (1 + e + m, minifloat_magnitudes(e, m))
    for e, m in ((2, 2), (3, 1), (2, 3), (3, 2))
}


def _codebook(name: str, special: float | None = None) -> Codebook:
    bits, magnitudes = MAGNITUDES[name]
    return Codebook(bits, tuple(map(float, magnitudes)), special)


def _integers(bits: int) -> Codebook:
    return Codebook(bits, tuple(map(float, range(1 << (bits - 1)))), integer=True)


def _with_specials(name: str, base: str, specials: tuple[float, ...]) -> WeightType:
    codebooks = tuple(_codebook(base, special) for special in specials)
    return WeightType(name, MAGNITUDES[base][0], codebooks, source=BITMOD)


def _types() -> list[WeightType]:
    types = [WeightType(f"int{b}", b, (_integers(b),), source="symmetric") for b in range(2, 9)]
    bitnet = "Ma et al., The Era of 1-bit LLMs, BitNet b1.58 (arXiv 2402.17764)"
    types.append(WeightType("ternary", 2, (_integers(2),), source=bitnet, scale="absmean"))
    types += [
        WeightType(f"int{b}_asym", b, kind="offset", source="asymmetric") for b in range(2, 9)
    ]
    types += [WeightType(name, bits, (_codebook(name),)) for name, (bits, _) in MAGNITUDES.items()]
    for b, specials in SPECIALS.items():
        types += [_with_specials(f"fp{b}_{k}", f"fp{b}", svs) for k, svs in specials.items()]
        both = specials["er"] + specials["ea"]
        types.append(_with_specials(f"bitmod{b}", f"fp{b}", both))
    ant = "Guo et al., ANT, MICRO 2022 (arXiv 2208.14286)"
    types.append(WeightType("ant4", 4, (_integers(4), _codebook("flint4")), source=ant))
    nupes = "Yvinec et al., NUPES (arXiv 2308.05600), PowerQuant (ICLR 2023)"
    types += [WeightType(f"nupes{b}", b, kind="power", source=nupes) for b in range(3, 9)]
    return types


TYPES = {t.name: t for t in _types()}
"""Every type by its name: ``intB`` and ``intB_asym``; ``ternary``; ``fp3``, ``fp4`` and others
without special values; ``fp3_er``, ``fp4_ea`` and their like with one pair of special values,
``bitmod3`` and ``bitmod4`` with both; ``ant4``, the better one of int4 and flint4 for each group;
``nupesB``."""

WeightKind = WeightType | BlockFormat
"""What `hwarith.quantize` quantizes to."""

PATTERN = "fp3 or fp4 with special values, such as fp3:5/-5/6/-6"


@overload
def weight_type(name: BlockName | BlockFormat) -> BlockFormat: ...


@overload
def weight_type(name: Any) -> WeightType: ...


def weight_type(name: Any) -> WeightKind:
    """The type of this name, of `TYPES` or `BLOCKS`, or of a text such as ``fp3:5/-5`` with the
    special values that a group may have. Raises `InvalidInput` for an unknown one."""
    if isinstance(name, WeightType | BlockFormat):
        return name
    text = name_of(name)
    if text in TYPES:
        return TYPES[text]
    if (blocks := named_block(text)) is not None:
        return blocks
    base, colon, specials = text.partition(":")
    if not colon or base not in ("fp3", "fp4"):
        raise unknown("weight type", name, [*TYPES, *BLOCKS, PATTERN])
    parts = specials.split("/")
    if not all(re.fullmatch(r"[+-]?\d+(\.\d+)?", part, re.ASCII) for part in parts):
        raise InvalidInput(
            f"weight type {quoted(name)}: special values are numbers, as in fp3:5/-5"
        )
    values = tuple(float(part) for part in parts)
    if len(set(values)) < len(values):
        raise InvalidInput(f"weight type {quoted(name)}: a special value is given twice")
    taken = set(_codebook(base).levels.tolist())
    for value in values:
        if value in taken or abs(value) > 15.5 or value * 2 % 1:
            raise InvalidInput(
                f"weight type {quoted(name)}: a special value is a multiple of 0.5, at most 15.5, "
                f"and no level of {base}, not {value:g}"
            )
    return _with_specials(f"{base}:{'/'.join(f'{v:g}' for v in values)}", base, values)
