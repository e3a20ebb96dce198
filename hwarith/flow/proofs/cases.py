"""What is asked of solvers: several things at a time, each in steps, and cases of what is too hard.

A thing to be proved is a generator (`Steps`) that asks one `Question` after the other and may add
others to its `Run`. A statement is a truth value that must never hold (results differ) under
assumptions. What divides it are words of the circuit, such as the distance of an alignment: a case
for each of their values, so that the cases are all of it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...exceptions import ToolFailure
from ..workers import ask_all
from . import smtlib
from .netlist import Circuit
from .solvers import SOLVERS, solver_process
from .terms import Term, Terms

TRIED_SECONDS = (8, 8, 20, 60)
"""Processor time for a case that can be divided further, by how often it has been divided."""


Words = Sequence[tuple[str, Term]]
"""What divides a statement, with its name."""

WORDS = (("align_right",), ("a_normal", "b_normal", "c_normal"), ("shift",))
"""Wires that divide a proof into cases, one division after the other: how far an operand is
shifted, which operands are subnormal, how far the result is shifted."""


@dataclass(frozen=True, eq=False)
class Question:
    """Whether truth values can hold together, asked for so many seconds of processor time."""

    name: str
    assertions: tuple[Term, ...]
    seconds: float
    last: bool = True
    """Whether the second solver is asked what the first one does not decide."""


@dataclass(frozen=True)
class Answer:
    """What a solver says: "sat" with values of the variables, "unsat" or "unknown"."""

    verdict: str
    solver: str
    model: dict[str, int] = field(default_factory=dict)


Steps = Generator[Question, Answer]


@dataclass
class Outcome:
    """What became of a statement."""

    verdict: str = "proven"  # or refuted, undecided
    cases: int = 0
    solvers: dict[str, int] = field(default_factory=dict)  # how much each has decided
    open: list[str] = field(default_factory=list)  # cases that none has
    model: dict[str, int] = field(default_factory=dict)


class Run(Iterator[dict[str, Any]]):
    """Things to be proved together, in so many seconds.

    With `both`, what the first solver says can never hold the second one is asked as well.
    """

    def __init__(self, seconds: float, both: bool = False) -> None:
        self.seconds, self.both = seconds, both
        self.end = time.monotonic() + seconds
        self.outcome = Outcome()
        self.done = 0
        self._queue: deque[tuple[Steps, Question, str, float]] = deque()
        self._asked: list[tuple[Steps, Question, str]] = []
        self._decided: set[Question] = set()

    def add(self, steps: Steps) -> None:
        """Prove this as well."""
        self._go_on(steps, None)

    def refute(self, answer: Answer) -> None:
        """End the run with a counterexample."""
        self.outcome.verdict, self.outcome.model = "refuted", answer.model
        self.outcome.solvers = {answer.solver: 1}

    def completed(
        self, jobs: int, advance: Callable[[int, int], None] = lambda done, of: None
    ) -> Outcome:
        """What became of it, on so many processes. `advance` is told how many of the cases that
        there are now are done. Raises `ToolFailure` where solvers disagree, and if one fails."""
        for i, said in ask_all(self, jobs, solver_process):
            self.answered(*self._asked[i], said)
            if self.outcome.verdict != "proven":
                return self.outcome
            advance(self.done, self.outcome.cases)
        self.outcome.open += [
            question.name for _, question, _, _ in self._queue if question not in self._decided
        ]
        if self.outcome.open:
            self.outcome.verdict = "undecided"
        return self.outcome

    def __next__(self) -> dict[str, Any]:
        if not self._queue or time.monotonic() > self.end:
            raise StopIteration
        steps, question, solver, seconds = self._queue.popleft()
        self._asked.append((steps, question, solver))
        left = max(self.end - time.monotonic(), 1)
        script = smtlib.script(question.assertions)
        return {"solver": solver, "script": script, "seconds": seconds, "left": left}

    def answered(self, steps: Steps, question: Question, solver: str, said: dict[str, Any]) -> None:
        """Take an answer: the steps go on with it, or another solver is asked."""
        if "error" in said:
            raise ToolFailure(f"{solver}: {said['error']}")
        answer = Answer(said["verdict"], solver, said.get("model", {}))
        solvers = self.outcome.solvers
        if answer.verdict == "unsat":
            solvers[solver] = solvers.get(solver, 0) + 1
        if question in self._decided:
            if answer.verdict == "sat":
                raise ToolFailure(
                    f"{solver} has a counterexample, which {SOLVERS[0]} says there is not: "
                    f"{answer.model}; please report it"
                )
            return
        if answer.verdict == "unknown" and question.last and solver != SOLVERS[-1]:
            following = SOLVERS[SOLVERS.index(solver) + 1]
            self._queue.append((steps, question, following, self.seconds))
            return
        if answer.verdict == "unsat" and self.both and solver == SOLVERS[0]:
            self._decided.add(question)
            self._queue.append((steps, question, SOLVERS[1], TRIED_SECONDS[-1]))
        self._go_on(steps, answer)

    def _go_on(self, steps: Steps, answer: Answer | None) -> None:
        """Take steps up to the next question; of what cannot hold at all no solver is asked."""
        while True:
            try:
                question = next(steps) if answer is None else steps.send(answer)
            except StopIteration:
                return
            if all(x.constant != 0 for x in question.assertions):
                self._queue.append((steps, question, SOLVERS[0], question.seconds))
                return
            answer = Answer("unsat", "rewriting")


def prove_by_cases(
    terms: Terms,
    wrong: Term,
    words: Words,
    seconds: float,
    jobs: int,
    advance: Callable[[int, int], None] = lambda done, of: None,
    assumptions: Sequence[Term] = (),
    both: bool = False,
) -> Outcome:
    """Prove that `wrong` never holds under assumptions, in so many seconds on so many processes.

    `words` divide what is too hard, in this order. The others are as of a `Run`.
    """
    run = Run(seconds, both)
    run.add(_case(run, terms, Case("", (wrong, *assumptions), tuple(words))))
    return run.completed(jobs, advance)


@dataclass(frozen=True, eq=False)
class Case:
    """What must not hold together, and the words that are left to divide it by."""

    name: str
    assertions: tuple[Term, ...]
    words: Words
    depth: int = 0


def _case(run: Run, terms: Terms, case: Case) -> Steps:
    """Prove a case, or cases of it."""
    if any(x.constant == 0 for x in case.assertions):
        return
    run.outcome.cases += 1
    name = case.name or "the whole"
    tried = TRIED_SECONDS[min(case.depth, len(TRIED_SECONDS) - 1)] if case.words else run.seconds
    answer = yield Question(name, case.assertions, tried, last=not case.words)
    if answer.verdict == "sat":
        run.refute(answer)
    elif answer.verdict == "unsat":
        run.done += 1
    elif not case.words:
        run.outcome.open.append(name)
    else:
        run.outcome.cases -= 1
        (word_name, word), *rest = case.words
        for value in range(1 << word.width):
            held = terms.equal(word, terms.const(value, word.width))
            text = f"{case.name}, {word_name} = {value}".lstrip(", ")
            assertions = (*case.assertions, held)
            run.add(_case(run, terms, Case(text, assertions, tuple(rest), case.depth + 1)))


def words_of(t: Terms, circuit: Circuit) -> Words:
    """Those of `WORDS` that a circuit has."""
    words = []
    for names in WORDS:
        there = [name for name in names if name in circuit.wires]
        if there:
            word = t.concat(*(circuit.wires[name] for name in there))
            words.append((" ".join(there), word))
    return words
