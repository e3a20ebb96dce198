"""What a module is tried with, in batches: every operand, or vectors by class and random ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...units import Unit
from ..stimuli.calls import Call, calls_by_class
from ..stimuli.corner_weighted import neighbours, some_vectors
from ..stimuli.default import GroupStimuli, Stimuli
from ..stimuli.families import stimuli_of

ROWS = 1 << 19
"""Vectors of a batch: they and their results are in memory together."""

_DIRECTED = 1 << 12
"""Vectors by class, the first ones; they take longer to make."""

_POOL = 1 << 17
"""Corner-weighted vectors whose neighbours are the rest."""


_STEADY = 128
"""Vectors of the longest groups together, for each result."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Operands, transfer by transfer, and what must come of them.

    Attributes
    ----------
    name : of the class of vectors that they are.
    inputs : for each input port of a unit an array of codes, one for each transfer.
    expected : for each result an array of codes, one for each result.
    transfers : how many transfers each result takes; None: one each.
    together : how many results belong together; None: each is of its own.
    """

    name: str
    inputs: list[np.ndarray]
    expected: list[np.ndarray]
    transfers: np.ndarray | None = None
    together: np.ndarray | None = None

    @property
    def pieces(self) -> list[np.ndarray]:
        """The places of results that belong together."""
        places = np.arange(len(self.expected[0]))
        if self.together is None:
            return list(places[:, None])
        return np.split(places, np.cumsum(self.together)[:-1])

    @property
    def ends(self) -> np.ndarray:
        """The transfer upon which each result comes."""
        if self.transfers is None:
            return np.arange(len(self.expected[0]))
        return np.cumsum(self.transfers) - 1


def is_exhaustive(u: Unit, vectors: int) -> bool:
    """Whether there are no more combinations of operands than so many vectors."""
    alone = not u.transfers.controls
    return alone and 1 << sum(f.bits for f in u.inputs.values()) <= vectors


def batches(u: Unit, vectors: int, seed: int) -> Iterator[Batch]:
    """So many vectors of a unit: all combinations of its operands if there are no more.

    Otherwise the classes of `hwarith.vectors` come first, then corner-weighted random vectors and
    neighbours of these; of a unit with stimuli of its own (`stimuli_of`) these throughout. Of a
    unit with a memory the last are groups up to the longest that it is made for, of vectors that
    stay the same.
    """
    if is_exhaustive(u, vectors):
        total = 1 << sum(f.bits for f in u.operands.values())
        formats = list(u.inputs.values())
        for start in range(0, total, ROWS):
            inputs = some_vectors(formats, start, min(ROWS, total - start))
            yield Batch("all", inputs, _results(u, u.transfers.calls(inputs)[0]))
        return
    grouped = bool(u.transfers.controls)
    left = vectors
    first = vectors if grouped else min(vectors, _DIRECTED)
    for name, calls in calls_by_class(u, first, seed).items():
        batch = batch_of(u, name, calls)
        left -= len(batch.expected[0])
        yield batch
    if grouped:
        stimuli = stimuli_of(u)
        if isinstance(stimuli, GroupStimuli):
            yield batch_of(u, "steady", stimuli.steady_groups(_STEADY * vectors, seed))
        return
    pool: list[np.ndarray] = []
    rng = np.random.default_rng(seed)
    while left > 0:
        rows = min(left, ROWS)
        if type(stimuli_of(u)) is not Stimuli:
            seed += 1
            yield batch_of(u, "random", [_stimuli(u, rows, seed)])
        elif not pool:
            rows = min(left, _POOL)
            pool = list(stimuli_of(u).operands(rows, seed + 1))
            yield Batch("random", pool, _results(u, pool))
        else:
            inputs = neighbours(list(u.inputs.values()), pool, rows, rng)
            yield Batch("random", inputs, _results(u, inputs))
        left -= rows


def joined(parts: list[Batch], name: str) -> Batch:
    """Batches as one, in this order."""
    transfers, together = (
        np.concatenate(of_parts) if all(x is not None for x in of_parts) else None
        for of_parts in zip(*((part.transfers, part.together) for part in parts), strict=True)
    )
    return Batch(
        name,
        [np.concatenate(x) for x in zip(*(part.inputs for part in parts), strict=True)],
        [np.concatenate(x) for x in zip(*(part.expected for part in parts), strict=True)],
        transfers,
        together,
    )


def part_of(batch: Batch, places: np.ndarray) -> Batch:
    """These results of a batch, and what they come of."""
    expected = [x[places] for x in batch.expected]
    if batch.transfers is None:
        return Batch(batch.name, [x[places] for x in batch.inputs], expected)
    ends = batch.ends
    taken = [np.arange(ends[i] - batch.transfers[i] + 1, ends[i] + 1) for i in places.tolist()]
    rows = np.concatenate(taken) if taken else np.zeros(0, int)
    return Batch(batch.name, [x[rows] for x in batch.inputs], expected, batch.transfers[places])


def _stimuli(u: Unit, rows: int, seed: int) -> Call:
    """Random operands of a unit, cut off at so many, or repeated."""
    return tuple(np.resize(x, (rows, *x.shape[1:])) for x in stimuli_of(u).operands(rows, seed))


def batch_of(u: Unit, name: str, calls: list[Call]) -> Batch:
    """Calls of a unit, and what must come of them."""
    parts = []
    for call in calls:
        operands = u.check_operands(call)
        controls = u.transfers.controls
        transfers = np.array(u.transfers.per_result(operands)) if controls else None
        parts.append(
            Batch(
                name,
                [np.ravel(x) for x in u.transfers.of(operands)],
                _results(u, operands),
                transfers,
                np.array(u.transfers.together(operands)) if controls else None,
            )
        )
    return joined(parts, name)


def _results(u: Unit, operands: list[np.ndarray]) -> list[np.ndarray]:
    return [np.ravel(x) for x in u.transfers.result_codes(u(*operands))]
