"""Proofs of units side by side: of each lane that it is the unit, whatever the other lanes get."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...units.lanes import Lanes
from . import pipeline
from .result import Proof
from .specification import replayed
from .terms import Term, Terms

Module = dict[str, Any]
"""A module as yosys writes it in JSON."""

OTHERS = "others_"
"""Before the name of a port, that of the codes which other lanes get there."""


def of_each_lane(u: Lanes, module: Module) -> Iterator[Module]:
    """The module of all lanes as that of each: its ports are those of the unit, with the bits of
    the lane, and what other lanes get comes in by ports of its own; its wires lose the number of
    the lane. What is proved of it holds whatever comes in there."""
    for lane in range(u.lanes):
        ports: dict[str, Any] = {}
        for name, port in module["ports"].items():
            if name not in u.lane_formats:
                ports[name] = port
                continue
            f, _ = u.lane_formats[name]
            low, high = lane * f.bits, (lane + 1) * f.bits
            bits = port["bits"]
            ports[name] = port | {"bits": bits[low:high]}
            if port["direction"] == "input":
                ports[OTHERS + name] = port | {"bits": bits[:low] + bits[high:]}
        own = f"lane{lane}_"
        names = {n.removeprefix(own): w for n, w in module["netnames"].items()}
        yield module | {"ports": ports, "netnames": names}


def inputs(u: Lanes, terms: Terms) -> dict[str, Term]:
    """The inputs of such a module, as variables."""
    widths = {name: f.bits for name, f in u.one.inputs.items()}
    widths |= {
        OTHERS + name: (u.lanes - 1) * f.bits
        for name, (f, _) in u.lane_formats.items()
        if name in widths
    }
    widths |= dict.fromkeys(pipeline.CONTROLS, 1) if u.stages else {}
    return {name: terms.variable(name, bits) for name, bits in widths.items()}


def of_all(u: Lanes, proofs: Iterable[Proof]) -> Proof:
    """The verdict on all lanes, of those on each: that of the first one that is not proven."""
    cases = 0
    for lane, found in enumerate(proofs):
        cases += found.cases
        if found.verdict == "refuted":
            given, golden, rtl = _of_ports(u, lane, found.counterexample, found.rtl)
            found = replace(found, counterexample=given, golden=golden, rtl=rtl)
        if found.verdict != "proven":
            break
    return replace(found, spec=u.spec, cases=cases)


def _of_ports(
    u: Lanes, lane: int, given: Mapping[str, int], found: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Codes at all ports for those of a lane and of the ports of others; what the golden model
    gives for them, and what the circuit does, of whose other lanes nothing else is known."""
    codes = {name: x for name, x in given.items() if not name.startswith(OTHERS)}
    for name, (f, _) in u.lane_formats.items():
        if name in codes:
            place, rest = lane * f.bits, given.get(OTHERS + name, 0)
            below = rest & ((1 << place) - 1)
            codes[name] = below | codes[name] << place | (rest >> place) << (place + f.bits)
    golden = replayed(u, codes)
    rtl = dict(golden)
    for name, code in found.items():
        f, _ = u.lane_formats[name]
        of_lane = ((1 << f.bits) - 1) << lane * f.bits
        rtl[name] = (rtl[name] & ~of_lane) | code << lane * f.bits
    return codes, golden, rtl
