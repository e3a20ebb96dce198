"""The least cut of a network, against all cuts there are."""

from __future__ import annotations

import itertools
import random

import pytest

from hwarith.rtl.pipeline.mincut import Network


def least_cut_by_trial(edges: list[tuple[int, int, int]], count: int) -> int:
    """The least capacity over all sets of vertices with the source and without the sink."""
    costs = []
    for chosen in itertools.product((False, True), repeat=count):
        side = (True, False, *chosen)
        costs.append(sum(room for tail, head, room in edges if side[tail] and not side[head]))
    return min(costs)


@pytest.mark.parametrize("seed", range(40))
def test_least_cut_is_the_least_of_all(seed: int) -> None:
    rng = random.Random(seed)
    network, count = Network(), 7
    for _ in range(count):
        network.vertex()
    edges = [(*rng.sample(range(count + 2), 2), rng.randrange(6)) for _ in range(24)]
    for edge in edges:
        network.edge(*edge)
    side = network.source_side()
    assert side[network.SOURCE]
    assert not side[network.SINK]
    cost = sum(room for tail, head, room in edges if side[tail] and not side[head])
    assert cost == least_cut_by_trial(edges, count)
