"""L-Mul against the check values of its specification and against its written definition."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

import hwarith as hw
from hwarith.units.logarithmic.lmul import l_of


def lcg_operands(f: hw.Format) -> tuple[np.ndarray, np.ndarray]:
    """100000 pairs from the 64-bit generator of the specification's digests."""
    state, words = 1, []
    for _ in range(200_000):
        state = (6364136223846793005 * state + 1442695040888963407) % 2**64
        words.append((state >> 32) >> (32 - f.bits))
    return np.array(words[::2], f.dtype), np.array(words[1::2], f.dtype)


def digest(codes: np.ndarray) -> str:
    little_endian = codes.astype(codes.dtype.newbyteorder("<"))
    return hashlib.sha256(little_endian.tobytes()).hexdigest()[:16]


def every_pair(f: hw.Format) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat(f.codes(), 1 << f.bits), np.tile(f.codes(), 1 << f.bits)


def test_stimulus_is_the_specified_one() -> None:
    a, b = lcg_operands(hw.format("bf16"))
    assert (a[0], b[0]) == (0x6C57, 0x8268)
    a, b = lcg_operands(hw.format("fp32"))
    assert (a[0], b[0]) == (0x6C576FAC, 0x826886B3)


def test_digest_of_e4m3fn() -> None:
    u = hw.unit("lmul:format=e4m3fn")
    assert digest(u(*every_pair(u.format))) == "a0378b7dd2d2095a"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("lmul:format=bf16", "db546a8d6d6c5ec8"),
        ("lmul:format=bf16,k=3,krnd=trunc", "ce1871b972f23b57"),
    ],
)
def test_digest_of_bf16(spec: str, expected: str) -> None:
    u = hw.unit(spec)
    a, b = lcg_operands(u.format)
    assert digest(u(a, b)) == expected
    assert digest(hw.unit("lmul:format=bf16,k=5")(a, b)) != expected


@pytest.mark.parametrize(
    ("spec", "a", "b", "y"),
    [
        ("lmul:format=bf16", 0x3F80, 0x3F80, 0x3F88),
        ("lmul:format=bf16", 0x3FC0, 0x3FC0, 0x4008),
        ("lmul:format=bf16,k=3", 0x3FC0, 0x3FC0, 0x4010),
        ("lmul:format=bf16,k=4", 0x3FC0, 0x3FC0, 0x4010),
        ("lmul:format=bf16", 0x4040, 0xC020, 0xC0E8),
        ("lmul:format=bf16,k=3", 0x4040, 0xC020, 0xC0F0),
        ("lmul:format=bf16,k=4", 0x4040, 0xC020, 0xC0F0),
        ("lmul:format=bf16", 0x3FFF, 0x3FFF, 0x4086),
        ("lmul:format=bf16,k=3", 0x3FFF, 0x3FFF, 0x4070),
        ("lmul:format=bf16,k=4", 0x3FFF, 0x3FFF, 0x4080),
        ("lmul:format=bf16", 0x3DCC, 0x3E4C, 0x3CA0),
        ("lmul:format=bf16,k=3", 0x3DCC, 0x3E4C, 0x3C90),
        ("lmul:format=fp32", 0x3FC00000, 0x3FC00000, 0x40080000),
        ("lmul:format=fp32", 0x40490FDB, 0x402DF854, 0x40FF082F),
        ("lmul:format=e4m3fn", 0x38, 0x38, 0x39),
        ("lmul:format=e4m3fn", 0x3C, 0x3C, 0x41),
        ("lmul:format=e4m3fn", 0x08, 0x38, 0x09),
        ("lmul:format=e4m3fn", 0x08, 0x30, 0x00),
        ("lmul:format=e4m3fn", 0x01, 0x7E, 0x00),
        ("lmul:format=e4m3fn", 0x7E, 0x38, 0x7E),
        ("lmul:format=e4m3fn", 0x7F, 0x00, 0x7F),
        ("lmul:format=e4m3fn", 0xB9, 0x45, 0xC7),
    ],
)
def test_vectors(spec: str, a: int, b: int, y: int) -> None:
    assert hw.unit(spec)(a, b) == y


@pytest.mark.parametrize(
    ("name", "constant"),
    [("e4m3fn", 0x37), ("e5m2", 0x3B), ("fp16", 0x3BC0), ("bf16", 0x3F78), ("fp32", 0x3F780000)],
)
def test_offset_constants(name: str, constant: int) -> None:
    """C of the specification's table: T = a + b - C."""
    u = hw.unit(f"lmul:format={name}")
    assert (u.format.bias << u.format.fraction_bits) - u.ofs == constant


# Full-precision operands, all fraction pairs: mean, RMS, least and greatest relative error in %
STATISTICS = {
    "e5m2": (14.674, 15.341, 6.667, 25.0),
    "e4m3fn": (4.930, 6.024, -3.030, 12.5),
    "bf16": (0.409, 3.096, -7.288, 6.25),
    "fp16": (0.408, 3.095, -7.288, 6.25),
}


@pytest.mark.parametrize("name", STATISTICS)
def test_error_statistics(name: str) -> None:
    u = hw.unit(f"lmul:format={name}")
    f = u.format
    binade = np.arange(1 << f.fraction_bits, dtype=f.dtype) + f.dtype.type(
        f.bias << f.fraction_bits
    )
    a, b = binade[:, None], binade[None, :]
    exact = f.decode(a) * f.decode(b)
    error = 100 * (f.decode(u(a, b)) / exact - 1)
    measured = (error.mean(), np.sqrt((error**2).mean()), error.min(), error.max())
    np.testing.assert_allclose(measured, STATISTICS[name], atol=6e-4)


# 11-bit operand grid over [1,2)^2: MSE, RMS and greatest relative error in %
GRID = {
    (3, "trunc"): (0.01750, 5.94, 17.9),
    (4, "trunc"): (0.00649, 3.59, 12.5),
    (5, "trunc"): (0.00596, 3.57, 11.1),
    (6, "trunc"): (0.00476, 3.13, 9.2),
    (7, "trunc"): (0.00470, 3.06, 8.2),
    (3, "rne"): (0.02842, 6.94, 21.7),
    (4, "rne"): (0.02174, 6.12, 17.4),
    (5, "rne"): (0.00546, 3.23, 9.2),
}


@pytest.mark.parametrize(("k", "krnd"), GRID)
def test_reduced_operands_on_the_grid(k: int, krnd: str) -> None:
    u = hw.unit(f"lmul:format=e8m11,k={k},krnd={krnd}")
    f = u.format
    grid = np.arange(1 << 11, dtype=f.dtype) + f.dtype.type(f.bias << f.fraction_bits)
    a, b = grid[:, None], grid[None, :]
    exact = f.decode(a) * f.decode(b)
    error = f.decode(u(a, b)) - exact
    relative = error / exact
    mse, rms, worst = GRID[k, krnd]
    assert (error**2).mean() == pytest.approx(mse, abs=1e-5)
    assert 100 * np.sqrt((relative**2).mean()) == pytest.approx(rms, abs=6e-3)
    assert 100 * np.abs(relative).max() == pytest.approx(worst, abs=6e-2)


@pytest.mark.parametrize("name", ["e4m3fn", "e5m2", "bf16", "fp16"])
@pytest.mark.parametrize("krnd", ["trunc", "rne"])
def test_contract_bound_holds(name: str, krnd: str) -> None:
    f = hw.format(name)
    for k in range(1, f.fraction_bits + 1):
        u = hw.unit(f"lmul:format={name},k={k},krnd={krnd}")
        low, high = (
            float(text.split()[0])
            for text in u.contract.bound.removeprefix("relative error ").split(" to ")
        )
        binade = np.arange(1 << f.fraction_bits, dtype=f.dtype) + f.dtype.type(
            f.bias << f.fraction_bits
        )
        a, b = binade[:, None], binade[None, :]
        error = 100 * (f.decode(u(a, b)) / (f.decode(a) * f.decode(b)) - 1)
        assert low - 0.01 <= error.min()
        assert error.max() <= high + 0.01


@pytest.mark.parametrize("name", ["e5m2", "bf16", "fp16"])
def test_special_values(name: str) -> None:
    f = hw.format(name)
    u = hw.unit(f"lmul:format={name}")
    n = f.numbers
    sign = 1 << (f.bits - 1)
    one, subnormal, inf, nan = f.bias << f.fraction_bits, 1, n.inf_mag, n.nan_code
    assert u(inf, one | sign) == inf | sign
    for nothing in (0, subnormal, sign):
        assert u(inf, nothing) == nan
        assert u(nothing, one | sign) == (nothing & sign) ^ sign
    assert u(inf + 1, inf) == nan
    assert u(n.max_mag, n.max_mag) == inf
    assert hw.unit(f"lmul:format={name},sat=1")(n.max_mag, n.max_mag | sign) == n.max_mag | sign
    assert hw.unit(f"lmul:format={name},zero_pos=1")(sign, one) == 0


def test_overflow_without_infinity() -> None:
    assert hw.unit("lmul:format=e4m3fn")(0x7E, 0xFE) == 0xFE
    assert hw.unit("lmul:format=e4m3fn,sat=0")(0x7E, 0xFE) == 0x7F


@pytest.mark.parametrize("name", ["e5m2", "e4m3fn", "bf16"])
def test_without_special_values_the_top_binade_is_one_like_others(name: str) -> None:
    u, full = hw.unit(f"lmul:format={name},specials=none"), hw.unit(f"lmul:format={name},sat=1")
    f = u.format
    a, b = every_pair(f) if f.bits == 8 else lcg_operands(f)
    finite = ~(np.isnan(f.decode(a)) | np.isnan(f.decode(b)))
    finite &= np.isfinite(f.decode(a)) & np.isfinite(f.decode(b))
    np.testing.assert_array_equal(u(a, b)[finite], full(a, b)[finite])
    top, one = (1 << (f.bits - 1)) - 1, f.bias << f.fraction_bits
    quarter = one - (2 << f.fraction_bits)
    assert u(top, one) == f.numbers.max_mag
    assert u(top, quarter) == top - (2 << f.fraction_bits) + u.ofs
    assert u(top, 0) == 0


def test_l_of_k() -> None:
    assert [l_of(k) for k in range(1, 8)] == [1, 2, 3, 3, 4, 4, 4]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("lmul:format=bf16,k=8", "lmul: parameter k: must be 1 to 7 for bf16, not 8"),
        ("lmul:format=bf16,k=0", "lmul: parameter k: must be 1 or more, not 0"),
        ("lmul:format=bf16,k=x", "lmul: parameter k: must be an integer"),
        ("lmul:krnd=up", "lmul: parameter krnd: unknown value 'up'"),
        ("lmul:format=int8", "must be a signed float with a fraction, not int8"),
        ("lmul:format=e8m0fnu", "must be a signed float with a fraction, not e8m0fnu"),
        ("lmul:format=e5m2,ofs=128", "lmul: parameter ofs: must be 0 to 127 for e5m2, not 128"),
        ("lmul:sat=2", "lmul: parameter sat: must be 0 to 1, not 2"),
        ("lmul:specials=none,sat=0", "lmul: parameter sat: must be 1 with specials=none, not 0"),
    ],
)
def test_wrong_parameters(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(spec)
