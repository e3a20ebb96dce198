"""The import graph of the package, and its picture: python docs/layers.py [docs/layers.svg]

Every import statement counts, also those inside functions and those for type checkers alone.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from hwarith.sources import PACKAGE, imports, modules

_CONTRACTS = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
_ALL = [
    name.strip().partition(".")[2]
    for level in reversed(_CONTRACTS["tool"]["importlinter"]["contracts"][0]["layers"])
    for name in level.split("|")
]

LAYERS = tuple(name for name in _ALL if (PACKAGE / name).is_dir())
"""The layers as pyproject.toml states them, the lowest first: each may import from those before it
and what is below all."""

BELOW_ALL = tuple(name for name in _ALL if name not in LAYERS)
"""Modules that every layer may import, the lowest first."""

WHAT = {
    "golden": "what a definition is, and how it runs",
    "formats": "what a bit pattern means",
    "rtl": "what hardware is made of",
    "units": "the contract, and a folder for each family",
    "matrix": "matrix products made of units",
    "flow": "what can be done to any unit",
    "explore": "metrics, workloads, sweeps",
    "reports": "what a sweep says, and how it looks",
    "cli": "the command line",
}


def graph(package: Path = PACKAGE) -> dict[str, dict[str, list[str]]]:
    """Which modules of a package each module imports, and which names of each."""
    known = modules(package)
    return {module: imports(module, known) for module in known}


def layer(module: str) -> str:
    """The first name below the package: a layer, or a module beside the layers."""
    return module.partition(".")[2].partition(".")[0]


def arrows(found: dict[str, dict[str, list[str]]]) -> dict[tuple[str, str], int]:
    """How many imports lead from one layer to another."""
    counts: dict[tuple[str, str], int] = {}
    for module, targets in found.items():
        for target in targets:
            ends = layer(module), layer(target)
            if ends[0] != ends[1] and {*ends} <= {*LAYERS}:
                counts[ends] = counts.get(ends, 0) + 1
    return counts


# -- the picture ---------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _GAP, _LEFT = 330, 44, 26, 40


def picture(found: dict[str, dict[str, list[str]]]) -> str:
    """The layers as an SVG: boxes on top of each other, an arrow for all imports between two."""
    tops = {name: _LEFT + i * (_HEIGHT + _GAP) for i, name in enumerate(reversed(LAYERS))}
    counts = arrows(found)
    sizes = {name: sum(layer(module) == name for module in found) for name in LAYERS}
    boxes = "".join(_box(name, tops[name], sizes[name]) for name in LAYERS)
    ordered = sorted(counts, key=lambda ends: (LAYERS.index(ends[0]), LAYERS.index(ends[1])))
    lines = "".join(_arrow(*ends, tops, counts[ends]) for ends in ordered)
    height = _LEFT + len(LAYERS) * (_HEIGHT + _GAP)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height}" font-family="sans-serif">
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#667"/></marker></defs>
<rect width="760" height="{height}" fill="#fff"/>
<text x="{_LEFT}" y="24" font-size="13" fill="#445">An arrow: imports, as many as its number says</text>
{boxes}{lines}</svg>
"""  # noqa: E501


def _box(name: str, top: int, size: int) -> str:
    return f"""\
<rect x="{_LEFT}" y="{top}" width="{_WIDTH}" height="{_HEIGHT}" rx="5" fill="#eef2f7" stroke="#667"/>
<text x="{_LEFT + 12}" y="{top + 19}" font-size="14" font-weight="bold">{name}</text>
<text x="{_LEFT + _WIDTH - 12}" y="{top + 19}" font-size="11" text-anchor="end" fill="#667">{size} modules</text>
<text x="{_LEFT + 12}" y="{top + 36}" font-size="12" fill="#445">{WHAT[name]}</text>
"""  # noqa: E501


def _arrow(source: str, target: str, tops: dict[str, int], count: int) -> str:
    """From layer to layer: a bow on the right, the wider the farther."""
    distance = LAYERS.index(source) - LAYERS.index(target)
    right = _LEFT + _WIDTH
    start = tops[source] + _HEIGHT // 2 + 3 * min(distance, 6)
    end = tops[target] + _HEIGHT // 2 - 3 * min(distance, 6)
    bow = right + 24 + 42 * abs(distance)
    middle = (start + end) // 2
    x = right + 18 + round(31.5 * abs(distance))
    color = "#667" if distance > 0 else "#c22"
    return f"""\
<path d="M{right} {start}C{bow} {start} {bow} {end} {right} {end}" fill="none" stroke="{color}" marker-end="url(#tip)"/>
<text x="{x}" y="{middle + 4}" font-size="10" fill="{color}">{count}</text>
"""  # noqa: E501


def main() -> None:
    text = picture(graph())
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
