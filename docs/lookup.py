"""How many activations a table of `lutdot` has at best: rows of docs/lut.md, by synthesis."""

from __future__ import annotations

from collections.abc import Callable, Iterator

Area = Callable[[str], float]
"""The least area of a unit, of its spec."""

BITS = 4
"""Bits of a weight."""

ACTIVATIONS = {"int4": "int4", "int8": "int8", "int15": "fp16, aligned", "fp16": "fp16"}

ELEMENTS = (
    *((a, n, 1, tuple(range(1, 7))) for n in (1, 16) for a in ("int4", "int8", "int15")),
    ("int8", 64, 1, (3, 4, 5)),
    ("fp16", 1, 1, (1, 2, 3, 4, 5)),
    ("fp16", 4, 1, (1, 2, 3, 4)),
    *((a, 16, BITS, tuple(range(1, 6))) for a in ("int4", "int8", "int15")),
)
"""Activations, outputs, planes in a transfer, and activations of a table that are tried."""


def spec(a: str, n: int, planes: int, k: int) -> str:
    return f"lutdot:a={a},k={k}{f',planes={planes}' if planes > 1 else ''},n={n}"


def per_product(area: Area, a: str, n: int, planes: int, k: int) -> float:
    """Area of a multiply-add of weights of `BITS` bits in each clock."""
    return area(spec(a, n, planes, k)) * BITS / (k * n * planes)


def best(area: Area, a: str, n: int, planes: int = 1) -> int:
    """Activations of the table of the smallest element for its throughput."""
    (tried,) = (ks for *element, ks in ELEMENTS if element == [a, n, planes])
    return min(tried, key=lambda k: per_product(area, a, n, planes, k))


def gain(area: Area, a: str, n: int, planes: int = 1) -> float:
    """How many times as small it is as one without a table."""
    k = best(area, a, n, planes)
    return per_product(area, a, n, planes, 1) / per_product(area, a, n, planes, k)


def rows(area: Area) -> Iterator[list[str]]:
    """Cells of the table: activations, outputs, planes, area by activations of a table."""
    for a, n, planes, tried in ELEMENTS:
        found = {k: f"{per_product(area, a, n, planes, k):.0f}" for k in tried}
        k = best(area, a, n, planes)
        found[k] = f"**{found[k]}**"
        yield [ACTIVATIONS[a], str(n), str(planes), *(found.get(k, "") for k in range(1, 7))]
