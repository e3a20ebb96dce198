"""The handshake of a unit as a picture in text: a few transfers, and a sink that makes one wait."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .contract import Unit

MOST_STAGES = 20
"""A picture of more would be too wide."""


class _Transfer(NamedTuple):
    """A transfer: its label, and that of the result that it completes, if it does."""

    label: str
    result: str | None


def waveform(u: Unit) -> str:
    """Signals of a unit, a line each, clock by clock: two results, the first of which waits.

    Operands that stand in a column are taken at the rising edge that ends it if both valid and
    ready are high in it. Nothing for a unit without stages, one that takes more than a clock for a
    transfer, and one with more than `MOST_STAGES`.
    """
    if not 0 < u.stages <= MOST_STAGES or u.transfers.clocks > 1:
        return ""
    if u.transfers.completes and u.transfers.completes[1]:
        transfers = [_Transfer("A0", None), _Transfer("A1", "A"), _Transfer("B0", "B")]
        controls = {"first": "101", "last": "011"}
    else:
        transfers = [_Transfer(label, label) for label in "ABC"]
        controls = dict.fromkeys(u.transfers.controls, "000")
    return "\n".join(_lines(_clocks(transfers, u.stages, u.transfers.fills), controls)) + "\n"


class _Clock(NamedTuple):
    """What there is at the ports in one clock: the number of the transfer that is offered (or
    None), whether it is taken, the result that is offered (or None), whether it may go."""

    offered: int | None
    label: str
    ready: bool
    result: str | None
    accepted: bool


def _clocks(transfers: list[_Transfer], stages: int, fills: bool) -> list[_Clock]:
    """The rules of ranks, clock by clock: a rank takes what is before it if it holds nothing or
    what it holds moves on; or all move, or none, where they do not fill."""
    ranks: list[_Transfer | None] = [None] * stages
    clocks: list[_Clock] = []
    sent, waited = 0, False
    while not clocks or sent < len(transfers) or any(ranks) or clocks[-1].result:
        result = ranks[-1].result if ranks[-1] else None
        accepted = result is None or waited
        waited = waited or result is not None
        moves = [accepted] * stages
        for k in reversed(range(stages)):
            behind = moves[k + 1] if k + 1 < stages else accepted
            moves[k] = (ranks[k] is None and fills) or behind
        offered = sent if sent < len(transfers) else None
        label = transfers[sent].label if offered is not None else ""
        clocks.append(_Clock(offered, label, moves[0], result, accepted))
        entering = transfers[sent] if offered is not None else None
        before = [entering, *ranks]
        ranks = [before[k] if moves[k] else ranks[k] for k in range(stages)]
        if ranks[-1] and ranks[-1].result is None:
            ranks[-1] = None  # it went into the memory, and no result came of it
        sent += moves[0] and offered is not None
    return clocks


def _lines(clocks: list[_Clock], controls: dict[str, str]) -> list[str]:
    rows = {
        "clk": "/~\\_" * len(clocks),
        "i_valid": _level(c.offered is not None for c in clocks),
        "i_ready": _level(c.ready for c in clocks),
        "operands": _data(c.label for c in clocks),
    }
    for name, bits in controls.items():
        values = (bits[c.offered] if c.offered is not None else "" for c in clocks)
        rows[name] = _data(values)
    rows |= {
        "o_valid": _level(c.result is not None for c in clocks),
        "o_ready": _level(c.accepted for c in clocks),
        "results": _data(c.result or "" for c in clocks),
    }
    return [f"{name:<9}{line}".rstrip() for name, line in rows.items()]


def _level(bits: Iterable[bool]) -> str:
    text, before = "", None
    for bit in bits:
        edge = {None: "~" if bit else "_", bit: "~" if bit else "_"}.get(before)
        text += (edge or ("/" if bit else "\\")) + ("~" if bit else "_") * 3
        before = bit
    return text


def _data(labels: Iterable[str]) -> str:
    return "".join(f"<{label:^2}>" if label else "    " for label in labels)
