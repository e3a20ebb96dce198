"""Costs by submodule: what the steps of a unit's datapath take of its area and its longest path."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth.back import rtlil

from ... import rtl
from ...exceptions import InvalidInput
from ...inputs import read_liberty
from ...tables import Table, Tabled, quantity
from ...temporary import temporary_folder
from ...units import Unit, unit
from .. import tools
from . import figures, liberty, results, scripts, timing
from .cells import Library
from .libraries import fpga, liberty_file
from .netlists import Module, Net
from .synthesize import synthesize

REGISTERS, REST = "registers", "rest"
"""Parts of what has parts: its own flip-flops, and its own gates."""

_BOUNDARIES = 4
"""Boundaries that constants pass, and that it passes that nothing reads a signal. More change
nothing in multipliers and multiply-adds; one alone leaves a multiplier of e4m3fn to bf16 21 %
larger, whose product needs no rounding."""

_Path = tuple[str, ...]
"""The names of a part and of those that it is in, from the unit's own parts on."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a unit, or several of one name: what they cost with all that is in them.

    Attributes
    ----------
    name : what it does, such as ``align`` or ``leading_zeros``; ``registers`` and ``rest`` are the
        flip-flops and gates that are in none of the parts beside them.
    instances : how many of them there are in the unit.
    cells, flip_flops : number of cells without flip-flops, and of flip-flops.
    area : of all of them, in `Breakdown.area_unit`.
    share : of the unit's area, 0 to 1.
    delay : of their cells on the unit's longest path, in `Breakdown.delay_unit`; None if the
        library has none. What is left of the path is the setup time of the register at its end.
    parts : the parts in them, whose figures add up to these.
    """

    name: str
    instances: int
    cells: int
    flip_flops: int
    area: float
    share: float
    delay: float | None
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Breakdown(Tabled):
    """What `breakdown` found.

    Attributes
    ----------
    spec, library, recipe, target, area_unit, delay_unit : as of `Synthesis`.
    cells, flip_flops, area, delay : of the unit mapped part by part.
    flat_area, flat_delay : of the unit as `synthesize` maps it, without boundaries between gates.
    parts : the unit's parts in the order of the datapath, which add up to it.
    versions : versions of hwarith, the tools and the libraries.
    netlist : the mapped netlist of the parts, as Verilog with the unit's ports; of a pipelined
        unit the datapath without its registers.
    """

    spec: str
    library: str
    recipe: str
    target: str
    cells: int
    flip_flops: int
    area: float
    area_unit: str
    delay: float | None
    delay_unit: str | None
    flat_area: float
    flat_delay: float | None
    parts: tuple[Part, ...]
    versions: dict[str, str]
    netlist: str = dataclasses.field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """All figures for JSON, without the netlist."""
        figures = dataclasses.asdict(self)
        del figures["netlist"]
        return figures

    @property
    def difference(self) -> float:
        """How much more than `flat_area` the area by parts is, as a ratio (.1 is 10 %)."""
        return self.area / self.flat_area - 1 if self.flat_area else 0.0

    def rows(self) -> Iterator[tuple[int, Part]]:
        """All parts, each followed by those in it, with its depth from 0 on."""
        yield from _rows(self.parts, 0)

    def tables(self) -> list[Table]:
        """Its parts."""
        return [Table(self.table(), self.spec).without_empty()]

    def table(self) -> list[dict[str, object]]:
        """A row for each of the `rows`, by titles with units, and last one for the whole unit.

        Names are indented by their depth; what is one, or none, is None.
        """
        parts = [
            {
                "part": "  " * depth + part.name.replace("_", " "),
                "instances": part.instances if part.instances > 1 else None,
            }
            | self._figures(part, part.share)
            for depth, part in self.rows()
        ]
        return [*parts, {"part": "all"} | self._figures(self, 1.0)]

    def _figures(self, of: Part | Breakdown, share: float) -> dict[str, object]:
        return {
            "cells": of.cells,
            "flip-flops": of.flip_flops or None,
            **quantity("area", of.area, self.area_unit),
            "share (%)": round(100 * share, 1),
            **quantity("delay", of.delay, self.delay_unit),
        }


def _rows(parts: tuple[Part, ...], depth: int) -> Iterator[tuple[int, Part]]:
    for part in parts:
        yield depth, part
        yield from _rows(part.parts, depth + 1)


def breakdown(
    spec: Unit | str, library: str | Path = "generic", recipe: str | None = None
) -> Breakdown:
    """What each step of a unit (or its spec) costs: unpack, product, align, round, and so on.

    The unit is mapped with its steps as modules, and in them pieces such as shifters and adders.
    `synthesize` maps it as one: where gates of two steps could be one it finds that, and where a
    path is long it takes more gates to make it short, across steps. The figures of the two differ
    by some percent, both ways, so look at the shares; `Breakdown` has both areas.

    Of a pipelined unit, whose registers stand within its steps, the steps are those of the same
    unit without them; ``registers`` are its flip-flops, and ``rest``, the gates that let them
    advance, is missing. Of an array, each kind of part has the number of its instances.

    Parameters
    ----------
    library : as of `synthesize`, a library of cells.
    recipe : None or ``area``, as of `synthesize`.

    Results are kept in the cache folder as those of `synthesize` are. Raises `InvalidInput` for
    FPGAs and the recipe ``cmos``, and what `synthesize` raises.
    """
    u = unit(spec)
    library = str(library)
    if fpga(library) or recipe == "cmos":
        raise InvalidInput(f"a breakdown needs a library of cells, not {recipe or library}")
    flat = synthesize(u, library, recipe)
    assert flat.area is not None
    job = _Job(_without_ranks(u), flat.library, flat.recipe)
    found = results.kept("breakdown", __name__, job.content(), job.run)
    leaves = [(tuple(path), counts) for path, counts in found["leaves"]]
    if job.unit != u:
        ranks = {"instances": 1, "flip_flops": flat.flip_flops, "area": flat.sequential_area}
        leaves = [leaf for leaf in leaves if leaf[0] != (REGISTERS,)]
        leaves.append(((REGISTERS,), ranks))
    parts = _Parts(leaves, timed=found["delay"] is not None)
    return Breakdown(
        spec=u.spec,
        library=flat.library,
        recipe=flat.recipe,
        target=flat.target,
        cells=int(parts.total["cells"]),
        flip_flops=int(parts.total["flip_flops"]),
        area=round(parts.total["area"], 6),
        area_unit=str(flat.area_unit),
        delay=found["delay"],
        delay_unit=flat.delay_unit,
        flat_area=flat.area,
        flat_delay=flat.delay,
        parts=parts.within(()),
        versions=flat.versions,
        netlist=found["netlist"],
    )


def _without_ranks(u: Unit) -> Unit:
    """The same unit with no more pipeline registers than it must have."""
    return dataclasses.replace(
        u, stages=u.parameters()["stages"].default, cuts=(), grain=rtl.SUM_BLOCK
    )


class _Job:
    """One mapping of a unit whose parts stay modules."""

    def __init__(self, unit: Unit, library: str, recipe: str):
        self.unit, self.library, self.source = unit, library, liberty_file(library)
        modules = {unit.name: unit.create_ports} | unit.parts
        with rtl.steps_as_submodules():
            self.text = "".join(
                rtlil.convert(create(), name=name, emit_src=False)
                for name, create in modules.items()
            )
        self.script = _script(recipe, unit.name)

    def content(self) -> Iterator[str | bytes]:
        """Everything that figures depend on, but for the code that reads them."""
        yield from (self.text, self.script, self.library, figures.cell_models())
        yield read_liberty(self.source)

    def run(self) -> dict[str, Any]:
        """Run yosys in an empty folder: what is in each part and in no other, delay, netlist."""
        cells = liberty.read(self.source)
        with temporary_folder() as folder:
            (folder / "unit.il").write_text(self.text)
            (folder / "library.lib").write_bytes(read_liberty(self.source))
            tools.run_yosys(self.script, folder)
            module = figures.mapped_module(folder)
            netlist = (folder / "netlist.v").read_text()
        path = timing.find_longest_path(module, cells)
        if self.library == "generic":
            netlist = f"{netlist}\n{figures.cell_models()}"
        passed = path.nets if path else {}
        leaves = _leaves(module, cells, _instances(self.text, self.unit.name), passed)
        return {"leaves": leaves, "delay": path.delay if path else None, "netlist": netlist}


def _script(recipe: str, top: str) -> str:
    """The script of a recipe for parts that stay modules until they are mapped. Cells keep the name
    of their part. ABC runs once for each, not twice: that takes a third less time, and changes
    the areas of the catalogue by 2 % on average."""
    script = scripts.part_by_part(scripts.recipe_script(recipe), top)
    for whole, by_part in (
        ("read_verilog unit.v\n", "read_rtlil unit.il\n"),
        ("proc\n", "proc\nsetattr -unset init w:*\n"),
        ("synth\n", "synth -noabc\n" + "opt_hier\nopt\n" * _BOUNDARIES),
        ("flatten -noscopeinfo\n", "flatten -noscopeinfo -scopename\n"),
    ):
        script = script.replace(whole, by_part, 1)
    return script


def _instances(text: str, top: str) -> Counter[_Path]:
    """How many parts of each path there are in a design in RTLIL, in its order."""
    inside: dict[str, list[tuple[str, str]]] = {}
    for line in text.splitlines():
        if match := re.match(r"module \\(\S+)$", line):
            inside[match[1]] = found = []
        elif match := re.match(r"  cell \\(\S+) \\(\S+)$", line):
            found.append((match[1], _kind(match[2])))
    paths: Counter[_Path] = Counter()

    def walk(module: str, path: _Path) -> None:
        for part, kind in inside[module]:
            paths[*path, kind] += 1
            walk(part, (*path, kind))

    walk(top, ())
    return paths


def _kind(instance: str) -> str:
    """The name of a part without the numbers that tell it from others of that name."""
    return re.sub(r"(\$\d+|_\d+)+$", "", instance)


def _leaves(
    module: Module,
    library: Library,
    instances: Counter[_Path],
    passed: Mapping[Net, float],
) -> list[tuple[_Path, dict[str, float]]]:
    """What is in a part itself. Where it has parts, this is `REGISTERS` and `REST` of it."""
    found = {path: Counter({"instances": n}) for path, n in instances.items()}
    for name, instance in module["cells"].items():
        cell = library.cells[instance["type"]]
        path = _path_of(name, instance["attributes"])
        if not path or any(other[:-1] == path for other in instances):
            number = instances[path] or 1
            path = (*path, REGISTERS if cell.register else REST)
            found.setdefault(path, Counter({"instances": number}))
        nets = (instance["connections"].get(pin, [None])[0] for pin in cell.functions)
        found[path].update(
            {
                "flip_flops" if cell.register else "cells": 1,
                "area": cell.area,
                "delay": sum(passed.get(net, 0.0) for net in nets),
            }
        )
    return [(path, dict(counts)) for path, counts in found.items()]


def _path_of(name: str, attributes: Mapping[str, str]) -> _Path:
    """The path of a cell of a flat netlist, from what yosys wrote at it when it was flattened."""
    if "scopename" in attributes:
        scope = attributes["scopename"].split()
    else:
        scope = attributes.get("hdlname", name).split()[:-1]
    return tuple(map(_kind, scope))


class _Parts:
    """The tree of parts, from its leaves."""

    def __init__(self, leaves: list[tuple[_Path, dict[str, float]]], timed: bool):
        self._timed = timed
        self._instances = {path: counts["instances"] for path, counts in leaves}
        self._sums: dict[_Path, Counter[str]] = {}
        for path, counts in leaves:
            for depth in range(len(path) + 1):
                self._sums.setdefault(path[:depth], Counter()).update(counts)
        self.total = self._sums[()]

    def within(self, path: _Path) -> tuple[Part, ...]:
        """The parts of a part, without those that have no cells; `REGISTERS`, `REST` come last."""
        inside = [other for other in self._sums if other and other[:-1] == path]
        inside.sort(key=lambda other: other[-1] in (REGISTERS, REST))
        parts = tuple(self._part(other) for other in inside if self._sums[other]["area"])
        return () if [part.name for part in parts] == [REST] else parts

    def _part(self, path: _Path) -> Part:
        sums = self._sums[path]
        return Part(
            name=path[-1],
            instances=int(self._instances[path]),
            cells=int(sums["cells"]),
            flip_flops=int(sums["flip_flops"]),
            area=round(sums["area"], 6),
            share=sums["area"] / self.total["area"],
            delay=round(sums["delay"], 6) if self._timed else None,
            parts=self.within(path),
        )
