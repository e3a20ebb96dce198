"""TestFloat's cases through golden models and hardware.

TestFloat itself may not be there: a stand-in for its program writes lines in its format, with the
results of SoftFloat, of which TestFloat takes its own.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

import hwarith as hw
from hwarith.flow.vectors import conformance
from hwarith.flow.vectors.conformance import function_of
from tests.cli.running import Run, assert_one_line

STAND_IN = """#!{python}
import random, sys
import softfloatpy as softfloat
*options, function = sys.argv[1:]
level = int(options[options.index("-level") + 1])
mode = next(x for x in options if x[:2] == "-r")
modes = {{"-rnear_even": "NEAR_EVEN", "-rnear_maxMag": "NEAR_MAX_MAG", "-rminMag": "MIN_MAG",
          "-rmin": "MIN", "-rmax": "MAX", "-rodd": "MIN_MAG"}}
softfloat.set_rounding_mode(getattr(softfloat.RoundingMode, modes[mode]))
after = "-tininessafter" in options
softfloat.set_tininess_mode(
    softfloat.TininessMode.AFTER_ROUNDING if after else softfloat.TininessMode.BEFORE_ROUNDING)
names = {{"f16": "Float16", "f32": "Float32", "f64": "Float64", "i32": "Int32", "ui64": "UInt64"}}
first, *rest = function.split("_")
of = getattr(softfloat, names[first])
size = {{"f16": 2, "f32": 4, "f64": 8, "i32": 4, "ui64": 8}}[first]
count = 3 if rest == ["mulAdd"] else 1 if "to" in rest else 2
method = getattr(of, {{"mulAdd": "mul_add"}}.get(rest[0], "_".join(rest)))
rng = random.Random(level)
for i in range(100 * level):
    bits = [rng.getrandbits(8 * size) & (rng.getrandbits(8 * size) if i % 2 else -1)
            for _ in range(count)]
    codes = [x.to_bytes(size, "big") for x in bits]
    softfloat.set_exception_flags(0)
    got = method(*(of.from_bytes(x) for x in codes))
    got = got if isinstance(got, bool) else got.to_bytes()
    flags = softfloat.get_exception_flags()
    if mode == "-rodd" and flags & 1:
        got = got[:-1] + bytes([got[-1] | 1])
    text = str(int(got)) if isinstance(got, bool) else got.hex()
    print(*(x.hex().upper() for x in codes), text.upper(), f"{{flags:02X}}")
"""


@pytest.fixture
def testfloat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH with the stand-in."""
    program = tmp_path / "testfloat_gen"
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path


@pytest.mark.parametrize(
    ("spec", "function", "runs"),
    [
        ("mul:a=fp32,flags=before", "f32_mul", 2),
        ("cmp:a=fp16,op=le", "f16_le", 2),
        ("convert:a=fp32,out=fp16,round=rdn", "f32_to_f16", 2),
        ("convert:a=int32,out=fp16", "i32_to_f16", 2),
        ("convert:a=uint64,out=fp32,round=rto", "ui64_to_f32", 2),
        pytest.param("fma:a=fp16,round=port", "f16_mulAdd", 12, marks=pytest.mark.long),
        pytest.param("add:a=fp64,op=sub,round=rup", "f64_sub", 2, marks=pytest.mark.long),
    ],
)
def test_golden_models(testfloat: Path, spec: str, function: str, runs: int) -> None:
    result = hw.conform(spec, rtl=False)
    assert result.passed, result.differences
    assert {run["function"] for run in result.runs} == {function}
    assert [run["level"] for run in result.runs] == [1, 2] * (runs // 2)
    assert result.results == 300 * runs // 2


def test_hardware_and_its_faults(
    testfloat: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: Run,
) -> None:
    outcome = run("conform", "mul:a=fp16", "--level", 1)
    assert outcome.status == 0
    said = "mul:a=fp16,b=fp16,out=fp16,round=rne,flags=after: of 100 results of TestFloat all"
    assert f"{said} agree with the golden model and the RTL" in outcome.out
    u = hw.unit("mul:a=fp16,flags=after")
    simulation = hw.simulate(u)

    def wrong(_: object) -> object:
        return lambda a, b: (simulation(a, b).y ^ (a == a[0]), simulation(a, b).flags)

    monkeypatch.setattr(conformance, "simulate", wrong)
    outcome = run("conform", "mul:a=fp16", "--cases", 50, "--json")
    assert outcome.status == 1
    assert outcome.json["differing"] == {"golden model": 0, "RTL": 2}
    assert outcome.json["results"] == 100
    assert outcome.json["differences"][0]["function"] == "f16_mul"
    assert "results of TestFloat differ: 0 from the golden model, 2 from the RTL" in outcome.err


def test_wrong_results_of_the_program_are_seen(testfloat: Path) -> None:
    program = testfloat / "testfloat_gen"
    program.write_text(program.read_text().replace("text.upper()", "text.upper()[:-1] + '5'"))
    result = hw.conform("mul:a=fp32", levels=[1], rtl=False, most=3)
    assert result.differing["golden model"] > 50
    assert len(result.differences) == 3


@pytest.mark.parametrize(
    "spec",
    [
        "mul:a=bf16",
        "mul:a=fp16,out=fp32",
        "mul:a=fp16,round=srb",
        "fma:a=fp16,op=msub",
        "add:a=fp16,subnormals=daz",
        "mul:a=fp16,overflow=saturate",
        "cmp:a=fp16,op=gt",
        "minmax:a=fp16",
        "convert:a=fp16,out=int32",
        "lmul:format=fp16",
    ],
)
def test_what_testfloat_has_nothing_for(spec: str) -> None:
    u = hw.unit(spec)
    with pytest.raises(hw.InvalidInput, match="conform: TestFloat has no function for"):
        function_of(u)
    if shutil.which("testfloat_gen") is None:
        with pytest.raises(hw.InvalidInput, match="conform: TestFloat has no function for"):
            hw.conform(spec)


def test_mistakes(run: Run, testfloat: Path) -> None:
    message = "conform: levels must be 1 and 2, or one of them, not [3]"
    assert_one_line(run("conform", "mul:a=fp16", "--level", 3), message)
    message = "conform: cases must be an integer, 1 to 1099511627776, not 0"
    assert_one_line(run("conform", "mul:a=fp16", "--cases", 0), message)
    program = testfloat / "testfloat_gen"
    program.write_text("#!/bin/sh\necho oops >&2; exit 3\n")
    message = "testfloat_gen failed with exit status 3: oops"
    assert_one_line(run("conform", "mul:a=fp16", "--no-rtl"), message)
    program.write_text("#!/bin/sh\necho 3C00 3C00 3C00\n")
    message = "testfloat_gen f16_mul: lines must have 4 columns of 4, 4, 4, 2 digits, not '3C00 3C"
    assert_one_line(run("conform", "mul:a=fp16", "--no-rtl"), message)


def test_without_the_program(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    message = "testfloat_gen was not found on PATH; hwarith conform needs it. Install Berkeley"
    assert_one_line(run("conform", "mul:a=fp16"), message)
