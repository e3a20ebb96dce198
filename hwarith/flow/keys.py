"""What the keys of kept results say of the code that made them."""

from __future__ import annotations

from functools import cache

from .. import sources

_NO_PART = (
    # What they give is in the keys itself: Verilog, a library's text, the versions of programs
    "hwarith.golden",
    "hwarith.formats",
    "hwarith.rtl",
    "hwarith.units",
    "hwarith.flow.verilog",
    "hwarith.inputs",
    "hwarith.flow.tools",
    "hwarith.flow.packaged",
    # What is simulated, not what simulates
    "hwarith.flow.checks",
    "hwarith.flow.stimuli",
    # They start programs, keep files and word mistakes, whatever these are
    "hwarith.flow.processes",
    "hwarith.caching",
    "hwarith.exceptions",
    "hwarith.files",
    "hwarith.sources",
    "hwarith.temporary",
)
"""What results do not depend on, of all that is imported."""


@cache
def code(module: str) -> str:
    """A digest of a module and of what it imports: of the code that results of it depend on."""
    return sources.digest(sources.files([module], _NO_PART))
