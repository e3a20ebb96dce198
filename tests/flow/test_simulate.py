"""The compiled RTL against the golden model, and that the comparison would notice a fault."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith import caching
from hwarith.flow import compiled, processes, simulate
from hwarith.flow.stimuli.families import stimulus
from tests.faults import faulty
from tests.tiers import few

MUL = "mul:a=e4m3fn"
TINY = "mul:a=e2m1fn"


@pytest.mark.parametrize("name", ["e4m3fn", "e5m2"])
def test_multiplier_equals_golden_for_all_operands(name):
    unit = hw.unit(f"mul:a={name}")
    a, b = stimulus(unit, 1 << 16)
    assert a.size == 1 << 16
    assert (hw.simulate(unit)(a, b) == unit(a, b)).all()


@pytest.mark.parametrize("stages", [0, 1, 3])
def test_multiplier_equals_golden_for_many_operands(stages):
    unit = hw.unit(f"mul:a=fp16,stages={stages}")
    simulation = hw.simulate(unit)
    operands = stimulus(unit, 200_000)
    assert (simulation(*operands) == unit(*operands)).all()
    assert simulation.clocks == (200_000 + stages if stages else 0)


@pytest.mark.parametrize("spec", few(["mul:a=int40", "mul:a=int256,b=uint70", "mul:a=e15m112"], 3))
def test_wide_ports(spec):
    unit = hw.unit(spec)
    operands = stimulus(unit, 500)
    results = hw.simulate(unit)(*operands)
    assert results.dtype == unit.out.dtype
    assert (results == unit(*operands)).all()


@pytest.mark.parametrize(("idle", "stall"), [(0, 0), (0.3, 0), (0, 0.5), (0.3, 0.5)])
def test_stream_with_pauses_gives_the_same_results(idle, stall):
    unit = hw.unit("mul:a=fp16,stages=3")
    simulation = hw.simulate(unit)
    operands = stimulus(unit, 5_000)
    results = simulation.stream(*operands, idle=idle, stall=stall, seed=7)
    assert (results == unit(*operands)).all()
    clocks = simulation.clocks
    assert clocks * (1 - max(idle, stall)) == pytest.approx(5_000, rel=0.1)
    simulation.stream(*operands, idle=idle, stall=stall, seed=7)
    assert simulation.clocks == clocks


def test_takes_and_returns_what_the_unit_does():
    unit, simulation = hw.unit(MUL), hw.simulate(MUL)
    a, b = np.arange(3, dtype=np.uint8)[:, None], [56, 57, 58, 59]
    assert simulation(a, b).shape == (3, 4)
    assert (simulation(a, b) == unit(a, b)).all()
    assert type(simulation(56, 57)) is type(unit(56, 57))
    assert simulation(56, 57) == unit(56, 57)
    assert simulation(np.zeros((2, 0), np.uint8), 1).shape == (2, 0)
    with pytest.raises(hw.InvalidInput, match="operand b of mul"):
        simulation(1, 256)
    assert repr(simulation) == "hwarith.simulate('mul:a=e4m3fn,b=e4m3fn,out=e4m3fn,round=rne')"


def test_a_fault_in_the_verilog_shows():
    fault = faulty(MUL, r"(wire sign =) a_sign \^ b_sign", r"\1 a_sign | b_sign")
    unit = hw.unit(MUL)
    operands = stimulus(unit, 1 << 16)
    wrong = hw.simulate(unit, verilog=fault)(*operands) != unit(*operands)
    assert wrong.any()
    a, b = (x[wrong] for x in operands)
    assert ((a >> 7) & (b >> 7) == 1).all()


def test_a_pipeline_that_blocks_is_given_up():
    spec = "mul:a=e4m3fn,stages=1"
    stuck = faulty(spec, r"(valid_1 <=) offered;", r"\1 1'b0;")
    with pytest.raises(hw.ToolFailure, match="in 10000 clocks, after 2 operands and 0 results"):
        hw.simulate(spec, verilog=stuck)([1, 2], 3)


def test_a_pipeline_that_invents_results_is_caught():
    spec = "mul:a=e4m3fn,stages=2"
    eager = faulty(spec, r"(valid_1 <=) offered;", r"\1 1'b1;")
    with pytest.raises(hw.ToolFailure, match=r"came after|more results came"):
        hw.simulate(spec, verilog=eager).stream([1, 2, 3], 3, idle=0.9)


def test_verilog_that_ends_the_simulation_does_not_end_the_process():
    text = faulty(MUL, "endmodule", 'always_comb if (a == 8\'h5) $fatal(1, "five");\nendmodule')
    simulation = hw.simulate(MUL, verilog=text)
    assert simulation(4, 56) == 4
    with pytest.raises(hw.ToolFailure, match="simulation of mul_e4m3fn_e4m3fn_e4m3fn_rne: "):
        simulation(5, 56)


def test_the_second_time_nothing_is_compiled(monkeypatch):
    hw.simulate(MUL)
    monkeypatch.setattr(processes, "run", None)
    assert hw.simulate(MUL)(56, 56) == 56


def test_damaged_models_are_compiled_again(monkeypatch, tmp_path):
    """Loading them would end the process, or answer for another unit."""

    def entry(spec: str) -> bytes:
        unit = hw.unit(spec)
        path = simulate._library(unit, hw.verilog(unit))
        return caching.load("simulate", path.name)

    mul, add = entry(TINY), entry("add:a=e2m1fn")
    monkeypatch.setattr(compiled, "_runtime", lambda: b"")
    monkeypatch.setattr(compiled, "_precompiled_header", lambda: tmp_path)
    monkeypatch.setattr(compiled, "_verilate", lambda *_: None)
    monkeypatch.setattr(compiled, "_compile", lambda folder: (folder / "unit.so").write_bytes(mul))
    monkeypatch.setenv("HWARITH_CACHE", str(tmp_path))
    assert hw.simulate(TINY)(2, 4) == 4
    (library,) = tmp_path.glob("simulate/*.so")
    whole = library.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], add):
        library.unlink()
        library.write_bytes(damaged)
        compiled._load.cache_clear()
        assert hw.simulate(TINY)(2, 4) == 4
        assert library.read_bytes() == whole


def test_a_damaged_runtime_is_compiled_again(monkeypatch, tmp_path):
    monkeypatch.setenv("HWARITH_CACHE", str(tmp_path))

    def run(_, folder, **__):
        (folder / "runtime.o").write_bytes(b"compiled")

    monkeypatch.setattr(processes, "run", run)
    assert compiled._runtime() == b"compiled"
    (entry,) = tmp_path.glob("simulate/verilator-runtime-*.o")
    entry.write_bytes(b"comp")
    assert compiled._runtime() == b"compiled"


def test_headers_are_parsed_once(tmp_path):
    """The header itself is an error here, so that only the one that was parsed before helps."""
    (tmp_path / compiled._HEADER).write_text("#error parsed again\n")
    (tmp_path / "model.cpp").write_text("VerilatedContext context;\n")
    command = [*compiled._COMPILE, *compiled._include_flags()]
    command += ["-include", compiled._HEADER, "-c", "model.cpp"]
    with pytest.raises(hw.ToolFailure, match="parsed again"):
        processes.run(command, tmp_path)
    (tmp_path / f"{compiled._HEADER}.gch").symlink_to(compiled._precompiled_header())
    processes.run(command, tmp_path)


def test_without_a_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(hw.MissingTool, match=r"g\+\+ was not found on PATH"):
        hw.simulate(MUL)


def test_verilog_with_other_ports():
    with pytest.raises(hw.InvalidInput, match="port b must be an input of 8 bits, not absent"):
        hw.simulate(MUL, verilog=f"module {hw.unit(MUL).name}(input [7:0] a); endmodule")
    narrow = faulty(MUL, r"input  wire \[7:0\] b\b", "input  wire [6:0] b")
    with pytest.raises(hw.InvalidInput, match="port b must be an input of 8 bits, not an input of"):
        hw.simulate(MUL, verilog=narrow)
    clocked = faulty(MUL, r"(module \w+ \()", r"\1 input wire clk,")
    with pytest.raises(hw.InvalidInput, match="port clk must be absent, not an input of 1 bit;"):
        hw.simulate(MUL, verilog=clocked)


def test_verilog_that_is_none():
    with pytest.raises(hw.ToolFailure, match=r"verilator on mul_\w+ failed .*syntax error"):
        hw.simulate(MUL, verilog="module oops")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"idle": 1}, "stream: idle must be 0 to 0.99, not 1"),
        ({"stall": -0.1}, "stream: stall must be 0 to 0.99, not -0.1"),
        ({"seed": -1}, "stream: seed must be 0 to 4294967295, not -1"),
    ],
)
def test_stream_settings_out_of_range(settings, message):
    simulation = hw.simulate("mul:a=fp16,stages=3")
    with pytest.raises(hw.InvalidInput, match=message):
        simulation.stream(1, 2, **settings)


def test_a_combinational_unit_does_not_stream():
    with pytest.raises(hw.InvalidInput, match="is combinational; only a pipeline can stream"):
        hw.simulate(MUL).stream(1, 2)
