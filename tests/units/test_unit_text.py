"""Families and units as people read them."""

from __future__ import annotations

from hwarith.units import FAMILIES, unit
from hwarith.units.text import family_rows, parameter_rows, port_rows, unit_row


def test_families() -> None:
    rows = family_rows()
    assert [row["unit"] for row in rows] == list(FAMILIES)
    assert all(rows)


def test_unit() -> None:
    u = unit("fma:a=bf16,c=fp32,out=fp32")
    row = unit_row(u)
    assert (row["spec"], row["name"], row["what"]) == (u.spec, u.name, u.summary)
    assert [row["kind"], row["bound"], row["source"]] == list(u.contract)
    assert row["NaN"] == "0x7fc00000, whatever NaN an operand is"


def test_ports() -> None:
    rows = port_rows(unit("fma:a=bf16,c=fp32,out=fp32,stages=2"))
    assert [row["port"] for row in rows] == [
        *("clk", "rst", "i_valid", "i_ready", "a", "b", "c", "o_valid", "o_ready", "y")
    ]
    assert rows[6] == {
        "port": "c",
        "direction": "input",
        "bits": 32,
        "format": "fp32",
        "meaning": "addend",
    }


def test_parameters() -> None:
    rows = {row["parameter"]: row for row in parameter_rows(unit("mul:a=bf16,stages=2"))}
    assert rows["target_delay"]["value"] is None
    assert rows["b"]["value"] == "bf16"
    assert (rows["stages"]["value"], rows["stages"]["allowed"]) == ("2", "0 to 8")
