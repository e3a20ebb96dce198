"""The tables of docs/formats.md, made of the formats themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hwarith.formats import NAMED, Format
from hwarith.formats import format as format_of
from hwarith.formats.elsewhere import LIBRARIES, NAMES
from hwarith.formats.names import ALIASES
from hwarith.formats.text import format_row
from hwarith.tables import number_text


def scalar_formats() -> str:
    """Lines of a table of all named scalar formats."""
    return _lines([_facts(f) for f in NAMED.values()])


def _facts(f: Format) -> list[str]:
    row = format_row(f)
    ends = [f"{float(x):.7g}" for x in (f.max, f.smallest_normal, f.smallest)]
    widths = ["" if row[key] is None else str(row[key]) for key in ("exponent", "fraction", "bias")]
    also = ", ".join(f"`{name}`" for name in ALIASES.get(f.name, ()))
    special = [infinities(f), nans(f), "yes" if f.has_negative_zero else ""]
    return [f"`{f.name}`", str(f.bits), *widths, *ends, *special, also]


def side_by_side(*names: str) -> str:
    """A table of formats in columns, with a fact in each line."""
    formats = [format_of(name) for name in names]
    facts: dict[str, Callable[[Format], object]] = {
        "bias": lambda f: f.bias,
        "largest": lambda f: number_text(format_row(f)["max"]),
        "its code": lambda f: code(f, f.numbers.max_mag),
        "smallest normal": lambda f: number_text(format_row(f)["min normal"]),
        "smallest": lambda f: number_text(format_row(f)["min"]),
        "infinities": lambda f: infinities(f) or "none",
        "NaN": lambda f: nans(f) or "none",
        "1.0": lambda f: code(f, int(f.encode(1.0))),
        "code 7F is": lambda f: value(f, 0x7F),
        "code 80 is": lambda f: value(f, 0x80),
        "1e6 is encoded as": lambda f: value(f, int(f.encode(1e6))),
        "the same, `nosat`": lambda f: value(f, int(f.encode(1e6, overflow="nosat"))),
    }
    head = [["", *(f"`{name}`" for name in names)], ["---", *["--:"] * len(names)]]
    return _lines(
        [*head, *([what, *(str(fact(f)) for f in formats)] for what, fact in facts.items())]
    )


def code(f: Format, value: int) -> str:
    """A code in hexadecimal."""
    return f"{value:0{(f.bits + 3) // 4}X}"


def infinities(f: Format) -> str:
    """The codes of the infinities; empty if there is none."""
    n = f.numbers
    return ", ".join(code(f, n.inf_mag | sign) for sign in _signs(f)) if n.inf_mag >= 0 else ""


def nans(f: Format) -> str:
    """The codes of NaN, as ranges; empty if there is none."""
    n = f.numbers
    if n.first_nan_mag < 0:
        return code(f, n.nan_code) if n.nan_code >= 0 else ""
    ranges = ((n.first_nan_mag | sign, n.mag_mask | sign) for sign in _signs(f))
    return ", ".join(code(f, a) if a == b else f"{code(f, a)}..{code(f, b)}" for a, b in ranges)


def _signs(f: Format) -> tuple[int, ...]:
    return (0, f.numbers.mag_mask + 1) if f.signed else (0,)


def names_elsewhere() -> str:
    """A table of what libraries call each format."""
    head = [["hwarith", *LIBRARIES], ["---"] * (1 + len(LIBRARIES))]
    rows = [[name, *others.values()] for name, others in NAMES.items()]
    return _lines([*head, *([f"`{x}`" if x != "-" else "" for x in row] for row in rows)])


def value_tables() -> str:
    """The values of all codes of each named format of at most 8 bits, each in a part that opens."""
    small = sorted((f for f in NAMED.values() if f.bits <= 8), key=lambda f: f.bits)
    return "\n\n".join(
        f'<details markdown="1"><summary>{f.name}</summary>\n\n{value_table(f)}\n\n</details>'
        for f in small
    )


def value_table(f: Format) -> str:
    """The values of a format's codes; of those with a sign bit the positive half, as the other one
    has the same magnitudes."""
    halved = f.is_float and f.signed
    codes = np.arange(f.numbers.mag_mask + 1 if halved or not f.signed else 1 << f.bits)
    columns = max(8, 1 << f.fraction_bits) if f.fraction_bits else 16
    values = [_text(f, float(x)) for x in f.decode(codes)]
    head = [["", *(f"+{i:X}" for i in range(columns))], ["---", *["--:"] * columns]]
    rows = [
        [f"**{code(f, start)}**", *values[start : start + columns]]
        for start in range(0, len(values), columns)
    ]
    notes = [_other_half(f)] if halved or f.ignored_bits else []
    return "\n\n".join([_lines([*head, *rows]), *notes])


def value(f: Format, c: int) -> str:
    """The value of a code; of a format that has nothing else as a power of two."""
    return _text(f, float(f.decode(c)))


def _text(f: Format, x: float) -> str:
    if f.is_float and not f.fraction_bits and np.isfinite(x):
        return f"2^{int(np.log2(x))}"
    return number_text(x).replace("inf", "∞").replace("nan", "NaN")


def _other_half(f: Format) -> str:
    """What the codes are that a table leaves out."""
    first = code(f, f.numbers.mag_mask + 1)
    if f.ignored_bits:
        return f"Codes from {first} on are the same: the top bit is ignored."
    if f.is_posit:
        return f"{first} is NaR; codes above it, in two's complement, are the same with a minus."
    if f.has_negative_zero:
        return f"Codes from {first} on are the same with a minus ({first} is -0)."
    return f"{first} is NaN; codes above it are the same with a minus."


def _lines(table: list[list[Any]]) -> str:
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in table)


FORMS = {f.__name__: f for f in (scalar_formats, side_by_side, names_elsewhere, value_tables)}
"""What a block of figures may call."""
