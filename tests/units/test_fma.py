"""The fused multiply-add against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.flow.stimuli.families import stimulus
from hwarith.formats import ROUNDINGS
from tests import oracle
from tests.evidence import assert_golden, compared, every
from tests.tiers import few


def every_triple(f: hw.Format, first: slice = slice(None)) -> tuple[np.ndarray, ...]:
    """All codes of b and c for the codes of a in `first`."""
    grids = np.meshgrid(f.codes()[first], f.codes(), f.codes(), indexing="ij")
    return tuple(grid.ravel() for grid in grids)


def expected(a: np.ndarray, b: np.ndarray, c: np.ndarray, f: hw.Format, mode: str) -> np.ndarray:
    """Rounded exact results; of 8-bit formats they fit the 64 bits of an x86 long double."""
    assert np.finfo(np.longdouble).nmant >= 63
    x, y, z = (f.decode(v).astype(np.longdouble) for v in (a, b, c))
    with np.errstate(invalid="ignore"):
        product = x * y
        exact = product + z
    sign_product = np.signbit(x) ^ np.signbit(y)
    same_sign_zeros = (product == 0) & (z == 0) & (sign_product == np.signbit(z))
    zero_sign = np.where(same_sign_zeros, sign_product, mode == "rdn")
    return oracle.round_values(exact, f, mode, "nosat", zero_sign)


@pytest.mark.parametrize("mode", ROUNDINGS)
@pytest.mark.parametrize("name", ["e2m1fn", "e2m3fn", "e3m2fn"])
def test_every_triple_in_every_mode(name: str, mode: str) -> None:
    f = hw.format(name)
    triple = every_triple(f)
    u = hw.unit(f"fma:a={name},round={mode}")
    assert_golden(u, triple, expected(*triple, f, mode))


@pytest.mark.parametrize("name", ["e4m3fn", "e5m2"])
def test_some_first_factors(name: str) -> None:
    """All b and c for a few a; all of them in `test_every_triple_of_8_bits`."""
    f = hw.format(name)
    triple = every_triple(f, slice(3, None, 61))
    u = hw.unit(f"fma:a={name}")
    assert_golden(u, triple, expected(*triple, f, "rne"))


@pytest.mark.long
@pytest.mark.parametrize("name", ["e4m3fn", "e5m2", "e4m3", "e4m3fnuz"])
def test_every_triple_of_8_bits(name: str) -> None:
    f = hw.format(name)
    u = hw.unit(f"fma:a={name}")
    for first in range(0, 256, 16):
        triple = every_triple(f, slice(first, first + 16))
        assert_golden(u, triple, expected(*triple, f, "rne"))
    every(EXACT, u)


MIXED = (
    "fma:a=bf16,b=bf16,c=fp32,out=fp32",
    "fma:a=e4m3fn,b=e5m2,c=fp16,out=bf16",
    "fma:a=bf16",
    "fma:a=fp16",
    "fma:a=fp32",
    "fma:a=e4m3fn,c=fp32,out=e5m2",
    "fma:a=e2m1fn,b=e4m3fn,c=fp32,out=fp16",
    "fma:a=fp32,c=e4m3fn,out=e4m3fn",
)


def exact_result(u: hw.Unit, codes: tuple[int, ...]) -> int:
    """The rounded exact result, worked out with fractions."""
    out = u.out
    formats = u.operands.values()
    values = [f.decode(code).item() for f, code in zip(formats, codes, strict=True)]
    if not np.isfinite(values).all():
        with np.errstate(invalid="ignore"):
            special = np.float64(values[0]) * values[1]
            special = special + values[2] if len(values) == 3 else special
        if np.isnan(special):
            return oracle.nan(out)
        return oracle.infinity(int(special < 0), out) if out.infinity else oracle.nan(out)
    exact = [Fraction(v) for v in values]
    total = exact[0] * exact[1] + (exact[2] if len(exact) == 3 else 0)
    sign = int(np.signbit(values[0]) ^ np.signbit(values[1]))
    zeros = exact[0] * exact[1] == 0 and len(exact) == 3 and exact[2] == 0
    if len(exact) == 3 and not (zeros and sign == np.signbit(values[2])):
        sign = int(u.round == "rdn")
    return oracle.round_exact(total, out, u.round, u.overflow, sign)


@pytest.mark.parametrize("mode", ROUNDINGS)
@pytest.mark.parametrize("spec", few(MIXED, 3))
def test_corner_weighted_operands(spec: str, mode: str) -> None:
    u = hw.unit(f"{spec},round={mode}")
    operands = stimulus(u, 3000, seed=2)
    ours = u(*operands)
    for *codes, y in zip(*operands, ours, strict=True):
        assert y == exact_result(u, tuple(int(c) for c in codes)), [hex(c) for c in codes]
    compared(EXACT, ours.size, u, operands)


def test_rounding_twice_is_wrong_and_noticed() -> None:
    """1.5 * (1 + 3/128) lies halfway between two bf16 values; a tiny addend tips it up, but is
    lost where the sum is rounded to float64 first."""
    u = hw.unit("fma:a=bf16")
    f = u.out
    x, y, z = 1.5, 1 + 3 * 2.0**-7, 2.0**-100
    codes = tuple(int(f.encode(v)) for v in (x, y, z))
    assert u(*codes) == exact_result(u, codes)
    assert f.encode(x * y + z) == u(*codes) - 1
