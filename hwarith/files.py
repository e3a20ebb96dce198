"""Writing files whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from .exceptions import InvalidInput, shown
from .temporary import partial


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


def check_writable(path: Path) -> None:
    """Raise `InvalidInput` if a file cannot be written later, as far as can be told: for work that
    takes long to be refused before it begins."""
    if path.is_dir():
        reason = "it is a folder"
    elif not path.parent.is_dir():
        reason = "there is no such folder"
    elif not os.access(path.parent, os.W_OK | os.X_OK):
        reason = "its folder cannot be written"
    else:
        return
    raise InvalidInput(f"{shown(path)} cannot be written: {reason}")


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


def remove(path: Path) -> None:
    """Remove a file, if it is there. Raises `InvalidInput` if it cannot be."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidInput(f"{shown(path)} cannot be removed: {error.strerror}") from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Have a file of this path locked meanwhile: others, of any process, wait for each other."""
    import fcntl

    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_new(texts: Mapping[Path, str], force: bool = False) -> None:
    """Write files, each whole, in folders that are made if they are not there.

    Raises `InvalidInput`, and writes nothing, if one is there that is not the same: only with
    `force` it is overwritten.
    """
    for path, text in texts.items():
        if force or not os.path.lexists(path):
            continue
        try:
            same = path.read_bytes() == text.encode()
        except OSError:
            same = False
        if not same:
            raise InvalidInput(f"{shown(path)} is there and differs; --force overwrites it")
    for path, text in texts.items():
        output_folder(path.parent)
        write_text(path, text)
