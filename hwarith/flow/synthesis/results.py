"""Results of mapping that are kept in the cache folder, and found again by all that they depend on.

That is the description, the scripts, the library and the version of yosys, and the code that reads
figures: every file of this package, so that none can be forgotten.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ... import caching
from .. import tools


def kept(
    folder: str, content: Iterable[str | bytes], find: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """What `find` returns, which must be fit for JSON; from the cache if it has been found before.

    Parameters
    ----------
    folder : the folder of the cache for results of this kind.
    content : everything that they depend on besides the code of this package and yosys.
    find : finds what is not kept yet.
    """
    name = f"{digest(content)}.json"
    return json.loads(caching.kept(folder, name, lambda: json.dumps(find()).encode()))


def digest(content: Iterable[str | bytes]) -> str:
    """A short name for results that depend on this content, on yosys and on this package."""
    parts = [part.encode() if isinstance(part, str) else part for part in content]
    parts += [tools.versions()["yosys"].encode(), *source_of_figures()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]


def source_of_figures(folder: Path = Path(__file__).parent) -> list[bytes]:
    """The code that figures depend on: the files of this package, in the order of their names."""
    return [path.read_bytes() for path in sorted(folder.glob("*.py"))]
