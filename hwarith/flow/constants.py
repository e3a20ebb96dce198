"""Constants of a unit's formats by their names in Verilog, and a package of SystemVerilog."""

from __future__ import annotations

from collections.abc import Iterable

from ..formats import Format
from ..formats.boxes import BoxedFormat
from ..rtl.floats.specials import Specials
from ..units import Unit

LEAST_BITS = 7
"""Bits of the shortest code that has a name: shorter ones are met where no code is meant."""


def _name(f: Format) -> str:
    return f.name.upper()


def _floats(ports: Iterable[Format]) -> list[Format]:
    """The float formats of ports, or of the codes within, each once."""
    within = (f.inner if isinstance(f, BoxedFormat) else f for f in ports)
    return list(dict.fromkeys(f for f in within if f.is_float))


def _codes(f: Format) -> dict[str, tuple[int, int]]:
    """Values and widths of a float format's special codes, by their names. Of those that have a
    sign it is the magnitude."""
    codes = Specials(f)
    found = {"NAN": (codes.nan, f.bits), "INFINITY": (codes.infinity, codes.magnitude_bits)}
    found["LARGEST"] = (codes.largest, codes.magnitude_bits)
    return {name: (x, width) for name, (x, width) in found.items() if x is not None}


def constants(u: Unit) -> dict[tuple[int, int], str]:
    """The names of constants, by value and width: special codes of the results' formats."""
    found: dict[tuple[int, int], str] = {}
    for f in _floats(u.results.values()):
        for name, (value, width) in _codes(f).items():
            if width >= LEAST_BITS:
                found.setdefault((value, width), f"{_name(f)}_{name}")
    return found


def package(u: Unit, name: str) -> str:
    """A package of SystemVerilog: of each float format of a unit a structure with the fields of a
    code, and the facts of the format as constants."""
    lines = [f"package {name};"]
    for f in _floats((u.operands | u.results).values()):
        fields = {"sign": int(f.signed), "exponent": f.exponent_bits, "fraction": f.fraction_bits}
        if f.is_posit:
            fields = {"sign": 1, "rest": f.bits - 1}
        fields = {"ignored": f.ignored_bits} | fields
        lines.append("  typedef struct packed {")
        lines += [
            f"    logic {f'[{width - 1}:0] ' if width > 1 else ''}{field};"
            for field, width in fields.items()
            if width
        ]
        lines.append(f"  }} {f.name}_t;")
        if not f.is_posit:
            lines.append(f"  localparam int {_name(f)}_BIAS = {f.bias};")
        lines += [
            f"  localparam logic [{width - 1}:0] {_name(f)}_{constant} = {width}'h{value:x};"
            for constant, (value, width) in _codes(f).items()
        ]
    return "\n".join([*lines, "endpackage", "", ""])
