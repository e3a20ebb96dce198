"""What is kept in the user's cache folder: every entry whole, and checked before it is used.

An entry is a file ``KIND/NAME`` of the cache folder: some bytes, and behind them a line with their
number and with the SHA-256 of kind, name and bytes. An entry that is damaged, was made for another
name or could be changed by another user is made again::

    text = kept("synthesize", f"{digest}.json", lambda: run().encode())   # bytes
    path = kept_file("simulate", f"{digest}.so", compile)                 # a file to be loaded

or, in two steps, ``load(kind, name)``, which is None if there is no such entry, and
``save(kind, name, content)``. So a name must tell all that the content depends on. (Loaders of
shared objects, linkers and the system take no notice of what stands behind a program's end.)

Any number of processes and threads may do this at a time: files are replaced whole. None of it
fails for the folder's sake: if it cannot be used or written, one line on standard error says why,
once in a process, and entries last as long as the process.

The folder is ``$HWARITH_CACHE`` or the one for caches in the user's home. It is used if it and the
folder of the kind belong to the user and nobody else can write to them; what is made here has the
mode 700, its files 600.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from .exceptions import InvalidInput
from .files import write_bytes
from .temporary import folder_of_process

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def kept(kind: str, name: str, make: Callable[[], bytes]) -> bytes:
    """The content of an entry, which `make` gives if it is not kept yet or no longer whole."""
    content = load(kind, name)
    if content is None:
        content = make()
        save(kind, name, content)
    return content


def kept_file(kind: str, name: str, make: Callable[[], bytes]) -> Path:
    """The same as a file, with one line behind the content."""
    for path in _places(kind, name):
        if _content(path, kind, name) is not None:
            return path
    return save(kind, name, make())


def load(kind: str, name: str) -> bytes | None:
    """The content of an entry; None if there is none that is whole and the user's own."""
    found = (_content(path, kind, name) for path in _places(kind, name))
    return next((content for content in found if content is not None), None)


def save(kind: str, name: str, content: bytes) -> Path:
    """Keep an entry, in place of one that there may be. Gives its file."""
    whole = content + _seal(kind, name, content)
    if (shared := _shared(kind)) is not None:
        try:
            write_bytes(shared / name, whole, mode=0o600)
            return shared / name
        except InvalidInput as error:
            _say_once(f"{error}; it is not kept")
    write_bytes(_own(kind) / name, whole, mode=0o600)
    return _own(kind) / name


def folder(kind: str) -> Path:
    """The folder for files of a kind that are never loaded, such as logs; one that ends with the
    process if the cache folder cannot be used."""
    shared = _shared(kind)
    return _own(kind) if shared is None else shared


def is_usable(path: Path) -> bool:
    """Whether a path, a folder that is made if it is not there, is safe to load code from: it is
    the user's, and nobody else can write to it. If not, a line on standard error says so."""
    if reason := _unusable(path):
        _say_once(f"{path} is not used: {reason}")
    return reason is None


def _unusable(path: Path) -> str | None:
    try:
        if not path.exists():
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
    except OSError as error:
        return f"it cannot be made ({error.strerror})"
    if found.st_uid != os.geteuid():
        return "it belongs to another user"
    if found.st_mode & _OTHERS_WRITE:
        return f"others can write to it (mode {found.st_mode & 0o777:o})"
    return None


def _places(kind: str, name: str) -> list[Path]:
    """Where an entry may be."""
    shared = _shared(kind)
    own = _own(kind) if os.getpid() in _with_own else None
    return [place / name for place in (shared, own) if place is not None]


def _content(path: Path, kind: str, name: str) -> bytes | None:
    """The content of a file, if it is the entry of this kind and name."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_mode & _OTHERS_WRITE:
                return None
            whole = file.read() if found.st_uid == os.geteuid() else b""
    except OSError:
        return None
    content, seal = whole[:-_SEAL_LENGTH], whole[-_SEAL_LENGTH:]
    return content if seal == _seal(kind, name, content) else None


def _seal(kind: str, name: str, content: bytes) -> bytes:
    """The line behind the content of an entry; always of one length."""
    digest = hashlib.sha256(f"{kind}/{name}\0".encode())
    digest.update(content)
    return f"\nhwarith entry: {len(content):016} bytes, sha256 {digest.hexdigest()}\n".encode()


_SEAL_LENGTH = len(_seal("", "", b""))


def _shared(kind: str) -> Path | None:
    """The folder of a kind, which may have been made by other processes; None if unusable."""
    import platformdirs

    usual = platformdirs.user_cache_dir("hwarith")
    path = Path(os.environ.get("HWARITH_CACHE") or usual).absolute()
    for part in ("", *Path(kind).parts):
        path = path / part
        if not is_usable(path):
            return None
        if not path.is_dir():
            _say_once(f"{path} is not used: it is no folder")
            return None
    return path


_with_own: set[int] = set()
"""The processes that have entries in a folder of their own: a fork has not."""


def _own(kind: str) -> Path:
    """The folder of a kind that ends with this process."""
    _with_own.add(os.getpid())
    folder = folder_of_process() / kind
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@cache
def _say_once(text: str) -> None:
    print(f"hwarith: {text}", file=sys.stderr, flush=True)
