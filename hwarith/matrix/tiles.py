"""The loop over three matrices that all products share: in tiles that stay in a core's cache.

A step is a function ``step(x, y, acc, constants)`` that gives the next accumulator from an element
of the left matrix, one of the right matrix and the accumulator.
"""

from __future__ import annotations

from collections.abc import Callable

from ..golden.compiler import inlined
from ..golden.cores import in_slices
from ..golden.vectors import each

ROWS, COLUMNS = 128, 256
"""Part of the right matrix that stays in a core's cache while all rows of the left one pass."""


def product_loop(step: Callable, vectors: bool, by_fours: bool = False) -> Callable:
    """What a `Kernel` is made of: a function of arrays ``acc``, ``a``, ``b`` of shapes (m, n),
    (m, k), (k, n) and of the step's constants, which does
    ``acc[i, j] = step(a[i, k], b[k, j], acc[i, j], constants)`` for k ascending.

    Parameters
    ----------
    step : compiled.
    vectors : as `hwarith.golden.vectors.each` has it.
    by_fours : keep accumulators in registers for four steps. This pays if a step is a few
        instructions, and takes several times as long to compile.
    """
    each_sum = each(vectors)
    rows, columns = ROWS, COLUMNS

    @inlined
    def once(elements, scalars):
        y, acc = elements
        x, constants = scalars
        return step(x, y, acc, constants)

    @inlined
    def four_times(elements, scalars):
        acc, y0, y1, y2, y3 = elements
        x0, x1, x2, x3, constants = scalars
        acc = step(x0, y0, acc, constants)
        acc = step(x1, y1, acc, constants)
        acc = step(x2, y2, acc, constants)
        return step(x3, y3, acc, constants)

    def run(acc, a, b, constants):
        for j0 in range(0, b.shape[1], columns):
            for k0 in range(0, b.shape[0], rows):
                end = min(k0 + rows, b.shape[0])
                fours = k0 + (end - k0) // 4 * 4 if by_fours else k0
                for i in range(a.shape[0]):
                    sums = acc[i, j0 : j0 + columns]
                    if by_fours:
                        for k in range(k0, fours, 4):
                            x = a[i, k], a[i, k + 1], a[i, k + 2], a[i, k + 3], constants
                            y0, y1 = b[k, j0 : j0 + columns], b[k + 1, j0 : j0 + columns]
                            y2, y3 = b[k + 2, j0 : j0 + columns], b[k + 3, j0 : j0 + columns]
                            each_sum(four_times, sums, (sums, y0, y1, y2, y3), x)
                    for k in range(fours, end):
                        y = b[k, j0 : j0 + columns]
                        each_sum(once, sums, (y, sums), (a[i, k], constants))

    return run


def in_rows(work: Callable[[slice], object], rows: int, steps: int, least: int) -> None:
    """Do work of so many steps a row for all rows, a slice of them at a time on each core; `least`
    is the number of steps from which on another core pays."""
    in_slices(work, rows, max(1, least // max(1, steps)))
