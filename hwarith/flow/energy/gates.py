"""A library's cells as gates on words: their functions of nets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ...exceptions import shown
from ..synthesis.cells import Cell
from ..synthesis.functions import Words, function_of
from ..synthesis.netlists import Net


class Gate(NamedTuple):
    """A function of nets, and the net that it drives."""

    function: Callable[..., Words]
    inputs: tuple[Net, ...]
    output: Net | None = None


def gate(text: str, cell: Cell, nets: Mapping[str, Net], output: str = "") -> Gate:
    """A Liberty function of a cell's pins. Raises `InvalidInput` if it is none."""
    pins = (*cell.inputs, *cell.states, *cell.functions)
    function, inputs = function_of(text, pins, f"cell {shown(cell.name)}")
    return Gate(function, tuple(nets[pin] for pin in inputs), nets.get(output))
