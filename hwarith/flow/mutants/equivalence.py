"""Whether a fault changes anything: both circuits as terms, and solvers for what differs."""

from __future__ import annotations

from ...units import Unit
from ..proofs import netlist, pipeline
from ..proofs.cases import Outcome, prove_by_cases
from ..proofs.terms import Term, Terms
from .faults import SELECT, SELECT_BITS

_GUARD_BITS = 4


class Equivalence:
    """The Verilog of a unit with all its faults (`faults.with_all`), as terms.

    The circuit with a fault is held to the one without: for all inputs and all that registers can
    hold, the same results where some are offered, and the same in the registers after the clock.
    While a few bits among them are not zero (a NaN was met, say) the others may differ, if that
    also shows that no result ever does.

    Raises `ToolFailure` if yosys cannot read it.
    """

    def __init__(self, u: Unit, text: str, timeout: float, jobs: int):
        self.timeout, self.jobs = timeout, jobs
        self.terms = t = Terms()
        ports = {name: int(f.bits) for name, f in u.inputs.items()}
        ports |= dict.fromkeys(pipeline.CONTROLS, 1) if u.stages else {}
        inputs = {name: t.variable(name, bits) for name, bits in ports.items()}
        self.select = inputs[SELECT] = t.variable(SELECT, SELECT_BITS)
        circuit = netlist.circuit(netlist.netlist(text, u.name), t, inputs)
        results = t.concat(*(circuit.outputs[name] for name in u.results))
        offered = circuit.outputs.get("o_valid", t.const(1, 1))
        others = [x for name, x in circuit.outputs.items() if name not in u.results]
        self.shown = [t.ite(offered, results, t.const(0, results.width)), *others]
        self.registers = circuit.registers
        kept = [q for q in self.registers if not q.name.startswith("valid_")]
        self.guards = [q for q in kept if q.width <= _GUARD_BITS and len(kept) > 1]

    def outcome(self, number: int) -> Outcome:
        """Whether the fault of this number is proven to change nothing."""
        first = self._tried(number, None)
        for guard in self.guards if first.verdict == "refuted" else []:
            found = self._tried(number, guard)
            if found.verdict == "proven":
                return found
        return first

    def _tried(self, number: int, guard: Term | None) -> Outcome:
        """The same, where registers may differ while a guard among them is not zero."""
        t = self.terms
        by = {self.select: t.const(number, SELECT_BITS)}
        if guard:
            zero = t.equal(guard, t.const(0, guard.width))
            for q in self.registers:
                if q is not guard and not q.name.startswith("valid_"):
                    by[q] = t.ite(zero, q, t.variable(f"other_{q.name}", q.width))
        roots = [*self.shown, *self.registers.values()]
        intact = t.substituted(roots, {self.select: t.const(0, SELECT_BITS)})
        wrong = t.substituted(roots, by)
        differ = [t.negation(t.equal(x, y)) for x, y in zip(intact, wrong, strict=True)]
        if guard:
            after = intact[len(self.shown) + list(self.registers).index(guard)]
            zero = t.equal(after, t.const(0, after.width))
            for i, q in enumerate(self.registers, len(self.shown)):
                if q is not guard and not q.name.startswith("valid_"):
                    differ[i] = t.apply("bvand", zero, differ[i])
        return prove_by_cases(t, t.any_of(differ), (), self.timeout, self.jobs)
