"""Quotients and roots whose rows are used again: results, intervals, resets, faults."""

from __future__ import annotations

from fractions import Fraction

import pytest
from amaranth.hdl import ClockDomain, Module, ResetSignal, Signal
from amaranth.sim import Simulator

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.flow.stimuli.families import stimulus
from hwarith.units.division import srt
from tests.faults import faulty
from tests.streaming import assert_streams
from tests.tiers import few

SPECS = (
    "div:a=e4m3fn,clocks=6,flags=none",
    "sqrt:a=e4m3fn,clocks=3,flags=after",
    "rsqrt:a=e4m3fn,clocks=5,flags=after",
    "recip:a=e5m2,clocks=6,flags=after",
    "div:a=e4m3fn,clocks=7,flags=after",
    "div:a=e4m3fn,clocks=1",
    "div:a=e5m2,clocks=3,round=port,flags=before",
    "sqrt:a=e4m3fn,clocks=5,round=sra,n=6",
    "sqrt:a=e3m2fn,out=bf16,clocks=10,flags=after",
    "div:a=e4m3,clocks=3,subnormals=flush,flags=after",
    "div:a=e5m2,clocks=3,nan=payload,by_zero=nan,flags=after",
    "div:a=int8,b=e4m3fn,out=bf16,clocks=4,flags=after",
    "recip:a=binary8p4se,clocks=2,round=rup,flags=after",
    "sqrt:a=ue4m3,clocks=5",
    "rsqrt:a=e5m2,clocks=2,round=port,flags=before",
    "rsqrt:a=binary8p3se,clocks=1,flags=after",
    "rsqrt:a=e4m3fn,out=e5m2,clocks=3",
    "recip:a=e5m2,clocks=4,radix=4,flags=after",
    "div:a=e4m3fn,clocks=2,radix=4,flags=after",
    "div:a=e4m3fn,clocks=4,radix=4",
    "div:a=int8,b=e4m3fn,out=bf16,clocks=3,radix=4",
    "div:a=e4m3,clocks=1,radix=4,round=port,flags=before",
    "div:a=int8,round=rtz,overflow=wrap,clocks=10",
    "div:a=uint8,round=rtz,overflow=wrap,clocks=3,radix=4",
)


@pytest.mark.parametrize("spec", few(SPECS, 3))
def test_every_operand_of_eight_bits(spec: str) -> None:
    u = hw.unit(spec)
    assert_streams(u, stimulus(u, 1 << 16, seed=5))


WIDE = (
    "div:a=fp16,clocks=13",
    "sqrt:a=fp16,clocks=13,flags=after",
    "div:a=fp16,clocks=4,flags=after,round=port",
    "div:a=fp16,b=bf16,out=fp32,clocks=27,flags=after",
    "recip:a=bf16,clocks=10,flags=before",
    "sqrt:a=fp32,clocks=13,round=rtz",
    "rsqrt:a=fp16,clocks=12,flags=after",
    "rsqrt:a=bf16,clocks=4",
    "rsqrt:a=fp32,clocks=24",
    "rsqrt:a=posit8,out=fp16,clocks=11",
    "div:a=fp32,clocks=27,flags=after",
    "sqrt:a=fp64,clocks=54",
    "div:a=fp32,out=e4m3fn,clocks=2",
    "div:a=fp16,clocks=7,radix=4",
    "div:a=fp32,clocks=7,radix=4,flags=after",
    "recip:a=fp16,clocks=4,radix=4,flags=after",
    "div:a=bf16,b=fp16,out=fp32,clocks=14,radix=4",
    "div:a=fp16,out=int16,clocks=9,radix=4",
    "sqrt:a=bf16,out=int8,clocks=2",
    "div:a=int32,round=rtz,overflow=wrap,clocks=34",
)


@pytest.mark.parametrize("spec", few(WIDE, 9))
def test_wider_operands(spec: str) -> None:
    u = hw.unit(spec)
    assert_streams(u, stimulus(u, 1 << 17, seed=5))


@pytest.mark.parametrize(
    "spec", ["div:a=fp16,clocks=13", "sqrt:a=fp16,clocks=4", "rem:a=fp16,clocks=6"]
)
def test_reset_in_every_clock(spec: str) -> None:
    """It is ready a clock after a reset, nothing of what was in flight comes out, and the next
    result is right."""
    u = hw.unit(spec)
    component, m, rst = u.create(), Module(), Signal()
    m.domains.sync = ClockDomain()
    m.d.comb += ResetSignal().eq(rst)
    m.submodules.unit = component
    codes = [(0x4248, 0x4170), (0x3C00, 0x4200)]
    operands = [dict(zip(u.operands, x, strict=False)) for x in codes]
    expected = [u.golden(*x.values()) for x in operands]
    assert expected[0] != expected[1]

    async def bench(ctx):
        ctx.set(component.o.ready, 1)
        for clock in range(u.stages + 1):
            ctx.set(component.i.payload, operands[0])
            ctx.set(component.i.valid, 1)
            await ctx.tick()
            ctx.set(component.i.valid, 0)
            for _ in range(clock):
                assert clock == u.stages or not ctx.get(component.o.valid)
                await ctx.tick()
            ctx.set(rst, 1)
            await ctx.tick()
            ctx.set(rst, 0)
            for _ in range(2 * u.stages):
                assert not ctx.get(component.o.valid), f"a result after a reset in clock {clock}"
                assert ctx.get(component.i.ready)
                await ctx.tick()
            ctx.set(component.i.payload, operands[1])
            ctx.set(component.i.valid, 1)
            await ctx.tick()
            ctx.set(component.i.valid, 0)
            waited = 1
            while not ctx.get(component.o.valid):
                waited += 1
                await ctx.tick()
            assert waited == u.stages
            assert ctx.get(component.o.payload.y) == expected[1]
            await ctx.tick()

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize(
    ("spec", "sound", "broken"),
    [
        ("div:a=e4m3fn,clocks=6", r"some_rest = ", r"some_rest = 1'b0 & "),
        ("div:a=e4m3fn,clocks=6", r"clocks_left <= 3'b110", r"clocks_left <= 3'b101"),
        ("div:a=e4m3fn,clocks=6", r"leaves = busy &", r"leaves = 1'b1 | busy &"),
        ("div:a=e4m3fn,clocks=4,radix=4", r"(quotient = )negative \?", r"\1 1'b0 ?"),
        ("rsqrt:a=e4m3fn,clocks=4", r"(some_rest = )", r"\1 1'b0 & "),
        ("div:a=e4m3fn,clocks=4,radix=4", r"(some_rest = )", r"\1 1'b0 & "),
    ],
)
def test_faults_are_found(spec: str, sound: str, broken: str) -> None:
    u = hw.unit(spec)
    simulation = hw.simulate(u, verilog=faulty(u, sound, broken))
    operands = stimulus(u, 1 << 12, seed=5)
    try:
        found = simulation.stream(*operands, stall=0.5)
    except hw.ToolFailure:
        return
    assert (found != u(*operands)).any()


def test_digits_keep_the_remainder_in_bounds() -> None:
    """A digit of every estimate leaves a remainder of at most 2/3 of the divisor: four times the
    remainder is at least the estimate, and less than two sixteenths more."""
    for digit, row in srt.LEAST.items():
        for eighth, least in enumerate(row):
            for sixteenths in (8 + eighth, 9 + eighth):  # ends of the divisor's interval
                assert least >= (digit - Fraction(2, 3)) * sixteenths
                assert least + 1 <= (digit - 1 + Fraction(2, 3)) * sixteenths


def test_what_is_said_of_one() -> None:
    u = hw.unit("div:a=fp16,clocks=13")
    assert (u.stages, u.transfers.clocks) == (15, 14)
    assert u.latency == "15 clocks, one result every 14 clocks"
    assert hw.unit(u.spec) == u
    assert "stages" not in u.spec


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "div:a=fp16,clocks=6",
            "div: parameter clocks: must be 0, or for 13 digits one of 1, 2, 3, 4, 5, 7, 13, not 6",
        ),
        ("sqrt:a=fp16,clocks=14", "1, 2, 3, 4, 6, 12, not 14"),
        ("div:a=fp16,clocks=13,stages=2", "div: give stages or clocks, not both"),
        ("div:a=fp16,clocks=13,target_delay=40", "div: give clocks or target_delay, not both"),
        ("div:a=fp16,stages=9", "div: parameter stages: must be 0 to 8, not 9"),
        ("div:a=fp16,radix=4", "div: parameter radix: 4 is for units with clocks"),
        ("div:a=fp16,radix=4,clocks=5", "for 7 digits one of 1, 2, 3, 4, 7, not 5"),
        ("recip:a=fp16,clocks=-1", "recip: parameter clocks: must be 0 or more, not -1"),
    ],
)
def test_clocks_that_cannot_be(spec: str, message: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        hw.unit(spec)
    assert message in str(raised.value)


def test_neither_proved_nor_tagged() -> None:
    with pytest.raises(InvalidInput, match="takes several clocks"):
        hw.prove("div:a=e4m3fn,clocks=6")
    with pytest.raises(InvalidInput, match="which tags travel"):
        hw.verilog("div:a=e4m3fn,clocks=6", tag=2)
    assert "i_tag" in hw.verilog("div:a=e4m3fn,stages=2", tag=2)
