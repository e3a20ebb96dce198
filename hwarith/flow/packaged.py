"""Programs that come as WebAssembly in a ``yowasp`` package, such as yosys and nextpnr.

Such a program compiles itself on its first call on a machine, and keeps what it has compiled for
all later ones. That is as good as a shared object: it is used only from a folder that nobody else
can write to, and as long as it has the SHA-256 that it had at first.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .. import caching, files
from . import processes

_START = """
import os, sys
os.environ["YOWASP_CACHE_DIR"] = sys.argv[1]
import yowasp_{0} as tool
sys.exit(tool.run_{0}(sys.argv[2:]))
"""


def command(program: str) -> tuple[str, ...]:
    """The command of a program such as ``yosys`` or ``nextpnr_ecp5``. `prepare` it first."""
    return (*processes.python("-c", _START.format(program)), str(_folder(program)))


@cache
def prepare(program: str) -> None:
    """Have a program compiled, by one process at a time: another one that called it meanwhile
    would die of what is half compiled. What is no longer what it was is compiled again."""
    folder = _folder(program)
    compiled = folder / f"yowasp_{program}"
    entry = "programs", f"{program}-{version(f'yowasp_{program}')}.json"
    if _known(entry).get("state") == _state(compiled):
        return
    with files.locked(folder / "hwarith.lock"):
        known, digests = _known(entry), _digests(compiled)
        if not digests or (known and known["sha256"] != digests):
            for path in _files(compiled):
                path.unlink()
            print(
                f"Preparing {program} for its first use on this machine (about half a minute)...",
                file=sys.stderr,
                flush=True,
            )
        if not known or known["sha256"] != digests:
            processes.said([*command(program), "--version"], what=program)
            digests = _digests(compiled)
        found = {"sha256": digests, "state": _state(compiled)}
        caching.save(*entry, json.dumps(found).encode())


def _known(entry: tuple[str, str]) -> dict[str, Any]:
    """What was found when a program was prepared."""
    content = caching.load(*entry)
    return {} if content is None else json.loads(content)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder."""
    found = {}
    for path in _files(folder):
        with path.open("rb") as file:
            found[str(path)] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _state(folder: Path) -> dict[str, list[int]]:
    """What changes whenever a file below a folder is written: hashing 200 MB in every process would
    take as long as a synthesis."""
    states = {str(path): path.stat() for path in _files(folder)}
    return {
        name: [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]
        for name, state in states.items()
    }


@cache
def _folder(program: str) -> Path:
    """Where packages keep what they compiled: their own folder if nobody else can put anything
    there, or else one in the cache folder."""
    import platformdirs

    usual = platformdirs.user_cache_dir("YoWASP", appauthor=False)
    root = Path(os.environ.get("YOWASP_CACHE_DIR") or usual).absolute()
    compiled = root / f"yowasp_{program}"
    safe = all(caching.is_usable(path) for path in (root, *compiled.glob("**/*")))
    return root if safe else caching.folder("programs")
