"""A statement that a report makes of its rows, computed from their figures."""

from __future__ import annotations

from dataclasses import dataclass

ACCURACY_LOSS = 0.01
"""By how much an accuracy may lie below the baseline's to be called within one point of it."""


@dataclass(frozen=True)
class Finding:
    """One statement: what was asked, the answer, what stands behind it, and in `scope` what was
    compared: how many units, the spec of the answer, the workload, the library."""

    question: str
    answer: str
    detail: str
    scope: str = ""
