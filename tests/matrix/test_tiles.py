"""The loop over three matrices, of sizes that its tiles and its groups of steps do not divide."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hwarith.golden.compiler import inlined
from hwarith.golden.kernels import Kernel
from hwarith.matrix import loops, tiles
from hwarith.matrix.kernels import loop, values


def weighted_sums(by_fours: bool) -> Callable:
    step = inlined(lambda x, y, acc, scale: scale * acc + x * y)
    return tiles.product_loop(step, vectors=True, by_fours=by_fours)


@pytest.mark.parametrize("by_fours", [False, True])
@pytest.mark.parametrize("shape", [(3, 5, 7), (2, 131, 259), (1, 4, 1), (2, 0, 3), (0, 2, 2)])
def test_steps_in_ascending_order(shape: tuple[int, int, int], by_fours: bool) -> None:
    """acc = 3 acc + x y depends on the order of its steps."""
    m, k, n = shape
    run = Kernel(weighted_sums, by_fours)
    rng = np.random.default_rng(6)
    a, b, acc = (rng.integers(-9, 9, s) for s in ((m, k), (k, n), (m, n)))
    expected = acc.copy()
    for column, row in zip(a.T, b, strict=True):
        expected = 3 * expected + column[:, None] * row
    run(acc, a, b, 3)
    np.testing.assert_array_equal(acc, expected)


def test_what_is_remembered_is_bounded() -> None:
    for remembering in (loops.specialized, loops.general, loop.kernel, values.table):
        assert remembering.cache_info().maxsize is not None
