"""A datapath as data: its wires, their delays, and the segments between register ranks."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Signal, Value

from ...exceptions import InvalidInput
from ..wires import Step, Values
from .cuts import Cutter, Pipeline
from .delay import UNIT, Graph
from .recording import Recording
from .sums import SUM_BLOCK, SumsInBlocks


class Datapath:
    """A recorded datapath with wide sums in blocks, but for those whose numbers are in `whole`.

    Attributes
    ----------
    wires : every wire and its expression, each after those it reads.
    results : expressions of the wires.
    homes : of each bit, the wire or expression where it first appears, a name, and the place.
    """

    def __init__(self, recording: Recording, whole: set[int], block: int = SUM_BLOCK):
        in_blocks = SumsInBlocks(whole, block)
        for signal, value in recording.wires:
            in_blocks.wire(signal, value)
        self.results = {name: in_blocks.changed(x, name) for name, x in recording.results.items()}
        self.wires = in_blocks.wires
        self._sums = in_blocks.blocks
        self.homes: dict[int, tuple[Value, str, int]] = {}
        self.graph = Graph(list(recording.inputs.values()))
        for name, value in recording.inputs.items():
            self._settle(value, name)
        for signal, value in self.wires:
            self.graph.wire(signal, value)
            self._settle(signal, signal.name)
        for name, value in self.results.items():
            self._settle(value, name)
        self._settle_others()
        outputs = [bit for value in self.results.values() for bit in self.graph.bits(value)]
        self.cutter = Cutter(self.graph, outputs)

    def _settle(self, value: Value, name: str) -> None:
        """Here is the home of those bits that have none yet."""
        for place, bit in enumerate(self.graph.bits(value)):
            self.homes.setdefault(bit, (value, name, place))

    def _settle_others(self) -> None:
        """The home of bits inside an expression is the operation, named after the wire that
        its operation's next wire is."""
        name = next(iter(self.results))
        for operation, made in zip(
            reversed(self.graph.operations), reversed(self.graph.made), strict=True
        ):
            name = next((self.homes[bit][1] for bit in made if bit in self.homes), name)
            self._settle(operation, f"{name}_{made.start}")

    def sums_in_one_segment(self, pipeline: Pipeline) -> set[int]:
        """The numbers of the wide sums in which no register stands."""
        uncut = set()
        for number, blocks in enumerate(self._sums):
            bits = [bit for block in blocks for bit in self.graph.bits(block)]
            made = {self.graph.operation[bit] for bit in bits if self.cutter.live[bit]} - {-1}
            if len({pipeline.segment[operation] for operation in made}) <= 1:
                uncut.add(number)
        return uncut


def pipelined(
    steps: list[Step],
    inputs: Values,
    stages: int,
    name: str,
    cuts: Sequence[int] = (),
    block: int = SUM_BLOCK,
) -> tuple[Datapath, Pipeline]:
    """A datapath and its segments, with `cuts` in these shares of the delay (`Cutter.pipeline`).
    A wide sum is in blocks of so many bits only if a register stands in it.

    Raises `InvalidInput` for steps that cannot be pipelined, which begins with `name`, that of the
    unit, and the name of the step.
    """
    try:
        recording = Recording(steps, inputs)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error}") from None
    return _in_segments(recording, stages, cuts, block)


def _in_segments(
    recording: Recording, stages: int, cuts: Sequence[int] = (), block: int = SUM_BLOCK
) -> tuple[Datapath, Pipeline]:
    datapath = Datapath(recording, set(), block)
    uncut = datapath.sums_in_one_segment(datapath.cutter.pipeline(stages, cuts))
    datapath = Datapath(recording, uncut, block)
    return datapath, datapath.cutter.pipeline(stages, cuts)


def stages_for(steps: list[Step], widths: dict[str, int], target: int, most: int) -> int:
    """The fewest stages, up to `most`, with which no path is longer than `target` gate delays.

    `widths` are those of the inputs. Raises `InvalidInput` if no number of stages reaches that,
    or if the steps cannot be pipelined.
    """
    recording = Recording(steps, {name: Signal(width, name=name) for name, width in widths.items()})
    cutter = Datapath(recording, set()).cutter
    for stages in range(most + 1):
        # With all sums in blocks it is never longer, and quickly known
        longest = cutter.shortest(max(stages, 1))
        if longest <= target * UNIT or stages == most:
            longest = max(_in_segments(recording, max(stages, 1))[1].delays)
        if longest <= target * UNIT:
            return stages
    raise InvalidInput(
        f"must be {-(-longest // UNIT)} or more, which {most} stages reach, not {target}"
    )
