"""cocotb tests of a unit, or of any Verilog module with the same ports.

job.json, in the folder where it runs, holds

    toplevel   the module's name
    stages     registers from operands to results; 0: a combinational module
    interval   clocks from one transfer to the next, if nothing blocks
    waits      clocks more that vectors which belong together may take
    fills      whether registers that hold nothing fill while the output is blocked
    operands   for each input port its values, one for each transfer
    results    for each result port the values expected, one for each vector
    transfers  how many transfers each vector has: one, but in groups of operands as many as these
    together   how many vectors, one after the other, belong together and to no others
    seed       of the pauses

Each phase adds a line to outcome.jsonl: its name, checks passed and failed, a message about the
first failure, the seconds it took, and what happened meanwhile: what `streams.SEEN` counts.

A module with registers has besides the ports ``clk``, ``rst`` (synchronous, high), ``i_valid``,
``i_ready``, ``o_valid`` and ``o_ready``.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, chain, islice
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, Timer
from streams import SEEN, Payload, Sink, Source, hex_codes, pauses

JOB: dict[str, Any] = json.loads(Path("job.json").read_text())
STAGES: int = JOB["stages"]
INTERVAL: int = JOB.get("interval", 1)
WAITS: int = JOB.get("waits", 0)
FILLS: bool = JOB.get("fills", True)
_TRANSFERS = iter(zip(*JOB["operands"].values(), strict=True))
VECTORS: list[list[Payload]] = [list(islice(_TRANSFERS, n)) for n in JOB["transfers"]]
_NUMBERS = iter(range(len(VECTORS)))
TOGETHER: list[list[int]] = [list(islice(_NUMBERS, n)) for n in JOB["together"]]
RESULTS: list[Payload] = list(zip(*JOB["results"].values(), strict=True))

PATIENCE = 1000
"""Clocks without a transfer after which a stream is given up."""

RESETS = 20
"""How often the pipeline is reset in mid-flight."""

FEW = 200
"""Vectors of the phases that need not see all of them."""


class Phase:
    """Counts what passed and failed, and keeps the first message."""

    def __init__(self) -> None:
        self.passed = self.failed = 0
        self.message: str | None = None

    def fail(self, message: str) -> None:
        self.failed += 1
        self.message = self.message or message

    def check(self, condition: bool, message: str) -> None:
        if condition:
            self.passed += 1
        else:
            self.fail(message)

    def compare(self, vector: int, got: Payload) -> None:
        """One result against the expected one."""
        if got == RESULTS[vector]:
            self.passed += 1
            return
        columns = zip(JOB["operands"], zip(*VECTORS[vector], strict=True), strict=True)
        codes = [f"{name}={','.join(f'{x:#x}' for x in column)}" for name, column in columns]
        self.fail(
            f"vector {vector}: {' '.join(codes)} must give {hex_codes(RESULTS[vector])}, "
            f"gave {hex_codes(got)}"
        )


@contextmanager
def phase(name: str) -> Iterator[Phase]:
    """A phase that ends in a line of the outcome, and in an error if anything failed."""
    self, start = Phase(), time.perf_counter()
    SEEN.clear()
    try:
        yield self
    except Exception as error:
        self.fail(f"{type(error).__name__}: {error}")
        raise
    finally:
        seconds = time.perf_counter() - start
        line = {"name": name} | vars(self) | {"seconds": seconds, "seen": dict(SEEN)}
        with Path("outcome.jsonl").open("a") as outcome:
            outcome.write(json.dumps(line) + "\n")
    assert not self.failed, self.message


def random_vectors(generator: random.Random, least: int) -> list[int]:
    """Vectors drawn at random, with those that they belong to, at least so many."""
    vectors: list[int] = []
    while len(vectors) < least:
        vectors += generator.choice(TOGETHER)
    return vectors


def transfers_of(vectors: Sequence[int]) -> Iterator[Payload]:
    return chain.from_iterable(VECTORS[vector] for vector in vectors)


class Bench:
    """A pipelined module with its clock, its reset and a stream end on either side."""

    def __init__(self, dut: Any, idle: float = 0, stall: float = 0, waiting: str = ""):
        self.dut = dut
        dut.rst.value = 1
        Clock(dut.clk, 2, "ns").start()
        operands = [getattr(dut, name) for name in JOB["operands"]]
        results = [getattr(dut, name) for name in JOB["results"]]
        seed = JOB["seed"]
        self.source = Source(
            dut.clk, dut.i_valid, dut.i_ready, operands, pauses(idle, seed), "source" in waiting
        )
        self.sink = Sink(
            dut.clk, dut.o_valid, dut.o_ready, results, pauses(stall, seed + 1), "sink" in waiting
        )

    async def reset(self) -> None:
        """One clock of reset; what is in flight, in a queue and received is forgotten."""
        SEEN["resets"] += 1
        self.dut.rst.value = 1
        await RisingEdge(self.dut.clk)
        self.dut.rst.value = 0
        self.source.clear()
        self.sink.clear()

    async def send(self, p: Phase, vectors: Sequence[int]) -> None:
        """Send these vectors, compare all results, and see that no more come."""
        self.source.send(transfers_of(vectors))
        await self.receive(p, vectors)

    async def receive(self, p: Phase, vectors: Sequence[int]) -> None:
        """The same of vectors that the source has already."""
        last, progress = 0, (0, 0)
        while len(self.sink.received) < len(vectors):
            await RisingEdge(self.dut.clk)
            now = (len(self.source.queue), len(self.sink.received))
            if now != progress:
                last, progress = self.sink.clocks, now
            elif self.sink.clocks - last > PATIENCE:
                self.compare(p, vectors)
                p.fail(
                    f"no transfer in {PATIENCE} clocks, with {now[0]} of {len(vectors)} operands "
                    f"left to send and {now[1]} results received"
                )
                return
        self.sink.offers = 0
        await ClockCycles(self.dut.clk, STAGES + 2)
        self.compare(p, vectors)
        p.check(self.sink.offers == 0, "more results came than operands went in")

    def compare(self, p: Phase, vectors: Sequence[int]) -> None:
        for vector, got in zip(vectors, self.sink.received, strict=False):
            p.compare(vector, got)
        p.check(not self.sink.broken, "; ".join(self.sink.broken[:1]))


@cocotb.test(skip=STAGES > 0)
async def combinational(dut: Any) -> None:
    """Every vector, one after the other."""
    operands = [getattr(dut, name) for name in JOB["operands"]]
    results = [getattr(dut, name) for name in JOB["results"]]
    settled = Timer(1, "ns")
    with phase("vectors") as p:
        for vector, (codes,) in enumerate(VECTORS):
            for port, code in zip(operands, codes, strict=True):
                port.value = code
            await settled
            p.compare(vector, tuple(int(port.value) for port in results))


@cocotb.test(skip=STAGES == 0)
@cocotb.parametrize(idle=[0, 0.3], stall=[0, 0.5])
async def stream(dut: Any, idle: float, stall: float) -> None:
    """Results in order, none lost and none twice, and none changed while it waits."""
    with phase(f"stream idle={idle} stall={stall}") as p:
        bench = Bench(dut, idle, stall)
        await bench.reset()
        await bench.send(p, range(len(VECTORS)))


# Where a transfer takes more than a clock, ready comes at its end: no source can wait for it.
@cocotb.test(skip=STAGES == 0)
@cocotb.parametrize(waiting=["sink", "source", "source and sink"][: 3 if INTERVAL == 1 else 1])
async def waits(dut: Any, waiting: str) -> None:
    """Neither side waits for the other: there are results for a sink that is ready only after
    valid, and operands are taken of a source that is valid only after ready."""
    with phase(f"waiting {waiting}") as p:
        bench = Bench(dut, waiting=waiting)
        await bench.reset()
        await bench.send(p, range(min(len(VECTORS), FEW)))


@cocotb.test(skip=STAGES == 0)
@cocotb.parametrize(gap=[False, True][: 2 if FILLS else 1])
async def blocked(dut: Any, gap: bool) -> None:
    """While no result is accepted, an empty pipeline takes what it has room for: the operands of a
    result, and those that come before it is offered; or where registers fill, at any time."""
    with phase("output blocked" + " after a gap" * gap) as p:
        bench = Bench(dut)
        await bench.reset()
        bench.sink.blocked = True
        count = min(len(VECTORS), STAGES + 2)
        operands = list(transfers_of(range(count)))
        first = len(VECTORS[0])
        room = first + (STAGES - 1) // INTERVAL
        bench.source.send(operands[:first])
        if gap:
            await ClockCycles(dut.clk, first + STAGES + 2)
        bench.source.send(operands[first:])
        await ClockCycles(dut.clk, INTERVAL * len(operands) + STAGES + 2)
        taken = len(bench.source.transfers)
        p.check(
            taken >= min(room, len(operands)),
            f"took {taken} transfers while its output was blocked; there is room for {room}",
        )
        bench.sink.blocked = False
        await bench.receive(p, range(count))


@cocotb.test(skip=STAGES == 0)
async def throughput(dut: Any) -> None:
    """A transfer every `INTERVAL` clocks, and a result `STAGES` clocks after its last one, if
    nothing blocks; both at most `WAITS` later for each of the parts that belong together."""
    with phase("throughput") as p:
        bench = Bench(dut)
        await bench.reset()
        count = min(len(VECTORS), FEW)
        await bench.send(p, range(count))
        entered = bench.source.transfers
        ends = accumulate(map(len, VECTORS[:count]))
        parts = chain.from_iterable([i] * len(x) for i, x in enumerate(TOGETHER, 1))
        for end, received, part in zip(ends, bench.sink.transfers, parts, strict=False):
            sent = entered[end - 1]
            since = INTERVAL * (end - 1)
            later = sent - entered[0] - since, received - sent - STAGES
            p.check(
                0 <= later[0] <= WAITS * part and 0 <= later[1] <= WAITS,
                f"transfer {end - 1} entered {sent - entered[0]} clocks after the first and took "
                f"{received - sent} clocks; it must be {since} and {STAGES}",
            )


@cocotb.test(skip=STAGES == 0)
async def held_in_reset(dut: Any) -> None:
    """In reset nothing is taken, and nothing comes; then all that was offered is there."""
    with phase("held in reset") as p:
        bench = Bench(dut)
        await bench.reset()
        SEEN["resets"] += 1
        dut.rst.value = 1
        vectors = range(min(len(VECTORS), STAGES + 2))
        bench.source.send(transfers_of(vectors))
        await ClockCycles(dut.clk, INTERVAL * len(bench.source.queue) + STAGES + 2)
        taken, given = len(bench.source.transfers), bench.sink.offers
        p.check(taken == 0, f"{taken} transfers were accepted in reset, and lost")
        p.check(given == 0, "a result came out in reset")
        dut.rst.value = 0
        await bench.receive(p, vectors)


@cocotb.test(skip=STAGES == 0)
async def reset_in_flight(dut: Any) -> None:
    """A reset at any moment: nothing stale comes out, and the pipeline works on."""
    generator = random.Random(JOB["seed"])
    with phase("reset in flight") as p:
        bench = Bench(dut, stall=0.5)
        await bench.reset()
        for _ in range(RESETS):
            flight = random_vectors(generator, 2 * STAGES + 2)
            bench.source.send(transfers_of(flight))
            await ClockCycles(dut.clk, generator.randint(1, 2 * STAGES + 1))
            bench.compare(p, flight)
            await bench.reset()
            await ClockCycles(dut.clk, STAGES + 2)
            p.check(bench.sink.offers == 0, "after a reset a result came out without operands")
            bench.sink.clear()
            await bench.send(p, random_vectors(generator, 3))
            bench.sink.clear()
