"""Dot products of blocks with metadata: published digests, exact fractions, hardware, matrices."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore.exact_result import exact_result
from hwarith.explore.workloads.dots import DotPath
from hwarith.flow.evidence.records import EXACT
from hwarith.flow.stimuli.families import stimulus
from hwarith.matrix.dots import by_definition
from hwarith.units.dot.metadata import META
from tests.digests import digest, words
from tests.evidence import assert_equal_on, compared
from tests.tiers import few

FORMS = (*((meta, "lane") for meta in META), ("mx+", "unit"), ("mx++", "unit"))

ONE = {"ue4m3": 0x38, "ue3m3": 0x18, "e8m0fnu": 127}
"""Codes of scales of 1."""


def published(meta: str) -> list[np.ndarray]:
    """The operands of the published digests, with scales of 1."""
    w = words(66 * 500).reshape(500, 66).astype(np.int64)
    n = 16 if meta == "razer" else 32
    a, b = w[:, :n] >> 28, w[:, n : 2 * n] >> 28
    if meta == "razer":
        special = w[:, 65] >> 30  # 5, -5, 8, -8
        sa = w[:, 64] >> 31 << 7 | ONE["ue4m3"]
        sb = (special & 1) << 7 | special >> 1 << 6 | ONE["ue3m3"]
    elif meta == "m2xfp":
        sa, sb = (
            sum((w[:, i] >> (30 - 2 * k) & 3) << (8 + 2 * k) for k in range(4)) | ONE["e8m0fnu"]
            for i in (64, 65)
        )
    else:
        i = w[:, 64] >> 27
        j = np.where(np.arange(500) % 5 == 0, i, w[:, 65] >> 27)
        sa, sb = (index << 8 | ONE["e8m0fnu"] for index in (i, j))
    return [a, b, sa[:, None], sb[:, None]]


@pytest.mark.parametrize(
    ("spec", "lsb", "expected", "first"),
    [
        ("razer", -2, "38c629d06603d251", [104, -270, -16, 139]),
        ("mx+", -6, "106ff86348cc6bc3", [1888, 304, -432, 2384]),
        ("m2xfp", -6, "b28c8278b8c8398b", [4866, 376, 48, 3732]),
    ],
)
def test_published_digests(spec: str, lsb: int, expected: str, first: list[int]) -> None:
    u = hw.unit(f"dot:meta={spec},c=none")
    y = u(*published(spec))
    sums = np.ldexp(u.out.decode(y).astype(float), -lsb)
    assert sums[:4].tolist() == first
    assert digest(sums.astype("<i4")) == expected
    compared(EXACT, y.size, u)


@pytest.mark.long
@pytest.mark.parametrize("spec", ["razer", "mx+", "mx+,bm=unit", "m2xfp"])
def test_published_digests_in_hardware(spec: str) -> None:
    assert_equal_on(hw.unit(f"dot:meta={spec},c=none"), *published(spec.partition(",")[0]))


def of_form(meta: str, bm: str, more: str = "") -> Any:
    return hw.unit(f"dot:meta={meta},bm={bm},n=8{more}")


@pytest.mark.parametrize(("meta", "bm"), FORMS)
def test_rounds_exact_sums_once(meta: str, bm: str) -> None:
    """What the formats' own decoders say of the elements, summed up in fractions."""
    u = of_form(meta, bm)
    operands = stimulus(u, 150, seed=2)
    y = u(*operands)
    a, b, sa, sb, c = operands
    sides = []
    for reader, codes, shared in zip(u.readers, (a, b), (sa, sb), strict=True):
        levels, scales = reader.values(codes, shared[:, 0])
        sides.append((levels, scales))
    (x, s), (z, t) = sides
    for i, code in enumerate(y):
        total = sum(Fraction(p) * Fraction(q) for p, q in zip(x[i], z[i], strict=True))
        addend = u.c.decode(c[i])
        if not np.isfinite([s[i], t[i], addend]).all():
            continue
        exact = total * Fraction(float(s[i])) * Fraction(float(t[i])) + Fraction(float(addend))
        expected = u.out.encode([exact], overflow="nosat")[0]
        assert u.out.decode(code) == u.out.decode(expected)
        assert exact_result(u, [row[i].tolist() for row in operands]) == exact
        compared(EXACT, 1, u)
    assert u.golden(*(row[0] for row in operands)) == y[0]


@pytest.mark.parametrize(("meta", "bm"), few(FORMS[2:], 4))
def test_hardware(meta: str, bm: str) -> None:
    u = of_form(meta, bm)
    assert_equal_on(u, *stimulus(u, 20_000, seed=3))


@pytest.mark.long
@pytest.mark.parametrize("more", ["", ",c=none", ",out=bf16,c=bf16,round=rdn", ",stages=3"])
@pytest.mark.parametrize(("meta", "bm"), FORMS)
def test_hardware_with_options(meta: str, bm: str, more: str) -> None:
    for spec in (of_form(meta, bm, more), hw.unit(f"dot:meta={meta},bm={bm}{more}")):
        assert_equal_on(spec, *stimulus(spec, 50_000, seed=4))


@pytest.mark.parametrize("meta", META)
def test_matrices_of_quantized_blocks(meta: str) -> None:
    """By kernel and by definition; near the product of what the blocks stand for."""
    u = hw.unit(f"dot:meta={meta}")
    rng = np.random.default_rng(5)
    left, right = (f"{x.kind}" for x in u.readers)
    p = hw.quantize(rng.standard_normal((6, 64)), left)
    q = hw.quantize(rng.standard_normal((64, 5)), right, axis=0)
    y = hw.matmul(u, p.codes, q.codes, sa=p.words, sb=q.words)
    start = np.zeros((6, 5), u.out.dtype)
    assert (y == by_definition(u, p.codes, q.codes, start, [p.words, q.words])).all()
    tensor = float(p.tensor_scale or 1) * float(q.tensor_scale or 1)
    near = p.values() @ q.values() / tensor
    assert np.allclose(u.out.decode(y), near, rtol=1e-5, atol=1e-4 * np.abs(near).max())


def test_networks_and_arrays() -> None:
    """Matrices of any length, quantized on the way; a systolic array of such elements."""
    path = DotPath(hw.unit("dot:meta=m2xfp,n=8"))
    rng = np.random.default_rng(6)
    x, w = rng.standard_normal((4, 19)), rng.standard_normal((19, 3))
    y = path.accumulate(path.left(x), path.right(w), np.zeros(3, np.uint32))
    assert np.abs(path.last.decode(y) - x @ w).max() < 2
    e = hw.unit("engine:pe=(dot:meta=mx+,n=4),rows=2,columns=2")
    q = hw.quantize(rng.standard_normal((3, 16)), "mxfp4+", 4)
    p = hw.quantize(rng.standard_normal((16, 5)), "mxfp4+", 4, axis=0)
    assert (
        e.matmul(q.codes, p.codes, sa=q.words, sb=p.words)
        == hw.matmul(e.pe, q.codes, p.codes, sa=q.words, sb=p.words)
    ).all()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("meta=mx", "parameter meta: unknown value 'mx'; did you mean 'mx\\+'"),
        ("meta=mx+,a=e4m3fn", "parameter a: with meta=mx\\+ it is e2m1fn"),
        ("meta=razer,scale=e8m0fnu", "parameter scale: with meta=razer it is ue4m3"),
        ("meta=m2xfp,n=12", "parameter n: group of m2xfp_a must be a multiple of 8"),
        ("meta=mx+,n=64", "parameter n: group of mxfp4\\+ must be at most 32"),
        ("meta=mx+,acc=seq", "meta=mx\\+ is for a single block, block=n, with acc=exact"),
        ("meta=razer,n=16,block=8", "is for a single block"),
        ("bm=unit", "parameter bm: unit is for meta=mx\\+ and mx\\+\\+"),
    ],
)
def test_what_there_is_not(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(f"dot:{spec}")
