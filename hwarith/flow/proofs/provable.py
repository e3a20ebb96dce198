"""Which units `prove` takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...exceptions import InvalidInput, quoted
from ...units import Unit
from ...units.blocks.lanes import LaneTransfers
from ...units.functions.base import Function
from ...units.transfers import Transfers
from ..checks import check_timeout
from .solvers import require_solvers
from .terms import Term


def is_provable(u: Unit) -> bool:
    """Whether a unit computes the results of one transfer in a chain of ranks: it has no memory
    and no parts, and takes no several clocks; and whether it is defined by arithmetic on its codes,
    which elementary functions are not."""
    return (
        not isinstance(u, Function)
        and type(u.transfers) in (Transfers, LaneTransfers)
        and u.is_pipeline
    )


def check_provable(u: Unit, timeout: float) -> None:
    """Raise `InvalidInput` for a unit that is not proved, or for no number of seconds;
    `MissingTool` without solvers."""
    require_solvers()
    check_timeout("prove", timeout)
    if not is_provable(u):
        raise InvalidInput(
            f"prove: {u.spec} has a memory or parts, or takes several clocks, or is an elementary "
            "function; what is proved computes results of one transfer in a chain of ranks "
            "(docs/proofs.md)"
        )


def check_ports(u: Unit, module: dict[str, Any], inputs: Mapping[str, Term]) -> None:
    """Raise `InvalidInput` if a module has not the unit's ports."""
    wanted = {name: ("input", x.width) for name, x in inputs.items()}
    wanted |= {name: ("output", f.bits) for name, f in u.results.items()}
    if u.stages:
        wanted |= {name: ("output", 1) for name in ("i_ready", "o_valid")}
    ports = {n: (p["direction"], len(p["bits"])) for n, p in module["ports"].items()}
    for name in dict.fromkeys([*wanted, *ports]):
        if wanted.get(name) != ports.get(name):
            there, due = (
                f"{port[0]} of {port[1]} bits" if port else "none"
                for port in (ports.get(name), wanted.get(name))
            )
            raise InvalidInput(f"prove: port {quoted(name)} of {u.name} must be {due}, not {there}")
