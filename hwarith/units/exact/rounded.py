"""What rounds integers too."""

from __future__ import annotations

from dataclasses import dataclass

from .base import Exact
from .integers import FLOAT_TO_INTEGER_POLICIES


@dataclass(frozen=True, kw_only=True, repr=False)
class Rounded(Exact):
    """Base of exact units whose results of integers are rounded, or out of range, as of floats."""

    @property
    def has_exceptions(self) -> bool:
        """Of integers too."""
        return True

    @property
    def is_exact(self) -> bool:
        """Results are rounded, of integers too."""
        return False

    @property
    def _integer_policies(self) -> tuple[str, ...]:
        return FLOAT_TO_INTEGER_POLICIES
