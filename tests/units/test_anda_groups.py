"""What stands around Anda's element: the compressor, and sums of groups in floating point."""

from __future__ import annotations

import hashlib
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.flow.stimuli.families import stimulus
from tests.digests import words
from tests.evidence import assert_equal_on, compared
from tests.faults import faulty
from tests.tiers import few

COMPRESSORS = (
    "andaquant:m=4,n=3,round=rne",
    "andaquant:m=13,n=2,a=fp32",
    "andaquant:m=1,n=5",
    "andaquant:m=10,n=2,round=rne",
    "andaquant:m=16,n=1,round=rne",
    "andaquant:m=8,n=64",
    "andaquant:m=6,n=7,a=fp32,round=rne",
)

SUMS = (
    "scaledsum:a=int31,by=int9,stages=2",
    "scaledsum:a=uint4,by=int5,acc=fp16",
    "scaledsum",
)


# -- the compressor ------------------------------------------------------------------------------


def codes_of(u: Any, planes: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Mantissas with a sign above them, of each number."""
    bits = np.column_stack([signs, planes]).astype(np.uint64)[:, None, :]
    each = bits >> np.arange(u.n, dtype=np.uint64)[:, None] & np.uint64(1)
    return (each << np.arange(u.m, -1, -1, dtype=np.uint64)).sum(axis=-1)


@pytest.mark.parametrize(
    ("m", "digest"),
    few([(8, "e5e7e4f78853d7f2"), (4, "d8dd90998f8999d3"), (13, "b91197a40b483cbe")], 1),
)
def test_published_codes(m: int, digest: str) -> None:
    x = words()[: 64 * 300].reshape(300, 64)
    h = x >> 31 << 15 | (10 + (x >> 26 & 7) + (x >> 20 & 1)) << 10 | x >> 8 & 0x3FF
    u: Any = hw.unit(f"andaquant:m={m}")
    planes, signs, exponent, invalid = u(h.astype(np.uint16))
    codes = codes_of(u, planes, signs)
    rows = ((codes >> np.uint64(m)) << np.uint64(15) | codes & np.uint64((1 << m) - 1)).astype(
        "<u2"
    )
    text = b"".join(bytes([e]) + y.tobytes() for e, y in zip(exponent.tolist(), rows, strict=True))
    assert hashlib.sha256(text).hexdigest()[:16] == digest
    assert not invalid.any()


@pytest.mark.parametrize("spec", few(COMPRESSORS, 3))
def test_compressor_is_the_quantizer(spec: str) -> None:
    u: Any = hw.unit(spec)
    (x,) = stimulus(u, 300, seed=1)
    q = hw.quantize(u.a.decode(x), f"anda_m{u.m}", u.n, round=u.round)
    planes, signs, exponent, invalid = u(x)
    np.testing.assert_array_equal(codes_of(u, planes, signs), q.codes)
    np.testing.assert_array_equal(exponent, q.scale_codes[:, 0])
    assert 0 < invalid.mean() < 1
    for i in range(5):
        found = u.golden(x[i].tolist())
        assert found == (planes[i].tolist(), signs[i], exponent[i], invalid[i])
    compared(EXACT, len(x), u)
    assert_equal_on(u, x)


def test_mantissas_by_fractions() -> None:
    """Toward zero, or to nearest with ties to even; -0 keeps its sign."""
    x = np.array([[0x3C00, 0x3C01, 0x0001, 0x8000, 0x2FFF, 0xB3FF, 0x3BFF, 0x3E80]], np.uint16)
    values = [Fraction(float(v)) for v in x.view(np.float16)[0]]
    for m in (1, 3, 8, 11, 16):
        for nearest in (False, True):
            u: Any = hw.unit(f"andaquant:m={m},n=8,round={'rne' if nearest else 'rtz'}")
            planes, signs, exponent, _ = u(x)
            unit = Fraction(2) ** (int(exponent[0]) - 14 - m)
            codes = codes_of(u, planes, signs)[0].tolist()
            for number, value, code in zip(x[0].tolist(), values, codes, strict=True):
                count = round(abs(value) / unit) if nearest else abs(value) // unit
                assert code == number >> 15 << m | min(count, (1 << m) - 1)


# -- sums of groups ------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", few(SUMS, 2))
def test_sums_of_scaled_integers(spec: str) -> None:
    """As numpy adds up in the same format; the hardware with and without pauses."""
    u: Any = hw.unit(spec)
    count = min(len(x) for x in stimulus(u, 3000, seed=1)) // 8 * 8
    a, by = (x[:count].reshape(-1, 8) for x in stimulus(u, 3000, seed=1))
    kind = np.float32 if u.acc.name == "fp32" else np.float16
    total = np.zeros(len(a), kind)
    with np.errstate(all="ignore"):
        for x, k in zip(u.a.decode(a).T, u.by.decode(by).astype(int).T, strict=True):
            total = total + np.ldexp(x.astype(np.float64), k).astype(kind)
    y = u(a, by)
    np.testing.assert_array_equal(u.acc.decode(y), total)
    assert [u.golden(a[i].tolist(), by[i].tolist()) for i in range(4)] == y[:4].tolist()
    compared(EXACT, len(a), u)
    sim = hw.simulate(u)
    np.testing.assert_array_equal(sim(a, by), y)
    np.testing.assert_array_equal(sim.stream(a, by, idle=0.3, stall=0.5, seed=1), y)


def test_a_row_of_groups() -> None:
    """Compressor, element and sum make a row's dot product: exact within groups, fp32 across."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5, 3, 64)).astype(np.float16)
    w = rng.integers(-8, 8, x.shape)
    compress, pe = hw.unit("andaquant:m=8"), hw.unit("andape:w=int4,m=8")
    add_up = hw.unit("scaledsum:a=int18,by=int8")
    planes, signs, exponent, _ = compress(x.view(np.uint16))
    of_weights: Any = pe.steps(np.zeros(x.shape, int), w)[2]
    sums = pe(planes, signs[..., None], of_weights)
    y = add_up(sums, add_up.by.encode(exponent.astype(int) - 22)).astype(np.uint32).view(np.float32)
    groups = (hw.quantize(x, "anda_m8").values() * w).sum(axis=-1).astype(np.float32)
    np.testing.assert_array_equal(y, (groups[:, 0] + groups[:, 1]) + groups[:, 2])


# -- faults and bad input ------------------------------------------------------------------------

FAULTS = (
    # A mantissa of ones is rounded up; a tie beside an odd one is not; a group of the largest
    # exponent is no longer invalid; a term is not scaled.
    (COMPRESSORS[0], r"(lane0_up = .*) & ~\(?&.*;", r"\g<1>;"),
    (COMPRESSORS[0], r"(lane0_up = .*)lane0_inexact \|", r"\g<1>1'b1 |"),
    (COMPRESSORS[2], r"(not_finite = ).*;", r"\g<1>1'b0;"),
    (SUMS[0], r"(term_exponent = ).*;", r"\g<1>10'd157;"),
)


@pytest.mark.parametrize(("spec", "pattern", "new"), few(FAULTS, 4))
def test_injected_faults_are_found(spec: str, pattern: str, new: str) -> None:
    u = hw.unit(spec)
    operands: list[np.ndarray] = [*stimulus(u, 2000)]
    if u.transfers.controls:
        operands = [x.reshape(-1, 2) for x in operands]
    sim = hw.simulate(u, verilog=faulty(u, rf"\b{pattern}", new))
    got, expected = sim(*operands), u(*operands)
    pairs = zip(got, expected, strict=True) if isinstance(got, tuple) else [(got, expected)]
    assert any((np.asarray(x) != np.asarray(y)).any() for x, y in pairs)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("andaquant:a=bf16", "andaquant: parameter a: must be fp16 or fp32, not bf16"),
        ("andaquant:m=17", "andaquant: parameter m: must be 1 to 16, not 17"),
        ("scaledsum:a=fp16", "scaledsum: parameter a: must be an integer format, not fp16"),
        ("scaledsum:by=fp16", "parameter by: must be an integer format, not fp16"),
        ("scaledsum:acc=int32", "acc: must be a signed float with a zero, not int32"),
        ("scaledsum:acc=e8m0fnu", "acc: must be a signed float with a zero, not e8m0fnu"),
    ],
)
def test_wrong_specs(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit(spec)
