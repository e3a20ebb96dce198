"""A unit as an IP block: a folder with all that a user's flow needs beside its Verilog."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from ... import files
from ...exceptions import InvalidInput, listed, quoted, shown, unknown
from ...temporary import partial
from ...units import Unit, unit
from ..checks import MOST_SEED, check_integer
from ..forms import Form
from ..tools import shipped
from ..vectors import vectors as vectors_of
from ..verilog import verilog
from . import axis, constraints, flows, readme, testbench
from .benches import benches
from .block import Block

MOST_VECTORS = 100_000
LONGEST_PERIOD = 1e6

FORMS = ("name", "prefix", "dsp", "registered", "reset")
"""What can be said of the Verilog of a block (`Form`), as its ports remain what they are."""

BLOCK_RESETS = ("sync", "async")


def export(
    spec: Unit | str,
    folder: Path | str,
    *,
    period: float = 10,
    vectors: int = 1000,
    seed: int = 1,
    axi_stream: bool | None = None,
    force: bool = False,
    **form: Any,
) -> list[Path]:
    """Write a unit (or the one of a spec) as an IP block to a folder, and give its files.

    The folder gets the Verilog, an AXI4-Stream wrapper around it, a testbench in plain Verilog with
    vectors, testbenches for cocotb, constraints (SDC), filelists, a FuseSoC core, scripts for
    yosys, OpenSTA, LibreLane and SiliconCompiler, and a README that says what is what.

    Parameters
    ----------
    spec : the unit, or its spec.
    folder : where to; it is made, whole or not at all.
    period : of the clock, in ns, above 0 and up to 1,000,000.
    vectors : results that the testbench compares (`hwarith.vectors`), 1 to 100,000.
    seed : of the vectors and the pauses, 0 to 2^32 - 1.
    axi_stream : whether there is a wrapper; without it, if the unit has stages.
    force : write into a folder that has other files; those of the same names are replaced.
    form : of the Verilog, what `Form` has and leaves the ports as they are: ``name``, ``prefix``,
        ``dsp``, ``registered``, and ``reset``, which may be ``sync`` or ``async``.

    Raises `InvalidInput` for a wrong spec, number or form, for a wrapper around a unit without
    stages, and without `force` for a folder with files that are not, byte for byte, those to be
    written.
    """
    texts = block_files(block_of(spec, period, vectors, seed, axi_stream, form))
    return write(Path(folder), texts, force)


def block_of(
    spec: Unit | str,
    period: float,
    vectors: int,
    seed: int,
    axi_stream: bool | None,
    form: dict[str, Any],
) -> Block:
    """What is exported of a unit. Raises `InvalidInput`, see `export`."""
    u = unit(spec)
    if isinstance(period, bool) or not isinstance(period, int | float):
        raise InvalidInput(f"export: period must be a number of ns, not {quoted(period)}")
    if not 0 < period <= LONGEST_PERIOD:
        raise InvalidInput(
            f"export: period must be above 0 and up to {LONGEST_PERIOD:,.0f} ns, "
            f"not {quoted(period)}"
        )
    check_integer("export: vectors", vectors, 1, MOST_VECTORS)
    check_integer("export: seed", seed, 0, MOST_SEED)
    if axi_stream and not u.stages:
        raise InvalidInput(
            f"export: {u.spec} is combinational and has no handshake to wrap as AXI4-Stream; give "
            "it registers: stages=1 or more"
        )
    wrapped = bool(u.stages) if axi_stream is None else axi_stream
    _check_form(form)
    text = verilog(u, **form)
    return Block(u, Form(**form), text, period, vectors_of(u, vectors, seed), wrapped)


def _check_form(form: dict[str, Any]) -> None:
    """Raise `InvalidInput` for a form whose ports testbenches and wrapper do not have."""
    for option in form:
        if option not in FORMS:
            raise unknown("export: option of the Verilog", option, FORMS)
    if form.get("reset", "sync") not in BLOCK_RESETS:
        raise unknown("export: reset", form["reset"], BLOCK_RESETS)


def block_files(block: Block) -> dict[str, str]:
    """The texts of all files of a block, by their names from its folder on."""
    texts = {
        "README.md": readme.readme(block),
        block.rtl: block.verilog,
        block.testbench: testbench.testbench(block),
        block.constraints: constraints.sdc(block),
        "liberty/hwarith_generic.lib": (shipped("synth") / "generic.lib").read_text(),
    }
    if block.has_axis:
        texts[block.axis] = axis.wrapper(block)
    more = (testbench.vectors, benches, constraints.scripts, flows.flows)
    for part in more:
        texts |= part(block)
    return texts


def write(folder: Path, texts: dict[str, str], force: bool = False) -> list[Path]:
    """Write texts as the files of a folder, and give their paths: all, or none of them.

    A new folder appears with all of them in it. Into one that is there they are moved when all are
    written, and only if its files are the same, or with `force`. Raises `InvalidInput`.
    """
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"output folder {shown(folder)} is a file")
    there = folder.is_dir()
    if there and not force:
        _check_own(folder, texts)
    unfinished = partial(files.output_folder(folder if there else folder.absolute().parent))
    try:
        _write_all(unfinished, texts)
        if there:
            _move_all(unfinished, folder, texts)
        else:
            unfinished.rename(folder)
    except OSError as error:
        raise InvalidInput(
            f"output folder {shown(folder)} cannot be written: {error.strerror}"
        ) from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return [folder / name for name in texts]


def _write_all(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        files.output_folder((folder / name).parent)
        files.write_text(folder / name, text)


def _move_all(source: Path, folder: Path, texts: dict[str, str]) -> None:
    for name in texts:
        files.output_folder((folder / name).parent)
        (source / name).replace(folder / name)


def _check_own(folder: Path, texts: dict[str, str]) -> None:
    """Raise `InvalidInput` if a folder has a file that is not the one to be written."""
    others = [
        name
        for path in sorted(folder.rglob("*"))
        if not path.is_dir() or path.is_symlink()
        if not _is(path, texts.get(name := path.relative_to(folder).as_posix()))
    ]
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise InvalidInput(
            f"output folder {shown(folder)} has files that are not those to be written: "
            f"{listed(others[:3])}{more}; give another folder, or --force to write beside them and "
            "over those of the same names"
        )


def _is(path: Path, text: str | None) -> bool:
    return text is not None and not path.is_symlink() and path.read_bytes() == text.encode()
