"""The yosys scripts that map units: files of the folder ``synth``, and what is changed in them."""

from __future__ import annotations

from .. import tools

# How the script of an FPGA family keeps from its multiplier blocks, and how it would not.
_WITH_MULTIPLIER_BLOCKS = {
    "xc7": (" -nodsp", ""),
    "ecp5": (" -nodsp", ""),
    "ice40": ("synth_ice40", "synth_ice40 -dsp -device u"),
}


def recipe_script(name: str) -> str:
    """The yosys script of this name in the folder ``synth``."""
    return (tools.shipped("synth") / f"{name}.ys").read_text()


def fpga_script(family: str, recipe: str) -> str:
    """The yosys script of an FPGA family, without multiplier blocks (``fpga``) or with them."""
    script = recipe_script(family)
    return script.replace(*_WITH_MULTIPLIER_BLOCKS[family]) if recipe == "dsp" else script


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


def mappings() -> dict[str, str]:
    """The steps of ABC that mapping for a delay target tries, by name."""
    return {
        path.stem: path.read_text()
        for path in sorted((tools.shipped("synth") / "abc").glob("*.abc"))
    }
