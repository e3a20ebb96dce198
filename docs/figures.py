"""Every number in the documentation that a command makes: measured once, shown on all pages.

    python docs/figures.py                  measure what has not been measured, write all pages
    python docs/figures.py --again KIND ... measure these kinds anew (``all``: every one)
    python docs/figures.py --pages          measure nothing: write the pages from docs/figures.json

A page has its numbers in blocks: a comment with the text in which expressions in braces stand for
numbers (as in an f-string), and below it the same text with the numbers filled in::

    <!-- figures
    A bf16 multiplier takes {area("mul:a=bf16"):.0f} GE.
    -->
    A bf16 multiplier takes 962 GE.
    <!-- end -->

The functions that a block may call are the KINDS below, which measure, and what `names` adds, which
derives from them and formats. Results are in ``docs/figures.json``, by kind and arguments, with the
versions of the tools. docs/costs.md and rtl/README.md are made of the same figures as a whole, and
docs/commands.md of the command line. What is known of each unit is kept by docs/evidence.py.

A test holds the pages to that file, a long one the file to the commands.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import hwarith as hw  # noqa: E402
from docs import accumulators, commands, datatypes, evidence, format_tables, lookup  # noqa: E402
from docs.measures import KINDS  # noqa: E402
from hwarith import files  # noqa: E402
from hwarith.flow import catalogue, costs, tools  # noqa: E402
from hwarith.flow.evidence import read_records  # noqa: E402
from hwarith.flow.generated import Row, rows  # noqa: E402
from hwarith.formats import BLOCKS  # noqa: E402
from hwarith.formats.text import block_row, number_text  # noqa: E402
from hwarith.units.catalogue import CATALOGUE  # noqa: E402

KEPT = ROOT / "docs" / "figures.json"

BLOCK = re.compile(r"(<!-- figures\n(.*?)\n-->\n)(.*?)(\n<!-- end -->)", re.DOTALL)

PAGES = ("README.md", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/*.md")))


class Figures:
    """Figures by kind and arguments: those that are kept, and others when they are asked for.

    Attributes
    ----------
    kept : the figures, by keys such as ``area mul:a=bf16``.
    versions : of the tools that they were measured with.
    measures : whether one that is not there is measured; if not, asking for it is a `KeyError`.
    asked : the keys that were asked for.
    """

    def __init__(self, kept: dict[str, Any], versions: dict[str, str], measures: bool = False):
        self.kept, self.versions, self.measures = kept, versions, measures
        self.asked: set[str] = set()

    def __call__(self, kind: str, *arguments: Any) -> Any:
        key = " ".join((kind, *map(str, arguments)))
        self.asked.add(key)
        if key not in self.kept and self.measures:
            print(key, flush=True)
            self.keep(key, KINDS[kind](*arguments))
        if key not in self.kept:
            raise KeyError(f"{KEPT.name} has no figure {key!r}: python docs/figures.py")
        return self.kept[key]

    def keep(self, key: str, figure: Any) -> None:
        """Write a figure that was measured to the file, so that none is lost."""
        self.kept[key] = figure
        write_figures(self)

    def rows(self, specs: list[str]) -> dict[str, Row]:
        """Rows of units; those that are to be measured from a process on each core."""
        new = [spec for spec in specs if f"row {spec}" not in self.kept]
        if new and self.measures:
            for spec, found in zip(new, rows([hw.unit(spec) for spec in new]), strict=True):
                self.keep(f"row {spec}", list(found))
        return {spec: Row(*self("row", spec)) for spec in specs}


def read_figures() -> Figures:
    """What is kept in ``docs/figures.json``."""
    data = json.loads(KEPT.read_text(encoding="utf-8"))
    return Figures(data["figures"], data["versions"])


def arguments(kind: str, rest: str) -> list[Any]:
    """What stands behind the kind in a key. Numbers are widths; what is summed, and names of
    arithmetics, have spaces in them."""
    if kind in ("energy", "registers_share"):
        return rest.rsplit(" ", 1)
    words = [rest] if kind in ("trained", "trained_block") else rest.split()
    return [int(word) if word.isdigit() else word for word in words]


def write_figures(figures: Figures) -> None:
    """Keep figures in ``docs/figures.json``, whole or not at all."""
    data = {"versions": figures.versions, "figures": dict(sorted(figures.kept.items()))}
    files.write_text(KEPT, one_a_line(data))


def names(figures: Figures) -> dict[str, Callable[..., Any]]:
    """What the expressions of a block may call."""

    def kind(name: str) -> Callable[..., Any]:
        return lambda *arguments: figures(name, *arguments)

    def column(name: str) -> Callable[[str], Any]:
        return lambda spec: getattr(Row(*figures("row", spec)), name)

    measured = {name: kind(name) for name in KINDS}
    found = measured | {name: column(name) for name in Row._fields} | FORMS
    speeds = cache(lambda: datatypes.speeds(found))
    tables = {
        "beside": lambda: beside(figures),
        "accumulators": lambda: accumulator_rows(found),
        "lookup_rows": lambda: lines([*lookup.rows(found["least"])]),
        "best_table": lambda *of: lookup.best(found["least"], *of),
        "table_gain": lambda *of: lookup.gain(found["least"], *of),
        "datatypes": lambda: datatype_rows(found),
        "speeds": lambda: speed_rows(speeds()),
        "speed": lambda name, place: next(
            row[place] for names, row in speeds() if name in names.split("` `")
        ),
    }
    return found | tables | format_tables.FORMS | evidence.tables(read_records())


def change(new: float, old: float, digits: int = 0) -> str:
    """By how much one is more than another: ``-4.4 %``."""
    return f"{100 * (new / old - 1):+.{digits}f} %"


def short(x: float, digits: int) -> str:
    """A number between 0 and 1 without its zero: ``.438``; others as they are."""
    text = f"{x:.{digits}f}"
    return text[1:] if text.startswith("0.") else text


def small(x: float, digits: int = 1) -> str:
    """A power of ten without needless zeros: ``1.6e-3``."""
    mantissa, _, exponent = f"{x:.{digits}e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def grouped(x: float) -> str:
    """A whole number with its thousands set apart: ``432 835``."""
    return f"{x:,.0f}".replace(",", " ")


def span(*shares: float) -> str:
    """Shares in whole percent, from the least to the greatest: ``74 to 77 %``."""
    low, high = (f"{100 * f(shares):.0f}" for f in (min, max))
    return f"{low} %" if low == high else f"{low} to {high} %"


def lines(table: list[list[str]]) -> str:
    """Lines of a table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in table)


def beside(figures: Figures) -> str:
    """Lines of a table: our cells and paths over those of each peer, least and greatest."""
    table = []
    for peer, theirs in costs.PEERS.items():
        ours = [Row(*figures("row", f"{family}:a={f}")) for family, f in theirs]
        pairs = list(zip(ours, theirs.values(), strict=True))
        ratios = [r.cells / c for r, (c, _) in pairs], [r.path / p for r, (_, p) in pairs]
        table.append([peer, str(len(pairs)), *(f"{min(x):.2f} to {max(x):.2f}" for x in ratios)])
    return lines(table)


def block_formats() -> str:
    """Lines of a table of all formats of blocks."""
    table = []
    for f in BLOCKS.values():
        name, *facts, bits = block_row(f).values()
        table.append([f"`{name}`", *(number_text(x or "") for x in facts), f"{bits:g}", f.source])
    return lines(table)


def accumulator_rows(found: dict[str, Callable[..., Any]]) -> str:
    """Lines of a table of all accumulators."""
    return lines(
        [
            [f"`{name}`", who, grouped(area), f"{delay:.0f}", f"{energy:.0f}", *map(small, errors)]
            for name, who, area, delay, energy, *errors in accumulators.rows(found)
        ]
    )


def datatype_rows(found: dict[str, Callable[..., Any]]) -> str:
    """Lines of a table of types of few bits."""
    table = []
    for kind, *errors, area, energy, spec in datatypes.rows(found):
        costs = [f"{area:.0f}", f"{energy:.0f}", f"`{spec}`"] if spec else ["", "", ""]
        block = str(kind.block or "tensor")
        facts = [f"`{kind.name}`", f"{kind.bits:.3f}", block, kind.scale]
        table.append([*facts, *(f"{x:.3e}" for x in errors), *costs])
    return lines(table)


def speed_rows(speeds: list[tuple[str, list[float]]]) -> str:
    """Lines of a table of what arrays for types of few bits gain on fp16."""
    table = [
        [f"`{name}`", grouped(rate), *(f"{x:.2f}" for x in gains), f"{energy:.1f}"]
        for name, (rate, *gains, energy) in speeds
    ]
    return lines(table)


FORMS: dict[str, Callable[..., Any]] = {
    f.__name__: f for f in (change, short, small, grouped, span, lines, block_formats)
}


def filled(template: str, figures: Figures) -> str:
    """The text of a block."""
    quotes = "'" * 3
    return eval(f"f{quotes}{template}{quotes}", dict(names(figures)))  # our own pages


def rendered(page: str, figures: Figures) -> str:
    """A page with all of its blocks filled."""
    return BLOCK.sub(lambda m: m[1] + filled(m[2], figures) + m[4], page)


def pages(figures: Figures) -> dict[str, str]:
    """What every page should be, by its path."""
    catalogued = figures.rows([hw.unit(spec).spec for spec in CATALOGUE.values()])
    listed = figures.rows(costs.specs())
    texts = {p: rendered((ROOT / p).read_text(encoding="utf-8"), figures) for p in PAGES}
    texts["docs/accumulators.svg"] = accumulators.picture(accumulators.rows(names(figures)))
    texts["docs/datatypes.svg"] = datatypes.picture(datatypes.rows(names(figures)))
    open_paths = {spec: figures("open_path", spec) for spec in costs.STAGES}
    shortest = {spec: figures("shortest", spec) for spec in costs.SHORTEST}
    texts["docs/costs.md"] = costs.page(listed, open_paths, shortest, figures.versions)
    texts["docs/commands.md"] = commands.page()
    texts["rtl/README.md"] = catalogue.page(catalogued, figures.versions)
    return texts


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--again", nargs="+", default=[], metavar="KIND", help="measure anew")
    parser.add_argument("--pages", action="store_true", help="only write the pages")
    given = parser.parse_args()
    figures = read_figures() if KEPT.exists() else Figures({}, {})
    if not given.pages:
        figures.measures = True
        again = {"row", *KINDS} if given.again == ["all"] else set(given.again)
        figures.kept = {k: v for k, v in figures.kept.items() if k.split()[0] not in again}
        figures.versions = tools.versions()
    texts = pages(figures)
    figures.kept = {key: x for key, x in figures.kept.items() if key in figures.asked}
    write_figures(figures)
    for path, text in texts.items():
        files.write_text(ROOT / path, text)


def one_a_line(data: dict[str, dict[str, Any]]) -> str:
    """JSON with a line for each figure."""
    parts = [
        f"{json.dumps(name)}: {{\n"
        + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in content.items())
        + "\n}"
        for name, content in data.items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    main()
