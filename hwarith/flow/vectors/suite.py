"""What a file of vectors has for a unit: operands, and results that are expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ...exceptions import InvalidInput, quoted
from ...formats import Format
from ...units import Unit


@dataclass(frozen=True)
class Expected:
    """A result's codes, one for each transfer, and which bits of them are to be compared."""

    codes: np.ndarray
    care: np.ndarray


@dataclass(frozen=True)
class Suite:
    """The rows of a file that are for a unit.

    Attributes
    ----------
    kind : of the file, in words.
    inputs : for each input port an array of codes, one for each transfer.
    expected : by result, for those that the file has.
    lines : the line of each transfer, from 1 (of an ``.npz`` file its place).
    classes : the class of each transfer, "" where there is none.
    skipped : how many rows are not for this unit, by what they are for.
    notes : what else a reader should know.
    """

    kind: str
    inputs: list[np.ndarray]
    expected: dict[str, Expected]
    lines: np.ndarray
    classes: np.ndarray
    skipped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def completes(u: Unit, inputs: list[np.ndarray]) -> np.ndarray:
    """The transfers upon which results come."""
    if u.transfers.completes is None:
        return np.ones(len(inputs[0]), bool)
    name, value = u.transfers.completes
    return np.asarray(inputs[list(u.inputs).index(name)] == value)


def array_of(f: Format, codes: Sequence[int | None], what: str) -> np.ndarray:
    """Python's integers as codes. Raises `InvalidInput` for what are none of the format's."""
    return f.check(np.array(codes, object), what)


def cared_for(f: Format, given: np.ndarray) -> np.ndarray:
    """All bits of the codes that are given, and none of the others."""
    every_bit = (1 << f.bits) - 1
    return np.array([every_bit if there else 0 for there in given.tolist()], f.dtype)


def expected(
    u: Unit, inputs: list[np.ndarray], columns: dict[str, list[int | None]], rows: str = "row"
) -> dict[str, Expected]:
    """Results as a file gives them, None where it gives none. Raises `InvalidInput` for codes that
    are none of their formats, and where a result cannot come."""
    comes = completes(u, inputs)
    found = {}
    for name, codes in columns.items():
        f = u.results[name]
        given = np.array([code is not None for code in codes], bool)
        if (wrong := np.flatnonzero(given & ~comes)).size:
            control = "{}={}".format(*u.transfers.completes or ("", ""))
            raise InvalidInput(
                f"{rows} {wrong[0] + 1} has a result {name}, which comes only with {control}"
            )
        values = array_of(f, [code or 0 for code in codes], f"result {name}")
        found[name] = Expected(values, cared_for(f, given))
    return found


def made_for(u: Unit, spec: str) -> list[str]:
    """What is to be noted about a file that says it is of this spec. Raises `InvalidInput` if its
    ports are not the unit's."""
    from ...units import unit

    try:
        other = unit(spec)
    except InvalidInput:
        return [f"made for {quoted(spec)}, which is no unit"]
    ours, theirs = (x.inputs | x.results for x in (u, other))
    if list(ours.items()) != list(theirs.items()):
        raise InvalidInput(
            f"it is of {other.spec}, with ports {_listed(theirs)}; {u.spec} has {_listed(ours)}"
        )
    return [] if other == u else [f"made for {other.spec}"]


def _listed(formats: dict) -> str:
    return ", ".join(f"{name} {f.name}" for name, f in formats.items())
