"""What blocks stand for: quantized ones, transformed ones, and what is aligned to one."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ...formats import Format
from ...units.anda import AndaQuant
from ...units.blocks import BlockDecode, BlockQuant, Hadamard, Nvfp4Quant
from ...units.fpint.prealign import ACTIVATION, PreAlign, shared_exponent
from ..drawn import normal_codes
from ..exact_result import block_values, power_of_two
from .base import Outcome, Reference, last_place, number, numbers, of_format

_ALIGNED = 32
"""Activations that share an exponent."""


class BlockQuantReference(Reference[BlockQuant]):
    """An element times the block's scale stands for the number; what is clipped is an error."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        values = numbers(self.unit.a, codes[0])
        if values is None:
            return None
        elements, code = results
        scale = number(self.unit.kind.scale, code)
        return _quantized(values, elements, self.unit.element, scale, scale)


class AndaQuantReference(Reference[AndaQuant]):
    """A sign, a mantissa by planes and the shared exponent stand for the number."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        u = self.unit
        values, (planes, signs, exponent, _) = numbers(u.a, codes[0]), results
        if values is None:
            return None
        bits = [signs, *planes]
        elements = [sum((x >> i & 1) << (u.m - j) for j, x in enumerate(bits)) for i in range(u.n)]
        scale = number(u.kind.scale, exponent)
        return _quantized(values, elements, u.kind.element, scale, scale)


class Nvfp4QuantReference(Reference[Nvfp4Quant]):
    """An element times the scales of block and tensor stands for the number. Beyond the range is
    what no block's scale reaches with this scale of the tensor."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        values, tensor = numbers(self.unit.a, codes[0]), number(self.unit.operands["t"], codes[1])
        if values is None or tensor is None:
            return None
        elements, code = results
        f, of_scale = self.unit.lane_formats["y"][0], self.unit.results["scale"]
        scale = number(of_scale, code)
        total = None if scale is None else scale * tensor
        least = of_scale.smallest * tensor
        found = _quantized(values, elements, f, total, max(total or least, least))
        most = f.max * of_scale.max * tensor
        return [
            outcome if abs(x) <= most else outcome._replace(exact=None)
            for x, outcome in zip(values, found, strict=True)
        ]


def _quantized(
    values: list[Fraction],
    elements: Sequence[int],
    f: Format,
    scale: Fraction | None,
    place: Fraction | None,
) -> list[Outcome]:
    """Numbers beside elements that count units of `scale`, with their last places in units of
    `place`; without a scale no result is finite."""
    found = []
    for x, element in zip(values, elements, strict=True):
        value = number(f, element)
        result = None if scale is None or value is None else value * scale
        found.append(Outcome(x, result, *last_place(x, f, place or Fraction(1))))
    return found


class BlockDecodeReference(Reference[BlockDecode]):
    """An element times the block's scale."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        u = self.unit
        values = self._values(*codes)
        if values is None:
            return None
        if u.out == "sig":
            return [
                Outcome(v, (-1) ** s * g * power_of_two(x), power_of_two(x))
                for v, s, g, x in zip(values, *self._parts(results), strict=True)
            ]
        f = u.of_an_element["y"]
        return [of_format(v, number(f, y), f) for v, y in zip(values, results[0], strict=True)]

    def _values(self, x: list[int], word: int) -> list[Fraction] | None:
        """What the elements stand for; None if one is not finite."""
        u = self.unit
        if u.a.metadata is not None:
            return block_values(u.reader, x, word)
        elements, scale = numbers(u.a.element, x), number(u.a.scale, word)
        return None if elements is None or scale is None else [e * scale for e in elements]

    def _parts(self, results: Sequence[Any]) -> list[list[int]]:
        """Signs, significands and exponents of all elements, as integers."""
        formats = list(self.unit.of_an_element.values())[:3]
        return [[int(f.decode_one(x)) for x in r] for f, r in zip(formats, results, strict=False)]


class HadamardReference(Reference[Hadamard]):
    """The transform of the numbers themselves, divided by sqrt(n) where the unit divides by it."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        x, signs = codes
        values = numbers(self.unit.a, x)
        if values is None:
            return None
        terms = [-v if signs >> i & 1 else v for i, v in enumerate(values)]
        unit = Fraction(1, 1 << self.unit.shift)
        return [
            of_format(unit * total, number(self.unit.a, y), self.unit.a)
            for total, y in zip(_transformed(terms), results[0], strict=True)
        ]

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        x, d = super().operands(pieces, rng)
        return [x, rng.integers(0, (1 << self.unit.n) - 1, len(d), d.dtype, endpoint=True)]


def _transformed(terms: list[Fraction]) -> list[Fraction]:
    """Sylvester's matrix times a block: that of halves, added and subtracted."""
    if len(terms) == 1:
        return terms
    half = len(terms) // 2
    low, high = _transformed(terms[:half]), _transformed(terms[half:])
    pairs = list(zip(low, high, strict=True))
    return [a + b for a, b in pairs] + [a - b for a, b in pairs]


class PreAlignReference(Reference[PreAlign]):
    """A mantissa times 2^(exponent - 14 - p) stands for the activation; it stands for none with an
    exponent that is less than the activation's own."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        (a, exponent), f = codes, self.unit.results["mantissa"]
        exact = number(ACTIVATION, a)
        if exact is None:
            return None
        unit = power_of_two(exponent - 14 - self.unit.p)
        value = number(f, results[0])
        assert value is not None
        shared = exponent >= max(1, a >> 10 & 31)
        return [Outcome(exact if shared else None, value * unit, unit)]

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Blocks of activations, each with the exponent that it shares."""
        a = normal_codes(ACTIVATION, (max(1, pieces // _ALIGNED), _ALIGNED), rng)
        exponent = np.broadcast_to(np.asarray(shared_exponent(a))[:, None], a.shape)
        return [a.ravel(), exponent.ravel()]
