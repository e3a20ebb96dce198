"""Tables: what a cell says, what fits a line, HTML and pandas."""

from __future__ import annotations

import sys

import pytest

from hwarith.exceptions import MissingTool
from hwarith.tables import Table, Tabled, cell, number, number_text, plain_rows, quantity

ROWS = [{"": "a", "area": 1.23456789, "LUTs": None}, {"": "bb", "area": 10, "depth": 0}]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((None, ""), (True, "yes"), (False, "no"), (12, "12"), ("x", "x")),
        *((0.1 + 0.2, "0.3"), (382.7345, "382.7"), (29.0, "29"), (-0.0377667, "-0.03777")),
        *((57344, "57,344"), (57344.0, "57,344"), (12345.6, "12,350"), (999_999, "999,999")),
        *((184549376, "184.5 M"), (1234567.0, "1.235 M"), (3.2e9, "3.2 G"), (-2e12, "-2 T")),
        *((999_999.9, "1 M"), (1e15, "1e+15"), (1.7976931348623157e308, "1.798e+308")),
        *((1e-4, "0.0001"), (1.234567e-5, "1.235e-05"), (0.0, "0"), (5e-324, "4.941e-324")),
        *((float("inf"), "inf"), (float("nan"), "nan")),
        ({"a": "bf16", "n": 0.5}, "a bf16, n 0.5"),
    ],
)
def test_cell(value: object, text: str) -> None:
    assert cell(value) == text


def test_numbers_have_four_digits() -> None:
    for power in range(-20, 20):
        text = number(1.23456789 * 10.0**power)
        digits = text.split("e")[0].replace(",", "").replace(".", "").strip(" kMGT").strip("0")
        assert digits == "1235", text


def test_number_text_leaves_no_digit_out() -> None:
    assert [number_text(x) for x in (448.0, 0.1 + 0.2, 7, None, True, "6e-4966")] == [
        *("448", "0.30000000000000004", "7", "", "yes", "6e-4966")
    ]


@pytest.mark.parametrize(
    ("unit", "title", "value"),
    [
        *(("fJ", "x (J)", 2e-15), ("1ns", "x (s)", 2e-9), ("10ps", "x (s)", 2e-11)),
        *(("MHz", "x (Hz)", 2e6), ("uJ", "x (J)", 2e-6), ("nW", "x (W)", 2e-9), ("B", "x (B)", 2)),
        *(("GE", "x (GE)", 2), ("library area", "x (library area)", 2), (None, "x (None)", 2)),
    ],
)
def test_quantity(unit: str, title: str, value: float) -> None:
    ((found, figure),) = quantity("x", 2, unit).items()
    assert (found, figure) == (title, pytest.approx(value))
    assert quantity("x", None, unit) == {title: None}


def test_units_of_the_si_get_the_prefix_that_suits_the_column() -> None:
    rows = [{"energy (J)": 7.7e-13, "delay (s)": 2e-9, "area (GE)": 1e7}, {"energy (J)": 2e-14}]
    head, _, first, second = Table(rows).text().splitlines()
    assert head.split("  ") == ["energy (fJ)", "delay (ns)", "area (GE)"]
    assert first.split("  ")[-1].strip() == "10 M"
    assert (first.split()[0], second.strip()) == ("770", "20")
    assert Table([{"time (s)": 7200.0}]).text().splitlines()[0] == "time (s)"


def test_numbers_stand_to_the_right() -> None:
    head, rule, first, second = Table(ROWS).text().splitlines()
    assert head.split() == ["area", "LUTs", "depth"]
    assert set(rule) == {"─"}
    assert first.split() == ["a", "1.235"]
    assert second.index("10") + 2 == first.index("1.235") + 5


def test_lines_fit() -> None:
    """Texts are broken behind commas, then columns are left out and named."""
    row = {"spec": "fma:a=bf16,b=bf16,c=fp32,out=fp32,round=rne", "area per clock": 1.5}
    row |= {f"column {i}": 12345 + i for i in range(9)}
    for width in range(30, 200):
        table = Table([row, row], details=("column 3",))
        lines = table.text(width).splitlines()
        assert max(map(len, lines)) <= width
        shown, _, named = table.text(width).partition("With -v: ")
        missing = {t for t in row if t not in " ".join(named.replace("\n", " ").split(", "))}
        assert "column 3" not in missing
        for title in missing & {f"column {i}" for i in range(9)}:
            assert f"{row[title]:,}" in shown
    first = [line.split("  ")[0].strip() for line in table.text(60).splitlines()]
    assert [line for line in first if "=" in line][:3] == [
        *("fma:a=bf16,b=bf16,", "c=fp32,out=fp32,", "round=rne")
    ]


def test_all_columns() -> None:
    row = {"name": "x"} | {f"column {i}": i for i in range(30)}
    wide = Table([row], details=("column 2",)).text(None, all_columns=True)
    assert len(wide.splitlines()) == 3
    assert all(f"column {i}" in wide for i in range(30))
    blocks = Table([row]).text(40, all_columns=True).split("\n\n")
    assert len(blocks) > 3
    assert all(block.splitlines()[0].startswith("name") for block in blocks)
    assert all(len(line) <= 40 for block in blocks for line in block.splitlines())
    assert sum(block.splitlines()[0].count("column") for block in blocks) == 30


def test_one_word_too_long_is_cut() -> None:
    lines = Table([{"what": "x" * 50, "n": 1}]).text(30).splitlines()
    assert max(map(len, lines)) <= 30
    assert "".join(line.split()[0] for line in lines[2:]) == "x" * 50


def test_facts_have_no_head() -> None:
    assert Table([{"": "bits", " ": "8"}]).text() == "bits  8"


def test_empty_columns() -> None:
    assert Table(ROWS).without_empty().titles == ["", "area", "depth"]
    assert Table(ROWS).without_empty((None, 0)).titles == ["", "area"]


def test_html() -> None:
    rows = [{"<name>": "a & b", "area (J)": 1e-12, "depth": 3}]
    shown = Table(rows, title="one > two", details=("depth",)).to_html()
    assert "<caption>one &gt; two</caption>" in shown
    assert "<th>&lt;name&gt;</th><th>area (pJ)</th></tr>" in shown
    assert '<td style="text-align:right">1</td>' in shown
    assert "a &amp; b" in shown


class _Result(Tabled):
    def tables(self) -> list[Table]:
        return [Table(ROWS, "first"), Table([{"x": 1}])]


def test_results_show_themselves() -> None:
    assert _Result()._repr_html_().count("<table>") == 2


def test_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    assert plain_rows([{"": 1, "x": 2}]) == [{"name": 1, "x": 2}]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingTool, match=r"pip install 'hwarith\[pandas\]'"):
        _Result().to_pandas()


def test_a_frame_has_numbers_as_they_are() -> None:
    pytest.importorskip("pandas")
    frame = _Result().to_pandas()
    assert list(frame.columns) == ["name", "area", "LUTs", "depth"]
    assert frame["area"].tolist() == [1.23456789, 10]
