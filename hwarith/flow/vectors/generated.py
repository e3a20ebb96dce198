"""Vectors of a unit: operands by class of difficulty, and the results that it must give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...exceptions import unknown
from ...files import write_bytes
from ...tables import Table, Tabled
from ...units import Unit, unit
from ..checks import MOST_SEED, check_integer
from ..stimuli.calls import Call, calls_by_class, condition
from . import text

MOST_VECTORS = 10_000_000

SHOWN = 20
"""How many transfers the tables of vectors have."""

FORMATS = {
    "hex": text.hex_lines,
    "testfloat": text.testfloat,
    "memh": text.memh,
    "csv": text.csv,
    "npz": text.npz,
}
"""What vectors can be written as, by the name of the format."""


@dataclass(frozen=True, eq=False)
class Vectors(Tabled):
    """Vectors of a unit: what enters at each port, transfer by transfer, and what must come out.

    A transfer is what a module takes in one clock: all operands of a result, or of a unit that
    takes groups or tiles a part of them, with the ports that say where one begins and ends.

    Attributes
    ----------
    unit : the unit.
    seed : of what was random.
    inputs : for each port by which data enters an array of codes, one for each transfer.
    results : for each result an array of codes, one for each transfer; 0 where none comes.
    complete : array of bool, the transfers upon which results come.
    classes : array of the names of the transfers' classes.
    """

    unit: Unit
    seed: int
    inputs: dict[str, np.ndarray] = field(repr=False)
    results: dict[str, np.ndarray] = field(repr=False)
    complete: np.ndarray = field(repr=False)
    classes: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        """How many results there are."""
        return int(self.complete.sum())

    def __str__(self) -> str:
        return self.content("hex").decode()

    @property
    def counts(self) -> dict[str, int]:
        """How many results there are of each class, in the order of their first ones."""
        names = self.classes[self.complete].tolist()
        return {name: names.count(name) for name in dict.fromkeys(names)}

    def tables(self) -> list[Table]:
        """How many there are, of each class, and the first `SHOWN` transfers, codes as text."""
        summary = {
            "spec": self.unit.spec,
            "results": len(self),
            "transfers": len(self.complete),
            "classes": len(self.counts),
            "seed": self.seed,
        }
        classes = [
            {"class": name, "results": n, "operands": condition(self.unit, name)}
            for name, n in self.counts.items()
        ]
        return [Table([summary]), Table(classes), Table(self._first(SHOWN))]

    def content(self, format: str = "hex") -> bytes:
        """The vectors as a file (``docs/vectors.md`` says how each looks).

        Parameters
        ----------
        format : ``hex``: a line for each transfer, with comments that say what is what.
            ``testfloat``: as Berkeley TestFloat's ``testfloat_gen`` writes them, without comments
            and with exception flags. ``memh``: a word for each transfer, for ``$readmemh``.
            ``csv``: a table with titles. ``npz``: arrays for numpy.

        Raises `InvalidInput` for another format, and for one that cannot hold these vectors.
        """
        if format not in FORMATS:
            raise unknown("format of vectors", format, FORMATS)
        return FORMATS[format](self)

    def write(self, path: Path | str, format: str = "hex") -> None:
        """Write `content` to a file, whole or not at all. Raises `InvalidInput`."""
        write_bytes(Path(path), self.content(format))

    def memh(self, *ports: str) -> str:
        """The words of these ports side by side, the first on top, for ``$readmemh``: a line for
        each transfer; x for results that do not come. Raises `InvalidInput` for an unknown port."""
        for port in ports:
            if port not in self.inputs | self.results:
                raise unknown("port", port, [*self.inputs, *self.results])
        return text.memh_words(self, ports)

    def _first(self, most: int) -> list[dict[str, object]]:
        """The first transfers: the class, and codes as text; of results that do not come none."""
        rows: list[dict[str, object]] = []
        for i in range(min(most, len(self.complete))):
            row: dict[str, object] = {"class": str(self.classes[i])}
            for name, f in self.unit.inputs.items():
                row[name] = text.hexadecimal(self.inputs[name][i], f)
            for name, f in self.unit.results.items():
                row[name] = text.hexadecimal(self.results[name][i], f) if self.complete[i] else None
            rows.append(row)
        return rows


def vectors(spec: Unit | str, n: int = 1000, seed: int = 1) -> Vectors:
    """Vectors of a unit (or of its spec): operands by class, results of the golden model.

    First comes one vector of each class that the unit can meet, then the others, class by class
    (`hwarith.flow.stimuli.directed.CLASSES`); of a unit that takes groups or tiles, groups or tiles
    of the classes `hwarith.flow.stimuli.calls.GROUP_CLASSES`.

    Parameters
    ----------
    spec : the unit, or its spec.
    n : how many results, 1 to 10,000,000; all combinations of operands, as class ``all``, if there
        are no more.
    seed : of what is random, 0 to 2^32 - 1.

    Raises `InvalidInput` for a wrong spec or number.
    """
    u = unit(spec)
    check_integer("vectors: n", n, 1, MOST_VECTORS)
    check_integer("vectors: seed", seed, 0, MOST_SEED)
    rows = [_transfers(u, *item) for item in _in_order(calls_by_class(u, n, seed), u)]
    columns = [np.concatenate(parts) for parts in zip(*rows, strict=True)]
    inputs, results = len(u.inputs), len(u.results)
    return Vectors(
        u,
        seed,
        dict(zip(u.inputs, columns[:inputs], strict=True)),
        dict(zip(u.results, columns[inputs : inputs + results], strict=True)),
        *columns[inputs + results :],
    )


def _in_order(classes: dict[str, list[Call]], u: Unit) -> Iterator[tuple[str, Call]]:
    """The first vector of each class, and then all the others, class by class."""
    if not u.transfers.controls and len(classes) > 1:
        classes = {
            name: [tuple(x[:1] for x in call), tuple(x[1:] for x in call)]
            for name, (call,) in classes.items()
        }
    yield from ((name, calls[0]) for name, calls in classes.items())
    yield from ((name, call) for name, calls in classes.items() for call in calls[1:])


def _transfers(u: Unit, name: str, call: Call) -> list[np.ndarray]:
    """A call's columns: inputs, results, where results come, classes."""
    operands = u.check_operands(call)
    inputs = u.transfers.of(operands)
    ends = np.cumsum(u.transfers.per_result(operands), dtype=np.int64) - 1
    size = len(inputs[0])
    complete = np.zeros(size, bool)
    complete[ends] = True
    columns = []
    for codes, f in zip(u.transfers.result_codes(u(*call)), u.results.values(), strict=True):
        column = np.zeros(size, f.dtype)
        column[ends] = np.ravel(codes)
        columns.append(column)
    return [*inputs, *columns, complete, np.full(size, name)]
