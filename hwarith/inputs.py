"""What is read from outside: one function for each kind of file, and one message for each failure.

A file that a user gives may be missing, cut short, of another kind, or made to do harm. Here each
of these becomes an `InvalidInput` that names the file and says what is wrong, and no size that
stands in a file is believed before it is compared with the file's own.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import re
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from .exceptions import InvalidInput, quoted, shown

if TYPE_CHECKING:
    import numpy as np

MOST_TEXT = 64 << 20
"""Bytes of a file of TOML or JSON: what people write has thousands."""

MOST_BYTES = 2 << 30
"""Bytes of any other file, once it is unpacked."""

_MOST_PARTS = 100
_LONG_KEY = re.compile(
    rf"""(?<![\w"'-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{_MOST_PARTS}}}""",
    re.ASCII,
)
"""The beginning of a dotted key of too many parts, each bare or in quotation marks."""

_MOST_UNPACKED = 1100
"""Bytes that a byte of zlib's can become, and a few more (zlib's page: 1032)."""

_MOST_ARRAYS = 16 << 30
"""Bytes of the packed arrays of a file together."""

_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_NPY = b"\x93NUMPY"


def read_toml(path: Path, what: str) -> tuple[dict[str, Any], str]:
    """The data of a TOML file, and its text. Raises `InvalidInput`, which calls the file `what`."""
    with _told(path, what, "TOML"):
        text = _bytes(path, MOST_TEXT).decode()
        if _LONG_KEY.search(text):  # of which tomllib takes quadratic time
            raise InvalidInput(f"a key in it has more than {_MOST_PARTS} parts")
        data = tomllib.loads(text)
        _check_integers(data)
    return data, text


def read_json(path: Path, what: str) -> Any:
    """The data of a JSON file. Raises `InvalidInput`, which calls the file `what`."""
    with _told(path, what, "JSON"):
        return json.loads(_bytes(path, MOST_TEXT))


def read_text(path: Path, what: str) -> str:
    """A text file, in UTF-8 (ASCII is). Raises `InvalidInput`, which calls the file `what`."""
    with _told(path, what, "text"):
        return _bytes(path, MOST_BYTES).decode("utf-8-sig")


def read_liberty(path: Path) -> bytes:
    """The text of a Liberty file, which gzip may have packed. Raises `InvalidInput`."""
    with _told(path, "Liberty file", "text or packed text"):
        content = _bytes(path, MOST_BYTES)
        if content.startswith(_GZIP):
            with gzip.open(io.BytesIO(content)) as file:
                content = _at_most(file, MOST_BYTES)
    return content


def read_arrays(path: Path, what: str) -> np.ndarray | dict[str, np.ndarray]:
    """The array of an ``.npy`` file, or those of an ``.npz`` file by name. Raises `InvalidInput`,
    which calls the file `what`, if it is none or cannot be read."""
    with _told(path, what, ".npy or .npz file of numbers"), open(path, "rb") as file:
        begin = file.read(len(_NPY))
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        if begin == _NPY:
            return _array(file, size)
        if not begin.startswith(_ZIP):
            raise ValueError("it begins as neither")
        with zipfile.ZipFile(file) as members:
            packed = [x for x in members.infolist() if x.compress_type != zipfile.ZIP_STORED]
            unpacked = sum(info.file_size for info in packed)
            if unpacked > min(_MOST_UNPACKED * size, _MOST_ARRAYS):
                raise InvalidInput(f"its members would take {quoted(unpacked)} bytes")
            return dict(_member(members, info) for info in members.infolist())


@contextmanager
def told(path: Path, what: str, but: type[InvalidInput] | tuple[()] = ()) -> Iterator[None]:
    """Have what is wrong with the content of a file told with the file's name, and what goes
    too deep for Python as well. Errors of the class `but` are left to the caller."""
    try:
        yield
    except but:
        raise
    except InvalidInput as error:
        raise InvalidInput(f"{what} {shown(path)}: {error}") from None
    except RecursionError:
        raise InvalidInput(f"{what} {shown(path)}: it nests too deeply") from None
    except MemoryError:
        raise InvalidInput(f"{what} {shown(path)}: it is too large for the memory") from None


@contextmanager
def _told(path: Path, what: str, kind: str) -> Iterator[None]:
    """The same of the reading itself, in libraries that raise whatever there is."""
    with told(path, what):
        try:
            yield
        except (InvalidInput, RecursionError, MemoryError):
            raise
        except tomllib.TOMLDecodeError as error:
            raise InvalidInput(shown(error)) from None
        except OSError as error:
            if error.errno is None:  # of a library, about what it read
                raise InvalidInput(f"it is no {kind} ({shown(error)})") from None
            reason = error.strerror
        except Exception as error:
            if str(error).startswith("Exceeds the limit"):
                raise InvalidInput("an integer in it has more than 4,300 digits") from None
            said = f"{type(error).__name__}: {error}"
            raise InvalidInput(f"it is no {kind}, or damaged ({shown(said)})") from None
        else:
            return
    raise InvalidInput(f"{what} {shown(path)} cannot be read: {reason}")


def _bytes(path: Path, most: int) -> bytes:
    with open(path, "rb") as file:
        return _at_most(file, most)


def _at_most(file: Any, most: int) -> bytes:
    """All of a file, if that is not too much (as ``/dev/zero`` is, and what gzip can hide)."""
    content = file.read(most + 1)
    if len(content) > most:
        raise InvalidInput(f"it has more than {most >> 20} MiB")
    return content


def _check_integers(data: Any) -> None:
    """Raise `InvalidInput` for an integer that TOML does not have: it has 64 bits."""
    left = [data]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise InvalidInput(f"integers have 64 bits, and {quoted(value)} has more")


def _member(members: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[str, np.ndarray]:
    """The name and the array of a member of an ``.npz`` file."""
    name = info.filename.removesuffix(".npy")
    if name == info.filename:
        raise InvalidInput(f"its member {quoted(name)} is no array")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InvalidInput(f"its member {quoted(name)} is not packed as numpy packs")
    with members.open(info) as file:
        return name, _array(file, info.file_size)


def _array(file: BinaryIO | Any, size: int) -> np.ndarray:
    """The array of an ``.npy`` file of this size, of which nothing is read yet."""
    from numpy.lib import format as npy

    version = npy.read_magic(file)
    read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    if version not in read_header:
        raise ValueError(f"version {version}")
    shape, _, dtype = read_header[version](file)
    if dtype.hasobject or dtype.itemsize == 0 or min(shape, default=0) < 0:
        raise InvalidInput(f"an array of shape {shown(shape)} of {shown(dtype)} is none of numbers")
    needed, there = math.prod(shape) * dtype.itemsize, size - file.tell()
    if needed > there:
        raise InvalidInput(
            f"an array of shape {shown(shape)} would take {quoted(needed)} bytes, and {there} "
            "are there"
        )
    file.seek(0)
    return npy.read_array(file, allow_pickle=False)
