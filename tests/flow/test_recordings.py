"""Recorded results of GPUs against golden models and hardware, and the commands about them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore.gpus import devices, instructions
from hwarith.flow.evidence.records import RECORDED, RECORDED_RTL
from hwarith.flow.recordings import check_recordings
from hwarith.units.dot import PRESETS
from tests.evidence import compared

FILE = os.environ.get("HWARITH_GPU_RECORDINGS", "")
"""A file of recordings: ``DEVICE/FORMAT/a``, ``/b``, ``/c``, ``/d_fp32``, ``/d_fp16``."""

FORMATS = {"E4M3": "e4m3fn", "E5M2": "e5m2"}
FEW = ("V100/fp16/d_fp32", "Ada/E4M3/d_fp16", "A100/tf32/d_fp32")


def recorded() -> list[str]:
    return [key for key in np.load(FILE).files if "/d_" in key] if FILE else []


def preset_of(key: str) -> str:
    """The preset of a device's instruction; H200 is as H100."""
    device, name, result = key.split("/")
    device = device.lower().replace("h200", "h100")
    element, out = FORMATS.get(name, name), result.removeprefix("d_")
    kind = ""
    if name in FORMATS and device in ("h100", "b200"):
        kind = "wgmma-" if (device, out) == ("h100", "fp32") else "mma-"
    return f"{device}-{kind}{element}-{out}"


def rows_of(key: str) -> dict[str, np.ndarray]:
    arrays, (device, name, _) = np.load(FILE), key.split("/")
    found = {x: arrays[f"{device}/{name}/{x}"] for x in "abc"} | {"d": arrays[key]}
    if "wgmma" in preset_of(key):
        del found["c"]  # it was recorded without
    return found


@pytest.mark.skipif(not FILE, reason="HWARITH_GPU_RECORDINGS names no file of recorded results")
def test_definitions_give_every_recorded_result():
    assert len(recorded()) == 38
    for key in recorded():
        found = check_recordings(preset_of(key), rows_of(key))
        compared(RECORDED, found.rows, hw.unit(f"dot:preset={preset_of(key)}"))
        assert found.differing == {"golden": 0}, key


@pytest.mark.skipif(not FILE, reason="HWARITH_GPU_RECORDINGS names no file of recorded results")
@pytest.mark.parametrize(
    "key",
    [
        pytest.param(x, marks=[] if x in FEW else pytest.mark.long)
        for x in (recorded() or ["nothing"])
    ],
)
def test_hardware_gives_every_recorded_result(key):
    found = check_recordings(preset_of(key), rows_of(key), rtl=True)
    compared(RECORDED_RTL, found.rows, hw.unit(f"dot:preset={preset_of(key)}"))
    assert found.differing == {"golden": 0, "RTL": 0}


# Operands 1.5 * 2 - 0.25 * 4 + ... of which every sum is exact, so that all devices agree.
ROWS = {
    "a": np.array([[1.5, -0.25, 0, 0], [2, 2, 2, 2]], np.float32),
    "b": np.array([[2, 4, 0, 0], [0.5, 0.5, -0.5, 1]], np.float32),
    "c": np.array([0.5, 1], np.float32),
    "d": np.array([2.5, 4], np.float32),
}


def test_known_rows_and_one_that_differs():
    assert check_recordings("v100-fp16-fp32", ROWS).differing == {"golden": 0}
    wrong = ROWS | {"d": np.array([2.5, 3], np.float32)}
    found = check_recordings("v100-fp16-fp32", wrong, rtl=True)
    assert found.differing == {"golden": 1, "RTL": 1}
    first = found.differences[0]
    assert (first.row, first.expected, first.got) == (1, 0x40400000, 0x40800000)
    added = {x.term: float(x.added) for x in first.terms}
    assert added == {"a[0] b[0]": 1, "a[1] b[1]": 1, "a[2] b[2]": -1, "a[3] b[3]": 2, "c": 1}


def test_what_is_cut_off_is_told():
    tiny = {"a": [[1, 2**-12]], "b": [[1, 1.5 * 2**-12]], "c": [0], "d": [2]}
    arrays = {key: np.array(x, np.float64) for key, x in tiny.items()}
    (first,) = check_recordings("v100-fp16-fp32", arrays).differences
    assert [(float(x.exact), float(x.added)) for x in first.terms] == [
        (1, 1),
        (1.5 * 2**-24, 0),
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"d": None}, "have the keys a, b, d and perhaps c, not a, b, c"),
        ({"e": np.zeros(2)}, "not a, b, c, d, e"),
        ({"a": np.zeros((2, 4), complex)}, "a must be floats or unsigned integers, not complex128"),
        ({"a": np.zeros((3, 4))}, r"not a \(3, 4\), b \(2, 4\)"),
        ({"a": np.full((2, 4), 1 / 3)}, "a: 0.333333.* is no value of fp16"),
        ({"c": np.zeros((2, 1), np.float32)}, r"c \(2, 1\)"),
        ({"a": np.zeros((2, 0)), "b": np.zeros((2, 0))}, "must not be empty"),
    ],
)
def test_wrong_recordings(change, words):
    arrays = {key: x for key, x in (ROWS | change).items() if x is not None}
    with pytest.raises(hw.InvalidInput, match=words):
        check_recordings("v100-fp16-fp32", arrays)


def test_wrong_presets():
    with pytest.raises(hw.InvalidInput, match="did you mean 'v100-fp16-fp32'"):
        check_recordings("v100-fp16-fp23", ROWS)
    with pytest.raises(hw.InvalidInput, match="without scales"):
        check_recordings("b200-nvfp4", ROWS)


def test_gpus():
    assert set(devices()) == {"v100", "a100", "ada", "h100", "b200", "cdna1", "cdna2", "cdna3"}
    (wgmma,) = [x for x in instructions("h100", "e5m2") if x.name == "h100-wgmma-e5m2-fp32"]
    kept, lost, apart, rounding = (x.result for x in wgmma.shown)
    assert (kept, lost, apart, rounding) == (2.0**-13, 0, 2.0**-14, 1)
    assert sum(len(instructions(x)) for x in devices()) == len(PRESETS)
    with pytest.raises(hw.InvalidInput, match="unknown device 'h10'"):
        instructions("h10")
    with pytest.raises(hw.InvalidInput, match="v100 has no instruction for 'bf16'"):
        instructions("v100", "bf16")


def test_commands(tmp_path: Path, capsys, monkeypatch):
    from hwarith.cli.app import main

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["hwarith", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return (ended.value.code, *capsys.readouterr())

    np.savez(tmp_path / "good.npz", **ROWS)
    np.savez(tmp_path / "bad.npz", **(ROWS | {"d": ROWS["d"] + 1}))
    assert run("gpu-check", "v100-fp16-fp32", str(tmp_path / "good.npz"))[0] == 0
    status, out, _ = run("gpu-check", "v100-fp16-fp32", str(tmp_path / "bad.npz"))
    assert status == 1
    assert "a[0] b[0]=3->3" in out
    status, out, _ = run("gpu", "ada", "--dtype", "e4m3fn")
    assert status == 0
    assert "ada-e4m3fn-fp16" in out
    status, _, error = run("gpu", "--dtype", "e4m3fn")
    assert status == 2
    assert "needs a device" in error
