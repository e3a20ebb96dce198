"""What units of rows have in common: passes, their protocol, and how they are computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from typing import Any, ClassVar, Protocol

from ... import rtl
from ...exceptions import InvalidInput
from ...golden import reduce
from ...lazily import np
from ...rtl import Step
from .. import evaluation
from ..accumulator import check_lengths
from ..contract import Unit
from ..parameters import integer_parameter
from ..transfers import Transfers
from .transfers import RowTransfers

MOST_STAGES = 64
"""Of a unit of rows: it may have a root among its steps."""


class Evaluation(Protocol):
    """How the definition of a row runs: on plain integers, or on arrays of rows."""

    def each(self, u: Unit, *codes: Any) -> Any:
        """A unit's results for each value of a row; what is one code for the row goes with all."""

    def over(self, u: Unit, *codes: Any, begin: int = 0) -> Any:
        """What a row comes to, one value after the other: ``acc = u(*codes, acc)``."""

    def running(self, u: Unit, codes: Any, begin: int) -> Any:
        """The same for one operand: ``begin``, and what it has come to with each value, n + 1."""

    def at(self, codes: Any, places: list[int]) -> Any:
        """The values at these places of a row."""

    def one_at(self, codes: Any, place: int) -> Any:
        """The value at this place, as one code for the row."""

    def where_equal(self, codes: Any, others: Any, same: Any, different: Any) -> Any:
        """`same` where two codes are equal, else `different`."""


class Plain:
    """`Evaluation` of one row: lists of integers, and integers for what is one code of the row."""

    @staticmethod
    def each(u: Unit, *codes: Any) -> Any:
        return _each(u.golden, *codes)

    @staticmethod
    def over(u: Unit, *codes: Any, begin: int = 0) -> Any:
        acc = begin
        for values in zip(*codes, strict=True):
            acc = u.golden(*values, acc)
        return acc

    @staticmethod
    def running(u: Unit, codes: Any, begin: int) -> Any:
        return list(accumulate(codes, lambda acc, x: u.golden(x, acc), initial=begin))

    @staticmethod
    def at(codes: Any, places: list[int]) -> Any:
        return [codes[i] for i in places]

    @staticmethod
    def one_at(codes: Any, place: int) -> Any:
        return codes[place]

    @staticmethod
    def where_equal(codes: Any, others: Any, same: Any, different: Any) -> Any:
        return _each(lambda a, b, x, y: x if a == b else y, codes, others, same, different)


def _each(function: Callable[..., Any], *codes: Any) -> Any:
    lengths = {len(x) for x in codes if isinstance(x, list)}
    if not lengths:
        return function(*codes)
    (n,) = lengths
    return [function(*(x[i] if isinstance(x, list) else x for x in codes)) for i in range(n)]


class Arrays:
    """`Evaluation` of many rows: arrays (..., n), and (..., 1) for what is one code of each row."""

    @staticmethod
    def each(u: Unit, *codes: Any) -> Any:
        return np.asarray(u(*codes))

    @staticmethod
    def over(u: Unit, *codes: Any, begin: int = 0) -> Any:
        (result,) = u.results.values()
        definition, constants = u.definition()
        bits = evaluation.word_bits(u)
        return reduce(definition, codes, constants, result.dtype, bits, begin)[..., None]

    @staticmethod
    def running(u: Unit, codes: Any, begin: int) -> Any:
        (result,) = u.results.values()
        found = np.empty((codes.shape[-1] + 1, *codes.shape[:-1]), result.dtype)
        found[0] = begin
        for i, x in enumerate(np.ascontiguousarray(np.moveaxis(codes, -1, 0))):
            found[i + 1] = u(x, found[i])
        return np.moveaxis(found, 0, -1)

    @staticmethod
    def at(codes: Any, places: list[int]) -> Any:
        return codes[..., places]

    @staticmethod
    def one_at(codes: Any, place: int) -> Any:
        return codes[..., place : place + 1]

    @staticmethod
    def where_equal(codes: Any, others: Any, same: Any, different: Any) -> Any:
        dtype = np.result_type(*(x for x in (same, different) if isinstance(x, np.ndarray)))
        return np.where(codes == others, same, different).astype(dtype)


@dataclass(frozen=True, kw_only=True, repr=False)
class RowUnit(Unit):
    """Base of the units that take the values of a row several times: once in each of their passes.

    A transfer brings one value of a row, and ``phase`` says in which pass: all values with 0, then
    all of them again, in the same order, with 1, and so on. Results come in the last pass, one for
    each value. What a pass finds of a row (a sum, a maximum) is there for the passes behind it; the
    row itself is not kept, but read again from where it is. Rows follow each other without a gap.
    In software a row is the last axis of the operands' arrays, (..., n), as of the results.

    A family gives `segments` and `memories` (`hwarith.rtl.Passing`), `row`, and `row_length` where
    rows are of one length.
    """

    meanings: ClassVar[dict[str, str]] = {
        rtl.PHASE: "the pass over the row that the transfer belongs to, from 0 on",
    }

    stages: int = integer_parameter(
        "register ranks: a memory behind each pass but the last, one of results, more in between "
        "(default: as few as there can be)",
        0,
        MOST_STAGES,
        0,
        quiet=True,
        in_name=lambda _, value: f"l{value}",
    )

    def validate(self) -> None:
        super().validate()
        least = self._least_stages
        if not self.stages:
            object.__setattr__(self, "stages", least)
        if self.stages < least:
            raise InvalidInput(
                f"{self.family}: parameter stages: must be {least} to {MOST_STAGES}, a "
                f"memory behind each pass but the last and the results, not {self.stages}"
            )

    def shown_parameters(self) -> dict[str, Any]:
        shown = super().shown_parameters()
        if self.stages == self._least_stages:
            del shown["stages"]
        return shown

    def stages_for(self, target_delay: int) -> int:
        raise InvalidInput(f"{self.family}: parameter target_delay: a unit with a memory has none")

    # -- what a family gives -------------------------------------------------------------------

    def row(self, at: Evaluation, *codes: Any) -> Any:
        """The results of a row, of its values; `at` applies the units that it is made of."""
        raise NotImplementedError

    @property
    def row_length(self) -> int | None:
        """How many values a row has; None: any number."""
        return None

    @property
    def segments(self) -> Sequence[list[Step]]:
        """See `hwarith.rtl.Passing`."""
        raise NotImplementedError

    @property
    def memories(self) -> Sequence[rtl.Memory]:
        """See `hwarith.rtl.Passing`."""
        raise NotImplementedError

    # -- what all of them have -----------------------------------------------------------------

    @property
    def passes(self) -> int:
        """How often a row is taken."""
        return 2 + max(memory.phase for memory in self.memories)

    @property
    def _least_stages(self) -> int:
        return len(self.memories) + 1

    @property
    def operand_axes(self) -> dict[str, int]:
        return dict.fromkeys(self.operands, 1)

    @property
    def transfers(self) -> Transfers:
        return RowTransfers(self)

    @property
    def latency(self) -> str:
        found = (
            f"{self.stages} clocks after a value's transfer with phase={self.passes - 1}, "
            "a transfer in every clock"
        )
        if self.waits:
            found += f"; the first one of that pass waits up to {self.waits} clocks"
        return found

    @property
    def waits(self) -> int:
        """Clocks that the last pass of a row waits for what is found once a row."""
        return 0

    @property
    def work(self) -> Fraction:
        return Fraction(1, self.passes)

    def golden(self, *codes: Any) -> Any:
        """The definition of one row on plain integers: a sequence of codes per operand; a list of
        codes back. Raises `InvalidInput` if these are not of one length, or not of the rows'."""
        check_lengths(self.family, codes)
        self._check_length(len(codes[0]))
        return self.row(Plain(), *(list(x) for x in codes))

    def check_operands(self, codes: tuple[Any, ...]) -> list[np.ndarray]:
        """Operand codes as arrays of one shape (..., n). Raises `InvalidInput`."""
        arrays = super().check_operands(codes)
        if arrays[0].ndim == 0:
            raise InvalidInput(f"operands of {self.family} are rows, arrays of shape (..., n)")
        self._check_length(arrays[0].shape[-1])
        return arrays

    def _check_length(self, n: int) -> None:
        if n == 0 or n != (self.row_length or n):
            wanted = self.row_length or "at least one"
            raise InvalidInput(f"rows of {self.spec} have {wanted} values, not {n}")

    def call(self, *codes: Any) -> Any:
        """The golden definition on arrays of codes of shape (..., n), with numpy's broadcasting.

        Returns results of the same shape. Raises `InvalidInput` for operands that are no codes of
        their formats, or no rows, or whose shapes do not fit together.
        """
        return self.row(Arrays(), *self.check_operands(codes))

    # -- hardware ------------------------------------------------------------------------------

    @cached_property
    def ranks(self) -> tuple[int, ...]:
        """The register ranks in each segment, beside the memories."""
        return rtl.spread_ranks(self, self.stages - len(self.memories))

    def core(self, instances: bool) -> rtl.Core:
        return rtl.passing_core(self)
