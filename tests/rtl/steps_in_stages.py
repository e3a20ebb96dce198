"""Steps as a thing of their own, without a unit, in Amaranth's simulator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from amaranth.lib import wiring
from amaranth.sim import Simulator, SimulatorContext

from hwarith import rtl
from hwarith.formats import Format, format


@dataclass(frozen=True)
class InStages:
    """What `hwarith.rtl.Pipelinable` asks for, and no more."""

    inputs: Mapping[str, Format]
    results: Mapping[str, Format]
    steps: list[rtl.Step]
    stages: int = 0
    family: str = field(default="tiny")
    cuts: tuple[int, ...] = ()
    grain: int = 8

    def datapath(self) -> list[rtl.Step]:
        return self.steps


def ports(**names: str) -> dict[str, Format]:
    return {name: format(text) for name, text in names.items()}


def component(thing: InStages) -> wiring.Component:
    return rtl.PipelinedPorts(thing) if thing.stages else rtl.Combinational(thing)


def simulate(thing: InStages, vectors: Iterable[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Results, of inputs that enter one in each clock."""
    top, found = component(thing), []
    entering: Iterator[tuple[int, ...]] = iter(vectors)

    async def testbench(ctx: SimulatorContext) -> None:
        def enter(codes: tuple[int, ...]) -> None:
            for name, code in zip(thing.inputs, codes, strict=True):
                ctx.set(getattr(top, name), code)

        def results() -> tuple[int, ...]:
            return tuple(ctx.get(getattr(top, name)) for name in thing.results)

        if not thing.stages:
            for codes in entering:
                enter(codes)
                await ctx.delay(1e-9)
                found.append(results())
            return
        ctx.set(top.o_ready, 1)
        for codes in entering:
            enter(codes)
            ctx.set(top.i_valid, 1)
            await ctx.tick()
            if ctx.get(top.o_valid):
                found.append(results())
        ctx.set(top.i_valid, 0)
        for _ in range(thing.stages):
            await ctx.tick()
            if ctx.get(top.o_valid):
                found.append(results())

    simulator = Simulator(top)
    if thing.stages:
        simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    return found
