"""Operand codes by the class of trouble that they make: what conformance vectors are drawn from.

Each class is a condition on the exact result (or operands) of one vector. Candidates are built to
meet it, in integers, and only those that do are taken, so that a class holds in any format; one
that a unit cannot meet (no product of e4m3fn lies halfway between two fp32 values) stays empty.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import cycle, starmap

import numpy as np

from ...formats import Format
from ...formats import rounding as r
from ...units import Unit
from ...units.operations import negated_operands
from .candidates import Candidates
from .corner_weighted import corner_codes
from .exact_results import Codes
from .families import stimulus

CLASSES = {
    "special": "operands are zeros, infinities, NaN and the neighbours of the ends of the ranges",
    "halfway": "the exact result lies halfway between two codes",
    "near_halfway": "one operand is a code away from a result halfway between two codes",
    "sticky": "the exact result is within 1/16 ulp of a code or of a middle, but not on it",
    "cancellation": "a sum that loses at least half of the bits of its last operand, or all",
    "alignment": "terms of a sum at every distance of their exponents",
    "normalization": "a subnormal operand, with every number of leading zeros",
    "subnormal": "the exact result lies below the smallest normal value",
    "subnormal_border": "the exact result is next to the smallest normal value, or to half a step",
    "overflow_border": "the exact result is next to where results begin to overflow",
    "overflow": "the exact result is beyond the largest value",
    "random": "corner-weighted random operands",
}
"""The classes, in the order in which vectors come, and what makes a vector one of them."""

_TRIES = 20
"""Candidates for each vector wanted; a class that is met less often comes out smaller."""

_FRUITLESS = 500
"""Candidates after which a class that was never met is given up."""


def directed(unit: Unit, n: int, seed: int = 0) -> dict[str, tuple[np.ndarray, ...]]:
    """`n` operand vectors for a unit, by class: for each operand an array of codes.

    Every class gets an equal share, if it can be met; alignment and normalization at least one
    vector for each distance or number of zeros, while a quarter of `n` suffices. What is left over
    is random (`stimulus`). The same `seed` gives the same vectors. Units that do not round the
    exact result of an arithmetic operation to a float have special and random vectors alone.
    """
    makers = _makers(unit, random.Random(seed))
    least = {name: min(count, n // 4) for name, (_, count) in makers.items()}
    share = (n - sum(least.values())) // (len(makers) + 1)
    found: dict[str, tuple[np.ndarray, ...]] = {}
    for name, (attempts, _) in makers.items():
        rows = _take(attempts, max(share, least[name]))
        columns = zip(*rows, strict=True) if rows else ([] for _ in unit.operands)
        found[name] = tuple(
            np.array(codes, f.dtype)
            for codes, f in zip(columns, unit.operands.values(), strict=True)
        )
    rest = n - sum(columns[0].size for columns in found.values())
    found["random"] = _random(unit, rest, seed)
    return {name: found[name] for name in CLASSES if name in found}


def _random(unit: Unit, n: int, seed: int) -> tuple[np.ndarray, ...]:
    """As many vectors of `stimulus`, which gives no vector twice if there are no more."""
    columns = stimulus(unit, n, seed)
    return tuple(np.resize(x, n) for x in columns)


_Attempts = Iterator[Codes | None]
"""Candidates for a class, one after the other; None for one that failed."""


def _take(attempts: _Attempts, count: int) -> list[Codes]:
    rows: list[Codes] = []
    for tried, codes in enumerate(attempts):
        if len(rows) == count or tried > _TRIES * count or (not rows and tried > _FRUITLESS):
            break
        if codes is not None:
            rows.append(codes)
    return rows


def _endless(candidate: Callable[[], Codes | None]) -> _Attempts:
    while True:
        yield candidate()


def _makers(unit: Unit, rng: random.Random) -> dict[str, tuple[_Attempts, int]]:
    """For each class its candidates and the least number wanted."""
    formats = list(unit.operands.values())
    corners = [corner_codes(f).tolist() for f in formats]
    special = _endless(lambda: [rng.choice(codes) for codes in corners])
    makers: dict[str, tuple[_Attempts, int]] = {"special": (special, 0)}
    out = next(iter(unit.results.values()))
    operation = unit.operation
    if not operation.factors or operation.arity > len(formats) or not out.is_float:
        return makers
    formats = formats[: operation.arity]
    candidates = Candidates(operation, formats, out, rng)
    for name, candidate in candidates.by_class().items():
        makers[name] = (_endless(candidate), 0)
    if operation.adds:
        distances = candidates.distances()
        rng.shuffle(distances)
        makers["alignment"] = (map(candidates.aligned, cycle(distances)), len(distances))
    zeros = [(i, z) for i, f in enumerate(formats) for z in candidates.leading_zeros(f)]
    if zeros:
        rng.shuffle(zeros)
        makers["normalization"] = (starmap(candidates.subnormal_operand, cycle(zeros)), len(zeros))
    for name, (attempts, least) in makers.items():
        if name != "special":
            makers[name] = (_completed(unit, attempts, rng), least)
    return makers


def _completed(unit: Unit, attempts: _Attempts, rng: random.Random) -> _Attempts:
    """Candidates for all operands: negated where the unit negates them again, and with random
    codes for those that are no part of the exact result, such as random bits."""
    negated = negated_operands(unit)
    operations = list(negated)
    for codes in attempts:
        if codes is None:
            yield None
            continue
        op = rng.choice(operations) if len(operations) > 1 else operations[0]
        completed: list[int | None] = []
        for i, (name, f) in enumerate(unit.operands.items()):
            if i < len(codes):
                negate = name in negated[op]
                completed.append(_negative(f, codes[i]) if negate else codes[i])
            else:
                completed.append(op if name == "op" else rng.getrandbits(f.bits))
        yield None if None in completed else [code for code in completed if code is not None]


def _negative(f: Format, code: int) -> int | None:
    """The code of the negative value, None if there is none."""
    kind, s, e, g = r.unpack(code, f.numbers)
    if kind == r.NAN:
        return code
    if kind == r.INF:
        return r.pack_infinity(1 - s, f.numbers, r.NOSAT)
    other = r.round_pack(1 - s, e, g, f.numbers, r.RNE, r.SATURATE)
    return other if r.unpack(other, f.numbers)[2:] == (e, g) or g == 0 else None
