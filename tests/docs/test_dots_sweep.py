"""The sweep of dot products that the documentation shows."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hwarith.explore.sweeps.sweep_file import read_sweep

FILE = Path(__file__).parents[2] / "docs" / "dots.toml"


def test_its_points_run_in_its_workload() -> None:
    """Which reading it checks."""
    families = Counter(u.family for u in read_sweep(FILE).points)
    assert families == {"fma": 3, "dot": 19}
