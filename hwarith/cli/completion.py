"""What the shell offers after Tab: units, their parameters and values, formats, libraries.

``hwarith --install-completion`` sets it up. A spec is completed piece by piece: ``mu`` to ``mul``,
``mul:st`` to ``mul:stages=``, ``mul:a=e4`` to ``mul:a=e4m3``, ``mul:a=e4m3fn``, ...
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, MutableMapping

from ..exceptions import HwarithError

_ENDS = (":", "=")
"""What bash takes for ends of words."""

_BEGUN = "_HWARITH_BEGUN"
"""The variable that has the beginning of the word, where the shell replaces but its end."""


def complete_spec(incomplete: str) -> list[str]:
    """Specs that begin so, one piece longer."""
    from ..units import FAMILIES

    text = os.environ.get(_BEGUN, "") + incomplete
    family, colon, parameters = text.partition(":")
    if not colon:
        return _offered(FAMILIES, incomplete)
    head, _, last = parameters.rpartition(",")
    begun = f"{family}:{head}," if head else f"{family}:"
    name, equals, _ = last.partition("=")
    try:
        if equals:
            names = [f"{begun}{name}={value}" for value in _values(family, name)]
        else:
            given = {item.partition("=")[0] for item in head.split(",")}
            names = [f"{begun}{key}=" for key in _parameters(family) if key not in given]
    except HwarithError:  # a mistake is for the command to tell
        return []
    return _offered(names, incomplete)


def complete_name(incomplete: str) -> list[str]:
    """Units and formats that begin so, and specs."""
    from ..formats import BLOCKS, NAMED

    return complete_spec(incomplete) + _offered([*NAMED, *BLOCKS], incomplete)


def complete_library(incomplete: str) -> list[str]:
    """Libraries that begin so."""
    from ..flow.synthesis.libraries import NAMES

    return _offered(NAMES, incomplete)


def complete_weight_type(incomplete: str) -> list[str]:
    """Weight types that begin so."""
    from ..formats.blocks import BLOCKS
    from ..formats.weights.types import TYPES

    return _offered([*TYPES, *BLOCKS], incomplete)


def _parameters(family: str) -> Iterable[str]:
    from ..units.registry import family as class_of
    from ..units.registry import wrappers_of

    cls = class_of(family)
    return [*cls.parameters(), *wrappers_of(cls)]


def _values(family: str, name: str) -> Iterable[str]:
    """The values of a parameter that can be listed: names, and the named formats."""
    from ..formats import NAMED
    from ..units.registry import family as class_of

    parameter = class_of(family).parameters().get(name)
    if parameter is None:
        return ()
    if parameter.allowed == "a format":
        return NAMED
    words = parameter.allowed.split()
    return words if all(re.fullmatch(r"\w+", w) for w in words) and "to" not in words else ()


def join_words(environment: MutableMapping[str, str]) -> None:
    """Put together what bash takes apart: ``:`` and ``=`` are words of their own to it, so that a
    spec comes as many. It replaces what is behind the last of them; the rest is set aside as
    `_BEGUN`. Other shells have specs whole."""
    if "COMP_WORDS" not in environment:
        return
    words = environment["COMP_WORDS"].split()
    number = int(environment.get("COMP_CWORD") or 0)
    joined: list[str] = []
    for word in words[: number + 1]:
        if joined and (word in _ENDS or joined[-1][-1] in _ENDS):
            joined[-1] += word
        else:
            joined.append(word)
    if number >= len(words):  # the cursor stands behind a blank
        joined.append("")
    kept = max(map(joined[-1].rfind, _ENDS)) + 1
    environment[_BEGUN], joined[-1] = joined[-1][:kept], joined[-1][kept:]
    environment["COMP_WORDS"] = "\n".join(joined)
    environment["COMP_CWORD"] = str(len(joined) - 1)


def _offered(names: Iterable[str], incomplete: str) -> list[str]:
    """Those that begin so, without what stands before the part that the shell replaces."""
    begun = os.environ.get(_BEGUN, "")
    return [name.removeprefix(begun) for name in names if name.startswith(begun + incomplete)]
