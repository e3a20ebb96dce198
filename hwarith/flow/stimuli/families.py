"""The stimuli of a unit, found by its class; those of the families that have their own.

Somebody's own unit gets stimuli in the same way, from its own file: a class derived from `Stimuli`
with the decorator ``@stimuli_of.register(MyUnit)``.
"""

from __future__ import annotations

import numpy as np

from ...formats import Format, format
from ...formats.lanes import join
from ...units.accumulator import Accumulator
from ...units.anfma import AnFma, ColumnEnd
from ...units.anfma.state import Chained, State
from ...units.bitplane import BitplaneDot
from ...units.bitserial import BitSerialPe, BsTile, TermGen
from ...units.blocks import LaneUnit, Nvfp4Quant
from ...units.boxes import Boxes
from ...units.chain import RIGHT
from ...units.codebook import Codebook
from ...units.dot import Dot
from ...units.dotmulti import MODES, DotMulti
from ...units.fpint import FpIntPe
from ...units.ivit import ShiftExp
from ...units.ivit.rows import IntegerRow
from ...units.kulisch import Kulisch
from ...units.lanes import Lanes
from ...units.lut import LutDot
from ...units.mac.scaled import ScaledSum
from ...units.multi import Multi
from ...units.requant import Requant
from ...units.rows import RowUnit
from ...units.scalb import Scalb
from ...units.systolic import Engine
from ...units.ternary import Ternary
from .blocks import LaneStimuli, Nvfp4QuantStimuli
from .corner_weighted import corner_codes
from .default import GroupStimuli, Stimuli
from .dispatch import stimuli_of as stimuli_of
from .dispatch import stimulus as stimulus
from .dots import DotStimuli
from .few_bits import (
    BitSerialPeStimuli,
    BsTileStimuli,
    FpIntPeStimuli,
    LutDotStimuli,
    TermGenStimuli,
    TernaryStimuli,
)
from .integers import IntegerRowStimuli, RequantStimuli, ShiftExpStimuli
from .rows import RowStimuli
from .wrapped import BoxesStimuli, LanesStimuli

stimuli_of.register(Accumulator, GroupStimuli)
stimuli_of.register(Dot, DotStimuli)
stimuli_of.register(RowUnit, RowStimuli)
stimuli_of.register(LaneUnit, LaneStimuli)
stimuli_of.register(Nvfp4Quant, Nvfp4QuantStimuli)
stimuli_of.register(Requant, RequantStimuli)
stimuli_of.register(Boxes, BoxesStimuli)
stimuli_of.register(Lanes, LanesStimuli)
stimuli_of.register(ShiftExp, ShiftExpStimuli)
stimuli_of.register(IntegerRow, IntegerRowStimuli)
stimuli_of.register(TermGen, TermGenStimuli)
stimuli_of.register(BitSerialPe, BitSerialPeStimuli)
stimuli_of.register(BsTile, BsTileStimuli)
stimuli_of.register(FpIntPe, FpIntPeStimuli)
stimuli_of.register(LutDot, LutDotStimuli)
stimuli_of.register(Ternary, TernaryStimuli)


# -- powers of two ------------------------------------------------------------------------------


@stimuli_of.register(Scalb)
class ScalbStimuli(Stimuli):
    """In most vectors exponents that do not take every number out of the result's range."""

    unit: Scalb

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        a, by, *others = codes
        f, most = self.unit.by, self.unit.most
        low, high = max(-most, int(f.min)), min(most, int(f.max))
        near = rng.integers(low, high, len(by), endpoint=True).astype(np.uint64)
        near &= np.uint64((1 << f.bits) - 1)
        few = rng.integers(8, size=len(by)) == 0
        return [a, np.where(few, by, near), *others]


@stimuli_of.register(ScaledSum)
class ScaledSumStimuli(GroupStimuli):
    """Powers of two that are near each other, most of them."""

    unit: ScaledSum

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        a, by = codes
        f = self.unit.by
        low, high = max(int(f.min), -12), min(int(f.max), 12)
        near = rng.integers(low, high, len(by), endpoint=True).astype(np.uint64)
        near &= np.uint64((1 << f.bits) - 1)
        return [a, np.where(rng.integers(8, size=len(by)) == 0, by, near)]


# -- chains --------------------------------------------------------------------------------------


@stimuli_of.register(AnFma)
class AnFmaStimuli(Stimuli):
    """States near the product: at any distance that matters, or the same but for an ulp."""

    unit: AnFma

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        formats = self.unit.operands.values()
        a, b, _ = (x.astype(f.dtype) for x, f in zip(codes, formats, strict=True))
        product = self.unit.column(a[..., None], b[..., None], state=True)
        return [a, b, states_near(self.unit, product, rng)]


@stimuli_of.register(ColumnEnd)
class ColumnEndStimuli(Stimuli):
    """States whose results are about the least and the greatest, most of them."""

    unit: ColumnEnd

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        n = len(codes[0])
        f = (1 << self.unit.w) - 1 - rng.integers(0, 4, n)
        e = rng.choice([1, -1], n) * (self.unit.out.bias + rng.integers(-2, 2, n))
        return [states_near(self.unit, State(0 * f, e, f, 0 * f), rng)]


def states_near(unit: Chained, near: State, rng: np.random.Generator) -> np.ndarray:
    """Codes of random states of a chain's unit, of which most have exponents and significands
    within reach of those of `near`, whose shape they have."""
    shape = near.sign.shape

    def some(one_in: int) -> np.ndarray:
        return rng.integers(one_in, size=shape) == 0

    f, g = rng.integers(0, 1 << unit.w, (2, *shape))
    f = np.where(some(3), f & g, np.where(some(3), f | g, f))
    f >>= np.where(some(2), 0, rng.integers(0, unit.w + 1, shape))
    f = np.where(some(4), near.significand + rng.integers(-1, 1, shape, endpoint=True), f)
    half = 1 << (unit.exponent_bits - 1)
    e = near.exponent + rng.integers(-unit.w - 3, unit.w + 3, shape, endpoint=True)
    e = np.where(some(4), near.exponent, np.where(some(8), rng.integers(-half, half, shape), e))
    flags = np.where(some(8), rng.integers(8, size=shape), 0)
    signs = rng.integers(2, size=shape)
    return unit.pack_state(State(signs, e, f & ((1 << unit.w) - 1), flags))


# -- exact sums, and units of several formats --------------------------------------------------


@stimuli_of.register(Kulisch)
class KulischStimuli(GroupStimuli):
    """Infinities and NaN in few vectors, as a group with one of them tries nothing else; in some
    the factors of the one before with the other sign, so that sums cancel."""

    unit: Kulisch

    @property
    def longest_group(self) -> int:
        return min(self.unit.k, super().longest_group)

    @property
    def greatest_group(self) -> int:
        return self.unit.k

    @property
    def usual_group(self) -> int:
        return min(self.unit.k, super().usual_group)

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        formats = list(self.unit.operands.values())
        kept = rng.integers(64, size=len(codes[0])) == 0
        again = 1 + 2 * np.flatnonzero(rng.integers(4, size=len(kept) // 2) == 0)
        columns = []
        for x, f in zip(codes, formats, strict=True):
            x = np.where(kept | ~_is_infinite_or_nan(f, x.astype(f.dtype)), x.astype(f.dtype), 0)
            x[again] = x[again - 1]
            columns.append(x)
        if formats[1].is_float and formats[1].signed:
            columns[1][again] ^= formats[1].dtype.type(1 << (formats[1].bits - 1))
        return columns


@stimuli_of.register(DotMulti)
class DotMultiStimuli(Stimuli):
    """Elements of their own, corners of the mode's format among them; in half of the vectors pairs
    that cancel, and an addend near the sum of the others."""

    unit: DotMulti

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        n = len(codes[0])
        modes = np.array([0, 1, 2, 4, 5, 6])[rng.integers(6, size=n)]
        a, b = (np.zeros((n, 4), np.uint8) for _ in "ab")
        for code, name in MODES.items():
            f, rows = format(name), modes == code
            corners = corner_codes(f)
            shape = (2, int(rows.sum()), 8 if f.bits == 4 else 4)
            some = np.where(
                rng.integers(3, size=shape) > 0,
                rng.integers(0, 1 << f.bits, shape),
                rng.choice(corners, shape),
            )
            special = _is_infinite_or_nan(f, some.astype(f.dtype))
            some = np.where(special & (rng.integers(16, size=shape) > 0), 0, some)
            if f.bits == 4:
                some = some[..., ::2] | some[..., 1::2] << 4
            a[rows], b[rows] = some
        again = np.flatnonzero(rng.integers(2, size=n))
        a[again, 2:] = a[again, 1::-1]
        b[again, 2:] = b[again, 1::-1]
        floats = again[modes[again] >= 4]
        b[floats, 2:] ^= np.where(modes[floats, None] == 6, 0x20, 0x80).astype(np.uint8)
        words = [np.ascontiguousarray(x).view("<u4")[:, 0] for x in (a, b)]
        zero = np.zeros(n, np.uint32)
        near = self.unit(*words, zero, modes.astype(np.uint8)) ^ (1 << 31)
        near = near + rng.integers(-1, 2, n) - (rng.integers(0, 40, n) << 23)
        rows = rng.integers(3, size=n) == 0
        c = np.where(rows, near & 0xFFFFFFFF, codes[2].astype(np.int64))
        odd = np.where(rng.integers(16, size=n) == 0, codes[3].astype(np.int64), modes)
        return [*words, c.astype(np.uint32), odd.astype(np.uint8)]


def _is_infinite_or_nan(f: Format, codes: np.ndarray) -> np.ndarray:
    n = f.numbers
    if not f.is_float:
        return np.zeros(codes.shape, bool)
    magnitudes = codes & f.dtype.type(n.mag_mask)
    special = codes == n.nan_code if n.nan_code >= 0 else np.zeros(codes.shape, bool)
    if n.first_nan_mag >= 0:
        special |= magnitudes >= n.first_nan_mag
    return special | (magnitudes == n.inf_mag) if n.inf_mag >= 0 else special


@stimuli_of.register(BitplaneDot)
class BitplaneDotStimuli(GroupStimuli):
    """Random codes, as many as asked for even where there are fewer pairs: it matters in which
    lane a code is."""

    unit: BitplaneDot

    @property
    def longest_group(self) -> int:
        return min(self.unit.k, 2 * self.unit.lanes + 1)

    @property
    def greatest_group(self) -> int:
        return self.unit.k

    @property
    def usual_group(self) -> int:
        return min(self.unit.k, 4 * self.unit.lanes)

    def operands(self, n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
        rng = np.random.default_rng(n)
        formats = self.unit.operands.values()
        return tuple(rng.integers(0, 1 << f.bits, n, f.dtype) for f in formats)


@stimuli_of.register(Multi)
class MultiStimuli(Stimuli):
    """Words of all formats alike, with codes that the multiply-add of the format is tried with."""

    unit: Multi

    def operands(self, n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
        u, rng = self.unit, np.random.default_rng(seed)
        ports = list(u.operands.values())
        fmt, *rm = (rng.integers(1 << f.bits, size=n).astype(f.dtype) for f in ports[3:])
        words = [np.zeros(n, f.dtype) for f in ports[:3]]
        for k, one in enumerate(u.fmas):
            rows = np.flatnonzero(np.minimum(fmt, len(u.fmas) - 1) == k)
            lanes = u.word // one.a.bits
            found = stimulus(one, max(1, rows.size * lanes), seed + k)
            chosen = np.resize(rng.permutation(found[0].size), (rows.size, lanes))
            for word, x in zip(words, found, strict=False):
                word[rows] = join(x[chosen], one.a)
        return *words, fmt, *rm


# -- engines -------------------------------------------------------------------------------------


@stimuli_of.register(Codebook)
class CodebookStimuli(Stimuli):
    """Tables, written in any order and some entries twice, each with as many codes as it has
    entries, at most 16."""

    unit: Codebook

    @property
    def call_formats(self) -> list[Format]:
        return [self.unit.code_formats[name] for name in self.unit.operands]

    def operands(self, n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
        u = self.unit
        rng, reads = np.random.default_rng(seed), min(u.entries, 16)
        writes = u.entries + u.entries // 2
        found = []
        for name, f in zip(u.operands, self.call_formats, strict=True):
            lanes = u.lanes[name][1:] if name in u.lanes else ()
            shape = (n, writes if name == "word" else reads, *lanes)
            found.append(rng.integers(0, 1 << f.bits, shape, dtype=f.dtype))
        twice = rng.integers(0, u.entries, (n, writes - u.entries))
        every = np.broadcast_to(np.arange(u.entries), (n, u.entries))
        address = rng.permuted(np.concatenate([every, twice], axis=1), axis=1)
        found[-1] = address.astype(found[-1].dtype)
        return tuple(found)


@stimuli_of.register(Engine)
class EngineStimuli(Stimuli):
    """Tiles of operands that its elements are tried with, of one vector of activations each."""

    unit: Engine

    USUAL_VECTORS = 64
    """Vectors of activations that weights are taken to stay for where an engine is put to use."""

    @property
    def call_formats(self) -> list[Format]:
        factors = [f for f, _ in self.unit.units.factors.values()]
        return [*factors, self.unit.units.first]

    def operands(self, n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
        u = self.unit
        size = n * u.rows * u.columns
        start = u.units.start
        factors = stimulus(u.units.units[0], size, seed)
        c = stimulus(start, size, seed)[0] if start else stimulus(u.units.add, size, seed)[-1]
        rng = np.random.default_rng(n)
        found = []
        for x, name in zip(factors, u.units.factors, strict=False):
            right = name in RIGHT
            x = rng.choice(x, (n, u.rows, u.columns) if right else (n, 1, u.rows))
            if u.units.add.lane_formats:  # lanes of a dot product stay together
                x = x.swapaxes(-1, -2).reshape(n, -1, u.columns) if right else x.reshape(n, 1, -1)
            found.append(x)
        return *found, rng.choice(c, (n, 1, u.columns))

    def usual_call(self, operands: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        """Tiles of `USUAL_VECTORS` vectors of activations."""
        vectors = self.USUAL_VECTORS
        tiles = len(operands[0]) // vectors
        return tuple(
            x[:tiles] if name in RIGHT else x[: tiles * vectors].reshape(tiles, vectors, -1)
            for name, x in zip(self.unit.operands, operands, strict=True)
        )
