"""Formats of blocks with metadata: the check values of their definitions, and exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.formats.blocks import BLOCKS
from tests.digests import digest
from tests.evidence import compared

NORMAL = np.random.default_rng(0).standard_normal((4096, 128)).astype(np.float32)
WITH_METADATA = [name for name, f in BLOCKS.items() if f.metadata is not None]

E2M1 = [Fraction(x, 2) for x in (0, 1, 2, 3, 4, 6, 8, 12)]


def dequantized(q: hw.Blocks, x: np.ndarray) -> np.ndarray:
    """Values as the published digests have them: in RaZeR's a zero has a sign, that of the special
    value of weights, of activations that of the number."""
    values = q.values().astype(np.float32)
    if q.format.name.startswith("razer"):
        assert not np.signbit(values[values == 0]).any()  # the code of -0 is the special value
        special = np.array(q.format.metadata.values)[q.metadata]
        sign = np.repeat(special, q.group, axis=-1) if q.format.name == "razer_w" else x
        values = np.where((values == 0) & (sign < 0), np.float32(-0.0), values)
    return values


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("razer_w", "6e7a4761026cc488"),
        ("razer_a", "f1092fa83ee70803"),
        ("mxfp4+", "947b33de0c8594a8"),
        ("mxfp4++", "2d36a26b93946034"),
        ("mxfp4++:nbm=floor", "8fe94dc3e1f6a937"),
        ("mxfp6+", "4a2f4c8b9bdf87b8"),
        ("mxfp8+", "e470656b05701c67"),
        ("m2xfp_a", "1ea9ff3744f5ea70"),
        ("m2xfp_w", "55d4f3059f7e67a5"),
    ],
)
def test_published_digests(name: str, expected: str) -> None:
    assert digest(NORMAL) == "45ed23017c7d2f89"
    q = hw.quantize(NORMAL, name)
    assert digest(dequantized(q, NORMAL)) == expected
    again = q.format.decode(q.codes, q.scale_codes, q.tensor_scale or 1, metadata=q.metadata)
    assert (again == q.values()).all()
    assert (q.values() == q.levels * np.repeat(q.scales, q.group, axis=-1)).all()
    assert float(q.format.bits_per_element) == q.format.element.bits + 0.5
    tensor = 32 / NORMAL.size if q.tensor_scale is not None else 0
    assert q.bits_per_weight == q.format.element.bits + 0.5 + tensor


def test_razer_as_published() -> None:
    values = hw.format("ue3m3").decode(np.arange(64))
    assert digest(values.astype(np.float32)) == "f6df7f78c52ed7b1"
    levels = [0.5, -0.5, 1.5, 0.5, -1.5, 1, 3, 2, -2, -3, -1.5, 0, -6, -0.5, -3, -2]
    w, a = hw.quantize(NORMAL, "razer_w"), hw.quantize(NORMAL, "razer_a")
    assert w.tensor_scale.view(np.uint32) == 0x3CE6BD42
    for q, scale, element in ((w, 14, "ue3m3"), (a, 224, "ue4m3")):
        assert hw.format(element).decode(q.scale_codes[0, 0]) == scale
        assert q.levels[0, :16].tolist() == levels
        assert (q.words & (0x3F if q is w else 0x7F) == q.scale_codes).all()
    assert (w.words >> 6 == w.metadata).all()
    shares = np.bincount(w.metadata.ravel()) / w.metadata.size  # 5, 8, -5, -8
    assert shares.round(4).tolist() == [0.4962, 0.1308, 0.2441, 0.1289]
    nvfp4 = hw.quantize(NORMAL, "nvfp4").nmse
    assert (w.nmse / nvfp4, a.nmse / nvfp4) == pytest.approx((0.63, 0.69), abs=0.005)
    assert hw.quantize(NORMAL, "razer_a:select=published").nmse == pytest.approx(7.277e-3, abs=5e-7)


def test_what_razer_keeps_of_small_rows() -> None:
    """Rows 2^-9 below the tensor's largest, whose scales are subnormal numbers of ue3m3: nothing is
    left of what it gains on nvfp4."""
    x = NORMAL.copy()
    x[1:] *= 2.0**-9
    razer, nvfp4 = (
        np.sum((hw.quantize(x, name).values()[1:] - x[1:]) ** 2) for name in ("razer_w", "nvfp4")
    )
    assert razer / nvfp4 == pytest.approx(1, abs=0.05)


def test_where_the_special_value_is() -> None:
    x = np.zeros((2, 16), np.float32)
    x[0, :4], x[1, :2] = (6, 5, -0.5, 1), (-32 / 7, 24 / 7)
    q = hw.quantize(x, "razer_w")
    assert q.codes[0, :5].tolist() == [7, 8, 9, 2, 0]
    other = hw.quantize(x, "razer_w:sv_code=0")
    assert other.codes[0, :5].tolist() == [7, 0, 9, 2, 8]
    assert (other.values() == q.values()).all()
    assert q.metadata[:, 0].tolist() == [0, 3]
    seven = hw.quantize(x, "razer_w:outlier=7")
    assert seven.format.metadata.values == (5, 7, -5, -7)
    assert hw.format("razer_w:outlier=8,sv_code=8") is hw.format("razer_w")
    assert str(seven.format) == "razer_w:outlier=7"
    assert hw.format(str(seven.format)) == seven.format


def test_worked_blocks_of_mx_plus() -> None:
    x = np.zeros((1, 32))
    x[0, :4] = (-0.39, -9.84, -0.2, 0.99)
    plain = hw.quantize(x, "mxfp4", scale_rule="floor")
    assert plain.values()[0, :4].tolist() == [0, -8, 0, 1]
    plus = hw.quantize(x, "mxfp4+")
    assert (plus.scale_codes[0, 0], plus.metadata[0, 0]) == (128, 1)
    assert plus.codes[0, :4].tolist() == [8, 0xA, 8, 1]
    assert plus.values()[0, :4].tolist() == [0, -10, 0, 1]
    assert hw.quantize(x, "mxfp4++").values()[0, :4].tolist() == [-0.375, -10, -0.25, 1]
    top = np.full((1, 32), 448.0)
    top[0, 5] = 511
    q = hw.quantize(top, "mxfp8+")
    assert (q.codes[0, 5], q.values()[0, 5]) == (0x7F, 2**8 * (1 + 127 / 128))


# -- against exact fractions ---------------------------------------------------------------------


def nearest(x: Fraction, levels: list[Fraction], tie: str) -> Fraction:
    """The nearest level; of two the lower one, the one of greater magnitude, or the one whose place
    among E2M1's magnitudes is even."""
    best = min(abs(level - x) for level in levels)
    found = [level for level in levels if abs(level - x) == best]
    if tie == "lower":
        return min(found)
    return max(found, key=lambda v: abs(v) if tie == "away" else levels.index(v) % 2 == 0)


def rounded(x: Fraction, exponent_bits: int, fraction_bits: int) -> Fraction:
    """To a float of an MX element, ties to even, saturating."""
    f = {(2, 1): "e2m1fn", (2, 3): "e2m3fn", (4, 3): "e4m3fn"}[exponent_bits, fraction_bits]
    return Fraction(float(hw.format(f).decode(hw.format(f).encode(x, overflow="saturate"))))


def scale_of(x: np.float32, name: str, low: float, high: float) -> Fraction:
    f = hw.format(name)
    return Fraction(float(f.decode(f.encode(min(max(x, np.float32(low)), np.float32(high))))))


def floor_log2(x: Fraction) -> int:
    k = x.numerator.bit_length() - x.denominator.bit_length()
    return k if Fraction(2) ** k <= x else k - 1


def razer_w(block: np.ndarray) -> list[Fraction]:
    amax, best = np.abs(block).max(), None
    for special in (5, -5, 8, -8):
        levels = sorted({*E2M1, *(-x for x in E2M1), Fraction(special)})
        s = scale_of(amax / np.float32(max(6, abs(special))), "ue3m3", 2**-5, 28)
        q = [nearest(Fraction(float(b)) / s, levels, "lower") * s for b in block]
        error = sum((x - Fraction(float(b))) ** 2 for x, b in zip(q, block, strict=True))
        if best is None or error < best[0]:
            best = error, q
    return best[1]


def razer_a(block: np.ndarray) -> list[Fraction]:
    s = scale_of(np.abs(block).max() / np.float32(6), "ue4m3", 2**-9, 448)
    xs, best = [Fraction(float(b / np.float32(s))) for b in block], None
    for special in (-5, 5):
        q = []
        for x in xs:
            q4 = nearest(abs(x), E2M1, "away") * (-1 if x < 0 else 1)
            q.append(q4 if abs(x - q4) < abs(x - special) else Fraction(special))
        error = sum((a - x) ** 2 for a, x in zip(q, xs, strict=True))
        if best is None or error < best[0]:
            best = error, q
    return [x * s for x in best[1]]


def mx_plus(block: np.ndarray, e: int, m: int, emax: int, offset: str = "") -> list[Fraction]:
    v = [Fraction(float(x)) for x in block]
    i = max(range(len(v)), key=lambda k: (abs(v[k]), -k))
    if v[i] == 0:
        return v
    x = floor_log2(abs(v[i])) - emax
    others = max((abs(y) for k, y in enumerate(v) if k != i), default=Fraction(0))
    off = 7 * bool(offset)
    if offset and others:
        most = Fraction(6 if e == 2 else 448)
        low = floor_log2(others) - emax
        fits = low if others <= most * Fraction(2) ** low else low + 1
        off = min(max(x - (fits if offset == "ceil" else low), 0), 7)
    unit = Fraction(2) ** (x - off)
    q = [rounded(y / unit, e, m) * unit for y in v]
    steps = 2 ** (e + m)
    fraction = min(round((abs(v[i]) / Fraction(2) ** (x + emax) - 1) * steps), steps - 1)
    q[i] = (1 + Fraction(fraction, steps)) * Fraction(2) ** (x + emax) * (-1 if v[i] < 0 else 1)
    return q


def m2xfp_a(block: np.ndarray) -> list[Fraction]:
    v = [Fraction(float(x)) for x in block]
    if not any(v):
        return v
    unit = Fraction(2) ** (floor_log2(max(map(abs, v))) - 2)
    q = [nearest(abs(y / unit), E2M1, "even") for y in v]
    e2m3 = [Fraction(float(hw.format("e2m3fn").decode(k))) for k in range(32)]
    for start in range(0, len(v), 8):
        t = max(range(start, start + 8), key=lambda k: (q[k], -k))
        least = 4 * E2M1.index(q[t])
        i6 = e2m3.index(rounded(abs(v[t] / unit), 2, 3))
        q[t] = e2m3[min(max(i6 + 1, least), least + 3) - 1]
    return [x * unit * (-1 if y < 0 else 1) for x, y in zip(q, v, strict=True)]


def m2xfp_w(block: np.ndarray) -> list[Fraction]:
    v = [Fraction(float(x)) for x in block]
    if not any(v):
        return v
    low, best = floor_log2(max(map(abs, v))) - 2, None
    for exponent in (low - 1, low, low + 1):
        total, values = Fraction(0), []
        for start in range(0, len(v), 8):
            part, least = v[start : start + 8], None
            for quarters in range(4, 8):
                unit = Fraction(quarters, 4) * Fraction(2) ** exponent
                q = [
                    nearest(abs(y / unit), E2M1, "even") * unit * (-1 if y < 0 else 1) for y in part
                ]
                error = sum((a - y) ** 2 for a, y in zip(q, part, strict=True))
                if least is None or error < least[0]:
                    least = error, q
            total, values = total + least[0], values + least[1]
        if best is None or total < best[0]:
            best = total, values
    return best[1]


DEFINED = {
    "razer_w": razer_w,
    "razer_a": razer_a,
    "mxfp4+": lambda b: mx_plus(b, 2, 1, 2),
    "mxfp4++": lambda b: mx_plus(b, 2, 1, 2, "ceil"),
    "mxfp4++:nbm=floor": lambda b: mx_plus(b, 2, 1, 2, "floor"),
    "mxfp8+": lambda b: mx_plus(b, 4, 3, 8),
    "m2xfp_a": m2xfp_a,
    "m2xfp_w": m2xfp_w,
}


@pytest.mark.parametrize("name", DEFINED)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_against_fractions(name: str, dtype: type) -> None:
    """Blocks of many magnitudes, with equal largest elements, of ties, and of one number."""
    rng, n = np.random.default_rng(1), hw.format(name).block
    x = rng.standard_normal((12, n)) * 2.0 ** rng.integers(-3, 4, (12, 1))
    x[3:6] = rng.integers(-48, 49, (3, n)) / 8
    x[6, ::3], x[7] = -2.5, 0
    x[7, 1], x[8], x[9] = 1.0, 0, 0
    x[9, :3] = (11, 6, 0.5)
    x[10:] = rng.integers(-24, 25, (2, n)) / 4
    x[10] = np.resize([6, 0.75, -0.75, 1.75, 4, 3, 5, -4, 5.5, 1, 0.5, -0.5, -6, 1.5, 0, -1.75], n)
    x[11, :4] = (8, 7, -7, -5.5)
    if name.startswith("razer"):  # with a tensor scale of 1, and in row 10 a scale of 1
        x[8, 5] = {"razer_w": 168, "razer_a": 2688}[name]
    x = x.astype(dtype)
    q = hw.quantize(x, name)
    scaled = x.astype(np.float32) / q.tensor_scale if q.tensor_scale is not None else x
    expected = np.array([[float(y) for y in DEFINED[name](b)] for b in scaled])
    assert (q.values() == expected * float(q.tensor_scale or 1)).all()
    compared(EXACT, x.size)


# -- blocks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH_METADATA)
def test_axes_zeros_and_what_is_no_number(name: str) -> None:
    x = np.random.default_rng(3).standard_normal((3, 64, 2))
    x[0, :32], x[1, 3, 1] = 0, np.nan if name != "razer_w" else 1
    along, turned = hw.quantize(x, name, axis=1), hw.quantize(x.swapaxes(1, 2), name)
    assert along.axis == -2
    for part in ("codes", "scale_codes", "metadata", "levels", "words"):
        a, b = getattr(along, part), getattr(turned, part).swapaxes(1, 2)
        assert np.array_equal(a, b, equal_nan=part == "levels"), part
    assert np.array_equal(along.values(), turned.values().swapaxes(1, 2), equal_nan=True)
    assert not along.values()[0, :32].any()
    invalid = along.invalid
    assert np.isnan(along.values()).tolist() == invalid.tolist()
    assert invalid.sum() == (0 if name == "razer_w" else along.group)
    zeros = hw.quantize(np.zeros((2, 64)), name)
    assert not zeros.codes.any()
    assert not zeros.values().any()
    assert not zeros.scale_codes.any()
    assert zeros.tensor_scale in (None, 1)
    huge = hw.quantize(np.full((1, 64), 3e38), name).values()
    assert np.allclose(huge, 3e38, rtol=0.15)
    tiny = hw.quantize(np.full((1, 64), 1e-45, np.float32), name).values()
    assert (np.abs(tiny) <= 2e-45).all()


def test_what_cannot_be() -> None:
    x = np.ones((4, 64))
    bad = {
        "has no option": ("mxfp4:nbm=floor", {}),
        "unknown option of format mxfp4\\+\\+ 'scale'": ("mxfp4++:scale=floor", {}),
        "unknown nbm of format mxfp4\\+\\+ 'round'; .*allowed: ceil, floor": (
            "mxfp4++:nbm=round",
            {},
        ),
        "option nbm is given twice": ("mxfp4++:nbm=floor,nbm=ceil", {}),
        "option nbm needs a value": ("mxfp4++:nbm", {}),
        "outlier of razer_w must be a multiple of 0.5": ("razer_w:outlier=6", {}),
        "option outlier must be a number, not 'x'": ("razer_w:outlier=x", {}),
        "unknown sv_code": ("razer_w:sv_code=3", {}),
        "mxfp4\\+ has no scale_rule; it has group, axis, hadamard": (
            "mxfp4+",
            {"scale_rule": "floor"},
        ),
        "m2xfp_w has no rounding other than rne": ("m2xfp_w", {"round": "rtz"}),
        "razer_a has no blocks of two dimensions": ("razer_a", {"group": (2, 16)}),
        "group of mxfp4\\+ must be at most 32": ("mxfp4+", {"group": 64}),
        "group of m2xfp_a must be a multiple of 8": ("m2xfp_a", {"group": 4}),
    }
    for message, (name, options) in bad.items():
        with pytest.raises(hw.InvalidInput, match=message):
            hw.quantize(x, name, **options)
    with pytest.raises(hw.InvalidInput, match="razer_w takes finite numbers"):
        hw.quantize(x * np.inf, "razer_w")
    q = hw.quantize(x, "m2xfp_a")
    f = q.format
    with pytest.raises(hw.InvalidInput, match="m2xfp_a is decoded with metadata: fraction of"):
        f.decode(q.codes, q.scale_codes)
    with pytest.raises(hw.InvalidInput, match="must be 4 codes for each block"):
        f.decode(q.codes, q.scale_codes, metadata=q.metadata[:, :2])
    with pytest.raises(hw.InvalidInput, match="metadata"):
        f.decode(q.codes, q.scale_codes, metadata=q.metadata + 4)
    with pytest.raises(hw.InvalidInput, match="mxfp4 has no metadata"):
        hw.format("mxfp4").decode(q.codes, q.scale_codes, metadata=q.metadata)
