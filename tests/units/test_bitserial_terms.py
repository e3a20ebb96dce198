"""Terms of weights, and the generator of them: they sum up to the weight."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.formats.weights import weight_type
from hwarith.units.bitserial import definitions
from hwarith.units.bitserial.weights import (
    LEGAL_SPECIALS,
    LEGAL_WITH_SIGNED_T0,
    WEIGHTS,
    special_codes,
)
from tests.evidence import assert_rtl_equals_golden
from tests.units.test_bitserial import ACTS, integers


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("signed_t0", [False, True])
def test_terms_sum_up_to_every_weight(name: str, signed_t0: bool) -> None:
    w = WEIGHTS[name]
    specials = (0,)
    if w.floating:
        legal = LEGAL_WITH_SIGNED_T0 if signed_t0 else LEGAL_SPECIALS
        specials = tuple(s * x for x in legal for s in (1, -1))
    for special in specials:
        codes = np.arange(1 << w.bits)
        for code, value in zip(codes.tolist(), integers(name, codes, special), strict=True):
            total = 0
            for k in range(w.terms):
                term = w.term(code, int(special_codes(special, signed_t0)), k, signed_t0)
                magnitude = (term & 1) << (term >> 1 & 3) << (w.step * k)
                total += -magnitude if term >> 3 else magnitude
            assert total == value, (code, special)


def test_table_of_fp4_codes() -> None:
    halves = [definitions.half_units(magnitude) for magnitude in range(8)]
    assert halves == [0b00000, 0b00001, 0b00010, 0b00011, 0b00100, 0b00110, 0b01000, 0b01100]
    book = weight_type("bitmod4").codebooks[0]
    values = dict(zip(book.codes.tolist(), (2 * book.levels).tolist(), strict=True))
    codes = np.array(sorted(values))
    assert integers("fp4", codes, 10).tolist() == [values[c] for c in codes.tolist()]


def test_table_of_booth_digits() -> None:
    digits = {
        0: (0, 0, 0),
        7: (0, 0, 0),
        1: (0, 0, 1),
        2: (0, 0, 1),
        3: (0, 1, 1),
        4: (1, 1, 1),
        5: (1, 0, 1),
        6: (1, 0, 1),
    }
    for string, (sign, exp, man) in digits.items():
        expected = sign << 3 | exp << 1 | man
        for k in (1, 2, 3):
            place = 2 * k - 1
            for others in (0, (1 << place) - 1, 5 << place + 3):  # bits below and above
                assert definitions.booth_term(string << place | others, k) == expected
        if string % 2 == 0:  # below the lowest digit there is a zero
            assert definitions.booth_term(string >> 1, 0) == expected


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("int8", 4),
        ("int7", 4),
        ("int6", 3),
        ("int5", 3),
        ("int4", 2),
        ("int3", 2),
        ("fp4", 2),
        ("fp3", 2),
    ],
)
def test_clocks_of_a_group(name: str, terms: int) -> None:
    assert WEIGHTS[name].terms == terms
    assert WEIGHTS[name].clocks(128, 4) == 32 * terms
    u = hw.unit(f"bspe:type={name}")
    assert len(u.steps(ACTS, np.zeros(128, int))[0]) == 32 * terms


@pytest.mark.parametrize(
    "spec",
    [
        "termgen",
        "termgen:t0=signed",
        "termgen:type=int3",
        "termgen:type=int6",
        "termgen:type=int8",
        "termgen:type=fp3",
        "termgen:type=fp4,t0=signed",
    ],
)
def test_hardware_of_the_term_generator(spec: str) -> None:
    assert_rtl_equals_golden(spec, 1 << 17)  # every code, every special value


@pytest.mark.parametrize("name", ["int6", "fp4"])
def test_mixed_generator_gives_the_terms_of_each_type(name: str) -> None:
    w, mixed = WEIGHTS[name], hw.unit("termgen")
    codes = np.arange(1 << w.bits)
    wide = codes if w.floating else integers(name, codes) & 255
    own = hw.unit(f"termgen:type={name}")
    for k in range(w.terms):
        special = [42] if w.floating else []
        one = own(codes, *special, k)
        assert (mixed(wide, 42, int(w.floating), k).term == one.term).all()
        assert (one.bsig == w.step * k).all()
