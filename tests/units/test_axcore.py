"""AxCore against the check values of its specification, made with its authors' code, and against
sums in plain numbers."""

from __future__ import annotations

import hashlib
from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore.judged import random_operands
from hwarith.explore.workloads import workload
from hwarith.units.axcore.base import WEIGHTS, mean_correction

FP16 = hw.format("fp16")

DIGESTS = {
    ("e3m0f", 43): ("f4a4db15fe175871", "d7e8f995a601c335"),
    ("e3m0f", 0): ("748e79fd8f35ea9d", "bf659c1703ee69be"),
    ("e2m1fn", 43): ("bb9d7217cfd6fcf4", "78e3240b43ba6205"),
    ("e1m2f", 43): ("c66b8ea0d3c98ad5", "f1a4e270531199cc"),
    ("e1m2f", 54): ("72793202a292f00f", "046a0728efeda5ab"),
}
"""Of the products of all pairs, by weights and c1: in the profiles hw and ae."""


def digest(codes: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(codes).tobytes()).hexdigest()[:16]


def every_pair(u) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat(u.a.codes(), 1 << u.w.bits), np.tile(u.w.codes(), 1 << u.a.bits)


def lcg(count: int) -> np.ndarray:
    """Words of the generator of the specification's digests."""
    state, words = 1, []
    for _ in range(count):
        state = (6364136223846793005 * state + 1442695040888963407) % 2**64
        words.append(state >> 32)
    return np.array(words, np.uint64)


# -- products ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("w", "c1"), DIGESTS)
def test_products_of_all_pairs(w: str, c1: int) -> None:
    for profile, expected in zip(("hw", "ae"), DIGESTS[w, c1], strict=True):
        u = hw.unit(f"axmul:w={w},c1={c1},profile={profile}")
        assert digest(u(*every_pair(u)).astype("<u2")) == expected


@pytest.mark.parametrize(
    ("a", "w", "y"),
    [
        (0x3C00, 2, 0x3C2B),
        (0x3C00, 3, 0x3E2B),
        (0x3E00, 3, 0x402B),
        (0x3C00, 1, 0x382B),
        (0x4200, 0xF, 0xCC2B),
        (0x7BFF, 7, 0x7BFF),
        (0x0400, 1, 0x0000),
        (0x7C00, 0, 0x7E00),
        (0xFC00, 9, 0x7C00),
        (0x7D01, 0, 0x7E00),
        (0x83FF, 7, 0x8000),
    ],
)
def test_vectors(a: int, w: int, y: int) -> None:
    assert hw.unit("axmul")(a, w) == y


@pytest.mark.parametrize(
    ("w", "pairs"), [("e3m0f", 806_396), ("e2m1fn", 824_484), ("e1m2f", 773_112)]
)
def test_both_profiles_agree_within_the_range(w: str, pairs: int) -> None:
    ours, theirs = (hw.unit(f"axmul:w={w},c1=43,profile={p}") for p in ("hw", "ae"))
    a, b = every_pair(ours)
    x, y = ours(a, b), theirs(a, b)
    magnitude = x & 0x7FFF
    same = (a & 0x7FFF >= 0x400) & (a & 0x7FFF < 0x7C00) & (magnitude >= 0x400)
    unsaturated = hw.unit(f"axmul:a=e6m10,w={w},c1=43")
    wide = unsaturated.a.encode(FP16.decode(a[same]))
    reached = np.abs(unsaturated.a.decode(unsaturated(wide, b[same])).astype(float))
    same[same] = reached <= 65504
    assert (x[same] == y[same]).all()
    assert same.sum() == pairs


@pytest.mark.parametrize(
    ("a", "w", "mean", "default"),
    [
        ("fp16", "e3m0f", 0, 0),
        ("fp16", "e2m1fn", 42.667, 43),
        ("fp16", "e1m2f", 54.248, 54),
        ("fp16", "e4m3fn", 57.219, 57),
        ("bf16", "e2m1fn", 5.333, 5),
        ("bf16", "e1m2f", 6.781, 7),
    ],
)
def test_constants_are_means(a: str, w: str, mean: float, default: int) -> None:
    assert float(mean_correction(hw.format(a), hw.format(w))) == pytest.approx(mean, abs=6e-4)
    assert hw.unit(f"axmul:a={a},w={w}").c1 == default


def test_constants_of_scales_are_means() -> None:
    assert (hw.unit("axscale").c2, hw.unit("axscale:a=bf16").c2) == (58, 7)
    f = hw.format("e4m3")
    x = np.arange(8) / 8
    product = np.outer(1 + x, 1 + x)
    lacks = np.where(product < 2, product - 1, product / 2) - np.add.outer(x, x)
    assert mean_correction(f, f) == Fraction(8 * lacks.mean())


def test_errors_of_products() -> None:
    u = hw.unit("axmul:c1=43")
    a, w = every_pair(u)
    exact = np.where(a & 0x7C00 < 0x7C00, FP16.decode(a), 0).astype(float) * u.w.decode(w)
    exponent = (a >> 10) & 31
    counted = (exponent >= 6) & (exponent <= 20) & (exact != 0)
    error = 100 * (FP16.decode(u(a, w)).astype(float)[counted] / exact[counted] - 1)
    found = (error.mean(), np.sqrt((error**2).mean()), error.min(), error.max())
    np.testing.assert_allclose(found, (0.455, 3.666, -8.55, 4.20), atol=5e-3)


@pytest.mark.parametrize("w", WEIGHTS)
def test_contract_bound_holds(w: str) -> None:
    for c1 in ("", ",c1=0", ",c1=100"):
        u = hw.unit(f"axmul:w={w}{c1}")
        low, high = (
            float(x.split()[0])
            for x in u.contract.bound.removeprefix("relative error ").split(" to ")
        )
        a, b = np.arange(0x3C00, 0x4000, dtype=np.uint16)[:, None], u.w.codes()
        values = u.w.decode(b).astype(float)
        b = b[np.isfinite(values) & (np.abs(values) >= float(u.w.smallest_normal))]
        exact = FP16.decode(a).astype(float) * u.w.decode(b)
        error = 100 * (FP16.decode(u(a, b)).astype(float) / exact - 1)
        assert low - 0.005 <= error.min() < low + 0.2
        assert high - 0.2 < error.max() <= high + 0.005


LADDER = {
    "e2m1fn": {"snc=0,c1=0": 24.60, "c1=0": 25.62, "c1=43": 28.55},
    "e1m2f": {"snc=0,c1=0": 16.42, "c1=0": 20.00, "c1=43": 20.48},
}


@pytest.mark.parametrize("w", LADDER)
def test_what_conversion_and_constant_bring(w: str) -> None:
    """Signal to noise of sums of 1024 products, added exactly."""
    rng, f = np.random.default_rng(4), hw.format(w)
    a = FP16.encode(rng.uniform(-1, 1, (2000, 1024)))
    b = rng.integers(0, 16, (2000, 1024)).astype(np.uint8)
    exact = np.sum(FP16.decode(a).astype(float) * f.decode(b), axis=1)
    for options, expected in LADDER[w].items():
        found = FP16.decode(hw.unit(f"axmul:w={w},{options}")(a, b)).astype(float).sum(axis=1)
        noise = np.sum((found - exact) ** 2)
        assert 10 * np.log10(np.sum(exact**2) / noise) == pytest.approx(expected, abs=0.1)


def test_scales() -> None:
    same, theirs = hw.unit("lmul:format=fp16,ofs=58,sat=1"), hw.unit("axscale:profile=ae")
    rng = np.random.default_rng(0)
    y, s = rng.integers(0, 1 << 16, (2, 10_000), dtype=np.uint16)
    np.testing.assert_array_equal(hw.unit("axscale")(y, s), same(y, s))
    np.testing.assert_array_equal(theirs(y, s), (y + (s & 0x7FFF) - 0x3C00 + 58) & 0xFFFF)


# -- columns -------------------------------------------------------------------------------------


def test_columns_of_the_artifact() -> None:
    x, y = lcg(32_000).reshape(-1, 2).T.reshape(2, 1000, 4, 4)
    a = x >> 31 << 15 | 8 + (x >> 28 & 7) + (x >> 20 & 3) << 10 | x >> 8 & 0x3FF
    u, w = hw.unit("axdot:c1=43,profile=ae"), y >> 28
    states = np.zeros(1000, np.uint32)
    for k in range(4):
        states = u(a[:, k], w[:, k], states)
    three_bytes = states.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :3]
    results = u.chain_end(states)
    assert (states[0], results[0]) == (0x14184C, 0x5213)
    assert digest(three_bytes) == "78504e17ad01b632"
    assert digest(results.astype("<u2")) == "5782e0ef3c54b7a1"


@pytest.mark.parametrize(
    ("profile", "ones", "y"),
    [("ae", 12, 0x4A00), ("ae", 16, 0x8000), ("ae", 64, 0), ("hw", 16, 0x4C00), ("hw", 64, 0x5400)],
)
def test_sums_of_ones(profile: str, ones: int, y: int) -> None:
    """The artifact's four integer bits hold sums below 16 of the greatest exponent's power."""
    u = hw.unit(f"axdot:c1=0,profile={profile}")
    assert hw.matmul(u, np.full((1, ones), 0x3C00), np.full((ones, 1), 2)) == y


@pytest.mark.parametrize("w", ["e2m1fn", "e4m3fn"])
@pytest.mark.parametrize("depth", [4, 48])
def test_sums_are_those_of_the_products(w: str, depth: int) -> None:
    """The terms rounded down to fourteen bits behind the greatest exponent so far."""
    u, products = hw.unit(f"axdot:w={w},depth={depth}"), hw.unit(f"axmul:w={w}")
    rng = np.random.default_rng(depth)
    a = FP16.encode(rng.standard_normal((200, depth)))
    b = u.w.encode(rng.standard_normal((200, depth)))
    y = np.diagonal(hw.matmul(u, a, b.T))
    for terms, code in zip(products(a, b), y, strict=True):
        total, greatest = Fraction(0), 0
        for i in range(0, depth, 4):
            four = [int(x) for x in terms[i : i + 4]]
            greatest = max([greatest, *(x >> 10 & 31 for x in four)])
            place = Fraction(2) ** (greatest - 15 - 12)
            values = [Fraction(float(FP16.decode(np.uint16(x)))) for x in four]
            total = sum((x // place * place for x in values), total // place * place)
        exact, found = float(total), float(FP16.decode(code))
        assert abs(found - exact) <= 0.75 * float(np.spacing(np.float16(abs(exact))))


def test_special_values_pass_a_column() -> None:
    u = hw.unit("axdot:n=1")
    one, inf, nan = 0x3C00, 0x7C00, 0x7E00

    def column(*a: int) -> int:
        return int(hw.matmul(u, [a], np.full((len(a), 1), 2))[0, 0])

    assert column(one, inf, one) == inf
    assert column(one, inf | 0x8000, one) == inf | 0x8000
    assert column(inf, inf | 0x8000) == column(one, nan) == nan
    assert column(one, one | 0x8000) == 0
    assert column(0x03FF, 0x8000) == 0
    assert hw.matmul(u, [[one]], [[2]], c=[[inf]])[0, 0] == inf
    assert hw.matmul(u, [[0x7BFF] * 8], np.full((8, 1), 7))[0, 0] == 0x7BFF


def test_engine_is_the_matrix_product() -> None:
    u, rng = hw.unit("engine:pe=(axdot:n=2,depth=9),rows=4,columns=3"), np.random.default_rng(2)
    a = FP16.encode(rng.standard_normal((5, 8)))
    b = rng.integers(0, 16, (8, 3), dtype=np.uint8)
    c = FP16.encode(rng.standard_normal((5, 3)))
    expected = hw.matmul("axdot:n=2,depth=9", a, b, c)
    np.testing.assert_array_equal(u(a, b, c), expected)
    assert u.golden(a[:1].tolist(), b.tolist(), c[:1].tolist()) == expected[:1].tolist()


def test_errors_of_a_column() -> None:
    found = {
        s: hw.metrics(s, random_operands(hw.unit(s), 300))
        for s in ("axdot:n=2,w=e3m0f,depth=8", "axnorm:depth=8", "axseed")
    }
    for spec, x in found.items():
        assert x.counts["counted"] > 100, spec
        assert x.counts["nonfinite_results"] == 0, spec
    assert 0 < found["axdot:n=2,w=e3m0f,depth=8"].metrics["max_ulp"] < 10
    assert 0 < found["axnorm:depth=8"].metrics["max_ulp"] < 0.75
    assert found["axseed"].metrics["max_ulp"] == 0


def test_a_network_runs_on_columns() -> None:
    """Classifies as with single products and an exact adder, but for some images; what it met are
    operands of the unit."""
    found = workload("digits").run(hw.unit("axdot:w=e4m3fn"))
    products = workload("digits").run(hw.unit("axmul:w=e4m3fn"))
    assert abs(found.accuracy - products.accuracy) < 0.02
    a, w, _ = found.operands
    assert a.shape[1:] == w.shape[1:] == (4,)
    assert hw.unit("axdot:w=e4m3fn")(*found.operands).shape == a.shape[:1]


# -- hardware ------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("profile", ["hw", "ae"])
@pytest.mark.parametrize("w", [*WEIGHTS, "e2m1fn,snc=0", "e2m1fn,a=bf16"])
def test_every_product_in_hardware(w: str, profile: str) -> None:
    u = hw.unit(f"axmul:w={w},profile={profile}")
    codes = every_pair(u)
    np.testing.assert_array_equal(hw.simulate(u)(*codes), u(*codes))


@pytest.mark.long
@pytest.mark.parametrize(
    "spec",
    [
        "axdot",
        "axdot:w=e1m2f,n=1",
        "axdot:w=e4m3fn,n=2,depth=16,stages=3",
        "axdot:a=bf16,depth=1024",
        "axdot:profile=ae,c1=43",
        "axdot:a=bf16,w=e3m0f,n=5,profile=ae",
        "axdot:head=3,snc=0",
        "axnorm",
        "axnorm:profile=ae",
        "axnorm:a=bf16,depth=1024,stages=2",
        "axnorm:a=bf16,profile=ae",
        "axnorm:a=fp32,head=1",
        "axseed",
        "axseed:a=bf16,profile=ae",
        "axscale:stages=1",
        "axscale:profile=ae",
        "engine:pe=(axdot:n=2,depth=9),rows=4,columns=3",
    ],
)
def test_columns_in_hardware(spec: str) -> None:
    assert hw.regress(spec, 20_000).failed == 0


# -- messages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("axmul:a=e4m3fn", "parameter a: must be a float with infinities and 3 to 23"),
        ("axmul:w=int4", "parameter w: must be e3m0f, e2m1fn, e1m2f, e4m3fn, not int4"),
        ("axmul:c1=1024", "parameter c1: must be 0 to 1023 for fp16, not 1024"),
        ("axscale:c2=128,a=bf16", "parameter c2: must be 0 to 127 for bf16, not 128"),
        ("axscale:a=fp32", "3 to 10 fraction bits, such as fp16 or bf16, not fp32"),
        ("axdot:n=17", "parameter n: must be 1 to 16, not 17"),
    ],
)
def test_messages(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(spec)


def test_matrix_products_take_whole_steps() -> None:
    with pytest.raises(hw.InvalidInput, match="K, a multiple of n=4"):
        hw.matmul("axdot", np.zeros((2, 6), int), np.zeros((6, 2), int))
    with pytest.raises(hw.InvalidInput, match="takes its products in order"):
        hw.matmul("axdot", np.zeros((2, 4), int), np.zeros((4, 2), int), order="descending")
