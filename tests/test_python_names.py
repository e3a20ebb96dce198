"""The Python interface has what the command line has, and its results show themselves."""

from __future__ import annotations

import inspect
import re
import sys
from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.cli.app import COMMANDS
from hwarith.tables import Tabled, tables_of
from tests.cli.conftest import run as run  # the fixture
from tests.cli.running import Run
from tests.explore.fake_flow import FakeFlow
from tests.explore.fake_sweep import make_sweep


def test_every_command_has_its_python_name(run: Run) -> None:
    listed = re.findall(r"^  ([a-z-]+)  ", run("--help").out.partition("Commands:")[2], re.M)
    assert listed == [*COMMANDS]
    for command, (_, name) in COMMANDS.items():
        assert name in hw.__all__
        assert callable(getattr(hw, name))
        assert f"In Python: hwarith.{name}." in run(command, "--help").out
    other = {"eval": "unit", "generate": "verilog", "run": "run_vectors", "synth": "synthesize"}
    for command, (_, name) in COMMANDS.items():
        assert name == other.get(command, command.replace("-", "_"))


def test_public_names_are_those_of_the_package() -> None:
    assert len({*hw.__all__}) == len(hw.__all__)
    assert all(getattr(hw, name) is not None for name in hw.__all__)
    assert not inspect.ismodule(hw.report)
    assert hw.__dir__() == sorted(hw.__all__)


RESULTS: dict[str, Any] = {
    "unit": lambda: hw.unit("mac:a=int8"),
    "format": lambda: hw.format("e4m3"),
    "block format": lambda: hw.format("nvfp4"),
    "list": hw.list,
    "synthesis": lambda: hw.synthesize("mul:a=e2m1fn"),
    "metrics": lambda: hw.metrics("mul:a=e2m1fn"),
    "cycles": lambda: hw.cycles("phi-2", ["fp16", "bitmod"]),
    "quantized": lambda: hw.quantize(np.linspace(-1, 1, 256), "int4"),
    "blocks": lambda: hw.quantize(np.linspace(-1, 1, 256), "nvfp4"),
    "gpu": lambda: hw.gpu("h100", "fp16"),
    "devices": hw.gpu,
}

SAYS = {
    "unit": ("wraps modulo 2^32", "i_valid", "stages"),
    "format": ("The OCP&#x27;s E4M3", "240", "0x78"),
    "block format": ("ue4m3", "16"),
    "list": ("bitplane_dot", "e8m0fnu"),
    "synthesis": ("area (GE)", "NAND2"),
    "metrics": ("Error rate (ER)", "operand sets that were looked at"),
    "cycles": ("phi-2, bitmod: 256 tokens", "lm_head"),
    "quantized": ("bits per weight", "NMSE", "0.005042"),
    "blocks": ("nvfp4", "4.6", "NMSE"),
    "gpu": ("h100-fp16-fp32", "recorded"),
    "devices": ("h100",),
}


@pytest.mark.parametrize("kind", RESULTS)
def test_results_show_themselves(kind: str) -> None:
    result = RESULTS[kind]()
    assert isinstance(result, Tabled)
    shown = result._repr_html_()
    assert shown.startswith("<table>")
    for text in SAYS[kind]:
        assert text in shown, text


def test_what_is_not_registered_has_no_tables() -> None:
    with pytest.raises(TypeError, match="nothing shows a str"):
        tables_of("x")


def test_frames_of_pandas() -> None:
    pytest.importorskip("pandas")
    metrics = hw.metrics("mul:a=e4m3fn").to_pandas().set_index("name")
    assert metrics.loc["Largest error in ulps", "value"] == 0.5
    cycles = hw.cycles("phi-2", ["fp16"]).to_pandas()
    assert cycles["cycles"].iloc[:-1].sum() == cycles["cycles"].iloc[-1]
    assert cycles["DRAM (B)"].max() > 1e9


def test_compare_as_a_frame(flow: FakeFlow) -> None:
    from hwarith.explore.compare import compare

    pytest.importorskip("pandas")
    found = compare(["mul:a=bf16", "lmul:format=bf16"], flow=flow)
    frame = found.to_pandas()
    assert frame["spec"].tolist() == ["mul:a=bf16", "lmul:format=bf16"]
    assert frame["area/1st"].tolist() == [1, 0.25]
    assert 0.9 < frame["ER"].iloc[1] < 1
    assert len(found) == 2
    assert found[-1].unit == hw.unit("lmul:format=bf16")
    for single in ("mul:a=bf16", hw.unit("mul:a=bf16")):
        assert [x.unit.spec for x in compare(single, flow=flow)] == [found[0].unit.spec]
    with pytest.raises(hw.InvalidInput, match="name at least one SPEC, such as"):
        compare([])


def test_report(tmp_path: Any) -> None:
    new, old = make_sweep(tmp_path / "new", 4), make_sweep(tmp_path / "old", 3, seed=2)
    made = hw.report(new, old)
    assert made.page == new / "report.html"
    assert made.changes[0].startswith("Against old: 3 points in both")
    assert "lmul" in made._repr_html_()
    assert made.plot().svg == (new / "report.svg").read_bytes()


def test_sweep(tmp_path: Any) -> None:
    pytest.importorskip("pandas")
    found = hw.sweep(["mul:a=e2m1fn"], tmp_path / "sweep", jobs=1)
    assert [x.spec for x in found] == [hw.unit("mul:a=e2m1fn").spec]
    (row,) = found.to_pandas().to_dict("records")
    assert row["Area (GE)"] == found[0].cost["area"]


def test_weights_of_an_array(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hwarith.flow.synthesis.synthesize.synthesize", FakeFlow().synthesize)
    w = np.random.default_rng(0).normal(size=(4, 64))
    rows = hw.weights(["int4"], w, group=32)
    (row,) = {record["nmse"] for record in rows.records()}
    assert row == pytest.approx(hw.quantize(w, "int4", 32).nmse)
    with pytest.raises(hw.InvalidInput, match="weights file array"):
        hw.weights(["int4"], np.zeros((2, 64)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hw.cycles("phi-2", "fp16"), "configs must be a list of names"),
        (lambda: hw.transformer("float32"), "name at least one SPEC"),
        (lambda: hw.gpu(None, "fp16"), "dtype 'fp16' needs a device; allowed: "),
        (lambda: hw.gpu("h100", "int3"), "h100 has no instruction for 'int3'"),
        (lambda: hw.show("fp8"), "unknown unit or format 'fp8'; did you mean 'e4m3fn'"),
        (lambda: hw.metrics("mul:a=fp32"), "too many to evaluate all"),
        (lambda: hw.metrics("mul:a=fp32", "none.npy"), "none.npy"),
        (lambda: hw.report("nowhere"), "folder nowhere holds no sweep"),
    ],
)
def test_mistakes(call: Any, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        call()


def test_errors_of_quantized_numbers() -> None:
    x = np.random.default_rng(0).normal(size=(4, 64))
    for kind in ("int4", "bitmod4", "mxfp4"):
        q = hw.quantize(x, kind, 32)
        assert q.nmse == pytest.approx(((q.values() - x) ** 2).sum() / (x**2).sum())
    assert hw.quantize(np.zeros((1, 32)), "int4").nmse is None
    assert hw.quantize(np.full((1, 32), np.inf), "mxfp4").nmse is None
    q = hw.quantize(x, "mxfp4", hadamard=hw.Hadamard(32))
    assert 0 < q.nmse < 0.1


def test_pictures(tmp_path: Any) -> None:
    """An error histogram and a number line; the same bytes each time, saved as what is asked."""
    for draw in (hw.metrics("lmul:format=e4m3fn").plot, hw.format("e2m1fn").plot):
        picture = draw()
        assert picture.png.startswith(b"\x89PNG")
        assert picture._repr_png_() == draw().png
        assert picture.save(tmp_path / "x.svg").read_bytes() == picture.svg
        assert b"<svg" in picture.svg
    with pytest.raises(hw.InvalidInput, match=r"a picture is a \.png or \.svg file, not"):
        picture.save(tmp_path / "x.gif")
    with pytest.raises(hw.InvalidInput, match="at most 8 bits, fp16 has 16"):
        hw.format("fp16").plot()


def test_no_picture_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(hw.MissingTool, match=r"pip install 'hwarith\[plots\]'"):
        hw.format("e2m1fn").plot()
