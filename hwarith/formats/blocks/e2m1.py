"""Golden definitions of E2M1's nearest numbers, on float64: 0, 0.5, 1, 1.5, 2, 3, 4, 6.

Up to 2 they are 0.5 apart, up to 4 they are 1 apart, and then 2. In a range of equal distances a
number counts `steps`; the code of a magnitude is that count and `first`.
"""

from __future__ import annotations

from ...golden import golden
from ...golden.columns import nearest_integer

LARGEST = 6.0


@golden
def per_step(magnitude):
    """1 over the distance of E2M1's numbers about a magnitude."""
    return 2.0 if magnitude < 2 else (1.0 if magnitude < 4 else 0.5)


@golden
def distance(magnitude):
    """The distance of E2M1's numbers about a magnitude."""
    return 0.5 if magnitude < 2 else (1.0 if magnitude < 4 else 2.0)


@golden
def at_most(magnitude):
    """The magnitude, or the largest one of E2M1."""
    return LARGEST if magnitude > LARGEST else magnitude


@golden
def nearest_even(magnitude):
    """The magnitude nearest to another one; of two the one of even code."""
    return at_most(nearest_integer(magnitude * per_step(magnitude)) * distance(magnitude))


@golden
def nearest_away(magnitude):
    """The same; of two the greater one."""
    y = magnitude * per_step(magnitude)
    q = nearest_integer(y)
    return at_most((q + 1.0 if y - q == 0.5 else q) * distance(magnitude))


@golden
def nearest_low(x):
    """The number of either sign nearest to another one; of two the lower one."""
    y = x * per_step(abs(x))
    q = nearest_integer(y)
    level = at_most((q - 1.0 if q - y == 0.5 else q) * distance(abs(x)))
    return -LARGEST if level < -LARGEST else level


@golden
def code_of(level):
    """The code of one of E2M1's numbers; that of both zeros is 0."""
    magnitude = abs(level)
    first = 0.0 if magnitude < 2 else (2.0 if magnitude < 4 else 4.0)
    sign = 8.0 if level < 0 else 0.0
    return magnitude * per_step(magnitude) + first + sign
