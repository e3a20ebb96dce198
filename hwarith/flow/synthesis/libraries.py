"""The libraries that units are mapped to, by name: cells of a Liberty file, or an FPGA family."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ...exceptions import InvalidInput, MissingTool, quoted, shown, unknown
from .. import tools

FPGAS = {
    "xc7": "AMD/Xilinx 7 series",
    "ice40": "Lattice iCE40 HX",
    "ecp5": "Lattice ECP5",
}
"""FPGA families, and which devices each stands for."""

OTHER_NAMES = {"xilinx": "xc7"}
"""Other names of FPGA families."""

OPEN_CELLS = {
    "osu018": "osu018/osu018_stdcells.lib",
    "osu035": "osu035/osu035_stdcells.lib",
    "osu050": "osu050/osu05_stdcells.lib",
}
"""Oklahoma State University's open cells of 0.18, 0.35 and 0.5 µm: files of Debian's packages
``qflow-tech-osu018``, ``qflow-tech-osu035`` and ``qflow-tech-osu050``."""

NAMES = ("generic", *FPGAS, *OPEN_CELLS)
"""What a library may be called; else it is the path of a Liberty file."""

_QFLOW = Path("/usr/share/qflow/tech")


def fpga(library: str) -> str | None:
    """The FPGA family of this name; None if it is of no FPGA."""
    family = OTHER_NAMES.get(library, library)
    return family if family in FPGAS else None


def liberty_file(library: str) -> Path:
    """The Liberty file of a library that is no FPGA: the one that is named, or its path.

    Raises `InvalidInput` for a name or path that there is not, and `MissingTool` for open cells
    that are not installed.
    """
    if library == "generic":
        return tools.shipped("synth") / "generic.lib"
    if library in OPEN_CELLS:
        path = _QFLOW / OPEN_CELLS[library]
        if not path.is_file():
            raise MissingTool(
                f"library {quoted(library)} is not installed ({shown(path)}); "
                f"on Debian: apt install qflow-tech-{library}"
            )
        return path
    path = Path(library)
    if os.path.isfile(path):  # False also for a name that cannot be one
        return path
    if re.fullmatch(r"\w+", library):
        raise unknown("library", library, [*NAMES, "the path of a Liberty file"])
    raise InvalidInput(f"Liberty file {shown(path)} is not there, or is no file")
