"""What units of blocks have in common."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Mux, Value

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...lazily import np
from ...rtl import Values, wire
from ..parameters import text_parameter

NUMBERS = ("fp32", "bf16")
"""Formats of numbers that are quantized: those with the exponents of the scales."""


def number_parameter(default: str) -> Any:
    """A field that holds the format of the numbers of a block."""

    def parse(value: Any) -> Format:
        found = format(value)
        if found.name not in NUMBERS:
            raise InvalidInput(f"must be {' or '.join(NUMBERS)}, not {found}")
        return found

    return text_parameter("of the numbers", parse, " ".join(NUMBERS), format(default))


def largest(x: np.ndarray, f: Format) -> np.ndarray:
    """The codes of the largest magnitudes of blocks (..., n)."""
    return (x & x.dtype.type(f.numbers.mag_mask)).max(axis=-1)


def unpacked(m: Module, name: str, code: Value, f: Format) -> Values:
    """Sign, biased exponent (1 for subnormals) and significand of a number."""
    raw = rtl.unpack(m, name, code, f)
    return {"sign": raw.sign, "exponent": raw.exponent, "significand": raw.significand}


def greatest_of(m: Module, name: str, values: list[Value]) -> Value:
    """The greatest of unsigned numbers of one width, by comparing pairs, and pairs of these."""
    level = 0
    while len(values) > 1:
        pairs = zip(values[::2], values[1::2], strict=False)
        greater = []
        for i, (x, y) in enumerate(pairs):
            where = f"{name}_{level}_{i}"
            more, _ = rtl.compare(m, where, x, y)
            greater.append(wire(m, where, Mux(more, x, y)))
        values = greater + values[2 * len(greater) :]
        level += 1
    return wire(m, f"greatest_{name}", values[0])
