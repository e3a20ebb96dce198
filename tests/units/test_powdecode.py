"""Decoder and encoder of the power-exponent code, against powers and the hardware against them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from tests.tiers import few
from tests.units.test_decode import assert_hardware_is_golden

POWERS = {
    "0.5": (0, 669, 2675, 6019, 10700, 16718, 24074, 32768),
    "0.55": (0, 953, 3359, 7021, 11846, 17773, 24759, 32768),
    "1": (0, 4681, 9362, 14043, 18725, 23406, 28087, 32768),
}


@pytest.mark.parametrize("a", POWERS)
def test_power_check_values(a: str) -> None:
    sm = hw.unit(f"powdecode:b=4,a={a}")
    signed = sm.results["y"].decode(sm(np.arange(16)))
    assert signed.tolist() == [*POWERS[a], *(-x for x in POWERS[a])]
    twos = hw.unit(f"powdecode:b=4,a={a},code=twos")
    signed = twos.results["y"].decode(twos(np.arange(-8, 8)))
    assert signed.tolist() == [-32768, *(-x for x in POWERS[a][:0:-1]), *POWERS[a]]


@pytest.mark.parametrize("b", range(2, 9))
@pytest.mark.parametrize("a", ["0.1", "0.5", "0.55", "0.73", "1", "1.25", "2"])
def test_every_power_is_the_nearest(a: str, b: int) -> None:
    """|2y - 2 (k/n)^(q/p) 2^15| <= 1, in integers."""
    p, q = Fraction(a).numerator, Fraction(a).denominator
    n = 2 ** (b - 1) - 1
    u = hw.unit(f"powdecode:b={b},a={a}")
    y = u(np.arange(n + 1))
    for k, entry in enumerate(y.tolist()):
        twice = k**q << 16 * p  # of the p-th power, with n^q below
        assert max(2 * entry - 1, 0) ** p * n**q <= twice <= (2 * entry + 1) ** p * n**q
    assert u.golden(n) == y[n] == 32768


@pytest.mark.parametrize("a", ["0.5", "0.63", "1"])
@pytest.mark.parametrize("b", [2, 4, 8])
def test_codes_without_a_sign_reach_twice_as_far(a: str, b: int) -> None:
    u, wider = hw.unit(f"powdecode:b={b},a={a},code=unsigned"), None
    y = u(np.arange(1 << b))
    exact = (np.arange(1 << b) / ((1 << b) - 1)) ** (1 / float(a)) * 32768
    assert np.abs(y - exact).max() <= 0.5 + 1e-6
    assert y[-1] == 32768
    if b < 8:
        wider = hw.unit(f"powdecode:b={b + 1},a={a}")
        assert (wider(np.arange(1 << b)) == y).all()


@pytest.mark.parametrize("code", ["unsigned", "sm", "twos"])
@pytest.mark.parametrize("a", ["0.5", "0.55", "1", "1.3"])
@pytest.mark.parametrize("b", [2, 4, 6])
def test_every_activation_has_the_nearest_code(b: int, a: str, code: str) -> None:
    u = hw.unit(f"powencode:b={b},a={a},code={code}")
    f = u.operands["x"]
    codes = f.codes() if b < 6 else f.codes()[::97]
    x, q = f.decode(codes).astype(float), u.results["q"].decode(u(codes)).astype(float)
    power = np.minimum(np.abs(x) / 32768, 1) ** float(a) * u.largest
    near = np.abs(power - np.floor(power) - 0.5) < 1e-9
    np.testing.assert_array_equal(np.abs(q)[~near], np.rint(power)[~near])
    assert (np.abs(q)[near] % 2 == 0).all()
    assert (q * np.sign(x) >= 0).all()
    assert code == "unsigned" or not (np.signbit(q) & (q == 0)).any()


@pytest.mark.parametrize("a", ["0.5", "0.55", "1"])
def test_codes_of_values_are_their_codes(a: str) -> None:
    for code in ("unsigned", "sm", "twos"):
        decoder = hw.unit(f"powdecode:a={a},code={code}")
        q = np.arange(16)[np.arange(16) != 8] if code != "unsigned" else np.arange(16)
        assert (hw.unit(f"powencode:a={a},code={code}")(decoder(q)) == q).all()


def test_products_of_codes_are_codes_of_products() -> None:
    """In the power domain: the inverse power of a product of codes is the product of values."""
    x, w = hw.unit("powdecode:code=unsigned"), hw.unit("powdecode:code=sm")
    k, q = np.arange(16)[:, None], np.arange(8)
    values = x(k).astype(float) * w(q) / 32768**2
    inverse = (k * q / (15 * 7)) ** (1 / 0.55)
    assert np.abs(values - inverse).max() < 2**-15


def test_activations_of_four_bits_are_as_the_quantizer_has_them() -> None:
    w = np.abs(np.random.default_rng(0).standard_normal((8, 128)))
    q = hw.quantize(w, "nupes4", group=128)
    x = np.rint(w / w.max(axis=1, keepdims=True) * 32768).astype(np.uint32)
    u = hw.unit(f"powencode:code=twos,a={round(q.power, 6)}")
    found = u.results["q"].decode(u(x))
    assert np.mean(np.abs(found) == np.abs(np.asarray(q.codes).astype(int) & 7)) > 0.999


def test_a_linear_power_code_is_sign_and_magnitude() -> None:
    """What the operand's format says of a code is the integer that is looked up."""
    for b in range(2, 9):
        f = hw.unit(f"powdecode:b={b}").operands["q"]
        half = 2 ** (b - 1)
        assert f.decode(f.codes()).tolist() == [*range(half), *range(0, -half, -1)]


POWER_SELECTION = [
    "powdecode",
    "powdecode:code=twos",
    "powdecode:b=2",
    "powdecode:b=2,code=twos,a=1",
    "powdecode:b=8,a=0.73,stages=2",
    "powdecode:b=8,code=twos",
    "powdecode:b=3,a=0.1,code=twos",
    "powencode",
    "powdecode:code=unsigned",
    "powencode:code=sm,stages=2",
    "powencode:b=5,a=0.73",
    "powencode:b=2,a=0.5,code=twos",
]


@pytest.mark.parametrize("spec", few(POWER_SELECTION, 3))
def test_power_hardware(spec: str) -> None:
    assert_hardware_is_golden(hw.unit(spec))


@pytest.mark.long
@pytest.mark.parametrize("code", ["sm", "twos"])
@pytest.mark.parametrize("b", range(2, 9))
@pytest.mark.parametrize("a", ["0.1", "0.5", "0.55", "1", "2"])
def test_power_hardware_of_every_width(a: str, b: int, code: str) -> None:
    assert_hardware_is_golden(hw.unit(f"powdecode:b={b},a={a},code={code}"))
