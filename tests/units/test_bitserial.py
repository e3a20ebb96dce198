"""BitMoD's processing element against published vectors and exact sums; bad input of its units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.units.bitserial.weights import WEIGHTS

FP16 = hw.format("fp16")
HALVES = {"fp3": (0, 2, 4, 8), "fp4": (0, 1, 2, 3, 4, 6, 8, 12)}


def published() -> tuple[np.ndarray, np.ndarray]:
    """Activations, and words of weights, of a linear congruential generator."""
    x, words = 1, []
    for _ in range(256):
        x = (1664525 * x + 1013904223) % 2**32
        words.append(x)
    acts = np.array(words[:128]) >> 16
    return np.where(acts >> 10 & 31 == 31, acts & ~1024, acts), np.array(words[128:])


ACTS, WORDS = published()


def integers(name: str, codes: np.ndarray, special: Any = 0) -> np.ndarray:
    """What codes of weights stand for, in halves for fp3 and fp4, as special values (...) are."""
    bits = WEIGHTS[name].bits
    sign = codes >> (bits - 1)
    if name.startswith("int"):
        return codes - (sign << bits)
    magnitude = np.array(HALVES[name])[codes & ((1 << (bits - 1)) - 1)]
    minus_zero = (sign == 1) & (magnitude == 0)
    value = np.where(sign == 1, -magnitude, magnitude)
    return np.where(minus_zero, np.asarray(special)[..., None], value)


def exact_sum(acts: np.ndarray, weights: np.ndarray) -> tuple[int, int]:
    """The sum of products and of their magnitudes, in units of 2^-24."""
    total = magnitude = 0
    for a, w in zip(acts.tolist(), weights.tolist(), strict=True):
        e, fraction = a >> 10 & 31, a & 1023
        value = (1024 + fraction) << (e - 1) if e else fraction
        total += (-value if a >> 15 else value) * w
        magnitude += value * abs(w)
    return total, magnitude


# -- processing element --------------------------------------------------------------------------

VECTORS = [
    ("int8", 0, 128, 36973820021998),
    ("int4", 0, 64, 3539290705831),
    ("fp4", 10, 64, -1669739424698),
    ("fp3", 6, 64, -7458245561532),
]
"""Types, special values, clocks and exact sums of published groups."""

SUMS = {
    "int8": ((0, 0x4341B6, 27), (0, 0x4340CD, 27), (0, 0x0D4485, 8), (0, 0x10D0518EB, 27)),
    "int4": ((0, 0x67025E, 23), (0, 0x67025C, 23), (0, 0x1451E5, 4), (0, 0x19C07114F, 23)),
    "fp4": ((1, 0x612FBE, 22), (1, 0x612FBE, 22), (1, 0x132BF8, 2), (1, 0x184C438EA, 22)),
    "fp3": ((1, 0x6C88F4, 24), (1, 0x6C88F5, 24), (1, 0x1568D4, 4), (1, 0x1B22084A0, 24)),
}
"""Their sums, aligned jointly and locally, dequantized, and with a wide accumulator."""


@pytest.mark.parametrize(("name", "special", "clocks", "exact"), VECTORS)
def test_published_groups(name: str, special: int, clocks: int, exact: int) -> None:
    first = ["3c88", "5e88", "8116", "b473", "0cf0", "5e98", "c656", "8e62"]
    assert [f"{a:04x}" for a in ACTS[:8]] == first
    joint, local, dequantized, wide = SUMS[name]
    codes = WORDS >> (32 - WEIGHTS[name].bits)
    assert exact_sum(ACTS, integers(name, codes, special))[0] == exact
    for options, expected in (
        ("align=joint", joint),
        ("align=local", local),
        ("align=joint,fx=13", wide),
    ):
        u = hw.unit(f"bspe:type={name},{options}")
        assert tuple(map(int, u.group(ACTS, codes, special=special))) == expected
    assert len(u.steps(ACTS, codes, special)[0]) == clocks
    dequant, half = hw.unit("bsdequant"), int(WEIGHTS[name].floating)
    sign, magnitude, exponent = joint
    found = dequant(magnitude | exponent << 23 | sign << 29, 101, half)
    assert (found.sign, found.magnitude, np.int8(found.exponent)) == dequantized


@pytest.mark.parametrize(
    ("name", "special", "acts", "weights", "trace"),
    [
        (
            "int8",
            0,
            [0x3C00] * 4,
            [127, -127, 1, -128],
            [(1, 0x400000, 13), (1, 0x400000, 13), (1, 0x400000, 13), (1, 0x7F0000, 12)],
        ),
        (
            "int6",
            0,
            [0x3C00, 0xC000, 0x3555, 0x7BFF],
            [-31, 17, 3, -1],
            [(1, 0x400000, 12), (1, 0x7D5580, 11), (1, 0x400800, 22)],
        ),
        (
            "fp4",
            10,
            [0x3C00, 0xC000, 0x3555, 0x0001],
            [7, 8, 0xB, 2],
            [(1, 0x455400, 9), (1, 0x47FE00, 9)],
        ),
        ("int4", 0, [0x3C00, 0xBC00, 0x3C00, 0xBC00], [7, 7, -8, -8], [(0, 0, 0), (0, 0, 0)]),
    ],
)
def test_published_traces(name: str, special: int, acts: list, weights: list, trace: list) -> None:
    u = hw.unit("bspe:align=joint")
    steps = u.steps(acts, weights, special, type=name)
    found = [u(*(x[: k + 1] for x in steps)) for k in range(len(trace))]
    assert [(y.sign, y.magnitude, y.exponent) for y in found] == trace


def test_published_values_of_traces() -> None:
    u = hw.unit("bspe:align=joint")
    of_int6 = u.group([0x3C00, 0xC000, 0x3555, 0x7BFF], [-31, 17, 3, -1], type="int6")
    assert u.decode(of_int6, "int6") == -65568
    of_fp4 = u.group([0x3C00, 0xC000, 0x3555, 1], [7, 8, 0xB, 2], special=10, type="fp4")
    assert 2 * u.decode(of_fp4, "fp4") == pytest.approx(-8.99902, abs=1e-5)


def random_groups(name: str, wide: bool, groups: int = 400, n: int = 128) -> tuple:
    """Activations (normal, or of uniform patterns), codes, special values."""
    rng = np.random.default_rng(3)
    if wide:
        acts = rng.integers(0, 1 << 16, (groups, n))
        acts = np.where(acts >> 10 & 31 == 31, acts & ~1024, acts)
    else:
        acts = FP16.encode(rng.standard_normal((groups, n))).astype(np.int64)
    codes = rng.integers(0, 1 << WEIGHTS[name].bits, (groups, n))
    choice = (6, -6, 12, -12) if name == "fp3" else (10, -10, 16, -16)
    special = rng.choice(choice, groups) if WEIGHTS[name].floating else np.zeros(groups, int)
    return acts, codes, special


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("name", ["int8", "int6", "int3", "fp4", "fp3"])
def test_bounds_of_the_error(name: str, wide: bool) -> None:
    acts, codes, special = random_groups(name, wide)
    weights = integers(name, codes, special)
    sums = [exact_sum(a, w) for a, w in zip(acts, weights, strict=True)]
    exact, terms = (np.array(x, float) for x in zip(*sums, strict=True))
    half = 2.0 if WEIGHTS[name].floating else 1.0
    relative = {}
    for options in ("align=local", "align=joint", "fx=13", "lane_round=trunc", "left_norm=0"):
        u = hw.unit(f"bspe:type={name},{options}")
        found = u.decode(u.group(acts, codes, special)) * half * 2.0**24
        relative[options] = (found - exact) / terms
    bound = {"align=local": 1e-4, "align=joint": 1e-4, "fx=13": 1e-7, "lane_round=trunc": 3e-4}
    for options, most in bound.items():
        assert np.abs(relative[options]).max() <= most, options
    rms = {options: float(np.sqrt(np.mean(x**2))) for options, x in relative.items()}
    assert rms["align=local"] < (12e-6 if wide else 4e-6)
    assert rms["lane_round=trunc"] > rms["align=local"]
    assert rms["left_norm=0"] > rms["align=local"]


def test_infinity_and_nan_are_flagged_and_add_nothing() -> None:
    u = hw.unit("bspe:type=int4")
    acts, codes = np.array([0x3C00, 0x7C00, 0xFE00, 0x4000]), np.array([3, 5, 0, 2])
    found = u.group(acts, codes, flags=True)
    assert (found.invalid, found.overflow) == (1, 0)
    assert u.decode(found) == 7
    assert u.group(acts[[0, 3]], codes[[0, 3]], flags=True).invalid == 0
    dequant = hw.unit("bsdequant")
    acc = int(found.magnitude) | int(found.exponent) << 23 | 1 << 30
    assert dequant.as_float(dequant(acc, 3, 0)) == 0x7FC00000


def test_subnormals_are_exact_and_zeros_have_no_exponent() -> None:
    u = hw.unit("bspe:type=int8")
    assert u.decode(u.group([1, 1, 0x83FF, 0], [127, 1, 3, 77])) == (128 - 3 * 1023) * 2.0**-24
    assert u.group([0x7BFF, 1], [0, 5]) == (0, 5 << 3, 1)  # exponent of the subnormal
    assert u.group([0x8000, 0], [5, -5]) == (0, 0, 0)


def test_groups_broadcast_and_are_padded() -> None:
    u = hw.unit("bspe:type=fp4")
    acts, codes, special = random_groups("fp4", False, 3, 6)
    every = u.group(acts[:, None], codes[None], special[None])
    assert every.magnitude.shape == (3, 3)
    one = u.group(acts[2], codes[1], int(special[1]))
    assert (every.sign[2, 1], every.magnitude[2, 1], every.exponent[2, 1]) == one
    padded = u.group(np.append(acts[2], [0, 0]), np.append(codes[1], [0, 0]), int(special[1]))
    assert padded == one


def test_array_speed_is_the_definition() -> None:
    """Interpreted for a few, compiled for many."""
    u = hw.unit("bspe:type=int6,align=joint")
    acts, codes, _ = random_groups("int6", True, 40, 16)
    many = u.group(acts, codes, flags=True)
    for i in range(0, 40, 13):
        steps = [x.tolist() for x in u.steps(acts[i], codes[i])]
        assert tuple(x[i] for x in many) == tuple(u.golden(*steps))


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("bspe:type=fp5", "fp5"),
        ("bspe:lanes=5", "1 to 4"),
        ("bspe:align=both", "local"),
        ("bspe:fx=17", "0 to 16"),
        ("bspe:aw=24", "8 to 23"),
        ("bspe:align=joint,stages=2", "must be 1"),
        ("bspe:stages=9", "1 to 8"),
        ("bstile:pe=(bspe:stages=2)", "one stage"),
        ("bsdequant:aw=40", "8 to 36"),
        ("termgen:type=int9", "int9"),
        ("bstile:pe=(mul)", "must be a bspe"),
        ("bstile:rows=0", "1 to 64"),
        ("bstile:stages=4", "cannot be given"),
    ],
)
def test_bad_parameters(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(spec)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(acts=[1.5], codes=[1]), "float"),
        (dict(acts=np.zeros(0, int), codes=np.zeros(0, int)), "at least 1"),
        (dict(acts=[1, 2, 3], codes=[1, 2]), "shape"),
        (dict(acts=[70000], codes=[1]), "70000"),
        (dict(acts=[1], codes=[16]), "16"),
        (dict(acts=[1], codes=[1], special=7), "halves"),
        (dict(acts=[1], codes=[1], special=2.5), "halves"),
        (dict(acts=3, codes=1), "at least 1"),
        (dict(acts=[1], codes=[1], type="int8"), "int8"),
        (dict(acts=[[1]], codes=[[1]], special=[6, 6, 6, 6, 6]), None),
    ],
)
def test_bad_groups(arguments: dict, message: str | None) -> None:
    u = hw.unit("bspe:type=fp4")
    if message is None:
        assert u.group(**arguments).magnitude.shape == (5,)
        return
    with pytest.raises(hw.InvalidInput, match=message):
        u.group(**arguments)


def test_a_mixed_element_must_be_told_the_type() -> None:
    with pytest.raises(hw.InvalidInput, match="name the type"):
        hw.unit("bspe").group([1], [1])
