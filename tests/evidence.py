"""What a run of the tests has shown: results compared, by referee; and what it left out, and why.

Tests say what they compare with `compared`; `tests/conftest.py` adds it up and prints it when the
tests end, also those that ran on several processes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import hwarith as hw
from hwarith.flow.evidence.records import EXACT, HARDWARE
from hwarith.flow.stimuli.families import stimulus

COMPARED: Counter[tuple[str, str, bool]] = Counter()
"""Results that the test now running has compared: by referee, by spec of the unit, if it is one,
and whether the operands were all that there are."""

OPENSTA = "timing and energy with OpenSTA"


def compared(
    referee: str, results: int, u: hw.Unit | None = None, operands: Sequence[np.ndarray] = ()
) -> None:
    """Count ``results`` as compared with ``referee``: those of a unit, for these operands."""
    every = u is not None and is_every(u, operands)
    COMPARED[referee, u.spec if u else "", every] += results


def every(referee: str, u: hw.Unit) -> None:
    """Say that calls of `compared` together had every combination of a unit's operands."""
    COMPARED[referee, u.spec, True] += COMPARED.pop((referee, u.spec, False))


def is_every(u: hw.Unit, operands: Sequence[np.ndarray]) -> bool:
    """Whether arrays of codes are every combination of a unit's operands."""
    widths = [f.bits for f in u.inputs.values()]
    if u.transfers.controls or u.lane_formats or len(operands) != len(widths) or sum(widths) > 32:
        return False
    columns = np.broadcast_arrays(*operands)
    if columns[0].size < 1 << sum(widths):
        return False
    place = np.zeros(columns[0].shape, np.int64)
    for column, width in zip(columns, widths, strict=True):
        place = place << width | column.astype(np.int64)
    seen = np.zeros(1 << sum(widths), bool)
    seen[place.ravel()] = True
    return bool(seen.all())


def assert_golden(
    u: hw.Unit, operands: Sequence[np.ndarray], expected: np.ndarray, referee: str = EXACT
) -> None:
    """Hold the golden model of a unit with one result to what a referee gives for operands."""
    np.testing.assert_array_equal(u(*operands), expected, err_msg=u.spec)
    compared(referee, expected.size, u, operands)


def rows(results: np.ndarray | tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """The results of a unit as a tuple, also where it has one."""
    return results if isinstance(results, tuple) else (results,)


def assert_rtl_equals_golden(spec: str, vectors: int = 1 << 18) -> None:
    """Hold the hardware of a unit to its golden model on the stimulus of its family."""
    u = hw.unit(spec)
    assert_equal_on(u, *stimulus(u, vectors, seed=5))


def assert_equal_on(u: hw.Unit, *operands: np.ndarray) -> None:
    """Hold the hardware of a unit to its golden model on these operands, in every result."""
    expected, got = rows(u(*operands)), rows(hw.simulate(u)(*operands))
    differing = [np.asarray(x != y) for x, y in zip(expected, got, strict=True)]
    shown = (*operands, *expected, *got)
    if u.lane_formats:  # a row of each is a block, or what becomes of one
        differs = np.any([x.reshape(len(x), -1).any(axis=1) for x in differing], axis=0)
    else:
        differs = np.any(differing, axis=0)
        single = [x for x in shown if is_one_each(np.shape(x), differs.shape)]  # no groups
        shown = tuple(np.broadcast_to(x, differs.shape).ravel() for x in single)
    compared(HARDWARE, differs.size, u, operands)
    wrong = np.flatnonzero(differs)
    first = [hexadecimal(x[wrong[0]].tolist()) for x in shown] if wrong.size else []
    assert wrong.size == 0, f"{u.spec}: {wrong.size} of {differs.size} differ, first {first}"


def is_one_each(shape: tuple[int, ...], results: tuple[int, ...]) -> bool:
    """Whether an array of this shape has one operand for each of these results."""
    return len(shape) <= len(results) and all(
        n in (1, of) for n, of in zip(reversed(shape), reversed(results), strict=False)
    )


def hexadecimal(codes: int | list[Any]) -> Any:
    """A code, or those of a block."""
    return hex(codes) if isinstance(codes, int) else [hexadecimal(x) for x in codes]


def summary(totals: Counter[str], reasons: Iterable[str]) -> list[str]:
    """The lines that end a run of the tests."""
    lines = [f"compared {n:,} results of {referee}" for referee, n in sorted(totals.items())]
    skipped = Counter(reasons)
    for reason, n in sorted(skipped.items()):
        lines.append(f"not checked, {n} test{'s' * (n > 1)}: {reason}")
    return lines
