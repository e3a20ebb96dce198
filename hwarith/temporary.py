"""Folders for the files of one task, which end with it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """An empty folder that only the user can enter; it is removed at the end, with all in it."""
    with tempfile.TemporaryDirectory(prefix="hwarith-") as name:
        yield Path(name)
