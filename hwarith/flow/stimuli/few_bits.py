"""What units of weights in few bits are tried with."""

from __future__ import annotations

import numpy as np

from ...formats import Format, format
from ...formats.lanes import join, split
from ...units.bitserial import BitSerialPe, BsTile, TermGen
from ...units.bitserial.pe import ACTIVATION, pack_activations
from ...units.bitserial.terms import BANK
from ...units.bitserial.weights import special_codes
from ...units.fpint import FpIntPe
from ...units.lut import LutDot
from ...units.ternary import Ternary
from .default import GroupStimuli, Stimuli
from .dispatch import stimulus


class TermGenStimuli(Stimuli):
    """Special values that are sums of two terms, most of them."""

    unit: TermGen

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        names = list(self.unit.operands)
        if "special" in names:
            place = names.index("special")
            usual = rng.choice(special_codes([6, -6, 10, -10, 12, -12, 16, -16]), len(codes[0]))
            few = rng.integers(0, 8, len(usual)) == 0
            codes[place] = np.where(few, codes[place], usual)
        if "bank" in names:
            legal = special_codes([6, -6, 10, -10, 12, -12, 16, -16])
            four = rng.choice(legal, (len(codes[0]), BANK))
            codes[names.index("bank")] = join(four, format("uint6"))
        return codes


class BitSerialPeStimuli(GroupStimuli):
    """Activations of any class in each lane, most of them near each other."""

    unit: BitSerialPe

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        lanes = halves_near(rng, (len(codes[0]), self.unit.lanes))
        return [pack_activations(lanes), *codes[1:]]


def halves_near(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Codes of fp16 of any class, most of which have exponents near those of their row."""
    lanes = rng.integers(0, 1 << 16, shape, np.uint64)
    near = rng.integers(0, 31, (shape[0], 1)) + rng.integers(-4, 5, shape)
    kinds = rng.integers(0, 8, shape)
    exponent = np.where(kinds == 0, lanes >> 10 & 31, np.clip(near, 0, 30))
    lanes = lanes & 0x83FF | exponent.astype(np.uint64) << 10
    return np.where(kinds == 1, lanes & 0x8000, np.where(kinds == 2, lanes | 1023, lanes))


class BsTileStimuli(Stimuli):
    """Sums over two groups of 16 or as many as the dequantizer does not wait for, each tile of
    activations of any class."""

    unit: BsTile

    def operands(self, n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
        u = self.unit
        lanes, groups = u.pe.lanes, 2
        k = lanes * max(4, -(-u.sfw // u.encoder.most_terms)) * groups
        rng = np.random.default_rng(n)
        words = stimulus(u.pe, n * u.rows * k // lanes, seed)[0].reshape(n, u.rows, -1)
        a = split(rng.permuted(words, axis=-1), ACTIVATION, lanes)
        codes: list[np.ndarray] = [a.reshape(n, u.rows, k)]
        codes.append(rng.integers(0, 1 << u.encoder.bits, (n, u.columns, k), np.uint8))
        codes.append(rng.integers(0, 1 << u.sfw, (n, u.columns, groups), u.operands["scale"].dtype))
        if u.encoder.takes_floats:
            legal = np.array([6, 10, 12, 16, 38, 42, 44, 48], np.uint8)
            if u.encoder.has_bank:
                codes.append(rng.integers(0, BANK, (n, u.columns, groups), np.uint8))
                codes.append(join(rng.choice(legal, (n, BANK)), format("uint6")))
            else:
                codes.append(rng.choice(legal, (n, u.columns, groups)))
        if u.is_mixed:
            codes.append(np.full(n, u.mode("int8"), np.uint8))
        return tuple(codes)


class FpIntPeStimuli(GroupStimuli):
    """In three of four transfers lanes of their own: any, of a few bits, or at the ends."""

    unit: FpIntPe

    @property
    def longest_group(self) -> int:
        return min(self.unit.most_transfers, super().longest_group)

    @property
    def greatest_group(self) -> int:
        return self.unit.most_transfers

    @property
    def usual_group(self) -> int:
        return min(self.unit.most_transfers, super().usual_group)

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        formats = format(f"int{self.unit.p + 1}"), format(self.unit.w)
        rows = rng.integers(4, size=len(codes[0])) > 0
        columns = []
        for whole, f in zip(codes, formats, strict=True):
            lanes = integers_of_all_sizes(f, rng, (len(whole), self.unit.lanes))
            columns.append(np.where(rows, join(f.check(lanes), f), whole))
        return columns


def integers_of_all_sizes(
    f: Format, rng: np.random.Generator, shape: tuple[int, int]
) -> np.ndarray:
    """Integers of a format: any, of few bits, or at the ends."""
    low, high = int(f.min), int(f.max)
    any_ = rng.integers(low, high, shape, endpoint=True)
    few = any_ >> rng.integers(0, f.bits, shape)
    ends = rng.choice([low, low + 1, -1, 0, 1, high], shape)
    return np.choose(rng.integers(3, size=shape), [any_, few, ends])


class LutDotStimuli(GroupStimuli):
    """Activations of all sizes in each lane; of floats most near each other."""

    unit: LutDot

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        shape, a = (len(codes[0]), self.unit.k), self.unit.a
        draw = halves_near(rng, shape) if a.is_float else integers_of_all_sizes(a, rng, shape)
        return [join(a.check(draw), a), *codes[1:]]


class TernaryStimuli(GroupStimuli):
    """Activations of all sizes, and few codes that are no weights, as one marks its group."""

    unit: Ternary

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        u, n = self.unit, len(codes[0])
        a = integers_of_all_sizes(u.a, rng, (n, u.lanes))
        f, legal = (format("uint8"), 243) if u.packing == "five" else (format("uint2"), 4)
        w = rng.integers(0, legal, (n, u.operands["w"].bits // f.bits))
        w = w if u.packing == "five" else np.where(w == 2, 3, w)
        few = rng.integers(16, size=n) == 0
        words = join(w.astype(f.dtype), f)
        return [join(u.a.check(a), u.a), np.where(few, codes[1], words)]
