"""No groups, no blocks: arrays without elements give such arrays, as numpy's functions do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.formats import ternary


@pytest.mark.parametrize(
    ("spec", "transfers"),
    [
        ("fpint", 2),
        ("bspe:type=int4", 4),
        ("ternary:lanes=4", 2),
        ("ternary:lanes=10,packing=five", 1),
    ],
)
def test_no_groups(spec: str, transfers: int) -> None:
    u: Any = hw.unit(spec)
    for x in u.steps(np.zeros((0, 8), np.uint8), np.zeros((0, 8), int)):
        assert x.shape == (0, transfers)


def test_no_groups_of_lookups() -> None:
    for a in ("int8", "fp16"):
        u: Any = hw.unit(f"lutdot:a={a},n=2")
        y = u.group(np.zeros((0, 8), u.a.dtype), np.zeros((0, 2, 8), np.uint8))
        assert y.shape == (0, 2)


@pytest.mark.parametrize("meta", ["mx+", "mx++", "m2xfp", "razer"])
def test_no_rows_of_blocks(meta: str) -> None:
    u: Any = hw.unit(f"dot:meta={meta},n=8")
    y = hw.matmul(
        u,
        np.zeros((0, 16), np.uint8),
        np.zeros((16, 3), np.uint8),
        sa=np.zeros((0, 2), u.operands["sa"].dtype),
        sb=np.zeros((2, 3), u.operands["sb"].dtype),
    )
    assert y.shape == (0, 3)


@pytest.mark.parametrize("name", ["mxfp4+", "m2xfp_a", "m2xfp_w", "razer_w"])
def test_no_blocks(name: str) -> None:
    u: Any = hw.unit(f"blockdecode:a={name}")
    y = u(np.zeros((0, u.n), np.uint8), np.zeros(0, u.operands["scale"].dtype))
    assert y.shape == (0, u.n)
    f: Any = hw.format(name)
    spans = f.metadata.spans(f.block)
    assert f.words(np.zeros((0, 2), np.uint8), np.zeros((0, 2 * spans), np.uint8)).shape == (0, 2)


def test_no_ternary_numbers() -> None:
    assert ternary.pack(np.zeros((0, 10), int)).shape == (0, 2)
    numbers, invalid = ternary.unpack(np.zeros((0, 2), np.uint8))
    assert (numbers.shape, invalid.shape) == ((0, 10), (0, 2))
