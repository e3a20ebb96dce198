"""Where the register ranks of a pipeline stand: short segments first, then few registers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from .delay import ONE, Graph
from .gates import REGISTER
from .mincut import Network

WORTH = 0.06
"""The part by which another segment must shorten the longest one. The model is not exact: with less
it may well become longer."""


@dataclass(frozen=True)
class Pipeline:
    """The operations of a graph in segments, with a register rank behind each segment.

    Attributes
    ----------
    segment : the segment of each operation, from 0 on; -1: nothing reads it.
    delays : the longest path through each segment, in the unit of the graph.
    registers : of each rank, the bits it holds, in ascending order.
    """

    segment: list[int]
    delays: list[int]
    registers: list[list[int]]


class Cutter:
    """Cuts the operations of a graph into segments.

    A limit for the delay of a segment is possible if operations fit when each stands as late as it
    can. The cuts are then made one after the other: before a cut must stand what would otherwise
    be too late; behind it what is too slow to stand before it, and all that reads it. Of the cuts
    that remain the one through the fewest bits is taken, a least cut of a network.

    Attributes
    ----------
    results : the bits of the results, without constants.
    live : whether a result depends on a bit.
    """

    def __init__(self, graph: Graph, results: list[int]):
        self.graph = graph
        self.results = sorted({bit for bit in results if bit > ONE})
        self.live = self._read_bits()

    def pipeline(self, stages: int, shares: Sequence[int] = ()) -> Pipeline:
        """The operations in so many segments. Those that would shorten the longest one by less
        than `WORTH` are empty and the last ones: the results are in their registers. With `shares`,
        a number for each segment, delays are in these proportions or less, as short as possible;
        those with none, the last ones, are empty."""
        limits = (
            self._least_limits([x for x in shares if x]) if shares else self._even_limits(stages)
        )
        useful = len(limits)
        last = useful - 1
        segment = [last if any(self.live[bit] for bit in made) else -1 for made in self.graph.made]
        latest = self._latest(limits)
        for cut in range(last):
            for operation in self._before(cut, last, segment, latest, limits[cut]):
                segment[operation] = cut
        arrivals = self._arrivals(segment, first=0)
        delays = [0] * stages
        for arrival, operation in zip(arrivals, self.graph.operation, strict=True):
            if operation >= 0 and segment[operation] >= 0:
                delays[segment[operation]] = max(arrival, delays[segment[operation]])
        return Pipeline(segment, delays, self._registers(segment, stages))

    def shortest(self, stages: int) -> int:
        """The shortest possible delay of the longest of so many segments."""
        return max(self._least_limits([1] * stages))

    def _even_limits(self, stages: int) -> list[int]:
        """The same limit for all useful segments."""
        useful, limit = 1, self.shortest(1)
        for more in range(2, stages + 1):
            shorter = self.shortest(more)
            if limit and shorter <= (1 - WORTH) * limit:  # without delay nothing is shortened
                useful, limit = more, shorter
        return [limit] * useful

    def _least_limits(self, shares: Sequence[int]) -> list[int]:
        """The least limits of segments, in these shares, that are possible."""
        arrivals = self._arrivals([0] * len(self.graph.made), first=0)
        total = max((arrivals[bit] for bit in self.results), default=0)
        largest = max(shares)

        def limits(most: int) -> list[int]:
            return [-(-most * share // largest) for share in shares]

        low, high = -(-total * largest // sum(shares)), total
        if len(set(shares)) > 1:
            high = -(-(total + REGISTER) * largest // min(shares))
        while low < high:
            middle = (low + high) // 2
            if self._latest(limits(middle)):
                high = middle
            else:
                low = middle + 1
        return limits(low)

    def _read_bits(self) -> list[bool]:
        """Whether a result depends on a bit."""
        live = [False] * len(self.graph.fanin)
        for bit in self.results:
            live[bit] = True
        for bit in reversed(range(len(live))):
            if live[bit]:
                for source in self.graph.fanin[bit]:
                    live[source] = True
        return live

    def _arrivals(self, segment: list[int], first: int) -> list[int]:
        """How long after the clock or, in the `first` segment, the inputs each bit comes."""
        operation, delay = self.graph.operation, self.graph.delay
        arrivals = [0] * len(delay)
        for bit, fanin in enumerate(self.graph.fanin):
            if self.live[bit] and operation[bit] >= 0:
                here = segment[operation[bit]]
                start = 0 if here == first else REGISTER
                for source in fanin:
                    reader = operation[source]
                    if reader >= 0 and segment[reader] == here and arrivals[source] > start:
                        start = arrivals[source]
                arrivals[bit] = start + delay[bit]
        return arrivals

    def _latest(self, limits: list[int]) -> list[int]:
        """Segments of the operations if each stands as late as it can; none if some do not fit."""
        graph, live, stages = self.graph, self.live, len(limits)
        # For each bit what reads it: segments behind that one, and the delay to the segment's end
        behind = [0] * len(live)
        tail = [0] * len(live)
        latest = [stages - 1] * len(graph.made)
        # By segments behind; in the first one inputs come at once
        room = [*(limit - REGISTER for limit in reversed(limits[1:])), limits[0]]
        for operation in reversed(range(len(latest))):
            made = [bit for bit in graph.made[operation] if live[bit]]
            if not made:
                continue
            here = max(behind[bit] for bit in made)
            after = {bit: tail[bit] if behind[bit] == here else 0 for bit in made}
            tails = self._tails(operation, after)
            if max(tails.values()) > room[here]:
                here += 1
                tails = self._tails(operation, dict.fromkeys(made, 0))
                if here == stages or max(tails.values()) > room[here]:
                    return []
            latest[operation] = stages - 1 - here
            for bit, length in tails.items():
                for source in graph.fanin[bit]:
                    if behind[source] < here:
                        behind[source], tail[source] = here, length
                    elif behind[source] == here and tail[source] < length:
                        tail[source] = length
        return latest

    def _tails(self, operation: int, after: dict[int, int]) -> dict[int, int]:
        """Of the bits of an operation, the delay from their fan-in to the end of the segment, if
        it is `after` from each of them on for others."""
        tails = {}
        for bit in reversed(after):
            tails[bit] = length = after[bit] + self.graph.delay[bit]
            for source in self.graph.fanin[bit]:
                if source in after and after[source] < length:
                    after[source] = length
        return tails

    @cached_property
    def _readers(self) -> list[tuple[int, ...]]:
        """Of each bit, the other operations that read it; as the last the results, if they do."""
        graph = self.graph
        readers: list[set[int]] = [set() for _ in graph.fanin]
        for bit, fanin in enumerate(graph.fanin):
            if self.live[bit]:
                for source in fanin:
                    readers[source].add(graph.operation[bit])
        for bit in self.results:
            readers[bit].add(len(graph.made))
        return [
            tuple(sorted(found - {operation}))
            for found, operation in zip(readers, graph.operation, strict=True)
        ]

    def _before(
        self, cut: int, last: int, segment: list[int], latest: list[int], limit: int
    ) -> list[int]:
        """The operations that end in segment `cut`, of those that are in none before it (they
        stand in the `last` so far)."""
        network = Network()
        vertices = [network.SOURCE] * len(segment)
        # What is not placed yet stands in the last segment, as if it were the next one
        arrivals = self._arrivals(segment, first=0 if cut else last)
        free = [operation for operation, place in enumerate(segment) if place == last]
        for operation in free:
            if max(arrivals[bit] for bit in self.graph.made[operation]) > limit:
                vertices[operation] = network.SINK
            elif latest[operation] > cut:
                vertices[operation] = network.vertex()
        # An edge from an operation, or from all that stands before, to the readers of its bits
        # has room for the registers they need; what is before the cut draws what it reads there.
        registers: dict[tuple[int, tuple[int, ...]], int] = {}
        ends = [*vertices, network.SINK]  # the last of all readers are the results
        for bit, found in enumerate(self._readers):
            heads = {ends[reader] for reader in found} - {network.SOURCE}
            operation = self.graph.operation[bit]
            maker = vertices[operation] if operation >= 0 else network.SOURCE
            if heads and maker != network.SINK:
                key = maker, (network.SINK,) if network.SINK in heads else tuple(sorted(heads))
                registers[key] = registers.get(key, 0) + 1
                if maker != network.SOURCE:
                    for head in sorted(heads - {network.SINK}):
                        network.edge(head, maker)
        for (maker, readers), count in registers.items():
            if len(readers) == 1:
                network.edge(maker, readers[0], count)
            else:
                net = network.vertex()
                network.edge(maker, net, count)
                for reader in readers:
                    network.edge(net, reader)
        before = network.source_side()
        return [operation for operation in free if before[vertices[operation]]]

    def _registers(self, segment: list[int], stages: int) -> list[list[int]]:
        """The bits that are read behind each rank and made before it."""
        ranks: list[list[int]] = [[] for _ in range(stages)]
        places = [*segment, stages]
        for bit, readers in enumerate(self._readers):
            if readers and bit > ONE:
                operation = self.graph.operation[bit]
                made = segment[operation] if operation >= 0 else 0
                for rank in range(made, max(places[reader] for reader in readers)):
                    ranks[rank].append(bit)
        return ranks
