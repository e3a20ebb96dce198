"""`hwarith.list` and `hwarith.show`: what there is, for people who look around."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Any

from ..exceptions import UnknownName, unknown
from ..formats import BLOCKS, NAMED, PATTERNS, BlockFormat, Format, format
from ..formats.blocks import named_block
from ..formats.text import RANGE, block_row, format_row
from ..tables import Table, Tabled
from .contract import Unit
from .registry import FAMILIES, unit
from .text import family_rows


@dataclass(frozen=True)
class Listing(Tabled):
    """The units, the named formats and those of blocks, each as rows; and the ``patterns`` of the
    names of more formats."""

    units: builtins.list[dict[str, object]]
    formats: builtins.list[dict[str, object]]
    patterns: tuple[str, ...]
    blocks: builtins.list[dict[str, object]]

    def tables(self, exact: bool = False) -> builtins.list[Table]:
        """Units, formats, and formats of blocks; ``exact`` with all digits of their ranges."""
        whole = RANGE if exact else ()
        return [
            Table(self.units),
            Table(self.formats, details=("min normal", "-0"), exact=whole),
            Table(self.blocks, exact=whole),
        ]

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data, for JSON."""
        return vars(self)


def list() -> Listing:
    """The units and the formats that there are."""
    formats = [format_row(f) for f in NAMED.values()]
    return Listing(family_rows(), formats, PATTERNS, [block_row(f) for f in BLOCKS.values()])


def show(name: str) -> Unit | Format | BlockFormat:
    """The unit or format of a name or spec; a notebook shows its facts.

    Raises `InvalidInput` for a name that is neither.
    """
    if named_block(name.partition(":")[0].strip().lower()):
        return format(name)
    if ":" in name or name.strip() in FAMILIES:
        return unit(name)
    try:
        return format(name)
    except UnknownName:
        allowed = [*FAMILIES, *NAMED, *BLOCKS, *PATTERNS]
        raise unknown("unit or format", name, allowed) from None
