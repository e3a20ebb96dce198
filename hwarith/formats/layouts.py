"""How a float's bits are shared between exponent and fraction, by a scaling law.

Source: Sun et al., Scaling Laws for Floating Point Quantization Training (arXiv 2501.02423): the
loss of language models by size, tokens, block of a scale, exponent and fraction bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..exceptions import InvalidInput, quoted

DELTA, NU = 3.1926, 2.9543
"""How precision counts: (E + 1/2)^delta (M + 1/2)^nu."""


class Layout(NamedTuple):
    """The best split of a number of bits.

    ``exponent`` and ``fraction`` are the bits of the best split into whole ones, of equal ones that
    with fewer exponent bits; ``exact_exponent`` and ``exact_fraction`` those of the law's optimum.
    """

    exponent: int
    fraction: int
    exact_exponent: float
    exact_fraction: float

    @property
    def name(self) -> str:
        """As papers write it: ``E4M3``."""
        return f"E{self.exponent}M{self.fraction}"


def float_layout(bits: int, delta: float = DELTA, nu: float = NU) -> Layout:
    """The split of so many bits, a sign among them, with the least loss.

    With P = bits, E* = delta P / (delta + nu) - 1/2 and M* = nu P / (delta + nu) - 1/2. Raises
    `InvalidInput` for fewer than 3 bits or more than 64, and for exponents that are not positive.
    """
    if not isinstance(bits, int) or isinstance(bits, bool) or not 3 <= bits <= 64:
        raise InvalidInput(f"bits must be an integer from 3 to 64, not {quoted(bits)}")
    _positive(delta=delta, nu=nu)
    law = (delta * bits / (delta + nu) - 0.5, nu * bits / (delta + nu) - 0.5)
    e = max(range(1, bits), key=lambda e: precision(e, bits - 1 - e, delta, nu))
    return Layout(e, bits - 1 - e, *law)


def precision(exponent: float, fraction: float, delta: float = DELTA, nu: float = NU) -> float:
    """What the law makes of a format: (E + 1/2)^delta (M + 1/2)^nu."""
    return (exponent + 0.5) ** delta * (fraction + 0.5) ** nu


@dataclass(frozen=True)
class ScalingLaw:
    """The loss of training in floats: L = n/N^alpha + d/D^beta + eps
    + D^beta/N^alpha * log2(block) / (gamma (E + 1/2)^delta (M + 1/2)^nu).

    N are parameters, D tokens, `block` numbers that share a scale. The constants but delta and nu
    are those of a fit to one's own runs. Raises `InvalidInput` for what is not positive.
    """

    n: float
    d: float
    alpha: float
    beta: float
    gamma: float
    eps: float = 0.0
    delta: float = DELTA
    nu: float = NU

    def __post_init__(self) -> None:
        _positive(**{k: v for k, v in vars(self).items() if k != "eps"})

    def loss(
        self, parameters: float, tokens: float, block: float, exponent: float, fraction: float
    ) -> float:
        """The loss L."""
        _positive(parameters=parameters, tokens=tokens)
        usual = self.n / parameters**self.alpha + self.d / tokens**self.beta + self.eps
        return usual + tokens**self.beta * self._of_bits(parameters, block, exponent, fraction)

    def critical_tokens(
        self, parameters: float, block: float, exponent: float, fraction: float
    ) -> float:
        """The tokens beyond which more of them make the loss greater; infinity, if block is 1."""
        _positive(parameters=parameters)
        of_bits = self._of_bits(parameters, block, exponent, fraction)
        return math.inf if of_bits == 0 else (self.d / of_bits) ** (1 / (2 * self.beta))

    def _of_bits(self, parameters: float, block: float, exponent: float, fraction: float) -> float:
        if not block >= 1:
            raise InvalidInput(f"block must be at least 1, not {quoted(block)}")
        bits = self.gamma * precision(exponent, fraction, self.delta, self.nu)
        return math.log2(block) / (parameters**self.alpha * bits)


def _positive(**numbers: Any) -> None:
    for name, x in numbers.items():
        if not isinstance(x, int | float) or isinstance(x, bool) or not 0 < x < math.inf:
            raise InvalidInput(f"{name} must be a positive number, not {quoted(x)}")
