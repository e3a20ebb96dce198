"""Own operands from files, and the command that evaluates units on them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import hwarith as hw
from hwarith.cli import main
from hwarith.exceptions import InvalidInput
from hwarith.explore import evaluate
from hwarith.explore.operands_file import read_operands

MUL = hw.unit("mul:a=bf16")


def test_values_are_rounded_and_codes_are_not(tmp_path: Path) -> None:
    x = np.array([1.0, 1.001, -3.0])
    np.savez(tmp_path / "both.npz", b=np.array([0x3F80], np.uint16), a=x)
    a, b = read_operands(MUL, tmp_path / "both.npz")
    np.testing.assert_array_equal(a, MUL.a.encode(x))
    np.testing.assert_array_equal(b, [0x3F80])
    assert evaluate(MUL, [a, b]).metrics["error_rate"] == 0


def test_one_array_of_all_operands(tmp_path: Path) -> None:
    codes = np.arange(6, dtype=np.uint16).reshape(2, 3)
    np.save(tmp_path / "all.npy", codes)
    np.testing.assert_array_equal(read_operands(MUL, tmp_path / "all.npy"), codes)
    np.save(tmp_path / "all.npy", np.ones((3, 5)))
    a, b, c = read_operands(hw.unit("anfma:a=bf16,seed=fp32"), tmp_path / "all.npy")
    assert (a.dtype, b.dtype, c.dtype) == (np.uint16, np.uint16, np.uint32)


def test_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    with pytest.raises(InvalidInput, match="cannot be read: No such file"):
        read_operands(MUL, path)
    path.write_text("nothing")
    with pytest.raises(InvalidInput, match=r"no \.npy or \.npz file"):
        read_operands(MUL, path)
    np.save(path, np.ones((3, 4)))
    with pytest.raises(InvalidInput, match=r"must be that of the 2 operands \(a, b\), not"):
        read_operands(MUL, path)
    np.save(path, np.full((2, 3), 1 << 16, np.uint32))
    with pytest.raises(InvalidInput, match="a: 65536 is not a code of bf16"):
        read_operands(MUL, path)
    np.save(path, np.array([["a"], ["b"]]))
    with pytest.raises(InvalidInput, match="must be codes"):
        read_operands(MUL, path)
    np.savez(tmp_path / "x.npz", a=[1.0], c=[1.0])
    with pytest.raises(InvalidInput, match="must have the arrays a, b, not a, c"):
        read_operands(MUL, tmp_path / "x.npz")


def test_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "x.npy", np.full((2, 7), 1.5))
    arguments = ["lmul:format=bf16", "--operands", str(tmp_path / "x.npy")]
    for more in ([], ["--json"]):
        monkeypatch.setattr("sys.argv", ["hwarith", "metrics", *arguments, *more])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 0
        text = capsys.readouterr().out
    found = json.loads(text)
    assert found["metrics"]["mred"] == pytest.approx(1 - 2.125 / 2.25, rel=1e-12)  # 1/18
    assert found["counts"]["operand_sets"] == 7


@pytest.mark.long
def test_energy_of_own_operands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.random.default_rng(0).normal(size=(3, 200))
    path = str(tmp_path / "x.npy")
    np.save(path, x)
    u = hw.unit("anfma:a=e4m3fn,w=8")
    command = ["hwarith", "energy", u.spec, "--operands", path]
    monkeypatch.setattr("sys.argv", [*command, "--json"])
    with pytest.raises(SystemExit):
        main()
    (found,) = json.loads(capsys.readouterr().out)
    a, b, c = (f.encode(v) for f, v in zip((u.a, u.b, u.seed), x, strict=True))
    assert found["energy"] == hw.energy(u, a, b, u.chain_start(c)).energy
    monkeypatch.setattr("sys.argv", [*command, "--workload", "digits"])
    with pytest.raises(SystemExit) as end:
        main()
    assert (end.value.code, "not of both" in capsys.readouterr().err) == (2, True)
