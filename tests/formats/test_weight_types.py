"""The weight types and the group quantizer: published codes, measured errors, and a second
implementation in plain loops.

The errors are those of numpy's ``default_rng`` in float64, computed apart from this project.
"""

from __future__ import annotations

import itertools
import math
import struct
import warnings

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hwarith as hw
from hwarith.formats.weights import TYPES, quantizer

GROUP = 128

FP4 = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
FP3 = (0.0, 1.0, 2.0, 4.0)
SPECIALS = {3: (3.0, -3.0, 6.0, -6.0), 4: (5.0, -5.0, 8.0, -8.0)}
MAGNITUDES = {3: FP3, 4: FP4}
FLINT4 = (0, 1, 2, 3, 4, 6, 8, 16)
FLINT5 = (*range(9), 10, 12, 14, 16, 24, 32, 64)


def weights(distribution: str, seed: int = 0, groups: int = 8192) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if distribution == "normal":
        return rng.standard_normal((groups, GROUP))
    return rng.standard_t(5, (groups, GROUP))


def nmse(w: np.ndarray, q: hw.Quantized) -> float:
    """Mean squared error over mean square."""
    return float(np.mean((q.values() - w) ** 2) / np.mean(w**2))


# -- types ---------------------------------------------------------------------------------------


def level_of(code: int, bits: int, special: float) -> float:
    """The table of codes of fp3 and fp4: sign and magnitude, -0 is the special value."""
    sign = 1 << (bits - 1)
    return special if code == sign else MAGNITUDES[bits][code % sign] * (-1 if code > sign else 1)


@pytest.mark.parametrize(
    ("bits", "special"), [(b, v) for b, values in SPECIALS.items() for v in values]
)
def test_codes_with_a_special_value(bits: int, special: float) -> None:
    expected = {code: level_of(code, bits, special) for code in range(1 << bits)}
    selector = SPECIALS[bits].index(special)
    book = hw.weight_type(f"bitmod{bits}").codebooks[selector]
    assert dict(zip(book.codes.tolist(), book.levels.tolist(), strict=True)) == expected
    w = np.array(list(expected.values())) * 0.25
    q = hw.quantize(w, f"bitmod{bits}")
    assert q.codes.tolist() == list(expected)
    assert (q.levels == w * 4).all()
    assert (q.selectors.item(), q.specials.item(), q.scales.item()) == (selector, special, 0.25)


def minifloat(code: int, exponent_bits: int, fraction_bits: int) -> float:
    """A float without infinities and NaN whose least normal number is 1."""
    e, f = divmod(code % (1 << (exponent_bits + fraction_bits)), 1 << fraction_bits)
    value = math.ldexp(f + (1 << fraction_bits if e else 0), max(e, 1) - 1 - fraction_bits)
    return -value if code >> (exponent_bits + fraction_bits) else value


@pytest.mark.parametrize(
    ("name", "e", "m", "greatest"),
    [
        ("fp3", 2, 0, 4),
        ("fp4", 2, 1, 6),
        ("fp5_e2m2", 2, 2, 28 / 4),
        ("fp5_e3m1", 3, 1, 192 / 2),
        ("fp6_e2m3", 2, 3, 60 / 8),
        ("fp6_e3m2", 3, 2, 448 / 4),
    ],
)
def test_codes_of_floats(name: str, e: int, m: int, greatest: float) -> None:
    (book,) = hw.weight_type(name).codebooks
    sign = 1 << (e + m)
    expected = {code: minifloat(code, e, m) for code in range(2 * sign) if code != sign}
    assert dict(zip(book.codes.tolist(), book.levels.tolist(), strict=True)) == expected
    assert book.largest == greatest


@pytest.mark.parametrize(
    ("name", "place", "magnitudes", "bits"),
    [("flint4", 0, FLINT4, 4), ("flint5", 0, FLINT5, 5), ("ant4", 1, FLINT4, 4)],
)
def test_codes_of_flint(name: str, place: int, magnitudes: tuple[int, ...], bits: int) -> None:
    book = hw.weight_type(name).codebooks[place]
    expected = dict(enumerate(magnitudes))
    expected |= {k + (1 << (bits - 1)): -x for k, x in enumerate(magnitudes) if x}
    assert dict(zip(book.codes.tolist(), book.levels.tolist(), strict=True)) == expected


@pytest.mark.parametrize("bits", range(2, 9))
def test_codes_of_integers(bits: int) -> None:
    (book,) = hw.weight_type(f"int{bits}").codebooks
    most = (1 << (bits - 1)) - 1
    assert book.levels.tolist() == list(range(-most, most + 1))
    assert book.codes.tolist() == [x % (1 << bits) for x in range(-most, most + 1)]


def test_types_by_name() -> None:
    assert hw.weight_type(" BitMoD4 ") is TYPES["bitmod4"]
    assert hw.weight_type(TYPES["int3"]) is TYPES["int3"]
    for name, kind in TYPES.items():
        assert str(kind) == name == kind.name
    assert hw.weight_type("fp3:3/-3/6/-6").codebooks == TYPES["bitmod3"].codebooks
    assert hw.weight_type("fp4:+5/-5.0") == hw.weight_type("FP4:5/-5")
    assert [
        t.selector_bits for t in map(hw.weight_type, ("bitmod3", "fp4_ea", "fp3:5", "int4"))
    ] == [2, 1, 0, 0]


@pytest.mark.parametrize(
    ("kind", "options", "bits"),
    [
        ("bitmod3", {}, 3.140625),
        ("bitmod4", {}, 4.140625),
        ("bitmod3", {"scale_bits": 8}, 3 + 10 / 128 + 16 / 1024),
        ("int6", {"scale_bits": 8}, 6 + 8 / 128 + 16 / 1024),
        ("bitmod4", {"scale_bits": 4, "group": 64}, 4 + 6 / 64 + 16 / 1024),
        ("fp4_er", {}, 4 + 17 / 128),
        ("int4", {}, 4 + 16 / 128),
        ("int4_asym", {}, 4 + 20 / 128),
        ("ant4", {"group": 32}, 4 + 17 / 32),
        ("nupes4", {"group": 1024}, 4 + 16 / 1024),
    ],
)
def test_bits_per_weight(kind: str, options: dict, bits: float) -> None:
    assert hw.quantize(np.ones((2, 1024)), kind, **options).bits_per_weight == bits


# -- a second implementation, in loops -----------------------------------------------------------


def clamp(x: float, low: float, high: float) -> float:
    return min(max(x, low), high)


def nearest_of_levels(w: float, scale: float, levels: list[float]) -> float:
    """The number of midpoints strictly below is the place: ties to the lower level."""
    return levels[sum((a + b) / 2 < w / scale for a, b in itertools.pairwise(levels))]


def scaled(w: list[float], greatest: float) -> float:
    return clamp(max(abs(x) for x in w) / greatest, 1e-5, 1e4)


def level_lists(kind: str) -> list[list[float]]:
    """The levels of each codebook in their order; of integers nothing, these are rounded."""
    if kind.startswith("int"):
        return []
    if kind in ("fp3", "fp4", "flint4"):
        magnitudes = {"fp3": FP3, "fp4": FP4, "flint4": FLINT4}[kind]
        return [sorted({*map(float, magnitudes), *(-float(x) for x in magnitudes)})]
    bits = int(kind[-1])
    basic = {*MAGNITUDES[bits], *(-x for x in MAGNITUDES[bits])}
    return [sorted({*basic, special}) for special in SPECIALS[bits]]


Group = tuple[int, float, list[float]]
"""Selector, scale and levels."""


def quant_group(w: list[float], kind: str) -> Group:
    if kind.startswith("int"):
        most = (1 << (int(kind[3:]) - 1)) - 1
        s = scaled(w, most)
        return 0, s, [clamp(round(x / s), -most, most) for x in w]
    best, found = math.inf, None
    for k, levels in enumerate(level_lists(kind)):
        s = scaled(w, max(map(abs, levels)))
        values = [nearest_of_levels(x, s, levels) for x in w]
        error = math.fsum((v * s - x) ** 2 for v, x in zip(values, w, strict=True)) / len(w)
        if error < best:
            best, found = error, (k, s, values)
    assert found is not None
    return found


def to_fp16(x: float) -> float:
    return struct.unpack("e", struct.pack("e", x))[0]


def quant_channel(scales: list[float], bits: int) -> tuple[float, list[int]]:
    most = (1 << (bits - 1)) - 1
    channel = to_fp16(max(scales) / most) or 2.0**-24
    return channel, [int(clamp(round(s / channel), 1, most)) for s in scales]


def code_of(kind: str, selector: int, level: float) -> int:
    if kind.startswith("int"):
        return int(level) % (1 << int(kind[3:]))
    if kind == "flint4":
        return FLINT4.index(abs(level)) + (8 if level < 0 else 0)
    bits = int(kind[-1])
    if kind.startswith("bitmod"):
        (code,) = (
            c for c in range(1 << bits) if level_of(c, bits, SPECIALS[bits][selector]) == level
        )
        return code
    return MAGNITUDES[bits].index(abs(level)) + (1 << (bits - 1) if level < 0 else 0)


def check_groups(w: np.ndarray, kind: str) -> None:
    q = hw.quantize(w, kind, group=w.shape[-1])
    for i, row in enumerate(w.tolist()):
        selector, scale, levels = quant_group(row, kind)
        assert q.selectors[i, 0] == selector, (i, row)
        assert q.scales[i, 0] == scale
        assert q.levels[i].tolist() == levels
        assert q.codes[i].tolist() == [code_of(kind, selector, v) for v in levels]
    assert (q.values() == q.levels * q.scales).all()


LOOPED = ("bitmod3", "bitmod4", "fp3", "fp4", "flint4", *(f"int{b}" for b in range(3, 9)))


@pytest.mark.parametrize("kind", LOOPED)
def test_random_groups_against_loops(kind: str) -> None:
    rng = np.random.default_rng(3)
    w = rng.standard_normal((60, 32))
    w[20:40] *= 2.0 ** rng.integers(
        -30, 20, (20, 1)
    )  # scales below the least and above the greatest
    w[40:] *= 2.0 ** rng.integers(-12, 12, (20, 32))
    w[rng.random(w.shape) < 0.1] = 0
    w[:3] = [[0] * 32, [1] + [0] * 31, [0] * 31 + [-3]]
    check_groups(w, kind)


@pytest.mark.parametrize("kind", LOOPED)
def test_extreme_groups_against_loops(kind: str) -> None:
    """Weights at and beyond the limits of scales, subnormals, and all of one sign."""
    greatest = hw.weight_type(kind).codebooks[-1].largest
    extremes = [0.0, 5e-324, 1e-300, 1e-5, greatest * 1e-5, greatest * 1e4, greatest * 1.1e4, 1e100]
    rows = [[x * y for y in (1, -1, 0.5, -0.25)] for x in extremes]
    rows += [[x] * 4 for x in extremes] + [[-x] * 4 for x in extremes]
    check_groups(np.array(rows), kind)


@pytest.mark.parametrize("kind", ["bitmod3", "bitmod4", "fp3", "fp4", "flint4", "int3", "int8"])
def test_ties_against_loops(kind: str) -> None:
    """All arithmetic here is exact: weights are midpoints and levels times a power of two."""
    rng = np.random.default_rng(4)
    for book in hw.weight_type(kind).codebooks:
        points = np.concatenate([book.levels, (book.levels[1:] + book.levels[:-1]) / 2])
        for special in (book.largest, -book.largest):
            w = rng.choice(points, (10, 16))
            w[:, 0] = special
            check_groups(w * 0.5, kind)


def test_ties_go_to_the_lower_level() -> None:
    q = hw.quantize([6, 0.25, -0.25, 5, -5, 1.25, -1.25], "fp4")
    assert q.levels.tolist() == [6, 0, -0.5, 4, -6, 1, -1.5]
    q = hw.quantize([7, 0.5, -0.5, 1.5, -1.5, 2.5], "int4")
    assert q.levels.tolist() == [7, 0, 0, 2, -2, 2]


@pytest.mark.parametrize("kind", [name for name, t in TYPES.items() if t.codebooks])
def test_nearest_levels_next_to_midpoints(kind: str) -> None:
    for book in hw.weight_type(kind).codebooks:
        midpoints = (book.levels[1:] + book.levels[:-1]) / 2
        assert (book.nearest(book.levels) == np.arange(len(book.levels))).all()
        lower = np.arange(len(midpoints))
        assert (book.nearest(np.nextafter(midpoints, -np.inf)) == lower).all()
        assert (book.nearest(np.nextafter(midpoints, np.inf)) == lower + 1).all()
        odd = book.codes[:-1] % 2 if book.integer else 0
        assert (book.nearest(midpoints) == lower + odd).all()
        assert book.nearest(np.array([-1e300, 1e300])).tolist() == [0, len(book.levels) - 1]


def test_the_first_of_equal_errors_is_taken() -> None:
    # No special value is of use to any of these
    assert hw.quantize([[6, 1, -2], [0, 0, 0]], "bitmod4", 3).selectors.tolist() == [[0], [0]]
    assert hw.quantize([[4, 1, -2]], "bitmod3", 3).selectors.tolist() == [[0]]
    assert hw.quantize([[4, 1, -2]], "fp3:-5/5/-3", 3).specials.tolist() == [[-3]]
    # 5 and -5 are so to the same degree
    assert hw.quantize([[6, 5, -5, 0]], "fp4_er", 4).specials.item() == 5
    assert hw.quantize([[6, 5, -5, 0]], "fp4:-5/5", 4).specials.item() == -5


def test_the_sign_of_the_largest_weight_does_not_count() -> None:
    q = hw.quantize([[-6.0, 0, 0, 0]], "fp3:6", 4)
    assert (q.scales.item(), q.values().tolist()) == (1, [[-4, 0, 0, 0]])


@pytest.mark.parametrize("kind", ["bitmod3", "bitmod4", "int4"])
@pytest.mark.parametrize("bits", [8, 4, 2])
@pytest.mark.parametrize("refine", [False, True])
def test_second_level_against_loops(kind: str, bits: int, refine: bool) -> None:
    rng = np.random.default_rng(5)
    w = rng.standard_normal((6, 8, 16)) * 2.0 ** rng.integers(-3, 4, (6, 8, 1))
    w[1, 3] = 0
    w[2] = 0
    w[3] *= 1e7
    q = hw.quantize(w.reshape(6, 128), kind, 16, scale_bits=bits, refine=refine)
    assert q.scale_codes is not None
    assert q.channel_scales is not None
    assert q.scale_bits == bits
    for c in range(6):
        groups = [quant_group(g, kind) for g in w[c].tolist()]
        channel, codes = quant_channel([scale for _, scale, _ in groups], bits)
        assert q.channel_scales[c] == channel
        assert q.scale_codes[c].tolist() == codes
        assert q.scales[c].tolist() == [k * channel for k in codes]
        for g, (selector, _, levels) in enumerate(groups):
            if refine:
                s = codes[g] * channel
                lists = level_lists(kind)
                levels = [
                    nearest_of_levels(x, s, lists[selector])
                    if lists
                    else clamp(round(x / s), -7, 7)
                    for x in w[c, g].tolist()
                ]
            assert q.selectors[c, g] == selector
            assert q.levels[c, 16 * g : 16 * g + 16].tolist() == levels
            expected = [code_of(kind, selector, v) for v in levels]
            assert q.codes[c, 16 * g : 16 * g + 16].tolist() == expected


def test_least_scale_of_a_channel() -> None:
    codes, channel = quantizer.quantize_scales(np.array([[0.0, 1e-9], [1e-5, 1e-5]]))
    assert channel.tolist() == [2.0**-24, 2.0**-24]
    assert codes.tolist() == [[1, 1], [127, 127]]


@pytest.mark.parametrize("bits", range(2, 9))
def test_zero_points_against_loops(bits: int) -> None:
    rng = np.random.default_rng(6)
    w = rng.standard_normal((30, 16)) + rng.integers(-3, 4, (30, 1))
    w[:4] = [[0] * 16, [2] * 16, [-2] * 16, [3e5] * 16]
    q = hw.quantize(w, f"int{bits}_asym", 16)
    most = (1 << bits) - 1
    for i, row in enumerate(w.tolist()):
        low, high = min(*row, 0.0), max(*row, 0.0)
        s = clamp(high / most - low / most, 1e-5, 1e4)
        zero = clamp(round(-low / s), 0, most)
        codes = [clamp(round(x / s) + zero, 0, most) for x in row]
        assert q.scales[i, 0] == s
        assert q.zero_points[i, 0] == zero
        assert q.codes[i].tolist() == codes
        assert q.levels[i].tolist() == [c - zero for c in codes]
    ordinary = np.abs(w) < 1e4
    assert (np.abs(q.values() - w) <= 1.01 * q.scales)[ordinary].all()
    assert not hw.quantize(w, "bitmod4", 16).zero_points.any()


# -- measured errors -----------------------------------------------------------------------------

ERRORS = {
    "int3": (0.075097, 0.148979),
    "int3_asym": (0.046483, 0.080692),
    "fp3": (0.056992, 0.096286),
    "fp3_er": (0.047228, 0.089817),
    "fp3_ea": (0.038650, 0.054453),
    "bitmod3": (0.038056, 0.054372),
    "fp3:5/-5/6/-6": (0.037894, 0.054098),
    "fp3:3/-3/5/-5": (0.042555, 0.067595),
    "int4": (0.013792, 0.029801),
    "int4_asym": (0.010117, 0.017924),
    "fp4": (0.011871, 0.015332),
    "fp4_er": (0.009923, 0.013980),
    "fp4_ea": (0.011550, 0.012525),
    "bitmod4": (0.009578, 0.011590),
    "flint4": (0.025371, 0.020433),
    "ant4": (0.013253, 0.017380),
    "int5": (0.003003, 0.006561),
    "int6": (0.000702, 0.001540),
    "int8": (0.000042, 0.000092),
}
"""Of N(0, 1) and of Student's t with 5 degrees of freedom."""


@pytest.mark.parametrize(("place", "distribution"), list(enumerate(("normal", "student"))))
def test_errors_of_groups(place: int, distribution: str) -> None:
    w = weights(distribution)
    found = {kind: nmse(w, hw.quantize(w, kind)) for kind in ERRORS}
    assert found == pytest.approx({kind: e[place] for kind, e in ERRORS.items()}, abs=1e-6)


def test_findings_hold_for_other_weights() -> None:
    w = weights("normal", seed=5)
    found = {kind: nmse(w, hw.quantize(w, kind)) for kind in ERRORS}
    assert found == pytest.approx({kind: e[0] for kind, e in ERRORS.items()}, rel=0.015)
    for order in (
        ("bitmod3", "fp3_ea", "fp3_er", "fp3", "int3"),
        ("bitmod4", "fp4_er", "fp4_ea", "fp4", "int4"),
        ("bitmod4", "int4_asym", "fp4", "int4", "flint4"),
        ("bitmod3", "int3_asym", "fp3", "int3"),
        ("fp3:5/-5/6/-6", "bitmod3", "fp3:3/-3/5/-5"),
    ):
        errors = [found[kind] for kind in order]
        assert errors == sorted(errors), order
    assert found["ant4"] < min(found["int4"], found["flint4"])


@pytest.mark.parametrize(
    ("kind", "shares"),
    [("bitmod3", (7.7, 7.9, 41.8, 42.6)), ("bitmod4", (40.3, 34.9, 12.2, 12.6))],
)
def test_shares_of_selectors(kind: str, shares: tuple[float, ...]) -> None:
    """Percent, mean of three seeds. That +5 leads is the rule of the first of equal errors."""
    selectors = [hw.quantize(weights("normal", seed), kind).selectors for seed in range(3)]
    found = 100 * np.bincount(np.ravel(selectors), minlength=4) / np.size(selectors)
    assert found == pytest.approx(shares, abs=0.0501)


@pytest.mark.parametrize(
    ("kind", "kept", "refined"),
    [
        (
            "bitmod3",
            (0.038069, 0.038237, 0.041789, 0.356831),
            (0.038060, 0.038083, 0.038748, 0.058713),
        ),
        (
            "bitmod4",
            (0.009588, 0.009738, 0.012701, 0.185104),
            (0.009580, 0.009608, 0.010123, 0.012901),
        ),
    ],
)
def test_errors_of_quantized_scales(kind: str, kept: tuple, refined: tuple) -> None:
    w = weights("normal").reshape(256, 32 * GROUP)

    def errors(refine: bool) -> list[float]:
        found = (hw.quantize(w, kind, GROUP, bits, refine) for bits in (8, 6, 4, 2))
        return [nmse(w, q) for q in found]

    assert errors(False) == pytest.approx(kept, abs=1e-6)
    assert errors(True) == pytest.approx(refined, abs=1e-6)


def test_errors_of_power_codes() -> None:
    rng = np.random.default_rng(0)
    for shape, power, *errors in (
        ((2048, 128), 0.78, 0.011768, 0.013860, 0.015103),
        ((64, 4096), 0.69, 0.018276, 0.024803, 0.020765),
        ((1, 262144), 0.63, 0.023976, 0.037402, 0.025473),
    ):
        w = rng.standard_normal(shape)
        group = shape[1]
        assert hw.quantize(w, "nupes4", group).power == power
        found = [nmse(w, hw.quantize(w, "nupes4", group, power=p)) for p in (None, 1, 0.5)]
        assert found == pytest.approx(errors, abs=1e-6)


# -- power codes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("bits", "power"), [(3, 0.55), (4, 0.5), (4, 1), (5, 1.7), (8, 0.3)])
def test_power_codes_against_loops(bits: int, power: float) -> None:
    w = np.random.default_rng(8).standard_normal((20, 16)) * 1e9
    w[:2] = [[0.0] * 16, [1e-300, *[-1e-302] * 15]]
    q = hw.quantize(w, f"nupes{bits}", 16, power=power)
    most = (1 << (bits - 1)) - 1
    for i, row in enumerate(w.tolist()):
        largest = max(map(abs, row)) or 1.0
        assert q.scales[i, 0] == largest
        for x, code, level in zip(row, q.codes[i].tolist(), q.levels[i].tolist(), strict=True):
            k = round((abs(x) / largest) ** power * most)
            assert code == k + (1 << (bits - 1) if x < 0 and k else 0)
            assert level == pytest.approx(math.copysign((k / most) ** (1 / power), x), rel=1e-14)


@pytest.mark.parametrize("bits", [3, 4, 8])
def test_the_best_power_has_the_least_error(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(9)
    w = rng.standard_t(5, (40, 32)) * 2.0 ** rng.integers(-600, 500, (40, 1))
    w[3] = 0
    monkeypatch.setattr(quantizer, "CHUNK", 256)
    for some in (w[:1] * 2.0**-500, w[:2], w, rng.standard_normal((40, 32))):
        unit = some / (np.abs(some).max() or 1)

        def error(power: float, unit: np.ndarray = unit) -> float:
            q = hw.quantize(unit, f"nupes{bits}", 32, power=power)
            return float(np.sum((q.values() - unit) ** 2))

        powers = [k / 100 for k in range(30, 101)]
        assert hw.quantize(some, f"nupes{bits}", 32).power == min(powers, key=error)
    assert hw.quantize(np.zeros(8), f"nupes{bits}").power == 0.3


@pytest.mark.parametrize(("bits", "power"), [(3, 0.7), (4, 0.55), (4, 0.5), (6, 1), (8, 0.63)])
def test_power_codes_in_hardware(bits: int, power: float) -> None:
    """The decoder gives the level in steps of 2^-15, to the nearest."""
    u = hw.unit(f"powdecode:b={bits},a={power}")
    q = hw.quantize(weights("normal", groups=64), f"nupes{bits}", power=power)
    decoded = u.results["y"].decode(u(q.codes)) / 2.0**15
    assert np.abs(decoded - q.levels).max() <= 2.0**-16 + 1e-12
    assert len(np.unique(decoded)) == len(np.unique(q.levels)) == (1 << bits) - 1


@pytest.mark.parametrize(
    ("kind", "type"),
    [("bitmod3", "fp3"), ("bitmod4", "fp4"), *((f"int{b}", f"int{b}") for b in range(3, 9))],
)
def test_codes_in_the_bit_serial_element(kind: str, type: str) -> None:
    w = weights("normal", groups=200)
    w[:20, ::3] = 0
    q = hw.quantize(w, kind)
    f = hw.format("fp16")
    rng = np.random.default_rng(10)
    acts = f.encode(rng.standard_normal(w.shape) * 2.0 ** rng.integers(-6, 7, (200, 1)))
    u = hw.unit(f"bspe:type={type}")
    special = (2 * q.specials[:, 0]).astype(int)
    if type.startswith("fp"):
        assert set(special.tolist()) == {int(2 * v) for v in SPECIALS[q.type.bits]}
        sums = u.decode(u.group(acts, q.codes, special=special))
    else:
        sums = u.decode(u.group(acts, q.codes))
    products = f.decode(acts).astype(float) * q.levels
    error = np.abs(sums - products.sum(axis=1))
    assert (error <= 1e-4 * np.abs(products).sum(axis=1)).all()


# -- properties ----------------------------------------------------------------------------------

SEARCHED = ("bitmod3", "bitmod4", "fp3_ea", "fp4_er", "ant4", "fp4:5/-3.5/7", "fp5_e2m2", "int3")

numbers = st.one_of(
    st.integers(-16, 16).map(float),
    st.floats(-100, 100, width=32),
    st.floats(-1e6, 1e6),
)


@given(st.sampled_from(SEARCHED), st.lists(numbers, min_size=1, max_size=12))
@settings(max_examples=300, deadline=None)
def test_levels_and_codebooks_are_the_best(kind: str, w: list[float]) -> None:
    q = hw.quantize(w, kind)
    errors = []
    for book in q.type.codebooks:
        s = scaled(w, book.largest)
        errors.append(math.fsum(min((v * s - x) ** 2 for v in book.levels.tolist()) for x in w))
    found = math.fsum(((q.values() - w) ** 2).tolist())
    assert found <= min(errors) * (1 + 1e-12) + 1e-30
    book = q.type.codebooks[q.selectors.item()]
    decoded = dict(zip(book.codes.tolist(), book.levels.tolist(), strict=True))
    assert [decoded[c] for c in q.codes.tolist()] == q.levels.tolist()


@given(
    st.sampled_from((*SEARCHED, "int4_asym", "nupes4")),
    st.lists(st.integers(-1000, 1000), min_size=4, max_size=12).filter(any),
    st.integers(-6, 3),  # further on scales meet their limits
)
@settings(max_examples=150, deadline=None)
def test_powers_of_two_change_scales_only(kind: str, w: list[int], k: int) -> None:
    q, scaled_up = (hw.quantize(np.array(w) * 2.0**n, kind) for n in (0, k))
    assert scaled_up.codes.tolist() == q.codes.tolist()
    assert scaled_up.selectors.tolist() == q.selectors.tolist()
    assert scaled_up.scales.item() == q.scales.item() * 2.0**k


@pytest.mark.parametrize("kind", ["bitmod4", "int4_asym", "nupes4", "ant4", "int8"])
def test_groups_do_not_depend_on_each_other(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    w = weights("student", groups=12).reshape(3, 4, 128)
    options = {"power": 0.6} if kind == "nupes4" else {}
    whole = hw.quantize(w, kind, 32, **options)
    assert whole.codes.shape == whole.levels.shape == whole.values().shape == (3, 4, 128)
    assert whole.scales.shape == whole.selectors.shape == whole.specials.shape == (3, 4, 4)
    assert whole.zero_points.shape == (3, 4, 4)
    monkeypatch.setattr(quantizer, "CHUNK", 100)
    for q in (hw.quantize(w, kind, 32, **options), hw.quantize(w[1], kind, 32, **options)):
        part = slice(None) if q.codes.ndim == 3 else 1
        for name in ("codes", "levels", "scales", "selectors", "specials"):
            assert (getattr(q, name) == getattr(whole, name)[part]).all()
    transposed = np.asfortranarray(w)
    assert (hw.quantize(transposed, kind, 32, **options).codes == whole.codes).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16, np.int8, np.uint64])
def test_types_of_arrays(dtype: type) -> None:
    w = np.arange(64).astype(dtype)
    kept = w.copy()
    q = hw.quantize(w, "bitmod4")
    assert (q.codes == hw.quantize(w.astype(float).tolist(), "bitmod4").codes).all()
    assert (q.codes.dtype, q.levels.dtype, q.group) == (np.uint8, np.float64, 64)
    assert (w == kept).all()


def test_public_names() -> None:
    assert {"Quantized", "quantize", "weight_type"} <= set(dir(hw))
    assert isinstance(hw.quantize([1, 2]), hw.Quantized)


def test_groups_by_default() -> None:
    assert hw.quantize(np.ones(256)).group == 128
    assert hw.quantize(np.ones(100)).group == 100
    assert hw.quantize(np.ones(64), "int4", np.int64(1)).scales.shape == (64,)


@pytest.mark.parametrize("kind", ["bitmod3", "int8", "ant4", "nupes4", "int4_asym"])
def test_greatest_and_least_numbers(kind: str) -> None:
    """Nothing overflows on the way; what is beyond the greatest scale becomes the largest level."""
    for x in (1.7e308, 5e-324):
        w = np.resize([x, -x], 32)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            q = hw.quantize(w, kind)
        if x < 1:
            assert kind == "nupes4" or not q.levels.any()
        elif kind != "int4_asym":  # has its zero point at an end, then
            top = {"bitmod3": 4, "int8": 127, "ant4": 7, "nupes4": 1}
            assert (np.sign(q.levels) == np.sign(w)).all()
            assert (np.abs(q.levels) >= top[kind]).all()


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bitmod5", "unknown weight type 'bitmod5'; did you mean 'bitmod4'"),
        ("", "unknown weight type ''"),
        (None, "unknown weight type None"),
        (4, "unknown weight type 4"),
        ("int9", "unknown weight type 'int9'"),
        ("int4:5", "unknown weight type 'int4:5'"),
        ("fp3:", "special values are numbers"),
        ("fp3:5/", "special values are numbers"),
        ("fp3:five", "special values are numbers"),
        ("fp3:nan", "special values are numbers"),
        ("fp3:\u0665", "special values are numbers"),
        ("fp3:4", "no level of fp3, not 4"),
        ("fp4:-0.5", "no level of fp4, not -0.5"),
        ("fp4:0", "no level of fp4, not 0"),
        ("fp4:16", "at most 15.5"),
        ("fp4:5.25", "multiple of 0.5"),
        ("fp4:5/-5/5.0", "given twice"),
    ],
)
def test_wrong_types(name: object, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.weight_type(name)
    with pytest.raises(hw.InvalidInput, match=message):
        hw.quantize([1.0], name)


@pytest.mark.parametrize(
    ("w", "message"),
    [
        ([], "not empty"),
        (np.ones((0, 4)), "not empty"),
        (np.ones((4, 0)), "not empty"),
        (1.0, r"shape \(\.\.\., n\)"),
        ([1.0, math.nan], "finite"),
        ([1.0, -math.inf], "finite"),
        (np.array([1, math.nan], ml_dtypes.bfloat16), "finite"),
        (["1", "2"], "must be numbers"),
        ([1, None], "must be numbers"),
        ([True, False], "must be numbers"),
        ([1j], "must be numbers"),
        ([10**30], "must be numbers"),
        (None, "must be numbers"),
        ([[1, 2], [3]], "rows that differ"),
    ],
)
def test_wrong_weights(w: object, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.quantize(w)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": 3}, "group must divide the last axis of the weights, 64; 3 does not"),
        ({"group": 128}, "group must divide"),
        *(({"group": g}, "group must be an integer") for g in (0, -1, 8.0, "8", True)),
        *(({"scale_bits": b}, "scale_bits must be") for b in (1, 9, 8.0, "8", True)),
        *(
            ({"type": t, "scale_bits": 8}, "no second level of scales")
            for t in ("int4_asym", "nupes4")
        ),
        ({"power": 0.5}, "bitmod4 has no power"),
        ({"axis": 0}, "bitmod4 has no axis; it has scale_bits, refine, power"),
        *(
            ({"type": "nupes4", "power": p}, "power must be a number")
            for p in (0, -1, 4.1, math.nan, "0.5", True)
        ),
    ],
)
def test_wrong_options(options: dict, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.quantize(np.ones((2, 64)), **options)
    with pytest.raises(hw.InvalidInput, match="group must divide"):
        hw.quantize(np.ones(200))
