"""Units with a memory: they take groups of operands and give one result for each group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from .. import rtl
from ..exceptions import InvalidInput
from ..formats import Format, format
from ..golden import fold, to_integers
from ..lazily import np
from . import evaluation
from .contract import Unit, stages_parameter
from .results import by_name, packed_dtype, split
from .transfers import Transfers, runs


@dataclass(frozen=True, kw_only=True, repr=False)
class Accumulator(Unit):
    """Base of the units with a memory, whose operands come in groups.

    Beside the operands there are two bits: ``first``, with which the memory begins at zero, and
    ``last``, after which the result comes. In software a group is the last axis of the operands'
    arrays: of shape (..., n) they give results of shape (...).

    A family gives `memory`, `definition` (a function of the memory and the operands that gives the
    next memory), `datapath` (from operands and memory to the next memory) and `output_datapath`;
    `outputs`, if results are not the registers; and `front_datapath`, if registers may stand before
    the memory, and `ranks_behind` of these stand between the memory and the results.
    """

    meanings: ClassVar[dict[str, str]] = {
        "first": "1: a group begins with this transfer, the memory counts as zero",
        "last": "1: a group ends with this transfer, its result follows",
    }

    stages: int = stages_parameter("the memory, and ranks before it and behind it", 1)

    def validate(self) -> None:
        super().validate()
        if self.stages > 1 and not self.front_datapath():
            raise InvalidInput(
                f"{self.family}: parameter stages: must be 1, the memory itself, not {self.stages}"
            )

    def stages_for(self, target_delay: int) -> int:
        raise InvalidInput(f"{self.family}: parameter target_delay: a unit with a memory has none")

    # -- what a family gives -------------------------------------------------------------------

    @property
    def memory(self) -> dict[str, Format]:
        """Names and formats of the registers. In `definition` they are one integer, side by side,
        the first one at its lsb."""
        raise NotImplementedError

    def outputs(self, memory: np.ndarray) -> list[np.ndarray]:
        """The results' codes of an array of memories after the last operands: the registers."""
        formats = self.memory.values()
        codes = zip(split(memory, formats), formats, strict=True)
        return [np.asarray(x).astype(f.dtype, copy=False) for x, f in codes]

    def outputs_of_one(self, memory: int) -> list[int]:
        """The same of one memory, in integers. A family that gives `outputs` alone needs numpy for
        it."""
        if type(self).outputs is Accumulator.outputs:
            return split(memory, self.memory.values())
        dtype = np.dtype(object) if self._memory_dtype.kind == "V" else self._memory_dtype
        return [int(x[0]) for x in self.outputs(np.array([memory], dtype))]

    def front_datapath(self) -> list[rtl.Step]:
        """Steps from the operands to what `datapath` takes in their place: those that need no
        memory."""
        return []

    def output_datapath(self) -> list[rtl.Step]:
        """Steps from the registers, by their names, to the results."""
        raise NotImplementedError

    @property
    def ranks_behind(self) -> int:
        """How many of the `stages` stand behind the memory."""
        return 0

    # -- what all of them have -----------------------------------------------------------------

    @property
    def controls(self) -> dict[str, Format]:
        """The ports that say where a group begins and ends."""
        return {"first": format("uint1"), "last": format("uint1")}

    @property
    def operand_axes(self) -> dict[str, int]:
        return dict.fromkeys(self.operands, 1)

    @property
    def transfers(self) -> Transfers:
        return GroupTransfers(self)

    @property
    def latency(self) -> str:
        clocks = f"{self.stages} clock{'s' if self.stages > 1 else ''}"
        return f"{clocks} after a group's last operands, operands in every clock"

    def golden(self, *codes: Any) -> Any:
        """The definition on plain integers: a sequence of codes per operand; one code back, or a
        named tuple of them. Raises `InvalidInput` if these are not of one length."""
        check_lengths(self.family, codes)
        function, constants = self.definition()
        memory = 0
        for operands in zip(*codes, strict=True):
            memory = function(memory, *operands, *constants)
        return by_name(tuple(self.results), self.outputs_of_one(memory))

    def check_operands(self, codes: tuple[Any, ...]) -> list[np.ndarray]:
        """Operand codes as arrays of one shape (..., n). Raises `InvalidInput`."""
        arrays = super().check_operands(codes)
        if arrays[0].ndim == 0 or arrays[0].shape[-1] == 0:
            raise InvalidInput(
                f"operands of {self.family} are groups, arrays of shape (..., n) with n at least 1,"
                f" not {arrays[0].shape}"
            )
        return arrays

    def call(self, *codes: Any) -> Any:
        """The golden definition on arrays of codes of shape (..., n), with numpy's broadcasting.

        Returns results of shape (...): an array of codes, or a named tuple of arrays. Raises
        `InvalidInput` for operands that are no codes of their formats, or no groups, or whose
        shapes do not fit together.
        """
        memory = self.accumulate(*codes)
        return by_name(tuple(self.results), [x[()] for x in self.outputs(memory)])

    def accumulate(self, *codes: Any) -> np.ndarray:
        """The memories that `outputs` takes, after groups as in a call: an array (...)."""
        arrays = self.check_operands(codes)
        function, constants = self.definition()
        bits = evaluation.word_bits(self)
        return to_integers(fold(function, arrays, constants, self._memory_dtype, bits))

    @property
    def _memory_dtype(self) -> np.dtype:
        return packed_dtype(self.memory.values())

    def core(self, instances: bool) -> rtl.Core:
        return rtl.accumulating_core(self)


def check_lengths(family: str, groups: Sequence[Sequence[int]]) -> None:
    """Raise `InvalidInput` if the operands of a unit of that family are no groups of one length."""
    lengths = [len(group) for group in groups]
    if len(set(lengths)) > 1:
        given = " and ".join(map(str, lengths))
        raise InvalidInput(f"operands of {family} must be groups of one length, not {given}")


_A = TypeVar("_A", bound=Accumulator)


class GroupTransfers(Transfers[_A]):
    """A set of operands in each transfer, and with it whether a group begins or ends."""

    completes = ("last", 1)

    @property
    def controls(self) -> dict[str, Format]:
        return self.unit.controls

    def of(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        place = np.broadcast_to(np.arange(arrays[0].shape[-1]), arrays[0].shape).ravel()
        first, last = place == 0, place == arrays[0].shape[-1] - 1
        return [*super().of(arrays), first.astype(np.uint8), last.astype(np.uint8)]

    def calls(self, columns: list[np.ndarray]) -> list[list[np.ndarray]]:
        *operands, first, last = columns
        groups = runs(last, "last=1")
        starts = np.isin(np.arange(len(first)), [group.start for group in groups])
        if (wrong := np.flatnonzero(first != starts)).size:
            place = wrong[0]
            raise InvalidInput(
                f"transfer {place + 1} must have first={int(starts[place])}: it is set where a "
                "group begins, last where it ends"
            )
        return [[x[group] for x in operands] for group in groups]

    def per_result(self, arrays: list[np.ndarray]) -> list[int]:
        return [arrays[0].shape[-1]] * (arrays[0].size // arrays[0].shape[-1])

    def result_shape(self, arrays: list[np.ndarray]) -> tuple[int, ...]:
        return arrays[0].shape[:-1]
