"""Faults in Verilog: what they change, that checks find them, and which change nothing."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

import hwarith as hw
from docs.mutated import CAMPAIGN, COUNT
from hwarith.flow.mutants import mutate as module
from hwarith.flow.mutants.equivalence import Equivalence
from hwarith.flow.mutants.faults import KINDS, chosen, faults, mutated, with_all
from hwarith.flow.stimuli.default import GroupStimuli
from hwarith.flow.stimuli.families import stimuli_of

SMALL = "add:a=e2m1fn"

TEXT = """module m (
  input  wire       clk,
  input  wire [3:0] a,
  input  wire       s,
  output wire [3:0] y
);
  reg [3:0] r;
  wire [3:0] x = s ? {a[2:0], 1'b0} : (a + ~r);
  wire t = $signed(a) < $signed(4'd5);

  always @(posedge clk) begin
    if (t) begin
      r <= x ^ {4{s}};
    end
  end
  assign y = &a ? r : -x;
endmodule
"""


def lines_changed(text: str, other: str) -> list[tuple[str, str]]:
    pairs = zip(text.splitlines(), other.splitlines(), strict=True)
    return [(a.strip(), b.strip()) for a, b in pairs if a != b]


def changes(kind: str) -> set[str]:
    """The changed lines of all faults of a kind, each of which changes one."""
    found = set()
    for fault in faults(TEXT):
        if fault.kind == kind:
            ((_, line),) = lines_changed(TEXT, mutated(TEXT, fault))
            found.add(line)
    return found


def test_each_kind_of_fault() -> None:
    assert changes("operator") == {
        "wire [3:0] x = s ? {a[2:0], 1'b0} : (a - ~r);",
        "r <= x | {4{s}};",
        "assign y = |a ? r : -x;",
    }
    assert changes("inversion") == {
        "wire [3:0] x = s ? {a[2:0], 1'b0} : (a + r);",
        "assign y = &a ? r : x;",
    }
    assert changes("comparison") == {"wire t = $signed(a) <= $signed(4'd5);"}
    assert changes("index") == {"wire [3:0] x = s ? {a[3:1], 1'b0} : (a + ~r);"}
    assert changes("arms") == {
        "wire [3:0] x = s ? ((a + ~r)) : ({a[2:0], 1'b0});",
        "assign y = &a ? (-x) : (r);",
    }
    assert changes("constant") == {
        "wire [3:0] x = s ? {a[2:0], 1'b1} : (a + ~r);",
        "wire t = $signed(a) < $signed(4'd4);",
    }
    assert {"if (1'b0) begin", "if (1'b1) begin", "wire t = 1'b0;"} <= changes("stuck")
    assert "r <= (x ^ {4{s}}) & 4'he;" in changes("stuck")
    assert "r <= (x ^ {4{s}}) | 4'h8;" in changes("stuck")


def test_arms_of_choices_within_choices() -> None:
    text = TEXT.replace("&a ? r : -x", "s ? t ? a : r : a[0] ? x : y")
    found = {x.by for x in faults(text) if x.kind == "arms"}
    assert {"(a[0] ? x : y) : (t ? a : r)", "(r) : (a)", "(y) : (x)"} <= found


def test_as_many_of_each_kind() -> None:
    found = faults(hw.verilog("fma:a=e3m2"))
    drawn = chosen(found, 70, seed=1)
    counts = Counter(x.kind for x in drawn)
    assert set(counts) == set(KINDS)
    assert len(drawn) == len(set(drawn)) == 70
    assert max(counts.values()) <= 12
    assert drawn == chosen(found, 70, seed=1) != chosen(found, 70, seed=2)
    assert chosen(found, 10**6, seed=1) == found


def test_the_model_with_all_faults_has_each_of_them() -> None:
    """Each mutant's results are those of its own text, compiled by itself."""
    u = hw.unit("mul:a=e2m1fn")
    text = hw.verilog(u)
    drawn = chosen(faults(text), 3, seed=5)
    campaign = module._Campaign(u, text, drawn, lambda done, of: None)
    campaign.simulate(1 << 8, seed=1)
    operands = np.meshgrid(np.arange(16, dtype=np.uint8), np.arange(16, dtype=np.uint8))
    for n, fault in enumerate(drawn, 1):
        alone = hw.simulate(u, mutated(text, fault))
        assert (n in campaign.fates) == bool((alone(*operands) != u(*operands)).any())
        if n in campaign.fates:
            shown = campaign.fates[n].operands.values()
            assert alone(*shown) != u(*shown)


def test_faults_in_parts_of_an_array_reach_the_model() -> None:
    text = hw.verilog("engine:pe=(anfma:a=e4m3,b=e4m3,out=fp16,w=8),rows=2,columns=3")
    found = faults(text)
    whole = with_all(text, chosen(found, 50, seed=1))
    modules = len(re.findall(r"^module ", text, re.MULTILINE))
    assert modules > 1
    assert whole.count("input wire [15:0] mutant") == modules
    assert whole.count(".mutant(mutant)") == len(re.findall(r"^ +\w+ \w+ \(\n +\.", text, re.M))


def test_every_fate() -> None:
    """Faults of a small unit: with all operands; and with so few that proofs must decide."""
    tried = hw.mutate(SMALL, count=12, seed=2)
    assert (tried.exhaustive, tried.unexplained) == (True, ())
    assert {x.by for x in tried.survivors} == {"every combination of operands"}
    left = hw.mutate(SMALL, count=12, seed=2, vectors=30)
    assert not left.exhaustive
    fates = {x.fate for x in left.mutants}
    assert fates == {"killed", "equivalent", "missed"}
    for x, y in zip(tried.mutants, left.mutants, strict=True):
        assert (x.line, x.fault) == (y.line, y.fault)
        assert (x.fate == "equivalent") == (y.fate == "equivalent")
        assert bool(y.operands) == (y.fate != "equivalent")


def test_a_pipeline() -> None:
    found = hw.mutate("mul:a=e2m1fn,stages=1", count=12)
    assert found.count("killed") > 8
    assert not found.unexplained


@pytest.mark.long
def test_real_faults_of_a_memory_are_not_proven_to_change_nothing() -> None:
    """Also where registers may differ while a NaN was met."""
    u = hw.unit("kulisch:a=e2m1,out=e4m3,k=3")
    text = hw.verilog(u)
    drawn = chosen(faults(text), 6, seed=4)
    campaign = module._Campaign(u, text, drawn, lambda done, of: None)
    campaign.simulate(100, seed=1)
    killed = list(campaign.fates)[:3]
    assert len(killed) == 3
    circuits = Equivalence(u, campaign.all_text, 20, 1)
    assert [x.name for x in circuits.guards] == ["met"]
    assert [circuits.outcome(n).verdict for n in killed] == ["refuted"] * 3
    assert circuits.outcome(0).verdict == "proven"


def test_a_unit_that_is_wrong_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    text = hw.verilog(SMALL)
    monkeypatch.setattr(module, "verilog_of", lambda u: text.replace("assign y = ", "assign y = ~"))
    with pytest.raises(hw.ToolFailure, match="without any fault its Verilog is wrong"):
        hw.mutate(SMALL, count=1)


def test_steady_groups_are_as_long_as_they_may_be() -> None:
    stimuli = stimuli_of(hw.unit("kulisch:a=e2m1fn,out=e4m3,k=9"))
    assert isinstance(stimuli, GroupStimuli)
    groups = stimuli.steady_groups(900)
    assert len(groups) == 100
    assert all(len(x) == len(y) for x, y in groups)
    assert all((x == x[0]).all() and (y == y[0]).all() for x, y in groups)
    assert sum(len(x) == 9 for x, _ in groups) >= 25
    assert {len(x) for x, _ in groups} == set(range(1, 10))
    assert len({(x[0], y[0]) for x, y in groups}) > 10


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"count": 0}, "mutate: count must be an integer, 1 to 10000, not 0"),
        ({"count": 1.5}, "mutate: count must be"),
        ({"seed": -1}, "mutate: seed must be"),
        ({"vectors": 0}, "mutate: vectors must be"),
        ({"timeout": 0}, "mutate: timeout must be a number of seconds, not 0"),
        ({"timeout": float("nan")}, "mutate: timeout"),
        ({"timeout": "9"}, "mutate: timeout"),
        ({"jobs": 0}, "mutate: jobs must be"),
    ],
)
def test_mistakes(given: dict, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.mutate(SMALL, **given)


@pytest.mark.long
@pytest.mark.parametrize("spec", CAMPAIGN)
def test_faults_of_every_family_are_found(spec: str) -> None:
    """Or are shown to change nothing."""
    found = hw.mutate(spec, count=COUNT)
    assert not found.unexplained, found.unexplained
