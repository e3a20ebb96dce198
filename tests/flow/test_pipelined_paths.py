"""More stages are never slower, whatever the library."""

from __future__ import annotations

from itertools import pairwise

import pytest

import hwarith as hw
from hwarith.flow.costs import PIPELINED
from hwarith.flow.synthesis import scripts


def path(spec: str, library: str) -> float:
    """The longest path of a unit in a library, or in the recipe ``cmos``."""
    if library == "cmos":
        return hw.synthesize(spec, recipe="cmos").depth
    return hw.synthesize(spec, library=library).delay


def test_a_rank_at_the_results_does_not_lengthen_the_path() -> None:
    """With yosys' own steps it took 63 gates, beside 57 without."""
    assert path("mul:a=bf16,stages=1", "cmos") <= path("mul:a=bf16", "cmos")


@pytest.mark.long
@pytest.mark.parametrize("library", ["cmos", "generic", "osu018"])
@pytest.mark.parametrize("spec", [*PIPELINED, "fma:a=e5m2"])
def test_more_stages_are_never_slower(spec: str, library: str) -> None:
    try:
        paths = [path(f"{spec},stages={n}", library) for n in range(1, 7)]
    except hw.MissingTool as missing:
        pytest.skip(str(missing))
    assert path(spec, library) >= paths[0]
    assert all(more <= fewer for fewer, more in pairwise(paths)), paths


def test_the_steps_for_pipelines_take_the_place_of_the_recipes_own() -> None:
    for recipe in ("asic", "cmos"):
        own = scripts.recipe_script(recipe)
        lines = scripts.pipelined(own).splitlines()
        changed = [line for line in lines if line not in own.splitlines()]
        assert len(changed) == 2
        assert "synth -flatten -noabc" in changed
        assert any("rewrite" in line and "dc2" not in line for line in changed)
    plain = scripts.recipe_script("asic")
    ways = scripts.by_load(scripts.pipelined(plain))
    assert len({way for way in ways if "buffer" in way and "-constr" in way}) == 2
    assert scripts.by_load(plain) == [plain]
