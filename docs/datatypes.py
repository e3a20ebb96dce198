"""Types of few bits side by side: rows of docs/datatypes.md, and their picture, docs/datatypes.svg;
both are written by ``python docs/figures.py``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from docs import svg
from hwarith.explore.cycles.accelerator import task, total
from hwarith.explore.cycles.table import Phases
from hwarith.explore.cycles.typed import REFERENCE, config_of
from hwarith.explore.datatypes import DATATYPES, DataType, element_of
from hwarith.explore.weights import Element
from hwarith.formats import BlockFormat


def rows(found: dict[str, Callable[..., Any]]) -> list[list[Any]]:
    """Of each: the type, its errors, and area and energy of a multiply-add and what it is, or
    None."""
    table = []
    for kind in DATATYPES:
        element = element_of(kind)
        costs: list[Any] = [None, None, None]
        if element:
            lanes = float(element.per_clock)
            spec = element.spec
            costs = [found["generic"](spec)[0] / lanes, found["per_operation"](spec) / lanes, spec]
        table.append([kind, *found["datatype"](*kind.name.split()), *costs])
    return table


MODELS = "opt-1.3b", "llama-2-7b", "llama-3-8b"
"""Whose cycles are counted."""

TOKENS = 20
"""Generated after the prompt."""


def speeds(found: dict[str, Callable[..., Any]]) -> list[tuple[str, list[float]]]:
    """Of types by unit and bits, as ``hwarith cycles MODEL --config fp16 --config type=TYPE
    --generate 20`` has it: multiply-adds a clock in a prompt, how many times as fast as fp16 prompt
    and tokens of each model are, and how many times less DRAM moves for llama-2-7b; and how many
    times less energy than fp16's a multiply-add takes."""
    kinds: dict[tuple[Element, float], list[DataType]] = {}
    for kind in DATATYPES:
        if element := element_of(kind):
            kinds.setdefault((element, kind.bits), []).append(kind)
    table = []
    base = {model: task(model, "fp16", generate=TOKENS) for model in MODELS}
    for (element, _), of_unit in kinds.items():
        config = config_of(of_unit[0], lambda spec: found["generic"](spec)[0])
        own = {model: task(model, config, generate=TOKENS) for model in MODELS}
        array = config.prompt
        figures = [array.rows * array.columns * array.dp / array.latency]
        for model in MODELS:
            for phase, costs in base[model].items():
                slow, fast = total(costs.values()), total(own[model][phase].values())
                figures.append(slow.cycles / fast.cycles)
        figures.append(_moved(base["llama-2-7b"]) / _moved(own["llama-2-7b"]))
        per_operation = found["per_operation"]
        each = per_operation(element.spec) / float(element.per_clock)
        name = "` `".join(
            dict.fromkeys(k.name if k.of_tensor or k.element else k.type for k in of_unit)
        )
        table.append((name, [*figures, per_operation(REFERENCE) / each]))
    return table


def _moved(phases: Phases) -> int:
    """Bytes of DRAM."""
    return sum(total(costs.values()).dram_bytes for costs in phases.values())


# -- the picture ---------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 1000, 520, 60, 50, 60

_FAMILIES = {
    "integers in groups": "#0072B2",
    "floats in groups": "#56B4E9",
    "ternary": "#8C6D31",
    "MX": "#7F7F7F",
    "NV": "#CC79A7",
    "RaZeR, MX+, M2XFP": "#D55E00",
    "Anda": "#009E73",
}
"""Colours of the reports."""


def family(kind: DataType) -> str:
    """Of a type: how it is coloured."""
    f = kind.kind
    if not isinstance(f, BlockFormat):
        if f.name == "ternary":
            return "ternary"
        of_integers = f.name.startswith(("int", "nupes"))
        return "integers in groups" if of_integers else "floats in groups"
    if f.metadata:
        return "RaZeR, MX+, M2XFP"
    return "Anda" if f.name.startswith("anda") else "NV" if f.tensor_scale else "MX"


def picture(table: list[list[Any]]) -> str:
    """The error of normal numbers by bits, as an SVG: of all types, and larger of those of 4
    to 4.6 bits. Names stand where there is room for them."""
    points = [(row[0], row[0].bits, row[1]) for row in table if not row[0].element]
    at, legend = float(_LEFT), []
    for name, colour in _FAMILIES.items():
        legend.append(svg.text(at, 42, name, 12, colour))
        at += 6.8 * len(name) + 16
    title = "squared error of normal numbers as a share of their squares, by bits of a number"
    few = [point for point in points if 4 < point[1] < 4.6]
    parts = [
        svg.text(_LEFT, 22, title, 14),
        *legend,
        svg.text(980, 42, "on the right: 4.1 to 4.6 bits, enlarged", 12, anchor="end"),
        *_panel(points, (1, 13), (-7, 0), _LEFT, 540, range(1, 14), labelled=_is_sparse),
        *_panel(few, (4.08, 4.7), (-2.35, -1.7), 610, 980, (4.125, 4.25, 4.5), labelled=_always),
    ]
    return svg.picture(_WIDTH, _HEIGHT, parts)


def _is_sparse(bits: float) -> bool:
    """Whether there is room for names of types of so many bits among all others."""
    return not 3.9 < bits < 4.6


def _always(_: float) -> bool:
    return True


def _panel(
    points: list[tuple[DataType, float, float]],
    bits: tuple[float, float],
    powers: tuple[float, float],
    left: float,
    right: float,
    ticks: Any,
    labelled: Callable[[float], bool],
) -> list[str]:
    """Points and axes between these bits and powers of ten."""
    low, high = bits
    bottom, top = powers

    def across(x: float) -> float:
        return left + (x - low) / (high - low) * (right - left)

    def up(error: float) -> float:
        share = (math.log10(error) - bottom) / (top - bottom)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)

    errors = [10.0**p for p in range(math.ceil(bottom), math.floor(top) + 1)]
    if len(errors) < 3:
        errors = [m * 10.0**p for p in (-3, -2) for m in range(1, 10)]
        errors = [x for x in errors if bottom <= math.log10(x) <= top]
    parts = []
    for error in errors:
        y = up(error)
        parts += [
            svg.line(left, y, right, y),
            svg.text(
                left - 6,
                y + 4,
                f"{error:.0e}".replace("e-0", "e-").replace("e+00", ""),
                11,
                anchor="end",
            ),
        ]
    for x in ticks:
        at = across(x)
        parts += [
            svg.line(at, _TOP, at, _HEIGHT - _BOTTOM),
            svg.text(at, _HEIGHT - _BOTTOM + 16, f"{x:g}", 11, anchor="middle"),
        ]
    for kind, x, error in points:
        colour = _FAMILIES[family(kind)]
        parts.append(f'<circle cx="{across(x):.1f}" cy="{up(error):.1f}" r="4" fill="{colour}"/>')
    named = [
        (kind.name, across(x), up(error), _FAMILIES[family(kind)])
        for kind, x, error in points
        if labelled(x)
    ]
    return parts + svg.named(named)
