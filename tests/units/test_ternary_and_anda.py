"""Sums by ternary weights, Anda's element, and the decoders of flint and OliVe's pairs."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.flow.stimuli.families import stimulus
from hwarith.formats.ternary import unpack
from hwarith.formats.weights.types import MAGNITUDES
from tests.digests import digest, words
from tests.evidence import assert_equal_on, compared
from tests.faults import faulty
from tests.tiers import few

TERNARY = (
    "ternary:packing=five,lanes=5,k=64",
    "ternary:packing=two,lanes=3,k=64",
    "ternary:a=int4,packing=five,lanes=10,k=10",
    "ternary:a=int16,packing=two,lanes=40,k=64",
)

ANDA = (
    "andape:w=int4,lanes=8,m=8",
    "andape:w=int2,lanes=1,m=1",
    "andape:w=int8,lanes=64,m=16",
)

# -- ternary weights -----------------------------------------------------------------------------


def test_published_sums_by_ternary_weights() -> None:
    drawn = words()[:40_000].reshape(200, 200)
    packed = ((drawn[:, :8] >> 8) % 243).astype(np.uint8)
    acts = (drawn[:, 8:48] >> 24).astype(np.uint8)
    for packing in ("two", "five"):
        u: Any = hw.unit(f"ternary:packing={packing},lanes=40,k=40")
        numbers, _ = unpack(packed)
        y, invalid = u(*u.steps(acts, numbers))
        sums = u.results["y"].decode(y)
        assert sums[:4].tolist() == [369, -386, -622, 109]
        assert digest(sums.astype("<i4")) == "1f03b425f55cb890"
        assert not invalid.any()


@pytest.mark.parametrize("spec", TERNARY)
def test_sums_by_ternary_weights(spec: str) -> None:
    """The accumulator holds the greatest sum."""
    u: Any = hw.unit(spec)
    rng = np.random.default_rng(0)
    for n in (1, u.k):
        a = rng.integers(int(u.a.min), int(u.a.max) + 1, (30, n))
        t = rng.integers(-1, 2, (30, n))
        a[0], t[0], a[1], t[1] = u.a.min, 1, u.a.min, -1
        steps = u.steps(a, t)
        y, invalid = u(*steps)
        np.testing.assert_array_equal(u.results["y"].decode(y), (a * t).sum(axis=-1))
        np.testing.assert_array_equal(u.group(a, t), (a * t).sum(axis=-1))
        assert not invalid.any()
        for i in range(3):
            assert u.golden(*(x[i].tolist() for x in steps)) == (y[i], 0)
    compared(EXACT, 60, u)


def test_codes_that_are_no_weights() -> None:
    """They count 0, and mark their group."""
    u: Any = hw.unit("ternary:packing=two,lanes=2")
    ones = 0x0101
    assert u([ones], [0b1001]) == (1, 1)
    assert u([ones, ones], [0b1001, 0b0101]) == (3, 1)
    v: Any = hw.unit("ternary:packing=five")
    assert v([0x0101010101] * 2, [243, 242]) == (5, 1)
    assert v([0x0101010101] * 2, [0, 121]) == ((1 << v.results["y"].bits) - 5, 0)


# -- Anda ----------------------------------------------------------------------------------------


def test_published_sums_of_anda() -> None:
    drawn = words()[: 130 * 300].reshape(300, 130)
    x = drawn[:, :64]
    h = x >> 31 << 15 | (10 + (x >> 26 & 7) + (x >> 20 & 1)) << 10 | x >> 8 & 0x3FF
    q = hw.quantize(h.astype(np.uint16).view(np.float16), "anda_m8")
    w = (drawn[:, 64:128] >> 28).astype(int) - 8
    u: Any = hw.unit("andape:w=int4,lanes=64,m=8")
    steps = u.steps(q.codes, w)
    assert steps[0].shape == (300, 8)
    sums = u.results["y"].decode(u(*steps))
    exponents = q.scale_codes[:, 0].tolist()
    assert list(zip(exponents, sums.tolist(), strict=True))[:3] == [
        (18, -1220),
        (18, -3533),
        (18, -2661),
    ]
    rows = zip(exponents, sums.astype("<i4"), strict=True)
    text = b"".join(bytes([e]) + y.tobytes() for e, y in rows)
    assert hashlib.sha256(text).hexdigest()[:16] == "e04934ea132dd1ae"
    np.testing.assert_array_equal(u.group(q.codes, w), sums)
    assert u.results["y"].bits == 18


@pytest.mark.parametrize("spec", ANDA)
def test_sums_of_anda(spec: str) -> None:
    """Of all lengths and fewer bits than there may be; the accumulator holds the greatest sum."""
    u: Any = hw.unit(spec)
    rng, low = np.random.default_rng(0), -(1 << (int(u.w[3:]) - 1))
    for n, bits in ((1, 1), (u.lanes, u.m)):
        codes = rng.integers(0, 2 << bits, (20, n))
        w = rng.integers(low, -low, (20, n))
        codes[0], w[0] = (1 << bits) - 1, low
        codes[1], w[1] = (2 << bits) - 1, low
        mantissas = codes & ((1 << bits) - 1)
        exact = (np.where(codes >> bits, -mantissas, mantissas) * w).sum(axis=-1)
        steps = u.steps(codes, w, bits)
        y = u(*steps)
        np.testing.assert_array_equal(u.results["y"].decode(y), exact)
        np.testing.assert_array_equal(u.group(codes, w, bits), exact)
        assert [u.golden(*(x[i].tolist() for x in steps)) for i in range(3)] == y[:3].tolist()
    compared(EXACT, 40, u)


# -- decoders ------------------------------------------------------------------------------------


@pytest.mark.parametrize("b", [4, 5])
def test_every_code_of_flint(b: int) -> None:
    """In the order of the magnitudes that are quantized to, and as the hardware has it."""
    u: Any = hw.unit(f"flintdecode:b={b}")
    q = u.operands["q"].codes()
    magnitudes = [int(x) for x in MAGNITUDES[f"flint{b}"][1]]
    y = u.results["y"].decode(u(q)).tolist()
    assert y == magnitudes + [-x for x in magnitudes]
    levels = hw.quantize(np.arange(-64, 65.0), f"flint{b}", 129)
    signed = levels.codes.ravel()
    np.testing.assert_array_equal(u.results["y"].decode(u(signed)), levels.levels.ravel())
    assert_equal_on(u, q)


def test_every_pair_of_olive() -> None:
    """Outliers of the paper's type are 12 to 96, beside a victim; others are integers."""
    u: Any = hw.unit("olivedecode")
    q = np.arange(256, dtype=np.uint8)
    outliers = [0, 12, 16, 24, 32, 48, 64, 96]
    for byte, *y in zip(q.tolist(), *(x.view(np.int8).tolist() for x in u(q)), strict=True):
        pair = byte & 15, byte >> 4
        for i, code in enumerate(pair):
            expected = code - 16 if code > 8 else code
            if code == 8:
                expected = 0
            elif pair[1 - i] == 8:
                expected = -outliers[code & 7] if code > 8 else outliers[code & 7]
            assert y[i] == expected
    assert_equal_on(u, q)


# -- hardware ------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", few((*TERNARY, *ANDA), 4))
def test_hardware_with_and_without_pauses(spec: str) -> None:
    u = hw.unit(spec)
    sim = hw.simulate(u)
    operands = [x.reshape(-1, 8) for x in stimulus(u, 8000)]
    if len(operands[0]) < 100:  # of few bits all there are
        operands = [np.resize(np.random.default_rng(0).permuted(x), (500, 8)) for x in operands]
    expected = u(*operands)
    for got in (sim(*operands), sim.stream(*operands, idle=0.3, stall=0.5, seed=1)):
        np.testing.assert_array_equal(np.stack([*got]), np.stack([*expected]))


FAULTS = (
    # A byte of 243 counts; the digit above is not taken away; a code that is no weight is not told.
    (TERNARY[0], r"(illegal0 = ).*;", r"\g<1>1'b0;"),
    (TERNARY[0], r"(adds0 = \()two0 \|", r"\g<1>"),
    (TERNARY[1], r"(wrong_now = )wrong_so_far \| ", r"\g<1>"),
    # Mantissas count as if they were integers of one bit; a subtracted weight lacks one.
    (ANDA[0], r"(minus3 = ).*;", r"\g<1>1'b0;"),
    ("flintdecode:b=5", r"(magnitude = )q\[3\] \?", r"\g<1>1'b0 ?"),
    ("olivedecode", r"(victim1 = ).*;", r"\g<1>1'b0;"),
)


@pytest.mark.parametrize(("spec", "pattern", "new"), few(FAULTS, 3))
def test_injected_faults_are_found(spec: str, pattern: str, new: str) -> None:
    u = hw.unit(spec)
    sim = hw.simulate(u, verilog=faulty(u, rf"\b{pattern}", new))
    operands: list[np.ndarray] = [*stimulus(u, 20_000)]
    if u.transfers.controls:
        operands = [x.reshape(-1, 2) for x in operands]
    got, expected = (np.stack([*f(*operands)]) for f in (sim, u))
    assert (got != expected).any()


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("ternary:a=fp16", "ternary: parameter a: must be int2 to int16, not fp16"),
        ("ternary:packing=five,lanes=4", "must be a multiple of 5 with packing=five, not 4"),
        ("andape:w=int9", "andape: parameter w: unknown value 'int9'"),
        ("andape:m=17", "andape: parameter m: must be 1 to 16, not 17"),
        ("flintdecode:b=2", "flintdecode: parameter b: must be 3 to 8, not 2"),
    ],
)
def test_wrong_specs(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit(spec)


@pytest.mark.parametrize(
    ("spec", "arguments", "message"),
    [
        ("ternary:k=4", ([1] * 5, [1] * 5), "n from 1 to k=4, not (5,) and (5,)"),
        ("ternary", ([1], [2]), "ternary numbers must be -1, 0 or 1"),
        ("andape:m=4", ([1], [1], 5), "mantissas of andape have 1 to m=4 bits, not 5"),
        ("andape:m=4", ([32], [1]), "activations of andape: 32 is not a code of uint5"),
        ("andape:m=4", ([1, 2], [1]), "n from 1 to lanes=64, not (2,) and (1,)"),
    ],
)
def test_wrong_groups(spec: str, arguments: tuple, message: str) -> None:
    u: Any = hw.unit(spec)
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        u.steps(*arguments)
