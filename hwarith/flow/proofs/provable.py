"""Which units `prove` takes."""

from __future__ import annotations

from ...exceptions import InvalidInput
from ...units import Unit
from ...units.blocks.lanes import LaneTransfers
from ...units.transfers import Transfers
from ..checks import check_timeout
from .solvers import require_solvers


def is_provable(u: Unit) -> bool:
    """Whether a unit computes the results of one transfer in a chain of ranks: it has no memory
    and no parts, and takes no several clocks."""
    return type(u.transfers) in (Transfers, LaneTransfers) and u.is_pipeline


def check_provable(u: Unit, timeout: float) -> None:
    """Raise `InvalidInput` for a unit that is not proved, or for no number of seconds;
    `MissingTool` without solvers."""
    require_solvers()
    check_timeout("prove", timeout)
    if not is_provable(u):
        raise InvalidInput(
            f"prove: {u.spec} has a memory or parts, or takes several clocks; what is proved "
            "computes results of one transfer in a chain of ranks (docs/proofs.md)"
        )
