"""The special codes that the hardware is given, against those of the golden model, of which they
know nothing."""

from __future__ import annotations

from itertools import product

import pytest

from hwarith.formats import NAMED, ROUNDINGS, format, rounding
from hwarith.rtl.floats.directions import RM, STOCHASTICALLY
from hwarith.rtl.floats.specials import Specials
from hwarith.units.overflow import FLOAT_OVERFLOWS

FLOATS = [
    *(f for f in NAMED.values() if f.is_float),
    *(format(f"binary8p{p}{kind}") for p in range(1, 8) for kind in ("se", "sf", "ue", "uf")),
    *map(format, ("binary3p1se", "binary4p2uf", "e3m1fnuz", "e2m3fn", "e5m10fn", "e6m9")),
]
POLICIES = FLOAT_OVERFLOWS


@pytest.mark.parametrize("f", FLOATS, ids=str)
def test_special_codes(f) -> None:
    codes, n = Specials(f), f.numbers
    assert (codes.largest, codes.code_bits) == (n.max_mag, n.bits)
    assert codes.infinity == (n.inf_mag if f.infinity else None)
    assert codes.nan == (n.nan_code if f.nan != "none" else None)
    for policy in POLICIES:
        number = int(rounding.overflow(policy))
        for mode, s in product(ROUNDINGS, (0, 1)):
            expected = rounding.pack_overflow(s, n, int(rounding.rounding(mode)), number)
            assert codes.overflow(s, mode, policy) == expected, (mode, policy, s)
            assert codes.infinite(s, policy) == rounding.pack_infinity(s, n, number)
        if f.hidden_always:
            assert codes.zero(policy) == rounding.pack_zero(0, n, number)


def test_modes() -> None:
    assert {mode: int(rounding.rounding(mode)) for mode in ROUNDINGS} == RM
    assert STOCHASTICALLY == rounding.STOCHASTICALLY
