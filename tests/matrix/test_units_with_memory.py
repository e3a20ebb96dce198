"""Matrix products, arrays and networks of units that hold their sums: what they do in a step."""

from __future__ import annotations

import re

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore.workloads.datapath import datapath
from hwarith.explore.workloads.paths import Encoded


def matrices(p: int, m: int, k: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Integers of p bits, of which many are the largest."""
    rng = np.random.default_rng(p)
    most = (1 << (p - 1)) - 1
    a, b = (rng.integers(-most, most + 1, shape) for shape in ((m, k), (k, n)))
    return np.where(rng.integers(3, size=a.shape), a, most), np.where(
        rng.integers(3, size=b.shape), b, most
    )


def codes(x: np.ndarray, p: int) -> np.ndarray:
    return hw.format(f"int{p}").encode(x)


@pytest.mark.parametrize("p", [16, 12, 8])
def test_dynamic_fixed_point(p: int) -> None:
    """Bit for bit what the unit gives, which wraps modulo 2^32 with 16 bits; from c on."""
    a, b = matrices(p, 7, 24, 5)
    u = hw.unit(f"dfpmac:p={p}")
    x, w = codes(a, p)[:, None], codes(b, p).T
    y, overflow = u(x[..., ::2], w[:, ::2], x[..., 1::2], w[:, 1::2])
    found = hw.matmul(u, codes(a, p), codes(b, p))
    assert np.array_equal(found, y)
    assert overflow.any() == (p == 16)
    assert np.array_equal(found, (a @ b) % 2**32)
    c = np.arange(35).reshape(7, 5) * 2**26
    from_c = hw.matmul(u.spec, codes(a, p), codes(b, p), c.astype(np.uint32))
    assert np.array_equal(from_c, (a @ b + c) % 2**32)


@pytest.mark.parametrize("spec", ["mac:a=int8", "mac:a=bf16", "mac:a=e4m3fn,acc=fp16,round=rtz"])
def test_multiply_accumulators(spec: str) -> None:
    u = hw.unit(spec)
    rng = np.random.default_rng(0)
    a, b = (u.a.encode(rng.standard_normal(shape) * 9) for shape in ((6, 20), (20, 4)))
    assert np.array_equal(hw.matmul(u, a, b), u(a[:, None], b.T))


@pytest.mark.parametrize("spec", ["dfpmac:p=8", "mac:a=int8"])
def test_arrays(spec: str) -> None:
    """An element has no memory of its own: the array's registers hold the sums."""
    e = hw.unit(f"engine:pe=({spec}),rows=2,columns=3")
    assert e == hw.unit(e.spec)
    assert e.pe == hw.unit(spec).chain_step
    a, b = (codes(x, 8) for x in matrices(8, 4, e.depth, 3))
    assert np.array_equal(e(a, b), hw.matmul(spec, a, b))
    assert np.array_equal(hw.simulate(e)(a, b), e(a, b))


def test_operands_that_a_network_gives() -> None:
    """In groups of four transfers, of which the sums of a row are made: the others are zeros."""
    u = hw.unit("dfpmac:p=8")
    a, b = matrices(8, 3, 22, 2)
    x, w = (Encoded(codes(z, 8), np.asarray(1.0)) for z in (a, b))
    path = datapath(u)
    met = path.operands_met(x, w, np.zeros(2, np.uint32))
    assert [z.shape for z in met] == [(3 * 2 * 3, 4)] * 4
    y, _ = u(*met)
    sums = y.view(np.int32).reshape(3, 2, 3).sum(axis=-1)
    assert np.array_equal(sums, a @ b)
    few = path.operands_met(x, w, np.zeros(2, np.uint32), most=8)
    assert np.array_equal(u(*few)[0].view(np.int32).reshape(3, 2), a[:, :8] @ b[:8])
    bias = np.arange(2, dtype=np.uint32)
    wide = [Encoded(np.pad(z.codes, pad), z.scale) for z, pad in ((x, ((0, 0), (0, 2))),)]
    padded = Encoded(np.pad(w.codes, ((0, 2), (0, 0))), w.scale)
    assert np.array_equal(path.accumulate(wide[0], padded, bias).view(np.int32), a @ b + bias)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("dfpmac:p=8", "must have one K, a multiple of n=2"),
        ("mac:a=int8,out=int16", "for sums to go on, out must be acc"),
        ("mac:a=bf16,flags=after", "to accumulate, fma"),
    ],
)
def test_mistakes(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.matmul(spec, np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8))
