"""What hardware is made from: the few things that streams and pipelines ask of a unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ..formats import Format
from .wires import Step


class Pipelinable(Protocol):
    """A thing with named inputs and results and a datapath between them, in so many stages.

    Everything is told by name: the steps of the datapath take the inputs and give the results,
    and so do the ports.
    """

    @property
    def family(self) -> str:
        """What messages call it."""

    @property
    def inputs(self) -> Mapping[str, Format]:
        """Names and formats of all that goes in, in the order of the ports."""

    @property
    def results(self) -> Mapping[str, Format]:
        """Names and formats of all that comes out, in the order of the ports."""

    @property
    def stages(self) -> int:
        """Register ranks from inputs to results, the one of a memory included."""

    @property
    def cuts(self) -> tuple[int, ...]:
        """The share that each segment has of the delay; nothing where all have the same."""

    @property
    def grain(self) -> int:
        """Bits of a wide sum between which a register may stand."""

    def datapath(self) -> list[Step]:
        """The steps, the first of which takes the inputs and the last of which gives the
        results (what else it gives is not used)."""


class Recurring(Pipelinable, Protocol):
    """A thing that takes several clocks for each result, with the same hardware in all of them."""

    @property
    def clocks(self) -> int:
        """Clocks of the recurrence."""

    @property
    def steady(self) -> tuple[str, ...]:
        """What of it the recurrence leaves as it is once all clocks are over."""

    def front_datapath(self) -> list[Step]:
        """Steps from the inputs to all that is held meanwhile."""

    @property
    def recurrence(self) -> Step:
        """A step from what is held to that of it which changes in a clock."""

    def output_datapath(self) -> list[Step]:
        """Steps from what is held at the end to the results."""


class Accumulating(Pipelinable, Protocol):
    """A thing with a memory, whose inputs come in groups.

    Its `datapath` takes what `front_datapath` gives, with the memory's registers by their names,
    and gives what the registers hold next. One of its `stages` is the memory; `ranks_behind` stand
    between it and the results, all others before it.
    """

    @property
    def controls(self) -> Mapping[str, Format]:
        """Those of the inputs that no step takes: a bit ``first``, with which the memory begins at
        zero, and a bit ``last``, after which the results come."""

    @property
    def memory(self) -> Mapping[str, Format]:
        """Names and formats of the registers."""

    def front_datapath(self) -> list[Step]:
        """Steps from the other inputs to what `datapath` takes; pipeline registers may stand in
        them."""

    def output_datapath(self) -> list[Step]:
        """Steps from the registers to the results; pipeline registers may stand in them."""

    @property
    def ranks_behind(self) -> int:
        """Register ranks behind the memory."""
