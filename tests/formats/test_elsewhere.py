"""The facts of formats, and what others call them."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from hwarith.formats import BLOCKS, format
from hwarith.formats.elsewhere import NAMES, NOTES, names_elsewhere
from hwarith.formats.facts import format_facts
from hwarith.formats.names import ALIASES
from hwarith.formats.scalar import NAMED


def test_every_type_of_ml_dtypes_has_its_format() -> None:
    """Codes and values of each are compared in tests/docs/test_formats_page.py."""
    there = {n for n in dir(ml_dtypes) if n.startswith(("float", "bfloat"))}
    assert there <= {others["ml_dtypes"] for others in NAMES.values()}


def test_notes_and_aliases_are_of_formats() -> None:
    assert {*NOTES, *ALIASES} <= {*NAMED, *BLOCKS}
    assert names_elsewhere("e6m9") == {}
    assert format_facts(format("e6m9"))["fields"] == "sign 1, exponent 6, fraction 9"


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("e4m3", {"bias": 7, "largest": 240, "infinities": "0x78"}),
        ("e5m2", {"bias": 15, "largest": 57344, "smallest": 2**-16, "infinities": "0x7c"}),
        ("e4m3fnuz", {"largest": 240, "NaN": "0x80, in place of -0", "-0": "no"}),
        ("ue4m3", {"fields": "unused 1, exponent 4, fraction 3", "NaN": "0x7f"}),
        ("fp16", {"NaN": "0x7e00; 2,046 codes with the exponent all ones"}),
        ("e8m0fnu", {"fields": "exponent 8", "smallest": 2.0**-127, "NaN": "0xff"}),
        ("int8", {"largest": 127, "lowest": -128}),
        ("mxint8_element", {"largest": 127 / 64, "lowest": -127 / 64}),
        ("uint4", {"largest": 15, "lowest": 0}),
        ("nvfp4", {"block": 16, "scale": "ue4m3", "bits per element": 4.5}),
    ],
)
def test_facts(name: str, facts: dict[str, object]) -> None:
    found = format_facts(format(name))
    assert {key: found[key] for key in facts} == facts


def test_nan_codes_are_those_that_decode_so() -> None:
    for f in NAMED.values():
        if not f.is_float or f.bits > 16:
            continue
        codes = np.flatnonzero(np.isnan(np.asarray(f.decode(f.codes()), np.float64))).tolist()
        said = str(format_facts(f)["NaN"])
        if ";" in said:
            assert int(said.split("; ")[1].split()[0].replace(",", "")) == len(codes)
        elif f.ignored_bits == 0:
            listed = [] if said == "none" else said.split(", in")[0].split(", ")
            assert [int(code, 16) for code in listed] == codes, f
