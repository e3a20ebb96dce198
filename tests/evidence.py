"""What a run of the tests has shown: results compared, by referee; and what it left out, and why.

Tests say what they compare with `compared`; `tests/conftest.py` adds it up and prints it when the
tests end, also those that ran on several processes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus

COMPARED: Counter[str] = Counter()
"""Results that the test now running has compared, by referee."""

HARDWARE = "of hardware with the golden model"
EXACT = "of golden models with exact arithmetic"
SOFTFLOAT = "of golden models with Berkeley SoftFloat"
ML_DTYPES = "of golden models with ml_dtypes"
GFLOAT = "of golden models with gfloat"
OPENSTA = "of timing and energy with OpenSTA"


def compared(referee: str, results: int) -> None:
    """Count ``results`` as compared with ``referee``."""
    COMPARED[referee] += results


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
    differs = np.any([x != y for x, y in zip(expected, got, strict=True)], axis=0)
    compared(HARDWARE, differs.size)
    wrong = np.flatnonzero(differs)
    single = [x for x in (*operands, *expected, *got) if np.ndim(x) <= differs.ndim]  # no groups
    every = [np.broadcast_to(x, differs.shape) for x in single]
    first = [hex(int(x.flat[wrong[0]])) for x in every] if wrong.size else []
    assert wrong.size == 0, f"{u.spec}: {wrong.size} of {differs.size} differ, first {first}"


def summary(totals: Counter[str], reasons: Iterable[str]) -> list[str]:
    """The lines that end a run of the tests."""
    lines = [f"compared {n:,} results {referee}" for referee, n in sorted(totals.items())]
    skipped = Counter(reasons)
    for reason, n in sorted(skipped.items()):
        lines.append(f"not checked, {n} test{'s' * (n > 1)}: {reason}")
    return lines
