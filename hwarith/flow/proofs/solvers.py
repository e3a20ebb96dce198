"""The solvers, in processes of their own: a script of SMT-LIB in, a verdict and a model out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ...extras import require
from ..workers import Worker

SOLVERS = ("bitwuzla", "z3")

_CHECK = "(check-sat)\n"


def require_solvers() -> None:
    """Raise `MissingTool` without one of the solvers."""
    for name in SOLVERS:
        require(name, "a proof")


def solver_process() -> Worker:
    """A process that answers requests of `answer`."""
    return Worker(__name__)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Ask a solver whether the assertions of a script can hold.

    A request has ``solver``, ``script`` and ``seconds``, of processor time (of Z3 wall time, which
    is never more than ``left``). The answer's ``verdict`` is "sat", with a ``model`` of the
    variables by name, "unsat", or "unknown" after so many seconds.
    """
    start = time.process_time()
    ask = _ASKED[request["solver"]]
    verdict, model = ask(request["script"], request["seconds"], request["left"])
    return {"verdict": verdict, "model": model, "seconds": time.process_time() - start}


def _bitwuzla(script: str, seconds: float, left: float) -> tuple[str, dict[str, int]]:
    import bitwuzla

    options = bitwuzla.Options()
    options.set(bitwuzla.Option.PRODUCE_MODELS, True)
    options.set(bitwuzla.Option.TIME_LIMIT_PER, max(int(left * 1000), 1))
    parser = bitwuzla.Parser(bitwuzla.TermManager(), options)
    parser.parse(script.replace(_CHECK, ""), True, False)
    solver = parser.bitwuzla()
    end = time.process_time() + seconds
    solver.configure_terminator(lambda: time.process_time() > end)
    verdict = str(solver.check_sat())
    if verdict != "sat":
        return verdict, {}
    declared = parser.get_declared_funs()
    return verdict, {str(x): int(solver.get_value(x).value(10)) for x in declared}


def _z3(script: str, seconds: float, left: float) -> tuple[str, dict[str, int]]:
    import z3

    solver = z3.Solver()
    solver.set("timeout", max(int(min(seconds, left) * 1000), 1))
    solver.from_string(script.replace(_CHECK, ""))
    verdict = str(solver.check())
    if verdict != "sat":
        return verdict, {}
    model = solver.model()
    return verdict, {x.name(): model[x].as_long() for x in model.decls() if x.arity() == 0}


_ASKED: dict[str, Callable[[str, float, float], tuple[str, dict[str, int]]]] = {
    "bitwuzla": _bitwuzla,
    "z3": _z3,
}
