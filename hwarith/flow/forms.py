"""The forms that a unit's Verilog can have: names, reset, clock enable, tags, SystemVerilog."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .. import rtl
from ..exceptions import InvalidInput, quoted, unknown
from ..units import Unit
from ..units.interface import Port, ports

RESETS = ("sync", "async", "none")

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)

TAG_BITS = 64
"""Bits of the widest tag."""


@dataclass(frozen=True)
class Form:
    """How a unit's Verilog is written. Results and latency are the same in every form.

    Parameters
    ----------
    name : of the module; without it, the unit's own.
    prefix : what all names of modules begin with.
    dsp : leave products of significands and integers as a ``*``, for the multiplier blocks of
        FPGAs, and do not make them of partial products.
    sv : SystemVerilog: ``logic`` and ``always_ff``, and before the module a package with a
        structure and the constants of each format.
    reset : ``sync``, ``async``, or ``none``: no reset; registers that need one have an initial
        value, as FPGAs load it.
    active_low : the reset is called ``rst_n``, and resets where it is low.
    enable : with a clock enable ``en``: where it is low an edge of the clock changes nothing.
    registered : ``i_ready`` comes from registers and does not depend on ``o_ready``: behind the
        unit a result can wait (a skid buffer). It costs no clock.
    tag : so many bits that travel with the operands, ``i_tag`` to ``o_tag``.

    Raises `InvalidInput` for values that are not allowed, or that contradict each other.
    """

    name: str = ""
    prefix: str = ""
    dsp: bool = False
    sv: bool = False
    reset: str = "sync"
    active_low: bool = False
    enable: bool = False
    registered: bool = False
    tag: int = 0

    def __post_init__(self) -> None:
        for option in ("name", "prefix"):
            text = getattr(self, option)
            if text and (not _IDENTIFIER.fullmatch(text) or text in rtl.KEYWORDS):
                raise InvalidInput(
                    f"{option} {quoted(text)} must be letters, digits and underscores, a letter or "
                    "underscore first, and no keyword of Verilog or SystemVerilog"
                )
        if self.reset not in RESETS:
            raise unknown("reset", self.reset, RESETS)
        if self.active_low and self.reset == "none":
            raise InvalidInput("reset none has no level: give no active level, or another reset")
        if not 0 <= self.tag <= TAG_BITS:
            raise InvalidInput(f"tag must be 0 to {TAG_BITS} bits, not {quoted(self.tag)}")

    def check(self, u: Unit) -> None:
        """Raise `InvalidInput` for a unit that there is not in this form."""
        streamed = {
            "reset": self.reset != "sync",
            "active_low": self.active_low,
            "enable": self.enable,
            "registered": self.registered,
            "tag": self.tag > 0,
        }
        for option, given in streamed.items():
            if given and not u.stages:
                raise InvalidInput(
                    f"{u.spec} is combinational; {option} is for units with stages, such as "
                    "stages=1"
                )
        if self.tag and not u.is_pipeline:
            raise InvalidInput(
                f"{u.spec} is no pipeline with a result for each transfer, "
                "which tags travel through"
            )
        if u.parts and (self.enable or self.reset == "none"):
            what = "a clock enable" if self.enable else "registers without a reset"
            raise InvalidInput(f"{u.spec} is made of modules; there are none with {what}")
        added = {"en": self.enable, "rst_n": self.active_low}
        added |= dict.fromkeys(("i_tag", "o_tag"), self.tag > 0)
        for port, given in added.items():
            if given and port in u.inputs | u.results:
                raise InvalidInput(f"{u.spec} has a port {port} of its own")

    def ports(self, u: Unit) -> list[Port]:
        """All ports of a unit's module in this form."""
        found: list[Port] = []
        for port in ports(u):
            if port.name == "rst":
                found += self._reset_ports()
            elif port.name == "o_valid" and self.tag:
                found += [Port("i_tag", "input", self.tag, "", "travels with the operands"), port]
            else:
                found.append(port)
        if self.tag:
            found.append(Port("o_tag", "output", self.tag, "", "i_tag of the result's operands"))
        return found

    def _reset_ports(self) -> list[Port]:
        reset = rtl.Reset(self.reset, self.active_low)
        how = "asynchronous" if self.reset == "async" else "synchronous"
        level = "low" if self.active_low else "high"
        meaning = f"reset: {how}, active {level}, one clock is enough"
        enable = "where it is low an edge of clk changes nothing but for a reset"
        return [
            *([Port(reset.port, "input", 1, "", meaning)] if reset.port else []),
            *([Port("en", "input", 1, "", enable)] if self.enable else []),
        ]

    def module(self, u: Unit) -> str:
        """The name of the module."""
        return self.prefix + (self.name or u.name)
