"""Files and folders that end with their process, and the end of those whose process was killed.

Their names say whose they are: ``hwarith-MARK-...``, and with a dot in front files that take their
place under another name once they are whole. A mark is of a machine, a process on it and when that
began, so that it is not taken for a later process of the same number. Who makes one in a folder
removes there, once in a process, what is left of processes that are gone: never what belongs to a
living process, to another machine (or container), to another user, and nothing through links.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import platform
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from pathlib import Path

_NAME = re.compile(r"\.?hwarith-([0-9a-f]{8})-(\d+)-(\d+)-\w+")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """An empty folder that only the user can enter; it is removed at the end, with all in it."""
    path = _make()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def folder_of_process() -> Path:
    """One folder that is removed when this process ends."""
    return _folder_of(os.getpid())


def partial(folder: Path) -> Path:
    """A new name for a file that is being written in a folder."""
    _remove_left(folder)
    return folder / f".hwarith-{_mark(os.getpid())}-{secrets.token_hex(4)}"


def _make() -> Path:
    _remove_left(Path(tempfile.gettempdir()))
    return Path(tempfile.mkdtemp(prefix=f"hwarith-{_mark(os.getpid())}-"))


@cache
def _folder_of(process: int) -> Path:
    path = _make()
    atexit.register(_remove, process, path)
    return path


def _remove(process: int, path: Path) -> None:
    if process == os.getpid():  # and not a fork of it
        shutil.rmtree(path, ignore_errors=True)


@cache
def _mark(process: int) -> str:
    return f"{_machine()}-{process}-{_start(process) or 0}"


@cache
def _machine() -> str:
    """Where numbers of processes mean the same."""
    names = [platform.node()]
    with suppress(OSError):
        names.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\0".join(names).encode()).hexdigest()[:8]


def _start(process: int) -> int | None:
    """When a process began, in ticks; None if it is gone, or if the system does not say."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 1 :].split()
    return None if fields[0] in "ZX" else int(fields[19])


def _is_gone(process: int, start: int) -> bool:
    if start:
        return _start(process) != start
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False


@lru_cache(maxsize=1024)
def _remove_left(folder: Path) -> None:
    """Remove what is left in a folder of this user's processes that are gone."""
    with suppress(OSError):
        for name in os.listdir(folder):
            match = _NAME.fullmatch(name)
            if match and match[1] == _machine() and _is_gone(int(match[2]), int(match[3])):
                _remove_own(folder / name)


def _remove_own(path: Path) -> None:
    with suppress(OSError):
        found = path.lstat()
        if found.st_uid != os.geteuid():
            return
        if stat.S_ISDIR(found.st_mode):
            shutil.rmtree(path, ignore_errors=True)
        elif stat.S_ISREG(found.st_mode):
            path.unlink()
