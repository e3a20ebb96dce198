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

from ...exceptions import ToolFailure
from ..workers import ask_all
from . import smtlib
from .solvers import SOLVERS, solver_process
from .terms import Term, Terms

TRIED_SECONDS = (8, 8, 20, 60)
"""Processor time for a case that can be divided further, by how often it has been divided."""


@dataclass(frozen=True, eq=False)
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
        script = self.script(case)
        return {"solver": solver, "script": script, "seconds": seconds, "left": left}


def prove_by_cases(
    terms: Terms,
    wrong: Term,
    words: Sequence[tuple[str, Term]],
    seconds: float,
    jobs: int,
    advance: Callable[[int, int], None] = lambda done, of: None,
    assumptions: Sequence[Term] = (),
    both: bool = False,
) -> Outcome:
    """Prove that `wrong` never holds under assumptions, in so many seconds on so many processes.

    `words` divide what is too hard, in this order. `advance` is told how many of the cases that
    there are now are done. With `both`, what one solver has decided the other one is asked as well.
    Raises `ToolFailure` where they disagree, and if a solver fails.
    """
    asked = _Asked(terms, wrong, seconds, both)
    asked.ask(Case("", tuple(assumptions), tuple(words)))
    for i, said in ask_all(asked.waiting, jobs, solver_process):
        asked.answered(*asked.waiting.asked[i], said)
        if asked.outcome.verdict == "refuted":
            return asked.outcome
        advance(asked.done, asked.outcome.cases)
    outcome = asked.outcome
    outcome.open += [
        case.name or "the whole" for case, _, _ in asked.waiting.queue if case not in asked.decided
    ]
    if outcome.open:
        outcome.verdict = "undecided"
    return outcome


class _Asked:
    """The cases of a statement, and what solvers say of them."""

    def __init__(self, terms: Terms, wrong: Term, seconds: float, both: bool) -> None:
        self.terms, self.wrong, self.seconds, self.both = terms, wrong, seconds, both
        self.outcome = Outcome()
        self.done = 0
        self.waiting = _Waiting()
        self.waiting.end = time.monotonic() + seconds
        self.waiting.script = lambda case: smtlib.script([wrong, *case.assumptions])
        self.decided: set[Case] = set()

    def ask(self, case: Case) -> None:
        """Ask the first solver of a case, if it is one at all."""
        if any(x.constant == 0 for x in (self.wrong, *case.assumptions)):
            return
        tried = TRIED_SECONDS[min(case.depth, len(TRIED_SECONDS) - 1)]
        self.outcome.cases += 1
        self.waiting.queue.append((case, SOLVERS[0], tried if case.words else self.seconds))

    def answered(self, case: Case, solver: str, said: dict[str, Any]) -> None:
        """Take an answer: the case is done, or another solver is asked, or it is divided."""
        if "error" in said:
            raise ToolFailure(f"{solver}: {said['error']}")
        if said["verdict"] == "sat":
            if case in self.decided:
                raise ToolFailure(
                    f"{solver} has a counterexample, which {SOLVERS[0]} says there is not: "
                    f"{said['model']}; please report it"
                )
            self.outcome.verdict, self.outcome.model = "refuted", said["model"]
            self.outcome.solvers = {solver: 1}
        elif said["verdict"] == "unsat":
            self.done += case not in self.decided
            self.outcome.solvers[solver] = self.outcome.solvers.get(solver, 0) + 1
            if self.both and solver == SOLVERS[0]:
                self.decided.add(case)
                self.waiting.queue.append((case, SOLVERS[1], TRIED_SECONDS[-1]))
        elif case in self.decided:
            return  # by the other one
        elif case.words:
            self._divide(case)
        elif solver != SOLVERS[-1]:
            following = SOLVERS[SOLVERS.index(solver) + 1]
            self.waiting.queue.append((case, following, self.seconds))
        else:
            self.outcome.open.append(case.name or "the whole")

    def _divide(self, case: Case) -> None:
        """Ask of each value of the next word."""
        (name, word), *rest = case.words
        self.outcome.cases -= 1
        for value in range(1 << word.width):
            held = self.terms.equal(word, self.terms.const(value, word.width))
            text = f"{case.name}, {name} = {value}".lstrip(", ")
            self.ask(Case(text, (*case.assumptions, held), tuple(rest), case.depth + 1))
