"""Operand codes by the class of trouble that they make: what conformance vectors are drawn from.

Each class is a condition on the exact result (or operands) of one vector. Candidates are built to
meet it, in integers, and only those that do are taken, so that a class holds in any format; one
that a unit cannot meet (no product of e4m3fn lies halfway between two fp32 values) stays empty.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import cycle, islice, starmap

import numpy as np

from ...formats import Format
from ...formats import rounding as r
from ...units import Unit
from ...units.operations import negated_operands
from .candidates import Candidates
from .corner_weighted import corner_codes, end_codes, special_codes
from .exact_results import Codes
from .families import stimulus

CLASSES = {
    "special": "an operand is a zero, an infinity or NaN, the others corners of their formats",
    "ends": "each operand is a smallest or largest, subnormal or normal value, or end of integers",
    "halfway": "the exact result lies halfway between two codes",
    "near_halfway": "one operand is a code away from a result halfway between two codes",
    "sticky": "the exact result is within 1/16 ulp of a code or of a middle, but not on it",
    "cancellation": "a sum that loses at least half of the bits of its last operand, or all",
    "alignment": "terms of a sum at every distance of their exponents",
    "normalization": "a subnormal operand, with every number of leading zeros",
    "subnormal": "the exact result lies below the smallest normal value",
    "subnormal_border": "the exact result is next to the smallest normal value, or to half a step",
    "overflow_border": "the exact result is next to where results begin to overflow",
    "overflow": "the exact result is a step or more beyond the range",
    "random": "corner-weighted random operands",
}
"""The classes, in the order in which vectors come, and what makes a vector one of them.

The exact result is that of the unit's operation on the operands as the unit takes them: where it
takes subnormals as zeros, of zeros. A vector may meet conditions of other classes as well.
"""

_TRIES = 20
"""Candidates for each vector wanted; a class that is met less often comes out smaller."""

_SHARES = 8
"""The least number of shares that `n` vectors are cut into: most vectors of a unit that has few
classes are random."""

_FRUITLESS = 500
"""Candidates after which a class that was never met is given up."""


def directed(unit: Unit, n: int, seed: int = 0) -> dict[str, tuple[np.ndarray, ...]]:
    """`n` operand vectors for a unit, by class: for each operand an array of codes.

    Every class that can be met has a vector before any has two, in the order of `CLASSES`. Beyond
    that each gets an equal share; alignment and normalization at least one vector for each
    distance or number of zeros, while a quarter of `n` suffices. What is left over is random
    (`stimulus`). The same `seed` gives the same vectors. Units that do not give the exact result
    of an arithmetic operation, rounded, have special vectors, ends and random ones alone.
    """
    makers = _makers(unit, random.Random(seed))
    rows: dict[str, list[Codes]] = {name: [] for name in CLASSES if name in makers}
    for name, found in rows.items():
        if sum(map(len, rows.values())) < n:
            found += _take(makers[name][0], 1, _FRUITLESS)
    least = {name: least for name, (_, least) in makers.items()}
    for name, count in _counts(least, [name for name in rows if rows[name]], n).items():
        rows[name] += _take(makers[name][0], count - 1, _TRIES * count)
    classes = {name: _columns(unit, found) for name, found in rows.items()}
    classes["random"] = _random(unit, n - sum(map(len, rows.values())), seed)
    return classes


def _counts(least: dict[str, int], met: list[str], n: int) -> dict[str, int]:
    """How many vectors each of the classes that are met gets: one or more, together at most `n`."""
    least = {name: min(count, n // 4) for name, count in least.items()}
    share = (n - sum(least.values())) // max(len(least) + 1, _SHARES)
    counts = {name: max(share, least[name], 1) for name in met}
    while sum(counts.values()) > n:
        counts[max(counts, key=counts.__getitem__)] -= 1
    return counts


def _columns(unit: Unit, rows: list[Codes]) -> tuple[np.ndarray, ...]:
    columns = zip(*rows, strict=True) if rows else ([] for _ in unit.operands)
    formats = unit.operands.values()
    return tuple(np.array(codes, f.dtype) for codes, f in zip(columns, formats, strict=True))


def _random(unit: Unit, n: int, seed: int) -> tuple[np.ndarray, ...]:
    """As many vectors of `stimulus`, which gives no vector twice if there are no more."""
    columns = stimulus(unit, n, seed)
    return tuple(np.resize(x, n) for x in columns)


_Attempts = Iterator[Codes | None]
"""Candidates for a class, one after the other; None for one that failed."""


def _take(attempts: _Attempts, count: int, tries: int) -> list[Codes]:
    """So many vectors, or as many as come within so many tries."""
    found = (codes for codes in islice(attempts, tries) if codes is not None)
    return list(islice(found, count))


def _endless(candidate: Callable[[], Codes | None]) -> _Attempts:
    while True:
        yield candidate()


def _makers(unit: Unit, rng: random.Random) -> dict[str, tuple[_Attempts, int]]:
    """For each class its candidates and the least number wanted."""
    formats = list(unit.operands.values())
    makers = {"special": (_specials(unit, rng), 0), "ends": (_ends(unit, rng), 0)}
    out = next(iter(unit.results.values()))
    operation = unit.operation
    if not operation.factors or operation.arity > len(formats):
        return makers
    formats = formats[: operation.arity]
    candidates = Candidates(operation, formats, out, rng, takes_subnormals_as_zeros(unit))
    arithmetic: dict[str, tuple[_Attempts, int]] = {
        name: (_endless(candidate), 0) for name, candidate in candidates.by_class().items()
    }
    if operation.adds and any(f.is_float for f in formats):
        distances = candidates.distances()
        rng.shuffle(distances)
        arithmetic["alignment"] = (map(candidates.aligned, cycle(distances)), len(distances))
    zeros = [(i, z) for i, f in enumerate(formats) for z in candidates.leading_zeros(f)]
    if zeros:
        rng.shuffle(zeros)
        of_zeros = starmap(candidates.subnormal_operand, cycle(zeros))
        arithmetic["normalization"] = (of_zeros, len(zeros))
    for name, (attempts, least) in arithmetic.items():
        makers[name] = (_completed(unit, attempts, rng), least)
    return makers


def _shuffled(codes: list[int], rng: random.Random) -> Iterator[int]:
    """All of the codes in any order, again and again."""
    while codes:
        yield from rng.sample(codes, len(codes))


def _specials(unit: Unit, rng: random.Random) -> _Attempts:
    """One operand after the other special, the others corners, each of them before one repeats."""
    formats = list(unit.operands.values())
    corners = [_shuffled(corner_codes(f).tolist(), rng) for f in formats]
    special = [_shuffled(special_codes(f), rng) for f in formats]
    places = [i for i in numeric(unit) if special_codes(formats[i])]
    for i in cycle(places):
        codes = [next(x) for x in corners]
        codes[i] = next(special[i])
        yield codes


def _ends(unit: Unit, rng: random.Random) -> _Attempts:
    """Each operand at an end of its ranges; those that are no numbers, such as modes, corners."""
    places = numeric(unit)
    codes = [
        end_codes(f) if i in places else corner_codes(f).tolist()
        for i, f in enumerate(unit.operands.values())
    ]
    if all(codes):
        yield from _endless(lambda: [rng.choice(x) for x in codes])


def numeric(unit: Unit) -> list[int]:
    """Which operands are numbers: those of the operation, where it says so; else the floats, or
    all where none is one."""
    formats = list(unit.operands.values())
    floats = [i for i, f in enumerate(formats) if f.is_float]
    return list(range(unit.operation.arity)) or floats or list(range(len(formats)))


def takes_subnormals_as_zeros(unit: Unit) -> bool:
    """Whether a unit flushes subnormal operands."""
    policy = unit.policy.get("subnormals", getattr(unit, "subnormals", "keep"))
    return policy in ("daz", "flush")


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
