"""What is known of the matrix instructions of GPUs, with the smallest operands that show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..exceptions import InvalidInput, quoted, unknown
from ..formats import Format
from ..tables import Several, Table
from ..units.dot import PRESETS, Dot, preset


class Shown(NamedTuple):
    """Operands that show something: the lanes of a and b that are not zero, what is added, and the
    result; all of them values."""

    what: str
    lanes: list[tuple[int, float, float]]
    c: float
    result: float


@dataclass(frozen=True)
class Instruction:
    """A matrix instruction's dot product.

    Attributes
    ----------
    name, unit : of the preset, and the dot product that it is.
    sure, note : how its rule is known (`hwarith.units.dot.Preset`), and what else is to be known.
    shown : operands that show its accumulator bits, its block and its rounding.
    """

    name: str
    unit: Dot
    sure: str
    note: str
    shown: list[Shown]

    def row(self) -> dict[str, object]:
        """What a table says of it."""
        u = self.unit
        return {
            "preset": self.name,
            "a": u.a.name,
            "b": u.b.name,
            "c": u.c.name,
            "out": u.out.name,
            "block": u.n,
            "fraction bits": u.acc.bits or None,
            "rounding": u.round,
            "sum": u.acc.words,
            "known": self.sure,
            "note": self.note,
        }


class Devices(Several[str]):
    """Names of devices."""

    def tables(self) -> list[Table]:
        """A row for each."""
        return [Table([{"device": name} for name in self])]


class Instructions(Several[Instruction]):
    """Matrix instructions of a device."""

    def tables(self) -> list[Table]:
        """The instructions, and operands that show their properties."""
        shown = [
            {
                "preset": x.name,
                "products, the others zero": " ".join(f"{i}:{a:g}*{b:g}" for i, a, b in s.lanes),
                "result": f"{s.result:g}",
                "shows": s.what,
            }
            for x in self
            for s in x.shown
        ]
        rows = Table([x.row() for x in self], details=_DETAILS).without_empty((None, ""))
        return [rows, Table(shown)] if shown else [rows]

    def as_dict(self) -> list[dict[str, Any]]:
        """All of it as plain data, for JSON."""
        return [x.row() | {"shown": [s._asdict() for s in x.shown]} for x in self]


_DETAILS = ("a", "b", "c", "out", "sum", "note")
"""The titles of instructions that few ask for: their names have the formats."""


def gpu(device: str | None = None, dtype: str | None = None) -> Devices | Instructions:
    """What is known of a GPU's matrix instructions, of all formats of factors or of one; without a
    device the devices that there are.

    Raises `InvalidInput` for an unknown device, and for a format that it has no preset for.
    """
    if device is not None:
        return Instructions(tuple(instructions(device, dtype)))
    if dtype is not None:
        raise InvalidInput(f"dtype {quoted(dtype)} needs a device; allowed: {', '.join(devices())}")
    return Devices(tuple(devices()))


def devices() -> list[str]:
    """The devices that there are presets of."""
    return list(dict.fromkeys(name.partition("-")[0] for name in PRESETS))


def instructions(device: str, dtype: str | None = None) -> list[Instruction]:
    """The instructions of a device, of all formats of factors or of one.

    Raises `InvalidInput` for an unknown device, and for a format that it has no preset for.
    """
    if device not in devices():
        raise unknown("device", device, devices())
    names = [name for name in PRESETS if name.partition("-")[0] == device]
    formats = {name: _unit(name).a.name for name in names}
    if dtype is not None and dtype not in formats.values():
        allowed = ", ".join(dict.fromkeys(formats.values()))
        raise InvalidInput(
            f"{device} has no instruction for {quoted(dtype)} here; allowed: {allowed}"
        )
    return [instruction(name) for name in names if dtype in (None, formats[name])]


@lru_cache(maxsize=len(PRESETS))
def instruction(name: str) -> Instruction:
    """The instruction of a preset. Raises `InvalidInput` for an unknown name."""
    found, u = preset(name), _unit(name)
    return Instruction(name, u, found.sure, found.note, _shown(u))


def _unit(name: str) -> Dot:
    return Dot(preset=name)


# -- what operands show --------------------------------------------------------------------------


def _shown(u: Dot) -> list[Shown]:
    """Operands that show where terms are cut off, how many products a block has, and how the result
    is rounded; as far as the formats have the values that this takes."""
    found = []
    if u.acc.way == "trunc" and u.scale is None:
        cancelled = [(0, Fraction(1)), (1, Fraction(-1))]
        kept, lost = Fraction(1, 2**u.acc.bits), Fraction(1, 2 ** (u.acc.bits + 1))
        found.append(_of(u, "the last bit that is kept", [*cancelled, (2, kept)]))
        found.append(_of(u, "the first that is not", [*cancelled, (2, lost)]))
        what = f"another block begins with product {u.n}"
        found.append(_of(u, what, [*cancelled, (u.n, lost)]))
    last = Fraction(1, 2**u.rounded.fraction_bits)
    three = [(0, Fraction(1)), (1, last / 2), (2, last / 4)]
    found.append(_of(u, "three quarters of an ulp: how the result is rounded", three))
    return [x for x in found if x is not None]


def _of(u: Dot, what: str, products: Sequence[tuple[int, Fraction]]) -> Shown | None:
    """These products at these lanes, from +0 on; None if the formats do not have them."""
    lanes = []
    for lane, x in products:
        if (pair := _factors(u.a, u.b, x)) is None:
            return None
        lanes.append((lane, *pair))
    length = -(-(max(lane for lane, _ in products) + 1) // u.n) * u.n
    a, b = np.zeros((2, length))
    for lane, left, right in lanes:
        a[lane], b[lane] = left, right
    scales = {}
    if u.scale:
        one = np.full(length // u.block, u.scale.encode(1.0))
        scales = {"sa": one, "sb": one}
    result = u.dot(u.a.encode(a), u.b.encode(b), **scales)
    return Shown(what, lanes, 0.0, float(u.out.decode(result)))


def _factors(f: Format, g: Format, x: Fraction) -> tuple[float, float] | None:
    """Two powers of two, one of each format, whose product is x."""
    sign = -1.0 if x < 0 else 1.0
    exponent = abs(x).numerator.bit_length() - abs(x).denominator.bit_length()
    for left in range(exponent // 2, exponent - 40, -1):
        pair = 2.0**left, 2.0 ** (exponent - left)
        if all(_has(h, y) for h, y in zip((f, g), pair, strict=True)):
            return sign * pair[0], pair[1]
    return None


def _has(f: Format, x: float) -> bool:
    return float(f.decode(f.encode(x))) == x
