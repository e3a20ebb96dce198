"""Sums of products: of words of elements, of matrices, and of terms of weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ...formats import Format, format
from ...formats.lanes import join
from ...units.bitserial import BitSerialPe, BsDequant, BsTile
from ...units.bitserial.definitions import half_units, of_bank, unpack_accumulator
from ...units.bitserial.pe import ACTIVATION
from ...units.bitserial.terms import BANK
from ...units.bitserial.tile_hardware import SUM
from ...units.bitserial.weights import MIXED, WEIGHTS, Weights, special_codes
from ...units.chain import RIGHT
from ...units.dot import Dot
from ...units.dotmulti import MODES, DotMulti
from ...units.mac.scaled import ScaledSum
from ...units.multi import Multi
from ...units.operations import negated_operands
from ...units.systolic import Engine
from ..drawn import normal_codes
from ..exact_result import block_values, power_of_two
from .base import Outcome, Reference, last_place_of, number, numbers, of_format

_GROUP = 64
"""Weights of a group of bit-serial arithmetic, and vectors that meet the same weights."""

_SPECIALS = (-10, -6, 6, 10)
"""Special values of fp3 and fp4, in halves."""

Numbers = list[Fraction]


def _finite(f: Format, codes: Any) -> list[Any] | None:
    """The values of rows of codes; None if one is not finite."""
    rows = [numbers(f, row) for row in codes]
    return None if None in rows else rows


def _dot(a: Numbers, b: Numbers) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


# -- words of elements ---------------------------------------------------------------------------


class DotMultiReference(Reference[DotMulti]):
    """The sum of the products of the elements that the mode makes of the words, and the addend."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        a, b, c, mode = codes
        f = format(_mode(mode))
        values = _finite(f, [_elements(f, a), _elements(f, b)])
        addend = number(self.unit.operands["c"], c)
        if values is None or addend is None:
            return None
        out = self.unit.results["y"]
        return [of_format(_dot(*values) + addend, number(out, results[0]), out)]

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Elements of all formats, as many words of each."""
        sets = max(1, int(pieces / self.unit.work))
        mode = rng.choice([*MODES], sets).astype(np.uint8)
        words = np.zeros((2, sets), np.uint32)
        for code, name in MODES.items():
            f, rows = format(name), mode == code
            count = int(rows.sum())
            elements = normal_codes(f, (2, count, 8 if f.bits == 4 else 4), rng)
            words[:, rows] = join(elements, f if f.bits == 4 else format("uint8"))
        return [*words, normal_codes(self.unit.operands["c"], sets, rng), mode]


class MultiReference(Reference[Multi]):
    """The products plus addends, one for each code of a word."""

    def sets(self, operands: Sequence[np.ndarray]) -> Iterator[tuple[int, list[Outcome] | None]]:
        words = self.unit.check_operands(tuple(operands))
        for fmt, *row in zip(*_in_order(words[3], *words[:3], self.unit(*words)), strict=True):
            f = self.unit.formats[min(fmt, len(self.unit.formats) - 1)]
            for codes in zip(*(_codes(f, x, self.unit.word) for x in row), strict=True):
                terms, y = numbers(f, codes[:3]), number(f, codes[3])
                yield 1, [of_format(terms[0] * terms[1] + terms[2], y, f)] if terms else None

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Codes of all formats, as many words of each."""
        u = self.unit
        fmt = rng.integers(len(u.formats), size=pieces).astype(np.uint8)
        words = np.zeros((3, pieces), u.operands["a"].dtype)
        for k, f in enumerate(u.formats):
            rows = np.flatnonzero(fmt == k)
            words[:, rows] = join(normal_codes(f, (3, rows.size, u.word // f.bits), rng), f)
        modes = [rng.integers(8, size=pieces).astype(np.uint8)] if "rm" in u.operands else []
        return [*words, fmt, *modes]


def _in_order(*arrays: np.ndarray) -> list[list[int]]:
    return [np.asarray(x).ravel().tolist() for x in arrays]


def _codes(f: Format, word: int, bits: int) -> list[int]:
    """The codes of a format in a word."""
    return [word >> at & ((1 << f.bits) - 1) for at in range(0, bits, f.bits)]


def _mode(code: int) -> str:
    """The name of the elements' format; two codes are as others."""
    return MODES[code if code in MODES else code - 1]


def _elements(f: Format, word: int) -> list[int]:
    step = 4 if f.bits == 4 else 8
    return [word >> at & ((1 << f.bits) - 1) for at in range(0, 32, step)]


# -- matrices ------------------------------------------------------------------------------------


class EngineReference(Reference[Engine]):
    """The product of the matrices, elements times the scales of their blocks, added to what sums
    begin with."""

    def axes(self, name: str) -> int:
        return 2

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        units = self.unit.units
        formats = {name: f for name, (f, _) in units.factors.items()} | {"c": units.first}
        values = {}
        for (name, f), x in zip(formats.items(), codes, strict=True):
            found = _finite(f, x)
            if found is None:
                return None
            values[name] = found
        given = dict(zip(formats, codes, strict=True))
        product, acc = self._signs()
        steps = [product * acc**r for r in reversed(range(self.unit.rows))]
        left = [
            [steps[i // units.lanes] * x for i, x in enumerate(row)]
            for row in self._rows("a", values, given)
        ]
        right = self._rows("b", _columns(values), _columns(given))
        begin_sign = acc**self.unit.rows
        return [
            of_format(_dot(row, column) + begin_sign * c, number(units.last, y), units.last)
            for row, begin, result in zip(left, values["c"], results[0], strict=True)
            for column, c, y in zip(right, begin, result, strict=True)
        ]

    def _rows(self, name: str, values: dict[str, Any], codes: dict[str, Any]) -> list[Numbers]:
        """The factors of one side, a row for each sum, times the scales of their blocks; those of
        blocks with metadata as these say."""
        element = self.unit.units.add
        if not isinstance(element, Dot) or not element.readers:
            return _scaled(values, name, f"s{name}")
        n, reader = element.n, element.readers["ab".index(name)]
        return [
            [
                value
                for i, word in enumerate(words)
                for value in block_values(reader, row[i * n : (i + 1) * n], word) or ()
            ]
            for row, words in zip(codes[name], codes[f"s{name}"], strict=True)
        ]

    def _signs(self) -> tuple[int, int]:
        """Those that a step gives the product and the sum so far."""
        product = acc = 1
        for u in self.unit.units.units:
            last = list(u.operands)[-1] if u is self.unit.units.add else None
            for name in negated_operands(u)[0]:
                product, acc = (product, -acc) if name == last else (-product, acc)
        return product, acc

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Tiles of weights, each with some vectors of activations."""
        u = self.unit
        all_vectors = max(1, int(pieces / u.work))
        vectors = min(_GROUP, all_vectors)
        tiles = all_vectors // vectors
        found = []
        for name, (f, n) in u.units.factors.items():
            shape = (u.rows * n, u.columns) if name in RIGHT else (vectors, u.rows * n)
            found.append(normal_codes(f, (tiles, *shape), rng))
        return [*found, normal_codes(u.units.first, (tiles, vectors, u.columns), rng)]


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    """The right matrices by their columns."""
    return {name: list(zip(*x, strict=True)) for name, x in values.items() if name in RIGHT}


def _scaled(values: dict[str, Any], name: str, scale: str) -> list[Numbers]:
    """Rows of elements times the scales of their blocks, if there are any."""
    if scale not in values:
        return [list(row) for row in values[name]]
    block = len(values[name][0]) // len(values[scale][0])
    return [
        [x * scales[i // block] for i, x in enumerate(row)]
        for row, scales in zip(values[name], values[scale], strict=True)
    ]


# -- terms of weights ----------------------------------------------------------------------------


class BitSerialPeReference(Reference[BitSerialPe]):
    """The sum of the activations times the terms; halved if the weights are of fp3 or fp4. Terms
    of a unit of mixed types count as they are."""

    def axes(self, name: str) -> int:
        return 1 if name in self.unit.operands else 0

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        u, total = self.unit, Fraction(0)
        for words, terms, bsig in zip(*codes, strict=True):
            for i in range(u.lanes):
                a = number(ACTIVATION, words >> 16 * i & 0xFFFF)
                if a is None:
                    return None
                total += a * _term(terms >> 4 * i & 15) * 2**bsig
        half = Fraction(1, 1 + _in_halves(u))
        magnitude, exponent, sign, _, overflow = results
        lsb = half * power_of_two(exponent - 25 - u.fx)
        result = None if overflow else (-1) ** sign * magnitude * lsb
        least = half * power_of_two(-24 - u.fx)
        return [Outcome(total * half, result, *last_place_of(total * half, u.aw, least))]

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Groups of weights; of mixed types those of fp4."""
        weights = WEIGHTS["fp4" if self.unit.type == MIXED else self.unit.type]
        shape = (max(1, pieces // _GROUP), _GROUP)
        a, w = normal_codes(ACTIVATION, shape, rng), _weights(weights, shape, rng)
        special = special_codes(rng.choice(_SPECIALS, shape[0]))
        return self.unit.coded_steps(weights, a, w, special)


class ScaledSumReference(Reference[ScaledSum]):
    """The sum of the integers times their powers of two."""

    def axes(self, name: str) -> int:
        return 1 if name in self.unit.operands else 0

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        u = self.unit
        a, by = numbers(u.a, codes[0]), numbers(u.by, codes[1])
        assert a is not None
        assert by is not None
        exact = _dot(a, [power_of_two(int(k)) for k in by])
        return [of_format(exact, number(u.acc, results[0]), u.acc)]

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Groups of integers whose powers of two are near each other."""
        u, shape = self.unit, (max(1, pieces // _GROUP), _GROUP)
        low, high = max(-4, int(u.by.min)), min(4, int(u.by.max))
        return [normal_codes(u.a, shape, rng), u.by.encode(rng.integers(low, high + 1, shape))]


class BsDequantReference(Reference[BsDequant]):
    """The accumulator times the scale."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        u = self.unit
        acc, scale, half = codes
        m, e, sign, flags = unpack_accumulator(acc, u.frame)
        if flags:
            return None
        lsb = power_of_two(e - 25 - u.fx - half)
        exact = (-1) ** sign * m * lsb
        magnitude, exponent, negative, _ = results
        power = number(u.results["exponent"], exponent)
        assert power is not None
        result = (-1) ** negative * magnitude * power_of_two(int(power))
        place, _ = last_place_of(exact, u.dqm, lsb)
        return [Outcome(exact * scale, result, place * max(scale, 1))]

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Accumulators of normally distributed values."""
        u = self.unit
        fraction, exponent = np.frexp(rng.normal(size=pieces))
        magnitude = np.floor(np.ldexp(np.abs(fraction), u.aw)).astype(np.uint64)
        biased = exponent - u.aw + 25 + u.fx
        low = np.maximum(1 - biased, 0)
        magnitude, biased = magnitude >> low.astype(np.uint64), (biased + low).astype(np.uint64)
        sign = (fraction < 0).astype(np.uint64)
        fields = {"magnitude": magnitude, "exponent": biased, "sign": sign}
        acc, at = np.zeros(pieces, np.uint64), 0
        for name, f in u.state.items():
            if name in fields:
                acc |= fields[name] << np.uint64(at)
            at += f.bits
        scale = normal_codes(u.operands["scale"], pieces, rng)
        return [acc, scale, np.zeros(pieces, np.uint8)]


class BsTileReference(Reference[BsTile]):
    """The sums of activations times weights times the scale of the weights' group."""

    def axes(self, name: str) -> int:
        return self.unit.operand_axes.get(name, 2)

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        u = self.unit
        given = dict(zip(u.operands, codes, strict=True))
        left = _finite(ACTIVATION, given["a"])
        if left is None:
            return None
        weights = u.weights_of_mode(given.get("mode"))
        columns = []
        for c, row in enumerate(given["w"]):
            scales = given["scale"][c]
            specials = given["special"][c] if "special" in given else [0] * len(scales)
            if "selector" in given:
                specials = [of_bank(i, given["bank"]) for i in given["selector"][c]]
            size = len(row) // len(scales)
            columns.append(
                [
                    scales[i // size] * _weight(weights, code, specials[i // size])
                    for i, code in enumerate(row)
                ]
            )
        return [
            of_format(_dot(row, column), number(SUM, y), SUM)
            for row, result in zip(left, results[0], strict=True)
            for column, y in zip(columns, result, strict=True)
        ]

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Two groups of weights; of mixed types those of fp4."""
        u, groups = self.unit, 2
        name = "fp4" if u.is_mixed else u.pe.type
        k = groups * _GROUP
        tiles = max(1, pieces // (u.rows * u.columns * k))
        weights, columns = WEIGHTS[name], (tiles, u.columns)
        found = [
            normal_codes(ACTIVATION, (tiles, u.rows, k), rng),
            _weights(weights, (*columns, k), rng),
            normal_codes(u.operands["scale"], (*columns, groups), rng),
        ]
        if "special" in u.operands:
            found.append(special_codes(rng.choice(_SPECIALS, (*columns, groups))))
        if u.encoder.has_bank:
            found.append(rng.integers(0, BANK, (*columns, groups), np.uint8))
            bank = join(special_codes(_SPECIALS), format("uint6"))
            found.append(np.full(tiles, bank, u.operands["bank"].dtype))
        return [*found, np.full(tiles, u.mode(name), np.uint8)] if u.is_mixed else found


def _in_halves(u: BitSerialPe) -> bool:
    return u.type != MIXED and WEIGHTS[u.type].floating


def _term(code: int) -> int:
    """The integer that a term's code stands for."""
    size = (code & 1) << (code >> 1 & 3)
    return -size if code >> 3 else size


def _weight(weights: Weights, code: int, special: int) -> Fraction:
    """What a weight's code stands for; -0 of fp3 and fp4 for the special value."""
    code &= (1 << weights.bits) - 1
    sign = code >> (weights.bits - 1)
    if not weights.floating:
        return Fraction(code - (sign << weights.bits))
    halves = half_units(code << (4 - weights.bits) & 7)
    if sign and not halves:
        sign, halves = special >> 5, special & 31
    return Fraction(-halves if sign else halves, 2)


def _weights(weights: Weights, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Codes of normally distributed weights; of fp3 and fp4 cut to a code."""
    if not weights.floating:
        return normal_codes(format(f"int{weights.bits}"), shape, rng)
    return normal_codes(format("e2m1fn"), shape, rng) >> np.uint8(4 - weights.bits)
