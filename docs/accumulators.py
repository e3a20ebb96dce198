"""The accumulators of all presets at equal throughput: rows of docs/dots.md, and their picture,
docs/accumulators.svg; both are written by ``python docs/figures.py``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from docs import svg

_TENSOR = "round=rtz,overflow=toinf"

ACCUMULATORS = (
    ("exact", "CDNA1; ours", ""),
    ("trunc-23", "V100", f"acc=trunc-23,{_TENSOR}"),
    ("trunc-24", "A100, Ada", f"acc=trunc-24,{_TENSOR}"),
    ("trunc-25", "H100, B200", f"acc=trunc-25,{_TENSOR}"),
    ("trunc-13", "FP8 of Ada, H100 wgmma", f"acc=trunc-13,floor=-133,keep=13,{_TENSOR}"),
    ("halves-25", "FP8 of H100 mma, B200 mma", f"acc=halves-25,{_TENSOR}"),
    ("floor-24", "CDNA3", "acc=floor-24"),
    ("floor2-24", "FP8 of CDNA3", "acc=floor2-24"),
    ("pairwise", "CDNA2", "acc=pairwise,subnormals=zero"),
    ("seq", "a loop of fma in fp32", "acc=seq"),
)
"""Ways to accumulate, who has them, and what is said of them beside the operands."""

LANES = 8


def spec(parameters: str) -> str:
    """The unit with this accumulator."""
    return ",".join(filter(None, (f"dot:a=e4m3fn,n={LANES}", parameters)))


def rows(names: dict[str, Callable[..., Any]]) -> list[list[Any]]:
    """Of each: name, who has it, area, delay, energy of a multiply-add, both errors."""
    found = []
    for name, who, parameters in ACCUMULATORS:
        s = spec(parameters)
        area, delay, _ = names["generic"](s)
        errors = [names["dot_error"](s, kind) for kind in ("normal", "uniform")]
        found.append([name, who, area, delay, names["per_operation"](s) / LANES, *errors])
    return found


# -- the picture ---------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 700, 400, 70, 50
_COLOURS = {"uniform": "#c22", "normal": "#27c"}


def picture(found: list[list[Any]]) -> str:
    """Error by area, both logarithmic, as an SVG."""
    areas = [row[2] for row in found]
    errors = [error for row in found for error in row[5:]]
    low, high = math.log10(min(areas) * 0.85), math.log10(max(areas) * 1.5)
    bottom, top = math.floor(math.log10(min(errors))), math.ceil(math.log10(max(errors)))

    def across(area: float) -> float:
        return _LEFT + (math.log10(area) - low) / (high - low) * (_WIDTH - _LEFT - 20)

    def up(error: float) -> float:
        share = (math.log10(error) - bottom) / (top - bottom)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - 50)

    parts = [
        svg.text(
            _LEFT, 20, "relative error of sums of 4096, by area; eight e4m3fn pairs a step", 13
        ),
        *(
            svg.text(_LEFT + 110 * i, 38, kind, 12, c)
            for i, (kind, c) in enumerate(_COLOURS.items())
        ),
        svg.text(_WIDTH - 20, _HEIGHT - 10, "area, gate equivalents", 12, anchor="end"),
    ]
    for power in range(bottom, top + 1):
        y = up(10.0**power)
        parts += [
            svg.line(_LEFT, y, _WIDTH - 20, y),
            svg.text(_LEFT - 8, y + 4, f"1e{power}", 11, anchor="end"),
        ]
    for area in (5000, 7000, 10000, 15000, 20000, 30000, 40000):
        if low <= math.log10(area) <= high:
            x = across(area)
            parts += [
                svg.line(x, 50, x, _HEIGHT - _BOTTOM),
                svg.text(x, _HEIGHT - _BOTTOM + 16, str(area), 11, anchor="middle"),
            ]
    for row in found:
        for error, colour in zip(row[5:], reversed(_COLOURS.values()), strict=True):
            x, y = across(row[2]), up(error)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
    for name, x, y in _names([(row[0], across(row[2]), up(row[6])) for row in found]):
        parts.append(svg.text(x, y, name, 11, _COLOURS["uniform"]))
    return svg.picture(_WIDTH, _HEIGHT, parts)


def _names(points: list[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    """Where the names of points stand: above and right of them, higher where others are."""
    placed: list[tuple[str, float, float]] = []
    for name, x, y in sorted(points, key=lambda point: point[1]):
        at = y - 8
        while any(abs(x - x0) < 62 and abs(at - y0) < 12 for _, x0, y0 in placed):
            at -= 4
        placed.append((name, x + 3, at))
    return placed
