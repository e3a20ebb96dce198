"""The cocotb testbench passes on sound units, and every one of its checks can fail."""

from __future__ import annotations

import json
import re

import pytest

import hwarith as hw
from hwarith import caching
from hwarith.flow import processes, regress
from hwarith.flow.stimuli.calls import calls_by_class
from hwarith.units.catalogue import CATALOGUE
from tests.faults import RESET_OF_VALID, faulty
from tests.tiers import few

MUL = "mul:a=e4m3fn"
PIPELINE = "mul:a=e4m3fn,stages=2"
GROUPS = "mac:a=int8,acc=int18"
ARRAY = "engine:pe=(anfma:w=16),rows=2,columns=2"
TILE = "bstile:rows=2,columns=2"
WAITING = ["waiting sink", "waiting source", "waiting source and sink"]
BLOCKED = ["output blocked", "output blocked after a gap"]
PHASES = [
    *(f"stream idle={idle} stall={stall}" for idle in (0, 0.3) for stall in (0, 0.5)),
    *WAITING,
    *BLOCKED,
    "throughput",
    "held in reset",
    "reset in flight",
]


def long(*case):
    return pytest.param(*case, marks=pytest.mark.long)


def failures(result) -> dict[str, str]:
    return {phase.name: phase.message for phase in result.phases if phase.failed}


def test_combinational_unit():
    result = hw.regress(MUL, vectors=500, seed=3)
    assert [phase.name for phase in result.phases] == ["vectors"]
    assert (result.passed, result.failed, result.message) == (500, 0, None)
    assert str(result) == f"{hw.unit(MUL).spec}: 500 checks passed, ok"
    assert "TESTS=13 PASS=1 FAIL=0 SKIP=12" in result.log.read_text()


@pytest.mark.parametrize("spec", CATALOGUE.values(), ids=list(CATALOGUE))
def test_what_the_testbench_is_given_can_be_written(spec):
    unit = hw.unit(spec)
    calls = calls_by_class(unit, regress._results(unit, 20), seed=1)
    job = regress._job(unit, [call for of_class in calls.values() for call in of_class], seed=1)
    assert json.loads(json.dumps(job)) == job


@pytest.mark.parametrize("spec", few([PIPELINE, "add:a=bf16,stages=1", "mul:a=int70,stages=3"], 3))
def test_pipelined_unit(spec):
    result = hw.regress(spec, vectors=300)
    assert [phase.name for phase in result.phases] == PHASES
    assert result.failed == 0
    few = {phase.name for phase in result.phases if phase.passed <= 100}
    assert few == {*BLOCKED, "held in reset"}


def test_all_vectors_where_there_are_few():
    assert hw.regress("mul:a=e2m1fn", vectors=1000).passed == 256


def test_a_wrong_result_is_shown_with_its_operands():
    fault = faulty(MUL, r"(wire sign =) a_sign \^ b_sign", r"\1 a_sign | b_sign")
    result = hw.regress(MUL, verilog=fault)
    assert 0 < result.failed < result.vectors
    assert result.passed + result.failed == result.vectors == 1000
    found = re.fullmatch(
        r"vectors: vector \d+: a=(\w+) b=(\w+) must give (\w+), gave (\w+)", result.message
    )
    a, b, expected, got = (int(code, 16) for code in found.groups())
    assert expected == hw.unit(MUL)(a, b) == got ^ 0x80
    assert result.message in str(result)
    assert str(result.log) in str(result)
    assert result.as_dict() == {
        "passed": result.passed,
        "failed": result.failed,
        "phases": 1,
        "vectors": 1000,
        "seed": 1,
        "simulator": "verilator",
        "classes": hw.vectors(MUL, 1000).counts,
        "seen": {},
        "message": result.message,
    }


def test_a_stalled_register_that_is_overwritten():
    fault = faulty(PIPELINE, "(wire ready_2 =) .*;", r"\1 1'b1;")
    found = failures(hw.regress(PIPELINE, verilog=fault))
    assert {"stream idle=0 stall=0.5", "stream idle=0.3 stall=0.5", *BLOCKED} <= found.keys()
    assert not {"stream idle=0 stall=0", "stream idle=0.3 stall=0", "throughput"} & found.keys()


@pytest.mark.parametrize(
    ("spec", "pattern", "new", "found"),
    [
        # Ranks that move only while the output is ready
        (PIPELINE, "(wire ready_2 =) .*;", r"\1 o_ready;", {*WAITING[::2], *BLOCKED}),
        # Ready waits for valid
        (PIPELINE, "(assign i_ready =) (.*);", r"\1 i_valid & (\2);", {*WAITING[1:]}),
        # Ranks that move only together, so that an empty one does not fill
        long(PIPELINE, "(wire ready_1 =) .*;", r"\1 ready_2;", {*BLOCKED[1:]}),
        # The same of the first rank, of a memory, of arrays
        long(PIPELINE, "(wire ready_1 =) .*;", r"\1 o_ready;", {*WAITING[::2], *BLOCKED}),
        long(GROUPS, "(wire ready_1 =) .*;", r"\1 o_ready;", {*WAITING[::2], *BLOCKED}),
        long(ARRAY, "(wire enable =) .*;", r"\1 o_ready;", {*WAITING[::2], *BLOCKED[:1]}),
        long(TILE, "(wire enable =) .*;", r"\1 o_ready;", {*WAITING[:1], *BLOCKED[:1]}),
    ],
)
def test_a_deadlock(spec, pattern, new, found):
    fault = faulty(spec, pattern, new)
    assert found <= failures(hw.regress(spec, 40, verilog=fault)).keys()


@pytest.mark.long
def test_valid_that_waits_for_ready():
    fault = faulty(PIPELINE, r"(assign o_valid = \w+);", r"\1 & o_ready;")
    found = failures(hw.regress(PIPELINE, 40, verilog=fault))
    assert found.keys() == {"waiting sink", "waiting source and sink"}


@pytest.mark.parametrize("spec", [PIPELINE, *map(long, (GROUPS, ARRAY))])
def test_a_transfer_that_is_lost_in_reset(spec):
    """What `hwarith` made until `i_ready` was low in reset."""
    fault = faulty(spec, r"(assign i_ready = \w+) & ~rst;", r"\1;")
    (found,) = {failures(hw.regress(spec, 40, verilog=fault))["held in reset"]}
    assert re.fullmatch(r"\d+ transfers were accepted in reset, and lost", found)


def test_an_offer_that_changes_before_it_is_accepted():
    """The right result passes in the end, so that only the check of the protocol sees it."""
    flicker = r"\1 ^ {8{o_valid & ~o_ready & b[0]}};"
    text = faulty(PIPELINE, r"(assign y = \w+);", flicker)
    found = failures(hw.regress(PIPELINE, verilog=text))
    assert found.keys() <= {*PHASES[1:4:2], *WAITING[::2], *BLOCKED, "reset in flight"}
    assert re.fullmatch(
        r"clock \d+: the result \w+ was not accepted, yet became \w+",
        found["stream idle=0 stall=0.5"],
    )


def test_a_result_that_survives_a_reset():
    fault = faulty(PIPELINE, RESET_OF_VALID, "if")
    assert failures(hw.regress(PIPELINE, verilog=fault)) == {
        "reset in flight": "after a reset a result came out without operands"
    }


def test_another_latency():
    one, two = (hw.unit(f"mul:a=e4m3fn,stages={stages}") for stages in (1, 2))
    text = hw.verilog(two).replace(two.name, one.name)
    (found,) = failures(hw.regress(one, verilog=text)).items()
    assert found == (
        "throughput",
        "transfer 0 entered 0 clocks after the first and took 2 clocks; it must be 0 and 1",
    )


def test_half_the_throughput():
    text = faulty(PIPELINE, r"valid_1 <= (offered);", r"valid_1 <= \1 & ~valid_1;")
    text = text.replace("assign i_ready = ", "assign i_ready = ~valid_1 & ")
    found = failures(hw.regress(PIPELINE, verilog=text))
    assert found.keys() == {"throughput"}
    assert re.match("transfer 1 entered [^1] clocks after the first", found["throughput"])


def test_a_pipeline_that_blocks_and_one_that_invents():
    stuck = faulty(PIPELINE, "valid_2 <= valid_1", "valid_2 <= 1'b0")
    assert failures(hw.regress(PIPELINE, vectors=10, verilog=stuck)).keys() == {*PHASES}
    eager = faulty(PIPELINE, r"valid_1 <= offered;", "valid_1 <= 1'b1;")
    assert failures(hw.regress(PIPELINE, vectors=10, verilog=eager)).keys() == {*PHASES}


def test_verilog_that_ends_the_simulation():
    text = faulty(MUL, "endmodule", "always_comb if (a == 8'h5) $finish;\nendmodule")
    with pytest.raises(hw.ToolFailure, match=r"cocotb \(test\) failed .*all of it in .*\.log"):
        hw.regress(MUL, verilog=text)


def test_verilog_without_the_ports():
    with pytest.raises(hw.InvalidInput, match="port b must be an input of 8 bits, not absent"):
        hw.regress(MUL, verilog=f"module {hw.unit(MUL).name}(input [7:0] a); endmodule")


def test_the_second_time_nothing_is_compiled(monkeypatch):
    hw.regress(MUL)
    actions = []

    def run(command, *arguments, **settings):
        actions.append(command[-2])
        return real_run(command, *arguments, **settings)

    real_run = processes.run
    monkeypatch.setattr(processes, "run", run)
    assert hw.regress(MUL).failed == 0
    assert actions == ["test"]


def test_damaged_simulators_are_built_again(monkeypatch, tmp_path):
    """The simulator of a unit, and Verilator's library that all of them share."""
    monkeypatch.setenv("HWARITH_CACHE", str(tmp_path))
    monkeypatch.setattr(regress, "check_ports", lambda *_: None)
    u = hw.unit(MUL)
    found = []

    def build(_, folder, log):
        found.append({path.name: path.read_bytes() for path in folder.glob("build/*")})
        for name in (u.name, "verilated.o", "Vtop.h"):
            (folder / "build" / name).write_bytes(b"built")

    monkeypatch.setattr(regress, "_run", build)
    for text in ("one", "other", "other"):
        assert regress._executable(u, text)[0] == b"built"
    assert found == [{}, {"verilated.o": b"built"}]
    (runtime,) = tmp_path.glob("regress/runtime-*/*.o")
    for path in (runtime, *tmp_path.glob("regress/mul*")):
        path.write_bytes(b"bui")
    assert regress._executable(u, "other")[0] == b"built"
    assert found[2:] == [{}]
    assert caching.load(f"regress/{runtime.parent.name}", runtime.name) == b"built"


def test_without_a_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(hw.MissingTool, match=r"g\+\+ was not found on PATH"):
        hw.regress(MUL)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vectors": 0}, "regress: vectors must be an integer, 1 to 1000000, not 0"),
        ({"vectors": 1.5}, "regress: vectors must be an integer, 1 to 1000000, not 1.5"),
        ({"seed": -1}, "regress: seed must be an integer, 0 to 4294967295, not -1"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(hw.InvalidInput, match=message):
        hw.regress(MUL, **settings)
