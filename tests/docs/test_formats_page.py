"""The page of formats: codes and names are those of independent implementations."""

from __future__ import annotations

import math

import gfloat
import ml_dtypes
import numpy as np
import pytest
from gfloat import formats as gfloat_formats

import hwarith as hw
from docs import format_tables
from hwarith.formats.elsewhere import NAMES

GFLOAT = {
    info.name: info for info in vars(gfloat_formats).values() if isinstance(info, gfloat.FormatInfo)
}
SMALL = [f for f in map(hw.format, NAMES) if f.bits <= 8]


def named(library: str) -> dict[str, str]:
    """What a library calls the formats that it has."""
    return {name: others[library] for name, others in NAMES.items() if others[library] != "-"}


@pytest.mark.parametrize(("name", "theirs"), named("ml_dtypes").items())
def test_names_of_ml_dtypes(name: str, theirs: str) -> None:
    assert hw.format(np.dtype(getattr(ml_dtypes, theirs, theirs))) is hw.format(name)


@pytest.mark.parametrize(("name", "theirs"), named("gfloat").items())
def test_names_of_gfloat(name: str, theirs: str) -> None:
    f, info = hw.format(name), GFLOAT[theirs]
    codes = range(1 << f.bits) if f.bits <= 8 else (0, 1, f.numbers.max_mag, f.numbers.inf_mag)
    for c in codes:
        ours, their = float(f.decode(c)), gfloat.decode_float(info, c).fval
        assert ours == their or (math.isnan(ours) and math.isnan(their)), hex(c)


@pytest.mark.parametrize("f", SMALL, ids=str)
def test_codes_of_infinities_and_nan(f: hw.Format) -> None:
    """Those that the tables name are those that decode to them."""
    values = f.decode(f.codes()[: 1 << (f.bits - f.ignored_bits)]).astype(float)
    assert spread(format_tables.infinities(f)) == {*np.flatnonzero(np.isinf(values))}
    assert spread(format_tables.nans(f)) == {*np.flatnonzero(np.isnan(values))}


def spread(text: str) -> set[int]:
    """The codes of a text such as ``7D..7F, FD..FF``."""
    found: set[int] = set()
    for part in filter(None, text.split(", ")):
        first, _, last = part.partition("..")
        found |= set(range(int(first, 16), int(last or first, 16) + 1))
    return found


@pytest.mark.parametrize("f", SMALL, ids=str)
def test_tables_of_values(f: hw.Format) -> None:
    """Each cell is the value of the code of its row and column."""
    lines = [line for line in format_tables.value_table(f).splitlines() if "**" in line]
    rows = [line.strip("| ").split(" | ") for line in lines]
    cells = [(int(r[0].strip("*"), 16) + i, text) for r in rows for i, text in enumerate(r[1:])]
    assert [c for c, _ in cells] == list(range(len(cells)))
    assert len(cells) in ((1 << f.bits), (1 << f.bits) // 2)
    for c, text in cells:
        base, _, power = text.replace("∞", "inf").partition("^")
        value = float(base) ** float(power or 1)
        assert value == float(f.decode(c)) or (math.isnan(value) and math.isnan(float(f.decode(c))))
