"""What rows stand for, normalized ones and softmax, and rotated pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ...units.rope import Rope
from ...units.rows import LayerNorm, RmsNorm, SoftMax
from ..drawn import port_codes
from ..functions import power_of_e, square_root
from .base import Outcome, Reference, number, numbers, of_format


class NormReference(Reference[LayerNorm | RmsNorm]):
    """The normalized row of real numbers."""

    def axes(self, name: str) -> int:
        return 1

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        rows = max(1, pieces // self.unit.length), self.unit.length
        return [port_codes(name, f, rows, rng) for name, f in self.unit.operands.items()]

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        formats = self.unit.operands.values()
        found = [numbers(f, x) for f, x in zip(formats, codes, strict=True)]
        rows = [row for row in found if row is not None]
        if len(rows) < len(found):
            return None
        a, gamma, *beta = rows
        n = len(a)
        mean = sum(a) / Fraction(n) if beta else Fraction(0)
        squares = [(x - mean) * (x - mean) for x in a]
        spread = sum(squares, Fraction(self.unit.eps) * n) / n
        root = square_root(spread)
        if not root:
            return None
        scale = 1 / root
        exact = [(x - mean) * scale * g for x, g in zip(a, gamma, strict=True)]
        if beta:
            exact = [x + b for x, b in zip(exact, beta[0], strict=True)]
        out = self.unit.out
        return [of_format(x, number(out, y), out) for x, y in zip(exact, results[0], strict=True)]


_ROW = 64
"""Values of a row where the unit takes any number."""


class SoftMaxReference(Reference[SoftMax]):
    """The softmax of real numbers."""

    def axes(self, name: str) -> int:
        return 1

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        return [port_codes("a", self.unit.a, (max(1, pieces // _ROW), _ROW), rng)]

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        a = numbers(self.unit.a, codes[0])
        if a is None:
            return None
        greatest, out = max(a), self.unit.out
        powers = [power_of_e(x - greatest) for x in a]
        total = sum(powers, Fraction(0))
        return [
            of_format(p / total, number(out, y), out)
            for p, y in zip(powers, results[0], strict=True)
        ]


class RopeReference(Reference[Rope]):
    """The rotated pair of real numbers."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        pair, turn = numbers(self.unit.a, codes[:2]), numbers(self.unit.w, codes[2:])
        if pair is None or turn is None:
            return None
        (x0, x1), (c, s), out = pair, turn, self.unit.out
        exact = x0 * c - x1 * s, x0 * s + x1 * c
        return [of_format(x, number(out, y), out) for x, y in zip(exact, results, strict=True)]

    def sets(self, operands: Sequence[np.ndarray]) -> Iterator[tuple[int, list[Outcome] | None]]:
        """Both results are numbers."""
        return ((2, outcomes) for _, outcomes in super().sets(operands))
