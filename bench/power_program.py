"""2^x on [0, 1] by AutoNumerics-Zero's program of ten operations, beside polynomials.

The program, with u = c3/x + x made once, is (c4 / (c1/u + c2 + u) - c5)^8, the power by three
squarings (arXiv 2312.08472, which does not give the coefficients). They are fitted here: the
relative error takes its greatest magnitude at six points, with alternating signs (a rational
Remez exchange, in decimal arithmetic of 40 digits), from a start that matches the series of
c4/(2^(x/8) - 1). Then the program runs on the units of a format, each operation rounded once; in
fp32 and fp64 numpy gives the same bits. A polynomial of degree n by Horner's rule takes 2n
operations.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal, getcontext, localcontext
from functools import cache

import numpy as np

import hwarith as hw
from hwarith.units.functions.minimax import minimax

OPERATIONS = 10
FORMATS = ("fp64", "fp32", "fp16", "bf16")
_DIGITS, _STEPS, _EXCHANGES, _POINTS = 40, 6, 4, 200

Number = Decimal | np.ndarray
Coefficients = list[Decimal]


def program(x: Number, c: list, divide: Callable, add: Callable, multiply: Callable) -> Number:
    """2^x, in an arithmetic of three operations; the fifth coefficient is subtracted."""
    c1, c2, c3, c4, minus_c5 = c
    u = add(divide(c3, x), x)
    y = add(divide(c4, add(add(divide(c1, u), c2), u)), minus_c5)
    for _ in range(3):
        y = multiply(y, y)
    return y


def _exact(x: Decimal, c: Coefficients) -> Decimal:
    """The program in real numbers, which of 0 is what it is of an infinite u."""
    if not x:
        return (-c[4]) ** 8
    u = c[2] / x + x
    return (c[3] / (c[0] / u + c[1] + u) - c[4]) ** 8


def _error(x: Decimal, c: Coefficients) -> Decimal:
    return _exact(x, c) / (x * Decimal(2).ln()).exp() - 1


def start() -> Coefficients:
    """c1 to c5 from the series."""
    rate = Decimal(2).ln() / 8
    c3 = (30 + Decimal(180).sqrt()) / rate**2
    c4 = c3 * rate
    return [c3**3 * rate**4 / 720, -c4 / 2, c3, c4, Decimal(-1)]


@cache
def fitted() -> tuple[Decimal, ...]:
    """c1 to c5 of least greatest error."""
    with localcontext() as context:
        context.prec = _DIGITS
        c = start()
        angles = [np.pi * k / _POINTS for k in range(_POINTS + 1)]
        grid = [Decimal((1 - np.cos(angle)) / 2) for angle in angles]
        points = [Decimal((1 - np.cos(np.pi * k / 5)) / 2) for k in range(6)]
        for _ in range(_EXCHANGES):
            c = _levelled(c, points)
            points = _extremes(grid, [_error(x, c) for x in grid])
        return tuple(c)


def _levelled(c: Coefficients, points: list[Decimal]) -> Coefficients:
    """Coefficients whose errors at six points are of one magnitude and alternate, by Newton's
    iteration."""
    level = Decimal(0)
    tiny = Decimal(10) ** (-_DIGITS // 2)
    for _ in range(_STEPS):
        now = [_error(x, c) for x in points]
        rows = []
        for i, x in enumerate(points):
            slopes = []
            for k in range(5):
                moved = [v * (1 + tiny) if j == k else v for j, v in enumerate(c)]
                slopes.append((_error(x, moved) - now[i]) / (c[k] * tiny))
            rows.append([*slopes, Decimal(-((-1) ** i)), (-1) ** i * level - now[i]])
        *steps, more = _solved(rows)
        c = [v + step for v, step in zip(c, steps, strict=True)]
        level += more
    return c


def _solved(rows: list[list[Decimal]]) -> list[Decimal]:
    """The solution of linear equations, each with its right side behind, by elimination."""
    n = len(rows)
    for i in range(n):
        best = max(range(i, n), key=lambda k: abs(rows[k][i]))
        rows[i], rows[best] = rows[best], rows[i]
        rows[i] = [v / rows[i][i] for v in rows[i]]
        for k in range(n):
            if k != i:
                rows[k] = [v - rows[k][i] * w for v, w in zip(rows[k], rows[i], strict=True)]
    return [row[-1] for row in rows]


def _extremes(grid: list[Decimal], errors: list[Decimal]) -> list[Decimal]:
    """Where the error is greatest in each of its runs of one sign."""
    runs: list[int] = []
    for i, e in enumerate(errors):
        if not runs or (e > 0) != (errors[runs[-1]] > 0):
            runs.append(i)
        elif abs(e) > abs(errors[runs[-1]]):
            runs[-1] = i
    return [grid[i] for i in runs]


def real_error(c: Coefficients | tuple[Decimal, ...]) -> float:
    """The greatest relative error on [0, 1] in real numbers."""
    with localcontext() as context:
        context.prec = _DIGITS
        return float(max(abs(_error(Decimal(k) / 400, list(c))) for k in range(401)))


def on_units(name: str, x: np.ndarray) -> np.ndarray:
    """The program's results of values, on the units of a format, as values."""
    f = hw.format(name)
    divide, add, multiply = (hw.unit(f"{family}:a={name}") for family in ("div", "add", "mul"))
    c1, c2, c3, c4, c5 = (float(v) for v in fitted())
    constants = [f.encode(np.full(len(x), v)) for v in (c1, c2, c3, c4, -c5)]
    return np.asarray(f.decode(program(f.encode(x), constants, divide, add, multiply)))


def in_numpy(dtype: type, x: np.ndarray) -> np.ndarray:
    """The same in numpy's arithmetic."""
    c1, c2, c3, c4, c5 = (dtype(float(v)) for v in fitted())
    with np.errstate(divide="ignore"):
        constants = [c1, c2, c3, c4, -c5]
        return program(x.astype(dtype), constants, np.divide, np.add, np.multiply)


def operands(name: str) -> np.ndarray:
    """Values of a format from 0 to 1: all of them that are multiples of 2^-16."""
    f = hw.format(name)
    return np.unique(np.asarray(f.decode(f.encode(np.arange(65537) / 65536))).astype(float))


def error_of(name: str) -> tuple[float, float]:
    """The greatest relative error of the program on units of a format, and in units in the last
    place."""
    x = operands(name)
    y, exact = on_units(name, x).astype(float), _powers(x)
    ulp = np.ldexp(1.0, np.frexp(exact)[1] - 1 - hw.format(name).fraction_bits)
    error = np.abs((y.astype(np.longdouble) - exact).astype(float))
    return float((error / exact).max()), float((error / ulp).max())


def _powers(x: np.ndarray) -> np.ndarray:
    """2^x to more bits than float64 has, where the platform has such."""
    return np.exp2(x.astype(np.longdouble))


def polynomial_errors(most: int = 8) -> list[float]:
    """Greatest relative errors of minimax polynomials of degree 1, 2, ..."""
    x = (1 - np.cos(np.linspace(0, np.pi, 4001))) / 2
    y = np.exp2(x)
    return [minimax(x, y, degree, 1 / y)[1] for degree in range(1, most + 1)]


def gap() -> float:
    """Decades between the program and the polynomial of as many operations."""
    return float(np.log10(polynomial_errors(OPERATIONS // 2)[-1] / real_error(fitted())))


def main(names: list[str]) -> None:
    getcontext().prec = _DIGITS
    print("coefficients", *(f"{v:.25g}" for v in fitted()))
    print(f"start      greatest relative error {real_error(start()):.3g}")
    print(f"fitted     greatest relative error {real_error(fitted()):.3g}")
    for degree, error in enumerate(polynomial_errors(), 1):
        print(f"degree {degree}   greatest relative error {error:.3g}, {2 * degree} operations")
    print(f"decades between the program and degree 5, {OPERATIONS} operations each: {gap():.1f}")
    for name in names or FORMATS:
        relative, ulps = error_of(name)
        print(f"on {name:7} greatest relative error {relative:.3g}, {ulps:.3g} ulp")


if __name__ == "__main__":
    main(sys.argv[1:])
