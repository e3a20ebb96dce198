"""Whether a fault changes anything: both circuits as terms, and solvers for what differs."""

from __future__ import annotations

from ...units import Unit
from ..proofs import netlist, pipeline
from ..proofs.cases import Outcome, prove_by_cases
from ..proofs.terms import Terms
from .faults import SELECT, SELECT_BITS


class Equivalence:
    """The Verilog of a unit with all its faults (`faults.with_all`), as terms.

    The circuit with a fault is held to the one without: for all inputs and all that registers can
    hold, the same results where some are offered, and the same in the registers after the clock.

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
        self.seen = [
            t.ite(offered, results, t.const(0, results.width)),
            *(x for name, x in circuit.outputs.items() if name not in u.results),
            *circuit.registers.values(),
        ]

    def outcome(self, number: int) -> Outcome:
        """Whether the fault of this number is proven to change nothing."""
        intact, wrong = (
            self.terms.substituted(self.seen, {self.select: self.terms.const(n, SELECT_BITS)})
            for n in (0, number)
        )
        differ = [
            self.terms.negation(self.terms.equal(x, y)) for x, y in zip(intact, wrong, strict=True)
        ]
        return prove_by_cases(self.terms, self.terms.any_of(differ), (), self.timeout, self.jobs)
