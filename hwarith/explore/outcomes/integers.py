"""What units of integer networks stand for."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ...units.requant import Requant
from ..exact_result import power_of_two
from .base import Outcome, Reference, number, of_format


class RequantReference(Reference[Requant]):
    """a m 2^(e - 31) + z; what is clamped errs not."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        u = self.unit
        all_codes = zip(u.all_operands.values(), u.arguments(list(codes)), strict=True)
        a, m, e, z = (number(f, int(x)) or Fraction(0) for f, x in all_codes)
        exact = a * m * power_of_two(max(int(e), -31) - 31) + z
        return [of_format(exact, number(u.out, results[0]), u.out)]

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Normally distributed accumulators with multipliers that bring them into the range."""
        u = self.unit
        top = min(u.a.bits - 4, u.out.bits - 3 - (u.exponent or -31))
        a = rng.normal(size=pieces) * 2.0**top
        usual = {
            "a": u.a.encode(a),
            "m": rng.integers(1 << 30, 1 << 31, pieces).astype(np.uint32),
            "e": np.full(pieces, max(u.out.bits - 3 - top, -31) & 63, np.uint8),
            "z": u.z.encode(rng.integers(-4, 5, pieces) if u.z.signed else rng.integers(9)),
        }
        return [np.broadcast_to(usual[name], pieces) for name in u.operands]
