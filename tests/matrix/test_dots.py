"""Matrix products of dot products: kernels against the definition, and wrong input."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.matrix import dots
from hwarith.matrix.kernels import blocks

KERNELS = {
    "dot:preset=h100-fp16-fp32": blocks._truncated,
    "dot:preset=ada-e5m2-fp16": blocks._truncated,
    "dot:preset=h100-wgmma-e4m3fn-fp32": blocks._truncated,
    "dot:preset=b200-mxfp6": blocks._truncated,
    "dot:preset=b200-nvfp4": blocks._grouped,
    "dot:a=e4m3fn,n=16": blocks._exact,
    "dot:a=e2m1fn,n=16,scale=ue4m3,c=fp16,out=fp16": blocks._exact,
    "dot:a=int8,b=e4m3fn,n=8,scale=e8m0fnu,c=bf16,out=bf16": blocks._exact,
    "dot:a=int8,n=8": blocks._integers,
    "dot:a=int8,b=uint4,n=4,c=int12,acc=seq": blocks._integers,
    "dot:a=int4,n=4,c=int16,out=int16,acc=pairwise": blocks._integers,
    "dot:a=uint4,n=4,c=uint16,out=uint16": None,
    "dot:a=e5m2,n=8": None,
    "dot:a=e2m1fn,n=2,c=ue4m3,out=ue4m3": None,
    "dot:a=e2m1fn,n=2,c=binary8p4ue,out=binary8p4ue,acc=trunc-9,round=rtz,overflow=toinf": None,
}


def matrices(u: hw.Unit, seed: int, m: int = 12, n: int = 9, blocks_of_k: int = 3) -> list:
    """Operands with values of any size, zeros, cancelling and overflowing sums."""
    rng = np.random.default_rng(seed)
    k = blocks_of_k * u.n

    def codes(f: hw.Format, shape: tuple[int, int]) -> np.ndarray:
        near = f.encode(rng.normal(size=shape) * 2.0 ** rng.integers(-4, 5, shape))
        if not f.is_float:
            return rng.integers(0, 1 << f.bits, shape).astype(f.dtype)
        span = min(f.bias, 100)
        wide = f.encode(rng.normal(size=shape) * 2.0 ** rng.integers(-span, span, shape))
        return np.where(rng.integers(3, size=shape) == 0, wide, near)

    a, b, c = codes(u.a, (m, k)), codes(u.b, (k, n)), codes(u.out, (m, n))
    a[0], c[1], b[:, 0] = 0, 0, 0
    if u.a.is_float:  # a sum that cancels, block by block
        half = u.n // 2
        a[2, half : u.n] = a[2, :half] ^ u.a.dtype.type(1 << (u.a.bits - 1))
        b[half : u.n] = b[:half]
    scales = []
    if u.scale:
        for shape in ((m, k // u.block), (k // u.block, n)):
            wide = rng.integers(0, 255 if u.scale.name == "e8m0fnu" else 127, shape)
            near = u.scale.encode(2.0 ** rng.integers(-3, 4, shape))
            scales.append(np.where(rng.integers(3, size=shape) == 0, wide, near).astype(np.uint8))
    return [a, b, c, scales]


@pytest.mark.parametrize(("spec", "kernel"), KERNELS.items())
def test_kernels_give_what_the_definition_gives(spec, kernel, monkeypatch):
    u = hw.unit(spec)
    used = []
    for name in ("_integers", "_exact", "_truncated", "_grouped"):
        own = getattr(blocks, name)
        monkeypatch.setattr(blocks, name, lambda *x, f=own: (used.append(f), f(*x))[1])
    for seed in range(3):
        a, b, c, scales = matrices(u, seed)
        given = dict(zip(("sa", "sb"), scales, strict=False))
        expected = dots.by_definition(u, a, b, c, scales)
        assert (hw.matmul(u, a, b, c, **given) == expected).all()
    assert used == ([kernel] * 3 if kernel else [])


@pytest.mark.parametrize("spec", ["dot:preset=a100-fp16-fp32", "dot:a=e4m3fn,n=8"])
def test_infinities_and_nan(spec):
    u = hw.unit(spec)
    a, b, c, _ = matrices(u, 7)
    a[3, 1], c[4, 2] = u.a.encode(np.nan), u.out.encode(np.inf)
    expected = dots.by_definition(u, a, b, c, [])
    assert (hw.matmul(u, a, b, c) == expected).all()
    assert np.isnan(u.out.decode(expected[3])).all()


def test_sums_that_overflow_on_their_way():
    u = hw.unit("dot:preset=h100-fp16-fp32")
    big = np.full((1, 32), u.a.encode(60000), np.uint16)
    c = np.array([[0x7F7FFFFF]], np.uint32)
    assert hw.matmul(u, big, big.T, c)[0, 0] == u.dot(big[0], big[0], c[0, 0])
    narrow = hw.unit("dot:preset=h100-fp16-fp16")
    assert hw.matmul(narrow, big, big.T)[0, 0] == 0x7C00


def test_a_wrong_kernel_is_seen(monkeypatch):
    u = hw.unit("dot:preset=h100-fp16-fp32")
    a, b, c, _ = matrices(u, 1)
    right = blocks.Grid
    monkeypatch.setattr(blocks, "Grid", lambda **x: right(**(x | {"keep": x["keep"] - 1})))
    assert (hw.matmul(u, a, b, c) != dots.by_definition(u, a, b, c, [])).any()


@pytest.mark.parametrize(
    ("spec", "change", "words"),
    [
        ("dot:a=e4m3fn,n=8", {"a": (4, 12), "b": (12, 3)}, "K, a multiple of n=8 of .*, not"),
        ("dot:a=e4m3fn,n=8", {"b": (16, 3)}, "must have one K"),
        ("dot:a=e4m3fn,n=8", {"c": (4, 2)}, r"c must be of shape \(4, 3\), not \(4, 2\)"),
        ("dot:a=e4m3fn,n=8", {"a": (8,)}, "a must be a matrix"),
        ("dot:a=e4m3fn,n=8", {"sa": (4, 1)}, "has no scales"),
        ("dot:a=e4m3fn,n=8,scale=e8m0fnu", {}, "takes scales: give sa and sb"),
        (
            "dot:a=e4m3fn,n=8,scale=e8m0fnu",
            {"sa": (4, 2), "sb": (1, 3)},
            r"sa must be of shape \(4, 1\), not \(4, 2\)",
        ),
        ("dot:a=e4m3fn,n=8,out=bf16", {}, "sums go on where c is of the format of out"),
        ("mul:a=bf16", {"sa": (4, 1)}, "has no scales; dot has"),
    ],
)
def test_wrong_input(spec, change, words):
    shapes = {"a": (4, 8), "b": (8, 3)} | change
    given = {name: np.zeros(shape, np.uint8) for name, shape in shapes.items()}
    with pytest.raises(hw.InvalidInput, match=words):
        hw.matmul(spec, **given)


def test_blocks_are_taken_in_order():
    a = np.zeros((2, 8), np.uint8)
    with pytest.raises(hw.InvalidInput, match="takes its blocks in order"):
        hw.matmul("dot:a=e4m3fn,n=8", a, a.T, order="descending")
