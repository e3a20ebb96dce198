"""Quantizers of blocks and the Hadamard transform: golden models against the quantizer, exact sums
and fractions; hardware against golden models."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT, HARDWARE
from hwarith.flow.stimuli.families import stimulus
from hwarith.formats.blocks import BLOCKS
from tests.evidence import assert_equal_on, compared
from tests.tiers import few

MX = [name for name, f in BLOCKS.items() if f.scale.name == "e8m0fnu" and f.metadata is None]


def assert_hardware(u: hw.Unit, vectors: int) -> None:
    assert_equal_on(u, *stimulus(u, vectors, seed=3))


# -- blockquant ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["exact_ceil", "floor"])
@pytest.mark.parametrize("out", MX)
def test_blockquant_is_the_quantizer(out: str, rule: str) -> None:
    for a, n in (("fp32", 32), ("bf16", 5)):
        u = hw.unit(f"blockquant:out={out},a={a},n={n},rule={rule}")
        (x,) = stimulus(u, 2000, seed=1)
        values = u.a.decode(x)
        q = hw.quantize(values, out, n, scale_rule=rule)
        y, scale = u(x)
        assert (y == q.codes).all()
        assert (scale == q.scale_codes[:, 0]).all()
        assert (scale == 255).any()
        assert u.golden(x[3]) == (y[3].tolist(), scale[3])


@pytest.mark.parametrize(("out", "round", "bits"), [("mxfp4", "sra", 12), ("mxint8", "src", 5)])
def test_blockquant_rounds_at_random_as_the_quantizer(out: str, round: str, bits: int) -> None:
    u = hw.unit(f"blockquant:out={out},n=8,round={round},random_bits={bits}")
    x, r = stimulus(u, 500, seed=1)
    draws = {"round": round, "random": r, "random_bits": bits}
    q = hw.quantize(u.a.decode(x), out, 8, **draws)
    y, scale = u(x, r)
    assert (y == q.codes).all()
    assert (scale == q.scale_codes[:, 0]).all()
    assert (y != hw.unit(f"blockquant:out={out},n=8")(x).y).any()


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "out=mxfp8_e4m3,a=fp32,n=2",
            "out=mxint8,a=bf16,n=2,rule=floor",
            "out=mxfp4,a=bf16,n=2,round=sra",
            "out=mxfp6_e3m2,a=fp32,n=2,round=src,random_bits=3",
            "out=mxint6,a=fp32,n=2,rule=floor,round=srb,random_bits=5",
        ],
        3,
    ),
)
def test_blockquant_hardware(spec: str) -> None:
    assert_hardware(hw.unit(f"blockquant:{spec}"), 20_000)


@pytest.mark.long
@pytest.mark.parametrize("rule", ["exact_ceil", "floor"])
@pytest.mark.parametrize("a", ["fp32", "bf16"])
@pytest.mark.parametrize("out", MX)
def test_blockquant_hardware_of_whole_blocks(out: str, a: str, rule: str) -> None:
    assert_hardware(hw.unit(f"blockquant:out={out},a={a},n=32,rule={rule}"), 100_000)


def test_blockquant_of_all_pairs_of_bf16_magnitudes_that_matter() -> None:
    """Every fraction beside the largest of every fraction: what lies halfway among them."""
    u = hw.unit("blockquant:out=mxfp4,a=bf16,n=2")
    near = np.arange(0x3D80, 0x4000, dtype=np.uint16)  # 1/16 to below 2
    largest = np.arange(0x3F80, 0x4000, dtype=np.uint16)
    x = np.stack(np.meshgrid(near, largest), axis=-1).reshape(-1, 2)
    expected, got = u(x), hw.simulate(u)(x)
    assert (expected.y == got.y).all()
    assert (expected.scale == got.scale).all()
    compared(HARDWARE, len(x), u)


# -- nvfp4quant ----------------------------------------------------------------------------------


@pytest.mark.parametrize("a", ["fp32", "bf16"])
def test_nvfp4quant_is_the_quantizer(a: str) -> None:
    """Of tensors whose scale is that of `hwarith.quantize`."""
    u = hw.unit(f"nvfp4quant:a={a}")
    rng = np.random.default_rng(2)
    x = rng.standard_normal((500, 16)) * 2.0 ** rng.integers(-18, 1, (500, 1))
    for magnitude in (1.0, 1e-38, 1e-41, 1e38):
        codes = u.a.encode((x * magnitude / 5).astype(np.float32))
        codes[7, 3] = u.a.encode(np.inf)
        q = hw.quantize(u.a.decode(codes), "nvfp4", scale_rule="hw")
        assert q.tensor_scale is not None
        t = hw.format("e8m0fnu").encode(q.tensor_scale)
        y, scale = u(codes, t)
        assert (y == q.codes).all()
        assert (scale == q.scale_codes[:, 0]).all()
        assert scale[7] == 0x7F
    assert u.golden(codes[0], t) == (y[0].tolist(), scale[0])


def test_nvfp4quant_of_other_scales_of_tensors() -> None:
    """What is too large for it saturates, what is too small is 0; ff makes it NaN."""
    u = hw.unit("nvfp4quant:a=fp32,n=2")
    x = hw.format("fp32").encode([3000.0, -1.0])
    for t, scale, elements in (
        (127, 448, [6, -0.0]),
        (128, 256, [6, -0.0]),
        (120, 448, [6, -0.5]),
        (100, 448, [6, -6]),
        (150, 0, [0, 0]),
    ):
        y, s = u(x, t)
        assert hw.format("ue4m3").decode(s) == scale
        assert hw.format("e2m1fn").decode(y).tolist() == elements
    y, s = u(x, 255)
    assert (s, y.tolist()) == (0x7F, [0, 0])


def test_nvfp4quant_hardware() -> None:
    assert_hardware(hw.unit("nvfp4quant:a=fp32,n=2"), 40_000)


@pytest.mark.long
@pytest.mark.parametrize("spec", ["a=fp32", "a=bf16", "a=bf16,n=3,stages=4"])
def test_nvfp4quant_hardware_of_whole_blocks(spec: str) -> None:
    assert_hardware(hw.unit(f"nvfp4quant:{spec}"), 200_000)


def test_nvfp4quant_hardware_at_thresholds() -> None:
    """Each scale's thresholds, and the numbers next to them."""
    u = hw.unit("nvfp4quant:a=fp32,n=2")
    scales = hw.format("ue4m3").decode(np.arange(1, 127, dtype=np.uint8))
    largest = (scales * 6).astype(np.float32)[:, None]
    halves = (scales[:, None] * [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5]).astype(np.float32)
    near = np.stack([np.nextafter(halves, np.float32(t)) for t in (0, 1e9)] + [halves], axis=-1)
    x = np.stack(np.broadcast_arrays(near.reshape(len(scales), -1), largest), axis=-1)
    codes = hw.format("fp32").encode(x)
    (y, scale), got = u(codes, 127), hw.simulate(u)(codes, 127)
    assert (scale == np.arange(1, 127)[:, None]).all()
    assert (y == got.y).all()
    assert (scale == got.scale).all()
    expected = hw.format("e2m1fn").encode(np.asarray(x) / scales[:, None, None])
    assert (y == expected).all()


# -- hadamard ------------------------------------------------------------------------------------


def transformed(u: hw.Unit, values: list[Fraction], d: int) -> list[Fraction]:
    n = u.n
    signed = [-v if d >> i & 1 else v for i, v in enumerate(values)]
    sums = [
        sum((v * (-1) ** (i & j).bit_count() for i, v in enumerate(signed)), Fraction(0))
        for j in range(n)
    ]
    return [x / 2**u.shift for x in sums]


@pytest.mark.parametrize("spec", ["n=16", "n=32", "n=4,a=fp32,span=20", "n=8,span=3"])
def test_hadamard_rounds_exact_sums_once(spec: str) -> None:
    """Where exponents lie within the span of each other."""
    u = hw.unit(f"hadamard:{spec}")
    rng = np.random.default_rng(4)
    x = rng.standard_normal((60, u.n)) * 2.0 ** rng.integers(-u.span // 2, 1, (60, u.n))
    x = x * 2.0 ** rng.integers(-60, 60, (60, 1))
    x[:20] = np.rint(x[:20] / np.abs(x[:20]).max(axis=1, keepdims=True) * 8)  # many zeros, ties
    codes = u.a.encode(x.astype(np.float32))
    fields = codes >> u.a.fraction_bits & 255
    greatest = np.maximum(fields.max(axis=1, keepdims=True), 1)
    codes[(greatest.astype(int) - fields > u.span)] = 0
    d = rng.integers(0, 1 << u.n, 60).astype(u.operands["d"].dtype)
    y = u(codes, d)
    for row, signs, got in zip(codes, d.tolist(), y, strict=True):
        exact = transformed(u, [u.a.fraction(c) for c in row], signs)
        assert u.a.encode(exact).tolist() == got.tolist()
    compared(EXACT, y.size, u)
    assert u.golden(codes[0], d[0]) == y[0].tolist()


def test_hadamard_is_that_of_values() -> None:
    u = hw.unit("hadamard")
    x = np.random.default_rng(5).standard_normal((200, 16)).astype(np.float32)
    codes = u.a.encode(x)
    signs = hw.Hadamard(16).signs
    assert signs is not None
    d = sum(1 << i for i, sign in enumerate(signs) if sign < 0)
    expected = u.a.encode(hw.Hadamard(16)(u.a.decode(codes)))
    assert (u(codes, d) == expected).all()


def test_hadamard_of_what_is_far_below_and_of_no_numbers() -> None:
    u = hw.unit("hadamard:n=4,span=4")
    one, tiny, inf = u.a.encode([1.0, 2.0**-30, np.inf])
    half_ulp_more = u.a.encode([2.0**-8])[0]
    # 1 + 2^-8 is a tie, to even; what is far below breaks it
    y = u(np.array([[one, half_ulp_more, 0, 0], [one, half_ulp_more, tiny, 0]]), 0)
    assert u.a.decode(y[:, 0]).tolist() == [0.5, 0.50390625]
    for special in (inf, u.a.encode(np.nan)):
        assert (u(np.array([one, one, special, 0]), 1) == 0x7FC0).all()
    largest = np.full(4, 0x7F7F)
    assert u.a.decode(u(largest, 0)).tolist() == [np.inf, 0, 0, 0]
    assert (u(np.full(4, 0x8000), 0) == 0).all()


def test_hadamard_hardware() -> None:
    assert_hardware(hw.unit("hadamard:n=4"), 20_000)


@pytest.mark.long
@pytest.mark.parametrize("spec", ["n=16", "n=32,span=12", "n=8,a=fp32,span=6,stages=4"])
def test_hadamard_hardware_of_whole_blocks(spec: str) -> None:
    assert_hardware(hw.unit(f"hadamard:{spec}"), 100_000)


# -- calls ---------------------------------------------------------------------------------------


def test_shapes_and_broadcasting() -> None:
    u = hw.unit("nvfp4quant:a=fp32,n=2")
    x = u.a.encode(np.random.default_rng(6).standard_normal((2, 3, 2)))
    y, scale = u(x, [127, 120, 121])
    assert (y.shape, scale.shape) == ((2, 3, 2), (2, 3))
    assert (u(x[1, 2], 121).y == y[1, 2]).all()
    assert hw.simulate(u)(x, [127, 120, 121]).y.tolist() == y.tolist()


def test_vectors_of_blocks() -> None:
    found = hw.vectors("blockquant:out=mxfp4,a=bf16,n=2", 40)
    assert {"special", "ordinary", "random"} == set(found.counts)
    assert sum(found.counts.values()) == 40


@pytest.mark.long
@pytest.mark.parametrize("spec", ["blockquant:n=2", "nvfp4quant:n=2", "hadamard:n=2"])
def test_regression_of_blocks(spec: str) -> None:
    assert hw.regress(f"{spec},stages=2", 200).failed == 0


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("blockquant:out=nvfp4", "unknown value 'nvfp4'; did you mean 'mxfp4'"),
        ("blockquant:a=fp16", "parameter a: must be fp32 or bf16, not fp16"),
        ("blockquant:a=mxfp4", "parameter a: must be fp32 or bf16, not mxfp4"),
        ("blockquant:n=65", "must be 1 to 64"),
        ("blockquant:random_bits=4", "rounding rne takes none; allowed with round=sra, srb, src"),
        ("blockquant:round=rtz", "parameter round: unknown value 'rtz'"),
        ("hadamard:n=12", "parameter n: must be a power of two, not 12"),
        ("hadamard:span=33", "must be 0 to 32"),
    ],
)
def test_wrong_units_of_blocks(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(spec)


def test_wrong_operands_of_blocks() -> None:
    u = hw.unit("nvfp4quant:n=4")
    with pytest.raises(hw.InvalidInput, match=r"operand x .* of shape \(\.\.\., 4\), not \(3,\)"):
        u([0, 0, 0], 0)
    with pytest.raises(hw.InvalidInput, match="takes 2 operands"):
        u([0, 0, 0, 0])
    with pytest.raises(hw.InvalidInput, match="must fit together"):
        u(np.zeros((2, 4), int), [1, 2, 3])
    with pytest.raises(hw.InvalidInput, match="not a code of e8m0fnu"):
        u([0, 0, 0, 0], 256)
