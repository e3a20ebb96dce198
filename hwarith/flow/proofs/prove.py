"""`prove`: whether the Verilog of a unit computes its definition, for every input."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...exceptions import InvalidInput, ToolFailure
from ...formats import Format
from ...formats.rounding import NAN, unpack
from ...golden.words import WIDTHS
from ...units import Unit, unit
from ...units.boxes import Boxes
from ...units.lanes import Lanes
from ..checks import solver_jobs
from ..verilog import verilog as verilog_of
from . import boxes, lanes, netlist, pipeline, products, smtlib, sums
from .alignment import Alignment
from .cases import Outcome, Run, Words, prove_by_cases, words_of
from .meetings import Meetings
from .provable import check_ports, check_provable
from .result import Proof, codes_text
from .solvers import SOLVERS, answer
from .specification import by_port, replayed, specification
from .symbolic import Executor
from .terms import Term, Terms, evaluate, ordered
from .theory import in_theory


def prove(
    spec: Unit | str,
    timeout: float = 600,
    jobs: int | None = None,
    verilog: str | None = None,
    advance: Callable[[int, int], None] = lambda done, of: None,
    theory: bool = False,
    both: bool = False,
) -> Proof:
    """Prove that the Verilog of a unit equals its golden definition for every input.

    yosys reads the Verilog; the definition is executed on terms (`hwarith.flow.proofs.symbolic`).
    A counterexample is evaluated again, by the circuit's terms and by the definition itself.

    Parameters
    ----------
    spec : the unit, or its spec; of one with stages the registers are proved as well.
    timeout : seconds of wall time.
    jobs : solver processes at a time; as many as there are processors, by default.
    verilog : other Verilog with the unit's module name and ports; without it, the unit's own.
    advance : is told how many cases are done, and of how many.
    theory : also prove the definition equal to SMT-LIB's theory of floating point
        (`hwarith.flow.proofs.theory`).
    both : ask the second solver of everything that the first has decided; they must agree.

    Raises `InvalidInput` for a wrong spec, for `theory` of units that are not in it, and for units
    that have a memory; `MissingTool` without solvers or yosys; `ToolFailure` if the Verilog cannot
    be read.
    """
    u = unit(spec)
    check_provable(u, timeout)
    solver_jobs("prove", jobs)
    text = verilog_of(u) if verilog is None else verilog
    return prove_verilog(u, text, u.name, timeout, jobs, advance, theory=theory, both=both)


def prove_verilog(
    u: Unit,
    text: str,
    top: str,
    timeout: float,
    jobs: int | None = None,
    advance: Callable[[int, int], None] = lambda done, of: None,
    any_nan: bool = False,
    theory: bool = False,
    both: bool = False,
) -> Proof:
    """`prove` of the module `top` of a text; with `any_nan`, NaN of other bits are equal."""
    start = time.monotonic()
    terms = Terms()
    inputs = {name: terms.variable(name, f.bits) for name, f in u.inputs.items()}
    if u.stages:
        inputs |= {name: terms.variable(name, 1) for name in pipeline.CONTROLS}
    module = netlist.netlist(text, top)
    check_ports(u, module, inputs)
    workers = solver_jobs("prove", jobs)

    def attempt(one: Unit) -> _Attempt:
        return _Attempt(one, terms, start + timeout, workers, advance, any_nan, both)

    if isinstance(u, Boxes):
        if theory:
            raise _not_in_theory(u)
        return boxes.proved(u, terms, module, inputs, attempt, start)
    one, inputs = (u.one, lanes.inputs(u, terms)) if isinstance(u, Lanes) else (u, inputs)
    golden, executor = specification(one, terms, inputs)
    tried = attempt(one)
    said = tried.in_theory(inputs, golden) if theory else ""
    modules = lanes.of_each_lane(u, module) if isinstance(u, Lanes) else iter([module])
    proofs = (tried.proof(each, inputs, golden, executor, start) for each in modules)
    found = lanes.of_all(u, proofs) if isinstance(u, Lanes) else next(proofs)
    return replace(found, theory=said)


LEMMA_SECONDS = 20
"""For a lemma that nothing depends on but how hard the rest is."""

_FITS = "no integer of the definition exceeds its machine word"


@dataclass
class _Attempt:
    """One proof: its statements, one after the other."""

    u: Unit
    terms: Terms
    end: float
    jobs: int
    advance: Callable[[int, int], None]
    any_nan: bool = False
    both: bool = False
    lemmas: list[str] = field(default_factory=list)
    solvers: dict[str, int] = field(default_factory=dict)
    proven: Term | None = None

    def holds(
        self,
        wrong: Term,
        assumptions: Sequence[Term] = (),
        words: Words = (),
    ) -> Outcome:
        """Prove that a truth value never is."""
        left = self.end - time.monotonic()
        outcome = prove_by_cases(
            self.terms, wrong, words, left, self.jobs, self.advance, assumptions, self.both
        )
        self._count(outcome)
        return outcome

    def _count(self, outcome: Outcome) -> None:
        for solver, count in outcome.solvers.items():
            self.solvers[solver] = self.solvers.get(solver, 0) + count

    def lemma(self, text: str, wrong: Term) -> bool:
        """Prove what others rest on."""
        if self.holds(wrong).verdict != "proven":
            return False
        self.lemmas.append(text)
        return True

    def in_theory(self, inputs: dict[str, Term], golden: Term) -> str:
        """What is known of the definition in SMT-LIB's theory of floating point."""
        same = in_theory(self.u, self.terms, inputs, golden)
        if same is None:
            raise _not_in_theory(self.u)
        outcome = self.holds(self.terms.negation(same))
        if outcome.verdict == "refuted":
            given = {name: outcome.model.get(name, 0) for name in self.u.operands}
            return f"differs for {codes_text(given)}"
        return "equal" if outcome.verdict == "proven" else "undecided"

    def proof(
        self,
        module: dict[str, Any],
        inputs: dict[str, Term],
        golden: Term,
        executor: Executor,
        start: float,
    ) -> Proof:
        """The verdict on a netlist."""
        circuit = self.read(module, inputs)
        if isinstance(circuit, str):
            return self._undecided(circuit, start)
        if not self.lemma(_FITS, self.terms.any_of(executor.misuses)):
            return self._undecided(_FITS, start)
        wrong, results = self._differs(circuit, golden), self._results(circuit)
        outcome = Outcome("proven", 0, {}, []) if results is self.proven else None
        if self.u.lane_formats:
            outcome = self._where_they_meet(module, circuit, golden, executor, wrong)
        abstract = circuit if outcome else self._with_products(module, circuit, inputs)
        outcome = (
            outcome
            or self._as_rounded_sum(module, abstract, wrong)
            or self._without_products(abstract, inputs, golden, wrong)
            or self.holds(wrong, (), words_of(self.terms, circuit))
        )
        self.proven = results if outcome.verdict == "proven" else self.proven
        return self._proof(outcome, results, time.monotonic() - start)

    def _undecided(self, what: str, start: float) -> Proof:
        """The verdict where something that all rests on is not proven."""
        outcome = Outcome("undecided", 1, {}, [what])
        return self._proof(outcome, self.terms.const(0, 1), time.monotonic() - start)

    def read(self, module: dict[str, Any], inputs: dict[str, Term]) -> netlist.Circuit | str:
        """A netlist as a circuit without registers; or, of what is no chain of ranks, what is not
        as it is in one."""
        t, stages = self.terms, self.u.stages
        circuit = netlist.circuit(module, t, inputs)
        if stages == 0:
            return circuit
        logic = pipeline.without_registers(t, circuit)
        if logic is None:
            return "a register that is of no rank, or takes from others than the one before"
        faults = pipeline.faults(t, circuit, stages, self.u.results)
        if self.holds(t.any_of(faults.values())).verdict != "proven":
            wrong = [name for name, x in faults.items() if self.holds(x).verdict != "proven"]
            return f"the registers are no chain of ranks: {', '.join(wrong[:3])}"
        self.lemmas.append(f"{stages} ranks of registers lose, double and reorder nothing")
        return logic

    def _read_again(
        self, module: dict[str, Any], inputs: dict[str, Term], words: Mapping[str, Term]
    ) -> netlist.Circuit:
        """The circuit of `read` with other words on some wires."""
        t = self.terms
        if self.u.stages == 0:
            return netlist.circuit(module, t, inputs, words)
        free = {name: t.variable(f"another_{name}", x.width) for name, x in words.items()}
        circuit = netlist.circuit(module, t, inputs, free)
        logic = pipeline.without_registers(t, circuit, set(free.values()))
        assert logic is not None  # as it was not before
        return logic.substituted(t, {free[name]: x for name, x in words.items()})

    def _where_they_meet(
        self,
        module: dict[str, Any],
        circuit: netlist.Circuit,
        golden: Term,
        executor: Executor,
        wrong: Term,
    ) -> Outcome | None:
        """The verdict with free words where definition and circuit meet; None if it takes more than
        is known of them."""
        t = self.terms

        def read(known: Mapping[str, Term]) -> netlist.Circuit:
            return self._read_again(module, circuit.inputs, known)

        met = Meetings(t, read, circuit, golden, executor, self._soon)
        (found,) = met.refuted([wrong])
        if found is not None:
            return Outcome("refuted", 1, {"simulation": 1}, [], found)
        met.meet()
        whole = Outcome()
        for apart in self._differences(met.circuit, met.golden):
            (statement, *known), words = products.without_products(t, [apart, *met.facts([apart])])
            known += products.facts(t, words)
            outcome = self.holds(statement, known, words_of(t, met.circuit))
            if outcome.verdict == "refuted":
                given = {name: outcome.model.get(name, 0) for name in circuit.inputs}
                return outcome if evaluate([wrong], given) == [1] else None
            whole.cases += outcome.cases
            whole.open += outcome.open
        if whole.open:
            whole.verdict = "undecided"
        self.lemmas += met.lemmas
        return whole

    def _soon(self, wrong: Term, assumptions: Sequence[Term]) -> bool:
        """Prove that a truth value never is, if that is soon done: in this process, as to start
        one would often take longer than to prove it."""
        if any(x.constant == 0 for x in (wrong, *assumptions)):
            return True
        script = smtlib.script([wrong, *assumptions])
        for solver in SOLVERS if self.both else SOLVERS[:1]:
            left = max(self.end - time.monotonic(), 1)
            request = {"solver": solver, "script": script, "seconds": LEMMA_SECONDS, "left": left}
            if answer(request)["verdict"] != "unsat":
                return False
            self.solvers[solver] = self.solvers.get(solver, 0) + 1
        return True

    def _with_products(
        self, module: dict[str, Any], circuit: netlist.Circuit, inputs: dict[str, Term]
    ) -> netlist.Circuit:
        """A circuit with a product in place of the partial products that are shown to be one."""
        known = products.sum_of_products(self.terms, circuit)
        if known is None or not self.lemma(
            f"{known.wire} is {products.described(known)}", known.last_adder
        ):
            return circuit
        words = {known.wire: products.as_term(self.terms, known)}
        return self._read_again(module, inputs, words)

    def _as_rounded_sum(
        self, module: dict[str, Any], circuit: netlist.Circuit, wrong: Term
    ) -> Outcome | None:
        """The verdict on a sum that is rounded once, in the parts of `sums`; None if it is none,
        or is not proven so."""
        t, u, inputs = self.terms, self.u, circuit.inputs
        names = sums.wires_of_sum(u, circuit)
        sum = sums.sum_of(u, t, inputs) if names else None
        if sum is None:
            return None
        statements = sums.RoundedSum(u, t, inputs, sum)
        free = {name: t.variable(f"of_{name}", circuit.wires[name].width) for name in names}
        cut = self._read_again(module, inputs, free)
        if not self.lemma(sums.ROUNDER, statements.rounder_differs(cut.wires, self._results(cut))):
            return None
        run = Run(self.end - time.monotonic(), self.both)
        Alignment(statements, run, circuit.wires, wrong)
        outcome = run.completed(self.jobs, self.advance)
        self._count(outcome)
        if outcome.verdict == "proven":
            self.lemmas.append(sums.ALIGNED)
            if not self.lemma(sums.COARSER, statements.coarser_differs()):
                return None
        in_time = time.monotonic() < self.end
        return None if outcome.verdict == "undecided" and in_time else outcome

    def _without_products(
        self, circuit: netlist.Circuit, inputs: dict[str, Term], golden: Term, wrong: Term
    ) -> Outcome | None:
        """The verdict with free words in place of products; None if there are none, or if it takes
        more than is known of them."""
        t = self.terms
        if not products.has_products(self._results(circuit)):
            return None
        (statement,), words = products.without_products(t, [self._differs(circuit, golden)])
        outcome = self.holds(statement, products.facts(t, words), words_of(t, circuit))
        if outcome.verdict == "refuted":
            given = {name: outcome.model.get(name, 0) for name in inputs}
            if evaluate([wrong], given) == [0]:
                return None
        if words and outcome.verdict == "proven":
            self.lemmas.append("products of equal factors are equal, and as large as these say")
        return outcome

    def _results(self, circuit: netlist.Circuit) -> Term:
        return self.terms.concat(*(circuit.outputs[name] for name in reversed(self.u.results)))

    def _differs(self, circuit: netlist.Circuit, golden: Term) -> Term:
        return self.terms.any_of(self._differences(circuit, golden))

    def _differences(self, circuit: netlist.Circuit, golden: Term) -> list[Term]:
        """Whether results differ; of lanes, and where any NaN will do, one for each code."""
        t, u, found = self.terms, self.u, self._results(circuit)
        codes = [u.lane_formats.get(name, (f, 1)) for name, f in u.results.items()]
        if not self.any_nan and all(n == 1 for _, n in codes):
            return [t.negation(t.equal(found, golden))]
        wrong, place = [], 0
        for f in [f for f, n in codes for _ in range(n)]:
            x, y = (t.extract(word, place, f.bits) for word in (found, golden))
            same = t.equal(x, y)
            if self.any_nan:
                both = t.apply("bvand", _is_nan(t, f, x), _is_nan(t, f, y))
                same = t.apply("bvor", same, both)
            wrong.append(t.negation(same))
            place += f.bits
        return wrong

    def _proof(self, outcome: Outcome, rtl: Term, seconds: float) -> Proof:
        """The outcome with its counterexample evaluated once more."""
        u = self.u
        facts: dict[str, Any] = {}
        if outcome.verdict == "refuted":
            variables = [x.name for x in ordered([rtl]) if x.op == "variable"]
            given = {name: outcome.model.get(name, 0) for name in [*u.inputs, *variables]}
            (packed,) = evaluate([rtl], given)
            found = by_port(u, packed)
            golden = replayed(u, given)
            if golden == found:
                raise ToolFailure(
                    f"{next(iter(outcome.solvers))} gave a counterexample of {u.spec} that is "
                    f"none: {codes_text(given)}; please report it"
                )
            facts = {"counterexample": given, "golden": golden, "rtl": found}
        return Proof(
            spec=u.spec,
            verdict=outcome.verdict,
            seconds=seconds,
            cases=outcome.cases,
            solvers=self.solvers,
            lemmas=tuple(self.lemmas),
            open=tuple(outcome.open) if outcome.verdict == "undecided" else (),
            **facts,
        )


def _not_in_theory(u: Unit) -> InvalidInput:
    return InvalidInput(
        f"prove: {u.spec} is not in SMT-LIB's theory of floating point, which has mul, add, fma "
        "and convert of IEEE formats, to nearest and directed"
    )


def _is_nan(t: Terms, f: Format, code: Term) -> Term:
    """Whether a code of a format is a NaN."""
    executor = Executor(t, WIDTHS[0])
    kind, *_ = executor.call(unpack, executor.integer(code), f.numbers)
    return executor.truth(executor.compare(ast.Eq, kind, NAN))
