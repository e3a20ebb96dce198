"""Dot products by lookup: against the sums that they stand for, and the hardware."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.flow.stimuli.families import stimulus
from hwarith.formats.lanes import split
from hwarith.units.bitplane import affine
from hwarith.units.fpint import align
from hwarith.units.lut import LutDot, adders, quantized_dot
from tests.digests import digest, words
from tests.evidence import compared
from tests.faults import faulty
from tests.tiers import few

INTEGERS = (
    "lutdot:a=int8,k=4,q=4,n=2,length=64",
    "lutdot:a=int8,k=1,q=1,length=64",
    "lutdot:a=int4,k=2,q=3,planes=3,weights=affine,length=64",
    "lutdot:a=int8,k=3,q=4,planes=2,weights=int,n=3,length=64",
    "lutdot:a=int15,k=5,q=8,weights=int,length=64",
    "lutdot:a=int2,k=6,q=2,weights=affine,n=2,length=64,stages=2",
    "lutdot:a=int41,k=4,q=8,planes=8,length=64",
)

FLOATS = (
    "lutdot:a=fp16,k=1,q=8,length=64",
    "lutdot:a=fp16,k=2,q=2,n=2,length=64",
    "lutdot:a=fp16,k=4,q=1,weights=affine,length=64",
    "lutdot:a=fp16,k=3,q=4,weights=affine,length=64",
    "lutdot:a=fp16,k=6,q=4,n=2,length=64",
    "lutdot:a=fp16,k=5,q=8,length=64",
)


def groups(u: LutDot, rows: int, length: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Activations, in some rows the most negative ones, and weights of all outputs."""
    rng = np.random.default_rng(seed)
    if u.is_float:
        a = u.a.encode(rng.standard_normal((rows, length)))
    else:
        a = u.a.check(rng.integers(int(u.a.min), int(u.a.max) + 1, (rows, length)))
        a[::3] = u.a.check(int(u.a.min))
    w = rng.integers(0, 1 << u.q, (rows, u.n, length), np.uint8)
    w[::6] = (1 << u.q) - 1
    return a, w


def weights_of(u: LutDot, codes: np.ndarray) -> np.ndarray:
    """The numbers that codes stand for."""
    w = codes.astype(np.int64)
    if u.weights == "int":
        return np.where(w >> (u.q - 1), w - (1 << u.q), w)
    return 2 * w - (1 << u.q) + 1


# -- sums of integers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "expected"), [(1, "a2dc76b07423ec1c"), (2, "1e10bfae03c0adb7"), (4, "9695db2af58e6832")]
)
def test_published_sums(q: int, expected: str) -> None:
    drawn = words(20_000)
    t, j = np.arange(300)[:, None], np.arange(32)
    a = (drawn[(64 * t + j) % 20_000] >> 24).astype(np.uint8)
    w = (drawn[(64 * t + 32 + j) % 20_000] >> (32 - q)).astype(np.uint8)
    u: Any = hw.unit(f"lutdot:a=int8,k=4,q={q},length=32")
    y = u.y.decode(u.group(a, w[:, None])[:, 0])
    assert digest(y.astype("<i4")) == expected


@pytest.mark.parametrize("spec", INTEGERS)
def test_sums_of_integers_are_exact(spec: str) -> None:
    """In plain integers, by whichever planes; also the definition, which knows of tables only."""
    u: Any = hw.unit(spec)
    for length in (1, 2 * u.k + 1, 64):
        a, w = groups(u, 60, length, seed=length)
        found = u.group(a, w)
        y = found.y if u.weights == "affine" else found
        numbers = u.a.decode(a).astype(object)
        expected = (numbers[:, None] * weights_of(u, w)).sum(axis=-1)
        np.testing.assert_array_equal(u.y.decode(y), expected)
        if u.weights == "affine":
            np.testing.assert_array_equal(u.y.decode(found.total), numbers.sum(axis=-1))
        steps = u.steps(a, w)
        assert steps[0].shape == (60, u.cycles(length))
        results = u(*steps)
        by_tables = np.asarray(results.y if u.weights == "affine" else results)
        np.testing.assert_array_equal(split(by_tables, u.y, u.n), y)
        for i in range(4):
            plain = u.golden(*(x[i].tolist() for x in steps))
            assert plain == (tuple(x[i] for x in results) if u.weights == "affine" else results[i])
    compared(EXACT, 180, u)


def test_affine_weights_are_made_of_both_results() -> None:
    """Weights s * x + z of unsigned codes x are s/2 times bipolar ones, and a zero."""
    u = hw.unit("lutdot:a=int8,q=4,weights=affine,length=32")
    a, x = groups(u, 5, 32)
    y, total = (u.y.decode(r) for r in u.group(a, x))
    exact = (u.a.decode(a)[:, None] * (0.25 * x - 1.5)).sum(axis=-1)
    np.testing.assert_array_equal(affine(y, total[:, None], 0.125, 0.125 * 15 - 1.5), exact)


def test_aligned_activations() -> None:
    """Mantissas of fp16 with a shared exponent, which are integers."""
    u = hw.unit("lutdot:a=int15,k=3,weights=int,length=48")
    rng = np.random.default_rng(1)
    acts = hw.format("fp16").encode(rng.standard_normal((9, 48)))
    w = rng.integers(-8, 8, (9, 1, 48))
    y = u.y.decode(u.group(align(acts).mantissa, w))[:, 0]
    pe = hw.unit("fpint:w=int4,p=14")
    np.testing.assert_array_equal(y, pe.group(acts, w[:, 0]).total)


def test_adders_of_a_table() -> None:
    assert [adders(k) for k in range(1, 7)] == [0, 2, 6, 12, 24, 44]


# -- sums of floats ------------------------------------------------------------------------------


def by_numpy(u: LutDot, a: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sums of groups in numpy's float16 and float32, by signs in place of tables."""
    numbers = np.pad(a.view(np.float16), [(0, 0), (0, -a.shape[-1] % u.k)])
    bits = np.pad(w, [(0, 0), (0, 0), (0, -w.shape[-1] % u.k)])
    y = np.zeros(w.shape[:2], np.float32)
    total = np.zeros(len(a), np.float32)
    for at in range(0, numbers.shape[-1], u.k):
        part = numbers[:, at : at + u.k]
        for b in range(u.q):
            sign = np.where(bits[..., at : at + u.k] >> b & 1, 1, -1).astype(np.float16)
            y += entry_by_numpy(part[:, None] * sign).astype(np.float32) * np.float32(2**b)
        total += entry_by_numpy(part).astype(np.float32)
    return y, total


def entry_by_numpy(x: np.ndarray) -> np.ndarray:
    if x.shape[-1] == 1:
        return x[..., 0]
    low = x.shape[-1] // 2
    return entry_by_numpy(x[..., low:]) + entry_by_numpy(x[..., :low])


@pytest.mark.parametrize("spec", FLOATS)
def test_sums_of_floats(spec: str) -> None:
    u: Any = hw.unit(spec)
    a, w = groups(u, 50, 41)
    a[::5, 3] = 0x7BFF  # sums of two overflow
    a[::5, 4] = 0x7BFF
    a[::7] &= 0x83FF  # subnormals
    found = u.group(a, w)
    with np.errstate(all="ignore"):
        y, total = by_numpy(u, a, w)
    results = found if u.weights == "affine" else (found,)
    for got, expected in zip(results, (y, total), strict=False):
        values = got.view(np.float32)
        np.testing.assert_array_equal(values, expected)
        assert (got[np.isnan(values)] == 0x7FC00000).all()
    steps = u.steps(a, w)
    codes = u(*steps)
    for i in range(5):
        plain = u.golden(*(x[i].tolist() for x in steps))
        assert plain == (tuple(x[i] for x in codes) if u.weights == "affine" else codes[i])


@pytest.mark.parametrize(
    ("k", "errors"), [(2, (2.05e-3, 4.75e-3, 6.99e-3)), (4, (3.57e-3, 5.81e-3, 7.29e-3))]
)
def test_tables_of_eight_bits(k: int, errors: tuple[float, ...]) -> None:
    """Scales of each table, of eight, and of all of a dot product."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((4000, 256))
    w = 2 * rng.integers(0, 16, (4000, 256)) - 15
    exact = (a * w).sum(axis=-1)
    for per, expected in zip((1, 8, None), errors, strict=True):
        error = quantized_dot(a, w, k, per) - exact
        assert np.sqrt(np.mean(error**2) / np.mean(exact**2)) == pytest.approx(expected, rel=0.05)


# -- hardware ------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", few((*INTEGERS, *FLOATS), 7))
def test_hardware_with_and_without_pauses(spec: str) -> None:
    u: Any = hw.unit(spec)
    sim = hw.simulate(u)
    operands = [x.reshape(-1, 8) for x in stimulus(u, 16_000)]
    expected = u(*operands)
    for got in (sim(*operands), sim.stream(*operands, idle=0.3, stall=0.5, seed=1)):
        np.testing.assert_array_equal(np.stack([*got]), np.stack([*expected]))


@pytest.mark.long
def test_regression() -> None:
    result = hw.regress(INTEGERS[3], vectors=400)
    assert (result.failed, len(result.phases)) == (0, 12), result.message


FAULTS = (
    # A negative entry is not mirrored; the last activation is taken with the other sign; the
    # entry is not moved; negatives lack one; the sum of activations is taken with every plane.
    (INTEGERS[0], r"(row1_bit1 = w\[5\]) \^ row1_minus;", r"\1;"),
    (INTEGERS[0], r"(row1_minus = )~(w\[7\]);", r"\1\2;"),
    (INTEGERS[0], r"(row0_by2 = )weight\[1\] \?", r"\g<1>1'b0 ?"),
    (INTEGERS[0], r"(total1_bits0 = .*)row1_minus\}", r"\g<1>1'b0}"),
    (INTEGERS[5], r"(addend = )\(?\|?weight(\[0\])?\)? \?", r"\g<1>1'b0 ?"),
    # Infinity gets another exponent; an entry keeps its sign.
    (FLOATS[1], r"(kept1 = .*) \| .*;", r"\1;"),
    (FLOATS[1], r"(term0_narrow = \{)[^,]* \^ row0_minus", r"\g<1>row0_minus"),
)


@pytest.mark.parametrize(("spec", "pattern", "new"), few(FAULTS, 4))
def test_injected_faults_are_found(spec: str, pattern: str, new: str) -> None:
    u: Any = hw.unit(spec)
    sim = hw.simulate(u, verilog=faulty(u, rf"\b{pattern}", new))
    operands = [x.reshape(-1, 2) for x in stimulus(u, 20_000)]
    got, expected = (np.stack([*f(*operands)]) for f in (sim, u))
    assert (got != expected).any()


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("lutdot:k=7", "lutdot: parameter k: must be 1 to 6, not 7"),
        ("lutdot:a=uint8", "parameter a: must be int2 to int41 or fp16, not uint8"),
        ("lutdot:a=bf16", "parameter a: must be int2 to int41 or fp16, not bf16"),
        ("lutdot:planes=3", "lutdot: parameter planes: must divide q=4, not 3"),
        ("lutdot:a=fp16,planes=2", "parameter planes: must be 1 with a=fp16, not 2"),
        ("lutdot:a=fp16,weights=int", "must be bipolar or affine with a=fp16, not int"),
        ("lutdot:a=int41,q=8,length=1000000", "needs sums of 69 bits; they have at most 62"),
    ],
)
def test_wrong_specs(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit(spec)


@pytest.mark.parametrize(
    ("acts", "codes", "message"),
    [
        ([1] * 9, [[1] * 9] * 2, "with m from 1 to length=8, not (9,) and (2, 9)"),
        ([1, 2], [1, 2], "weights (..., n=2, m) with m from 1 to length=8, not (2,) and (2,)"),
        ([[1]] * 2, [[[1]] * 2] * 3, "must fit together, not (2, 1) and (3, 2, 1)"),
        ([1], [[16]] * 2, "weights of lutdot: 16 is not a code of uint4"),
        ([300], [[1]] * 2, "activations of lutdot: 300 is not"),
    ],
)
def test_wrong_groups(acts: list, codes: list, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit("lutdot:n=2,length=8").group(acts, codes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0] * 4, [1] * 4, 7), "tables have 1 to 6 activations, not 7"),
        (([1.0] * 3, [1] * 3, 2), "(..., n) with n a multiple of k=2, not (3,) and (3,)"),
        (([1.0] * 4, [1] * 4, 2, 3), "must divide the 2 of a dot product, not 3"),
        (([1.0] * 4, [2] * 4), "weights must be odd integers from -255 to 255"),
    ],
)
def test_wrong_quantized_tables(arguments: tuple, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        quantized_dot(*arguments)


def test_specs_make_the_same_unit() -> None:
    for spec in (*INTEGERS, *FLOATS):
        u = hw.unit(spec)
        assert hw.unit(u.spec) == u
    u = hw.unit("lutdot")
    assert u.spec == "lutdot:a=int8,k=4,q=4,planes=1,weights=bipolar,n=1,length=256"
    assert (u.y.bits, u.work, u.cycles(9)) == (20, 1, 12)
