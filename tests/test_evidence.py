"""What the tests say of themselves: comparisons counted, and reasons of what is left out."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT, HARDWARE, SOFTFLOAT
from tests import evidence

U = hw.unit("cmp:a=e2m1fn")
CODES = np.arange(16, dtype=np.uint8)


def test_comparisons_are_counted_and_differences_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hw, "simulate", lambda u: u)
    evidence.assert_equal_on(U, CODES[:, None], CODES)
    assert {(HARDWARE, U.spec, True): 256} == evidence.COMPARED
    evidence.COMPARED.clear()

    monkeypatch.setattr(hw, "simulate", lambda u: lambda a, b: u(a, b) ^ ((a == 5) & (b == 3)))
    with pytest.raises(
        AssertionError, match=r"1 of 256 differ, first \['0x5', '0x3', '0x0', '0x1'\]"
    ):
        evidence.assert_equal_on(U, CODES[:, None], CODES)


def test_what_ends_a_run() -> None:
    said = evidence.summary(
        Counter({SOFTFLOAT: 1_500, EXACT: 20}),
        [
            "no sta (Debian: apt install opensta)",
            "no model",
            "no sta (Debian: apt install opensta)",
        ],
    )
    assert said == [
        "compared 1,500 results of golden model with Berkeley SoftFloat",
        "compared 20 results of golden model with exact arithmetic",
        "not checked, 1 test: no model",
        "not checked, 2 tests: no sta (Debian: apt install opensta)",
    ]
