"""Matrix products faster than by the definitions, where a unit's own structure allows.

Each kernel says under which conditions, on formats, options and operands, it gives the same codes
as the definitions, and is not used otherwise. `hwarith.matmul` asks `accumulate` first.
"""

from __future__ import annotations

import numpy as np

from ...units.chain import Chain
from . import chained, integers, modes, values

_KERNELS = (integers, values, chained, modes)


def accumulate(chain: Chain, a: np.ndarray, b: np.ndarray, acc: np.ndarray) -> np.ndarray | None:
    """Codes of sums of products, k ascending, by the first kernel that takes these operands.

    Parameters
    ----------
    chain : the units of a step.
    a, b, acc : codes (m, k), (k, n), (m, n); `acc` of the chain's accumulator.

    Returns codes (m, n) of the accumulator, or None if no kernel gives what the units would.
    """
    for kernel in _KERNELS:
        sums = kernel.accumulate(chain, a, b, acc)
        if sums is not None:
            return sums
    return None
