"""Hardware that takes several clocks for a result, held to its golden model and its intervals."""

from __future__ import annotations

import numpy as np

import hwarith as hw
from tests.evidence import HARDWARE, compared, rows


def assert_streams(u: hw.Unit, operands: list[np.ndarray]) -> None:
    """Hold results with pauses and without to the golden model, and clocks to what is stated."""
    simulation, expected = hw.simulate(u), rows(u(*operands))
    paused = simulation.stream(*operands, idle=0.2, stall=0.7, seed=3)
    for found in (paused, simulation(*operands)):
        for x, y in zip(rows(found), expected, strict=True):
            np.testing.assert_array_equal(x, y)
    n = operands[0].size
    assert simulation.clocks == (n - 1) * u.transfers.clocks + u.stages + 1
    compared(HARDWARE, n, u, operands)
