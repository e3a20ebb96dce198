"""That a circuit aligns a sum as its definition does, by cases of the distance of the exponents.

A case is a range of distances, halved where the circuit does not do the same throughout it. Its
shifts are then by constants, which is proved first, and the definition is executed with exponents
that are known by their distance from one of them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from . import products
from .cases import Answer, Question, Run, Steps
from .integers import Integer, Relative, Value
from .sums import RoundedSum, add_exact, alike, exponent
from .symbolic import Executor
from .terms import Term, evaluate, ordered, signed

STEERING = re.compile(r"align_right|addend_on_top|distance|a_first|order_least_from\d+_to0")
"""Wires that say which operand is shifted, and how far."""

NEEDED = re.compile(rf"{STEERING.pattern}|total|negative|\w+_lost|exponent|sign|subtract")
"""Those, and wires that hold the sum."""

SECONDS = 30
"""Processor time for what only exponents decide."""
TRIED_SECONDS = 2
SHOWN_SECONDS = 8

MOST_OPEN = 16
"""When so many cases are neither proved nor refuted, this is not the way to prove it."""


@dataclass(frozen=True)
class _Case:
    """Operands that are zero or not, and a range of how much greater the second exponent is."""

    zeros: tuple[bool, ...]
    low: int
    high: int

    def __str__(self) -> str:
        apart = f"{self.low} to {self.high}" if self.low < self.high else f"{self.low}"
        which = [name for name, zero in zip(("first", "second"), self.zeros, strict=True) if zero]
        return f"exponents {apart} apart" + "".join(f", {name} zero" for name in which)

    def halves(self) -> Iterator[_Case]:
        """The two halves of a range."""
        middle = (self.low + self.high) // 2
        yield replace(self, high=middle)
        yield replace(self, low=middle + 1)


@dataclass(frozen=True)
class _Steered:
    """What a circuit does throughout a case: bits of its wires; and its exponent, which is that
    of one operand plus a constant."""

    known: dict[Term, Term]
    operand: int
    plus: int


class Alignment:
    """The circuit's sum and the definition's, with free words for products.

    A case in which they are not alike is asked for a counterexample, that results are `wrong`.
    """

    def __init__(
        self, statements: RoundedSum, run: Run, wires: Mapping[str, Term], wrong: Term
    ) -> None:
        self.statements, self.run, self.t = statements, run, statements.t
        self.wrong = wrong
        sum = statements.sum
        wires = {name: x for name, x in wires.items() if NEEDED.fullmatch(name)}
        roots, words = products.without_products(
            self.t, [sum.where, *(x.term for x in sum.terms), *wires.values()]
        )
        self.where, *roots = roots
        self.terms = [
            Integer(x.by, root, x.low, x.high) for x, root in zip(sum.terms, roots, strict=False)
        ]
        self.wires = dict(zip(wires, roots[len(self.terms) :], strict=True))
        self.exponents = self.terms[1], self.terms[4]
        self.apart = self.executor().binary(ast.Sub, *reversed(self.exponents))
        self.steering = [
            self.t.extract(x, place, 1)
            for name, x in self.wires.items()
            if STEERING.fullmatch(name)
            for place in range(x.width)
        ]
        # From this distance on one operand is no more than a sticky bit to the definition.
        self.far = sum.width + max(self.terms[i].term.width for i in (2, 5))
        self.facts = products.facts(self.t, words)
        self.zero_facts = [self._is_zero_if_a_factor_is(p) for p in words]
        for zeros in product((False, True), repeat=2):
            run.add(self._steps(_Case(zeros, *self.executor().range_of(self.apart))))

    def executor(self) -> Executor:
        return self.statements.executor(0)

    def _is_zero_if_a_factor_is(self, p: products.Product) -> Term:
        zero, *zeros = (self.t.equal(x, self.t.const(0, x.width)) for x in (p.word, *p.factors))
        return self.t.equal(zero, self.t.any_of(zeros))

    def _steps(self, case: _Case) -> Steps:
        """Prove it in a case, or in its halves."""
        given = self._assumptions(case)
        there = yield Question(str(case), given, SECONDS)
        if there.verdict == "unsat":
            return
        self.run.outcome.cases += 1
        single = case.low == case.high
        steered = None
        if single or any(case.zeros) or case.low > self.far or case.high < -self.far:
            steered = yield from self._steered(case, given, there.model)
        for wrong in self._unlike(case, steered) if steered else ():
            seconds = self.run.seconds if single else TRIED_SECONDS
            question = Question(str(case), (wrong, *given, *self.facts), seconds, last=single)
            answer = yield question
            if answer.verdict == "unsat":
                self.run.done += 1
                return
            if answer.verdict == "unknown":
                break
        if not single:
            self.run.outcome.cases -= 1
            for half in case.halves():
                self.run.add(self._steps(half))
            return
        answer = yield Question(str(case), (self.wrong, *given), SHOWN_SECONDS, last=False)
        outcome = self.run.outcome
        if answer.verdict == "sat":
            self.run.refute(answer)
            return
        outcome.open.append(str(case))
        if len(outcome.open) >= MOST_OPEN:
            outcome.verdict = "undecided"

    def _assumptions(self, case: _Case) -> tuple[Term, ...]:
        """That there is a sum, of operands that are in a case."""
        executor = self.executor()
        given = [self.where, *self.zero_facts]
        for significand, is_zero in zip((self.terms[2], self.terms[5]), case.zeros, strict=True):
            nonzero = executor.truth(significand)
            given.append(self.t.negation(nonzero) if is_zero else nonzero)
        for op, bound in ((ast.GtE, case.low), (ast.LtE, case.high)):
            given.append(executor.truth(executor.compare(op, self.apart, bound)))
        return tuple(given)

    # -- what the circuit does -----------------------------------------------------------------

    def _steered(
        self, case: _Case, given: tuple[Term, ...], model: dict[str, int]
    ) -> Generator[Question, Answer, _Steered | None]:
        """What the circuit does in a case as in the first example of it: whatever other examples
        do not show to be otherwise, until there are none."""
        executor = self.executor()
        e = exponent(executor, self.wires["exponent"])
        looked_at = [*self.steering, e.term, *(x.term for x in self.exponents)]
        *bits, e_is, x_is, y_is = self._values(looked_at, model)
        plus = [
            signed(e_is, e.term.width) - (signed(y, x.term.width) if x.low < 0 else y)
            for x, y in zip(self.exponents, (x_is, y_is), strict=True)
        ]
        dues = [executor.binary(ast.Add, x, c) for x, c in zip(self.exponents, plus, strict=True)]
        moves = [executor.truth(executor.compare(ast.NotEq, e, due)) for due in dues]
        known = {x: self.t.const(y, 1) for x, y in zip(self.steering, bits, strict=False)}
        changes = {self.t.negation(self.t.equal(x, y)): x for x, y in known.items()}
        left = [*moves, *changes]
        while True:
            answer = yield Question(str(case), (self.t.any_of(left), *given), SECONDS)
            if answer.verdict != "sat":
                break
            shown = self._values(left, answer.model)
            left = [x for x, value in zip(left, shown, strict=True) if not value]
        operand = next((i for i, x in enumerate(moves) if x in left), None)
        if operand is None or answer.verdict != "unsat":
            return None
        constant = {changes[x]: known[changes[x]] for x in left if x in changes}
        return _Steered(constant, operand, plus[operand])

    @staticmethod
    def _values(terms: list[Term], model: dict[str, int]) -> list[int]:
        """Values of terms in an example, of which any value of other variables makes one."""
        variables = (x.name for x in ordered(terms) if x.op == "variable")
        return evaluate(terms, {name: model.get(name, 0) for name in variables})

    # -- what the definition does --------------------------------------------------------------

    def _unlike(self, case: _Case, steered: _Steered) -> Iterator[Term]:
        """What must never hold, for units to compare in that may do: the coarser ones of the two;
        and, if an addend is so far above a product that a window misplaces it, those in which
        the product is a sticky bit."""
        statements, t = self.statements, self.t
        base = self.exponents[steered.operand]
        apart: Value = case.low
        if case.low < case.high:
            apart = self.executor().narrowed(self.apart, case.low, case.high)
        for i in range(2):
            executor = statements.executor(statements.widest)
            negated = executor.binary(ast.Sub, 0, apart)
            exponents = (0, apart) if steered.operand == 0 else (negated, 0)
            operands: list[Value] = []
            for k, is_zero in enumerate(case.zeros):
                sign, _, g = self.terms[3 * k : 3 * k + 3]
                g_here = 0 if is_zero else executor.narrowed(g, 1, g.high)
                operands += sign, Relative(base, exponents[k]), g_here
            s, e, g = executor.call(add_exact, *operands, statements.sum.mode, statements.sum.width)
            by = t.substituted(list(self.wires.values()), steered.known)
            wires = dict(zip(self.wires, by, strict=True))
            x = statements.window(executor, wires, Relative(base, 0), steered.plus)
            if i == 0:
                n = executor.least(executor.binary(ast.Sub, x.e, e), 0, greatest=True)
            else:
                to_lowest = executor.binary(ast.Sub, statements.lowest, e)
                n = executor.least(statements.spare, to_lowest, greatest=True)
            width = executor.range_of(g)[1].bit_length()
            statements.reach(executor, width, e, x.e, executor.binary(ast.Add, e, n))
            same = executor.call(
                alike,
                *(s, e, g, n, width, x.s, x.e, x.g, x.width + 2),
                *(statements.lowest, statements.least),
            )
            good = t.apply("bvand", executor.truth(same), statements.is_sound(executor, x))
            yield t.any_of([t.negation(good), *executor.misuses])
