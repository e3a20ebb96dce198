"""Which float of few bits suits weights best: for each array all splits, tried with every bias."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..exceptions import InvalidInput, quoted, unknown
from ..formats import Format
from ..formats.codec import array_of
from ..formats.search import Split, splits
from ..tables import Several, Table
from .weights.sources import Arrays, digits, read_weights

MOST_BITS = 8

PER = ("tensor", "channel")


@dataclass(frozen=True, eq=False)
class FoundFormat:
    """The best format for an array of weights.

    Attributes
    ----------
    array : the array's name.
    best : in the split of the least squared error; of equal ones that with fewer exponent bits.
    splits : the best of each split, the fewest exponent bits first.
    """

    array: str
    best: Split
    splits: list[Split]

    @property
    def format(self) -> Format:
        """The format, of any unit's operands too."""
        return self.best.format

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the best format with the channels' shifts, and all splits."""
        return {
            "array": self.array,
            "format": self.format.name,
            "nmse": self.best.nmse,
            "shifts": self.best.shifts.tolist(),
            "splits": [{"format": s.format.name, "nmse": s.nmse} for s in self.splits],
        }


class FoundFormats(Several[FoundFormat]):
    """The best formats of several arrays."""

    def tables(self) -> list[Table]:
        """The best format of each array; and every split of each."""
        best = [
            {"array": x.array} | x.best.row() | {"greatest shift": int(x.best.shifts.max())}
            for x in self
        ]
        every = [{"array": x.array} | s.row() for x in self for s in x.splits]
        return [Table(best, "The best format"), Table(every, "Of every split")]


def search_format(weights: Any = None, bits: int = 4, per: str = "tensor") -> FoundFormats:
    """The float of so many bits, all codes numbers, with the least squared error for weights.

    Every split into exponent and fraction is tried, with every bias that can be best. The result
    is a format such as ``e2m1b3f``, which every unit takes that takes floats.

    Parameters
    ----------
    weights : an array of shape (..., n), or the path of an ``.npy`` or ``.npz`` file; default:
        those of the digits network.
    bits : 2 to 8, the sign among them.
    per : ``tensor``: one bias for each array. ``channel``: all along the last axis have one bias,
        the least one of an array being the format's; numbers of a channel are multiplied by
        2^shift before they are encoded, which the other factor's, or the result's, exponents undo.

    Raises `InvalidInput` for what is not as said here. Source: LLM-FP4 (arXiv 2310.16836), whose
    search tries a hundred multiples of one bias, and real biases; `hwarith.formats.search`.
    """
    if not isinstance(bits, int) or isinstance(bits, bool) or not 2 <= bits <= MOST_BITS:
        raise InvalidInput(f"bits must be an integer from 2 to {MOST_BITS}, not {quoted(bits)}")
    if per not in PER:
        raise unknown("scope of a bias", per, PER)
    found = []
    for name, array in _named(weights).items():
        every = splits(array, bits, per == "channel")
        found.append(FoundFormat(name, min(every, key=lambda s: s.nmse), every))
    return FoundFormats(tuple(found))


def _named(weights: Any) -> dict[str, np.ndarray]:
    """Arrays of weights by name, float64."""
    if weights is None:
        return {f"layer {i}": w for i, w in enumerate(digits().arrays, 1)}
    if isinstance(weights, str | Path):
        return read_weights(Path(weights)).checked()
    return Arrays(Path("array"), {"": array_of(weights, "weights")}).checked()
