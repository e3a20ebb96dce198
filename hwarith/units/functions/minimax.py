"""Polynomials of least greatest error at given points, by Remez's exchange.

Source: Remez, "Sur la détermination des polynômes d'approximation de degré donné", 1934; one
point is exchanged at a time.
"""

from __future__ import annotations

from ...lazily import np

_EXCHANGES = 100


def minimax(
    x: np.ndarray, y: np.ndarray, degree: int, weight: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """Coefficients, that of 1 first, of the polynomial p of a degree whose greatest
    `weight` |y - p(x)| is least (`weight` is 1 unless given), and that error.

    Parameters
    ----------
    x : points, more than `degree` + 1 of them, in ascending order.
    y : what is approximated there.
    """
    scale = 1.0 if weight is None else weight
    place = 2 * (x - x[0]) / (x[-1] - x[0]) - 1
    powers = np.polynomial.chebyshev.chebvander(place, degree)
    count = degree + 2
    share = (1 - np.cos(np.pi * np.arange(count) / (count - 1))) / 2
    chosen = np.unique(np.searchsorted(place, 2 * share - 1).clip(0, len(x) - 1))
    while len(chosen) < count:  # points so few that some are the nearest to two places
        chosen = np.unique(np.append(chosen, np.setdiff1d(np.arange(len(x)), chosen)[0]))
    signs = (-1.0) ** np.arange(count)
    for _ in range(_EXCHANGES):
        levels = signs / np.broadcast_to(scale, x.shape)[chosen]
        solved = np.linalg.solve(np.column_stack([powers[chosen], levels]), y[chosen])
        error = (y - powers @ solved[:-1]) * scale
        worst = int(np.argmax(np.abs(error)))
        if abs(error[worst]) <= abs(solved[-1]) * (1 + 1e-6) or worst in chosen:
            break
        chosen = _exchanged(chosen, worst, np.sign(error))
    series = np.polynomial.Chebyshev(solved[:-1], domain=[x[0], x[-1]])
    found = series.convert(kind=np.polynomial.Polynomial).coef
    return np.append(found, np.zeros(degree + 1 - len(found))), float(np.abs(error).max())


def _exchanged(chosen: np.ndarray, new: int, sign: np.ndarray) -> np.ndarray:
    """The points with a new one in place of that beside it where the error has the same sign; or
    in place of the one at the other end."""
    after = int(np.searchsorted(chosen, new))
    for i in (after - 1, after):
        if 0 <= i < len(chosen) and sign[chosen[i]] == sign[new]:
            return np.concatenate([chosen[:i], [new], chosen[i + 1 :]])
    if after == 0:
        return np.append(new, chosen[:-1])
    return np.append(chosen[1:], new)
