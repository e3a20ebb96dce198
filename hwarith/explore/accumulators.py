"""How exact accumulators are: long dot products of random numbers against their exact values."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..exceptions import InvalidInput, unknown
from ..matrix import matmul
from ..units import unit
from ..units.dot import Dot

DISTRIBUTIONS = ("normal", "uniform")
"""Standard normal numbers; uniform ones between 0 and 1, whose sums only grow."""

SIZE = 64
"""Rows and columns of the product that errors are taken from."""


def relative_error(
    spec: Any, distribution: str = "normal", k: int = 4096, promote: int = 0, seed: int = 0
) -> float:
    """Root mean square error of dot products of k pairs, in units of their root mean square.

    Parameters
    ----------
    spec : a `dot` without scales, or its spec. Operands are rounded to its formats; what they are
        then is exact.
    distribution : ``normal`` or ``uniform``.
    k : length of the sums, a multiple of the unit's n.
    promote : begin a new sum after so many pairs, and add it to the result in float32, as
        DeepSeek-V3 does every 128 (arXiv 2412.19437, 3.3.2); 0: never.

    Raises `InvalidInput` for what is not as said here.
    """
    u = unit(spec)
    if not isinstance(u, Dot) or u.scale or not u.goes_on or not u.out.is_float:
        raise InvalidInput(
            f"accumulators are compared on dot without scales, from c on; not {u.spec}"
        )
    if distribution not in DISTRIBUTIONS:
        raise unknown("distribution", distribution, DISTRIBUTIONS)
    rng = np.random.default_rng(seed)
    draw = rng.standard_normal if distribution == "normal" else rng.random
    a, b = u.a.encode(draw((SIZE, k))), u.b.encode(draw((k, SIZE)))
    exact = u.a.decode(a) @ u.b.decode(b)
    chunk = promote or k
    total = np.zeros((SIZE, SIZE), np.float32)
    for i in range(0, k, chunk):
        part = u.out.decode(matmul(u, a[:, i : i + chunk], b[i : i + chunk]))
        total = total + part.astype(np.float32)
    return float(np.sqrt(np.mean((total - exact) ** 2) / np.mean(exact**2)))
