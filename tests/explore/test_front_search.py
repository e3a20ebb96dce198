"""Search: it finds more of the Pareto front than chance does, under a budget, in the same store."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from hwarith.exceptions import InvalidInput, MissingTool
from hwarith.explore import run_sweep
from hwarith.explore.metrics import COUNTS
from hwarith.explore.point import COSTS, Result
from hwarith.explore.sweeps.front_search import FrontSearch, SearchGoal
from hwarith.reports.model.content import read_content
from hwarith.reports.model.front import pareto_front
from hwarith.units import Unit, unit
from tests.explore.test_sweep_kill import Sweeps, sweeps, table

__all__ = ["sweeps"]

pytest.importorskip("optuna", reason="Optuna is not installed (pip install 'hwarith[search]')")

GRID = """
[[grid]]
spec = "lmul:format=e{e}m{m},k={k}"
e = { from = 3, to = 8 }
m = { from = 2, to = 12 }
k = { from = 1, to = 12 }
where = "k <= m"
"""


def result(u: Unit, area: float, error: float | None) -> Result:
    return Result(
        u.spec,
        u.name,
        u.operation.name,
        {**dict.fromkeys(COSTS), "area": area},
        None,
        None,
        1.0,
        error,
        {},
        dict.fromkeys(COUNTS, 0),
        0.0,
    )


def lmuls() -> list[Unit]:
    return [
        unit(f"lmul:format=e{e}m{m},k={k}")
        for e in range(3, 9)
        for m in range(2, 13)
        for k in range(1, m + 1)
    ]


def figures(u: Unit) -> tuple[float, float]:
    """Area and error; few exponent bits cost range, more than 5 bring nothing."""
    f = next(iter(u.operands.values()))
    area = 10.0 * f.bits + 3 * u.k
    return area, 2.0 ** -min(u.k, 9) + 2.0**-f.fraction_bits + 3.0 ** (4 - min(5, f.exponent_bits))


def test_it_finds_more_of_the_front_than_chance() -> None:
    units = lmuls()
    all_figures = [figures(u) for u in units]
    front = {units[i] for i in pareto_front(*zip(*all_figures, strict=True))}
    found = []
    for seed in range(3):
        search = FrontSearch(units, SearchGoal(budget=60, seed=seed))
        picked = []
        for _ in range(60):
            u = search.ask()
            assert u is not None
            search.tell(u, result(u, *figures(u)))
            picked.append(u)
        assert len(set(picked)) == 60
        found.append(len(front & set(picked)))
    by_chance = len(front) * 60 / len(units)
    assert sum(found) / 3 > 4 * by_chance


def test_every_unit_is_picked_once_and_then_no_more() -> None:
    units = [*lmuls()[:10], unit("mul:a=bf16"), unit("mul:a=e4m3fn,round=rtz"), unit("add:a=fp32")]
    search = FrontSearch(units, SearchGoal(budget=99))
    search.tell(units[3], result(units[3], 1, 2))
    picked = []
    while u := search.ask():
        picked.append(u)
        if len(picked) % 2:  # others are under way, or have no value
            search.tell(u, result(u, 1, None if len(picked) % 3 else 2))
    assert Counter(picked) == Counter(set(units) - {units[3]})


def test_higher_is_better_for_accuracy() -> None:
    search = FrontSearch(lmuls(), SearchGoal(budget=1, objectives=("area", "accuracy")))
    assert [d.name for d in search._study.directions] == ["MINIMIZE", "MAXIMIZE"]


@pytest.mark.long
def test_a_search_in_the_shell(sweeps: Sweeps, tmp_path: Path) -> None:
    sweeps.environment["QUICK_SECONDS"] = "0"
    sweeps.file.write_text(f'{GRID}[search]\nbudget = 8\nobjectives = ["area", "mred"]')
    assert sweeps.run(tmp_path / "a") == (0, "")
    assert len(table(tmp_path / "a")) == len(sweeps.measured()) == 8
    # Again: nothing to do, also with other dice. With a larger budget: only what is new.
    text = sweeps.file.read_text()
    sweeps.file.write_text(f"{text}\nseed = 5")
    assert sweeps.run(tmp_path / "a") == (0, "")
    assert len(table(tmp_path / "a")) == len(sweeps.measured()) == 8
    assert sweeps.run(tmp_path / "a", "--budget", "12") == (0, "")
    assert len(table(tmp_path / "a")) == len(sweeps.measured()) == 12
    assert len(set(sweeps.measured())) == 12
    assert read_content(tmp_path / "a").commands[0].endswith("a --budget 12")
    sweeps.file.write_text(GRID.replace("= 12", "= 3").replace("= 8", "= 4"))
    assert sweeps.run(tmp_path / "b", "--budget", "999") == (0, "")
    assert len(table(tmp_path / "b")) == 2 * (2 + 3)
    assert len(sweeps.measured()) == len(set(sweeps.measured()))


def test_the_same_search_gives_the_same_points(sweeps: Sweeps, tmp_path: Path) -> None:
    sweeps.environment["QUICK_SECONDS"] = "0"
    sweeps.file.write_text(GRID)
    for name in "ab":
        options = ("--budget", "15", "--jobs", "1")
        assert sweeps.run(tmp_path / name, *options) == (0, "")
    assert table(tmp_path / "a") == table(tmp_path / "b")
    assert len(sweeps.measured()) == 15


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("budget = 0", "budget must be an integer of 1 or more, not 0"),
        ('budget = "5"', "budget must be an integer of 1 or more, not '5'"),
        ("budgets = 5", "line 3: search: unknown key 'budgets'; did you mean 'budget'"),
        ('objectives = ["aera"]', "line 2: search: unknown objective 'aera'; did you mean 'area'"),
        ('objectives = ["sqnr"]', "unknown objective 'sqnr'"),
        ('objectives = ["area", "area"]', "objectives must differ: area, area"),
        ("objectives = []", r"objectives must be a list of figures, not \[\]"),
        ("seed = -1", r"seed must be an integer from 0 to 2\^32 - 1, not -1"),
        ("seed = 1", "a search needs a budget: budget = N in .search., or --budget N"),
    ],
)
def test_mistakes(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'points = ["mul:a=bf16"]\n[search]\n{text}')
    with pytest.raises(InvalidInput, match=message) as caught:
        run_sweep(file, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_search_must_be_a_table(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('search = 3\npoints = ["mul:a=bf16"]')
    with pytest.raises(InvalidInput, match=r"line 1: search must be written \[search\]"):
        run_sweep(tmp_path / "mine.toml", tmp_path / "out")
    with pytest.raises(InvalidInput, match="budget must be an integer of 1 or more, not 0"):
        run_sweep(["mul:a=bf16"], tmp_path / "out", budget=0)


def test_without_optuna(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingTool, match=r"pip install 'hwarith\[search\]'"):
        run_sweep(["mul:a=bf16", "mul:a=fp16"], tmp_path / "out", budget=1)
    assert not (tmp_path / "out").exists()


def test_failed_points_use_the_budget_up(flow, tmp_path: Path) -> None:
    from hwarith.exceptions import ToolFailure

    def fail(u: Unit) -> None:
        raise ToolFailure("no luck")

    before: Callable[[Unit], None] = fail
    flow.before = before
    with pytest.raises(ToolFailure, match="2 of 2 points failed"):
        run_sweep(
            ["mul:a=e2m1fn", "mul:a=e2m3fn", "mul:a=e3m2fn"],
            tmp_path,
            budget=2,
            flow=flow,
        )
