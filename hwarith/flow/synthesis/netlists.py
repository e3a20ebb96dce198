"""Mapped netlists as data, and the kinds of things in them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from .cells import Cell

Net = Hashable
"""A net: yosys' number of it; ``"0"``, ``"1"`` or ``"x"`` for a constant; or an own name."""

Ports = Mapping[str, Mapping[str, Any]]
"""Ports by name, as in yosys' JSON: the ``direction`` of each and the nets of its ``bits``."""

Module = Mapping[str, Any]
"""A netlist as yosys' ``write_json`` gives it: ``ports``, ``cells`` and ``netnames`` by name."""

Instance = tuple[Cell, dict[str, Net]]
"""A cell in its place: its kind, and the net at each of its pins."""
