"""What dot products are tried with: sums that cancel, terms at every distance, few special ones."""

from __future__ import annotations

import numpy as np

from ...formats import Format
from ...formats.lanes import split
from ...units.dot import Dot
from ...units.results import several
from .corner_weighted import corner_codes, every_vector
from .default import Stimuli


class DotStimuli(Stimuli):
    """Lanes of codes near each other, of any exponent or at the ends of their formats; in a quarter
    of the vectors products that cancel in pairs, in half an addend that follows from the sum. One
    vector in eight has special codes."""

    unit: Dot

    @property
    def call_formats(self) -> list[Format]:
        u = self.unit
        lanes = [f for f, _ in u.lane_formats.values()]
        return [*lanes, u.addend] if u.addend else lanes

    def operands(self, n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
        u = self.unit
        formats = list(u.operands.values())
        if 1 << sum(f.bits for f in formats) <= n:
            columns = every_vector(formats)
            pairs = zip(columns, u.lane_formats.values(), strict=False)
            lanes = [split(x, *of) for x, of in pairs]
            return (*lanes, *columns[len(u.lane_formats) :])
        rng = np.random.default_rng([n, seed])
        special = rng.integers(8, size=n) == 0
        found = {
            name: _codes(f, (n, count), special, rng) for name, (f, count) in u.lane_formats.items()
        }
        self._cancel(found, rng)
        codes = list(found.values())
        return (*codes, self._addends(codes, special, rng)) if u.addend else tuple(codes)

    def _cancel(self, found: dict[str, np.ndarray], rng: np.random.Generator) -> None:
        """In a quarter of the vectors give the upper half of the lanes the lower half's products
        with the other sign, but for a code in the first lane."""
        u = self.unit
        half = u.n // 2
        if not half or not (u.a.signed and u.a.is_float):
            return
        rows = np.flatnonzero(rng.integers(4, size=len(found["a"])) == 0)
        sign = u.a.dtype.type(1 << (u.a.bits - u.a.ignored_bits - 1))
        for name, flip in (("a", sign), ("b", u.b.dtype.type(0))):
            found[name][rows, half : 2 * half] = found[name][rows, :half] ^ flip
        found["a"][rows, 0] ^= rng.integers(2, size=len(rows)).astype(u.a.dtype)

    def _addends(
        self, lanes: list[np.ndarray], special: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        u = self.unit
        assert u.addend
        n = len(special)
        codes = _codes(u.addend, (n,), special, rng)
        if not u.result.in_float64:
            return codes
        sums = u.result.decode(several(u(*lanes, np.zeros(n, u.addend.dtype)))[0]).astype(float)
        distance = np.where(rng.integers(2, size=n) == 0, 0, rng.integers(-40, 40, n))
        with np.errstate(all="ignore"):
            wanted = np.ldexp(sums, distance) * rng.choice([-1, -1, 1], n)
        near = u.addend.encode(wanted).astype(np.uint64)
        near = (near + rng.integers(-1, 2, n).astype(np.uint64)) & np.uint64(
            (1 << u.addend.bits) - 1
        )
        related = rng.integers(2, size=n) == 0
        return np.where(related, near, codes).astype(u.addend.dtype)


def _codes(
    f: Format, shape: tuple[int, ...], special: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Codes of which only those of `special` vectors may be no ordinary numbers; a vector's have
    exponents near each other, any, or at the ends."""
    n = shape[0]
    of_rows = (n,) + (1,) * (len(shape) - 1)
    anything = rng.integers(0, (1 << f.bits) - 1, shape, np.uint64, endpoint=True)
    kind = rng.integers(4, size=of_rows)
    if f.is_float and f.fraction_bits:
        spread = rng.choice([1, 4, 1 << f.exponent_bits], of_rows)
        middle = rng.integers(0, 1 << f.exponent_bits, of_rows)
        exponent = np.clip(
            middle + rng.integers(-spread, spread + 1), 0, (1 << f.exponent_bits) - 1
        )
        rest = anything & ~np.uint64(((1 << f.exponent_bits) - 1) << f.fraction_bits)
        near = rest | exponent.astype(np.uint64) << np.uint64(f.fraction_bits)
        usual = f.encode(rng.normal(size=shape) * 2.0 ** rng.integers(-3, 4, of_rows))
        found = np.where(kind == 0, anything, np.where(kind == 1, usual.astype(np.uint64), near))
    else:
        middle = rng.integers(0, 1 << f.bits, of_rows)
        near = np.clip(middle + rng.integers(-4, 5, shape), 0, (1 << f.bits) - 1)
        found = np.where(kind == 0, anything, near.astype(np.uint64))
    corners = rng.choice(corner_codes(f), shape).astype(np.uint64)
    found = np.where(rng.integers(8, size=shape) == 0, corners, found).astype(f.dtype)
    if not f.is_float:
        return found
    with np.errstate(all="ignore"):
        ordinary = np.isfinite(f.decode(found).astype(float))
    allowed = special.reshape(of_rows) & (rng.integers(4, size=shape) == 0)
    one = f.dtype.type(f.encode(1))
    return np.where(ordinary | allowed, found, one)
