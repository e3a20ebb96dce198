"""A module with the ports of a unit around one that a user brings: names, levels and constants."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...exceptions import InvalidInput, quoted, shown, unknown
from ...formats import Format
from ...units import Unit
from ...units.interface import bits_in_words
from ..verilated import PortFound
from .sources import Sources

WRAPPER = "hwarith_check"
"""The name of the module."""

FORMS = {
    "combinational": (),
    "clocked": ("clk", "rst"),
    "stream": ("clk", "rst", "i_valid", "i_ready", "o_valid", "o_ready"),
}
"""The ports of a module beside those of data, by what kind of module it is."""

_OUTPUTS = ("i_ready", "o_valid")
_HINTS = {
    "combinational": "a module with a clock is checked with latency, one with valid and ready with "
    "stream",
    "clocked": "latency is for a module with a clock; a combinational one is checked without",
    "stream": "a combinational module is checked without stream, one with a clock and no handshake "
    "with latency",
}
_CONSTANT = re.compile(r"\d+|(?:\d+)?'[sS]?[bodhBODH][0-9a-fA-F_]+|0x[0-9a-fA-F]+", re.ASCII)


def wrapper(
    u: Unit, sources: Sources, form: str, names: Mapping[str, str], ties: Mapping[str, object]
) -> str:
    """SystemVerilog of the module `WRAPPER`: it has the ports of a unit's hardware of this `form`,
    and in it the user's module.

    Parameters
    ----------
    u : the unit.
    sources : the user's module.
    form : one of `FORMS`.
    names : the module's names of ports, by the unit's; a name with ``~`` before it is of a control
        that is active low. Others have the same name. A port ``rst`` that the module does not have
        is left out.
    ties : constants at inputs that the unit has nothing for.

    Raises `InvalidInput` for ports that are missing, or are not what they must be, and for inputs
    that nothing drives.
    """
    data = u.inputs | u.results
    wanted = [*FORMS[form], *data]
    for name in names:
        if name not in wanted:
            raise unknown(f"port of {u.spec} ({form})", name, wanted)
    connections: dict[str, str] = {}
    for name in wanted:
        given = names.get(name, name)
        theirs = given.removeprefix("~")
        if name == "rst" and name not in names and theirs not in sources.ports:
            continue
        _check_port(u, sources, form, name, theirs, data.get(name))
        if given != theirs and name in data:
            raise InvalidInput(f"check: port {name} is data and not active low: {quoted(given)}")
        if theirs in connections:
            raise InvalidInput(f"check: port {theirs} of {sources.top} is named twice")
        connections[theirs] = name
        if given != theirs:
            connections[theirs] = f"~{name}" if name not in _OUTPUTS else f"{name}_low"
    for theirs, value in ties.items():
        connections |= {theirs: _tied(sources, theirs, value, connections)}
    for theirs, port in sources.ports.items():
        if not port.bits:
            raise InvalidInput(
                f"check: port {theirs} of {sources.top} is an {port}; put a module around it whose "
                "ports are vectors"
            )
        if port.direction != "output" and theirs not in connections:
            raise InvalidInput(
                f"check: {theirs} of {sources.top} is an {port} that nothing drives; say with "
                f"ports what it is, or tie it to a constant; {_HINTS[form]}"
            )
    return _text(u, sources, form, connections)


def _check_port(
    u: Unit, sources: Sources, form: str, name: str, theirs: str, f: Format | None
) -> None:
    result = name in u.results or name in _OUTPUTS
    needed = PortFound("output" if result else "input", f.bits if f else 1)
    found = sources.ports.get(theirs)
    what = f"{name} ({f.name})" if f else name
    if found is None:
        raise InvalidInput(
            f"check: {sources.top} has no port {quoted(theirs)} for {what}; it has "
            f"{shown(', '.join(sources.ports) or 'none')}; say which it is with ports "
            f"{name}=NAME" + ("" if f else f"; {_HINTS[form]}")
        )
    if found != needed:
        raise InvalidInput(
            f"check: port {theirs} of {sources.top} must be an {needed} for {what}, not an {found}"
        )


def _tied(sources: Sources, theirs: str, value: object, connections: Mapping[str, str]) -> str:
    """A constant at an input."""
    port = sources.ports.get(theirs)
    if port is None or port.direction == "output":
        raise InvalidInput(
            f"check: {sources.top} has no input {quoted(theirs)} to tie; it has "
            + ", ".join(name for name, x in sources.ports.items() if x.direction != "output")
        )
    if theirs in connections:
        raise InvalidInput(f"check: input {theirs} of {sources.top} is tied and driven")
    text = str(value).strip()
    if not _CONSTANT.fullmatch(text):
        raise InvalidInput(
            f"check: input {theirs} is tied to a number, 0x in front if it is hexadecimal, not to "
            f"{quoted(value)}"
        )
    if "'" in text:
        return text
    number = int(text, 0 if text.startswith("0x") else 10)
    if number >> port.bits:
        raise InvalidInput(
            f"check: {text} does not fit input {theirs}, of {bits_in_words(port.bits)}"
        )
    return f"{port.bits}'h{number:x}"


def _text(u: Unit, sources: Sources, form: str, connections: Mapping[str, str]) -> str:
    declared = []
    for name in (*FORMS[form], *u.inputs, *u.results):
        f = (u.inputs | u.results).get(name)
        direction = "output" if name in _OUTPUTS or name in u.results else "input"
        declared.append(f"    {direction} wire [{f.bits - 1 if f else 0}:0] {name}")
    low = [x.removesuffix("_low") for x in connections.values() if x.endswith("_low")]
    inverted = [f"  wire {x}_low;\n  assign {x} = ~{x}_low;\n" for x in low if x in _OUTPUTS]
    of = ", ".join(f".{name}({value})" for name, value in sources.parameters.items())
    pins = ",\n".join(f"    .\\{theirs} ({ours})" for theirs, ours in connections.items())
    return (
        f"module {WRAPPER} (\n" + ",\n".join(declared) + "\n);\n" + "".join(inverted) + f"  "
        f"{sources.top} {f'#({of}) ' if of else ''}dut (\n{pins}\n  );\nendmodule\n"
    )
