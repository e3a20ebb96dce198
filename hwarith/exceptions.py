"""The exception family of hwarith, and how its messages show what a user gave."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable

from .synonyms import SYNONYMS

MOST_SHOWN = 100
"""Characters that a message shows of one thing that a user gave."""


class HwarithError(Exception):
    """Root of every error that a user of hwarith can cause or meet.

    The command line catches it once and prints its one-line message without a traceback.
    """


class InvalidInput(HwarithError, ValueError):
    """A value that the user gave is not one of those allowed (also a ``ValueError``)."""


class UnknownName(InvalidInput):
    """A name that is none of those that there are."""


class MissingTool(HwarithError):
    """A program that hwarith calls (g++, make, perl, yosys, verilator) is not there."""


class ToolFailure(HwarithError):
    """A program that hwarith calls ended with an error."""


class _Repr(reprlib.Repr):
    """Python's `repr`, which never writes out the whole of something long."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = MOST_SHOWN

    def repr_int(self, x: int, level: int) -> str:
        """Python refuses to write integers of more than 4,300 digits."""
        bits = abs(x).bit_length()
        return repr(x) if bits <= 3 * MOST_SHOWN else f"an integer of {bits:,} bits"


_REPR = _Repr()


def quoted(value: object) -> str:
    """A value that a user gave, as Python writes it: on one line, and what is long shortened."""
    return shown(_REPR.repr(value))


def shown(text: object, most: int = 2 * MOST_SHOWN) -> str:
    """A text that a user gave, such as the path of a file, without quotation marks: what is long
    with its middle left out, what does not print escaped."""
    given = str(text)
    if len(given) > most:
        half = (most - 3) // 2
        given = f"{given[:half]}...{given[-half:]}"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in given)


def name_of(value: object) -> str:
    """The name that a user gave in lower case; what is no text as messages show it."""
    return (value if isinstance(value, str) else quoted(value)).strip().lower()


def listed(names: Iterable[object]) -> str:
    """Names that a user gave, with commas between them, as one text that is `shown`."""
    return shown(", ".join(map(str, names)))


def unknown(kind: str, name: object, allowed: Iterable[str]) -> UnknownName:
    """Error for a name that is not in `allowed`; it suggests what else it is called, or the
    nearest one."""
    names = list(allowed)
    given = name_of(name)[:MOST_SHOWN]
    meant = [other for other in SYNONYMS.get(given, ()) if other in names]
    near = meant or difflib.get_close_matches(given, names, n=1, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    return UnknownName(f"unknown {kind} {quoted(name)}; {hint}allowed: {', '.join(names)}")
