"""Codes side by side, in machine words and in Python's integers."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.formats.lanes import join, split


@pytest.mark.parametrize(("name", "n"), [("e2m1fn", 3), ("e3m2fn", 32), ("bf16", 8), ("tf32", 5)])
@pytest.mark.parametrize("shape", [(), (7,), (2, 3), (0,)])
def test_join_and_split(name, n, shape):
    f = hw.format(name)
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 1 << f.bits, (*shape, n)).astype(f.dtype)
    joined = join(codes, f)
    assert joined.shape == shape
    expected = [
        sum(int(x) << i * f.bits for i, x in enumerate(row)) for row in codes.reshape(-1, n)
    ]
    assert [int(x) for x in np.ravel(joined)] == expected
    if shape != (0,):
        assert (split(np.asarray(joined), f, n) == codes).all()


def test_no_rows_at_all():
    u = hw.unit("dot:a=bf16,n=8,acc=trunc-24,round=rtz")
    a, c = np.zeros((0, 8), np.uint16), np.zeros(0, np.uint32)
    assert u(a, a, c).shape == (0,)
