"""Pipelines cut by a library's delays: the unit is mapped, timed, and its cuts are moved.

The delay model knows no library: loads, what registers take, and what mapping makes of a step are
beyond it. So it only places the ranks for given shares of its delay, and the shares follow from
what mapping finds: a segment that comes out longer than the mean gets less, one that comes out
shorter gets more. That takes a few mappings, and needs no fit of the model to each library.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ...exceptions import InvalidInput, quoted, shown
from ...inputs import read_liberty
from ...progress import Count, counted
from ...rtl import SUM_BLOCK
from ...units import Unit
from ...units.contract import STAGES
from ...units.timed import GATE, PICOSECONDS, SHARES, parsed_period, with_cuts
from ..verilog import verilog
from . import figures, liberty, results, scripts
from .libraries import OPEN_CELLS, fpga, liberty_file
from .synthesize import synthesize

GRAINS = (SUM_BLOCK, 4)
"""Bits of wide sums between which registers may stand: the model's own, and a finer one, which is
faster for some units and slower for others."""

ROUNDS = 4
"""How often cuts are moved at most."""

EVEN = 1.03
"""The longest segment over the mean with which cuts are moved no more: mapping varies by 2 %."""

_STEP = 0.7
"""The part of what a segment is off the mean by which its share changes."""

_SURELY = 1.1
"""If even the mean of the segments is beyond the period by this factor, no cuts will reach it."""


class Closed(NamedTuple):
    """A pipeline: its stages, their shares, the grain of sums, and the longest path in the
    library."""

    stages: int
    cuts: tuple[int, ...]
    grain: int
    delay: float


def closed(u: Unit, library: str, period: str | None, stages: int) -> Closed:
    """Stages and cuts with which a unit, which has none yet, is fast in a library.

    Parameters
    ----------
    library : the name or path of a library of cells.
    period : the fewest stages that keep all paths at this time, such as ``1.2 ns``; with the
        generic library in delays of its NAND gate, ``30 nand2``.
    stages : without a period the number of stages; their longest path is as short as it comes.

    What is found is kept in the cache folder. Raises `InvalidInput` for a library that is none of
    cells or has no delays, and for a period that no number of stages reaches.
    """
    target = _in_library(library, period) if period else None
    content = [verilog(u), library, repr(target), str(stages), *_all_of(library)]

    def find() -> dict[str, Any]:
        with counted(f"map {u.family} to {library}") as count:
            search = _Search(u, library, count)
            found = search.reaching(target) if target else search.never_slower(stages)
        return found._asdict()

    found = results.kept("closing", __name__, content, find)
    return Closed(found["stages"], tuple(found["cuts"]), found["grain"], found["delay"])


class _Search:
    """The search for the cuts of a unit in a library."""

    def __init__(self, u: Unit, library: str, count: Count):
        self._unit, self._library, self._count = u, library, count

    def never_slower(self, stages: int) -> Closed:
        """The fastest cuts into so many stages that are found, or those of a stage less and an
        empty rank at the end, if that is faster."""
        found = self.even(stages)
        fewer = closed(self._unit, self._library, None, stages - 1) if stages > 1 else found
        if fewer.delay >= found.delay:
            return found
        cuts = (*(fewer.cuts or (1,) * fewer.stages), 0)
        padded, _ = self._mapped(stages, cuts, fewer.grain)
        return min(found, padded, key=_delay)

    def even(self, stages: int, goal: float = 0.0) -> Closed:
        """The fastest cuts into so many stages that are found; the first ones that reach a goal.

        The model's own cuts come first, for each grain. Of the grain with the least mean, shares
        are moved: from the best ones so far, by less where the last move made paths longer.
        """
        tried = [self._mapped(stages, (), grain) for grain in GRAINS[: 1 if stages == 1 else 2]]
        best = min((found for found, _ in tried), key=_delay)
        last, segments = min(tried, key=lambda x: _mean(x[1]))
        shares, step = [1.0] * stages, 1.0
        for _ in range(ROUNDS if stages > 1 else 0):
            if best.delay <= max(goal, EVEN * _mean(segments)):
                break
            if _mean(segments) > _SURELY * goal > 0:
                break
            moved = _moved(shares, segments, step)
            cuts = tuple(max(1, round(SHARES * share / max(moved))) for share in moved)
            found, path = self._mapped(stages, cuts, last.grain)
            if found.delay < last.delay:
                last, segments, shares = found, path, moved
            else:
                step /= 2
            best = min(best, found, key=_delay)
        return best

    def reaching(self, target: float) -> Closed:
        """The fewest stages whose paths are all at the target. Raises `InvalidInput`."""
        whole = self.even(1).delay
        fewest = min(STAGES, max(1, int(whole / target / _SURELY)))
        tried = []
        for stages in range(fewest, STAGES + 1):
            tried.append(self.even(stages, target))
            if tried[-1].delay <= target:
                return tried[-1]
        tried.append(self.even(STAGES))
        least = min(tried, key=lambda found: (found.delay, found.stages))
        raise InvalidInput(
            f"parameter target_period: the least that is found in library "
            f"{shown(self._library)} is {_in_words(least.delay, self._library)}, with "
            f"{least.stages} stages, not {_in_words(target, self._library)}"
        )

    def _mapped(self, stages: int, cuts: tuple[int, ...], grain: int) -> tuple[Closed, list[float]]:
        """A pipeline and the longest path to each of its ranks."""
        found = synthesize(with_cuts(self._unit, stages, cuts, grain), library=self._library)
        if found.segments is None or found.delay is None:
            raise InvalidInput(f"library {shown(self._library)}: it has no delays to cut by")
        self._count.advance()
        return Closed(stages, cuts, grain, found.delay), found.segments


def _delay(found: Closed) -> float:
    return found.delay


def _mean(segments: list[float]) -> float:
    return sum(segments) / len(segments)


def _moved(shares: list[float], segments: list[float], step: float) -> list[float]:
    """Less for segments beyond the mean and more for those below it, by a part of the factor."""
    mean = _mean(segments)
    return [
        share * (mean / max(path, mean / 2)) ** (_STEP * step)
        for share, path in zip(shares, segments, strict=True)
    ]


def _in_library(library: str, period: str) -> float:
    """A period in the library's unit of time. Raises `InvalidInput` for a unit of another kind."""
    number, unit = parsed_period(period)
    if (library == "generic") != (unit == GATE):
        allowed = GATE if library == "generic" else ", ".join(PICOSECONDS)
        raise InvalidInput(
            f"parameter target_period: the time of library {quoted(library)} is in {allowed}, "
            f"not {unit}"
        )
    if unit == GATE:
        return number
    return number * PICOSECONDS[unit] / liberty.read(_file(library)).picoseconds


def _in_words(time: float, library: str) -> str:
    """A time in the library's unit as a period is given, rounded up."""
    generic = library == "generic"
    scale = 1.0 if generic else liberty.read(_file(library)).picoseconds / PICOSECONDS["ns"]
    return f"{math.ceil(round(1e3 * scale * time, 6)) / 1e3:g}{GATE if generic else 'ns'}"


def _file(library: str) -> Path:
    """The Liberty file of a library of cells. Raises `InvalidInput` for an FPGA family."""
    if fpga(library):
        raise InvalidInput(
            f"parameter library: {quoted(library)} has no cells to cut by; allowed: generic, "
            f"{', '.join(OPEN_CELLS)}, the path of a Liberty file"
        )
    return liberty_file(library)


def _all_of(library: str) -> Iterator[str | bytes]:
    """All that the mapping of a pipeline to a library depends on, besides the unit."""
    yield read_liberty(_file(library))
    yield from (scripts.pipelined(scripts.recipe_script("asic")), figures.cell_models())
