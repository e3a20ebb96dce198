"""The pages of evidence show the records, and these are what the commands give."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import hwarith as hw
from docs import evidence, figures
from docs.mutated import CAMPAIGN, mutated
from docs.proved import GROUPS, proof
from hwarith.flow.evidence import Compared, Evidence, Mutated, Proved, Records, records

MUL = hw.unit("mul:a=e4m3fn").spec
DAY = "2026-11-27"


def few_records() -> Records:
    every = Compared(65536, 0, True, DAY)
    wrong = Compared(1000, 3, False, DAY)
    known = {
        MUL: Evidence(MUL, "0", Proved("proven", 1.26, 1, DAY), None, {records.HARDWARE: every}),
        "fma:a": Evidence("fma:a", "0", Proved("undecided", 1800.2, 60, DAY)),
        "add:a": Evidence("add:a", "0", None, Mutated(9, 8, 5, 1, 0, 1, 1, DAY)),
        "add:b": Evidence("add:b", "0", None, None, {records.TESTFLOAT: wrong}),
    }
    return Records(known, {DAY: {"yosys": "0.70", "z3": "5"}}, {})


def test_tables() -> None:
    tables = evidence.tables(few_records())
    assert (
        f"| `{MUL}` | all 65 536 |  |  | proven, 1.3 s |  | {DAY} |\n"
        in tables["evidence_of_units"]() + "\n"
    )
    assert "| `mul` | 1 | 1 |  | 65 536 |  |  | 1 of 1 |  |" in tables["families"]()
    assert "| `add` | 2 |  |  |  |  |  |  | 6 + 1 of 8 |" in tables["families"]()
    assert tables["open_proofs"]() == f"| `fma:a` | undecided | 1800 | 60 | {DAY} |"
    assert tables["differing"]().splitlines() == [
        f"| `add:b` | {records.TESTFLOAT} | 3 of 1 000 differ | {DAY} |",
        f"| `add:a` | faults | 1 of 8 left | {DAY} |",
    ]
    assert tables["days"]() == f"| {DAY} | 0.70 | 5 |"
    assert "`mul`" not in tables["without_proof"]()
    assert "`fma`" in tables["without_proof"]()
    assert MUL not in tables["without_hardware"]()


def test_a_proof_that_was_not_tried() -> None:
    with pytest.raises(KeyError, match=r"evidence\.py proofs"):
        evidence.tables(few_records())["proved"]("products")


def test_what_tests_compared_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The most of several; what only golden models had, as a total."""
    monkeypatch.setattr(evidence, "today", lambda: DAY)
    odd = [hw.unit(f"mul:a=e3m{m}").spec for m in (1, 2)]
    file = tmp_path / "found.json"
    found = [
        [records.HARDWARE, MUL, True, 65536],
        [records.HARDWARE, MUL, False, 1 << 20],
        [records.EXACT, odd[0], True, 256],
        [records.EXACT, odd[1], False, 100],
        [records.EXACT, odd[1], False, 90],
        [records.HARDWARE, "mine:a=3", True, 8],
    ]
    file.write_text(json.dumps(found), encoding="utf-8")
    known = Records({}, {}, {})
    evidence.of_tests(known, file)
    assert {*known.units} == {MUL}
    assert known.of(MUL).compared == {records.HARDWARE: Compared(65536, 0, True, DAY)}
    assert known.totals == {"mul": records.Total(2, 1, 356, DAY)}


def test_a_record_is_on_the_page() -> None:
    kept = records.read_records()
    e = kept.of(MUL)
    assert e.proof is not None
    kept.units[MUL] = replace(e, proof=replace(e.proof, seconds=e.proof.seconds + 1))
    page = figures.ROOT / "docs" / "evidence.md"
    assert evidence.tables(kept)["evidence_of_units"]() not in page.read_text(encoding="utf-8")
    now = evidence.tables(records.read_records())["evidence_of_units"]()
    assert now in page.read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.parametrize("spec", [spec for specs in GROUPS.values() for spec in specs])
def test_proofs_are_what_the_command_gives(spec: str) -> None:
    kept = records.evidence(spec).proof
    assert kept is not None
    assert proof(spec)[0] == kept.verdict


@pytest.mark.long
@pytest.mark.parametrize("spec", CAMPAIGN)
def test_faults_are_what_the_command_gives(spec: str) -> None:
    kept = records.evidence(spec).mutants
    assert kept is not None
    assert Mutated(*mutated(spec), kept.date) == kept
