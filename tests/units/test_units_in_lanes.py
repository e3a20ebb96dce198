"""Units side by side: each lane is the unit, in the golden model, the hardware and the proof."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore.point import measure
from hwarith.explore.workloads import workload
from hwarith.flow.energy.measure import energy
from hwarith.flow.stimuli.families import stimulus
from hwarith.reports.model.point import Point, options, unit_label
from hwarith.units.lanes import Lanes
from hwarith.units.wrapped import unwrapped
from tests.evidence import assert_equal_on
from tests.explore.fake_flow import FakeFlow
from tests.small_units import OF_EACH_FAMILY, SPECS
from tests.tiers import few

WITHOUT = {
    "codebook",
    "divsqrt",
    "mac",
    "dfpmac",
    "kulisch",
    "lutdot",
    "engine",
    "bsdequant",
    "dot",
    "axdot",
    "decodemulti",
    "andaquant",
    "scaledsum",
    "blockquant",
    "nvfp4quant",
    "blockdecode",
    "hadamard",
    "layernorm",
    "rmsnorm",
    "softmax",
    "shiftmax",
    "shiftgelu",
    "ilayernorm",
}
"""Families that have a memory, take several clocks, or blocks."""

OWN = {"andape", "bspe", "bitplane_dot", "fpint", "ternary"}
"""Families whose parameter `lanes` is another one."""

MIXED = "fma:a=e3m2fn,round=port,op=port,flags=after,lanes=3"


def of_lanes(spec: str, n: int) -> Lanes:
    colon = "" if ":" in spec else ":"
    u = hw.unit(f"{spec}{colon}{',' if not colon else ''}lanes={n}")
    assert isinstance(u, Lanes)
    return u


@pytest.mark.parametrize("spec", [x for x in SPECS if hw.unit(x).family not in WITHOUT | OWN])
def test_every_lane_is_the_unit(spec: str) -> None:
    u = of_lanes(spec, 3)
    one = hw.unit(spec)
    operands = stimulus(u, 200)
    results = u(*operands)
    said = results if isinstance(results, tuple) else (results,)
    for i in range(3):
        mine = [
            x[:, i] if name in u.lane_formats else x
            for name, x in zip(u.operands, operands, strict=True)
        ]
        expected = one(*mine)
        expected = expected if isinstance(expected, tuple) else (expected,)
        for x, y in zip(said, expected, strict=True):
            assert x.dtype == y.dtype
            assert (x[:, i] == y).all()
    golden = u.golden(*(x[7] for x in operands))
    assert [list(x) for x in (golden if len(said) > 1 else (golden,))] == [
        x[7].tolist() for x in said
    ]
    assert hw.unit(u.spec) == u
    assert u.name == f"{one.name}_lanes3"
    assert re.fullmatch(r"\w+", u.name)


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "mul:a=e4m3fn,lanes=2",
            MIXED,
            "convert:a=fp16,out=e4m3fn,round=srb,n=5,lanes=2,stages=2",
            "cmp:a=e4m3,flags=on,lanes=5",
            "dotmulti:lanes=2",
            "termgen:type=fp4,lanes=3",
            "div:a=e3m2,flags=after,lanes=2,stages=3",
            "minmax:a=fp64,lanes=3",
            "anfma:a=e4m3,b=e4m3,out=fp16,norm=an-1-2,w=8,lanes=2",
        ],
        3,
    ),
)
def test_hardware(spec: str) -> None:
    u = hw.unit(spec)
    assert_equal_on(u, *stimulus(u, 4000))


def test_shared_operands_are_those_of_all_lanes() -> None:
    u = hw.unit(MIXED)
    assert {name: f.bits for name, f in u.operands.items()} == {
        "a": 18,
        "b": 18,
        "c": 18,
        "op": 2,
        "rm": 3,
    }
    assert {name: f.bits for name, f in u.results.items()} == {"y": 18, "flags": 15}
    one = np.full((1, 3), u.of.a.encode(1))
    one[0, 2] = u.of.a.encode(2)
    minus = u(one, one, one, np.array([1]), np.array([0]))
    assert u.of.out.decode(minus.y).tolist() == [[0, 0, 2]]


@pytest.mark.long
def test_regression_of_the_stream() -> None:
    assert hw.regress("mul:a=e4m3fn,lanes=2,stages=2").failed == 0


# -- one lane, stages ----------------------------------------------------------------------------


def test_one_lane_is_the_unit_itself() -> None:
    assert hw.unit("mul:a=bf16,lanes=1") == hw.unit("mul:a=bf16")


def test_stages_stand_behind_the_lanes() -> None:
    u = hw.unit("mul:stages=2,lanes=4,a=e4m3fn")
    assert u.spec == "mul:a=e4m3fn,b=e4m3fn,out=e4m3fn,round=rne,lanes=4,stages=2"
    assert u.name == "mul_e4m3fn_e4m3fn_e4m3fn_rne_lanes4_l2"
    assert u.stages == 2
    assert replace(u, stages=3) == hw.unit("mul:a=e4m3fn,lanes=4,stages=3")
    assert unwrapped(u) == hw.unit("mul:a=e4m3fn,stages=2")
    assert (hw.unit("mul:a=e4m3fn,lanes=2,target_delay=30").stages) == hw.unit(
        "mul:a=e4m3fn,target_delay=30"
    ).stages


def test_a_unit_with_own_lanes_keeps_them() -> None:
    assert not isinstance(hw.unit("bspe:type=fp4,lanes=2"), Lanes)


# -- what is measured ----------------------------------------------------------------------------


def test_errors_are_those_of_each_lane() -> None:
    u, one = hw.unit("lmul:format=e4m3fn,lanes=4"), hw.unit("lmul:format=e4m3fn")
    assert hw.metrics(u).metrics == hw.metrics(one).metrics
    x, y = stimulus(one, 1 << 12)
    given = hw.metrics(u, [x.reshape(-1, 4), y.reshape(-1, 4)])
    assert given.metrics == hw.metrics(one, [x, y]).metrics
    assert given.spec == u.spec


def test_work_is_that_of_all_lanes() -> None:
    assert hw.unit("mul:a=e4m3fn,lanes=4").work == 4
    assert hw.unit("dotmulti:lanes=2").work == 8


@pytest.mark.long
def test_energy_of_a_workloads_operands() -> None:
    u = hw.unit("mul:a=e4m3fn,lanes=4")
    met = workload("digits").run(unwrapped(u)).operands
    grouped = u.grouped(list(met))
    assert [x.shape for x in grouped] == [(met[0].size // 4, 4)] * 2
    few = [x[:64] for x in grouped]
    assert energy(u, *few).energy > energy(u.of, *(x[:, 0] for x in few)).energy


def test_a_point_of_a_sweep() -> None:
    network, flow = "tests.explore.tiny_workload:SIGNS", FakeFlow()
    u, one = (hw.unit(f"mul:a=e4m3,lanes={n}") for n in (4, 1))
    found, alone = (measure(x, network, "generic", flow) for x in (u, one))
    assert found.accuracy == alone.accuracy
    assert found.metrics == alone.metrics
    area, whole = found.cost["lane_area"], found.cost["area"]
    assert area is not None
    assert area * 4 == whole
    assert unit_label(u) == f"{unit_label(one)} lanes=4"
    assert options(u) == options(one) | {"lanes": "4"}
    assert Point(found, u).operation == Point(alone, one).operation


# -- proof ---------------------------------------------------------------------------------------


def test_proof_finds_what_goes_from_lane_to_lane() -> None:
    u = hw.unit("sgnj:a=e4m3,op=copy,lanes=3")
    text = hw.verilog(u)
    assert hw.prove(u, timeout=60).verdict == "proven"
    crossed = text.replace(", lane1_sign, a", ", lane2_sign, a")
    assert crossed != text
    proof = hw.prove(u, timeout=60, verilog=crossed)
    assert proof.verdict == "refuted"
    lanes = [
        np.array([[code >> 8 * i & 255 for i in range(3)]], np.uint8)
        for code in proof.counterexample.values()
    ]
    said = sum(int(x) << 8 * i for i, x in enumerate(u(*lanes)[0]))
    assert proof.golden == {"y": said}
    assert proof.rtl == {"y": said ^ 1 << 15}


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mul:lanes=0", "mul: parameter lanes: must be 1 to 65536, not 0"),
        ("mul:lanes=x", "mul: parameter lanes: must be an integer (1 to 65536), not 'x'"),
        ("mul:lanes=2,lanes=2", "mul: parameter lanes is given twice"),
        (
            "mul:a=fp64,lanes=2000",
            "mul: parameter lanes: must be at most 1024, as port a of 64 bits in each lane may "
            "have 65536, not 2000",
        ),
    ],
)
def test_lanes_that_cannot_be(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput) as error:
        hw.unit(spec)
    assert str(error.value) == message


@pytest.mark.parametrize("family", sorted(WITHOUT))
def test_units_without_lanes(family: str) -> None:
    spec = OF_EACH_FAMILY[family]
    with pytest.raises(hw.InvalidInput, match=f"^{family}: parameter lanes: .*; allowed: units"):
        of_lanes(spec, 2)


def test_several_clocks_have_no_lanes() -> None:
    with pytest.raises(hw.InvalidInput, match="takes several clocks"):
        hw.unit("div:a=fp16,clocks=4,lanes=2")


def test_shapes() -> None:
    u = hw.unit("mul:a=e4m3fn,lanes=4")
    with pytest.raises(hw.InvalidInput, match=r"operand a of mul must be of shape \(\.\.\., 4\)"):
        u(np.zeros(3, np.uint8), np.zeros(3, np.uint8))
