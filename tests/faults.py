"""Faults put into generated Verilog: no check counts that has not found one."""

from __future__ import annotations

import re

import hwarith as hw
from hwarith.units import Unit


def faulty(unit: Unit | str, pattern: str, new: str, most: int = 1) -> str:
    """The Verilog of a unit with what the pattern finds in it replaced.

    It is searched in the statements, each in one line, and not in the header. It must be found, and
    no more than so many times.
    """
    header, _, statements = hw.verilog(unit).partition("\nmodule ")
    in_lines = re.sub(r"\n {6,}(?=\S)", " ", f"\nmodule {statements}")
    changed, count = re.subn(pattern, new, in_lines)
    assert 1 <= count <= most, f"{pattern}: found {count} times"
    return header + changed


RESET_OF_VALID = r"if \(rst\) begin\s+valid_1 <= 1'b0;\s+end else if"
"""How the first rank of a pipeline forgets what it holds."""
