"""Writing files whole or not at all, and reading arrays of numpy's files."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import InvalidInput, shown
from .temporary import partial

if TYPE_CHECKING:
    import numpy as np


def output_folder(path: Path) -> Path:
    """The folder, made if it is not there. Raises `InvalidInput` if it cannot be written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InvalidInput(f"output folder {shown(path)} is a file") from None
    except OSError as error:
        raise InvalidInput(
            f"output folder {shown(path)} cannot be made: {error.strerror}"
        ) from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise InvalidInput(f"output folder {shown(path)} cannot be written")
    return path


def write_bytes(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file whole: under another name first. Raises `InvalidInput` if it cannot be.

    Who may read and write it is `mode`, less what the process' umask takes away.
    """
    unfinished = partial(path.parent)
    try:
        with open(unfinished, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content)
        os.replace(unfinished, path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise InvalidInput(f"{shown(path)} cannot be written: {error.strerror}") from None


def write_text(path: Path, text: str) -> None:
    """`write_bytes` for text, in UTF-8."""
    write_bytes(path, text.encode())


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Have a file of this path locked meanwhile: others, of any process, wait for each other."""
    import fcntl

    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def read_arrays(path: Path, what: str) -> np.ndarray | dict[str, np.ndarray]:
    """The array of an ``.npy`` file, or those of an ``.npz`` file by name. Raises `InvalidInput`,
    which calls the file `what`, if it is none or cannot be read."""
    import numpy as np

    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            return dict(loaded)
    except OSError as error:
        raise InvalidInput(
            f"{what} {shown(path)} cannot be read: {error.strerror or error}"
        ) from None
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise InvalidInput(f"{what} {shown(path)} is no .npy or .npz file of numbers") from None
