"""The programs that the flow calls."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hwarith import files
from hwarith.flow import tools


@pytest.mark.parametrize("program", ["yosys", "nextpnr_ice40"])
def test_programs_are_prepared_by_one_at_a_time(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First calls at once: a packaged program must not be called by two while it compiles."""
    monkeypatch.setenv("HWARITH_CACHE", str(tmp_path))
    monkeypatch.setattr(tools.tempfile, "gettempdir", lambda: str(tmp_path))
    calls: list[str] = []

    def run(*_: Any, **__: Any) -> None:
        calls.append("begin")
        time.sleep(0.2)
        calls.append("end")

    monkeypatch.setattr(tools, "run", run)
    prepare = tools.prepare.__wrapped__
    threads = [threading.Thread(target=prepare, args=(program,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == ["begin", "end"]


def test_locks_exclude_each_other(tmp_path: Path) -> None:
    inside: list[int] = []

    def work() -> None:
        with files.locked(tmp_path / "lock"):
            inside.append(1)
            time.sleep(0.02)
            assert sum(inside) == 1
            inside.append(-1)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside == [1, -1] * 5
