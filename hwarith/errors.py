"""The exception family of hwarith, and the helper that words its messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HwarithError(Exception):
    """Root of every error that a user of hwarith can cause or meet.

    The command line catches it once and prints its one-line message without a traceback.
    """


class InvalidInput(HwarithError, ValueError):
    """A value that the user gave is not one of those allowed (also a ``ValueError``)."""


class MissingTool(HwarithError):
    """A program that hwarith calls (g++, make, perl, yosys, verilator) is not there."""


class ToolFailure(HwarithError):
    """A program that hwarith calls ended with an error."""


def unknown(kind: str, name: object, allowed: Iterable[str]) -> InvalidInput:
    """Error for a name that is not in `allowed`, with the nearest one as a suggestion."""
    names = list(allowed)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return InvalidInput(f"unknown {kind} {name!r}; {hint}allowed: {', '.join(names)}")
