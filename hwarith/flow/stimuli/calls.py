"""Calls of a unit by class: of units with a memory groups of operands, of arrays tiles of them."""

from __future__ import annotations

import numpy as np

from ...formats import Format
from ...units import Unit
from .corner_weighted import is_special, special_codes
from .default import GroupStimuli
from .directed import CLASSES, directed
from .families import stimuli_of, stimulus

Call = tuple[np.ndarray, ...]
"""An array of codes for each operand, as the unit takes them."""

ALL = {"all": "every combination of operands"}

GROUP_CLASSES = {
    "special": "an operand is a zero, an infinity or NaN",
    "ordinary": "no operand is a zero, an infinity or NaN",
    "single": "a group of one",
    "longest": "a group as long as the hardware needs to be tried",
    "random": "corner-weighted random operands, in groups of any length",
}
"""The classes of what takes groups or tiles; those of its operands only where they are floats,
those of its length only of a unit with a memory."""


def calls_by_class(unit: Unit, n: int, seed: int = 0) -> dict[str, list[Call]]:
    """Calls of a unit with `n` results together, by class; in each class one after the other.

    A unit with a result for each vector gets the vectors of `directed` (in a call for each class
    that is not empty), or all vectors, as class ``all``, if there are no more than `n`. One that
    takes groups or tiles gets calls of one group or tile each, of `GROUP_CLASSES` in turn; one that
    takes blocks gets blocks of these classes, in a call for each.
    """
    if unit.transfers.controls:
        return _groups(unit, n, seed)
    if unit.lane_formats:
        calls = _groups(unit, n, seed)
        return {name: [_together(found)] for name, found in calls.items()}
    if 1 << sum(f.bits for f in unit.operands.values()) <= n:
        return {"all": [stimulus(unit, n)]}
    found = directed(unit, n, seed)
    return {name: [columns] for name, columns in found.items() if columns[0].size}


def condition(unit: Unit, name: str) -> str:
    """What makes a vector, group or tile one of a class."""
    grouped = unit.transfers.controls or unit.lane_formats
    return ((GROUP_CLASSES if grouped else CLASSES) | ALL)[name]


def _together(calls: list[Call]) -> Call:
    """Calls as one, one after the other."""
    return tuple(np.concatenate(columns) for columns in zip(*calls, strict=True))


def _groups(unit: Unit, n: int, seed: int) -> dict[str, list[Call]]:
    rng = np.random.default_rng(seed)
    stimuli = stimuli_of(unit)
    formats = stimuli.call_formats
    floats = [i for i, f in enumerate(formats) if f.is_float]
    names = ["special", "ordinary"] * bool(floats) + ["random"]
    if isinstance(stimuli, GroupStimuli):
        names += ["longest"] + ["single"] * (stimuli.least_group == 1)
    names = [name for name in GROUP_CLASSES if name in names]
    of_call = [names[i % len(names)] for i in range(n)]
    if isinstance(stimuli, GroupStimuli):
        least, longest = stimuli.least_group, stimuli.longest_group
        fixed = {"single": 1, "longest": longest}
        sizes = [fixed.get(name) or int(rng.integers(least, longest + 1)) for name in of_call]
        total = sum(sizes)
        order = rng.permutation(total)
        columns = [np.resize(x, total)[order] for x in stimuli.operands(total, seed)]
        cuts = np.cumsum(sizes)[:-1]
        calls = list(zip(*(np.split(x, cuts) for x in columns), strict=True))
    else:
        columns = list(stimuli.operands(n, seed))
        calls = [tuple(x[i : i + 1].copy() for x in columns) for i in range(n)]
    found: dict[str, list[Call]] = {name: [] for name in names}
    for name, call in zip(of_call, calls, strict=True):
        if name == "special":
            i = int(rng.choice(floats))
            call[i].flat[rng.integers(call[i].size)] = rng.choice(special_codes(formats[i]))
        elif name == "ordinary":
            for i in floats:
                call[i][special_among(formats[i], call[i])] = formats[i].encode(1)
        found[name].append(call)
    return {name: calls for name, calls in found.items() if calls}


def special_among(f: Format, codes: np.ndarray) -> np.ndarray:
    """Which of an array of codes are zeros, infinities or NaN."""
    values, places = np.unique(codes, return_inverse=True)
    found = np.array([is_special(f, int(code)) for code in values], bool)
    return found[places].reshape(codes.shape)
