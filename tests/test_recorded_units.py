"""The hardware of every unit of which evidence is recorded: the catalogue's, and those that are
proved or tried with faults."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from docs.mutated import CAMPAIGN
from docs.proved import GROUPS
from hwarith.flow.evidence import records
from hwarith.flow.stimuli.calls import calls_by_class
from hwarith.units.catalogue import CATALOGUE
from tests.evidence import assert_rtl_equals_golden, compared, rows
from tests.tiers import few

SPECS = sorted(
    {hw.unit(x).spec for specs in (CATALOGUE.values(), CAMPAIGN, *GROUPS.values()) for x in specs}
)


@pytest.mark.parametrize("spec", few(SPECS, 150))
def test_hardware_is_the_golden_model(spec: str) -> None:
    """Every combination of operands of at most 24 bits; a million others, 2^16 blocks, or groups
    with 2^10 operands of each class."""
    u = hw.unit(spec)
    if not u.transfers.controls:
        every = sum(f.bits for f in u.inputs.values()) <= 24
        assert_rtl_equals_golden(spec, 1 << (24 if every else 16 if u.lane_formats else 20))
        return
    simulated = hw.simulate(u)
    for calls in calls_by_class(u, 1 << 10).values():
        for call in calls:
            expected, got = (rows(run(*call)) for run in (u, simulated))
            for x, y in zip(expected, got, strict=True):
                np.testing.assert_array_equal(x, y, err_msg=spec)
            compared(records.HARDWARE, np.size(expected[0]), u)


def test_records_are_of_the_verilog_of_today() -> None:
    """Of some units here, of all in the long tests."""
    known = records.read_records()
    check_digests([known.of(spec) for spec in [*known.units][::40]])


@pytest.mark.long
def test_every_record_is_of_the_verilog_of_today() -> None:
    check_digests([*records.read_records()])


def check_digests(found: list[records.Evidence]) -> None:
    changed = [e.spec for e in found if records.digest(hw.unit(e.spec)) != e.verilog]
    assert not changed, "their Verilog has changed: python docs/evidence.py changed"


def test_a_changed_verilog_is_noticed() -> None:
    u = hw.unit("mul:a=e4m3fn")
    known = records.read_records()
    old = known.of(u.spec)
    assert known.of_today(u) == old
    assert old.proof is not None
    known.units[u.spec] = records.Evidence(u.spec, "0" * 16, old.proof)
    assert known.of_today(u) == records.Evidence(u.spec, old.verilog)
    with pytest.raises(AssertionError, match=r"evidence\.py changed"):
        check_digests([known.of(u.spec)])


def test_what_is_kept_of_two_comparisons() -> None:
    some, more = (records.Compared(n, 0, False, "2026-11-27") for n in (100, 200))
    every = records.Compared(50, 0, True, "2026-11-27")
    wrong = records.Compared(10, 1, False, "2026-11-28")
    e = records.Evidence("x").with_compared("y", some)
    assert e.with_compared("y", more).compared == {"y": more}
    assert e.with_compared("y", more).with_compared("y", some).compared == {"y": more}
    assert e.with_compared("y", every).with_compared("y", more).compared == {"y": every}
    assert e.with_compared("y", wrong).compared == {"y": wrong}  # a difference is never lost
    assert e.with_compared("y", wrong).with_compared("y", some).compared == {"y": some}


def test_rows_say_what_is_known() -> None:
    u = hw.unit("mul:a=e4m3fn")
    found = {row["evidence"]: row["found"] for row in records.evidence(u).rows()}
    assert found[records.HARDWARE] == "65,536 results, of every combination of operands: equal"
    assert str(found["proof for every input"]).startswith("proven in ")
    assert records.evidence("mul:a=e7m9").rows() == []
    assert records.evidence("mul:a=e7m9").as_dict()["proof"] is None


def test_records_are_written_as_they_were_read(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = records.read_records()
    monkeypatch.setattr(records, "FILE", tmp_path / "records.json")
    before.write()
    assert records.read_records() == before
