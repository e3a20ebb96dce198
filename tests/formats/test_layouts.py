"""The scaling law of training in floats: published splits, and where more tokens harm."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

import hwarith as hw
from hwarith.formats.layouts import ScalingLaw, precision

LAW = ScalingLaw(n=60.0, d=2e4, alpha=0.23, beta=0.45, gamma=1e4, eps=1.9)


@pytest.mark.parametrize(
    ("bits", "name", "exact"),
    [
        (4, "E2M1", (1.58, 1.42)),
        (6, "E3M2", None),
        (8, "E4M3", (3.66, 3.34)),
        (16, "E8M7", (7.81, 7.19)),
    ],
)
def test_published_splits(bits: int, name: str, exact: tuple[float, float] | None) -> None:
    layout = hw.float_layout(bits)
    assert layout.name == name
    if exact:
        assert (layout.exact_exponent, layout.exact_fraction) == pytest.approx(exact, abs=0.01)
    assert layout.exact_exponent + layout.exact_fraction == pytest.approx(bits - 1)
    e, m = layout.exact_exponent, layout.exact_fraction
    nearby = [precision(e + x, m - x) for x in (-0.01, 0, 0.01)]
    assert max(nearby) == nearby[1]


def test_loss() -> None:
    """The loss is least at the critical number of tokens, and with the best split."""
    best = LAW.critical_tokens(1e9, 32, 4, 3)
    losses = [LAW.loss(1e9, t, 32, 4, 3) for t in (0.97 * best, best, 1.03 * best)]
    assert min(losses) == losses[1]
    usual = LAW.n / 1e9**LAW.alpha + LAW.d / best**LAW.beta + LAW.eps
    assert losses[1] - usual == pytest.approx(LAW.d / best**LAW.beta)  # where they are equal
    assert LAW.loss(1e9, best, 1, 4, 3) == usual
    splits = {e: LAW.loss(1e9, 1e12, 128, e, 7 - e) for e in range(1, 8)}
    assert min(splits, key=lambda e: splits[e]) == hw.float_layout(8).exponent == 4
    assert LAW.critical_tokens(1e9, 1, 4, 3) == math.inf
    assert LAW.critical_tokens(1e9, 128, 4, 3) < best


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hw.float_layout(2), "bits must be an integer from 3 to 64, not 2"),
        (lambda: hw.float_layout(8.0), "bits must be an integer from 3 to 64, not 8.0"),
        (lambda: hw.float_layout(8, nu=0), "nu must be a positive number, not 0"),
        (lambda: ScalingLaw(1, 1, 1, -1, 1), "beta must be a positive number, not -1"),
        (lambda: LAW.loss(0, 1, 1, 1, 1), "parameters must be a positive number, not 0"),
        (lambda: LAW.loss(1, 1, 0.5, 1, 1), "block must be at least 1, not 0.5"),
        (lambda: LAW.critical_tokens(math.nan, 2, 1, 1), "parameters must be a positive number"),
    ],
)
def test_mistakes(call: Any, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        call()
