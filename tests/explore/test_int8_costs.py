"""What LLM.int8() costs: every operation of it is counted once, on the unit that does it."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore.int8_costs import (
    FLOATS_ALONE,
    int8_costs,
    product_error,
    usual_matrices,
    usual_product,
)
from hwarith.flow.energy.measure import Energy
from hwarith.matrix import Int8Product
from tests.explore.fake_flow import FakeFlow

M, K, N = 5, 24, 3


def product(**options: object) -> Int8Product:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((M, K)), rng.standard_normal((K, N))
    x[:, 7:9] = 10
    return hw.int8_matmul(x, w, **options)


def test_every_operation_is_counted() -> None:
    costs = int8_costs(product(), flow=FakeFlow())
    usual = K - 2
    assert {p.part: p.operations for p in costs} == {
        "largest magnitudes": M * usual,
        "127 / them": M,
        "codes: times that": M * usual,
        "codes: rounded": M * usual,
        "integers": M * N * usual,
        "outliers": M * N * 2,
        "sums as floats": M * N,
        "scales": 3 * M * N,
        "sum of both": M * N,
        "result": M * N,
        FLOATS_ALONE: M * N * K,
    }
    assert len(costs.parts) == len(costs) - 1


@pytest.mark.parametrize("integer", ["mac:a=int8", "dot:a=int8,n=4", "mul:a=int8,out=int16"])
def test_units_and_operands(integer: str) -> None:
    """Units are asked for on operands that they met; a dot product's costs are those of a lane."""

    met: dict[str, int] = {}

    class Watched(FakeFlow):
        def energy(self, unit: hw.Unit, *codes: np.ndarray, library: str = "generic") -> Energy:
            met[unit.spec] = len(codes)
            return super().energy(unit, *codes, library=library)

    flow = Watched()
    costs = {p.part: p for p in int8_costs(product(integer=integer), flow=flow)}
    unit = hw.unit(integer)
    assert costs["integers"].spec == unit.spec
    assert met[unit.spec] == len(unit.operands)
    assert met[hw.unit("mac:a=fp16").spec] == 2
    assert met[hw.unit("div:a=fp32").spec] == 0
    assert costs["integers"].energy == flow.energy(unit).energy / unit.work
    assert costs["integers"].area == flow.synthesize(unit).area / unit.work


def test_shares() -> None:
    costs = int8_costs(product(format="fp32", floating="fma:a=fp32"), flow=FakeFlow())
    assert "result" not in [p.part for p in costs]
    area, energy = costs.of_floats
    assert area * costs[-1].work == pytest.approx(sum(p.area * p.operations for p in costs.parts))
    rows = costs.tables()[0].rows
    assert rows[-1]["energy share"] == 1
    assert energy == pytest.approx(sum(r["energy share"] for r in rows[:-1]))


def test_the_usual_product() -> None:
    """One feature of outliers, and what integers alone would lose."""
    found = usual_product()
    x, _ = usual_matrices()
    assert found.outliers.tolist() == np.flatnonzero(np.abs(x).max(axis=0) >= 6).tolist()
    assert found.multiply_adds["floating"] / 2**24 == 1 / 1024
    assert 10 * product_error() < product_error(np.inf) < 1e-2
    assert product_error(0.0) < 1e-6
