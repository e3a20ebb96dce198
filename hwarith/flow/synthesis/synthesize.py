"""Synthesis with yosys: what a unit costs in gates, in a cell library or on an FPGA."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...exceptions import InvalidInput, ToolFailure, quoted, shown, unknown
from ...inputs import read_liberty
from ...tables import Table, Tabled, quantity
from ...temporary import temporary_folder
from ...units import Unit, unit
from .. import tools
from ..verilog import verilog
from . import figures, liberty, results, scripts
from .cells import Library
from .figures import Figures
from .liberty_text import with_single_pins
from .libraries import FPGAS, fpga, liberty_file

_OF_CELLS = ("asic", "area")
"""Recipes with a library of cells; the first one is the default."""

_OF_FPGAS = ("fpga", "dsp")
"""Recipes with an FPGA family; the first one is the default."""

_NEAR = 1.25
"""A mapping that misses a delay target by less than this factor is sized a second time."""

_TWO_INPUT_GATES = "NAND, NOR and NOT"


MINOR = ("depth", "transistors", "LUT4 equivalents")
"""The titles of `Synthesis.row` that few ask for."""


@dataclass(frozen=True, kw_only=True)
class Synthesis(Tabled):
    """What synthesis found; made by `synthesize`. What a recipe does not give is None.

    Attributes
    ----------
    spec, library, recipe : the unit, the library as it was given, the yosys script.
    delay_target : the delay that gates were sized for, in `delay_unit`; None if they were not.
    mapping : the steps of ABC that did best for it, a file of ``synth/abc``.
    target : what was mapped to.
    cells : number of cells without flip-flops.
    flip_flops : number of flip-flops.
    cells_by_type : number of cells of each type, flip-flops included.
    depth : cells on the longest path.
    area : area of all cells, in `area_unit`: ``GE`` (gate equivalents, a NAND2 is 1), or
        ``library area`` for the unit of a Liberty file, which it does not name.
    combinational_area, sequential_area : the area without flip-flops, and of flip-flops.
    delay : of the longest path, in `delay_unit`: ``NAND2`` (delays of one), or the time unit of a
        Liberty file, such as ``1ns``.
    path_start, path_end : the inputs, outputs or registers between which the longest path runs.
    segments : of a unit in stages, the longest path to each of its register ranks, in order.
    transistors : number of transistors of the gates in static CMOS, without flip-flops.
    luts : number of look-up tables of any size.
    luts_by_inputs : number of look-up tables with so many inputs.
    lut4 : the look-up tables as 4-input ones: one of 5 inputs counts for 2, of 6 inputs for 4.
    carries : number of carry cells.
    dsps : number of multiplier blocks.
    versions : versions of hwarith, the tools and the libraries.
    netlist : the mapped netlist, as Verilog.
    module : the same as data: ``ports`` as in yosys' JSON, ``cells`` as pairs of a type and its
        nets by pin.
    """

    spec: str
    library: str
    recipe: str
    delay_target: float | None = None
    mapping: str | None = None
    target: str
    cells: int
    flip_flops: int
    cells_by_type: dict[str, int]
    depth: int | None = None
    area: float | None = None
    area_unit: str | None = None
    combinational_area: float | None = None
    sequential_area: float | None = None
    delay: float | None = None
    delay_unit: str | None = None
    path_start: str | None = None
    path_end: str | None = None
    segments: list[float] | None = None
    transistors: int | None = None
    luts: int | None = None
    luts_by_inputs: dict[str, int] | None = None
    lut4: int | None = None
    carries: int | None = None
    dsps: int | None = None
    versions: dict[str, str]
    netlist: str | None = dataclasses.field(default=None, repr=False)
    module: dict[str, Any] | None = dataclasses.field(default=None, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """All figures for JSON, without the netlist."""
        data = dataclasses.asdict(self)
        del data["netlist"], data["module"]
        return data

    def tables(self) -> list[Table]:
        """Its figures, and its cells by type."""
        cells = [{"cell": kind, "number": n} for kind, n in self.cells_by_type.items()]
        return [Table([self.row()], details=MINOR).without_empty(), Table(cells)]

    def row(self) -> dict[str, object]:
        """The figures that compare units, by titles with units; of a library its file's name."""
        return {
            "spec": self.spec,
            "library": Path(self.library).name,
            **quantity("area", self.area, self.area_unit),
            **quantity("delay", self.delay, self.delay_unit),
            "delay target": self.delay_target,
            "depth": self.depth,
            "cells": self.cells,
            "flip-flops": self.flip_flops,
            "transistors": self.transistors,
            "LUTs": self.luts,
            "LUT4 equivalents": self.lut4,
            "carry cells": self.carries,
            "DSP blocks": self.dsps,
        }


def synthesize(
    spec: Unit | str,
    library: str | Path = "generic",
    recipe: str | None = None,
    delay_target: float | None = None,
) -> Synthesis:
    """Synthesize a unit (or its spec) with yosys.

    Results are kept in the cache folder and found again by the Verilog, the library, the yosys
    script and the versions.

    Parameters
    ----------
    spec : the unit, or its spec.
    library : ``generic`` is the project's own cell library, which stands for no process: areas
        in gate equivalents (GE, a NAND2 is 1), delays in delays of a NAND2. ``osu018``, ``osu035``
        and ``osu050`` are open cells where Debian's packages of them are installed. ``xc7`` (or
        ``xilinx``), ``ice40`` and ``ecp5`` are FPGA families. Anything else is the path of a
        Liberty file, which may be packed with gzip; areas and delays are in its own units.
    recipe : None for the library's own (``asic``, ``fpga``). With cells ``area``: mapped for
        least area, which is smaller, slower, and varies less between units that are nearly the
        same; with the generic library also ``cmos``: the unit on NAND, NOR and NOT alone, to be
        compared with published figures. Pipelines are mapped so that levels of logic are kept, in
        ``asic`` and ``cmos`` (``synth/README.md``). With FPGAs ``dsp``: multiplier blocks are
        allowed, which ``fpga`` keeps from so that look-up tables compare.
    delay_target : only with a Liberty file that has tables of delay and slew by load: size gates
        for this delay, in the library's time unit. ABC maps in several ways (``synth/abc``) and
        sizes each. The one of least area among those that meet the target by our static timing is
        kept; if none does, the fastest, so compare `Synthesis.delay` with the target. ABC is told
        the driver and the load below. None: cells as mapping chooses them, without sizing.

    With cells, `Synthesis.delay` is the longest path that static timing finds, without wires: from
    inputs or register outputs (which count their delay from the clock) to outputs or register
    inputs (which count their setup time). This is what registers around a combinational unit would
    see but for their own delays, so none are put there, and its area is without them. With a
    library that has tables, delays and slews are interpolated by input slew and load, for rising
    and falling signals apart. An input is driven by the library's smallest buffer (as strong as a
    small flip-flop) behind an input without slew, and an output loaded with four inputs of that
    buffer. With other libraries each way through a cell has one delay, whatever its load; delay
    and path are None if the library has none. `depth` is the number of cells on that path, or on
    the path of most cells with the other recipes.

    `Synthesis.netlist` has the unit's module name and ports: ``hw.simulate(u, verilog=netlist)``
    runs it. That of a Liberty file lacks the models of the cells, which
    `hwarith.flow.synthesis.equivalence.netlist_of` adds, and for FPGAs there is none.

    Raises `InvalidInput` for an unknown library or recipe and for a Liberty file that will not
    do, `MissingTool` for open cells that are not installed, `ToolFailure` if yosys fails.
    """
    job = _Job(unit(spec), str(library), recipe, delay_target)
    found = results.kept("synthesize", __name__, job.content(), job.run)
    return Synthesis(
        spec=job.unit.spec,
        library=job.library,
        recipe=job.recipe,
        delay_target=delay_target,
        versions=tools.versions(),
        **found,
    )


class _Job:
    """One synthesis: a unit, a checked library and recipe."""

    def __init__(self, unit: Unit, library: str, recipe: str | None, delay_target: float | None):
        self.unit = unit
        self.library = library
        self.recipe = _check_recipe(library, recipe)
        self.delay_target = _check_delay_target(library, delay_target)
        self.family = fpga(library)
        self.source = liberty_file(library) if self.recipe in _OF_CELLS else None
        if self.family:
            self.scripts = [scripts.fpga_script(self.family, self.recipe)]
        else:
            names = [self.recipe] if delay_target is None else ["sized_start", "sized"]
            self.scripts = [scripts.recipe_script(name) for name in names]
        if unit.parts:
            self.scripts = [scripts.part_by_part(script, unit.name) for script in self.scripts]
        elif unit.stages and self.recipe in ("asic", "cmos") and delay_target is None:
            self.scripts = [scripts.pipelined(script) for script in self.scripts]
        dsp = self.recipe == "dsp"
        self.verilog = verilog(unit, dsp=True) if dsp else verilog(unit)

    def content(self) -> Iterator[str | bytes]:
        """Everything that figures depend on, but for the code that reads them."""
        yield from (self.verilog, *self.scripts, self.library, figures.cell_models())
        if self.delay_target is not None:
            yield repr(self.delay_target)
            yield from (f"{name} {steps}" for name, steps in scripts.mappings().items())
        if self.source:
            yield read_liberty(self.source)

    def run(self) -> Figures:
        """What mapping finds, with the path to each rank in the place of those to all registers."""
        found = self._mapped()
        ends = found.pop("path_ends", None)
        if ends and self.unit.stages and self.unit.is_pipeline:
            found["segments"] = figures.segments(ends, self.unit.stages)
        return found

    def _mapped(self) -> Figures:
        """Run yosys in an empty folder and read the figures off the files it writes."""
        with temporary_folder() as folder:
            (folder / "unit.v").write_text(self.verilog)
            if self.source is None:
                self._yosys(folder, self.scripts[0])
                read = figures.of_fpga if self.family else figures.of_two_input_gates
                target = FPGAS[self.family] if self.family else _TWO_INPUT_GATES
                if (self.family, self.recipe) == ("ice40", "dsp"):
                    target = "Lattice iCE40 UltraPlus"  # HX has none
                return {"target": target} | read(folder)
            library = liberty.read(self.source)
            if self.library != "generic":
                _check_cells(library, self.source, self.unit)
            (folder / "library.lib").write_bytes(read_liberty(self.source))
            if self.delay_target is not None:
                return self._sized(folder, library, self.delay_target)
            (script,) = self.scripts
            if library.has_tables and (ways := scripts.by_load(script))[1:]:
                return self._fastest(folder, library, ways)
            self._yosys(folder, script)
            found = figures.of_cells(folder, library)
            return figures.of_generic_cells(found) if self.library == "generic" else found

    def _fastest(self, folder: Path, library: Library, ways: list[str]) -> Figures:
        """Map in each of these ways and keep the fastest."""
        _prepare_sizing(folder, library)
        found: list[Figures] = []
        for script in ways:
            self._yosys(folder, script)
            found.append(figures.of_cells(folder, library))
        return min(found, key=lambda mapped: (mapped["delay"], mapped["area"]))

    def _sized(self, folder: Path, library: Library, target: float) -> Figures:
        """Size each mapping for the target and keep the smallest that meets it.

        ABC's delays are not quite those of `timing`: a mapping that nearly meets the target by the
        latter is sized once more, for a target shorter by as much as it missed.
        """
        if not library.has_tables:
            raise InvalidInput(
                f"Liberty file {shown(self.source)}: it has no tables of delay and slew by load, "
                "which sizing for a delay target needs"
            )
        _prepare_sizing(folder, library)
        start, script = self.scripts
        self._yosys(folder, start)
        found: list[Figures] = []
        for name, steps in scripts.mappings().items():
            for wanted in (target, None):
                wanted = wanted or target * target / found[-1]["delay"]
                picoseconds = max(1, round(wanted * library.picoseconds))
                (folder / "abc.script").write_text(steps.replace("{D}", f"-D {picoseconds}"))
                self._yosys(folder, script)
                found.append(figures.of_cells(folder, library) | {"mapping": name})
                if not target < found[-1]["delay"] < _NEAR * target:
                    break
        met = [sized for sized in found if sized["delay"] <= target]
        if met:
            return min(met, key=lambda sized: (sized["area"], sized["delay"]))
        return min(found, key=lambda sized: (sized["delay"], sized["area"]))

    def _yosys(self, folder: Path, script: str) -> None:
        try:
            tools.run_yosys(script, folder)
        except ToolFailure as error:
            raise ToolFailure(
                f"{error} (mapping {self.unit.spec} to {shown(self.library)})"
            ) from None


def _prepare_sizing(folder: Path, library: Library) -> None:
    """Change the library so that ABC can size gates (`with_single_pins`), and write the driver of
    inputs and the load of outputs."""
    text = (folder / "library.lib").read_text(errors="replace")
    (folder / "library.lib").write_text(with_single_pins(text))
    (folder / "abc.constr").write_text(
        f"set_driving_cell {library.driver.name}\n"
        f"set_load {library.output_load * library.femtofarads}\n"
    )


def _check_recipe(library: str, recipe: str | None) -> str:
    """The recipe's name. Raises `InvalidInput` if the library has none of that name."""
    allowed = [*_OF_FPGAS] if fpga(library) else [*_OF_CELLS]
    if library == "generic":
        allowed.append("cmos")
    if recipe is not None and recipe not in allowed:
        raise unknown(f"recipe for library {quoted(library)}", recipe, allowed)
    return recipe or allowed[0]


def _check_delay_target(library: str, target: float | None) -> float | None:
    """The target as a number. Raises `InvalidInput` if it is none, or the library has no times."""
    if target is None:
        return None
    if library == "generic" or fpga(library):
        raise InvalidInput(
            f"a delay target needs a Liberty file with tables, not {quoted(library)}"
        )
    number = isinstance(target, int | float) and not isinstance(target, bool)
    if not number or not 0 < target < math.inf:
        raise InvalidInput(f"delay target must be a positive number, not {quoted(target)}")
    return float(target)


def _check_cells(library: Library, source: Path, u: Unit) -> None:
    """What mapping needs. Raises `InvalidInput`, where yosys would fail without a reason."""
    gates = [cell for cell in library.cells.values() if not cell.register]
    of_one_input = [cell for cell in gates if len(cell.inputs) == 1]
    functions = {
        re.sub(r"[\s()]", "", function)
        for cell in of_one_input
        for function in cell.functions.values()
    }
    there = {
        "inverter": any(re.fullmatch(r"!\w+|\w+'", function) for function in functions),
        "buffer": any(re.fullmatch(r"[A-Za-z_]\w*", function) for function in functions),
        "D flip-flop": any("next_state" in cell.register for cell in library.cells.values()),
    }
    for kind in ("inverter", "buffer", *(["D flip-flop"] if u.stages else [])):
        if not there[kind]:
            raise InvalidInput(
                f"Liberty file {shown(source)}: it has no {kind}, which mapping {u.spec} needs"
            )
