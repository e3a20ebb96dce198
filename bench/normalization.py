"""Approximate against exact normalization in a chained multiply-add: gates, toggles, equal delay.

    python bench/normalization.py [--width 24] [--liberty FILE.lib] [--driver INVERTER]

Without a Liberty file: NAND, NOR and NOT gates and the longest path in them (recipe ``cmos``), the
product of both, how many of these gates are the normalizer, and toggles of all gates per operation
(no delays, so no glitches) on columns of 16 products. With one, and OpenSTA's ``sta`` on PATH: each
element is mapped with sizing for several targets and by two scripts of ABC's; at the delay that an
approximate element reaches, its area is compared with the smallest exact one that is as fast.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

import hwarith as hw
from hwarith.flow import tools
from hwarith.flow.synthesis.liberty import read as read_liberty
from hwarith.units.anfma import AnFma

NORMS = ("exact", "an-1-1", "an-1-2", "an-2-2")

COLUMNS, LENGTH = 256, 16

TARGETS = (0.75, 0.85, 1.0, 1.2)
"""Delay targets for ABC, as multiples of the delay without one."""

SCRIPTS = {
    "area": "strash;ifraig;scorr;dc2;dch,-f;map,-B,0.9,-D,{ps};topo;buffer,-c;"
            "upsize,-D,{ps};dnsize,-D,{ps}",
    "plain": "strash;ifraig;scorr;dc2;dch,-f;map,-D,{ps};buffer,-c;topo;"
             "upsize,-D,{ps};dnsize,-D,{ps}",
    "delay": "strash;dch,-f;if,-g;strash;dch,-f;if,-g;strash;dch,-f;map,-B,0.9,-D,{ps};topo;"
             "buffer,-c;upsize,-D,{ps};dnsize,-D,{ps}",
}  # fmt: skip

LOAD = 0.05
"""Load of each output, in the library's unit of capacitance."""


class WithoutNormalizer(AnFma):
    """The same element, whose sums stay as they are."""

    def _count_zeros(self, m, magnitude, exponent):
        return magnitude[:-1], exponent


# -- gates and toggles ---------------------------------------------------------------------------


def chained_operands(u: AnFma) -> dict[str, np.ndarray]:
    """What the elements of columns meet: products of normal numbers, and the sums so far."""
    rng = np.random.default_rng(1)
    a, b = u.a.encode(rng.standard_normal((2, COLUMNS, LENGTH)))
    c = np.zeros((COLUMNS, LENGTH), u.state.dtype)
    for k in range(1, LENGTH):
        c[:, k] = u(a[:, k - 1], b[:, k - 1], c[:, k - 1])
    return {"a": a.T.ravel(), "b": b.T.ravel(), "c": c.T.ravel()}


Functions = dict[str, dict[str, str]]
"""Boolean functions of the outputs of cells, in Liberty's notation."""

CMOS: Functions = {
    "$_NAND_": {"Y": "!(A*B)"}, "$_NOR_": {"Y": "!(A+B)"}, "$_NOT_": {"Y": "!A"},
}  # fmt: skip


def toggles(u: AnFma, netlist: str, functions: Functions) -> float:
    """Changes of all cells' outputs per operation (yosys' JSON of a mapped netlist)."""
    (module,) = (m for name, m in json.loads(netlist)["modules"].items() if name == u.name)
    operands = chained_operands(u)
    nets, outputs = evaluate(module, operands, functions)
    results = module["ports"]["y"]["bits"]
    y = sum(nets[bit].astype(np.uint64) << np.uint64(i) for i, bit in enumerate(results))
    assert (y == u(*operands.values())).all(), "the netlist is not the golden model"
    return sum(np.count_nonzero(nets[net][1:] != nets[net][:-1]) for net in outputs) / (y.size - 1)


def evaluate(module: dict, operands: dict[str, np.ndarray], functions: Functions) -> tuple:
    """The value of each net for all operands, and the nets that are outputs of cells."""
    size = len(next(iter(operands.values())))
    nets = {"0": np.zeros(size, bool), "1": np.ones(size, bool), "x": np.zeros(size, bool)}
    outputs = []
    for name, codes in operands.items():
        for i, bit in enumerate(module["ports"][name]["bits"]):
            nets[bit] = (codes >> codes.dtype.type(i) & codes.dtype.type(1)).astype(bool)
    waiting = list(module["cells"].values())
    while waiting:
        later = []
        for cell in waiting:
            pins = {pin: bits[0] for pin, bits in cell["connections"].items()}
            made = {pin: f for pin, f in functions[cell["type"]].items() if pin in pins}
            inputs = pins.keys() - functions[cell["type"]].keys()
            if any(pins[pin] not in nets for pin in inputs):
                later.append(cell)
                continue
            values = {pin: nets[pins[pin]] for pin in inputs}
            for pin, function in made.items():
                nets[pins[pin]] = Expression(function, values).value
                outputs.append(pins[pin])
        waiting = later
    return nets, outputs


class Expression:
    """A Boolean expression of Liberty: ' and ! invert, then * & or nothing, ^, and + |."""

    def __init__(self, text: str, values: dict[str, np.ndarray]):
        self._tokens = re.findall(r"\w+|[()!'^*&+|]", text)
        self._values = values
        self.value = self._sum()

    def _next(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _sum(self) -> np.ndarray:
        value = self._exclusive()
        while self._next() in ("+", "|"):
            self._tokens.pop(0)
            value = value | self._exclusive()
        return value

    def _exclusive(self) -> np.ndarray:
        value = self._product()
        while self._next() == "^":
            self._tokens.pop(0)
            value = value ^ self._product()
        return value

    def _product(self) -> np.ndarray:
        value = self._factor()
        while self._next() not in ("", ")", "+", "|", "^"):
            if self._next() in "*&":
                self._tokens.pop(0)
            value = value & self._factor()
        return value

    def _factor(self) -> np.ndarray:
        token = self._tokens.pop(0)
        if token == "!":
            return ~self._factor()
        if token == "(":
            value = self._sum()
            self._tokens.pop(0)
        else:
            value = self._values[token]
        while self._next() == "'":
            self._tokens.pop(0)
            value = ~value
        return value


def cmos_toggles(u: AnFma) -> float:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "unit.v").write_text(hw.verilog(u))
        recipe = (tools.shipped("synth") / "cmos.ys").read_text()
        tools.run_yosys(f"{recipe}\nwrite_json netlist.json\n", folder)
        return toggles(u, (folder / "netlist.json").read_text(), CMOS)


def gates(width: int) -> None:
    print(f"{'w=' + str(width):8} gates   path   gates x path   toggles")
    base = None
    for norm in NORMS:
        u = hw.unit(f"anfma:w={width},norm={norm}")
        r = hw.synthesize(u, recipe="cmos")
        row = (r.cells, r.depth, r.cells * r.depth, cmos_toggles(u))
        base = base or row
        changes = "  ".join(f"{100 * (x / y - 1):+6.1f} %" for x, y in zip(row, base, strict=True))
        print(f"{norm:8} {row[0]:5} {row[1]:6} {row[2]:14} {row[3]:9.1f}   {changes}", flush=True)
    bare = hw.synthesize(WithoutNormalizer(w=width, norm="exact"), recipe="cmos").cells
    print(f"normalizer of the exact one: {100 * (1 - bare / base[0]):.0f} % of its gates")


# -- equal delay ---------------------------------------------------------------------------------


class Point(NamedTuple):
    """A mapped element: area and delay (by OpenSTA) in the library's units, toggles."""

    area: float
    delay: float
    toggles: float


def mapped(u: AnFma, liberty: Path, driver: str, script: str, ps: int) -> Point:
    """An element mapped for a target in picoseconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "unit.v").write_text(hw.verilog(u))
        (folder / "library.lib").write_bytes(liberty.read_bytes())
        (folder / "unit.constr").write_text(f"set_driving_cell {driver}\nset_load {LOAD}\n")
        tools.run_yosys(
            "read_verilog unit.v\nproc\nflatten -noscopeinfo\nopt\nsynth -flatten\n"
            f"abc -liberty library.lib -constr unit.constr -script +{SCRIPTS[script].format(ps=ps)}"
            "\nopt_clean -purge\ntee -o stat.json stat -json -liberty library.lib"
            "\nwrite_json netlist.json\nwrite_verilog -noattr -noexpr netlist.v\n",
            folder,
        )
        cells = {name: cell.functions for name, cell in read_liberty(liberty).cells.items()}
        activity = toggles(u, (folder / "netlist.json").read_text(), cells)
        area = float(json.loads((folder / "stat.json").read_text())["design"]["area"])
        (folder / "sta.tcl").write_text(
            f"read_liberty library.lib\nread_verilog netlist.v\nlink_design {u.name}\n"
            "create_clock -name virtual -period 1000\nset_input_delay 0 -clock virtual [all_inputs]"
            "\nset_output_delay 0 -clock virtual [all_outputs]\n"
            f"set_driving_cell -lib_cell {driver} [all_inputs]\nset_load {LOAD} [all_outputs]\n"
            "report_checks -path_delay max -digits 4\nexit\n"
        )
        said = subprocess.run(["sta", "-no_splash", "-exit", "sta.tcl"], cwd=folder, text=True,
                              capture_output=True).stdout  # fmt: skip
    found = re.search(r"([\d.]+)\s+data arrival time", said)
    if not found:
        raise SystemExit(f"sta found no path: {said[-300:]}")
    return Point(area, float(found[1]), activity)


def equal_delay(width: int, liberty: Path, driver: str) -> None:
    points: dict[str, list[Point]] = {}
    for norm in NORMS:
        u = hw.unit(f"anfma:w={width},norm={norm}")
        free = mapped(u, liberty, driver, "area", 10**6)
        points[norm] = [free] + [
            mapped(u, liberty, driver, script, int(1000 * free.delay * share))
            for script in SCRIPTS
            for share in TARGETS
        ]
        least, fastest, best = (
            min(points[norm], key=key)
            for key in (lambda p: p.area, lambda p: p.delay, lambda p: p.area * p.delay)
        )
        print(
            f"{norm:8} least area {least.area:.0f} at {least.delay:.2f}, fastest "
            f"{fastest.delay:.2f} with {fastest.area:.0f}, least area x delay "
            f"{best.area * best.delay:.0f}",
            flush=True,
        )
    for norm in NORMS[1:]:
        for p in sorted(points[norm], key=lambda p: p.delay):
            smaller = any(q.delay <= p.delay and q.area < p.area for q in points[norm])
            exact = min((q for q in points["exact"] if q.delay <= p.delay), default=None)
            if exact and not smaller:
                print(
                    f"{norm} at {p.delay:.2f}: area {p.area:.0f} against {exact.area:.0f}, "
                    f"{100 * (p.area / exact.area - 1):+.1f} %; toggles {p.toggles:.0f} against "
                    f"{exact.toggles:.0f}, {100 * (p.toggles / exact.toggles - 1):+.1f} %"
                )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=24)
    parser.add_argument("--liberty", type=Path)
    parser.add_argument("--driver", default="BUFX2", help="cell of the library behind inputs")
    arguments = parser.parse_args()
    if arguments.liberty:
        equal_delay(arguments.width, arguments.liberty, arguments.driver)
    else:
        gates(arguments.width)
