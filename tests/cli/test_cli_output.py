"""What commands print: tables, JSON, and the line that says what went wrong."""

from __future__ import annotations

import pytest

from hwarith.cli.output import (
    cell,
    fail,
    print_json,
    print_rows,
    print_table,
    progress,
    progress_to,
    without_empty_columns,
)

ROWS = [{"": "a", "area": 1.23456789, "LUTs": None}, {"": "bb", "area": 10, "depth": 0}]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((None, ""), (True, "yes"), (False, "no"), (12, "12"), ("x", "x")),
        *((0.1 + 0.2, "0.3"), (1234567.0, "1.23457e+06")),
        ({"a": "bf16", "n": 0.5}, "a bf16, n 0.5"),
    ],
)
def test_cell(value: object, text: str) -> None:
    assert cell(value) == text


def test_empty_columns() -> None:
    titles = [list(row) for row in without_empty_columns(ROWS)]
    assert titles == [["", "area", "depth"]] * 2
    assert [list(row) for row in without_empty_columns(ROWS, (None, 0))] == [["", "area"]] * 2


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers stand to the right, and long lines are whole where there is no terminal."""
    print_table([*ROWS, {"": "x" * 200}])
    lines = capsys.readouterr().out.splitlines()
    head, _, first, second, last = (line for line in lines if line.strip())
    assert head.split() == ["area", "LUTs", "depth"]
    assert first.split() == ["a", "1.23457"]
    assert second.index("10") + 2 == first.index("1.23457") + 7
    assert last.strip() == "x" * 200


def test_rows_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"": "a", "value": None}], as_json=True)
    assert capsys.readouterr().out == '[\n  {\n    "name": "a",\n    "value": null\n  }\n]\n'
    print_json({"x": 1j})
    assert capsys.readouterr().out == '{\n  "x": "1j"\n}\n'


def test_fail(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        fail("two\n  lines", 3)
    assert (ended.value.code, capsys.readouterr().err) == (3, "hwarith: two lines\n")


def test_progress_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress([1, 2], "work")) == [1, 2]
    with progress_to(10, "work") as advance:
        advance(5)
    assert capsys.readouterr() == ("", "")
