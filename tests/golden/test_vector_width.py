"""The loop over arrays, and which steps LLVM may be asked to vectorize."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
import pytest
from llvmlite import binding

from hwarith.golden import bit_length, golden
from hwarith.golden.arguments import machine_words
from hwarith.golden.arrays import specialized
from hwarith.golden.compiler import compiled, inlined
from hwarith.golden.vectors import WIDTH, each, is_straight


@golden
def branches(a):
    return bit_length(a) if a > 3 else -a


@golden
def shifts(a):
    return a << 3 & 255 if a & 1 else a >> 3


@golden
def loops(a):
    total = 1
    while a > 9:
        total = total * 7 ^ a
        a -= 9
    return total


@golden
def divides(a):
    return 7 // a


@golden
def refuses(a):
    if a > 9:
        raise ValueError
    return a


@golden
def calls(a):
    return branches(a) + loops(a)


@pytest.mark.parametrize(
    ("definition", "straight"),
    [
        (branches, True),
        (shifts, True),
        (loops, False),
        (divides, False),
        (refuses, False),
        (calls, False),
    ],
)
def test_what_is_straight(definition: Callable, straight: bool) -> None:
    f = compiled(definition)
    f.compile((numba.int64,))
    assert is_straight(f, (numba.int64,)) == straight


@pytest.mark.parametrize("vectors", [False, True])
@pytest.mark.parametrize("size", [0, 1, 31, 32, 1000])
def test_several_arrays_at_once(size: int, vectors: bool) -> None:
    """Sums and differences, of elements of other types than the results."""
    each_pair = each(vectors, word=64)

    @inlined
    def step(elements, scale):
        a, b = elements
        return a + scale * b, a - scale * b

    @numba.njit
    def run(sums, differences, a, b, scale):
        each_pair(step, (sums, differences), (a, b), scale)

    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 256, size, np.uint8), rng.integers(0, 1 << 16, size, np.uint16)
    sums, differences = np.zeros(size, np.int32), np.zeros(size, np.int64)
    run(sums, differences, a, b, 3)
    np.testing.assert_array_equal(sums, a.astype(int) + 3 * b.astype(int))
    np.testing.assert_array_equal(differences, a.astype(int) - 3 * b.astype(int))


@pytest.mark.skipif(not binding.get_host_cpu_features().get("avx2"), reason="needs AVX2")
@pytest.mark.parametrize(("definition", "vectors"), [(branches, True), (divides, False)])
def test_vectors_are_as_wide_as_said(definition: Callable, vectors: bool) -> None:
    loop = specialized(definition, machine_words(()), 64)
    arrays = (("array", dtype, 1, True) for dtype in ("|u1", "<u2"))
    out, operand = arrays
    text, _ = loop.compile((out, machine_words(()).signature, operand))
    assert (f"<{WIDTH} x i64>" in text) == vectors


def test_results_may_take_the_place_of_operands() -> None:
    each_element = each(vectors=True)
    double = inlined(lambda elements, _: elements[0] + elements[0])

    @numba.njit
    def run(x):
        each_element(double, x, (x,), ())

    x = np.arange(100, dtype=np.float32)
    run(x)
    assert x.tolist() == [2 * i for i in range(100)]
