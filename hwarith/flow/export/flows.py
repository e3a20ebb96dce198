"""Descriptions of a block for the tools that build chips of it: filelists, FuseSoC, LibreLane and
SiliconCompiler."""

from __future__ import annotations

import json

from ...version import release
from .block import Block
from .templates import filled

GENERATOR_VLNV = f"hwarith:tools:generator:{release()}"


def flows(block: Block) -> dict[str, str]:
    """The descriptions, by their files' names."""
    names = {"name": block.name, "rtl": block.rtl, "constraints": block.constraints}
    return {
        f"{block.name}.f": _filelist(block.sources),
        f"{block.name}_tb.f": _filelist([block.rtl, block.testbench]),
        f"{block.name}.core": core(block, f"hwarith:units:{block.name}:{release()}"),
        "librelane/config.json": json.dumps(librelane(block), indent=2) + "\n",
        "siliconcompiler/build.py": filled("siliconcompiler.py.in", **names),
    }


def _filelist(files: list[str]) -> str:
    return "".join(f"{file}\n" for file in files)


def core(block: Block, vlnv: str) -> str:
    """The FuseSoC core (CAPI2) of this name."""
    files = [block.codes(port) for port in [*block.inputs, *block.results]]
    return filled(
        "core.core",
        spec=block.unit.spec,
        vlnv=vlnv,
        name=block.name,
        summary=json.dumps(block.unit.summary),
        sources="\n".join(f"      - {source}" for source in block.sources),
        constraints=block.constraints,
        testbench=block.testbench,
        vectors="\n".join(f"      - {x}: {{file_type: user, copyto: {x}}}" for x in files),
        lint=f"{block.name}_axis" if block.has_axis else block.name,
        apart=", -Wno-DECLFILENAME" if block.unit.parts else "",
    )


def librelane(block: Block) -> dict[str, object]:
    """The configuration of LibreLane's flow Classic."""
    sdc = f"dir::../{block.constraints}"
    clocked = {"CLOCK_PORT": "clk"} if block.unit.stages else {"CLOCK_PORT": None, "RUN_CTS": False}
    return {
        "meta": {"version": 2, "flow": "Classic"},
        "DESIGN_NAME": block.name,
        "VERILOG_FILES": [f"dir::../{block.rtl}"],
        **clocked,
        "CLOCK_PERIOD": block.period,
        "PNR_SDC_FILE": sdc,
        "SIGNOFF_SDC_FILE": sdc,
    }


def generator_core() -> dict[str, str]:
    """The FuseSoC core by which other cores name a spec, and the script that it runs."""
    return {
        "hwarith_generator.core": filled("generator.core", vlnv=GENERATOR_VLNV),
        "hwarith_generator.py": filled("hwarith_generator.py.in"),
    }
