"""What commands print: tables and JSON, and the line that says what went wrong."""

from __future__ import annotations

import pytest

from hwarith.cli.output import fail, print_json, print_rows, print_table
from hwarith.tables import Table


def test_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines of 80 characters, of as many as COLUMNS says, or of all that is asked for."""
    table = Table([{"": "a", "what": "x" * 200, "n": 3}])
    widths = []
    for columns, verbose in (("", False), ("60", False), ("60", True)):
        monkeypatch.setenv("COLUMNS", columns)
        print_table(table, verbose)
        out = capsys.readouterr().out
        assert out.endswith("\n\n")
        widths.append(max(map(len, out.splitlines())))
    assert widths == [80, 60, 206]


def test_rows_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"": "a", "value": None}], as_json=True)
    assert capsys.readouterr().out == '[\n  {\n    "name": "a",\n    "value": null\n  }\n]\n'
    print_json({"x": 1j})
    assert capsys.readouterr().out == '{\n  "x": "1j"\n}\n'


def test_fail(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        fail("two\n  lines", 3)
    assert (ended.value.code, capsys.readouterr().err) == (3, "hwarith: two lines\n")
