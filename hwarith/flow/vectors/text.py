"""Vectors as files.

What all but TestFloat's format have: the spec of the unit, and the names of the columns. Codes are
hexadecimal, in digits of fixed width, the first port first; a result that does not come with a
transfer is made of the digit x (in tables empty).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from ...formats import Format
from ...units import Unit
from ...version import release
from ..stimuli.calls import condition
from .flags import flagged


class Columns(Protocol):
    """What is written of `hwarith.flow.vectors.Vectors`, which says what each is."""

    @property
    def unit(self) -> Unit: ...

    @property
    def seed(self) -> int: ...

    @property
    def inputs(self) -> dict[str, np.ndarray]: ...

    @property
    def results(self) -> dict[str, np.ndarray]: ...

    @property
    def complete(self) -> np.ndarray: ...

    @property
    def classes(self) -> np.ndarray: ...

    @property
    def counts(self) -> dict[str, int]: ...


def digits(f: Format) -> int:
    """Hexadecimal digits of a code."""
    return -(-f.bits // 4)


def hexadecimal(code: int, f: Format) -> str:
    """A code in as many hexadecimal digits as its format takes: ``0x3F80``."""
    return f"0x{int(code):0{digits(f)}X}"


def ports(u: Unit) -> dict[str, Format]:
    """Names and formats of the columns, in order: inputs, then results."""
    return u.inputs | u.results


def hex_lines(v: Columns) -> bytes:
    """A line for each transfer, with spaces between codes; comments begin with ``#``."""
    columns = [f"  {name}: {f.name}, {f.bits} bits" for name, f in ports(v.unit).items()]
    header = _header(v, "Columns, codes in hexadecimal:", columns)
    lines = (" ".join(row) for row in _rows(v, ports(v.unit)))
    return _text("# ", header, _with_classes(v, lines, "# "))


def memh(v: Columns) -> bytes:
    """A word for each transfer, the first port on top, each port in whole hexadecimal digits with
    an underscore between ports; comments begin with ``//``."""
    places, low = [], 0
    for name, f in reversed(ports(v.unit).items()):
        places.append(f"  [{low + f.bits - 1}:{low}] {name}: {f.name}, {f.bits} bits")
        low += 4 * digits(f)
    header = _header(v, f"Words of {low} bits for $readmemh:", places[::-1])
    lines = memh_words(v, tuple(ports(v.unit))).splitlines()
    return _text("// ", header, _with_classes(v, lines, "// "))


def memh_words(v: Columns, names: tuple[str, ...]) -> str:
    """The words of these ports alone."""
    formats = ports(v.unit)
    return "".join(
        "_".join(row) + "\n" for row in _rows(v, {name: formats[name] for name in names})
    )


def testfloat(v: Columns) -> bytes:
    """A line for each vector: operands, result, exception flags in two digits.

    A unit without flags gets those of the same unit with ``flags=after``. Raises `InvalidInput`
    for a unit that no function of TestFloat is like.
    """
    u = flagged(v.unit)
    columns = list(v.inputs.values())
    results = u(*columns)
    formats = [*u.inputs.values(), *u.results.values()]
    line = " ".join([f"{{:0{digits(f)}X}}" for f in formats[:-1]] + ["{:02X}"]).format
    rows = map(line, *(x.tolist() for x in (*columns, *results)))
    return "".join(f"{row}\n" for row in rows).encode()


def csv(v: Columns) -> bytes:
    """A table with titles: the class, and codes with ``0x`` in front; the spec as a comment."""
    lines = [f"# {v.unit.spec}", ",".join(["class", *ports(v.unit)])]
    for name, row in zip(v.classes.tolist(), _rows(v, ports(v.unit)), strict=True):
        lines.append(",".join([name, *("" if code[0] == "x" else f"0x{code}" for code in row)]))
    return "".join(f"{line}\n" for line in lines).encode()


def npz(v: Columns) -> bytes:
    """Arrays by the names of the ports, and ``complete``, ``class`` and ``spec``; codes of more
    than 64 bits are rows of 32-bit words, the lowest first."""
    columns = v.inputs | v.results
    arrays: dict[str, Any] = {name: words(columns[name], f) for name, f in ports(v.unit).items()}
    facts: dict[str, Any] = {
        "complete": v.complete,
        "class": v.classes,
        "spec": np.array(v.unit.spec),
    }
    file = io.BytesIO()
    np.savez_compressed(file, **arrays, **facts)
    return file.getvalue()


def words(codes: np.ndarray, f: Format) -> np.ndarray:
    """Codes as an array of machine integers: what is wider than 64 bits in words of 32."""
    if not codes.dtype.hasobject:
        return codes
    count = -(-f.bits // 32)
    parts = [[int(code) >> (32 * i) & 0xFFFFFFFF for i in range(count)] for code in codes]
    return np.array(parts, np.uint32).reshape(len(codes), count)


def _rows(v: Columns, formats: dict[str, Format]) -> Iterable[tuple[str, ...]]:
    """The codes of each transfer as text."""
    return zip(*(_column(v, name, f) for name, f in formats.items()), strict=True)


def _column(v: Columns, name: str, f: Format) -> Iterable[str]:
    """The codes of a port as text."""
    codes = map(f"{{:0{digits(f)}X}}".format, (v.inputs | v.results)[name].tolist())
    if name in v.inputs:
        return codes
    none = "x" * digits(f)
    pairs = zip(codes, v.complete.tolist(), strict=True)
    return (code if comes else none for code, comes in pairs)


def _header(v: Columns, title: str, columns: list[str]) -> list[str]:
    u = v.unit
    counts = [f"  {name} {count}: {condition(u, name)}" for name, count in v.counts.items()]
    waits = u.transfers.completes
    note = [f"  Results come with {waits[0]}={waits[1]}; x: none."] if waits else []
    return [
        u.spec,
        title,
        *columns,
        *note,
        f"Seed {v.seed}; classes:",
        *counts,
        f"Generated by hwarith {release()}",
    ]


def _with_classes(v: Columns, lines: Iterable[str], comment: str) -> Iterator[str]:
    """The lines, with a comment before the first of each class that follow each other."""
    named = zip(v.classes.tolist(), lines, strict=True)
    for name, group in groupby(named, lambda pair: pair[0]):
        yield f"{comment}class {name}: {condition(v.unit, name)}"
        yield from (line for _, line in group)


def _text(comment: str, header: list[str], lines: Iterable[str]) -> bytes:
    whole = [comment + line for line in header]
    return "".join(f"{line}\n" for line in (*whole, *lines)).encode()
