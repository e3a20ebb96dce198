"""Every result of a public function shows itself: as tables that fit a line, HTML, and pandas."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore.compare import Comparison, compare
from hwarith.explore.cycles.table import Cycles
from hwarith.explore.datatypes import DataTypeResults
from hwarith.explore.gpus import Instructions
from hwarith.explore.metrics import Evaluation
from hwarith.explore.weights.sources import Arrays
from hwarith.flow.energy.measure import Energy
from hwarith.flow.regression import Equivalent
from hwarith.flow.simulate import Simulation
from hwarith.flow.synthesis.breakdown import Part
from hwarith.flow.synthesis.equivalence import Equivalence
from hwarith.flow.vectors import Conformed, Vectors
from hwarith.formats.dynamic import DynamicFixedPoint
from hwarith.formats.layouts import Layout
from hwarith.formats.weights import WeightType
from hwarith.matrix.dynamic import DynamicProduct
from hwarith.matrix.int8 import Int8Product
from hwarith.reports.model.weights import WeightRows
from hwarith.reports.studies import Report, Swept
from hwarith.reports.write import report_of
from hwarith.tables import Several, Tabled
from hwarith.units.dot import Dot
from hwarith.units.requant.multiplier import Multiplier
from hwarith.units.shown import Listing
from tests.explore.fake_flow import FakeFlow
from tests.explore.fake_sweep import make_sweep, rename_all

TEXT = '<b class="x">a & b</b>, ' * 5 + "x" * 90
"""Text that is not HTML, and too long for a line."""

TITLE = "<i>a & b</i>"
"""The same as a key of a dictionary, which may become the title of a column."""

PLAIN: set[type] = {Simulation, Layout, Multiplier}
"""What is no result, but runs as a unit does; and tuples of numbers, to be taken apart."""


def classes(hint: Any) -> Iterator[type]:
    """The classes of hwarith that a hint names."""
    if isinstance(hint, type) and hint.__module__.startswith("hwarith."):
        yield hint
    for part in get_args(hint):
        yield from classes(part)


RESULTS = {
    cls.__name__: cls
    for name in hw.__all__
    if inspect.isfunction(function := getattr(hw, name))
    for cls in classes(get_type_hints(function)["return"])
    if cls not in PLAIN
}
"""What public functions return, by name."""


def _swept(folder: Path) -> Swept:
    return Swept(tuple(x.result for x in _content(folder).rows), folder)


def _content(folder: Path) -> Any:
    rename_all(make_sweep(folder, 2), "<b>a & b</b>")
    return report_of(folder)


NUMBERS = np.linspace(-1, 1, 256)

MADE: dict[type, Callable[[Path], Any]] = {
    hw.Unit: lambda _: hw.unit("fma:a=fp16,b=fp16,c=fp32,out=fp32,round=port,flags=after,stages=2"),
    Dot: lambda _: hw.unit("dot:preset=h100-fp16-fp32"),
    hw.Format: lambda _: hw.format("fp64"),
    hw.BlockFormat: lambda _: hw.format("nvfp4"),
    hw.Blocks: lambda _: hw.quantize(NUMBERS, "nvfp4"),
    hw.Quantized: lambda _: hw.quantize(NUMBERS, "bitmod4"),
    DynamicFixedPoint: lambda _: hw.dynamic_fixed_point(NUMBERS, 16),
    Int8Product: lambda _: hw.int8_matmul(NUMBERS[None], NUMBERS[:, None]),
    DynamicProduct: lambda _: hw.dynamic_matmul(
        *(hw.dynamic_fixed_point(x) for x in (NUMBERS[None], NUMBERS[:, None]))
    ),
    WeightType: lambda _: hw.weight_type("bitmod4"),
    Listing: lambda _: hw.list(),
    Vectors: lambda _: hw.vectors("fma:a=fp16,flags=after", 20),
    Evaluation: lambda _: hw.metrics("mul:a=e2m1fn"),
    Cycles: lambda _: hw.cycles("phi-2", ["fp16", "bitmod"]),
    Instructions: lambda _: hw.gpu("h100"),
    DataTypeResults: lambda _: hw.datatypes("ternary"),
    Comparison: lambda _: compare(["mul:a=bf16", "lmul:format=bf16"], flow=FakeFlow()),
    Swept: _swept,
    Report: lambda folder: Report(folder / "report.html", _content(folder)),
}
"""Results whose parts must suit each other; the others are made of `TEXT` and numbers."""

PARTS: dict[type, dict[str, Any]] = {
    Conformed: {"runs": ({"function": TEXT, "results": 9, "golden model": 0, "RTL": 1},)},
    Part: {"parts": ()},
    WeightRows: {"weights": Arrays(Path(TEXT), {"": NUMBERS})},
    Energy: {"by_type": {TEXT: {"cells": 1, "energy": 2.5, "leakage": None}}},
}
"""Attributes whose keys are fixed."""

SIMPLE: dict[Any, Any] = {
    **{str: TEXT, object: TEXT, Any: TEXT, int: 123_456, float: 1234.5678, bool: True},
    **{Path: Path(TEXT), np.ndarray: np.zeros(3), Fraction: Fraction(1, 3)},
}


def made(hint: Any, folder: Path, items: Any = None) -> Any:
    """Something of a type."""
    if hint in SIMPLE:
        return SIMPLE[hint]
    if hint in MADE:
        return MADE[hint](folder)
    if isinstance(hint, TypeVar):
        return made(items, folder)
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return made(args[0], folder)
    if origin is tuple and args[-1] is not ...:
        return tuple(made(x, folder) for x in args)
    if origin and len(args) == 2 and origin is not tuple:
        return {TITLE if args[0] is str else made(args[0], folder): made(args[1], folder)}
    if origin:
        return (list if origin is list else tuple)([made(args[0], folder, items)] * 2)
    if hint is Equivalent:
        return made(Equivalence, folder)
    if issubclass(hint, Several):
        items = next(get_args(b)[0] for b in hint.__orig_bases__ if get_origin(b) is Several)
    hints, given = get_type_hints(hint), PARTS.get(hint, {})
    names = [name for name in inspect.signature(hint).parameters if name not in given]
    return hint(**{name: made(hints[name], folder, items) for name in names}, **given)


class Cells(HTMLParser):
    """The tags and the texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(params=RESULTS)
def result(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return made(RESULTS[request.param], tmp_path)


def test_results_are_found() -> None:
    assert len(RESULTS) > 25
    assert all(issubclass(cls, Tabled) for cls in RESULTS.values()), RESULTS


def test_pages_are_escaped(result: Any) -> None:
    page = Cells(result._repr_html_())
    assert page.tags <= {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    for table in result.tables():
        for title in {*table.titles} - {*table.details}:
            values = [row.get(title) for row in table.rows]
            assert {x for x in values if isinstance(x, str) and x} <= {*page.texts}
    if not isinstance(result, tuple(MADE)):
        assert TEXT in "".join(page.texts)


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit(result: Any, width: int) -> None:
    for table in result.tables():
        for line in table.text(width).splitlines():
            assert len(line) <= width, line


def test_frames(result: Any) -> None:
    pytest.importorskip("pandas")
    first, *_ = result.tables()
    assert len(result.to_pandas()) == len(first.rows) > 0
