"""Approximate against exact normalization in a chained multiply-add: gates, toggles, equal delay.

    python bench/normalization.py [--width 24] [--liberty FILE.lib]

Without a Liberty file: NAND, NOR and NOT gates and the longest path in them (recipe ``cmos``), the
product of both, how many of these gates are the normalizer, and toggles of all gates per operation
(no delays, so no glitches) on columns of 16 products. With one, which has tables of delay and slew
by load: each element is mapped for least area, for least delay, and for several targets between
(``delay_target`` of `hwarith.synthesize`); at the delay that an approximate element reaches, its
area is compared with the smallest exact one that is as fast.
"""

from __future__ import annotations

import argparse
from pathlib import Path
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


def gates(width: int) -> None:
    print(f"{'w=' + str(width):8} gates   path   gates x path   toggles")
    base = None
    for norm in NORMS:
        u = AnFma(w=width, norm=norm)
        r = hw.synthesize(u, recipe="cmos")
        row = (r.cells, r.depth, r.cells * r.depth, toggles(u, r))
        base = base or row
        changes = "  ".join(f"{100 * (x / y - 1):+6.1f} %" for x, y in zip(row, base, strict=True))
        print(f"{norm:8} {row[0]:5} {row[1]:6} {row[2]:14} {row[3]:9.1f}   {changes}", flush=True)
    bare = hw.synthesize(WithoutNormalizer(w=width, norm="exact"), recipe="cmos").cells
    print(f"normalizer of the exact one: {100 * (1 - bare / base[0]):.0f} % of its gates")


# -- equal delay ---------------------------------------------------------------------------------


class Point(NamedTuple):
    """A mapped element: area and delay in the library's units, toggles."""

    area: float
    delay: float
    toggles: float


def points(u: AnFma, liberty: Path) -> list[Point]:
    """An element mapped for least area, for least delay, and for each target."""
    smallest = hw.synthesize(u, liberty, "area")
    fastest = hw.synthesize(u, liberty, delay_target=smallest.delay / 100)
    sized = [hw.synthesize(u, liberty, delay_target=fastest.delay * x) for x in TARGETS]
    return [Point(r.area, r.delay, toggles(u, r)) for r in (smallest, fastest, *sized)]


def equal_delay(width: int, liberty: Path) -> None:
    found: dict[str, list[Point]] = {}
    for norm in NORMS:
        found[norm] = points(AnFma(w=width, norm=norm), liberty)
        print_ends(norm, found[norm])
    for norm in NORMS[1:]:
        for p in sorted(found[norm], key=lambda p: p.delay):
            smaller = any(q.delay <= p.delay and q.area < p.area for q in found[norm])
            exact = min((q for q in found["exact"] if q.delay <= p.delay), default=None)
            if exact and not smaller:
                print(
                    f"{norm} at {p.delay:.2f}: area {p.area:.0f} against {exact.area:.0f}, "
                    f"{100 * (p.area / exact.area - 1):+.1f} %; toggles {p.toggles:.0f} against "
                    f"{exact.toggles:.0f}, {100 * (p.toggles / exact.toggles - 1):+.1f} %"
                )


def print_ends(norm: str, of: list[Point]) -> None:
    least = min(of, key=lambda p: p.area)
    fastest = min(of, key=lambda p: p.delay)
    best = min(p.area * p.delay for p in of)
    print(
        f"{norm:8} least area {least.area:.0f} at {least.delay:.2f}, fastest {fastest.delay:.2f} "
        f"with {fastest.area:.0f}, least area x delay {best:.0f}",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=24)
    parser.add_argument("--liberty", type=Path)
    arguments = parser.parse_args()
    if arguments.liberty:
        equal_delay(arguments.width, arguments.liberty)
    else:
        gates(arguments.width)
