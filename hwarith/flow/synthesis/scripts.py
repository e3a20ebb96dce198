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


_STRUCTURE = "&dch"
_BUFFERED = ";buffer,-c,-N,8;topo;upsize,-I,2000,-J,200;dnsize"
_FASTER = ("&if,-g;&dch", "&b,-d;&dch")


def pipelined(script: str) -> str:
    """The script for a unit with registers: ABC is run once, by steps that keep the levels of logic
    (``synth/levels.abc``). See `by_load` for libraries with tables.

    The recipes' own steps rewrite for few nodes, on whatever path. Of one long path little is
    lost; but between registers they undo the blocks of adders and incrementers, and paths become
    longer than those of fewer stages. And yosys hands to ABC what is around the flip-flops of one
    enable as one network, for which all that comes out of another one is there at once: so ABC is
    given the gates alone.
    """
    steps = (tools.shipped("synth") / "levels.abc").read_text().splitlines()
    levels = ";".join(step.replace(" ", ",") for step in steps if not step.startswith("#"))
    cells = f"{levels};&get,-n;{_STRUCTURE};&nf;&put"
    for own, instead in (
        ("synth -flatten\n", "synth -flatten -noabc\n"),
        ("abc -g cmos2\n", f"abc -g cmos2 -script +{levels};dch;map t:$_*DFF*_ %n\n"),
        ("abc -liberty library.lib\n", f"abc -liberty library.lib -script +{cells}\n"),
    ):
        script = script.replace(own, instead, 1)
    return script


def by_load(script: str) -> list[str]:
    """The script for a unit with registers in each of the ways that a library is mapped whose
    delays depend on loads: ABC makes few levels, puts buffers where much is driven, as enables of
    registers are, and sizes gates behind a driver (``abc.constr``). Of no use to others."""
    own = f"{_STRUCTURE};&nf;&put"
    if own not in script:
        return [script]
    script = script.replace("-script +", "-constr abc.constr -script +")
    return [script.replace(own, f"{way};&nf;&put{_BUFFERED}") for way in _FASTER]


def mappings() -> dict[str, str]:
    """The steps of ABC that mapping for a delay target tries, by name."""
    return {
        path.stem: path.read_text()
        for path in sorted((tools.shipped("synth") / "abc").glob("*.abc"))
    }
