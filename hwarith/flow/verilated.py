"""What all that simulators compile shares: a key for the cache, a check of the ports."""

from __future__ import annotations

import hashlib
import platform
import re
from functools import cache
from typing import NamedTuple

from ..exceptions import InvalidInput
from ..units import Unit
from ..units.interface import bits_in_words, ports
from . import keys, processes, tools

SIMULATORS = ("verilator", "icarus")

WITHOUT_FAULTY = "-fno-dfg-peephole-replace-extend"
"""Turns off an optimization with which Verilator 5.048 gives wrong results (a multiply-add of mixed
8-bit formats in three stages: 1,850 of 16,384)."""

_HEADER_PORT = re.compile(r"VL_(INOUT|IN|OUT)(?:8|16|64|W)?\(&(\w+),(\d+),(\d+)")
_UNPACKED = re.compile(r"VlUnpacked<.*> &(\w+);")
_ESCAPED = re.compile(r"__0([0-9A-Fa-f]{2})")
_VVP_PORT = re.compile(r"\.port_info \d+ /(INOUT|INPUT|OUTPUT) (\d+) \"(\w+)\"")

_KINDS = {"IN": "input", "OUT": "output", "INOUT": "inout"}


@cache
def toolchain() -> tuple[str, ...]:
    """What, besides its sources, a compiled model depends on: versions and the machine's type.

    Raises `MissingTool` without perl, make or g++.
    """
    command, env = tools.verilator()
    return (
        processes.said([command, "--version"], env),
        processes.said(["g++", "--version"]),
        platform.machine(),
    )


@cache
def icarus() -> tuple[str, ...]:
    """The same of what Icarus Verilog compiles. Raises `MissingTool` without it."""
    path = tools.icarus()
    return path, processes.said([path, "-V"]).splitlines()[0], platform.machine()


def cache_key(module: str, *texts: str, simulator: str = "verilator") -> str:
    """A short name for what a module compiles of these texts with this machine's tools."""
    with_tools = {"verilator": toolchain, "icarus": icarus}[simulator]
    parts = [keys.code(module), *with_tools(), *texts]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


def required_ports(unit: Unit) -> dict[str, str]:
    """What each port of a unit is, by name: ``input of 8 bits``."""
    return {port.name: _described(port.direction, port.bits) for port in ports(unit)}


def check_ports(compiled: str, unit: Unit, simulator: str = "verilator") -> None:
    """Compare the ports of a module, in what a simulator made of it, with a unit's: in the C++
    header of Verilator, or the ``.vvp`` file of Icarus.

    Raises `InvalidInput`, naming the first port that is missing, or is not what it must be, or
    that the unit does not have.
    """
    found = {"verilator": _of_header, "icarus": _of_vvp}[simulator](compiled, unit)
    required = required_ports(unit)
    for name in required | found:
        if found.get(name) != required.get(name):
            raise InvalidInput(
                f"verilog for {unit.spec}: port {name} must be {_or_absent(required.get(name))}, "
                f"not {_or_absent(found.get(name))}; ports of {unit.name}: {', '.join(required)}"
            )


class PortFound(NamedTuple):
    """What a port of a module is: ``input``, ``output``, ``inout`` or ``unpacked array``, and how
    many bits."""

    direction: str
    bits: int

    def __str__(self) -> str:
        return _described(self.direction, self.bits) if self.bits else self.direction


def ports_of_header(header: str) -> dict[str, PortFound]:
    """The ports of a module by name, of the C++ header that Verilator makes of it."""
    found = {
        _as_written(name): PortFound(_KINDS[kind], int(high) - int(low) + 1)
        for kind, name, high, low in _HEADER_PORT.findall(header)
    }
    return found | {
        _as_written(name): PortFound("unpacked array", 0) for name in _UNPACKED.findall(header)
    }


def _as_written(name: str) -> str:
    """The name that Verilog has for a name of Verilator's C++."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), name.removeprefix("__SYM__"))


def _of_header(header: str, unit: Unit) -> dict[str, str]:
    return {name: str(port) for name, port in ports_of_header(header).items()}


def _of_vvp(text: str, unit: Unit) -> dict[str, str]:
    """The ports that follow the scope of the module itself."""
    _, _, behind = text.partition(f'.scope module, "{unit.name}" "{unit.name}"')
    of_module, _, _ = behind.partition(".scope ")
    return {
        name: _described(kind.lower(), int(bits))
        for kind, bits, name in _VVP_PORT.findall(of_module)
    }


def _described(direction: str, bits: int) -> str:
    return f"{direction} of {bits_in_words(bits)}"


def _or_absent(description: str | None) -> str:
    return f"an {description}" if description else "absent"
