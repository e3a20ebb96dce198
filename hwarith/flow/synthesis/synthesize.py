"""Synthesis with yosys: what a unit costs in gates, in a cell library or on an FPGA."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import files
from ...errors import InvalidInput, ToolFailure, unknown
from ...units import Unit, unit
from .. import tools
from ..verilog import verilog
from . import liberty, timing
from .libraries import FPGAS, fpga, liberty_file

_OF_CELLS = ("asic", "area")
"""Recipes with a library of cells; the first one is the default."""

_OF_FPGAS = ("fpga", "dsp")
"""Recipes with an FPGA family; the first one is the default."""

_NEAR = 1.25
"""A mapping that misses a delay target by less than this factor is sized a second time."""

_CMOS = "NAND, NOR and NOT"

# How the script of an FPGA family keeps from its multiplier blocks, and how it would not.
_DSP = {
    "xc7": (" -nodsp", ""), "ecp5": (" -nodsp", ""),
    "ice40": ("synth_ice40", "synth_ice40 -dsp -device u"),
}  # fmt: skip

_REGISTERS = re.compile(r"\$_S?DFF|\$_ALDFF|SB_DFF|TRELLIS_FF|FD[CPRS]E")
_CARRIES = ("CARRY4", "SB_CARRY", "CCU2C")
_DSP_BLOCKS = ("DSP48E1", "SB_MAC16", "MULT18X18D")

# Look-up tables by their inputs. An inverter of the Xilinx flow takes one of its own at worst; a
# carry cell of the ECP5 is two look-up tables with carry logic between them.
_LUTS = {
    "SB_LUT4": (4, 1), "INV": (1, 1), "CCU2C": (4, 2), "LUT1": (1, 1), "LUT2": (2, 1),
    "LUT3": (3, 1), "LUT4": (4, 1), "LUT5": (5, 1), "LUT6": (6, 1),
}  # fmt: skip
_LUT4_EQUIVALENTS = {5: 2, 6: 4}


@dataclass(frozen=True, kw_only=True)
class Synthesis:
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
        figures = dataclasses.asdict(self)
        del figures["netlist"], figures["module"]
        return figures

    def row(self) -> dict[str, object]:
        """The figures that compare units, by titles with units; of a library its file's name."""
        return {
            "spec": self.spec,
            "library": Path(self.library).name,
            f"area ({self.area_unit})": self.area,
            f"delay ({self.delay_unit})": self.delay,
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
    spec: Any,
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
        compared with published figures. With FPGAs ``dsp``: multiplier blocks are allowed, which
        ``fpga`` keeps from so that look-up tables compare.
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
    runs it. That of a Liberty file lacks the models of the cells, and for FPGAs there is none.

    Raises `InvalidInput` for an unknown library or recipe and for a Liberty file that will not
    do, `MissingTool` for open cells that are not installed, `ToolFailure` if yosys fails.
    """
    job = _Job(unit(spec), str(library), recipe, delay_target)
    kept = tools.cache_folder("synthesize") / f"{job.key()}.json"
    figures = cached(kept)
    if figures is None:
        figures = job.run()
        files.write_text(kept, json.dumps(figures))
    return Synthesis(
        spec=job.unit.spec, library=job.library, recipe=job.recipe, delay_target=delay_target,
        versions=tools.versions(), **figures,
    )  # fmt: skip


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
            self.scripts = [fpga_script(self.family, self.recipe)]
        else:
            names = [self.recipe] if delay_target is None else ["sized_start", "sized"]
            self.scripts = [recipe_script(name) for name in names]
        if unit.parts:
            self.scripts = [part_by_part(script, unit.name) for script in self.scripts]
        dsp = self.recipe == "dsp"
        self.verilog = verilog(unit, plain_products=True) if dsp else verilog(unit)

    def key(self) -> str:
        """A digest of everything that figures depend on, the code that reads them included."""
        parts = [self.verilog, *self.scripts, self.library, tools.versions()["yosys"]]
        if self.delay_target is not None:
            parts.append(repr(self.delay_target))
            parts += [f"{name} {steps}" for name, steps in _mappings().items()]
        content = [part.encode() for part in parts]
        content += [Path(str(m.__file__)).read_bytes() for m in (liberty, timing)]
        content += [Path(__file__).read_bytes(), cell_models().encode()]
        if self.source:
            content.append(liberty.read_bytes(self.source))
        return hashlib.sha256(b"\0".join(content)).hexdigest()[:32]

    def run(self) -> dict[str, Any]:
        """Run yosys in an empty folder and read the figures off the files it writes."""
        with tempfile.TemporaryDirectory(prefix="hwarith-") as name:
            folder = Path(name)
            (folder / "unit.v").write_text(self.verilog)
            if self.source is None:
                self._yosys(folder, self.scripts[0])
                read = _fpga_figures if self.family else _cmos_figures
                target = FPGAS[self.family] if self.family else _CMOS
                if (self.family, self.recipe) == ("ice40", "dsp"):
                    target = "Lattice iCE40 UltraPlus"  # HX has none
                return {"target": target} | read(folder)
            library = liberty.read(self.source)
            if self.library != "generic":
                _check_cells(library, self.source, self.unit)
            (folder / "library.lib").write_bytes(liberty.read_bytes(self.source))
            if self.delay_target is not None:
                return self._sized(folder, library, self.delay_target)
            self._yosys(folder, self.scripts[0])
            figures = _asic_figures(folder, library)
            return figures | _generic_units(figures) if self.library == "generic" else figures

    def _sized(self, folder: Path, library: liberty.Library, target: float) -> dict[str, Any]:
        """Size each mapping for the target and keep the smallest that meets it.

        ABC's delays are not quite those of `timing`: a mapping that nearly meets the target by the
        latter is sized once more, for a target shorter by as much as it missed.
        """
        if not library.has_tables:
            raise InvalidInput(f"Liberty file {self.source}: it has no tables of delay and slew "
                               "by load, which sizing for a delay target needs")  # fmt: skip
        text = (folder / "library.lib").read_text(errors="replace")
        (folder / "library.lib").write_text(liberty.with_single_pins(text))
        (folder / "abc.constr").write_text(
            f"set_driving_cell {library.driver.name}\n"
            f"set_load {library.output_load * library.femtofarads}\n"
        )
        start, script = self.scripts
        self._yosys(folder, start)
        found: list[dict[str, Any]] = []
        for name, steps in _mappings().items():
            for wanted in (target, None):
                wanted = wanted or target * target / found[-1]["delay"]
                picoseconds = max(1, round(wanted * library.picoseconds))
                (folder / "abc.script").write_text(steps.replace("{D}", f"-D {picoseconds}"))
                self._yosys(folder, script)
                found.append(_asic_figures(folder, library) | {"mapping": name})
                if not target < found[-1]["delay"] < _NEAR * target:
                    break
        met = [figures for figures in found if figures["delay"] <= target]
        if met:
            return min(met, key=lambda figures: (figures["area"], figures["delay"]))
        return min(found, key=lambda figures: (figures["delay"], figures["area"]))

    def _yosys(self, folder: Path, script: str) -> None:
        try:
            tools.run_yosys(script, folder)
        except ToolFailure as error:
            raise ToolFailure(f"{error} (mapping {self.unit.spec} to {self.library})") from None


def part_by_part(script: str, top: str) -> str:
    """The script for an array: its parts are mapped once each, and then put in their places.

    Scripts for FPGAs flatten by themselves, and have none of the lines that are replaced.
    """
    for whole, parts in (
        ("proc\n", f"hierarchy -top {top}\nproc\n"),
        ("flatten -noscopeinfo\nopt\nsynth -flatten\n", "opt\nsynth\n"),
        ("opt_clean\n", "opt_clean\nflatten -noscopeinfo\nopt_clean\n"),
    ):
        script = script.replace(whole, parts, 1)
    return script


def _check_recipe(library: str, recipe: str | None) -> str:
    """The recipe's name. Raises `InvalidInput` if the library has none of that name."""
    allowed = [*_OF_FPGAS] if fpga(library) else [*_OF_CELLS]
    if library == "generic":
        allowed.append("cmos")
    if recipe is not None and recipe not in allowed:
        raise unknown(f"recipe for library {library!r}", recipe, allowed)
    return recipe or allowed[0]


def _check_delay_target(library: str, target: float | None) -> float | None:
    """The target as a number. Raises `InvalidInput` if it is none, or the library has no times."""
    if target is None:
        return None
    if library == "generic" or fpga(library):
        raise InvalidInput(f"a delay target needs a Liberty file with tables, not {library!r}")
    number = isinstance(target, int | float) and not isinstance(target, bool)
    if not number or not 0 < target < math.inf:
        raise InvalidInput(f"delay target must be a positive number, not {target!r}")
    return float(target)


def fpga_script(family: str, recipe: str) -> str:
    """The yosys script of an FPGA family, without multiplier blocks (``fpga``) or with them."""
    script = recipe_script(family)
    return script.replace(*_DSP[family]) if recipe == "dsp" else script


def recipe_script(name: str) -> str:
    """The yosys script of this name in the folder ``synth``."""
    return (tools.shipped("synth") / f"{name}.ys").read_text()


def _mappings() -> dict[str, str]:
    """The steps of ABC that mapping for a delay target tries, by name."""
    return {
        path.stem: path.read_text()
        for path in sorted((tools.shipped("synth") / "abc").glob("*.abc"))
    }


def cached(path: Path) -> dict[str, Any] | None:
    """What a file of the cache holds, if it is there."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def _output(folder: Path, name: str) -> str:
    """A file that the script should have written: yosys may end early without saying so."""
    try:
        return (folder / name).read_text()
    except OSError:
        log = (folder / "yosys.log").read_text(errors="replace").strip().splitlines()
        raise ToolFailure(f"yosys wrote no {name}; its log ends: {' | '.join(log[-3:])}") from None


def _check_cells(library: liberty.Library, source: Path, u: Unit) -> None:
    """What mapping needs. Raises `InvalidInput`, where yosys would fail without a reason."""
    gates = [cell for cell in library.cells.values() if not cell.register]
    functions = {
        re.sub(r"[\s()]", "", function)
        for cell in gates if len(cell.inputs) == 1
        for function in cell.functions.values()
    }  # fmt: skip
    there = {
        "inverter": any(re.fullmatch(r"!\w+|\w+'", function) for function in functions),
        "buffer": any(re.fullmatch(r"[A-Za-z_]\w*", function) for function in functions),
        "D flip-flop": any("next_state" in cell.register for cell in library.cells.values()),
    }
    for kind in ("inverter", "buffer", *(["D flip-flop"] if u.stages else [])):
        if not there[kind]:
            raise InvalidInput(
                f"Liberty file {source}: it has no {kind}, which mapping {u.spec} needs"
            )


def _cell_types(folder: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """What ``stat`` says of the design, and its count of each type of cell."""
    stat = json.loads(_output(folder, "stat.json"))["design"]
    return stat, dict(sorted(stat.get("num_cells_by_type", {}).items()))


def mapped_module(folder: Path) -> dict[str, Any]:
    """The netlist that a script has written, in the form of yosys' JSON."""
    (module,) = json.loads(_output(folder, "netlist.json"))["modules"].values()
    return module


def _cells_and_ports(module: dict[str, Any]) -> dict[str, Any]:
    cells = [
        [cell["type"], {pin: bits[0] for pin, bits in cell["connections"].items()}]
        for cell in module["cells"].values()
    ]
    return {"ports": module["ports"], "cells": cells}


def _asic_figures(folder: Path, library: liberty.Library) -> dict[str, Any]:
    stat, types = _cell_types(folder)
    module = mapped_module(folder)
    for name in types.keys() - library.cells:
        raise ToolFailure(f"yosys left a cell {name!r} that library {library.name!r} lacks")
    registers = sum(n for name, n in types.items() if library.cells[name].register)
    area, sequential = (round(float(stat.get(key, 0)), 6) for key in ("area", "sequential_area"))
    figures = {
        "target": library.name,
        "cells": sum(types.values()) - registers,
        "flip_flops": registers,
        "area": area,
        "combinational_area": round(area - sequential, 6),
        "sequential_area": sequential,
        "area_unit": "library area",
        "cells_by_type": types,
        "netlist": _output(folder, "netlist.v"),
        "module": _cells_and_ports(mapped_module(folder)),
    }
    if path := timing.find_longest_path(module, library):
        figures |= {"delay": path.delay, "delay_unit": library.time_unit, "depth": path.depth}
        figures |= {"path_start": path.start, "path_end": path.end}
    return figures


def _generic_units(figures: dict[str, Any]) -> dict[str, Any]:
    """The units of the generic library, and its cells' models to simulate the netlist with."""
    netlist = f"{figures['netlist']}\n{cell_models()}"
    return {"area_unit": "GE", "delay_unit": "NAND2", "netlist": netlist}


def cell_models() -> str:
    """The cells of the generic library in Verilog."""
    return (tools.shipped("synth") / "generic_cells.v").read_text()


def _cmos_figures(folder: Path) -> dict[str, Any]:
    _, types = _cell_types(folder)
    gates = {name: n for name, n in types.items() if not _REGISTERS.match(name)}
    inverters = gates.get("$_NOT_", 0)
    return {
        "cells": sum(gates.values()),
        "flip_flops": sum(types.values()) - sum(gates.values()),
        "cells_by_type": types,
        "depth": _longest_topological_path(folder),
        "transistors": 2 * inverters + 4 * (sum(gates.values()) - inverters),
        "netlist": _output(folder, "netlist.v"),
        "module": _cells_and_ports(mapped_module(folder)),
    }


def _fpga_figures(folder: Path) -> dict[str, Any]:
    _, types = _cell_types(folder)
    tables: dict[int, int] = {}
    for name, (inputs, number) in _LUTS.items():
        if name in types:
            tables[inputs] = tables.get(inputs, 0) + number * types[name]
    registers = sum(n for name, n in types.items() if _REGISTERS.match(name))
    return {
        "cells": sum(types.values()) - registers,
        "flip_flops": registers,
        "cells_by_type": types,
        "depth": _longest_topological_path(folder),
        "luts": sum(tables.values()),
        "luts_by_inputs": {str(inputs): n for inputs, n in sorted(tables.items())},
        "lut4": sum(_LUT4_EQUIVALENTS.get(inputs, 1) * n for inputs, n in tables.items()),
        "carries": sum(types.get(name, 0) for name in _CARRIES),
        "dsps": sum(types.get(name, 0) for name in _DSP_BLOCKS),
    }


def _longest_topological_path(folder: Path) -> int:
    match = re.search(r"\(length=(-?\d+)\)", _output(folder, "ltp.txt"))
    if match is None:
        raise ToolFailure("yosys found no longest path")
    return max(0, int(match[1]))
