"""The facts of a format as people look them up, and the values of all its codes."""

from __future__ import annotations

from ..tables import Table, number_text, tables_of
from .blocks import BlockFormat
from .elsewhere import NOTES, names_elsewhere
from .scalar import Format
from .text import block_row, code_row, format_row

LISTED_BITS = 8
"""Formats of at most so many bits have a table of their values."""

_ACROSS = 4
"""Codes beside each other in that table."""


def format_facts(f: Format | BlockFormat) -> dict[str, object]:
    """What a format is, by titles: its fields, its range, its special codes, what others call it.

    Values are numbers as in `hwarith.formats.text.code_row`.
    """
    if isinstance(f, BlockFormat):
        return _block_facts(f)
    row = format_row(f)
    facts: dict[str, object] = {"format": f.name, "bits": f.bits, "fields": _fields(f)}
    if not f.is_float:
        lowest = int(f.min) if f.min.denominator == 1 else float(f.min)
        return facts | {"largest": row["max"], "lowest": lowest} | _others(f.name)
    if f.is_posit:
        return (
            facts
            | {
                "largest": row["max"],
                "smallest": row["min"],
                "infinities": "none",
                "NaN": f"{f.numbers.nan_code:#x}, in posits called NaR",
                "-0": "no",
                "order": "that of two's complement, NaR below all",
            }
            | _others(f.name)
        )
    facts |= {
        "bias": f.bias,
        "largest": row["max"],
        "smallest normal": row["min normal"],
        "smallest": row["min"],
        "infinities": f"{f.numbers.inf_mag:#x}" if f.infinity else "none",
        "NaN": _nan(f),
        "-0": "yes" if f.has_negative_zero else "no",
    }
    return facts | _others(f.name)


@tables_of.register(Format)
@tables_of.register(BlockFormat)
def format_tables(f: Format | BlockFormat, values: bool = False) -> list[Table]:
    """The facts as a table; with `values` another of all codes of a format of up to 8 bits."""
    facts = format_facts(f)
    table = Table([{"": key, " ": number_text(value)} for key, value in facts.items()])
    codes = code_values(f) if values else []
    return [table, _in_columns(codes)] if codes else [table]


def code_values(f: Format | BlockFormat) -> list[dict[str, object]]:
    """Every code (of blocks, of an element) and its value; none of a format of more than 8 bits."""
    element = f.element if isinstance(f, BlockFormat) else f
    if element.bits > LISTED_BITS:
        return []
    return [code_row(element, int(code)) for code in element.codes()]


def _in_columns(codes: list[dict[str, object]]) -> Table:
    """Codes and values downwards, in four columns."""
    height = -(-len(codes) // _ACROSS)
    rows = [
        {
            f"{name}{' ' * column}": number_text(codes[i + column * height][name])
            for column in range(_ACROSS)
            if i + column * height < len(codes)
            for name in ("code", "value")
        }
        for i in range(height)
    ]
    return Table(rows, f"Values of {codes[0]['format']}")


def _block_facts(f: BlockFormat) -> dict[str, object]:
    facts = dict(block_row(f))
    if f.metadata:
        facts["metadata"] = f"{facts['metadata']}: {f.metadata.meaning}"
    return {
        "format": facts.pop("block format"),
        **facts,
        "source": f.source,
    } | _others(f.name)


def _others(name: str) -> dict[str, object]:
    found: dict[str, object] = {}
    if name in NOTES:
        found["note"] = NOTES[name]
    return found | {
        "also" if who == "hwarith" else f"in {who}": called
        for who, called in names_elsewhere(name).items()
    }


def _fields(f: Format) -> str:
    """From the most significant bit: ``sign 1, exponent 4, fraction 3``."""
    if not f.is_float:
        kind = "two's complement" if f.signed else "unsigned"
        unit = f", units of 2^{f.exponent}" if f.exponent else ""
        return f"{f.bits} bits, {kind}{unit}"
    if f.is_posit:
        return (
            f"{f.bits} bits, two's complement: sign 1, regime 2 to {f.bits - 1}, "
            f"exponent {_at_most(f.exponent_bits)}, fraction {_at_most(f.fraction_bits)}"
        )
    parts = {
        "unused": f.ignored_bits,
        "sign": int(f.signed),
        "exponent": f.exponent_bits,
        "fraction": f.fraction_bits,
    }
    return ", ".join(f"{name} {bits}" for name, bits in parts.items() if bits)


def _at_most(bits: int) -> str:
    return f"0 to {bits}" if bits else "0"


def _nan(f: Format) -> str:
    """Which codes are NaN."""
    n = f.numbers
    if n.nan_code < 0:
        return "none"
    if f.nan == "negative_zero":
        return f"{n.nan_code:#x}, in place of -0"
    if f.nan == "all_ones":
        signed = f", {n.nan_code | 1 << (f.bits - 1):#x}" if f.signed else ""
        return f"{n.nan_code:#x}{signed}"
    count = 2 * ((1 << f.fraction_bits) - 1)
    return f"{n.nan_code:#x}; {count:,} codes with the exponent all ones"
