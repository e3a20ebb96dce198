"""Pipelines for a library: `target_period`, `library`, and the `cuts` that they become."""

from __future__ import annotations

from itertools import pairwise

import pytest

import hwarith as hw
from bench.balance import FORMATS, MOST_UNEVEN, STAGES, UNITS
from hwarith.flow.stimuli.families import stimulus
from hwarith.flow.synthesis.closing import EVEN, Closed, _Search
from hwarith.progress import Count
from hwarith.units.contract import STAGES as MOST_STAGES
from tests.evidence import assert_equal_on
from tests.rtl.cutter import cutter

TINY = "mul:a=e2m1fn"


# -- cuts ----------------------------------------------------------------------------------------


def test_segments_have_their_shares_of_the_delay() -> None:
    cuts = cutter("fma:a=fp16")
    first, middle, last = cuts.pipeline(3, (1, 2, 1)).delays
    assert middle > 1.7 * max(first, last)
    assert cuts.pipeline(3, (7, 7, 7)) == cuts.pipeline(3)


def test_a_segment_without_a_share_is_empty() -> None:
    cuts = cutter("add:a=e4m3")
    assert cuts.pipeline(4, (1, 1, 0, 0)).segment == cuts.pipeline(2).segment


@pytest.mark.parametrize(
    "spec", ["fma:a=e4m3,stages=3,cuts=5+9+3,grain=4", "add:a=bf16,stages=4,cuts=4+5+6+0,grain=3"]
)
def test_cut_units_equal_golden(spec: str) -> None:
    u = hw.unit(spec)
    assert hw.unit(u.spec) == u
    assert f"// {u.spec}\n" in hw.verilog(u)
    assert_equal_on(u, *stimulus(u, 1 << 14, seed=9))


def test_where_ranks_stand_is_no_option_of_results() -> None:
    assert hw.unit("fma:a=e4m3,stages=2,cuts=3+2").name == "fma_e4m3_e4m3_e4m3_e4m3_rne_l2_cut3_2"
    assert hw.unit("dot:preset=v100-fp16-fp32,stages=2,cuts=3+2").spec.endswith("cuts=3+2")


# -- the search ----------------------------------------------------------------------------------


class Modelled(_Search):
    """A search in which the delay model stands for mapping: it is off, by a factor that is another
    for each step of the unit and grain of sums, as libraries are."""

    def __init__(self, spec: str, factors: tuple[float, ...]):
        super().__init__(hw.unit(spec), "generic", Count(spec))
        self._cutter, self._factors, self.mapped = cutter(spec), factors, 0

    def _mapped(self, stages: int, cuts: tuple[int, ...], grain: int) -> tuple[Closed, list[float]]:
        self.mapped += 1
        delays = self._cutter.pipeline(stages, cuts).delays
        places = [round(i * (len(self._factors) - 1) / max(stages - 1, 1)) for i in range(stages)]
        found = [x * self._factors[place] for x, place in zip(delays, places, strict=True)]
        return Closed(stages, cuts, grain, max(found)), found


def test_cuts_are_moved_to_where_the_library_is_slow() -> None:
    plain = Modelled("fma:a=fp16", (1.0, 0.7, 1.1))
    (_, before), closed = plain._mapped(3, (), 8), plain.even(3)
    _, after = plain._mapped(3, closed.cuts, closed.grain)
    assert max(before) > 1.15 * sum(before) / 3
    assert max(after) < 0.92 * max(before)
    assert max(after) < 1.08 * sum(after) / 3


def test_even_segments_are_left_alone() -> None:
    first, second = cutter("mul:a=fp16").pipeline(2).delays
    even = Modelled("mul:a=fp16", (EVEN * second / first, 1.0))
    assert (even.even(2).cuts, even.mapped) == ((), 2)
    assert Modelled("mul:a=fp16", (1.2 * second / first, 1.0)).even(2).cuts


def test_a_period_takes_the_fewest_stages_that_reach_it() -> None:
    search = Modelled("minmax:a=e4m3", (1.0, 0.9))
    for stages in (1, 2):
        target = search.even(stages).delay
        assert search.reaching(target).stages == stages
        assert search.reaching(target).delay <= target


def test_a_period_out_of_reach_says_what_can_be_reached() -> None:
    search = Modelled("minmax:a=e4m3", (1.0,))
    least = search.even(MOST_STAGES)
    assert least.delay == min(search.even(n).delay for n in range(1, MOST_STAGES + 1))
    with pytest.raises(hw.InvalidInput) as error:
        search.reaching(10.0)
    assert str(error.value) == (
        "parameter target_period: the least that is found in library generic is "
        f"{least.delay:g}nand2, with {MOST_STAGES} stages, not 10nand2"
    )


# -- with a library ------------------------------------------------------------------------------


def test_a_tiny_unit_closes_in_the_generic_library() -> None:
    u = hw.unit(f"{TINY},target_period=14nand2,library=generic")
    assert u == hw.unit(f"{TINY},stages=1") == hw.unit(u.spec)
    (segment,) = hw.synthesize(u).segments or ()
    assert 0 < segment <= 14


def test_the_longest_segment_is_the_longest_path() -> None:
    found = hw.synthesize(f"{TINY},stages=2")
    assert found.segments is not None
    assert len(found.segments) == 2
    assert max(found.segments) == found.delay
    assert hw.synthesize(TINY).segments is None


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("target_period=2ns", "fma: parameter target_period: give a library as well"),
        ("library=osu018", "fma: parameter library: give target_period or stages as well"),
        (
            "target_period=2ns,library=osu018,stages=2",
            "fma: give stages or target_period, not both",
        ),
        ("stages=2,library=osu018,cuts=1+1", "fma: give cuts or library, not both"),
        ("stages=2,library=osu018,grain=4", "fma: give grain or library, not both"),
        (
            "target_period=-2ns,library=osu018",
            "fma: parameter target_period: must be more than 0, not '-2ns'",
        ),
        (
            "target_period=0ns,library=osu018",
            "fma: parameter target_period: must be more than 0, not '0ns'",
        ),
        (
            "target_period=fast,library=osu018",
            "fma: parameter target_period: must be a time, such as 1.2ns, not 'fast'",
        ),
        (
            "target_period=2h,library=osu018",
            "fma: parameter target_period: '2h': its unit must be one of fs, ps, ns, us, "
            "nand2 (of the generic library), not 'h'",
        ),
        (
            "target_period=2,library=osu018",
            "fma: parameter target_period: '2': its unit must be one of fs, ps, ns, us, "
            "nand2 (of the generic library), but it has none",
        ),
        (
            "target_period=2ns,library=generic",
            "fma: parameter target_period: the time of library 'generic' is in nand2, not ns",
        ),
        (
            "target_period=2ns,library=xc7",
            "fma: parameter library: 'xc7' has no cells to cut by; allowed: generic, osu018, "
            "osu035, osu050, the path of a Liberty file",
        ),
        ("stages=2,cuts=3", "fma: parameter cuts: must be as many as stages, 2, not 1"),
        ("stages=2,cuts=3+x", "fma: parameter cuts: must be numbers, as 9+10+10, not '3+x'"),
        ("stages=2,cuts=3+1001", "fma: parameter cuts: must be 0 to 1000 each, not 1001"),
        (
            "stages=2,cuts=0+1",
            "fma: parameter cuts: may be 0 only for the last ones, which are empty",
        ),
    ],
)
def test_wrong_parameters(parameters: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput) as error:
        hw.unit(f"fma:a=e4m3,{parameters}")
    assert str(error.value) == message


@pytest.mark.parametrize("spec", ["mac:a=bf16", "div:a=fp16,clocks=13", "kulisch:a=e4m3"])
@pytest.mark.parametrize("parameter", ["cuts=1", "grain=4", "target_period=2ns"])
def test_only_pipelines_are_cut(spec: str, parameter: str) -> None:
    with pytest.raises(hw.InvalidInput, match="only the ranks of a pipeline can be placed"):
        hw.unit(f"{spec},{parameter}")


@pytest.mark.long
@pytest.mark.parametrize("library", ["generic", "osu018"])
@pytest.mark.parametrize("spec", [f"{unit}:a={f}" for unit in UNITS for f in FORMATS])
def test_stages_for_a_library_are_even_and_never_slower(spec: str, library: str) -> None:
    try:
        found = [hw.synthesize(f"{spec},stages={n},library={library}", library) for n in STAGES]
    except hw.MissingTool as missing:
        pytest.skip(str(missing))
    delays = [x.segments or [0.0] for x in found]
    assert all(max(x) <= MOST_UNEVEN * sum(x) / len(x) for x in delays if min(x)), delays
    longest = [max(x) for x in delays]
    assert all(more <= fewer for fewer, more in pairwise(longest)), longest
