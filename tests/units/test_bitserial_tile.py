"""The tile of bit-serial elements: its hardware, and what it is the same as."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.formats.weights import quantize
from hwarith.units.bitserial.weights import WEIGHTS, special_codes
from tests.tiers import few
from tests.units.test_bitserial import FP16


def tile_operands(u: Any, n: int, k: int, groups: int, name: str | None = None) -> list[np.ndarray]:
    rng = np.random.default_rng(k)
    a = FP16.encode(rng.standard_normal((n, u.rows, k)) * 10.0 ** rng.integers(-7, 4, (n, 1, k)))
    a = np.where(rng.integers(0, 500, a.shape) == 0, 0x7C00, a)
    shape = (n, u.columns, groups)
    operands = [
        a,
        rng.integers(0, 1 << u.encoder.bits, (n, u.columns, k)),
        rng.integers(0, 256, shape),
    ]
    if u.encoder.takes_floats:
        operands.append(special_codes(rng.choice([6, -6, 10, -10, 16, -16], shape)))
    if name:
        operands.append(np.full(n, u.mode(name)))
    return operands


@pytest.mark.parametrize(
    ("spec", "name"),
    few(
        [
            ("bstile:rows=3,columns=2", None),
            ("bstile:pe=(bspe),rows=2,columns=2", "int6"),
            ("bstile:pe=(bspe:type=int8,align=joint),rows=9,columns=1,dqm=20", None),
        ],
        2,
    ),
)
@pytest.mark.parametrize(("k", "groups"), few([(4, 1), (32, 2), (96, 3)], 2))
def test_hardware_of_the_tile(spec: str, name: str | None, k: int, groups: int) -> None:
    u = hw.unit(spec)
    operands = tile_operands(u, 30, k, groups, name)
    simulation, expected = hw.simulate(u), u(*operands)
    for i in range(3):
        assert u.golden(*(x[i].tolist() for x in operands)) == expected[i].tolist()
    assert (simulation(*operands) == expected).all()
    terms = WEIGHTS[name or u.pe.type].terms
    group = k // groups // 4 * terms
    if group >= max(8, u.rows):  # no pause for dequantization
        assert simulation.clocks == 30 * groups * group + u.stages
    else:
        assert simulation.clocks > 30 * groups * group + u.stages
    assert (simulation.stream(*operands, idle=0.3, stall=0.7, seed=4) == expected).all()


def test_every_type_goes_through_a_mixed_tile() -> None:
    mixed = hw.unit("bstile:pe=(bspe),rows=2,columns=3")
    rng = np.random.default_rng(5)
    acts = FP16.encode(rng.standard_normal((2, 64)))
    for name in ("int3", "int4", "int5", "int6", "int7", "int8", "bitmod3", "bitmod4", "fp4"):
        weights = quantize(rng.standard_normal((3, 64)), name, group=32, scale_bits=8)
        kind = name.replace("bitmod", "fp")
        own = hw.unit(f"bstile:pe=(bspe:type={kind}),rows=2,columns=3")
        assert (own.matmul(acts, weights) == mixed.matmul(acts, weights)).all()


def test_matrix_product_of_a_tile() -> None:
    u = hw.unit("bstile:pe=(bspe:type=fp4),rows=4,columns=4")
    rng = np.random.default_rng(6)
    acts = FP16.encode(rng.standard_normal((5, 256)))
    weights = quantize(rng.standard_normal((7, 256)), "bitmod4", scale_bits=8)
    found = FP16.decode(u.matmul(acts, weights))
    exact = FP16.decode(acts) @ weights.values().T
    terms = np.abs(FP16.decode(acts)) @ np.abs(weights.values()).T
    assert found.shape == (5, 7)
    # a sum is rounded to 14 bits before its scale, and to fp16 at the end
    assert (np.abs(found - exact) <= 2.0**-14 * terms + 2.0**-11 * np.abs(exact)).all()


def test_tile_is_group_by_group() -> None:
    """An element of the tile, step by step by the other units."""
    u = hw.unit("bstile:rows=2,columns=2")
    a, w, scale, special = tile_operands(u, 1, 48, 3)
    y = u(a, w, scale, special)[0]
    pe, dequant, add = u.pe, u.dequant, hw.unit("add:a=fp32")
    for r, c in np.ndindex(2, 2):
        total = 0
        for g in range(3):
            part = slice(16 * g, 16 * g + 16)
            code = int(special[0, c, g])
            halves = -(code & 31) if code >> 5 else code & 31
            s = pe.group(a[0, r, part], w[0, c, part], halves, flags=True)
            acc = s.magnitude | s.exponent.astype(int) << 23 | s.sign.astype(int) << 29
            acc |= s.invalid.astype(int) << 30
            total = add(total, dequant.as_float(dequant(int(acc), scale[0, c, g], 1)))
        assert total == y[r, c]


@pytest.mark.parametrize(
    "spec",
    few(
        ["termgen", "bspe:type=fp4", "bspe:stages=3", "bsdequant", "bstile:rows=2,columns=2"],
        5,
    ),
)
def test_regression(spec: str) -> None:
    result = hw.regress(spec, vectors=60)
    assert result.failed == 0, result


def test_transfers_that_do_not_end_a_sum() -> None:
    """The message names the port that is to be set."""
    u = hw.unit("bstile:rows=2,columns=2")
    operands = tile_operands(u, 1, 32, 2)
    *columns, ends = u.transfers.of(u.check_operands(tuple(operands)))
    assert len(u.transfers.calls([*columns, ends])) == 1
    with pytest.raises(hw.InvalidInput, match="the last one, must have last_of_sum=1"):
        u.transfers.calls([*columns, 0 * ends])


def test_bad_operands_of_a_tile() -> None:
    u = hw.unit("bstile:rows=2,columns=2")
    a, w, scale, special = tile_operands(u, 1, 32, 2)
    for bad in (
        (a, w, scale),
        (a[:, :1], w, scale, special),
        (a, w[..., :16], scale, special),
        (a, w, scale[..., :1], special),
        (a[..., :12], w[..., :12], scale, special),
        (a[..., :0], w[..., :0], scale, special),
    ):
        with pytest.raises(hw.InvalidInput, match="bstile"):
            u(*bad)
    weights = quantize(np.ones((2, 32)), "bitmod4")
    with pytest.raises(hw.InvalidInput, match="scale_bits=8"):
        u.matmul(a[0], weights)
    with pytest.raises(hw.InvalidInput, match="fp4"):
        u.matmul(a[0], quantize(np.ones((2, 32)), "int4", scale_bits=8))
    with pytest.raises(hw.InvalidInput, match="shapes"):
        u.matmul(a[0, :, :16], quantize(np.ones((2, 32)), "bitmod4", scale_bits=8))
    with pytest.raises(hw.InvalidInput, match="mode"):
        hw.unit("bstile:pe=(bspe),rows=2,columns=2")(a, w, scale, special, 7)
