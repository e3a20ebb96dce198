"""Fast kernels against the definitions, on hard operands; and that they are taken."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from hwarith.formats import Format
from hwarith.matrix import kernels, loops
from hwarith.units.chain import Chain, chain
from tests.matrix.test_product import cornered
from tests.tiers import few

IN_FLOAT32 = (
    ("fma:a=bf16,c=fp32,out=fp32", None),
    ("fma:a=fp32", None),
    ("fma:a=fp16,c=fp32,out=fp32", None),
    ("fma:a=e4m3fn,c=fp32,out=fp32", None),
    ("fma:a=fp16,b=int4,c=fp32,out=fp32", None),
    ("fma:a=e8m0fnu,b=e2m1fn,c=fp32,out=fp32", None),
    ("mul:a=bf16,out=fp32", None),
    ("mul:a=fp32", None),
    ("fma:a=e4m3fn,c=fp16,out=fp16", None),
    ("fma:a=e5m2,c=fp16,out=fp16", None),
    ("fma:a=e4m3fn,b=e5m2,c=fp16,out=fp16", None),
    ("fma:a=e2m1fn,c=e4m3fn,out=e4m3fn", None),
    ("fma:a=e5m2,c=fp16,out=fp16,overflow=saturate", None),
    ("mul:a=fp16", None),
    ("mul:a=fp16,overflow=saturate", None),
    ("mul:a=fp16", "add:a=fp16"),
    ("mul:a=e4m3fn", None),
    ("mul:a=e4m3fnuz,out=e5m2fnuz", None),
    ("mul:a=e5m2", "add:a=e5m2"),
    ("mul:a=e5m2,b=e4m3fn,out=fp16", "add:a=fp16,overflow=saturate"),
    ("mul:a=e4m3fn,round=rtz", None),
    ("mul:a=e5m2,subnormals=flush,overflow=satprop", None),
    ("mul:a=e2m1fn,b=e4m3fn,out=bf16,round=rup", None),
    ("lmul:format=e4m3fn", None),
    ("lmul:format=e5m2,k=1", "add:a=e5m2,b=fp16,out=fp16"),
    ("pam:format=e4m3fnuz", None),
    ("lmul:format=fp32", None),
    ("pam:format=fp32", None),
    ("lmul:format=fp32,sat=1", None),
    ("mul:a=bf16,round=rto", None),
    ("mul:a=fp32,subnormals=flush,round=rup", None),
    ("mul:a=fp16,out=tf32,nan=payload", None),
)
"""Product or multiply-add, and adder, of which any operands will do."""

IN_FLOAT32_MOSTLY = (
    ("mul:a=bf16", None),
    ("mul:a=bf16", "add:a=bf16"),
    ("mul:a=bf16,overflow=saturate", None),
    ("fma:a=e4m3fn,c=bf16,out=bf16", None),
    ("fma:a=e5m2,c=bf16,out=bf16", None),
    ("lmul:format=bf16", None),
    ("lmul:format=bf16,k=3,krnd=rne", None),
    ("lmul:format=bf16,k=4,zero_pos=1,sat=1", None),
    ("lmul:format=bf16,specials=none", None),
    ("lmul:format=fp16", None),
    ("lmul:format=fp16,sat=1", "add:a=fp16"),
    ("pam:format=bf16,ofs=7", "add:a=bf16"),
    ("pam:format=fp16", None),
    ("pam:format=e5m10fnuz", None),
)
"""The same, if operands are finite and not near the ends of float32's range."""

WITH_OPTIONS = (
    *((f"fma:a=bf16,c=fp32,out=fp32,round={mode}", None) for mode in ("rtz", "rna", "rup", "rdn")),
    *((f"fma:a=e5m2,c=fp16,out=fp16,subnormals={x}", None) for x in ("daz", "ftz", "flush")),
    *((f"mul:a=fp16,round={mode}", "add:a=fp16,round=rdn") for mode in ("rtz", "rna", "rdn")),
    ("fma:a=fp32,subnormals=flush", None),
    ("fma:a=fp32,subnormals=ftz,round=rup", None),
    ("fma:a=fp16,overflow=satprop", None),
    ("fma:a=fp16,overflow=nan,round=rup", None),
    ("fma:a=e4m3fn,overflow=saturate,round=rtz", None),
    ("fma:a=e4m3fnuz,round=rdn", None),
    ("fma:a=e5m2fnuz,round=rup,overflow=satprop", None),
    ("fma:a=e2m1fn,round=rna", None),
    ("fma:a=fp16,b=int4,c=fp32,out=fp32,round=rtz", None),
    ("mul:a=bf16,subnormals=flush", "add:a=bf16,b=fp32,out=fp32,subnormals=daz"),
    ("mul:a=fp16", "add:a=fp16,subnormals=daz"),
    ("mul:a=fp16", "add:a=fp16,subnormals=flush"),
    ("mul:a=bf16", "add:a=bf16,round=rna,subnormals=ftz,overflow=nan"),
    ("mul:a=e8m0fnu,b=e2m1fn,out=bf16,round=rtz", "add:a=bf16,overflow=saturate,round=rtz"),
)
"""The same, with options other than the defaults."""

CHAINED = (
    "anfma:norm=exact",
    "anfma:a=bf16",
    "anfma:a=bf16,guard=3,prodnorm=1",
    "anfma:a=fp16,guard=6",
    "anfma:a=e4m3fn,b=e5m2,w=12,norm=an-2-3",
    "anfma:a=bf16,w=16,norm=exact,prodnorm=1",
)

INTEGERS = (
    ("fma:a=int8,out=int32", None),
    ("mul:a=int8,out=int16", None),
    ("fma:a=int4,out=int16", None),
    ("mul:a=int8,out=int16", "add:a=int16,b=int32,out=int32,overflow=saturate"),
)


@pytest.fixture(autouse=True)
def silent(capfd: pytest.CaptureFixture) -> Iterator[None]:
    """LLVM does not complain that it cannot vectorize a step."""
    yield
    assert capfd.readouterr().err == ""


def definition(units: Chain, a: np.ndarray, b: np.ndarray, acc: np.ndarray) -> np.ndarray:
    """By the compiled definitions."""
    definitions, constants = zip(*(u.definition() for u in units.units), strict=True)
    return loops.accumulate(definitions, constants, a, b, acc, 64)


def near_one(f: Format, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Numbers, and zeros of both signs; few bits, so that sums are often half-way."""
    x = rng.integers(-8, 8, shape) * 2.0 ** rng.integers(-12, 12, shape)
    x = np.where(rng.integers(2, size=shape) == 0, x, rng.standard_normal(shape))
    return f.encode(np.where(rng.integers(9, size=shape) == 0, -0.0, x))


def check(units: Chain, operands: list[np.ndarray], taken: bool = True) -> None:
    found = kernels.accumulate(units, *operands)
    if not taken and found is None:
        return
    assert found is not None
    expected = definition(units, *operands)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


SHAPES = ((30, 1, 300), (20, 2, 40), (9, 7, 33), (6, 133, 20))


@pytest.mark.parametrize(("spec", "add"), few([*IN_FLOAT32, *WITH_OPTIONS], 3))
def test_any_operands(spec: str, add: str | None) -> None:
    units = chain(spec, add)
    formats = (*units.operand_formats, units.accumulator)
    for seed, (m, k, n) in enumerate(SHAPES):
        rng = np.random.default_rng(seed)
        for draw in (cornered, near_one):
            shapes = ((m, k), (k, n), (m, n))
            operands = [draw(f, s, rng) for f, s in zip(formats, shapes, strict=True)]
            check(units, operands)


@pytest.mark.parametrize(("spec", "add"), few(IN_FLOAT32_MOSTLY, 3))
def test_in_float32_if_the_operands_allow(spec: str, add: str | None) -> None:
    units = chain(spec, add)
    formats = (*units.operand_formats, units.accumulator)
    for seed, (m, k, n) in enumerate(SHAPES):
        rng = np.random.default_rng(seed)
        shapes = ((m, k), (k, n), (m, n))
        operands = [near_one(f, s, rng) for f, s in zip(formats, shapes, strict=True)]
        check(units, operands)
        check(units, [cornered(f, s, rng) for f, s in zip(formats, shapes, strict=True)], False)


@pytest.mark.parametrize("scale", [2.0**-75, 2.0**-63, 2.0**-40, 2.0**49, 2.0**63, 2.0**64])
@pytest.mark.parametrize(
    ("spec", "add"),
    [
        ("mul:a=bf16", None),
        ("mul:a=bf16", "add:a=bf16"),
        ("fma:a=bf16,c=fp32,out=fp32", None),
        ("mul:a=bf16,out=fp32", None),
        ("lmul:format=bf16", "add:a=bf16"),
        ("pam:format=bf16", None),
    ],
)
def test_near_the_ends_of_the_range(spec: str, add: str | None, scale: float) -> None:
    """Whether a kernel takes them or not, codes are those of the definitions."""
    units, rng = chain(spec, add), np.random.default_rng(3)
    a, b = (
        f.encode(rng.standard_normal(s) * scale)
        for f, s in zip(units.operand_formats, ((30, 5), (5, 40)), strict=True)
    )
    c = units.accumulator.encode(rng.standard_normal((30, 40)) * min(scale, 2.0**-1) ** 2)
    check(units, [a, b, c], taken=False)


@pytest.mark.parametrize(
    ("spec", "add"),
    [
        ("fma:a=e4m3fn,c=fp16,out=fp16", None),
        ("mul:a=fp16", "add:a=fp16"),
        ("mul:a=bf16", "add:a=bf16"),
        ("fma:a=e5m2,c=fp16,out=fp16", None),
        *WITH_OPTIONS,
    ],
)
def test_every_distance_of_a_product_to_a_sum(spec: str, add: str | None) -> None:
    """Ties, and ties but for what lies far below or above them."""
    units = chain(spec, add)
    one = 2.0 ** np.arange(-9, 10)
    a = units.operand_formats[0].encode(np.concatenate([one, 1.5 * one, 1.75 * one])[:, None])
    b = units.operand_formats[1].encode(np.concatenate([one, -one, 1.25 * one, -1.5 * one])[None])
    out = units.accumulator
    bits = out.fraction_bits
    for significand in (1, 1 + 2.0**-bits, 2 - 2.0**-bits, 1.5 - 2.0**-bits, 1.5 + 2.0**-bits):
        for exponent in range(-24, 15):
            c = np.full((a.size, b.size), out.encode(significand * 2.0**exponent))
            check(units, [a, b, c])


@pytest.mark.parametrize(("spec", "add"), WITH_OPTIONS)
def test_around_the_smallest_normal_number(spec: str, add: str | None) -> None:
    units, rng = chain(spec, add), np.random.default_rng(4)
    f, g = units.operand_formats
    least = float(units.accumulator.smallest_normal)
    small = least / 2.0 ** rng.integers(0, 9, (40, 1))
    a = f.encode(small * rng.integers(1, 64, (40, 1)))
    b = g.encode(rng.choice([-1, 1], (1, 60)) * rng.integers(1, 16, (1, 60)) / 4)
    c = units.accumulator.encode(least * rng.choice([-1.5, -1, -0.75, 0, 0.5, 1, 1.25], (40, 60)))
    check(units, [a, b, c])
    # Sums that are the smallest normal number but for less than a step of the subnormals
    quarter = math.log2(least) - units.accumulator.fraction_bits - 2
    a = f.encode(np.arange(-8.0, 8)[:, None] * 2.0 ** (quarter // 2))
    b = g.encode(np.full((1, 60), 2.0 ** (quarter - quarter // 2)))
    check(units, [a, b, units.accumulator.encode(np.full((16, 60), least))])


@pytest.mark.parametrize("spec", CHAINED)
def test_chained(spec: str) -> None:
    units = chain(spec)
    rng = np.random.default_rng(7)
    for m, k, n in SHAPES:
        shapes = ((m, k), (k, n))
        for magnitude in (1.0, 1e-30, 1e30):
            a, b = (
                f.encode(rng.standard_normal(s) * magnitude)
                for f, s in zip(units.operand_formats, shapes, strict=True)
            )
            c = cornered(units.first, (m, n), rng)
            check(units, [a, b, units.begin(c)])
        states = rng.integers(0, 1 << units.accumulator.bits, (m, n), np.int64)
        check(units, [a, b, states.astype(units.accumulator.dtype)])
        a, b = (cornered(f, s, rng) for f, s in zip(units.operand_formats, shapes, strict=True))
        check(units, [a, b, units.begin(c)], taken=False)


def test_chains_cancel() -> None:
    units = chain("anfma:a=bf16")
    rng = np.random.default_rng(8)
    a = units.operand_formats[0].encode(rng.standard_normal((20, 40)).repeat(2, axis=1))
    b = rng.standard_normal((40, 30)).repeat(2, axis=0)
    b[1::2] *= -1
    b = units.operand_formats[1].encode(b)
    check(units, [a, b, units.begin(np.zeros((20, 30), np.uint32))])


@pytest.mark.parametrize(("spec", "add"), INTEGERS)
def test_integers(spec: str, add: str | None) -> None:
    units, rng = chain(spec, add), np.random.default_rng(2)
    for m, k, n in SHAPES:
        a, b = (
            f.codes()[rng.integers(0, 1 << f.bits, s)]
            for f, s in zip(units.operand_formats, ((m, k), (k, n)), strict=True)
        )
        c = units.accumulator.encode(rng.integers(-900, 900, (m, n)))
        check(units, [a, b, c])


def test_integers_that_could_wrap_are_left_alone() -> None:
    units = chain("fma:a=int8,out=int16")
    a, b = np.full((2, 3), 127, np.uint8), np.full((3, 2), 127, np.uint8)
    assert kernels.accumulate(units, a, b, np.zeros((2, 2), np.uint16)) is None
    assert kernels.accumulate(units, a[:, :2], b[:2], np.zeros((2, 2), np.uint16)) is not None
    product = chain("mul:a=int8,out=int8", "add:a=int8,b=int32,out=int32")
    assert kernels.accumulate(product, a, b, np.zeros((2, 2), np.uint32)) is None


@pytest.mark.parametrize(
    "spec",
    [
        "fma:a=bf16",
        "fma:a=bf16,c=fp32,out=fp32,round=rto",
        "fma:a=fp64",
        "fma:a=e5m2,out=e2m1fn",
        "lmul:format=e6m12",
        "fma:a=bf16,c=fp32,out=fp32,overflow=saturate",
        "anfma:a=bf16,w=32",
    ],
)
def test_others_have_no_kernel(spec: str) -> None:
    units = chain(spec)
    a, b = (
        f.encode(np.ones(s)) for f, s in zip(units.operand_formats, ((2, 3), (3, 2)), strict=True)
    )
    acc = units.begin(np.zeros((3, 3), units.first.dtype))
    assert kernels.accumulate(units, a, b, acc) is None
