"""The flag oracle against Berkeley SoftFloat, and on cases that people know."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
import softfloatpy as softfloat

import hwarith as hw
from hwarith.flow.stimuli.directed import directed
from tests.flag_oracle import NV, NX, OF, UF, of_operation, of_result, rounded
from tests.tiers import few
from tests.units.test_softfloat import METHODS, MODES, TYPES


def theirs(family: str, name: str, codes: tuple[int, ...]) -> int:
    size = hw.format(name).bits // 8
    numbers = [TYPES[name].from_bytes(code.to_bytes(size, "big")) for code in codes]
    softfloat.set_exception_flags(0)
    getattr(TYPES[name], METHODS[family])(*numbers)
    return int(softfloat.get_exception_flags())


@pytest.mark.parametrize("before", [False, True], ids=["after", "before"])
@pytest.mark.parametrize("mode", few(MODES, 3))
@pytest.mark.parametrize("name", ["fp16", "fp32"])
@pytest.mark.parametrize("family", ["mul", "add", "fma"])
def test_flags_are_those_of_softfloat(family: str, name: str, mode: str, before: bool) -> None:
    unit = hw.unit(f"{family}:a={name}")
    softfloat.set_rounding_mode(MODES[mode])
    modes = softfloat.TininessMode
    softfloat.set_tininess_mode(modes.BEFORE_ROUNDING if before else modes.AFTER_ROUNDING)
    seen = Counter()
    for columns in directed(unit, 600, seed=5).values():
        for codes in zip(*(x.tolist() for x in columns), strict=True):
            ours = of_operation(unit, codes, mode, before)
            assert ours == theirs(family, name, codes), [hex(code) for code in codes]
            seen[ours] += 1
    underflows = family != "add"  # sums below the smallest normal are exact
    assert set(seen) == {0, NX, NV, OF | NX} | ({UF | NX} if underflows else set())


def test_tininess_before_and_after_rounding() -> None:
    """A value less than half a step of fp16 below its smallest normal rounds up to it."""
    f = hw.format("fp16")
    x = f.smallest_normal - f.smallest / 8
    assert of_result(x, f, "rne", before=True) == UF | NX
    assert of_result(x, f, "rne") == NX
    assert of_result(x - f.smallest / 4, f, "rne") == UF | NX


def test_rounding_to_odd() -> None:
    for x, expected in ((Fraction(17, 4), 5), (Fraction(21, 4), 5), (Fraction(6), 6)):
        assert rounded(x, 3, None, "rto") == expected
        assert rounded(-x, 3, None, "rto") == -expected
