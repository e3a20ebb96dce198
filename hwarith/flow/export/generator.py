"""The FuseSoC generator: makes the core of a unit whose spec another core names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ...exceptions import HwarithError, InvalidInput, quoted, shown, unknown
from .flows import core
from .folder import block_files, block_of, write

PARAMETERS = ("spec", "period")


def main(arguments: list[str]) -> int:
    """Write the core that FuseSoC's file asks for to the folder that this runs in.

    A mistake is one line on standard error, with status 2, and nothing is written.
    """
    try:
        if len(arguments) != 1:
            raise InvalidInput("FuseSoC generator: give the file with its parameters")
        asked = _read(Path(arguments[0]))
        texts = generated(asked.get("parameters"), str(asked.get("vlnv")))
        write(Path.cwd(), texts, force=True)
    except HwarithError as error:
        print(f"hwarith: {error}", file=sys.stderr)
        return 2
    return 0


def generated(parameters: Any, vlnv: str) -> dict[str, str]:
    """The files of a core of this name. Raises `InvalidInput`."""
    if not isinstance(parameters, dict) or "spec" not in parameters:
        raise InvalidInput("FuseSoC generator: parameter spec is missing; give it a unit's spec")
    for name in parameters:
        if name not in PARAMETERS:
            raise unknown("parameter of the FuseSoC generator", name, PARAMETERS)
    spec = parameters["spec"]
    if not isinstance(spec, str):
        raise InvalidInput(f"FuseSoC generator: spec must be a text, not {quoted(spec)}")
    block = block_of(spec, parameters.get("period", 10), 1000, 1, None, {})
    texts = block_files(block)
    return texts | {f"{block.name}.core": core(block, vlnv)}


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InvalidInput(f"FuseSoC generator: {shown(path)} cannot be read: {reason}") from None
    if not isinstance(found, dict):
        raise InvalidInput(f"FuseSoC generator: {shown(path)} is not a mapping")
    return found
