"""Approximate against exact normalization in a chained multiply-add: gates, toggles, equal delay.

    python bench/normalization.py [--width 24] [--library osu018]

Without a library: NAND, NOR and NOT gates and the longest path in them (recipe ``cmos``), the
product of both, how many of these gates are the normalizer, and toggles of all gates per operation
(no delays, so no glitches) on columns of 16 products. With one (a name, or a Liberty file that has
tables of delay and slew by load): each element is mapped for least area, for least delay, and for
several targets between (``delay_target`` of `hwarith.synthesize`); at the delay that an approximate
element reaches, its area is compared with the smallest exact one that is as fast.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np
from amaranth.hdl import Cat, Module

import hwarith as hw
from hwarith import rtl
from hwarith.flow.energy.activity import activity
from hwarith.flow.synthesis.synthesize import Synthesis
from hwarith.units.anfma import AnFma

NORMS = ("exact", "an-1-1", "an-1-2", "an-2-2")

COLUMNS, LENGTH = 256, 16

TARGETS = (1.05, 1.1, 1.2, 1.35, 1.5)
"""Targets of delay, as multiples of the least delay that mapping reaches."""


class WithoutNormalizer(AnFma):
    """The same element, whose sums stay as they are."""

    def datapath(self) -> list[rtl.Step]:
        *steps, _ = super().datapath()
        return [*steps, self.keep_sum]

    def keep_sum(self, m: Module, x: rtl.Values) -> rtl.Values:
        nonzero = rtl.wire(m, "nonzero", ~x["zero"])
        exponent = x["exponent"] & nonzero.replicate(self.exponent_bits)
        state = Cat(x["magnitude"][:-1], exponent, x["sign"] & nonzero, x["flags"])
        return {"y": rtl.wire(m, "state", state)}


def chained_operands(u: AnFma) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the elements of columns meet: products of normal numbers, and the sums so far."""
    rng = np.random.default_rng(1)
    a, b = u.a.encode(rng.standard_normal((2, COLUMNS, LENGTH)))
    c = np.zeros((COLUMNS, LENGTH), u.state.dtype)
    for k in range(1, LENGTH):
        c[:, k] = u(a[:, k - 1], b[:, k - 1], c[:, k - 1])
    return a.T.ravel(), b.T.ravel(), c.T.ravel()


def toggles(u: AnFma, mapped: Synthesis) -> float:
    """Changes of all cells' outputs per operation."""
    operands = chained_operands(u)
    found = activity(mapped, *operands)
    assert np.array_equal(found.results, u(*operands)), "the netlist is not the golden model"
    return found.toggles


# -- gates and toggles ---------------------------------------------------------------------------


def element(width: int, norm: str) -> tuple[int, int, float]:
    """Gates, longest path and toggles of an element."""
    u = AnFma(w=width, norm=norm)
    r = hw.synthesize(u, recipe="cmos")
    return r.cells, r.depth, toggles(u, r)


def normalizer_share(width: int) -> float:
    """The share of the exact normalizer in its element's gates."""
    bare = hw.synthesize(WithoutNormalizer(w=width, norm="exact"), recipe="cmos").cells
    return 1 - bare / hw.synthesize(AnFma(w=width, norm="exact"), recipe="cmos").cells


def gates(width: int) -> None:
    print(f"{'w=' + str(width):8} gates   path   gates x path   toggles")
    base = None
    for norm in NORMS:
        cells, path, changes_of_nets = element(width, norm)
        row = (cells, path, cells * path, changes_of_nets)
        base = base or row
        changes = "  ".join(f"{100 * (x / y - 1):+6.1f} %" for x, y in zip(row, base, strict=True))
        print(f"{norm:8} {row[0]:5} {row[1]:6} {row[2]:14} {row[3]:9.1f}   {changes}", flush=True)
    print(f"normalizer of the exact one: {100 * normalizer_share(width):.0f} % of its gates")


# -- equal delay ---------------------------------------------------------------------------------


class Point(NamedTuple):
    """A mapped element: area and delay in the library's units, toggles."""

    area: float
    delay: float
    toggles: float


def points(u: AnFma, library: str) -> list[Point]:
    """An element mapped for least area, for least delay, and for each target."""
    smallest = hw.synthesize(u, library, "area")
    fastest = hw.synthesize(u, library, delay_target=smallest.delay / 100)
    sized = [hw.synthesize(u, library, delay_target=fastest.delay * x) for x in TARGETS]
    return [Point(r.area, r.delay, toggles(u, r)) for r in (smallest, fastest, *sized)]


class Compared(NamedTuple):
    """An approximate element beside the smallest exact one that is as fast."""

    norm: str
    delay: float
    area: float
    exact_area: float
    toggles: float
    exact_toggles: float


class Ends(NamedTuple):
    """Of an element: the least area and its delay, the least delay and its area, and the least
    product of area and delay."""

    area: float
    delay_of_least: float
    delay: float
    area_of_fastest: float
    area_delay: float


def equal_delay(width: int, library: str) -> tuple[list[Compared], dict[str, Ends]]:
    """Elements that no other of the same norm beats in area and delay, by delay; and the ends."""
    found = {norm: points(AnFma(w=width, norm=norm), library) for norm in NORMS}
    compared = []
    for norm in NORMS[1:]:
        for p in found[norm]:
            smaller = any(q.delay <= p.delay and q.area < p.area for q in found[norm])
            exact = min((q for q in found["exact"] if q.delay <= p.delay), default=None)
            if exact and not smaller:
                areas = (p.area, exact.area)
                compared.append(Compared(norm, p.delay, *areas, p.toggles, exact.toggles))
    compared.sort(key=lambda x: x.delay)
    return compared, {norm: ends(of) for norm, of in found.items()}


def ends(of: list[Point]) -> Ends:
    least = min(of, key=lambda p: p.area)
    fastest = min(of, key=lambda p: p.delay)
    best = min(p.area * p.delay for p in of)
    return Ends(least.area, least.delay, fastest.delay, fastest.area, best)


def print_equal_delay(width: int, library: str) -> None:
    compared, of_norms = equal_delay(width, library)
    for norm, x in of_norms.items():
        print(
            f"{norm:8} least area {x.area:.0f} at {x.delay_of_least:.2f}, fastest {x.delay:.2f} "
            f"with {x.area_of_fastest:.0f}, least area x delay {x.area_delay:.0f}"
        )
    for p in compared:
        print(
            f"{p.norm} at {p.delay:.2f}: area {p.area:.0f} against {p.exact_area:.0f}, "
            f"{100 * (p.area / p.exact_area - 1):+.1f} %; toggles {p.toggles:.0f} against "
            f"{p.exact_toggles:.0f}, {100 * (p.toggles / p.exact_toggles - 1):+.1f} %"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=24)
    parser.add_argument("--library")
    arguments = parser.parse_args()
    if arguments.library:
        print_equal_delay(arguments.width, arguments.library)
    else:
        gates(arguments.width)
