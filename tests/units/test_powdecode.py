"""The decoder of the power-exponent code, against powers and the hardware against it."""

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
