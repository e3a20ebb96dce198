"""Units of posits: published digests, exact fractions, and hardware against golden model."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from tests import posits
from tests.digests import digest, words
from tests.tiers import few
from tests.units.test_compare import PREDICATES as OF_FLOATS

Value = Fraction | None


@pytest.mark.parametrize(
    ("op", "of_posit8", "of_posit16"),
    [
        ("mul", "f2545ccc14582b72", "ab247c03fa47b16e"),
        ("add", "cb769cd22708759d", "037c11bb8b95a01b"),
    ],
)
def test_pairs(op: str, of_posit8: str, of_posit16: str) -> None:
    codes = hw.format("posit8").codes()
    assert digest(hw.unit(f"{op}:a=posit8")(codes[:, None], codes)) == of_posit8
    a, b = (words(200_000) >> 16).astype(np.uint16).reshape(-1, 2).T
    assert digest(hw.unit(f"{op}:a=posit16")(a, b)) == of_posit16


def test_triples() -> None:
    found = words(300_000) >> 16
    wide = found.astype(np.uint16).reshape(-1, 3).T
    assert digest(hw.unit("fma:a=posit16")(*wide)) == "853b4743e0be027c"
    narrow = (found & 255).astype(np.uint8).reshape(-1, 3).T
    assert digest(hw.unit("fma:a=posit8")(*narrow)) == "a029aec25a7c5d3f"


# -- exact fractions -----------------------------------------------------------------------------


def of_numbers(f: Callable[..., Value]) -> Callable[..., Value]:
    """A function of numbers that is NaR where an operand is."""
    return lambda *xs: None if None in xs else f(*xs)


OPERATIONS: dict[str, Callable[..., Value]] = {
    "mul": of_numbers(lambda a, b: a * b),
    "add": of_numbers(lambda a, b: a + b),
    "add:op=sub": of_numbers(lambda a, b: a - b),
    "div": of_numbers(lambda a, b: a / b if b else None),
}


@pytest.mark.parametrize(
    ("spec", "n", "es"),
    few([(op, n, es) for n, es in ((6, 2), (5, 0), (7, 1), (8, 2)) for op in OPERATIONS], 5),
)
def test_every_pair_against_fractions(spec: str, n: int, es: int) -> None:
    op, _, options = spec.partition(":")
    u = hw.unit(f"{op}:a=posit{n}e{es}{',' if options else ''}{options}")
    values = [posits.value(code, n, es) for code in range(1 << n)]
    expected = [[posits.code_of(OPERATIONS[spec](a, b), n, es) for b in values] for a in values]
    codes = u.a.codes()
    assert np.array_equal(u(codes[:, None], codes), np.array(expected))


def root(x: Fraction) -> Fraction:
    """The square root, or if it is no fraction one beside it, nearer than any number halfway
    between two posits of at most 16 bits."""
    scale = 1 << 600
    q = math.isqrt(x.numerator * scale * scale // x.denominator)
    exact = Fraction(q, scale) ** 2 == x
    return Fraction(q, scale) if exact else Fraction(2 * q + 1, 2 * scale)


UNARY: dict[str, Callable[..., Value]] = {
    "sqrt": of_numbers(lambda x: root(x) if x >= 0 else None),
    "recip": of_numbers(lambda x: 1 / x if x else None),
    "rsqrt": of_numbers(lambda x: 1 / root(x) if x > 0 else None),
}


@pytest.mark.parametrize("op", UNARY)
@pytest.mark.parametrize(("n", "es"), [(8, 2), (9, 0), (10, 1)])
def test_unary_operations_against_fractions(op: str, n: int, es: int) -> None:
    u = hw.unit(f"{op}:a=posit{n}e{es}")
    expected = [posits.code_of(UNARY[op](posits.value(c, n, es)), n, es) for c in range(1 << n)]
    assert u(u.a.codes()).tolist() == expected


@pytest.mark.parametrize(
    ("n", "es", "to", "to_es"), [(8, 2, 6, 1), (6, 2, 10, 0), (9, 0, 7, 3), (5, 4, 8, 2)]
)
def test_posits_become_others(n: int, es: int, to: int, to_es: int) -> None:
    u = hw.unit(f"convert:a=posit{n}e{es},out=posit{to}e{to_es}")
    expected = [posits.code_of(posits.value(c, n, es), to, to_es) for c in range(1 << n)]
    assert u(u.a.codes()).tolist() == expected


def test_floats_and_integers_become_posits() -> None:
    for name in ("e4m3fn", "e5m2", "int8", "uint8", "fix3.5"):
        u = hw.unit(f"convert:a={name},out=posit8")
        values = [u.a.decode_one(c) for c in range(1 << u.a.bits)]
        exact = [Fraction(x) if math.isfinite(x) else None for x in values]
        assert u(u.a.codes()).tolist() == [posits.code_of(x, 8, 2) for x in exact], name


@pytest.mark.parametrize("name", ["e4m3fn", "e5m2", "fp32", "int8", "uint4", "fix4.4"])
def test_posits_become_floats_and_integers(name: str) -> None:
    """The same as of their values, which `Format.encode` rounds; NaR becomes NaN, or as other NaN
    the largest integer."""
    u = hw.unit(f"convert:a=posit8,out={name}")
    policy = "nosat" if u.out.is_float else "saturate"
    codes = u.a.codes()
    expected = [
        int(u.out.encode_one(x if x is not None else math.nan, "rne", policy))
        for x in (posits.value(int(c), 8, 2) for c in codes)
    ]
    assert u(codes).tolist() == expected


@pytest.mark.parametrize(
    ("n", "es", "every"),
    [(4, 1, 1), (8, 2, 997), pytest.param(8, 2, 17, marks=pytest.mark.long),
     pytest.param(5, 2, 1, marks=pytest.mark.long)],
)  # fmt: skip
def test_multiply_adds_against_fractions(n: int, es: int, every: int) -> None:
    u = hw.unit(f"fma:a=posit{n}e{es}")
    values = [posits.value(code, n, es) for code in range(1 << n)]
    triples = list(itertools.islice(itertools.product(range(1 << n), repeat=3), 0, None, every))
    fused = of_numbers(lambda a, b, c: a * b + c)
    expected = [posits.code_of(fused(*(values[c] for c in t)), n, es) for t in triples]
    assert u(*np.array(triples, np.uint8).T).tolist() == expected


@pytest.mark.parametrize(
    ("spec", "n"),
    few([("mac:a=posit8", 8), ("mac:a=posit8,acc=posit16,out=posit16", 16)], 2),
)
def test_sums_step_by_step(spec: str, n: int) -> None:
    """Each step is rounded once, and one that has met NaR stays NaR."""
    u = hw.unit(spec)
    rng = np.random.default_rng(4)
    a, b = (rng.choice(f.codes(), (200, 5)) for f in u.operands.values())
    fused = of_numbers(lambda a, b, c: a * b + c)
    expected = []
    for group in zip(a.tolist(), b.tolist(), strict=True):
        acc = 0
        for pair in zip(*group, strict=True):
            factors = [posits.value(code, 8, 2) for code in pair]
            acc = posits.code_of(fused(*factors, posits.value(acc, n, 2)), n, 2)
        expected.append(acc)
    assert u(a, b).tolist() == expected
    assert (hw.simulate(u)(a, b) == u(a, b)).all()


def test_operands_of_several_formats() -> None:
    u = hw.unit("add:a=e4m3fn,b=posit6,out=posit7e1")
    a, b = u.a.codes(), u.b.codes()
    left = [Fraction(x) if math.isfinite(x := u.a.decode_one(int(c))) else None for c in a]
    right = [posits.value(int(c), 6, 2) for c in b]
    total = OPERATIONS["add"]
    expected = [[posits.code_of(total(x, y), 7, 1) for y in right] for x in left]
    assert np.array_equal(u(a[:, None], b), np.array(expected))


# -- comparisons ---------------------------------------------------------------------------------

PREDICATES = OF_FLOATS | {"unordered": lambda a, b: False}


def in_order(n: int, es: int) -> list[Fraction]:
    """The values of all codes, with one below all others for NaR."""
    values = [posits.value(code, n, es) for code in range(1 << n)]
    return [x if x is not None else Fraction(-(2**100)) for x in values]


@pytest.mark.parametrize("op", PREDICATES)
def test_comparisons(op: str) -> None:
    values, longer = in_order(6, 1), in_order(7, 1)
    for others, b in ((values, "posit6e1"), (longer, "posit7e1")):
        u = hw.unit(f"cmp:a=posit6e1,b={b},op={op}")
        expected = [[PREDICATES[op](x, y) for y in others] for x in values]
        assert np.array_equal(u(u.a.codes()[:, None], u.b.codes()), np.array(expected))


def test_minimum_and_maximum() -> None:
    values = in_order(6, 1)
    for op, which in (("min", min), ("max", max)):
        u = hw.unit(f"minmax:a=posit6e1,op={op}")
        codes = range(1 << 6)
        expected = [[which(a, b, key=values.__getitem__) for b in codes] for a in codes]
        assert np.array_equal(u(u.a.codes()[:, None], u.a.codes()), np.array(expected))
    relu = hw.unit("minmax:a=posit6e1,op=relu")
    assert relu(relu.a.codes()).tolist() == [*range(32), *[0] * 32]


# -- dot products --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "total", "code"),
    [
        ("posit16", 0x5582A337CC94D1E2874000000000000000000, 0x7FD3),
        ("posit8", 0x80000FED91DCADAFF0000, 0x7F),
    ],
)
def test_published_sums(name: str, total: int, code: int) -> None:
    """Those of the quire, in units of the least product, and rounded; pairs with NaR left out."""
    f = hw.format(name)
    pairs = (words(128) >> 16 & f.numbers.mag_mask * 2 + 1).astype(f.dtype).reshape(-1, 2)
    a, b = pairs[(pairs != f.numbers.nan_code).all(axis=1)].T
    sizes = f"a={name},n={len(a)}"
    exact = hw.unit(f"dot:{sizes},out=exact")
    y, invalid = exact(a, b)
    assert exact.results["y"].fraction(int(y)) / f.smallest**2 == total
    assert (int(invalid), int(hw.unit(f"dot:{sizes},c=none")(a, b))) == (0, code)


def test_sums_with_nar() -> None:
    a, b = (
        np.full((2, 4), 0x40, np.uint8),
        np.array([[0x40, 0x80, 0, 1], [0x40, 0, 0, 1]], np.uint8),
    )
    assert hw.unit("dot:a=posit8,n=4,c=none")(a, b).tolist() == [0x80, 0x40]
    assert hw.unit("dot:a=posit8,n=4,out=exact")(a, b).invalid.tolist() == [1, 0]


def sum_operands(u: hw.Unit, count: int) -> list[np.ndarray]:
    """Random codes, a third with small second factors, and two products that nearly cancel."""
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 1 << f.bits, (count, u.n), f.dtype) for f in (u.a, u.b))
    b[::3] &= 7
    a[::3, 1] = -a[::3, 0] & ((1 << u.a.bits) - 1)
    addend = [rng.integers(0, 1 << u.addend.bits, count, u.addend.dtype)] if u.addend else []
    return [a, b, *addend]


def number(f: hw.Format, code: int) -> Value:
    x = f.decode_one(code)
    return Fraction(x) if math.isfinite(x) else None


@pytest.mark.parametrize(
    "spec",
    ["dot:a=posit8,n=3", "dot:a=posit6e0,b=e4m3fn,c=none,out=posit8,n=2",
     "dot:a=int4,c=posit8,out=posit8,n=4"],
)  # fmt: skip
def test_sums_against_fractions(spec: str) -> None:
    u = hw.unit(spec)
    operands = sum_operands(u, 500)
    for a, b, *c, y in zip(*(x.tolist() for x in operands), u(*operands).tolist(), strict=True):
        terms = [number(f, x) for f, row in ((u.a, a), (u.b, b)) for x in row]
        terms += [number(u.addend, x) for x in c]
        exact = None
        if None not in terms:
            pairs = zip(terms[: u.n], terms[u.n : 2 * u.n], strict=True)
            exact = sum((p * q for p, q in pairs), sum(terms[2 * u.n :], Fraction(0)))
        assert y == posits.code_of(exact, u.out.bits, u.out.exponent_bits)


@pytest.mark.long
@pytest.mark.parametrize(
    "spec",
    ["dot:a=posit8,n=3", "dot:a=posit8,c=none,n=3",
     "dot:a=posit6e0,b=e4m3fn,c=posit8,out=posit8,n=2",
     "dot:a=e4m3fn,c=posit8,out=posit8,n=2", "dot:a=posit8,c=none,out=fp16,n=2",
     "dot:a=posit8,out=exact,n=2", "dot:a=posit16,n=2", "dot:a=posit8,c=fp16,out=fp16,n=2",
     "dot:a=int4,c=posit8,out=posit8,n=4", "dot:a=posit8,c=none,out=int8,n=2"],
)  # fmt: skip
def test_hardware_of_sums(spec: str) -> None:
    u = hw.unit(spec)
    operands = sum_operands(u, 20_000)
    found, expected = hw.simulate(u)(*operands), u(*operands)
    assert np.array_equal(np.asarray(found), np.asarray(expected))


# -- hardware ------------------------------------------------------------------------------------

SOON = "cmp:a=posit8,op=le", "mul:a=posit8", "fma:a=posit5e1", "convert:a=fp16,out=posit8"

ALL = (
    *("cmp:a=posit8", "cmp:a=posit8,op=eq", "cmp:a=posit8,b=posit6", "minmax:a=posit8,op=min"),
    *("minmax:a=posit8", "minmax:a=posit16,op=relu"),
    *("add:a=posit8", "add:a=posit8,op=port", "add:a=posit10", "add:a=posit8,out=e4m3fn"),
    *("add:a=e5m2,out=posit8", "add:a=e4m3fn,b=posit8,out=posit6e4"),
    *("add:a=int6,b=posit8,out=posit8", "add:a=posit3,b=posit4e0,out=posit3e0", "mul:a=posit9e0"),
    *("mul:a=posit3e4,b=posit4e4,out=posit4e4", "mul:a=e4m3fn,b=posit8,out=posit8"),
    *("mul:a=e4m3fn,out=posit8", "mul:a=posit8,out=fp16", "mul:a=posit8,out=int8"),
    *("mul:a=int6,b=posit8,out=posit8", "mul:a=fp16,b=posit3,out=posit8,subnormals=daz"),
    "fma:a=e3m2fn,b=e2m1fn,c=posit6,out=posit6e0",
    "fma:a=posit5e0,b=posit5e3,c=e3m2,out=posit7e1",
    *("div:a=posit8", "div:a=posit8,radix=4,clocks=4"),
    *("recip:a=posit16", "rsqrt:a=posit8", "sqrt:a=posit8", "sqrt:a=posit16"),
    *("sqrt:a=posit8,clocks=5", "convert:a=posit16,out=fp16", "convert:a=posit16,out=int8"),
    *("convert:a=posit16,out=bf16", "convert:a=posit16,out=e4m3fn", "convert:a=bf16,out=posit8e0"),
    *("convert:a=int16,out=posit16", "convert:a=posit16,out=posit8"),
    "convert:a=posit8,out=posit9e4",
)


def pairs_of(u: hw.Unit) -> list[np.ndarray]:
    """All operands, of up to 20 bits in sum."""
    grid = np.meshgrid(*(f.codes() for f in u.operands.values()), indexing="ij")
    return [x.ravel() for x in grid]


@pytest.mark.parametrize(
    "spec", [*SOON, *(pytest.param(spec, marks=pytest.mark.long) for spec in ALL)]
)
def test_hardware_on_all_operands(spec: str) -> None:
    u = hw.unit(spec)
    codes = pairs_of(u)
    assert np.array_equal(hw.simulate(u)(*codes), u(*codes))


@pytest.mark.long
@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("op", ["mul", "add", "fma", "div", "sqrt"])
def test_hardware_on_a_million(op: str, bits: int) -> None:
    u = hw.unit(f"{op}:a=posit{bits}")
    rng = np.random.default_rng(bits)
    a, *others = (rng.integers(0, 1 << bits, 1_000_000, u.a.dtype) for _ in u.operands)
    if op in ("add", "fma"):  # one half nearly cancels, or takes up where the other ends
        others[-1][::2] = -a[::2] + rng.integers(-8, 8, 500_000, endpoint=True).astype(u.a.dtype)
    assert np.array_equal(hw.simulate(u)(a, *others), u(a, *others))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mul:a=posit8,round=rtz", "round: posits as posit8 are rounded to the nearest code"),
        ("mul:a=posit8,round=port", "round: posits as posit8 are rounded to the nearest code"),
        ("add:a=posit8,overflow=saturate", "overflow: posits as posit8 have no overflow"),
        ("fma:a=posit8,flags=after", "flags: posits as posit8 have no exception flags"),
        ("mul:a=posit8,nan=payload", "nan: posits as posit8 have one NaN, NaR; allowed: canonical"),
        ("mul:a=posit8,subnormals=daz", "subnormals: posits have none; allowed: keep"),
        ("mul:a=fp16,b=posit8,out=posit8,subnormals=ftz", "posits have none; allowed: keep, daz"),
        ("div:a=posit8,by_zero=inf", "by_zero: posit8 has no infinity; allowed: nan"),
        ("cmp:a=posit8,b=fp16", "posit8 is compared with posits of 2 exponent bits, not with fp16"),
        ("cmp:a=fp16,b=posit8", "posit8 is compared with posits of 2 exponent bits, not with fp16"),
        ("cmp:a=posit8,b=posit8e1", "with posits of 2 exponent bits, not with posit8e1"),
        ("cmp:a=posit8,flags=on", "flags: NaR of posit8 is ordered; allowed: off"),
        ("minmax:a=posit8,nan=number", "nan: NaR of posit8 is ordered as a number"),
        ("minmax:a=posit8,by=magnitude", "is for min and max of signed floats, not for max of"),
        ("dot:a=posit8,acc=seq", "dot: sums with posit8 are exact ones without scales; allowed"),
        (
            "dot:a=posit8,round=rup",
            "dot: parameter round: posits as posit8 are rounded to the near",
        ),
        ("kulisch:a=posit8", "parameter a: takes no posits, not posit8; allowed: floats and int"),
    ],
)
def test_what_does_not_apply(spec: str, message: str) -> None:
    with pytest.raises(hw.HwarithError, match=message):
        hw.unit(spec)


def test_flags_of_floats_that_are_made_of_posits() -> None:
    """NaR is a quiet NaN, and to a float the rounding is as inexact as any."""
    u = hw.unit("convert:a=posit16,out=e4m3fn,flags=after")
    y, flags = u(np.array([0x8000, 0x4000, 0x4001, 0x7FFF], np.uint16))
    assert y.tolist() == [0x7F, 0x38, 0x38, 0x7F]
    assert flags.tolist() == [0, 0, 1, 5]
