"""A user's own SystemVerilog, proved equal to a unit for every input, or refuted."""

from __future__ import annotations

from pathlib import Path

import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput

FILE = Path(__file__).parent / "verilog" / "half_product.sv"
PORTS = {"a": "x", "b": "z", "y": "p"}


def checked(wrong: int, **settings):
    given = {"params": {"WRONG": wrong}, "vectors": 60, **settings}
    return hw.check(FILE, "half_product", "mul:a=fp16", PORTS, **given)


def test_proven() -> None:
    found = checked(0, prove=60)
    assert found.passed
    assert found.proof is not None
    assert found.proof.verdict == "proven"
    assert "proven for every input" in str(found)


def test_one_pair_in_four_billion() -> None:
    """What vectors do not meet is refuted, and the counterexample is that pair."""
    assert checked(1).passed
    found = checked(1, prove=60)
    assert found.proof is not None
    assert found.proof.counterexample == {"a": 0x3A5C, "b": 0x4B21}
    assert not found.passed
    right = hw.unit("mul:a=fp16").golden(0x3A5C, 0x4B21)
    assert (found.proof.golden, found.proof.rtl) == ({"y": right}, {"y": right ^ 1})


def test_only_what_is_combinational() -> None:
    with pytest.raises(InvalidInput, match="for a combinational module, not for a clocked"):
        checked(0, prove=60, latency=1)
    with pytest.raises(InvalidInput, match="timeout must be a number of seconds"):
        checked(0, prove=-1)
