"""A statement proved by cases: tried whole, and divided where it is too hard.

A statement is a truth value that must never hold (results differ) under assumptions. What divides
it are words of the circuit, such as the distance of an alignment: a case for each of their values,
so that the cases are all of it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..workers import ask_all
from . import smtlib
from .solvers import SOLVERS, solver_process
from .terms import Term, Terms

TRIED_SECONDS = (8, 8, 20, 60)
"""How long a case is tried that can be divided further, by how often it has been divided."""


@dataclass(frozen=True)
class Case:
    """A statement's assumptions, and the words that are left to divide it by."""

    name: str
    assumptions: tuple[Term, ...]
    words: tuple[tuple[str, Term], ...]
    depth: int = 0


@dataclass
class Outcome:
    """What became of a statement."""

    verdict: str = "proven"  # or refuted, undecided
    cases: int = 0
    solvers: dict[str, int] = field(default_factory=dict)  # how many cases each has decided
    open: list[str] = field(default_factory=list)  # cases that none has
    model: dict[str, int] = field(default_factory=dict)


class _Waiting(Iterator[dict[str, Any]]):
    """Requests that grow in number while earlier ones are answered."""

    def __init__(self) -> None:
        self.queue: deque[tuple[Case, str, float]] = deque()
        self.asked: list[tuple[Case, str]] = []
        self.script: Callable[[Case], str]
        self.end = 0.0

    def __next__(self) -> dict[str, Any]:
        if not self.queue or time.monotonic() > self.end:
            raise StopIteration
        case, solver, seconds = self.queue.popleft()
        self.asked.append((case, solver))
        left = max(self.end - time.monotonic(), 1)
        return {"solver": solver, "script": self.script(case), "seconds": min(seconds, left)}


def prove_by_cases(
    terms: Terms,
    wrong: Term,
    words: Sequence[tuple[str, Term]],
    seconds: float,
    jobs: int,
    advance: Callable[[int, int], None] = lambda done, of: None,
    assumptions: Sequence[Term] = (),
) -> Outcome:
    """Prove that `wrong` never holds under assumptions, in so many seconds on so many processes.

    `words` divide what is too hard, in this order. `advance` is told how many of the cases that
    there are now are done.
    """
    outcome = Outcome()
    waiting = _Waiting()
    waiting.end = time.monotonic() + seconds
    waiting.script = lambda case: smtlib.script([wrong, *case.assumptions])
    whole = Case("", tuple(assumptions), tuple(words))

    def ask(case: Case) -> None:
        if any(x.constant == 0 for x in (wrong, *case.assumptions)):
            return
        tried = TRIED_SECONDS[min(case.depth, len(TRIED_SECONDS) - 1)]
        limit = tried if case.words else seconds
        outcome.cases += 1
        waiting.queue.append((case, SOLVERS[0], limit))

    def divide(case: Case) -> None:
        (name, word), *rest = case.words
        outcome.cases -= 1
        for value in range(1 << word.width):
            held = terms.equal(word, terms.const(value, word.width))
            text = f"{case.name}, {name} = {value}".lstrip(", ")
            ask(Case(text, (*case.assumptions, held), tuple(rest), case.depth + 1))

    ask(whole)
    done = 0
    for i, said in ask_all(waiting, jobs, solver_process):
        case, solver = waiting.asked[i]
        verdict = said.get("verdict", "unknown")
        if verdict == "sat":
            outcome.verdict, outcome.model = "refuted", said["model"]
            outcome.solvers = {solver: 1}
            outcome.open = [case.name]
            return outcome
        if verdict == "unsat":
            done += 1
            outcome.solvers[solver] = outcome.solvers.get(solver, 0) + 1
        elif case.words:
            divide(case)
        elif solver != SOLVERS[-1]:
            waiting.queue.append((case, SOLVERS[SOLVERS.index(solver) + 1], seconds))
        else:
            outcome.open.append(case.name or "the whole")
        advance(done, outcome.cases)
    outcome.open += [case.name or "the whole" for case, _, _ in waiting.queue]
    if outcome.open:
        outcome.verdict = "undecided"
    return outcome
