"""Rotated pairs: a published digest, exact fractions, special values, and the hardware."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus
from tests import oracle
from tests.digests import digest, values_near_one
from tests.faults import faulty

SPECS = (
    "rope:a=e3m2",
    "rope:a=e5m2,w=e4m3,out=bf16,stages=2,round=rdn",
    "rope:a=e5m2,w=e4m3fnuz,out=e4m3",
)


def test_published_digest() -> None:
    """Calculated apart from this project, by numpy's float32 and by integers."""
    pairs = values_near_one(4 * 4096).reshape(4096, 4)
    y0, y1 = hw.unit("rope:a=bf16")(*pairs.T)
    assert digest(np.stack([y0, y1], axis=1)) == "c068239fdbe1f289"
    assert (pairs[0, 0], pairs[0, 1]) == (0x3F62, 0xBC13)
    x0, x1, c, s = pairs.T
    minus = hw.unit("mul:a=bf16")(x1, s) ^ 0x8000
    twice_rounded = hw.unit("fma:a=bf16")(x0, c, minus)
    assert (twice_rounded != y0).sum() == 801


@pytest.mark.parametrize("mode", ["rne", "rdn", "rtz"])
def test_results_are_rounded_once(mode: str) -> None:
    u = hw.unit(f"rope:a=e4m3,w=e3m2fn,out=e5m2,round={mode}")
    operands = [x[:400] for x in stimulus(u, 500, 3)]
    results = u(*operands)
    seen = 0
    for codes, y0, y1 in zip(
        zip(*(x.tolist() for x in operands), strict=True), *results, strict=True
    ):
        values = [f.decode_one(x) for f, x in zip(u.operands.values(), codes, strict=True)]
        if not all(isinstance(v, Fraction) for v in values):
            continue
        x0, x1, c, s = values
        for exact, y in ((x0 * c - x1 * s, y0), (x0 * s + x1 * c, y1)):
            if exact:
                assert y == oracle.round_exact(exact, u.out, mode, "nosat")
                seen += 1
    assert seen > 300


def test_special_values() -> None:
    u = hw.unit("rope:a=fp16")
    one, inf, zero, nan = (u.a.encode_one(x) for x in (1, float("inf"), 0, float("nan")))
    assert u.golden(one, one, one, one) == (zero, u.a.encode_one(2))
    assert u.golden(inf, one, one, zero) == (inf, nan)  # infinity times zero
    assert u.golden(inf, inf, one, one) == (nan, inf)  # infinities that cancel
    down = hw.unit("rope:a=fp16,round=rdn")
    assert down.golden(one, one, one, one)[0] == 0x8000


@pytest.mark.parametrize("spec", SPECS)
def test_hardware_equals_golden(spec: str) -> None:
    u = hw.unit(spec)
    operands = stimulus(u, 100_000, 1)
    for y, expected in zip(hw.simulate(u)(*operands), u(*operands), strict=True):
        assert (y == expected).all()


def test_a_sign_that_is_not_inverted_is_found() -> None:
    u = hw.unit(SPECS[0])
    operands = stimulus(u, 1000, 1)
    wrong = faulty(u, r"~x1_s_code\[", "x1_s_code[", most=9)
    assert (hw.simulate(u, wrong)(*operands).y0 != u(*operands).y0).any()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("rope:a=int8", "parameter a: must be a float with a sign, not int8"),
        ("rope:a=e4m3,out=ue4m3", "parameter out: must be a float with a sign"),
    ],
)
def test_refused(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(spec)
