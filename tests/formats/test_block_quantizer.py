"""Formats of blocks and their quantizer: against exact fractions, ml_dtypes and plain loops."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT, ML_DTYPES
from hwarith.formats.blocks import BLOCKS, MX_RULES, TE_SIGNS
from tests.evidence import compared

F = np.float32

MX = [name for name, f in BLOCKS.items() if f.scale.name == "e8m0fnu" and f.metadata is None]
NV = [name for name, f in BLOCKS.items() if f.tensor_scale and f.metadata is None]
NUMPY_TYPES = {
    "e4m3fn": ml_dtypes.float8_e4m3fn,
    "e5m2": ml_dtypes.float8_e5m2,
    "e2m3fn": ml_dtypes.float6_e2m3fn,
    "e3m2fn": ml_dtypes.float6_e3m2fn,
    "e2m1fn": ml_dtypes.float4_e2m1fn,
}
MOST = {
    "mxfp8_e4m3": 448,
    "mxfp8_e5m2": 57344,
    "mxfp6_e2m3": 7.5,
    "mxfp6_e3m2": 28,
    "mxfp4": 6,
    "mxint8": 127,
    "mxint6": 31,
    "mxint4": 7,
    "nvfp4": 6,
    "nvint4": 7,
}
FRACTION_BITS = {
    "mxfp8_e4m3": 3,
    "mxfp8_e5m2": 2,
    "mxfp6_e2m3": 3,
    "mxfp6_e3m2": 2,
    "mxfp4": 1,
    "mxint8": 6,
    "mxint6": 4,
    "mxint4": 2,
}


def numbers(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """fp32 numbers, each block of 32 of a magnitude of its own, some with ties."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape) * 2.0 ** rng.integers(-120, 120, (*shape[:-1], 1))
    ties = rng.integers(-31, 32, shape) / 4
    return np.where(rng.random((*shape[:-1], 1)) < 0.3, ties, x).astype(np.float32)


def test_names_and_facts() -> None:
    assert [*MX, *NV] == list(MOST)
    for name, most in MOST.items():
        f = hw.format(name.upper())
        assert f is hw.format(f) is hw.weight_type(name) is BLOCKS[name]
        assert (str(f), repr(f), float(f.largest)) == (name, f"hwarith.format({name!r})", most)
        nv = name.startswith("nv")
        assert (f.block, f.scale.name) == ((16, "ue4m3") if nv else (32, "e8m0fnu"))
        assert f.tensor_scale is nv
        assert f.bits_per_element == f.element.bits + Fraction(1, 2 if nv else 4)
    assert hw.format("mxint8").element is hw.format("int8")
    assert hw.format("mxfp8_e4m3").element is hw.format("e4m3fn")
    with pytest.raises(hw.InvalidInput, match="unknown format 'mxfp5'; did you mean 'mxfp"):
        hw.format("mxfp5")
    with pytest.raises(hw.InvalidInput, match="mxfp4 is one of blocks; a scalar format is needed"):
        hw.unit("mul:a=mxfp4")


# -- MX ------------------------------------------------------------------------------------------


def exponent(largest: Fraction, name: str, rule: str) -> int:
    """X by the definition of a rule, in fractions."""

    def floor_log2(x: Fraction) -> int:
        k = x.numerator.bit_length() - x.denominator.bit_length()
        return k if Fraction(2) ** k <= x else k - 1

    most = Fraction(MOST[name])
    floor = floor_log2(largest) - floor_log2(most)
    if rule == "exact_ceil":
        return next(x for x in (floor, floor + 1) if largest <= most * Fraction(2) ** x)
    if rule == "ceil":
        return floor + (largest != Fraction(2) ** floor_log2(largest))
    if rule == "even":
        half = Fraction(2) ** (floor_log2(largest) - FRACTION_BITS[name] - 1)
        return floor_log2(largest + half) - floor_log2(most)
    if rule == "rceil":
        product = Fraction(float(np.float32(float(largest)) * (np.float32(1) / np.float32(most))))
        if product == 0:
            return -127
        return floor_log2(product) + (product != Fraction(2) ** floor_log2(product))
    return floor


def of_rule(largest: float, name: str, rule: str) -> int:
    """The code of a block's scale."""
    if not math.isfinite(largest):
        return 255
    if largest == 0:
        return 0
    return min(max(exponent(Fraction(largest), name, rule), -127), 127) + 127


@pytest.mark.parametrize("name", MX)
@pytest.mark.parametrize("rule", MX_RULES[:5])
def test_scales_by_every_rule(name: str, rule: str) -> None:
    """Next to powers of two and to the largest element times one, in fp32, fp64 and bf16."""
    corners = [float(MOST[name]) * 2.0**k for k in (-150, -100, -3, 0, 5, 110)]
    corners += [2.0**k for k in (-149, -148, -127, -126, -125, 0, 1, 127)]
    corners += [2 - 2.0**-k for k in range(1, 10)] + [0, math.inf, math.nan, 3e-45, 3.4e38]
    with np.errstate(all="ignore"):
        largest = np.array(corners, np.float32)
        near = np.concatenate([largest, *(np.nextafter(largest, np.float32(t)) for t in (0, 9e9))])
        near = np.concatenate([near, near.astype(ml_dtypes.bfloat16).astype(np.float32)])
    for dtype in (np.float32, np.float64, ml_dtypes.bfloat16):
        x = np.zeros((len(near), 4), dtype)
        with np.errstate(all="ignore"):
            x[:, 2] = -near.astype(dtype)
        q = hw.quantize(x, name, 4, scale_rule=rule)
        expected = [of_rule(abs(float(row[2])), name, rule) for row in x]
        assert q.scale_codes[:, 0].tolist() == expected
    compared(EXACT, 3 * len(near))


def test_two_roundings_may_differ_from_none() -> None:
    """Within an ulp above Q 2^X the product of two roundings may be 2^X: the exact rule goes up."""
    powers = 2.0 ** np.arange(-20, 20)
    x = np.concatenate([np.nextafter((q * powers).astype(F), F(np.inf)) for q in (127, 31, 7, 6)])
    blocks = np.repeat(x[:, None], 32, axis=1)
    found: set[int] = set()
    for name in ("mxint8", "mxint6", "mxint4", "mxfp4"):
        exact, twice = (hw.quantize(blocks, name, scale_rule=r) for r in ("exact_ceil", "rceil"))
        found |= set((exact.scale_codes.astype(int) - twice.scale_codes).ravel().tolist())
    assert found == {0, 1}


def elements(x: np.ndarray, scales: np.ndarray, name: str) -> np.ndarray:
    """Codes of elements by ml_dtypes, or by numpy's integers."""
    f = BLOCKS[name]
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = x.astype(np.float64) * 2.0 ** (127.0 - np.repeat(scales.astype(int), 32, axis=-1))
    scaled = np.clip(scaled, -MOST[name], MOST[name])
    if f.is_integer:
        return np.rint(scaled).astype(np.int64).astype(np.uint8) & ((1 << f.bits) - 1)
    nearest = scaled.astype(np.float32)
    exact = (nearest == scaled) | (np.abs(scaled) < 2.0**-30)
    assert exact.all()  # no rounding before that of ml_dtypes
    codes = nearest.astype(NUMPY_TYPES[f.element.name]).view(np.uint8)
    return codes & ((1 << f.bits) - 1)


@pytest.mark.parametrize("name", MX)
def test_elements(name: str) -> None:
    x = numbers((2000, 64))
    for rule in ("exact_ceil", "floor"):
        q = hw.quantize(x, name, scale_rule=rule)
        expected = elements(x, q.scale_codes, name)
        assert (q.codes == expected).all()
        values = np.asarray(BLOCKS[name].element.decode(q.codes)).astype(float)
        scales = 2.0 ** (q.scale_codes.astype(float) - 127)
        assert (q.levels == values).all()
        assert (q.scales == scales).all()
        assert (q.values() == values * np.repeat(scales, 32, axis=-1)).all()
        assert (BLOCKS[name].decode(q.codes, q.scale_codes) == q.values()).all()
        if rule == "exact_ceil":  # nothing is clipped
            assert (np.abs(x) <= np.repeat(scales, 32, axis=-1) * MOST[name]).all()
        elif name != "mxint8":
            assert (np.abs(x) > np.repeat(scales, 32, axis=-1) * MOST[name]).any()
        compared(ML_DTYPES, x.size)


def test_what_is_no_number_takes_its_block() -> None:
    x = np.ones((5, 32), np.float32)
    x[0, 3], x[1, 4], x[2] = np.nan, -np.inf, 0
    x[3, 5] = -0.0
    for name in MX:
        q = hw.quantize(x, name)
        assert q.scale_codes[:3, 0].tolist() == [255, 255, 0]
        assert not q.codes[:3].any()
        assert np.isnan(q.values()[:2]).all()
        assert np.isfinite(q.values()[2:]).all()
        assert (q.invalid.all(axis=1) == [True, True, False, False, False]).all()
        negative_zero = 1 << (BLOCKS[name].bits - 1)
        assert q.codes[3, 5] == (0 if BLOCKS[name].is_integer else negative_zero)


def test_the_most_negative_integer_is_never_given() -> None:
    for name in ("mxint8", "mxint6", "mxint4", "nvint4"):
        most = MOST[name]
        x = np.resize(np.array([-1, 1, -0.999, 0.51]), (4, 64))
        for rule in ("te", "hw") if name == "nvint4" else ("exact_ceil", "floor", "even"):
            q = hw.quantize(x, name, scale_rule=rule)
            assert q.levels.min() >= -most
            assert hw.quantize(-x, name, scale_rule=rule).levels.tolist() == (-q.levels).tolist()


@pytest.mark.parametrize("name", ["mxfp4", "mxint4"])
def test_stochastic_rounding_by_all_random_bits(name: str) -> None:
    """P(up) = floor(nu 2^N) / 2^N, exactly: over all R."""
    n = 6
    x = np.zeros((64, 32), np.float32)
    x[:, 0] = MOST[name]
    fine = np.linspace(0.01, MOST[name] - 0.01, 31).astype(np.float32)
    x[:, 1:] = fine
    random = np.broadcast_to(np.arange(64)[:, None], x.shape)
    q = hw.quantize(x, name, round="sra", random=random, random_bits=n)
    grid = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6] if name == "mxfp4" else range(8))
    for j, v in enumerate(fine.astype(float), 1):
        low = int(np.searchsorted(grid, v, "right")) - 1
        nu = (v - grid[low]) / (grid[low + 1] - grid[low])
        assert int((q.levels[:, j] == grid[low + 1]).sum()) == math.floor(nu * 64)
        assert np.isin(q.levels[:, j], grid[low : low + 2]).all()
    assert (q.levels[:, 0] == MOST[name]).all()


def test_modes_and_default_random_bits() -> None:
    x = np.full((1, 32), 2.25, np.float32)
    x[0, 0] = 6
    for mode, level in {"rne": 2, "rup": 3, "rtz": 2, "rdn": 2}.items():
        assert hw.quantize(x, "mxfp4", round=mode).levels[0, 1] == level
    for name, n in (("mxfp4", 12), ("nvfp4", 12), ("mxint4", 16), ("mxfp8_e4m3", 16)):
        fits = np.full(x.shape, (1 << n) - 1)
        assert hw.quantize(x, name, round="src", random=fits).levels.shape == x.shape
        with pytest.raises(hw.InvalidInput, match=f"from 0 to {(1 << n) - 1}"):
            hw.quantize(x, name, round="src", random=fits + 1)


@pytest.mark.parametrize("name", ["mxfp4", "nvfp4", "mxint8"])
def test_axes_and_sizes_of_blocks(name: str) -> None:
    x = np.random.default_rng(3).standard_normal((6, 64, 4))
    along = hw.quantize(x, name, 8, axis=1)
    assert along.axis == -2
    assert along.scale_codes.shape == (6, 8, 4)
    turned = hw.quantize(x.swapaxes(1, 2), name, 8)
    for part in ("codes", "scale_codes", "scales", "levels"):
        assert (getattr(along, part) == getattr(turned, part).swapaxes(1, 2)).all()
    assert (along.values() == turned.values().swapaxes(1, 2)).all()
    assert hw.quantize(x, name, 64, axis=-2).scale_codes.shape == (6, 1, 4)
    assert hw.quantize(x, name, 1, axis=0).scale_codes.shape == (6, 64, 4)


@pytest.mark.parametrize("name", ["mxfp6_e3m2", "nvfp4", "nvint4"])
def test_blocks_of_two_dimensions(name: str) -> None:
    """The scale of a tile is that of its numbers in one row; rows repeat it."""
    x = np.random.default_rng(4).standard_normal((3, 8, 12)).astype(np.float32)
    q = hw.quantize(x, name, (4, 6))
    tiles = x.reshape(3, 2, 4, 2, 6).swapaxes(2, 3)
    flat = hw.quantize(tiles.reshape(3, 2, 2, 24), name, 24)
    assert q.scale_codes.shape == (3, 8, 2)
    scales = np.repeat(flat.scale_codes[..., 0], 4, axis=1)
    assert (q.scale_codes == scales).all()
    codes = flat.codes.reshape(3, 2, 2, 4, 6).swapaxes(2, 3).reshape(x.shape)
    assert (q.codes == codes).all()
    turned = hw.quantize(x.swapaxes(1, 2), name, (4, 6), axis=-2)
    assert (turned.values() == q.values().swapaxes(1, 2)).all()
    assert (q.rows, turned.rows) == (4, 4)
    beside = 8 / 24 + (32 / x.size if name.startswith("nv") else 0)
    assert q.bits_per_weight == pytest.approx(hw.format(name).bits + beside)


# -- NVFP4 ---------------------------------------------------------------------------------------

GREATEST = np.finfo(F).max


def in_the_order_of_te(x: np.ndarray, most: int) -> tuple[list, list, float]:
    """Codes of scales, values of elements and the decode scale, operation by operation."""
    with np.errstate(all="ignore"):
        amax = F(np.abs(x).max())
        s = min(F(F(most * 448) / amax), GREATEST)
        if amax == 0 or s == 0:
            s = F(1)
        scales, found = [], []
        for block in x:
            c = F(s * F(F(1) / F(most)))
            t = min(F(F(np.abs(block).max()) * c), F(448))
            scale = ml_dtypes.float8_e4m3fn(t)
            den = F(F(scale) * F(F(1) / s))
            enc = min(F(F(1) / den), GREATEST)
            scaled = [min(max(F(v * enc), F(-most)), F(most)) for v in block]
            scales.append(int(scale.view(np.uint8)))
            if most == 6:
                found.append([float(ml_dtypes.float4_e2m1fn(v)) for v in scaled])
            else:
                found.append([float(np.rint(v)) for v in scaled])
        return scales, found, float(F(F(1) / s))


@pytest.mark.parametrize("name", NV)
@pytest.mark.parametrize("magnitude", [0, 0.0, 1, 1e-3, 1e30, 3e38, 1e-38, 1e-42, 1e-45])
def test_nv_in_the_order_of_transformer_engine(name: str, magnitude: float) -> None:
    rng = np.random.default_rng(5)
    x = (rng.standard_normal((60, 16)) * 2.0 ** rng.integers(-20, 1, (60, 1)) / 5).astype(F)
    x = (x * F(magnitude)).astype(F)
    x[3] = 0
    q = hw.quantize(x, name)
    scales, found, decode = in_the_order_of_te(x, MOST[name])
    assert q.scale_codes[:, 0].tolist() == scales
    assert q.levels.tolist() == found
    assert q.tensor_scale == F(decode)
    with np.errstate(all="ignore"):
        sizes = hw.format("ue4m3").decode(q.scale_codes) * decode
        assert (q.values() == np.array(found) * sizes).all()
    compared(ML_DTYPES, x.size)


def test_another_order_would_differ() -> None:
    """fl(fl(a / 6) S) rounds twice: it gives other scales for some blocks."""
    s = F(2688) / F(3.7)
    codes = np.arange(0x08, 0x7E, dtype=np.uint8)
    values = hw.format("ue4m3").decode(codes)
    between = ((values[1:] + values[:-1]) / 2 * 6 / s).astype(F)
    x = np.concatenate([[F(3.7)], *(between * F(1 + k * 2.0**-23) for k in range(-4, 5))])
    scales = hw.quantize(x[:, None], "nvfp4", 1).scale_codes[:, 0]
    assert scales.tolist() == in_the_order_of_te(x[:, None], 6)[0]
    other = ((x / F(6)) * s).astype(ml_dtypes.float8_e4m3fn).view(np.uint8)
    assert 0 < (scales != other).sum() < len(x) / 5


def test_worked_blocks_of_nvfp4() -> None:
    x = np.zeros((2, 16), F)
    x[0, :4] = (0.9, -0.1, 0.02, 3.5)
    x[1, :4] = (0.05, 0.01, -0.03, 0.002)
    q = hw.quantize(x, "nvfp4")
    assert hw.format("ue4m3").decode(q.scale_codes).tolist() == [[448], [6.5]]
    # .875/.5833 is code 3 (1.5), -.17 code -0; .0508 = 6 * 6.5 * s
    assert q.codes[:, :4].tolist() == [[3, 8, 0, 7], [7, 2, 14, 0]]
    assert q.values()[0, :4] == pytest.approx([0.875, 0, 0, 3.5], rel=1e-6)
    assert q.values()[1, :4] == pytest.approx([0.0508, 0.0085, -0.0339, 0], abs=5e-5)


def test_nv_blocks_without_a_value() -> None:
    x = np.ones((3, 16), F)
    x[0, 0], x[1, 1], x[2, 2] = np.nan, np.inf, 4
    for name in NV:
        for rule in ("te", "hw"):
            q = hw.quantize(x, name, scale_rule=rule)
            assert q.scale_codes[:, 0].tolist()[:2] == [0x7F, 0x7F]
            assert not q.codes[:2].any()
            assert np.isnan(q.values()[:2]).all()
            assert q.values()[2, 2] == pytest.approx(4, rel=0.04)  # the tensor's is of 4
    # What is too small for a scale: the largest codes, of value 0; nothing without division
    tiny = np.array([[1.0] * 16, [1e-7] * 16], F)
    te, without = (hw.quantize(tiny, "nvfp4", scale_rule=rule) for rule in ("te", "hw"))
    assert te.scale_codes[1, 0] == without.scale_codes[1, 0] == 0
    assert (te.codes[1] == 7).all()
    assert (without.codes[1] == 0).all()
    assert (te.values()[1] == 0).all()


def test_nv_without_division_in_fractions() -> None:
    """The tensor's scale is the least 2^k with amax <= 2688 2^k; the rest is rounded once."""
    rng = np.random.default_rng(7)
    x = (rng.standard_normal((200, 16)) * 2.0 ** rng.integers(-22, 1, (200, 1))).astype(F)
    x[5] = 0
    x[6:40] = rng.integers(-12, 13, (34, 16)) / 4  # ties
    for name in NV:
        q = hw.quantize(x, name, scale_rule="hw")
        most, amax = MOST[name], Fraction(float(np.abs(x).max()))
        k = next(k for k in range(-160, 200) if amax <= most * 448 * Fraction(2) ** k)
        assert q.tensor_scale == 2.0**k
        tensor = Fraction(2) ** k
        f, to = hw.format("ue4m3"), hw.format(name).element
        for row, codes, (scale,) in zip(x, q.codes, q.scale_codes, strict=True):
            largest = Fraction(float(np.abs(row).max()))
            assert scale == f.encode(largest / most / tensor, overflow="saturate")
            size = f.fraction(scale) * tensor
            quotients = [Fraction(float(v)) / size if size else Fraction(0) for v in row]
            clipped = [min(max(v, Fraction(-most)), Fraction(most)) for v in quotients]
            expected = to.encode(clipped, overflow="saturate")
            negative_zero = (codes == 8) & (expected == 0) & (to.is_float)
            assert ((codes == expected) | negative_zero).all()
            assert (np.signbit(row) >= negative_zero).all()
        compared(EXACT, x.size)


def test_nv_in_other_scales_of_tensors() -> None:
    for magnitude in (1e-45, 1e-38, 1.0, 3e38):
        x = np.resize(np.array([1, -0.5, 0.25, 0]) * magnitude, (2, 32)).astype(F)
        q = hw.quantize(x, "nvfp4", scale_rule="hw")
        assert 2.0**-127 <= float(q.tensor_scale) <= 2.0**127
        if magnitude > 1e-40:
            assert q.values() == pytest.approx(x.astype(float), rel=0.05)
    zeros = hw.quantize(np.zeros((2, 16)), "nvfp4", scale_rule="hw")
    assert (zeros.tensor_scale, zeros.values().any()) == (1, False)


def test_stochastic_rounding_of_nv() -> None:
    x = np.full((1 << 12, 16), 2.4, F)
    x[:, 0] = 6
    random = np.broadcast_to(np.arange(1 << 12)[:, None], x.shape)
    q = hw.quantize(x, "nvfp4", round="sra", random=random)
    scaled = float(F(2.4) * F(1) / F(F(448) * F(1 / F(2688 / 6))))
    assert int((q.levels[:, 1] == 3).sum()) == math.floor((scaled - 2) * 4096)
    assert set(np.unique(q.levels[:, 1:])) == {2, 3}


# -- rotations, Quartet --------------------------------------------------------------------------


def sylvester(n: int) -> np.ndarray:
    h = np.ones((1, 1))
    while len(h) < n:
        h = np.block([[h, h], [h, -h]])
    return h


def test_hadamard_is_sylvesters_matrix() -> None:
    assert tuple(1 if c == "+" else -1 for c in "+++-+------+-+--") == TE_SIGNS
    for n in (2, 16, 32):
        t = hw.Hadamard(n)
        signs = TE_SIGNS if n == 16 else (1,) * n
        got = t(np.eye(n))
        assert np.allclose(got, np.diag(signs) @ sylvester(n) / math.sqrt(n), rtol=1e-7)
        assert np.allclose(got @ got.T, np.eye(n), atol=1e-6)
    exact = hw.Hadamard(16)(np.eye(16))
    assert (np.abs(exact) == 0.25).all()
    assert (exact @ exact.T == np.eye(16)).all()
    assert hw.Hadamard(32).factor == float(F(2.0**-2.5))


def test_hadamard_along_an_axis_and_back() -> None:
    x = np.random.default_rng(8).standard_normal((3, 64, 5))
    t = hw.Hadamard(32, [1, -1] * 16)
    y = t(x, axis=1)
    assert np.allclose(y.swapaxes(1, 2), t(x.swapaxes(1, 2)))
    assert np.allclose(t.inverse(y, axis=1), x, atol=1e-6)
    assert t(x.astype(ml_dtypes.bfloat16), axis=1).dtype == ml_dtypes.bfloat16
    a, b = x[:, :, 0], x[:, :, 1]
    assert np.allclose(t(a) @ t(b).T, a @ b.T, atol=1e-5)
    q = hw.quantize(x, "mxfp4", axis=1, hadamard=t)
    assert q.hadamard is t
    assert (q.codes == hw.quantize(y, "mxfp4", axis=1).codes).all()
    assert hw.quantize(x, "nvfp4", axis=1, hadamard=16).hadamard == hw.Hadamard(16)


def test_quartet_uses_the_upper_part_of_the_grid() -> None:
    x = np.random.default_rng(9).standard_normal((500, 32)).astype(F)
    q = hw.quantize(x, "mxfp4", scale_rule="quartet")
    floor = hw.quantize(x, "mxfp4", scale_rule="floor")
    assert (q.scale_codes == floor.scale_codes).all()
    scaled = 0.75 * np.abs(x.astype(float)) / floor.scales
    assert (scaled.max(axis=1) >= 3).all()
    assert (scaled.max(axis=1) < 6).all()
    nearest = scaled.astype(ml_dtypes.float4_e2m1fn).astype(float)
    assert (np.abs(q.levels) == nearest).all()
    assert np.allclose(q.values(), q.levels * floor.scales * 4 / 3)


def test_quest_says_what_it_clips() -> None:
    x = np.random.default_rng(10).standard_normal((500, 32)).astype(F)
    q = hw.quantize(x, "mxfp4", scale_rule="quest")
    sigma = np.sqrt(np.mean(x.astype(float) ** 2, axis=1, keepdims=True))
    ratio = q.scales / (2.92247856 / 6 * sigma)
    assert ratio.min() >= 2**-0.5
    assert ratio.max() <= 2**0.5
    assert q.inside is not None
    assert (q.inside == (np.abs(x) < 6 * q.scales)).all()
    assert 0 < (~q.inside).mean() < 0.02
    assert hw.quantize(
        [[0.0] * 32, [np.nan] * 32], "mxfp4", scale_rule="quest"
    ).scale_codes.tolist() == [
        [0],
        [255],
    ]


# -- what is given -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float16, ml_dtypes.bfloat16, np.int8, "e4m3"])
def test_types_of_numbers(dtype: type) -> None:
    x = np.arange(-32, 32).reshape(2, 32)
    if dtype == "e4m3":
        dtype = ml_dtypes.float8_e4m3fn
    given = x.astype(dtype)
    for name in ("mxfp8_e4m3", "mxint8", "nvfp4"):
        q = hw.quantize(given, name)
        same = hw.quantize(given.astype(np.float32), name)
        assert (q.codes == same.codes).all()
        assert (q.scale_codes == same.scale_codes).all()


def test_greatest_and_least_numbers_in_blocks() -> None:
    for x, code in ((1.7e308, 254), (5e-324, 0)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            q = hw.quantize(np.resize([x, -x], 32), "mxfp4")
            hw.quantize(np.resize([x, -x], 32), "nvfp4")
        assert q.scale_codes.tolist() == [code]
        assert (np.abs(q.levels) == (6 if code else 0)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": 3}, "group must divide the axis that blocks run along, 64; 3 does not"),
        ({"group": 0}, "group must be an integer of at least 1, or a pair"),
        ({"group": (2, 8.0)}, "group must be an integer of at least 1, or a pair"),
        ({"group": (3, 16)}, "rows of a block must divide the other axis, 2; 3 does not"),
        ({"group": (2, 32), "x": np.ones(64)}, "blocks of two dimensions go along the last two"),
        ({"axis": 2}, "axis must be an integer from -2 to 1, not 2"),
        ({"axis": "k"}, "axis must be an integer"),
        ({"scale_rule": "flor"}, "unknown scale rule of mxfp4 'flor'; did you mean 'floor'"),
        ({"type": "nvfp4", "scale_rule": "floor"}, "unknown scale rule of nvfp4"),
        ({"type": "mxint4", "scale_rule": "quest"}, "quest is one of mxfp4, not of mxint4"),
        ({"type": "nvfp4", "scale_rule": "hw", "round": "rtz"}, "rounds to nearest even only"),
        ({"round": "up"}, "unknown rounding mode 'up'"),
        ({"round": "sra"}, "takes random bits for each number"),
        ({"round": "sra", "random": np.ones(3, int)}, r"of shape \(2, 64\), not \(3,\)"),
        ({"random": np.ones((2, 64), int)}, "rounding rne takes no random bits"),
        ({"round": "sra", "random": 1, "random_bits": 33}, "integer from 1 to 32, not 33"),
        ({"hadamard": 24}, "a power of two of elements, 2 to 1024, not 24"),
        ({"hadamard": "16"}, "hadamard must be 16, 32 or a Hadamard, not '16'"),
        ({"hadamard": 128}, "must divide the axis that it goes along"),
        ({"scale_bits": 8}, "weight type mxfp4 has no scale_bits; it has axis, scale_rule"),
        ({"x": np.ones((2, 0))}, "not empty"),
        ({"x": 1.0}, r"must be of shape \(\.\.\., n\)"),
        ({"x": ["a"]}, "must be numbers"),
        ({"x": [[1j] * 32]}, "must be numbers"),
    ],
)
def test_wrong_options_of_blocks(options: dict, message: str) -> None:
    given = {"x": np.ones((2, 64)), "type": "mxfp4"} | options
    with pytest.raises(hw.InvalidInput, match=message):
        hw.quantize(**given)


def test_more_wrong_things() -> None:
    with pytest.raises(hw.InvalidInput, match="options are given by name: axis"):
        hw.quantize(np.ones(64), "mxfp4", 32, 8)
    with pytest.raises(hw.InvalidInput, match="signs must be 16 numbers 1 or -1"):
        hw.Hadamard(16, [1] * 15)
    f = hw.format("mxfp4")
    with pytest.raises(hw.InvalidInput, match="they count blocks, not"):
        f.decode(np.zeros((2, 64), np.uint8), np.zeros((2, 3), np.uint8))
    with pytest.raises(hw.InvalidInput, match="16 is not a code of e2m1fn"):
        f.decode([16] * 32, [127])
    for axis in (1, "k", None, True):
        with pytest.raises(hw.InvalidInput, match="axis must be an integer from -1 to 0"):
            f.decode([1] * 32, [127], axis=axis)
        with pytest.raises(hw.InvalidInput, match="axis must be an integer from -1 to 0"):
            hw.Hadamard(4)(np.ones(8), axis=axis)
    with pytest.raises(hw.InvalidInput, match="axis must be an integer of an array"):
        hw.Hadamard(4)(1.0)
    with pytest.raises(hw.InvalidInput, match="tensor_scale must be a number, not 'q'"):
        f.decode([1] * 32, [127], "q")
