"""The pages show the figures that are kept, and these are what the commands give."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from docs import figures
from docs.measures import KINDS
from hwarith.explore.workloads.minilm import model
from hwarith.flow import tools

KEPT = figures.read_figures()

TIMES = ("seconds",)
"""Kinds that depend on the machine."""

CHEAP = ("row mul:a=e4m3", "digits mul:a=bf16", "lmul_error e4m3fn", "nmse bitmod4 normal")


def shown(path: str) -> str:
    return (figures.ROOT / path).read_text(encoding="utf-8")


def test_pages_show_the_figures_that_are_kept() -> None:
    for path, text in figures.pages(KEPT).items():
        assert shown(path) == text, f"{path} differs: python docs/figures.py"
    assert KEPT.asked == KEPT.kept.keys(), "figures that no page shows"


@pytest.mark.parametrize(
    ("key", "page"),
    [
        ("row mul:a=bf16", "docs/lmul.md"),
        ("row mul:a=bf16", "docs/costs.md"),
        ("row mul:a=bf16,b=bf16,out=bf16,round=rne", "rtl/README.md"),
        ("lmul_error bf16", "docs/lmul.md"),
        ("equal_delay 24 osu018", "docs/anfma.md"),
    ],
)
def test_a_figure_that_a_page_does_not_show_is_found(key: str, page: str) -> None:
    def more(x: object) -> object:
        return [more(y) for y in x] if isinstance(x, list) else x if isinstance(x, str) else x + 1

    other = figures.Figures({**KEPT.kept, key: more(KEPT.kept[key])}, KEPT.versions)
    assert figures.pages(other)[page] != shown(page)


def test_a_figure_that_is_not_kept() -> None:
    with pytest.raises(KeyError, match="no figure 'row mul:a=bf16'"):
        figures.filled('{cells("mul:a=bf16")}', figures.Figures({}, {}))


def test_blocks_are_filled() -> None:
    kept = figures.Figures({"row a": [1.25, 2.5, 0, 300, 4, 5], "nmse x y": 0.0379}, {})
    template = '{area("a"):.1f} GE, {short(nmse("x", "y"), 3)}'
    page = f"<!-- figures\n{template}\n-->\nold\n<!-- end -->\nold"
    filled = figures.rendered(page, kept)
    assert filled == page.replace("\nold\n", "\n1.2 GE, .038\n", 1)
    assert figures.rendered(filled, kept) == filled
    assert kept.asked == {"row a", "nmse x y"}
    assert figures.change(95, 100, 1) == "-5.0 %"
    assert (figures.small(0.0016), figures.grouped(432835)) == ("1.6e-3", "432 835")


def check(key: str) -> None:
    """Measure a figure again."""
    if KEPT.versions["yosys"] != tools.versions()["yosys"]:
        pytest.skip(f"the figures are those of yosys {KEPT.versions['yosys']}")
    kind, _, rest = key.partition(" ")
    found = KINDS[kind](*figures.arguments(kind, rest))
    for x, y in zip(flat(found), flat(KEPT.kept[key]), strict=True):
        assert x == (pytest.approx(y, rel=1e-6) if isinstance(y, float) else y)


def flat(figure: object) -> list:
    return [y for x in figure for y in flat(x)] if isinstance(figure, list) else [figure]


@pytest.mark.parametrize("key", CHEAP)
def test_cheap_figures_are_what_the_commands_give(key: str) -> None:
    check(key)


def test_a_wrong_figure_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KEPT.kept, "lmul_error e4m3fn", [0.04931, 0.06, -0.03, 0.125])
    with pytest.raises(AssertionError):
        check("lmul_error e4m3fn")


@pytest.mark.long
@pytest.mark.parametrize("key", [k for k in KEPT.kept if k.split()[0] not in TIMES])
def test_figures_are_what_the_commands_give(key: str) -> None:
    if key.startswith("transformer") and not model.is_installed():
        pytest.skip(f"the model is not installed: {model.INSTALL}")
    check(key)


# -- rows of the papers: the command measures what the row shows ---------------------------------


def unsaid(row: str) -> Iterator[str]:
    """Figures that a row of docs/papers.md shows and its command does not measure: it is none of
    those in the docstring of their kind or, if it takes any unit or format, it has not theirs."""
    command = next(iter(re.findall("`((?:hwarith|python) [^`]+)`", row)), "")
    asked = figures.Figures(KEPT.kept, KEPT.versions)
    figures.filled(row, asked)
    for key in sorted(asked.asked):
        kind, name, *_ = key.split()
        ways = re.findall("``([^`]+)``", KINDS[kind].__doc__ or "")
        needed = [{*re.sub(r"^hwarith\.[\w.]+\.", "", way).split()} - {"SPEC"} for way in ways]
        measured = f"KINDS['{kind}']" in command or any(x <= words(command) for x in needed)
        script = re.match(r"python (bench/|-m )", command)
        if not measured or not (script or name in words(command)):
            yield key


def words(command: str) -> set[str]:
    """Of a command, and names in its Python."""
    return {*re.findall(r"[^\s'\"]+", command), *re.findall(r"\w+", command)}


def rows_of_papers() -> list[str]:
    page = shown("docs/papers.md")
    (block,) = (match[2] for match in figures.BLOCK.finditer(page))
    return block.splitlines()[2:]


def test_commands_of_the_papers_measure_what_their_rows_show() -> None:
    rows = rows_of_papers()
    assert len(rows) > 30
    assert {row: lacks for row in rows if (lacks := list(unsaid(row)))} == {}


@pytest.mark.parametrize(
    ("command", "lacks"),
    [
        ("hwarith synth mul:a=e4m3 mul:a=bf16 --recipe cmos", []),
        ("hwarith synth mul:a=bf16,stages=1", ["row mul:a=bf16"]),
        ("hwarith energy mul:a=bf16", ["row mul:a=bf16"]),
        ("python bench/energy.py", ["row mul:a=bf16"]),
    ],
)
def test_a_command_that_measures_something_else_is_found(command: str, lacks: list[str]) -> None:
    assert list(unsaid(f'| {{area("mul:a=bf16")}} | `{command}` |')) == lacks
