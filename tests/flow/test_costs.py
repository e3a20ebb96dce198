"""What docs/costs.md says of units beside each other, measured."""

from __future__ import annotations

import pytest

import hwarith as hw
from hwarith.flow import costs


@pytest.mark.parametrize(
    "name",
    ["e4m3fn", *(pytest.param(f, marks=pytest.mark.long) for f in costs.APPROXIMATE_FORMATS[1:])],
)
def test_an_approximate_multiplier_is_smaller_than_an_exact_one_of_its_policy(name: str) -> None:
    lmul, pam, bare, same, full = (
        hw.synthesize(spec.format(name), recipe="cmos").cells for spec in costs.MULTIPLIERS
    )
    assert bare < lmul < same < full
    assert pam < same


@pytest.mark.long
@pytest.mark.parametrize("name", costs.FORMATS)
@pytest.mark.parametrize("family", ["fma", "mul", "add"])
def test_peers_are_beaten_in_gates_and_path(family: str, name: str) -> None:
    ours = hw.synthesize(f"{family}:a={name}", recipe="cmos")
    for peer in costs.PEERS.values():
        if theirs := peer.get((family, name)):
            assert ours.cells < theirs[0]
            assert ours.depth < theirs[1]
