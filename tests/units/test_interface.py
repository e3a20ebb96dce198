"""What is said of a unit's ports, handshake and edges is what its hardware and model do."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from hwarith.formats import format
from hwarith.units import unit
from hwarith.units.catalogue import CATALOGUE
from hwarith.units.interface import HANDSHAKE, ports, timing
from hwarith.units.waveform import waveform

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "interface.md").read_text()

DECLARATION = re.compile(
    r"\b(input|output)\s+(?:wire\s+|reg\s+|logic\s+)?(?:\[(\d+):0\]\s*)?(\w+)\s*[;,)\n]"
)


def declared(name: str) -> list[tuple[str, str, int]]:
    """Ports of a shipped module: name, direction, bits, in the order of its declarations."""
    text = (ROOT / "rtl" / f"{name}.v").read_text()
    module = re.search(rf"^module {name}\b.*?^endmodule", text, re.MULTILINE | re.DOTALL)
    assert module
    return [(n, way, int(high or 0) + 1) for way, high, n in DECLARATION.findall(module[0])]


@pytest.mark.parametrize("name", CATALOGUE)
def test_ports_are_those_of_the_verilog(name: str) -> None:
    u = unit(CATALOGUE[name])
    assert [port[:3] for port in ports(u)] == declared(u.name)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_port_has_a_meaning_and_every_unit_conventions(name: str) -> None:
    u = unit(CATALOGUE[name])
    said = [port.meaning for port in ports(u)]
    assert len(set(said)) == len(said)
    assert u.conventions["rounding"]
    within = ("cmp", "minmax", "roundint", "class", "sgnj", "logb")  # no result is out of range
    assert ("overflow" in u.conventions) == (u.family not in within)


def test_rules_stand_on_the_page() -> None:
    page = " ".join(PAGE.split())
    for number, rule in enumerate(HANDSHAKE, 1):
        assert f" {number}. {rule}" in page


def test_picture_stands_on_the_page() -> None:
    assert f"```text\n{waveform(unit('mul:a=bf16,stages=2'))}```\n" in PAGE


# -- pictures --------------------------------------------------------------------------------


def samples(line: str) -> list[str]:
    """What a line of a picture says of each clock: 1 or 0, or what is between the brackets."""
    cells = [line[i : i + 4] for i in range(0, len(line), 4)]
    if "<" in line:
        return [cell.strip(" <>") for cell in cells]
    return ["1" if cell[2] == "~" else "0" for cell in cells]


def picture(spec: str) -> dict[str, list[str]]:
    lines = {line[:9].strip(): line[9:] for line in waveform(unit(spec)).splitlines()}
    found = {name: samples(line) for name, line in lines.items()}
    clocks = len(found["i_valid"])
    return {name: row + [""] * (clocks - len(row)) for name, row in found.items()}


PICTURED = (
    "mul:a=e2m1fn,stages=1",
    "mul:a=e2m1fn,stages=2",
    "mul:a=e4m3fn,stages=3",
    "mac:a=int8",
    "bitplane_dot:n=2,m=2,lanes=4,k=16,stages=3",
    "engine:pe=(fma:a=int4,b=int4,c=int8,out=int8),rows=2,columns=2",
)


@pytest.mark.parametrize("spec", PICTURED)
def test_hardware_does_what_the_picture_shows(spec: str) -> None:
    """Ready and valid of the hardware, driven as the source and the sink of the picture are."""
    u = unit(spec)
    rows = picture(spec)
    dut = u.create_ports()
    seen: dict[str, list[str]] = {"i_ready": [], "o_valid": []}
    results: list[int] = []

    async def bench(ctx: Any) -> None:
        for clock in range(len(rows["i_valid"])):
            ctx.set(dut.i_valid, int(rows["i_valid"][clock]))
            ctx.set(dut.o_ready, int(rows["o_ready"][clock]))
            for name in u.transfers.controls:
                ctx.set(getattr(dut, name), int(rows[name][clock] or 0))
            for name in seen:
                seen[name].append(str(ctx.get(getattr(dut, name))))
            results.append(ctx.get(getattr(dut, next(iter(u.results)))))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen == {name: rows[name] for name in seen}
    waiting = [(a, b) for a, b in pairwise(range(len(results))) if rows["o_ready"][a] == "0"]
    assert waiting
    assert all(results[a] == results[b] for a, b in waiting)


def test_no_picture_where_there_is_none_to_make() -> None:
    for spec in ("mul:a=bf16", "bsdequant", "engine:rows=16,columns=16"):
        assert waveform(unit(spec)) == ""


def test_timing() -> None:
    assert timing(unit("mul:stages=1"))["latency"].startswith("1 clock from operands")
    mac = timing(unit("mac"))
    assert "last=1" in mac["latency"]
    assert mac["throughput"] == "a transfer every clock"
    assert timing(unit("bsdequant"))["throughput"] == "a transfer every 8 clocks"
    assert timing(unit("engine"))["while a result waits"] == "everything stands still"
    assert timing(unit("engine:rows=3,columns=4"))["latency"].startswith("8 clocks")


# -- edges -----------------------------------------------------------------------------------

WORDS = {"infinity": "inf", "NaN": "nan", "the largest value": "max"}


def classified(code: int, name: str) -> str:
    f = format(name)
    value = float(f.decode(code))
    if np.isnan(value):
        return "nan"
    return "inf" if np.isinf(value) else "max" if abs(value) == float(f.max) else str(value)


@pytest.mark.parametrize("mode", ["rne", "rtz", "rup", "rto"])
@pytest.mark.parametrize("policy", ["saturate", "satprop", "nosat", "nan"])
@pytest.mark.parametrize("name", ["fp16", "e4m3fn", "e5m2", "e2m1fn", "e4m3fnuz"])
def test_overflow_is_what_is_said(name: str, policy: str, mode: str) -> None:
    """The largest value times itself, and an infinity, beside the sentence of the conventions."""
    u = unit(f"convert:a=fp32,out={name},overflow={policy},round={mode}")
    said = u.conventions["overflow"].replace("for infinities too", "infinite results are ")
    finite, *rest = said.split("; ")
    fp32 = format("fp32")
    up, down = (classified(int(u(fp32.encode(x))), name) for x in (1e30, -1e30))
    infinite = classified(int(u(fp32.encode(np.inf))), name)
    first = WORDS[finite.split(",")[0]]
    assert up == first
    toward_zero = any("where the mode rounds toward zero" in part for part in rest)
    assert down == ("max" if toward_zero else first)
    stated = [part for part in rest if part.startswith("infinite results are")]
    if "infinite results are " in finite:
        assert infinite == "max"
    else:
        assert infinite == (
            WORDS[stated[0].removeprefix("infinite results are ")] if stated else up
        )


@pytest.mark.parametrize("name", ["fp32", "bf16", "e4m3fn", "e4m3fnuz", "e2m1fn", "e5m2"])
def test_nan_is_what_is_said(name: str) -> None:
    u = unit(f"convert:a=fp32,out={name}")
    code = int(u(format("fp32").encode(np.nan)))
    if "largest value" in u.conventions["NaN"]:
        assert classified(code, name) == "max"
    else:
        assert u.conventions["NaN"].startswith(f"{code:#0{2 + -(-format(name).bits // 4)}x},")


def test_conventions_of_integers_and_of_arrays() -> None:
    assert unit("mul:a=int8,out=int8").conventions == {
        "rounding": "none, results are exact",
        "overflow": "wraps modulo 2^8",
    }
    assert unit("add:a=int8,overflow=saturate").conventions["overflow"].startswith("clamped")
    engine = unit("engine:pe=(lmul:format=bf16),rows=2,columns=2").conventions
    assert engine["subnormals"].startswith("products: operands count as zeros")
    assert "sums: kept" in engine["subnormals"]
    assert "sums: " not in unit("engine").conventions["rounding"]
