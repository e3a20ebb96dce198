"""How tests run the command line: in this process, or as the shell does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import hwarith

TINY = "mul:a=e2m1fn"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(hwarith.__file__).parent.parent)}


class Outcome(NamedTuple):
    """Exit status, and what was printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Outcome]
Mistake = Callable[[list[str], str], None]


def assert_one_line(outcome: Outcome, message: str) -> None:
    """A mistake is one line on standard error that begins so, and status 2."""
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith(f"hwarith: {message}")
    assert outcome.err.count("\n") == 1
    assert "Traceback" not in outcome.err


def hwarith_process(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hwarith", *arguments]
    return subprocess.run(command, env=ENVIRONMENT, text=True, **settings)
