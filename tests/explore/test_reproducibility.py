"""Sums in many orders: what rounding makes of them, and that exact sums have one result."""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore import reproducibility as module
from hwarith.explore.reproducibility import ACCUMULATORS, ORDERS, Distinct, reproducibility
from hwarith.reports import write_reproducibility_report


@pytest.fixture(scope="module")
def sums() -> dict[str, Distinct]:
    return {x.accumulator: x for x in reproducibility(["bf16"], [4096], permutations=60)}


@pytest.mark.long
def test_4096_products_in_1000_permutations() -> None:
    """The figures that the paper's effect is shown by: many sums in fp32, one exact."""
    f = hw.format("bf16")
    x, y = np.random.default_rng(0).standard_normal((2, 4096))
    a, b = f.encode(x), f.encode(y)
    for orders in module._permutations(np.random.default_rng(1), 4096, 1000):
        assert orders.shape == (1000, 4096)
        fp32 = module._Rounding(f, "fp32").sums("sequential", a[orders], b[orders])
        exact = module._Exact(f, 4096).sums("sequential", a[orders], b[orders])
    assert len(np.unique(fp32)) > 50
    assert len(np.unique(exact)) == 1
    assert exact[0] == hw.format("fp32").encode(math.fsum(f.decode(a) * f.decode(b)))


def test_every_order_of_additions_gives_several_sums_in_fp32(sums: dict[str, Distinct]) -> None:
    for name in ("fp32", "layercast"):
        assert all(1 < sums[name].results[order] <= 60 for order in ORDERS)
        assert max(sums[name].results[order] for order in ORDERS) <= sums[name].results["all"]


def test_the_exact_accumulator_has_one_result(sums: dict[str, Distinct]) -> None:
    assert set(sums["exact"].results.values()) == set(sums["exact"].rounded.values()) == {1}
    assert sums["exact"].spread == 0


def test_a_last_rounding_to_bf16_hides_most_of_it_but_not_all(sums: dict[str, Distinct]) -> None:
    """Of 300 sums of 256 products that nearly cancel, in 40 permutations."""
    assert sums["fp32"].rounded["all"] < sums["fp32"].results["all"] / 10
    f = hw.format("bf16")
    rng = np.random.default_rng(3)
    order = rng.permuted(np.tile(np.arange(256), (40, 1)), axis=1)
    x, y = rng.standard_normal((2, 300, 128))
    near = -y * (1 + rng.standard_normal(y.shape) / 32)
    a, b = f.encode(np.concatenate([x, x], 1)), f.encode(np.concatenate([y, near], 1))
    y = module._Rounding(f, "fp32").sums("sequential", a[:, order], b[:, order])
    rounded = f.encode(hw.format("fp32").decode(y))
    in_fp32, in_bf16 = (np.array([len(np.unique(x)) for x in codes]) for codes in (y, rounded))
    assert (in_fp32 > 1).mean() > 0.9
    assert 0 < (in_bf16 > 1).mean() < 0.1


def test_narrower_sums_spread_wider(sums: dict[str, Distinct]) -> None:
    spreads = [sums[name].spread for name in ("exact", "fp32", "fp16", "bf16")]
    assert spreads == sorted(spreads)
    assert spreads[1] < 1e-6 < 1e-4 < spreads[2]
    assert sums["layercast"].spread < 1e-6
    assert not sums["layercast"].rounded


def test_sums_are_what_numpy_adds() -> None:
    """In fp32, where bf16's products are exact: one by one, as a tree, in parts."""
    accumulator = module._Rounding(hw.format("bf16"), "fp32")
    x, y = np.random.default_rng(1).standard_normal((2, 3, 11))
    a, b = accumulator.a.encode(x), accumulator.a.encode(y)
    bf16 = accumulator.a.decode
    products = (bf16(a) * bf16(b)).astype(np.float32)

    def one_by_one(row: np.ndarray) -> np.float32:
        return np.add.accumulate(row, dtype=np.float32)[-1]

    def tree(row: np.ndarray) -> np.float32:
        while len(row) > 1:
            row = np.array(
                [p[0] + p[1] if len(p) > 1 else p[0] for p in np.split(row, range(2, len(row), 2))]
            )
        return row[0]

    def in_parts(count: int):
        return lambda row: one_by_one([one_by_one(part) for part in np.array_split(row, count)])

    expected = {"sequential": one_by_one, "pairwise": tree}
    expected |= {f"split {count}": in_parts(count) for count in (2, 4, 8)}
    for order, add in expected.items():
        got = accumulator.out.decode(accumulator.sums(order, a, b))
        assert got.tolist() == [float(add(row)) for row in products]


def test_exact_sums_are_fractions_rounded_once() -> None:
    f = hw.format("e4m3fn")
    accumulator = module._Exact(f, 37)
    x, y = np.random.default_rng(2).standard_normal((2, 4, 37)) * 40
    a, b = f.encode(x), f.encode(y)
    total = [math.fsum(row) for row in f.decode(a) * f.decode(b)]
    for order in ORDERS:
        np.testing.assert_array_equal(
            accumulator.sums(order, a, b), hw.format("fp32").encode(total)
        )


def test_batches_of_permutations_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = reproducibility(["bf16"], [30], permutations=12, seed=4)
    monkeypatch.setattr(module, "_BATCH", 100)
    assert reproducibility(["bf16"], [30], permutations=12, seed=4) == at_once
    assert reproducibility(["bf16"], [30], permutations=12, seed=5) != at_once


def test_sums_that_overflow_have_no_spread() -> None:
    f = hw.format("e5m2")
    found = module._distinct(f, 2000, "fp16", 3, 0)
    assert found.spread is not None
    big = module._Rounding(f, "fp16").sums(
        "sequential", np.full(4, 0x7B, np.uint8), np.full(4, 0x7B, np.uint8)
    )
    assert big == 0x7C00


def test_the_report(tmp_path: Path, sums: dict[str, Distinct]) -> None:
    found = [*sums.values(), *reproducibility(["bf16"], [64], permutations=20)]
    page = write_reproducibility_report(found, tmp_path / "new")
    html = page.read_text(encoding="utf-8")
    assert html.count("<tr>") == 1 + len(found)
    assert 'src="data:image/svg+xml;base64,' in html
    assert "http" not in html.replace("http-equiv", "")
    with (page.parent / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["all"]) for row in rows] == [x.results["all"] for x in found]
    assert json.loads((page.parent / "results.json").read_text()) == [x.as_dict() for x in found]
    assert (page.parent / "report.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"formats": ["fp64"]}, "takes signed floats of at most 32 bits, not fp64"),
        ({"formats": ["int8"]}, "takes signed floats of at most 32 bits, not int8"),
        ({"formats": ["ue4m3"]}, "takes signed floats of at most 32 bits, not ue4m3"),
        ({"formats": ["bf61"]}, "unknown format 'bf61'"),
        ({"formats": []}, "needs at least one format and one number of products"),
        ({"lengths": [1]}, "reproducibility: products must be 2 to 1048576, not 1"),
        ({"permutations": 0}, "reproducibility: permutations must be 1 to 1048576, not 0"),
        ({"seed": -1}, "reproducibility: the seed must be 0 to 9223372036854775808, not -1"),
    ],
)
def test_bad_input(arguments: dict, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        reproducibility(**arguments)


def test_all_accumulators_are_counted(sums: dict[str, Distinct]) -> None:
    assert tuple(sums) == ACCUMULATORS
