"""Verilog that a user brings: read as one text, with the ports of its top module."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...exceptions import InvalidInput, ToolFailure, listed, quoted, shown
from ...files import write_text
from ...temporary import temporary_folder
from .. import processes, tools
from ..verilated import PortFound, ports_of_header

_ERROR = re.compile(
    r"%Error(?:-\w+)?: (?:(?P<place>(?P<file>.+?):(?P<line>\d+):\d+): )?(?P<what>.*)"
)
_NOTHING = re.compile(r"Exiting due to|Command Failed")
_NO_TOP = re.compile(r"Specified --top-module '.*' was not found")
_NO_PARAMETER = re.compile(r"Parameters from the command line were not found in the design: (.*)")
_MODULE = re.compile(r"^\s*module\s+(?:automatic\s+|static\s+)?(\w+)", re.MULTILINE)
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_VALUE = re.compile(
    r"-?\d+(?:\.\d+)?|-?(?:\d+)?'[sS]?[bodhBODH][0-9a-fA-F_]+|\"[^\"\\\n]*\"", re.ASCII
)

_MOST_MODULES = 20
"""Names of modules that a message lists."""

_SECONDS = 300
"""That Verilator may take to read the files; parameters may ask for hardware without end."""

_FLAGS = ("-Wno-fatal", "-Wno-lint", "-Wno-style", "--no-timing")


@dataclass(frozen=True)
class Sources:
    """What `read_sources` found.

    Attributes
    ----------
    top : the module.
    parameters : what it is given, as Verilog writes it.
    text : all of the files, without directives but those that say where a line stood.
    ports : what each port of the module is, by name.
    """

    top: str
    parameters: dict[str, str]
    text: str
    ports: dict[str, PortFound]


def read_sources(
    files: Sequence[Path | str], top: str, parameters: Mapping[str, object]
) -> Sources:
    """Verilog and SystemVerilog, as Verilator reads it: the files in this order, and what they
    include, which is looked for beside them.

    Raises `InvalidInput` for files that are missing or that cannot be read, naming file and line,
    for a module that is not there, and for parameters that it does not have.
    """
    paths = {str(Path(file).absolute()): str(file) for file in files}
    if not paths:
        raise InvalidInput("check: name at least one file")
    for path, given in paths.items():
        _check_file(Path(path), given)
    if not isinstance(top, str) or not _IDENTIFIER.fullmatch(top):
        raise InvalidInput(f"check: top must be the name of a module, not {quoted(top)}")
    values = {name: _value(name, value) for name, value in parameters.items()}
    folders = dict.fromkeys(f"+incdir+{Path(path).parent}" for path in paths)
    with temporary_folder() as folder:
        text = _verilator(["-E", *folders, *paths], folder, paths)
        write_text(folder / "text.sv", text)
        settings = [f"-G{name}={value}" for name, value in values.items()]
        names = ["--cc", "--prefix", "Vtop", "-Mdir", "."]
        try:
            _verilator([*names, "--top-module", top, *settings, "text.sv"], folder, paths)
        except InvalidInput as error:
            raise _no_such(str(error), top, text) from None
        ports = ports_of_header((folder / "Vtop.h").read_text())
    return Sources(top, values, text, ports)


def _check_file(path: Path, given: str) -> None:
    if "\0" in given or "\n" in given:
        raise InvalidInput(f"check: {quoted(given)} is no name of a file that Verilator takes")
    if not path.exists():
        raise InvalidInput(f"check: there is no file {shown(given)}")
    if not path.is_file():
        raise InvalidInput(f"check: {shown(given)} is no file")
    if not os.access(path, os.R_OK):
        raise InvalidInput(f"check: {shown(given)} cannot be read")


def _value(name: str, value: object) -> str:
    """The value of a parameter as Verilog writes it."""
    if not _IDENTIFIER.fullmatch(name):
        raise InvalidInput(f"check: parameter {quoted(name)} is no name of Verilog")
    text = str(int(value)) if isinstance(value, bool | int) else str(value).strip()
    if _VALUE.fullmatch(text):
        return text
    raise InvalidInput(
        f"check: parameter {name} must be a number as Verilog writes it, or a text in double "
        f"quotation marks, not {quoted(value)}"
    )


def _verilator(arguments: list[str], folder: Path, paths: Mapping[str, str]) -> str:
    """What Verilator prints. Raises `InvalidInput` with its first complaint about the files."""
    command, env = tools.verilator()
    log = folder / "verilator.log"
    try:
        done = processes.run(
            [command, *_FLAGS, *arguments], folder, env, "verilator", log, _SECONDS
        )
        return done.stdout
    except ToolFailure:
        said = log.read_text(errors="replace") if log.exists() else ""
        complaint = first_complaint(said, paths)
        if complaint is None:
            raise
        raise InvalidInput(complaint) from None


def first_complaint(log: str, paths: Mapping[str, str]) -> str | None:
    """Verilator's first error in a line, with the file as the user named it, and how many more
    there are; None if it names none."""
    found = [match for match in _ERROR.finditer(log) if not _NOTHING.match(match["what"])]
    if not found:
        return None
    first = found[0]
    file = paths.get(first["file"] or "", first["file"])
    where = f"{shown(file)}, line {first['line']}: " if first["place"] else ""
    more = len(found) - 1
    others = f" (and {more} more error{'s' * (more > 1)})" if more else ""
    return f"{where}{shown(first['what'], 300)}{others}"


def _no_such(complaint: str, top: str, text: str) -> InvalidInput:
    """The complaint; of a missing module or parameter in words of its own."""
    modules = list(dict.fromkeys(_MODULE.findall(text)))
    if _NO_TOP.match(complaint):
        names = listed(modules[:_MOST_MODULES]) + ", ..." * (len(modules) > _MOST_MODULES)
        there = f"there are {names}" if modules else "they have none"
        return InvalidInput(f"check: no module {quoted(top)} in the files; {there}")
    if match := _NO_PARAMETER.match(complaint):
        return InvalidInput(f"check: {top} has no parameter {shown(match[1])}")
    return InvalidInput(complaint)
