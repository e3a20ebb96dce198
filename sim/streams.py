"""Both ends of a stream with valid and ready, and the pauses that they make.

An end that waits does nothing before the other end has begun: such a source offers only after a
clock in which ready was high, such a sink is ready only after one in which valid was. Where the
other end waits as well, nothing ever happens.

A transfer happens at a rising edge of the clock where valid and ready are both high. Outputs are
driven after the rising edge, and everything is read at the falling one, when logic between the
two streams has settled: what is read there is what the next rising edge sees, in any simulator.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

SEEN: Counter[str] = Counter()
"""How many clocks the ends of streams have seen, and what happened in them: ``idle`` the source had
something but paused, ``waits`` its offer was not taken, ``stalls`` an offered result was not; and
``resets``."""

Payload = tuple[int, ...]
"""The values of a stream's payload ports, in their order."""


def pauses(chance: float, seed: int) -> Iterator[bool]:
    """Whether to pause, clock by clock."""
    generator = random.Random(seed)
    while True:
        yield generator.random() < chance


class _End:
    """What both ends have: a task that drives and reads once a clock, and counts the clocks."""

    def __init__(
        self,
        clock: Any,
        valid: Any,
        ready: Any,
        ports: Sequence[Any],
        pause: Iterator[bool],
        waits: bool,
    ):
        self.clock, self.valid, self.ready, self.ports = clock, valid, ready, ports
        self.pause, self.waits = pause, waits
        self.clocks = 0
        self.transfers: list[int] = []
        """The clock of each transfer."""
        cocotb.start_soon(self._run())

    async def _run(self) -> None:
        rising, falling = RisingEdge(self.clock), FallingEdge(self.clock)
        while True:
            await rising
            self.clocks += 1
            self.drive()
            await falling
            self.read()

    def drive(self) -> None:
        raise NotImplementedError

    def read(self) -> None:
        raise NotImplementedError


class Source(_End):
    """Sends what is in its queue. An offer stands until it is accepted; between offers the
    payload ports carry other values, which must not matter."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.queue: deque[Payload] = deque()
        self._offering = False
        self._invited = False
        self.valid.value = 0

    def send(self, payloads: Iterable[Payload]) -> None:
        self.queue.extend(payloads)

    def clear(self) -> None:
        """Forget the queue and withdraw the offer, as a reset does."""
        self.queue.clear()
        self._offering = False
        self.valid.value = 0

    def drive(self) -> None:
        if self._offering:
            return
        may_offer = bool(self.queue) and (self._invited or not self.waits)
        self._offering = may_offer and not next(self.pause)
        self.valid.value = int(self._offering)
        if self._offering:
            for port, value in zip(self.ports, self.queue[0], strict=True):
                port.value = value
        elif self.queue:
            for port, value in zip(self.ports, self.queue[-1], strict=True):
                port.value = value

    def read(self) -> None:
        self._invited = self.ready.value == 1
        SEEN["clocks"] += 1
        SEEN["idle"] += bool(self.queue) and not self._offering
        SEEN["waits"] += self._offering and not self._invited
        if self._offering and self._invited:
            self.queue.popleft()
            self.transfers.append(self.clocks)
            self._offering = False


class Sink(_End):
    """Keeps what it receives, and notes when an offer that it has not accepted is changed."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.received: list[Payload] = []
        self.broken: list[str] = []
        """What went against the protocol."""
        self.offers = 0
        """Clocks in which there was something to receive."""
        self.blocked = False
        """Whether nothing is to be accepted."""
        self._standing: Payload | None = None
        self.ready.value = 0

    def clear(self) -> None:
        """Forget what was received and what is on offer, as a reset does."""
        self.received.clear()
        self.transfers.clear()
        self.offers = 0
        self._standing = None

    def drive(self) -> None:
        may_accept = not self.blocked and (self._standing is not None or not self.waits)
        self.ready.value = int(may_accept and not next(self.pause))

    def read(self) -> None:
        offer = None
        if self.valid.value == 1:
            self.offers += 1
            offer = tuple(int(port.value) for port in self.ports)
        if self._standing is not None and offer != self._standing:
            self.broken.append(
                f"clock {self.clocks}: the result {hex_codes(self._standing)} was not accepted, "
                f"yet became {hex_codes(offer) if offer else 'invalid'}"
            )
        accepted = offer is not None and self.ready.value == 1
        SEEN["stalls"] += offer is not None and not accepted
        self._standing = None if accepted else offer
        if accepted and offer is not None:
            self.received.append(offer)
            self.transfers.append(self.clocks)


def hex_codes(codes: Sequence[int]) -> str:
    return " ".join(f"{code:#x}" for code in codes)
