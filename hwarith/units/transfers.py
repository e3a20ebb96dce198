"""How operands enter a unit's hardware, and how its results leave it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Generic, Protocol, TypeVar

from ..exceptions import InvalidInput
from ..formats import Format
from ..lazily import np
from .results import by_name


class Ported(Protocol):
    """What has operands and results: names and formats, in order."""

    @property
    def operands(self) -> dict[str, Format]: ...

    @property
    def results(self) -> dict[str, Format]: ...


U = TypeVar("U", bound=Ported)


def runs(ends: np.ndarray, control: str) -> list[slice]:
    """What transfers are cut into by a control that ends each part, such as ``last=1``. Raises
    `InvalidInput` if the last transfer does not end one."""
    cuts = [0, *(np.flatnonzero(ends) + 1).tolist()]
    if cuts[-1] != len(ends):
        raise InvalidInput(f"transfer {len(ends)}, the last one, must have {control}")
    return [slice(*part) for part in pairwise(cuts)]


def loads(load: np.ndarray) -> list[tuple[slice, slice]]:
    """Of transfers that a control ``load`` cuts: what is loaded, and what uses it, part by part.
    Raises `InvalidInput` if the last transfer loads."""
    found = []
    for part in runs(np.append(load[1:], 1) & ~load & 1, "load=0"):
        begin = part.start + int(load[part].sum())
        found.append((slice(part.start, begin), slice(begin, part.stop)))
    return found


def between(codes: np.ndarray, before: int, behind: int) -> np.ndarray:
    """Rows of codes, each between so many transfers without one, one row after the other."""
    empty = np.zeros((len(codes), before + behind), codes.dtype)  # np.pad's are no Python integers
    return np.concatenate([empty[:, :before], codes, empty[:, before:]], axis=1).ravel()


class Transfers(Generic[U]):
    """The transfers of a unit: by default one for each result, with all its operands.

    A transfer is what enters in one clock at which valid and ready are high. Units that take their
    operands in pieces, or several results' at a time, have a class of their own.

    Parameters
    ----------
    unit : the unit.
    clocks : from one transfer to the next, if nothing blocks. Where it is more than one, operands
        are used while they stand, and ready comes in the last of these clocks only.
    """

    completes: tuple[str, int] | None = None
    """The control, and its value, of the transfers upon which results follow; None: of all."""

    fills: bool = True
    """Whether registers that hold nothing fill while a result waits; else everything stands still
    then."""

    waits: int = 0
    """Clocks more that transfers take whose results belong together, if nothing blocks, at most."""

    def __init__(self, unit: U, clocks: int = 1):
        self.unit = unit
        self.clocks = clocks

    @property
    def controls(self) -> dict[str, Format]:
        """Names and formats of the ports beside the operands', which say what a transfer is."""
        return {}

    @property
    def inputs(self) -> dict[str, Format]:
        """Names and formats of all ports by which data enters, in order."""
        return self.unit.operands | self.controls

    def of(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """What enters at each of the `inputs`, transfer by transfer.

        `arrays` are those of a call, as the unit's `check_operands` gives them. Returns an array
        for each input, all of one length.
        """
        return [x.ravel() for x in arrays]

    def calls(self, columns: list[np.ndarray]) -> list[list[np.ndarray]]:
        """The inverse of `of`: the operands of the calls that together have these transfers, which
        are given as `of` gives them; one call after the other.

        Raises `InvalidInput` if they are no transfers of whole calls.
        """
        return [columns]

    def per_result(self, arrays: list[np.ndarray]) -> list[int]:
        """How many of the transfers each result takes, one result after the other."""
        return [1] * arrays[0].size

    def together(self, arrays: list[np.ndarray]) -> list[int]:
        """How many results one after the other come of transfers that belong together, such as a
        row's or a tile's, and of no others."""
        return [1] * len(self.per_result(arrays))

    def result_shape(self, arrays: list[np.ndarray]) -> tuple[int, ...]:
        """The shape of the array of all results that leave the unit."""
        return arrays[0].shape

    def collect(self, columns: list[np.ndarray], shape: tuple[int, ...]) -> Any:
        """What a call of the unit returns, of the codes that came out at each of the results'
        ports, and of the `result_shape`."""
        names = tuple(self.unit.results)
        return by_name(names, [x.reshape(shape)[()] for x in columns])

    def result_codes(self, results: Any) -> list[np.ndarray]:
        """The inverse of `collect`: the codes at each of the results' ports."""
        return [results] if len(self.unit.results) == 1 else list(results)
