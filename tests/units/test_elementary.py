"""Elementary functions: published digests and vectors, mpmath, special values, tables, hardware."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.units.functions import power, store
from hwarith.units.functions.fit import AUTOMATIC, SHORT
from hwarith.units.functions.quadratics import Quadratics
from tests.digests import digest
from tests.tiers import few

DIGESTS = {  # of all codes, to nearest
    "exp2": ("581a0dbd19c1dc9d", "6c319b8ad56f1601"),
    "exp": ("3c4c43fcea32e4be", "608c213c696b69ed"),
    "log2": ("e736c5e84c7ba349", "25c28eb051f4f6fb"),
    "ln": ("f64b723b63f38ea2", "322c994520bd9cc2"),
    "sigmoid": ("68d3a27df0b8afcc", "a1c114a164cf529d"),
    "tanh": ("93b86a43386e0167", "fe29dbdff0de41fb"),
    "silu": ("8c728d8dcdf2cea3", "9920d6c12f34224c"),
    "softplus": ("1c0e28a2172cdffa", "21d17512052c1514"),
    "gelu": ("2347cc6b5a4ccb21", "6e527d1f66e760d1"),
    "gelu form=tanh": ("b24e0c18ef9312f8", "b960970d1fcb8595"),
    "erf": ("0393597ecba23075", "9bdc79d64641a2d7"),
}
FAMILIES = tuple(name for name in DIGESTS if " " not in name)


def unit_of(name: str, f: str, *more: str) -> hw.Unit:
    family, _, form = name.partition(" ")
    return hw.unit(f"{family}:" + ",".join([f"a={f}", *([form] if form else []), *more]))


def codes_of(u: hw.Unit) -> list[np.ndarray]:
    """All operand codes, each in all modes if these come on a port."""
    codes = u.operands["a"].codes()
    if "rm" not in u.operands:
        return [codes]
    return [x.ravel() for x in np.meshgrid(codes, np.arange(8, dtype=np.uint8), indexing="ij")]


@pytest.mark.long
@pytest.mark.parametrize("f", ["bf16", "fp16"])
@pytest.mark.parametrize("name", DIGESTS)
def test_published_digests(name: str, f: str) -> None:
    u = unit_of(name, f)
    assert digest(u(*codes_of(u))) == DIGESTS[name][f == "fp16"]


VECTORS = {  # fp16: operand and result
    "exp2": [(0x3800, 0x3DA8), (0x4248, 0x4869), (0xB800, 0x39A8), (0x11C5, 0x3C01)],
    "exp": [(0x1F79, 0x3C07)],
    "log2": [(0x4248, 0x3E9B), (0x0001, 0xCE00), (0x3489, 0xBF47)],
    "ln": [(0x305F, 0xBFF6)],
    "sigmoid": [(0x3C00, 0x39D9), (0xB800, 0x360A), (0x9000, 0x3800)],
    "tanh": [(0x3800, 0x3765), (0x2745, 0x2744)],
    "silu": [(0x0001, 0x0001), (0x8001, 0x8000)],
    "softplus": [(0x8430, 0x398B)],
    "gelu": [(0x3C00, 0x3ABB), (0xB800, 0xB0F0), (0x0001, 0x0001), (0x8001, 0x8000)],
    "gelu form=tanh": [(0x0001, 0x0001), (0x8001, 0x8000)],
    "erf": [(0x3661, 0x36D6)],
}


@pytest.mark.parametrize("name", VECTORS)
def test_published_vectors(name: str) -> None:
    """Ties that a second term breaks, results that are nearest to a midpoint, and others."""
    u = unit_of(name, "fp16")
    for code, y in VECTORS[name]:
        assert u.golden(code) == y, hex(code)


def test_hardest_operands_of_bf16() -> None:
    hardest = {
        "exp2": (0xBB39, 0x3F7F),
        "exp": (0x40DB, 0x446B),
        "log2": (0x1FA6, 0xC27E),
        "ln": (0x256C, 0xC210),
        "sigmoid": (0x3E69, 0x3F0E),
        "tanh": (0x3DB9, 0x3DB8),
        "silu": (0x0001, 0x0001),
        "softplus": (0xBC7A, 0x3F30),
        "erf": (0x004A, 0x0054),
    }
    for family, (code, y) in hardest.items():
        assert hw.unit(f"{family}:a=bf16").golden(code) == y


INF, MINUS_INF, NAN, SIGNALING, ONE = 0x7C00, 0xFC00, 0x7E00, 0x7C01, 0x3C00
SPECIAL = {  # fp16: of -infinity, -0, +0, +infinity, -1: the result and flags, or a result of bits
    "exp2": [(0, 0), (ONE, 0), (ONE, 0), (INF, 0), (0x3800, 0)],
    "exp": [(0, 0), (ONE, 0), (ONE, 0), (INF, 0), None],
    "log2": [(NAN, 16), (MINUS_INF, 8), (MINUS_INF, 8), (INF, 0), (NAN, 16)],
    "ln": [(NAN, 16), (MINUS_INF, 8), (MINUS_INF, 8), (INF, 0), (NAN, 16)],
    "sigmoid": [(0, 0), (0x3800, 0), (0x3800, 0), (ONE, 0), None],
    "tanh": [(0xBC00, 0), (0x8000, 0), (0, 0), (ONE, 0), None],
    "silu": [(0x8000, 0), (0x8000, 0), (0, 0), (INF, 0), None],
    "softplus": [(0, 0), (0x398C, 1), (0x398C, 1), (INF, 0), None],
    "gelu": [(0x8000, 0), (0x8000, 0), (0, 0), (INF, 0), None],
    "erf": [(0xBC00, 0), (0x8000, 0), (0, 0), (ONE, 0), None],
}


@pytest.mark.parametrize("family", SPECIAL)
def test_special_values(family: str) -> None:
    u = hw.unit(f"{family}:a=fp16,flags=after")
    for code, expected in zip((MINUS_INF, 0x8000, 0, INF, 0xBC00), SPECIAL[family], strict=True):
        if expected is not None:
            assert tuple(u.golden(code)) == expected, hex(code)
    assert tuple(u.golden(NAN)) == (NAN, 0)
    assert tuple(u.golden(SIGNALING)) == (NAN, 16)


def test_exact_results_raise_no_flags() -> None:
    """Powers of two of integers in range, and logarithms of powers of two, are exact; ties of the
    former below the range are broken to even."""
    f = hw.format("fp16")
    codes = f.codes()
    x = f.decode(codes).astype(float)
    exact = hw.unit("exp2:a=fp16,flags=after")(codes).flags == 0
    inexact = np.isfinite(x) & ((x != np.round(x)) | (x < -24) | (x > 15))
    assert (exact[np.isfinite(x)] == ~inexact[np.isfinite(x)]).all()
    flags = hw.unit("log2:a=fp16,flags=after")(codes).flags
    positive = np.isfinite(x) & (x > 0)
    assert ((flags == 0) == (np.frexp(x)[0] == 0.5))[positive].all()
    assert hw.unit("exp2:a=fp16").golden(0xCE40) == 0  # 2^-25


# -- mpmath ------------------------------------------------------------------------------------


def inner(x: mpmath.mpf) -> mpmath.mpf:
    """Twice what the hyperbolic tangent is taken of."""
    return mpmath.sqrt(8 / mpmath.pi) * (x + x**3 * mpmath.mpf(44715) / 10**6)


def logarithm_to_base_2(x: mpmath.mpf) -> mpmath.mpf:
    """Exact for powers of two."""
    m, n = mpmath.frexp(x)
    return mpmath.mpf(n - 1) if m == 0.5 else mpmath.log(x) / mpmath.log(2)


REFEREES = {
    "exp2": lambda x: mpmath.power(2, x),
    "exp": mpmath.exp,
    "log2": logarithm_to_base_2,
    "ln": mpmath.log,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "tanh": mpmath.tanh,
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "gelu": lambda x: x * mpmath.ncdf(x),
    "gelu form=tanh": lambda x: x / (1 + mpmath.exp(-inner(x))),
    "erf": mpmath.erf,
}


GELUS = ("gelu", "gelu form=tanh")


def exact_value(f: hw.Format, code: int) -> mpmath.mpf:
    x = f.fraction(code)
    return mpmath.mpf(x.numerator) / x.denominator


def referees_code(y: mpmath.mpf, f: hw.Format, mode: str) -> int:
    """A value that is no tie, rounded by its place among the magnitudes of a format."""
    n = f.numbers
    negative = mpmath.sign(y) < 0
    size = abs(y)
    if size == 0:
        return 0
    top = max(int(mpmath.floor(mpmath.log(size, 2))), n.emin)
    top += (size >= mpmath.mpf(2) ** (top + 1)) - (top > n.emin and size < mpmath.mpf(2) ** top)
    place = top - f.fraction_bits
    scaled = size / mpmath.mpf(2) ** place
    whole = int(mpmath.floor(scaled))
    rest = scaled - whole
    if mode == "rne":
        up = rest > 0.5 or (rest == 0.5 and whole & 1)
    else:
        up = rest > 0 and negative == (mode == "rdn")
    mag = whole + up + ((place - n.lsb) << f.fraction_bits)
    if mag > n.max_mag:
        saturated = (mode == "rup" and negative) or (mode == "rdn" and not negative)
        mag = n.max_mag if saturated else n.inf_mag
    return int(negative) << (f.bits - 1) | mag


def check_by_mpmath(name: str, f: hw.Format, mode: str, codes: np.ndarray) -> None:
    u = unit_of(name, f.name, f"round={mode}")
    found = np.asarray(u(codes)).tolist()
    for code, y in zip(codes.tolist(), found, strict=True):
        kind = code & f.numbers.mag_mask
        if kind == 0 or kind > f.numbers.max_mag:
            continue
        x = exact_value(f, code)
        far = 20 if name in ("erf", *GELUS) else 200
        if abs(x) > far and name not in ("log2", "ln"):
            if x > 0 and mode != "rne" and name in ("silu", "softplus", *GELUS):
                continue  # what lacks to x, or is beyond it, is beyond the referee
            if x < 0 or name not in ("silu", "softplus", *GELUS):
                x = far * mpmath.sign(x)  # as far beyond every result
        value = REFEREES[name](x) if name not in ("log2", "ln") or x > 0 else mpmath.nan
        if mpmath.isnan(value):
            continue
        assert y == referees_code(value, f, mode), (name, hex(code))


@pytest.mark.parametrize(
    ("name", "mode"), few([(name, m) for name in DIGESTS for m in ("rne", "rup", "rdn")], 4)
)
def test_mpmath_agrees_on_formats_of_8_bits(name: str, mode: str) -> None:
    with mpmath.workprec(1200):
        check_by_mpmath(name, hw.format("e5m2"), mode, hw.format("e5m2").codes())


@pytest.mark.long
@pytest.mark.parametrize("f", ["bf16", "fp16"])
@pytest.mark.parametrize("name", DIGESTS)
def test_mpmath_agrees_on_every_code(name: str, f: str) -> None:
    with mpmath.workprec(1200):
        check_by_mpmath(name, hw.format(f), "rne", hw.format(f).codes())


# -- tables ------------------------------------------------------------------------------------

PUBLISHED = {  # ROM bits of tables of degree 1 that were found before
    ("exp2", "bf16", "neighbours"): 128,
    ("exp2", "bf16", "nearest"): 1600,
    ("exp2", "fp16", "neighbours"): 416,
    ("exp2", "fp16", "nearest"): 17408,
    ("exp2", "fix9.16", "nearest"): 6912,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_tables_are_as_small_as_published_ones(name: tuple[str, str, str]) -> None:
    function, f, goal = name
    out = hw.format("bf16" if f.startswith("fix") else f)
    table = store.table(function, hw.format(f), out, goal)
    assert power.rom_bits(table) <= PUBLISHED[name]


def test_tables_of_a_given_shape() -> None:
    found = hw.unit("exp2:a=e5m2,degree=2,segments=2").approximation
    assert isinstance(found.rows, Quadratics)
    assert len(found.rows.c0) == 2
    found = hw.unit("exp:a=e4m3,accuracy=faithful,segments=4,guard=3").approximation
    assert (len(found.rows.c0), found.width) == (4, 6)
    with pytest.raises(InvalidInput, match="degree, segments, guard"):
        _ = hw.unit("exp2:a=e4m3,segments=1,guard=1").approximation


@pytest.mark.long
@pytest.mark.parametrize(
    ("spec", "segments", "bits"),
    [("exp2:a=bf16,accuracy=faithful", 2, 40), ("exp2:a=fp16,accuracy=faithful", 4, 120)],
)
def test_tables_of_degree_2_are_as_small_as_published_ones(
    spec: str, segments: int, bits: int
) -> None:
    """But for two bits of that of bf16, whose published one is not centred."""
    u = hw.unit(f"{spec},degree=2")
    assert len(u.approximation.rows.c0) == segments
    assert power.rom_bits(u.approximation) <= bits
    assert_hardware_is_golden(u)
    assert_faithful(u)


def shipped_again(name: str) -> None:
    function, a, out, goal, *delay = name.split(" ")
    of = (function, hw.format(a), hw.format(out), goal, SHORT if delay else AUTOMATIC)
    again = store.finder(function, goal).from_plain(store.found_anew(*of))
    assert again == store.table(*of)


def test_shipped_tables_are_those_of_the_search() -> None:
    for name in (
        "exp e5m2 e5m2 nearest",
        "log2 e4m3 e4m3 nearest",
        "exp2 e4m3fn e4m3fn neighbours",
    ):
        shipped_again(name)


@pytest.mark.long
@pytest.mark.parametrize("name", [x for x in store.shipped() if "minimax" not in x])
def test_every_shipped_table_is_found_again(name: str) -> None:
    shipped_again(name)


# -- hardware ----------------------------------------------------------------------------------

HARDWARE = [
    *(f"{family}:a=e4m3fn" for family in FAMILIES),
    *(f"{family}:a=e5m2,accuracy=faithful,flags=before" for family in FAMILIES),
    "gelu:a=e5m2,form=tanh,flags=after",
    "tanh:a=e4m3,round=rdn,flags=before",
    "exp:a=e5m2,out=e4m3fn,round=rup",
    "log2:a=e4m3,round=port,flags=after",
    "exp2:a=e4m3,round=port,flags=after",
    "silu:a=e4m3,round=port,flags=after",
    "exp2:a=fix8.8,out=fp16,flags=after",
    "exp2:a=bf16",
    "exp2:a=e5m2,degree=2",
    "exp:a=e4m3,accuracy=faithful,degree=2,flags=after",
]


def assert_hardware_is_golden(u: hw.Unit) -> None:
    codes = codes_of(u)
    expected, found = u(*codes), hw.simulate(u)(*codes)
    if not isinstance(expected, tuple):
        expected, found = (expected,), (found,)
    for x, y in zip(expected, found, strict=True):
        assert (x == y).all()


@pytest.mark.parametrize("spec", few(HARDWARE, 6))
def test_hardware_is_the_golden_model(spec: str) -> None:
    assert_hardware_is_golden(hw.unit(spec))


WIDE = [
    *(f"{family}:a={f}" for family in FAMILIES for f in ("bf16", "fp16")),
    *(f"{family}:a={f},accuracy=faithful" for family in FAMILIES for f in ("bf16", "fp16")),
    *(f"gelu:a={f},form=tanh" for f in ("bf16", "fp16")),
    *(f"sigmoid:a={f},accuracy=faithful,optimize=delay" for f in ("bf16", "fp16")),
    *(f"{family}:a=bf16,round=port,flags=after" for family in ("exp2", "exp", "log2")),
]


@pytest.mark.long
@pytest.mark.parametrize("spec", WIDE)
def test_hardware_on_every_code_of_16_bits(spec: str) -> None:
    """Correct ones give the value rounded once, faithful ones it or its other neighbour."""
    u = hw.unit(spec)
    assert_hardware_is_golden(u)
    if u.accuracy == "faithful":
        assert_faithful(u)


def assert_faithful(u: hw.Unit) -> None:
    codes = u.operands["a"].codes()
    y = np.asarray(u(codes))
    family, a = u.family, u.operands["a"].name
    down, up = (hw.unit(f"{family}:a={a},round={mode}")(codes) for mode in ("rdn", "rup"))
    assert ((y == down) | (y == up)).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_faithful_results_are_neighbours(family: str) -> None:
    assert_faithful(hw.unit(f"{family}:a=e4m3fn,accuracy=faithful"))


# -- powers of fixed point ---------------------------------------------------------------------


def fixed_codes(x: np.ndarray, f: hw.Format) -> np.ndarray:
    """Codes of numbers in signed fixed point."""
    return (np.round(x * 2.0**-f.exponent).astype(np.int64) & ((1 << f.bits) - 1)).astype(f.dtype)


def test_powers_of_fixed_point_are_those_of_floats() -> None:
    u, f = hw.unit("exp2:a=fix9.16,out=bf16,flags=after"), hw.format("bf16")
    codes = f.codes()
    x = f.decode(codes).astype(float)
    fits = np.isfinite(x) & (abs(x) < 256) & (x * 65536 == np.round(x * 65536))
    found = u(fixed_codes(x[fits], u.operands["a"]))
    expected = hw.unit("exp2:a=bf16,flags=after")(codes[fits])
    assert fits.sum() > 4000
    for y, z in zip(found, expected, strict=True):
        assert (y == z).all()
    assert u.golden(1 << 24)[0] == 0  # 2^-256
    assert u.golden((1 << 24) - 1)[0] == 0x7F80


def test_mpmath_agrees_on_powers_of_fixed_point() -> None:
    f = hw.format("bf16")
    codes = np.random.default_rng(5).integers(0, 1 << 25, 300).astype(np.uint32)
    found = hw.unit("exp2:a=fix9.16,out=bf16")(codes).tolist()
    with mpmath.workprec(200):
        for code, y in zip(codes.tolist(), found, strict=True):
            x = mpmath.mpf(code - ((code >> 24) << 25)) / 65536
            assert y == referees_code(mpmath.power(2, x), f, "rne"), hex(code)


@pytest.mark.long
@pytest.mark.parametrize("more", ["", ",accuracy=faithful"])
def test_hardware_on_every_code_of_fixed_point(more: str) -> None:
    u = hw.unit(f"exp2:a=fix9.16,out=bf16{more}")
    run = hw.simulate(u)
    for first in range(0, 1 << 25, 1 << 22):
        codes = np.arange(first, first + (1 << 22), dtype=np.uint32)
        assert (u(codes) == run(codes)).all()


def test_what_there_is_not() -> None:
    for spec, message in {
        "exp2:a=int8": "at most 32 bits",
        "exp2:a=fix9.16": "parameter out",
        "exp:a=fix9.16,out=bf16": "parameter a",
        "tanh:a=bf16,round=sra": "none at random",
        "ln:a=bf16,subnormals=flush": "parameter subnormals",
        "exp:a=bf16,out=ue4m3": "signed float",
        "sigmoid:a=bf16,optimize=delay": "parameter optimize",
        "sigmoid:a=e5m2,accuracy=faithful,optimize=delay": "parameter optimize",
        "sigmoid:a=fp32,optimize=delay": "parameter optimize",
    }.items():
        with pytest.raises(InvalidInput, match=message):
            hw.unit(spec)
    with pytest.raises(InvalidInput, match="elementary function"):
        hw.prove(hw.unit("exp2:a=e5m2"))
