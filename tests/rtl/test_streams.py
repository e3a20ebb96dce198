"""Components with streams, as Amaranth's users connect them."""

from __future__ import annotations

import random

import numpy as np
from amaranth.sim import Simulator

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus


def test_stream_component_in_the_amaranth_simulator() -> None:
    """`create()` of a pipelined unit, as an Amaranth user connects it, with back-pressure."""
    u = hw.unit("fma:a=e4m3fn,stages=3")
    operands = [x[:40] for x in stimulus(u, 2000, seed=6)]
    expected = u(*operands)
    component = u.create()
    received = []

    async def source(ctx):
        for codes in zip(*operands, strict=True):
            ctx.set(component.i.payload, dict(zip(u.operands, map(int, codes), strict=True)))
            ctx.set(component.i.valid, 1)
            await ctx.tick().until(component.i.ready)
        ctx.set(component.i.valid, 0)

    async def sink(ctx):
        rng = random.Random(0)
        while len(received) < expected.size:
            ctx.set(component.o.ready, rng.random() < 0.6)
            _, _, valid, ready, payload = await ctx.tick().sample(
                component.o.valid, component.o.ready, component.o.payload
            )
            if valid and ready:
                received.append(payload.y)

    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(source, background=True)
    simulator.add_testbench(sink)
    simulator.run()
    np.testing.assert_array_equal(received, expected)
