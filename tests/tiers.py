"""Which cases of a test are fast ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def few(cases: Iterable[Any], every: int) -> list[Any]:
    """Cases for `parametrize`: the first and every so many-th one behind it in the fast tests, the
    others in the long ones. Those that have marks keep them."""
    return [case if i % every == 0 else _long(case) for i, case in enumerate(cases)]


def _long(case: Any) -> Any:
    if hasattr(case, "marks"):
        return case
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.long)
