"""The interface of a unit's Verilog: its ports and their meanings, the rules of its handshake.

What `hwarith show`, the README of an exported block and ``docs/interface.md`` say of it is said
here.
"""

from __future__ import annotations

import inspect
from collections import ChainMap
from typing import NamedTuple

from .contract import Unit

HANDSHAKE = (
    "A transfer happens at a rising edge of `clk` at which valid and ready of a side are both "
    "high, and at no other moment. Between transfers data may be anything.",
    "Valid waits for nobody: `o_valid` does not depend on `o_ready`, and a source raises `i_valid` "
    "without waiting for `i_ready`.",
    "An offer stands: once `i_valid` is high, it and the operands stay as they are until the "
    "transfer; so do `o_valid` and the results. Only a reset withdraws an offer.",
    "`i_ready` depends on `o_ready` in the same clock, through logic alone, and never on "
    "`i_valid`. So `o_ready` may depend on `o_valid` and the results, but not on `i_ready`; nor "
    "may `i_valid`.",
    "Results leave in the order in which their operands entered: one for each transfer, or where "
    "a port says what a transfer is, for each that completes a result. None is lost, none comes "
    "twice.",
    "In reset `i_ready` is low and nothing is taken. After a clock of it `o_valid` is low, and "
    "what had entered is forgotten.",
)
"""The rules of valid and ready, of every unit with stages."""

IN_SHORT = (0, 1, 2, 5)
"""The rules whose first sentences say the most."""

MEANINGS = {
    "clk": "clock; everything happens at its rising edge",
    "rst": "reset: synchronous, active high, one clock is enough",
    "i_valid": "the source offers operands",
    "i_ready": "the unit takes them in this clock",
    "o_valid": "the unit offers results",
    "o_ready": "the sink takes them in this clock",
}
"""What the ports of the protocol mean."""


class Port(NamedTuple):
    """A port of a unit's Verilog.

    ``direction`` is "input" or "output", ``format`` the format of its codes (empty for ports of the
    protocol), ``meaning`` what it is, in a few words.
    """

    name: str
    direction: str
    bits: int
    format: str
    meaning: str


def ports(u: Unit) -> list[Port]:
    """All ports of a unit's module, in the order in which it has them."""
    meanings = ChainMap(*(vars(x).get("meanings", {}) for x in (u, *type(u).__mro__)))
    inputs = [
        Port(name, "input", f.bits, f.name, meanings.get(name, "operand"))
        for name, f in u.inputs.items()
    ]
    results = [
        Port(name, "output", f.bits, f.name, meanings.get(name, "result"))
        for name, f in u.results.items()
    ]
    if u.stages == 0:
        return [*inputs, *results]
    clock = [_of_protocol("clk", "input"), _of_protocol("rst", "input")]
    taking = [_of_protocol("i_valid", "input"), _of_protocol("i_ready", "output")]
    giving = [_of_protocol("o_valid", "output"), _of_protocol("o_ready", "input")]
    return [*clock, *taking, *inputs, *giving, *results]


def _of_protocol(name: str, direction: str) -> Port:
    return Port(name, direction, 1, "", MEANINGS[name])


def timing(u: Unit) -> dict[str, str]:
    """When results come and how often, by topic, in words."""
    transfers = u.transfers
    if u.stages == 0:
        return {"latency": "none, combinational", "throughput": "as fast as its logic"}
    after = "operands"
    if transfers.completes:
        name, value = transfers.completes
        after = f"the transfer with {name}={value} that completes it"
    every = "every clock" if transfers.clocks == 1 else f"every {transfers.clocks} clocks"
    blocked = "ranks that hold nothing fill" if transfers.fills else "everything stands still"
    return {
        "latency": f"{_clocks(u.stages)} from {after} to a result, if nothing blocks it",
        "throughput": f"a transfer {every}",
        "while a result waits": blocked,
    }


def handshake_in_short() -> str:
    """What a reader of the Verilog needs of `HANDSHAKE`."""
    first = (HANDSHAKE[rule].split(". ")[0].rstrip(".") for rule in IN_SHORT)
    return ". ".join(first).replace("`", "") + "."


def bits_in_words(bits: int) -> str:
    """A width, such as ``16 bits``."""
    return f"{bits} bit{'s' if bits > 1 else ''}"


def _clocks(n: int) -> str:
    return f"{n} clock{'s' if n > 1 else ''}"


def about(u: Unit) -> str:
    """The docstring of a unit's class: what it computes, at length, and its source."""
    return inspect.cleandoc(u.__doc__ or "")
