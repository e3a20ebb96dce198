"""Place and route with nextpnr: the clock that a unit reaches on an FPGA."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...exceptions import InvalidInput, ToolFailure, quoted, shown, unknown
from ...extras import require
from ...tables import Table, Tabled, quantity
from ...temporary import temporary_folder
from ...units import Unit, unit
from .. import packaged, processes, tools
from ..verilog import verilog
from .scripts import fpga_script

_ECP5_OPTIONS = "--85k --package CABGA756 --speed 6 --lpf-allow-unconstrained"

# The device for each library and recipe, and nextpnr's options for it.
_DEVICES = {
    ("ice40", "fpga"): ("iCE40 HX8K, ct256", "--hx8k --package ct256"),
    ("ice40", "dsp"): ("iCE40 UP5K, sg48", "--up5k --package sg48"),
    ("ecp5", "fpga"): ("LFE5U-85F-6, CABGA756", _ECP5_OPTIONS),
    ("ecp5", "dsp"): ("LFE5U-85F-6, CABGA756", _ECP5_OPTIONS),
}

_TARGET = 1000
"""The clock that nextpnr is asked for, in MHz: more than it can reach."""


@dataclass(frozen=True, kw_only=True)
class PlaceAndRoute(Tabled):
    """What `place_and_route` found.

    Attributes
    ----------
    spec, library, recipe, seed : as they were given.
    device : what it was routed on.
    fmax : the fastest clock, in MHz.
    period : of that clock, in ns.
    versions : versions of hwarith, the tools and the libraries, and of nextpnr.
    """

    spec: str
    library: str
    recipe: str
    seed: int
    device: str
    fmax: float
    period: float
    versions: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """All figures for JSON."""
        return dataclasses.asdict(self)

    def tables(self) -> list[Table]:
        """Its clock."""
        return [Table([{"spec": self.spec, "library": self.library} | self.row()])]

    def row(self) -> dict[str, object]:
        """The clock and what reaches it, by titles with units: more of a row of `Synthesis`."""
        return quantity("Fmax", self.fmax, "MHz") | {"device": self.device}


def place_and_route(
    spec: Unit | str, library: str = "ice40", recipe: str | None = None, seed: int = 1
) -> PlaceAndRoute:
    """Place and route a unit (or its spec) between registers, for the fastest clock.

    Operands come from registers and results go into registers, which are chained to one pin each,
    so that no pin and no pin's delay limits the unit. Needs hwarith's extra ``pnr``.

    Parameters
    ----------
    library : ``ice40`` or ``ecp5``.
    recipe : as of `synthesize`: ``fpga``, or ``dsp`` with multiplier blocks.
    seed : of nextpnr's placement. The clock varies by 5 % and more between seeds.

    Raises `InvalidInput` for another library or recipe, `MissingTool` without nextpnr, and
    `ToolFailure` if yosys or nextpnr fails, as it does if the unit does not fit the device.
    """
    u = unit(spec)
    if library not in ("ice40", "ecp5"):
        raise unknown("library to place and route on", library, ["ice40", "ecp5"])
    recipe = recipe or "fpga"
    if (library, recipe) not in _DEVICES:
        raise unknown(f"recipe for library {quoted(library)}", recipe, ["fpga", "dsp"])
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InvalidInput(f"seed must be an integer from 0 on, not {quoted(seed)}")
    package = f"yowasp_nextpnr_{library}"
    require(package, "place and route")
    device, options = _DEVICES[library, recipe]
    with temporary_folder() as folder:
        text = verilog(u, dsp=recipe == "dsp")
        (folder / "unit.v").write_text(text + _between_registers(u))
        script = fpga_script(library, recipe).replace("proc\n", "hierarchy -top top\nproc\n", 1)
        tools.run_yosys(f"{script}write_json top.json\n", folder)
        fmax = _nextpnr(folder, library, [*options.split(), "--seed", str(seed)], u)
    return PlaceAndRoute(
        spec=u.spec,
        library=library,
        recipe=recipe,
        seed=seed,
        device=device,
        fmax=fmax,
        period=round(1000 / fmax, 3),
        versions=tools.versions() | {"nextpnr": _version(package)},
    )


def _between_registers(u: Unit) -> str:
    """A module `top` with a chain of registers into the unit's inputs, and another one that takes
    up its outputs (by exclusive or, behind registers of their own, so that all of them are used).
    """
    inputs = {name: f.bits for name, f in u.inputs.items()}
    outputs = {name: f.bits for name, f in u.results.items()}
    if u.stages:
        inputs |= {"rst": 1, "i_valid": 1, "o_ready": 1}
        outputs |= {"i_ready": 1, "o_valid": 1}
    n, m = sum(inputs.values()), sum(outputs.values())
    pins = [".clk(clk)"] if u.stages else []
    for ports, wires in ((inputs, "into"), (outputs, "out")):
        low = 0
        for port, bits in ports.items():
            pins.append(f".{port}({wires}[{low + bits - 1}:{low}])")
            low += bits
    return f"""
module top(input clk, input first, output reg last);
  reg [{n - 1}:0] into;
  wire [{m - 1}:0] out;
  reg [{m - 1}:0] taken, chain;
  {u.name} unit({", ".join(pins)});
  always @(posedge clk) begin
    into <= {{into, first}};
    taken <= out;
    chain <= {{chain, 1'b0}} ^ taken;
    last <= chain[{m - 1}];
  end
endmodule
"""


def _nextpnr(folder: Path, library: str, options: list[str], u: Unit) -> float:
    """The fastest clock of top.json, in MHz."""
    name = f"nextpnr_{library}"
    command = [*packaged.command(name), "--json", "top.json", "--freq", str(_TARGET)]
    command += [*options, "--timing-allow-fail", "--report", "report.json", "--quiet"]
    try:
        packaged.prepare(name)
        processes.run(command, folder, what="nextpnr")
        clocks = json.loads((folder / "report.json").read_text())["fmax"]
    except (ToolFailure, OSError, ValueError, KeyError) as error:
        raise ToolFailure(f"{error} (place and route of {u.spec} on {shown(library)})") from None
    if len(clocks) != 1:
        raise ToolFailure(f"nextpnr reports {len(clocks)} clocks of {u.spec} instead of one")
    (clock,) = clocks.values()
    return round(clock["achieved"], 2)


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)
