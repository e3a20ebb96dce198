"""Results of mapping that are kept in the cache folder, and found again by all that they depend on.

That is the description, the scripts, the library and the version of yosys, and the code that makes
and reads figures, found by what it imports.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any

from ... import caching
from .. import keys, tools


def kept(
    folder: str, module: str, content: Iterable[str | bytes], find: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """What `find` returns, which must be fit for JSON; from the cache if it has been found before.

    Parameters
    ----------
    folder : the folder of the cache for results of this kind.
    module : where they are found; its code counts, and all that it imports.
    content : everything else that they depend on besides yosys.
    find : finds what is not kept yet.
    """
    name = f"{digest(module, content)}.json"
    return json.loads(caching.kept(folder, name, lambda: json.dumps(find()).encode()))


def digest(module: str, content: Iterable[str | bytes]) -> str:
    """A short name for results that depend on this content, on yosys and on the module's code."""
    parts = [part.encode() if isinstance(part, str) else part for part in content]
    parts += [tools.versions()["yosys"].encode(), keys.code(module).encode()]
    sizes = " ".join(str(len(part)) for part in parts).encode()
    return hashlib.sha256(b"\0".join([sizes, *parts])).hexdigest()[:32]
