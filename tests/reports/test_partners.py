"""What an approximate unit is compared with, where the sweep has several exact ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwarith import format, unit
from hwarith.explore import run_sweep
from hwarith.reports.model.content import Content, read_content
from hwarith.reports.model.partners import comparisons, policy_differences
from hwarith.reports.model.summary import findings
from hwarith.reports.view.page import to_html
from hwarith.units import Unit
from tests.explore.fake_flow import FakeFlow

DEFAULT = "mul:a=bf16"
IN_STAGES = "mul:a=bf16,stages=4"
OWN_POLICY = "mul:a=bf16,subnormals=flush,overflow=saturate"
AREAS = {
    "lmul:format=bf16": 268.47,
    "lmul:format=bf16,stages=4": 973.61,
    DEFAULT: 962.22,
    IN_STAGES: 1810.5,
    OWN_POLICY: 705.97,
    "mul:a=bf16,subnormals=flush": 727.34,
    "mul:a=fp32": 5000.0,
    "mul:a=fp32,stages=4": 9000.0,
}
"""In gate equivalents, as the generic library gave them once."""


class Areas(FakeFlow):
    """Of these areas."""

    def synthesize(self, unit: Unit, *arguments: Any, **keywords: Any) -> Any:
        areas = {make(spec): area for spec, area in AREAS.items()}
        return replace(super().synthesize(unit, *arguments, **keywords), area=areas[unit.spec])


def make(spec: str) -> str:
    return unit(spec).spec


def sweep(folder: Path, *specs: str) -> Content:
    run_sweep(list(specs), folder, flow=Areas())
    return read_content(folder)


@pytest.mark.parametrize(
    ("siblings", "partner", "percent"),
    [
        ((DEFAULT,), DEFAULT, 28),
        ((DEFAULT, IN_STAGES), DEFAULT, 28),
        ((DEFAULT, IN_STAGES, OWN_POLICY), OWN_POLICY, 38),
        ((OWN_POLICY, DEFAULT, "mul:a=fp32"), OWN_POLICY, 38),
        ((OWN_POLICY, "mul:a=bf16,subnormals=flush"), "mul:a=bf16,subnormals=flush", 37),
    ],
)
def test_partner_has_the_stages_and_the_nearest_policy(
    siblings: tuple[str, ...], partner: str, percent: int, tmp_path: Path
) -> None:
    content = sweep(tmp_path, *siblings, "lmul:format=bf16")
    (pair,) = comparisons(content)
    assert pair.exact.spec == make(partner)
    finding = findings(content)[-1]
    assert finding.answer == f"{percent} % of the area"
    assert finding.detail.endswith(f"compared with {pair.exact.label}")
    assert f'<td class="text">{pair.exact.label}</td>' in to_html(content)


def test_pipelines_are_compared_with_pipelines(tmp_path: Path) -> None:
    both = ("lmul:format=bf16", "lmul:format=bf16,stages=4")
    pairs = comparisons(sweep(tmp_path / "1", DEFAULT, IN_STAGES, OWN_POLICY, *both))
    found = {pair.approximate.spec: pair.exact.spec for pair in pairs}
    assert found == {make(both[0]): make(OWN_POLICY), make(both[1]): make(IN_STAGES)}
    assert not comparisons(sweep(tmp_path / "2", DEFAULT, both[1]))


def test_what_fp32_is_compared_with(tmp_path: Path) -> None:
    """How many times larger fp32 is, is said of a unit of as many stages."""
    specs = ("mul:a=fp32", "mul:a=fp32,stages=4", IN_STAGES)
    content = sweep(tmp_path, *specs)
    assert findings(content)[0].answer == "mul bf16 stages=4"
    assert "mul fp32 stages=4 is 5.0 times as large" in findings(content)[0].detail


@pytest.mark.parametrize(
    ("approximate", "exact", "differences"),
    [
        ("lmul:format=bf16", "mul:a=bf16,subnormals=flush", []),
        ("lmul:format=bf16", DEFAULT, ["subnormals=keep, not flush"]),
        ("lmul:format=bf16", OWN_POLICY, ["overflow=saturate, not nosat"]),
        ("lmul:format=bf16,sat=1", "mul:a=bf16,subnormals=flush,overflow=satprop", []),
        ("lmul:format=bf16,specials=none", OWN_POLICY, []),
        ("lmul:format=e4m3fn", "mul:a=e4m3fn,subnormals=flush,overflow=saturate", []),
        ("pam:format=bf16,stages=4", "mul:a=bf16,subnormals=flush,stages=4", []),
        (
            "pam:format=bf16",
            "mul:a=bf16,subnormals=flush,round=rtz,flags=after",
            ["round=rtz", "flags=after"],
        ),
        ("mul:a=bf16,round=rtz", DEFAULT, ["round=rne, not rtz"]),
    ],
)
def test_differences_of_policy(approximate: str, exact: str, differences: list[str]) -> None:
    assert policy_differences(unit(approximate), unit(exact)) == differences


@pytest.mark.parametrize("sat", [0, 1])
@pytest.mark.parametrize("name", ["e4m3fn", "e5m2", "e4m3fnuz"])
def test_policy_is_what_the_unit_does(name: str, sat: int) -> None:
    """Powers of two have exact products, so that nothing but the policy is left to differ."""
    f = format(name)
    approximate = unit(f"pam:format={name},sat={sat}")
    policy = ",".join(f"{key}={value}" for key, value in approximate.policy.items())
    exact = unit(f"mul:a={name},{policy}")
    codes = np.arange(256, dtype=np.uint8)
    values = f.decode(codes)
    fractions = np.frexp(np.where(np.isfinite(values), values, 0))[0]
    tiny = np.abs(values) < float(f.smallest_normal)
    plain = codes[~np.isfinite(values) | tiny | (np.abs(fractions) == 0.5)]
    a, b = (x.ravel() for x in np.meshgrid(plain, plain))
    np.testing.assert_array_equal(approximate(a, b), exact(a, b))
