"""Sweep files: what they mean, and what is said about mistakes in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hwarith.exceptions import InvalidInput
from hwarith.explore.sweeps.front_search import SearchGoal
from hwarith.explore.sweeps.sweep import DEFAULT
from hwarith.explore.sweeps.sweep_file import Sweep, read_sweep, sweep_of
from hwarith.units import unit


def read(tmp_path: Path, text: str) -> Sweep:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return read_sweep(path)


def test_points_and_grids(tmp_path: Path) -> None:
    sweep = read(
        tmp_path,
        """
        points = ["mul:a=bf16", "mul:a=bf16,round=rne"]
        [[grid]]
        spec = "lmul:format={format},k={k}"
        format = ["bf16", "fp16"]
        k = [3, 4]
        """,
    )
    assert [u.name for u in sweep.points] == [
        unit(spec).name
        for spec in (
            "mul:a=bf16",
            "lmul:format=bf16,k=3",
            "lmul:format=bf16,k=4",
            "lmul:format=fp16,k=3",
            "lmul:format=fp16,k=4",
        )
    ]
    assert (sweep.workload, sweep.library, sweep.source) == ("digits", "generic", "mine.toml")


def test_default_sweep_is_what_was_promised() -> None:
    points = read_sweep(DEFAULT).points
    assert len(points) >= 24
    formats = {f.name for u in points for f in u.operands.values()}
    assert {"fp32", "bf16", "fp16", "e4m3fn", "e5m2", "int8"} <= formats
    assert {u.family for u in points} == {"mul", "lmul", "fma"}


def test_the_documented_file(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "sweeps.md").read_text()
    sweep = read(tmp_path, "".join(re.findall(r"^```toml\n(.*?)^```", page, re.DOTALL | re.M)))
    ks = [u.spec.partition("k=")[2] for u in sweep.points if "lmul:format=bf16" in u.spec]
    assert ks == [f"{k},krnd={r}" for k in range(1, 5) for r in ("trunc", "rne")] + [
        f"{k},krnd=trunc" for k in (5, 6, 7)
    ]
    assert sweep.search == SearchGoal(budget=50)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("points = [", r"mine.toml: .*\(at "),
        ('\npoint = ["mul:a=bf16"]', "line 2: unknown key 'point'; did you mean 'points'"),
        ("points = 3", "line 1: points must be a list of specs in quotes"),
        (
            'points = [\n"mul:a=bf16",\n"mull:a=bf16"]',
            r"line 3: points\[1\]: unknown unit 'mull'; did you mean 'mul'",
        ),
        ('points = ["mul:a=bf61"]', r"line 1: points\[0\]: mul: parameter a: unknown format"),
        ('workload = "digit"', "line 1: unknown workload 'digit'"),
        ("workload = 1", "line 1: workload must be a string, not 1"),
        ('library = "none.lib"\npoints = ["mul:a=bf16"]', "none.lib is not there"),
        ('library = "osu018x"\npoints = ["mul:a=bf16"]', "unknown library 'osu018x'; .*osu035"),
        ("", "a sweep needs at least one design point"),
        ("grid = 1", r"line 1: grid must be written \[\[grid\]\]"),
        ("[[grid]]\nk = [3]", r"grid\[0\] needs spec ="),
        ('[[grid]]\nspec = "lmul:k={k}"', r"line 2: grid\[0\]: {k} in spec needs a list"),
        ('[[grid]]\nspec = "lmul:k=3"\nk = [3]', r"line 3: grid\[0\]: list k is not used"),
        ('[[grid]]\nspec = "lmul:k={k}"\nk = 3', r"line 3: grid\[0\]: k must be a list"),
        (
            '[[grid]]\nspec = "lmul:format=bf16,k={k}"\nk = [3, 99]',
            r"line 2: grid\[0\], lmul:format=bf16,k=99: lmul: .*k",
        ),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        read(tmp_path, text)
    assert "mine.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_sweep(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.toml cannot be read: No such file"):
        sweep_of(tmp_path / "none.toml")
    with pytest.raises(InvalidInput, match="not 3"):
        sweep_of(3)
    with pytest.raises(InvalidInput, match="unknown unit 'mull'"):
        sweep_of(["mull:a=bf16"])
    (tmp_path / "latin.toml").write_bytes(b'points = ["\xe9"]')
    with pytest.raises(InvalidInput, match=r"latin\.toml"):
        sweep_of(tmp_path / "latin.toml")


def test_libraries_by_name(tmp_path: Path) -> None:
    sweep = read(tmp_path, 'library = "ice40"\npoints = ["mul:a=bf16"]')
    assert (sweep.library, sweep.library_digest()) == ("ice40", "ice40")
    (tmp_path / "ice40").write_text("library(cells) {}")
    sweep = read(tmp_path, 'library = "ice40"\npoints = ["mul:a=bf16"]')
    assert sweep.library == str(tmp_path / "ice40")


def test_a_liberty_file_stands_beside_the_sweep_file(tmp_path: Path) -> None:
    (tmp_path / "cells.lib").write_text("library(cells) {}")
    sweep = read(tmp_path, 'library = "cells.lib"\npoints = ["mul:a=bf16"]')
    assert Path(sweep.library) == tmp_path / "cells.lib"
    assert sweep.library_digest() != Sweep(sweep.points).library_digest()
