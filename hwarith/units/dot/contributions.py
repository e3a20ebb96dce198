"""What each term of a dot product contributes to its sum."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from ...formats import rounding as r
from ...lazily import np
from .arrays import in_order
from .definitions.terms import NOTHING, factor, places
from .definitions.truncated import group_sum, in_grid
from .unit import Dot


class Contribution(NamedTuple):
    """A term of a sum: which one, its exact value, and what of it is added. Without a grid both
    are the same; values that are not finite are left out."""

    term: str
    exact: Fraction
    added: Fraction


def contributions(u: Dot, a: Sequence[int], b: Sequence[int], c: int) -> list[Contribution]:
    """The terms of a dot product without scales, of codes of K pairs: of the last block of n, with
    what came before it as the addend. Terms that are zero are left out."""
    k = len(a) - u.n
    if k > 0:
        c = int(u.dot(np.asarray(a)[:k], np.asarray(b)[:k], c))
    pairs = in_order(
        [(int(x), int(y), k + i) for i, (x, y) in enumerate(zip(a[k:], b[k:], strict=True))], u.acc
    )
    shape, f, rules, _ = u.constants
    terms = []
    for x, y, lane in pairs:
        kind = max(r.unpack(x, f.a)[0], r.unpack(y, f.b)[0])
        if kind == r.FINITE:
            s, e, g, top = group_sum((x,), (y,), (), (), 0, shape._replace(group=1), f, rules)
            terms.append((f"a[{lane}] b[{lane}]", s, e, g, top))
    kind, s, e, g = factor(c, f.c, shape, rules)
    if u.addend and kind == r.FINITE:
        terms.append(("c", s, e, g, e + places(f.c) if g else NOTHING))
    grid = None
    if u.acc.way == "trunc":
        grid = max([shape.floor, *(top for *_, top in terms)]) - shape.bits
    found = []
    for name, s, e, g, _ in terms:
        if g:
            exact = (-1) ** s * g * Fraction(2) ** e
            kept = exact if grid is None else (-1) ** s * in_grid(e, g, grid) * Fraction(2) ** grid
            found.append(Contribution(name, exact, kept))
    return found
