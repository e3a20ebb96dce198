"""The best format for weights: arrays, files, the digits' layers; what is said of mistakes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hwarith as hw

W = np.random.default_rng(0).standard_normal((6, 40)) * 0.1


def test_an_array() -> None:
    (found,) = hw.search_format(W)
    assert found.format is found.best.format
    assert [s.format.exponent_bits for s in found.splits] == [1, 2, 3]
    assert found.best.nmse == min(s.nmse for s in found.splits)
    assert found.best.nmse == pytest.approx(((found.best.values() - W) ** 2).sum() / (W**2).sum())
    unit = hw.unit(f"fma:a=fp16,b={found.format},c=fp32,out=fp32")
    assert unit.b is found.format


def test_channels_keep_more() -> None:
    """Their shifts are exact products by powers of two of what the format holds."""
    w = W * 2.0 ** np.arange(6)[:, None]
    (one,), (each,) = hw.search_format(w), hw.search_format(w, per="channel")
    assert each.best.nmse < one.best.nmse
    best = each.best
    scaled = best.format.decode(best.codes)
    assert np.array_equal(best.values(), scaled / 2.0 ** best.shifts[:, None])


def test_equal_errors_go_to_fewer_exponent_bits() -> None:
    (found,) = hw.search_format(np.array([[1.0, -1.0, 0.0]]))
    assert [s.nmse for s in found.splits] == [0, 0, 0]
    assert found.format.exponent_bits == 1


def test_files_and_the_digits(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", first=W, second=W[0] * 8)
    found = hw.search_format(tmp_path / "w.npz", bits=3)
    assert [x.array for x in found] == ["first", "second"]
    assert len(found.tables()[1].rows) == 4
    assert found[0].as_dict()["format"] == found[0].format.name
    assert [x.array for x in hw.search_format()] == ["layer 1", "layer 2", "layer 3"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"bits": 9}, "bits must be an integer from 2 to 8, not 9"),
        ({"bits": 4.0}, "bits must be an integer from 2 to 8, not 4.0"),
        ({"per": "row"}, "unknown scope of a bias 'row'; allowed: tensor, channel"),
        ({"weights": W * np.nan}, "weights file array: weights must be finite"),
        ({"weights": W * 0}, "weights file array: all weights are zero"),
        ({"weights": 3.0}, "weights file array: weights must be of shape (..., n), and not empty"),
        ({"weights": ["a"]}, "weights file array: weights must be numbers"),
        ({"weights": "none.npy"}, "weights file none.npy cannot be read"),
    ],
)
def test_mistakes(call: dict[str, Any], message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.search_format(**({"weights": W} | call))


def test_one_array_of_a_file_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", good=W, bad=W * 0)
    with pytest.raises(hw.InvalidInput, match=r"w\.npz, array 'bad': all weights are zero"):
        hw.search_format(tmp_path / "w.npz")
