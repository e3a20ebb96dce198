"""What units of blocks have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import BlockFormat, Format, format
from ...lazily import np
from ...rtl import Raw, Values, wire
from ..parameters import text_parameter

NUMBERS = ("fp32", "bf16")
"""Formats of numbers that are quantized: those with the exponents of the scales."""


def number_parameter(default: str, allowed: Sequence[str] = NUMBERS) -> Any:
    """A field that holds the format of the numbers of a block."""

    def parse(value: Any) -> Format:
        found = format(value)
        if found.name not in allowed:
            raise InvalidInput(f"must be {' or '.join(allowed)}, not {found}")
        return found

    return text_parameter("of the numbers", parse, " ".join(allowed), format(default))


def block_parameter(help: str, default: str | None) -> Any:
    """A field that holds a `BlockFormat`, given by its name, which may stand in parentheses."""

    def parse(value: Any) -> BlockFormat:
        text = value.strip() if isinstance(value, str) else value
        if isinstance(text, str) and text.startswith("(") and text.endswith(")"):
            text = text[1:-1]
        found = format(text)
        if not isinstance(found, BlockFormat):
            raise InvalidInput(f"must be a format of blocks, such as mxfp4, not {found}")
        return found

    def in_name(_: str, f: BlockFormat) -> str:
        return re.sub(r"\W+", "_", f.name.replace("+", "p"))

    def in_spec(f: BlockFormat) -> str:
        return f"({f})" if ":" in f.name else f.name

    value = format(default) if default else None
    return text_parameter(
        help, parse, "a format of blocks", value, in_name=in_name, in_spec=in_spec
    )


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


def first_greatest(m: Module, name: str, values: list[Value]) -> tuple[Value, list[Value]]:
    """The greatest of unsigned numbers of one width, and a bit for each: whether it is the first
    such."""
    found = [(x, [Const(1, 1)]) for x in values]
    level = 0
    while len(found) > 1:
        merged = []
        for i, ((x, of_x), (y, of_y)) in enumerate(zip(found[::2], found[1::2], strict=True)):
            where = f"{name}_level{level}_{i}"
            second, _ = rtl.compare(m, where, y, x)
            greater = wire(m, f"{where}_greatest", Mux(second, y, x))
            bits = Cat(*(bit & ~second for bit in of_x), *(bit & second for bit in of_y))
            merged.append((greater, list(wire(m, f"{where}_first", bits))))
        found, level = merged, level + 1
    return found[0]


def chosen(m: Module, name: str, first: Value, one: Raw, other: Raw) -> Raw:
    """One of two elements, the first of which is finite."""
    width = max(len(one.exponent), len(other.exponent))
    return Raw(
        sign=wire(m, f"{name}_sign", Mux(first, one.sign, other.sign)),
        exponent=wire(m, f"{name}_exponent", Mux(first, one.exponent, other.exponent), width),
        significand=wire(m, f"{name}_significand", Mux(first, one.significand, other.significand)),
        nan=wire(m, f"{name}_nan", ~first & other.nan),
        inf=wire(m, f"{name}_inf", ~first & other.inf),
        zero=wire(m, f"{name}_zero", Mux(first, one.zero, other.zero)),
        special=wire(m, f"{name}_special", ~first & other.special),
        signaling=Const(0, 1),
    )


def finite(sign: Value, exponent: Value, significand: Value, zero: Value) -> Raw:
    """A finite element."""
    no = Const(0, 1)
    return Raw(sign, exponent, significand, nan=no, inf=no, zero=zero, special=no, signaling=no)
