"""Closed forms, crossovers and counts of gates of arXiv 2510.25602, by what it prints."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore.blocks import (
    CELLS,
    beyond_symmetric,
    crest_factor,
    crossover,
    expected_qsnr,
    lane_gates,
    normal_errors,
    normal_qsnr,
    qsnr,
)

PAIRS = (("mxint8", "mxfp8_e4m3"), ("mxint6", "mxfp6_e2m3"), ("mxint4", "mxfp4"))


@pytest.mark.parametrize(
    ("pair", "crest", "db"),
    [
        (PAIRS[0], 7.546, 31.86),
        (PAIRS[1], 1.959, 31.54),
        (PAIRS[2], 2.042, 19.14),
        (("nvint4", "nvfp4"), 2.391, 21.14),
    ],
)
def test_crossovers(pair: tuple[str, str], crest: float, db: float) -> None:
    found = crossover(*pair)
    assert found.crest == pytest.approx(crest, abs=0.005)
    assert found.qsnr == pytest.approx(db, abs=0.01)
    assert expected_qsnr(pair[0], crest - 0.1) > expected_qsnr(pair[1], crest - 0.1)
    assert expected_qsnr(pair[0], crest + 0.1) < expected_qsnr(pair[1], crest + 0.1)


def test_crossovers_with_the_range_that_integers_have() -> None:
    found = [crossover(*pair, exact_range=True).crest for pair in PAIRS]
    found.append(crossover("nvint4", "nvfp4", rho=1, exact_range=True).crest)
    assert found == pytest.approx([7.48, 1.89, 1.73, 2.22], abs=0.01)
    unrounded = crossover("nvint4", "nvfp4", rho=1)
    assert tuple(unrounded) == pytest.approx((2.464, 21.31), abs=0.005)


@pytest.mark.parametrize(
    ("name", "rho", "db"),
    [
        ("mxint8", 1.5, 39.88),
        ("mxfp8_e4m3", 1.5, 31.86),
        ("mxint6", 1.5, 27.84),
        ("mxfp6_e2m3", 1.5, 30.81),
        ("mxint4", 1.5, 15.80),
        ("mxfp4", 1.5, 18.00),
        ("nvint4", 1.0, 19.60),
    ],
)
def test_points_of_theory(name: str, rho: float, db: float) -> None:
    assert expected_qsnr(name, 3, rho) == pytest.approx(db, abs=0.02)


def test_floats_with_room_err_by_their_precision_alone() -> None:
    """13.80 + 6.02 M."""
    for name, db in (("mxfp8_e4m3", 31.86), ("mxfp6_e2m3", 31.86), ("mxfp4", 19.82)):
        assert expected_qsnr(name, 1, 1e-6) == pytest.approx(db, abs=0.01)


def test_theory_is_near_what_is_measured() -> None:
    """At the crest factor that blocks of normal numbers have."""
    for name in ("mxfp8_e4m3", "mxfp6_e2m3", "mxfp4", "mxint8", "mxint6", "nvint4", "nvfp4"):
        crest = 2.110 if name.startswith("nv") else 2.366
        assert normal_qsnr(name, blocks=128) == pytest.approx(expected_qsnr(name, crest), abs=1.2)


@pytest.mark.parametrize(
    ("rule", "stochastic", "square", "misaligned"),
    [("quartet", False, 1.366e-2, 9.4e-3), ("quartet", True, 2.777e-2, 0.0)],
)
def test_errors_of_quartet(rule: str, stochastic: bool, square: float, misaligned: float) -> None:
    found = normal_errors(rule, stochastic)
    assert found.square == pytest.approx(square, rel=0.01)
    assert found.misalignment == pytest.approx(misaligned, abs=5e-4)


@pytest.mark.parametrize(
    ("name", "percent", "within"), [("bf16", 16.85, 0.1), ("fp16", 0.015, 0.01)]
)
def test_integers_beyond_the_symmetric_range(name: str, percent: float, within: float) -> None:
    assert 100 * beyond_symmetric(name) == pytest.approx(percent, abs=within)


def test_none_beyond_it_in_fp32() -> None:
    assert beyond_symmetric("fp32") == 0


GATES = {
    "mxfp8_e4m3": (16, 24, 4, 4, 4, 110.04, 3.44),
    "mxint8": (64, 16, 0, 0, 0, 0, 0),
    "mxfp6_e2m3": (16, 14, 2, 2, 2, 53.3, 1.67),
    "mxint6": (36, 12, 0, 0, 0, 0, 0),
    "mxfp4": (4, 10, 2, 2, 2, 33.2, 1.04),
    "mxint4": (16, 8, 0, 0, 0, 0, 0),
    "nvfp4": (4, 10, 2, 2, 2, 33.2, 2.08),
    "nvint4": (16, 8, 0, 0, 0, 0, 0),
}


@pytest.mark.parametrize("name", GATES)
def test_gates_of_a_lane(name: str) -> None:
    digits = 2 if name == "mxfp8_e4m3" else 1
    *few, aligner, normalizer = lane_gates(name)
    assert (*few, round(aligner, digits), round(normalizer, 2)) == GATES[name]


@pytest.mark.parametrize(("mux", "ratios"), [(0.55, (0.79, 0.67)), (0.5, (0.83, 0.70))])
def test_integers_take_less_area(mux: float, ratios: tuple[float, float]) -> None:
    cells = CELLS | {"MUX": mux}
    pairs = (("mxint8", "mxfp8_e4m3"), ("nvint4", "nvfp4"))
    found = [lane_gates(a).area(cells) / lane_gates(b).area(cells) for a, b in pairs]
    assert found == pytest.approx(ratios, abs=0.005)
    assert found == pytest.approx((0.79, 0.38 / 0.54), abs=0.06)  # as published


def test_figures_of_arrays() -> None:
    assert qsnr([1.0, 2.0], [1.0, 1.5]) == pytest.approx(10 * np.log10(5 / 0.25))
    assert qsnr([1.0], [1.0]) == np.inf
    assert crest_factor([[3.0, 4.0], [1, 1]]) == pytest.approx([4 / np.sqrt(12.5), 1])


def test_wrong_questions() -> None:
    with pytest.raises(hw.InvalidInput, match="'fp32' is no format of blocks"):
        expected_qsnr("fp32", 2)
    with pytest.raises(hw.InvalidInput, match="crest must be at least 1"):
        expected_qsnr("mxfp4", 0.5)
    with pytest.raises(hw.InvalidInput, match="at no crest factor from 1 to 100"):
        crossover("mxint4", "mxfp8_e4m3")
    with pytest.raises(hw.InvalidInput, match="lanes must be an integer of at least 1"):
        lane_gates("mxfp4", 0)
    with pytest.raises(hw.InvalidInput, match="unknown format 'fp64'"):
        beyond_symmetric("fp64")
