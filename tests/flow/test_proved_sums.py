"""Proofs of sums that are rounded once: what the parts say, and faults that each of them sees."""

from __future__ import annotations

import ast
import random
import re

import pytest

import hwarith as hw
from hwarith.flow.proofs import netlist, products, smtlib, solvers, sums
from hwarith.flow.proofs.alignment import Alignment
from hwarith.flow.proofs.cases import Run
from hwarith.flow.proofs.integers import Integer, Relative
from hwarith.flow.proofs.prove import _Attempt
from hwarith.flow.proofs.symbolic import Executor
from hwarith.flow.proofs.terms import Terms, evaluate, signed
from hwarith.flow.verilog import verilog
from hwarith.formats.rounding import add_exact
from hwarith.units.exact import definitions
from tests.tiers import few

PARTS = (sums.ROUNDER, sums.ALIGNED, sums.COARSER)


@pytest.mark.parametrize(
    "spec",
    [
        "fma:a=e3m2fn",
        pytest.param("fma:a=e2m3fn,round=port,flags=after", marks=pytest.mark.long),
        pytest.param("fma:a=e4m3fn,c=bf16,out=bf16,stages=2", marks=pytest.mark.long),
        pytest.param("fma:a=e5m2,op=port,round=rdn", marks=pytest.mark.long),
        pytest.param("fma:a=e4m3fn,round=sra,n=4", marks=pytest.mark.long),
        pytest.param("fma:a=bf16", marks=pytest.mark.long),
        pytest.param("add:a=bf16", marks=pytest.mark.long),
    ],
)
def test_proved_in_parts(spec) -> None:
    proof = hw.prove(spec, jobs=1)
    assert proof.verdict == "proven", proof
    assert set(PARTS) <= set(proof.lemmas)
    assert proof.cases > 10


FAULTS = {
    "shift": (r"addend_right4 = align_right\[2\]", "addend_right4 = align_right[1]"),
    "sticky": (r": addend_some8;", ": 1'b0;"),
    "carry": (r"carry_into_addend = low_sum\[8\]", "carry_into_addend = 1'b0"),
    "exponent": (r"\+ 5'd3", "+ 5'd2"),
    "addend on top": (r"addend_on_top = product_zero \|", "addend_on_top = 1'b0 &"),
    "sign": (r"wire sign = product_sign", "wire sign = c_sign"),
}


@pytest.mark.parametrize("fault", few(FAULTS, 6))
def test_faults_of_the_sum_are_refuted(fault, monkeypatch) -> None:
    """They are found in a case of the alignment, without trying the whole."""
    u = hw.unit("fma:a=e3m2fn")
    text, count = re.subn(*FAULTS[fault], verilog(u), count=1)
    assert count == 1
    monkeypatch.delattr(_Attempt, "_without_products")
    proof = hw.prove(u, verilog=text, jobs=1)
    assert proof.verdict == "refuted"
    given = [proof.counterexample[name] for name in u.operands]
    assert proof.golden == {"y": u.golden(*given)} != proof.rtl


class Parts:
    """The statements of a unit, and solvers' verdicts on them."""

    def __init__(self, spec: str, pattern: str = "", by: str = "") -> None:
        u = self.u = hw.unit(spec)
        text, count = re.subn(pattern, by, verilog(u), count=1)
        assert count == 1
        t = self.t = Terms()
        inputs = {name: t.variable(name, f.bits) for name, f in u.inputs.items()}
        self.module = netlist.netlist(text, u.name)
        self.circuit = netlist.circuit(self.module, t, inputs)
        known = products.sum_of_products(t, self.circuit)
        if known:
            words = {known.wire: products.as_term(t, known)}
            self.circuit = netlist.circuit(self.module, t, inputs, words)
        sum = sums.sum_of(u, t, inputs)
        assert sum is not None
        self.inputs, self.statements = inputs, sums.RoundedSum(u, t, inputs, sum)

    def verdict(self, *roots) -> str:
        request = {"solver": "bitwuzla", "script": smtlib.script(roots)}
        return solvers.answer({**request, "seconds": 20, "left": 60})["verdict"]

    def rounder(self) -> str:
        t, names = self.t, sums.wires_of_sum(self.u, self.circuit)
        free = {name: t.variable(f"of_{name}", self.circuit.wires[name].width) for name in names}
        cut = netlist.circuit(self.module, t, self.inputs, free)
        return self.verdict(self.statements.rounder_differs(cut.wires, cut.outputs["y"]))

    def alignment(self) -> str:
        run = Run(60)
        Alignment(self.statements, run, self.circuit.wires, self.t.const(0, 1))
        return run.completed(1).verdict


def test_a_fault_of_the_rounder_is_seen() -> None:
    assert Parts("fma:a=e3m2fn").rounder() == "unsat"
    assert Parts("fma:a=e3m2fn", r"guard & \(sticky \|", "guard & (sticky &").rounder() == "sat"


def test_a_rounder_must_rely_on_what_is_proved() -> None:
    """A sum that is not `sound` is rounded otherwise; one that is said to be so too soon is not
    found in the circuit."""
    parts = Parts("fma:a=e3m2fn")
    parts.statements.least >>= 3
    parts.statements.lowest += 3
    assert parts.rounder() == "sat"
    parts = Parts("fma:a=e3m2fn")
    parts.statements.least <<= 3
    parts.statements.lowest -= 9
    assert parts.alignment() == "undecided"


def test_units_are_not_coarser_than_rounding_allows() -> None:
    parts = Parts("fma:a=e3m2fn")
    parts.statements.reached, parts.statements.widest = [-20, 5], 12
    assert parts.verdict(parts.statements.coarser_differs()) == "unsat"
    parts.statements.least >>= 1
    assert parts.verdict(parts.statements.coarser_differs()) == "sat"
    parts.statements.least <<= 1
    parts.statements.lowest += 1
    assert parts.verdict(parts.statements.coarser_differs()) == "sat"


def test_sums_that_are_alike_are_rounded_alike() -> None:
    """On numbers, by the definition itself."""
    u = hw.unit("fma:a=e3m2fn")
    *_, f, rules, _ = u.constants() + (0,)
    chosen, found = random.Random(1), 0
    for _ in range(20_000):
        s, e, n, by = 0, chosen.randrange(-12, 3), chosen.randrange(5), chosen.randrange(-3, 4)
        g = chosen.getrandbits(9) << chosen.randrange(4)
        g2 = (g << by if by >= 0 else sums.coarser(g, -by, 14)) ^ (chosen.random() < 0.2)
        said = (s, e, g, n, 14, s, e - by, g2, 20, f.lsb - 2, 1 << f.fraction_bits + 2)
        if sums.alike(*said):
            found += g2 << max(-by, 0) != g << max(by, 0)
            one, other = (definitions.result(*x, f, 0, rules) for x in (said[:3], said[5:8]))
            assert one == other, said
    assert found > 100


def test_what_is_doubled() -> None:
    for negative, lost, total in ((0, 0, 5), (0, 1, 5), (1, 0, 251), (1, 1, 251)):
        value = (total - 256 if negative else total) + lost / 2
        assert sums.doubled(total, 8, negative, lost) == abs(2 * value)


def test_integers_by_their_distance() -> None:
    """A sum of operands with one exponent given by the other is the sum."""
    t = Terms()
    executor = Executor(t, 60)
    base = executor.narrowed(Integer(executor, t.variable("e", 6), -32, 31), -20, 20)
    x, y = (executor.integer(t.variable(name, 5)) for name in "xy")
    s, e, g = executor.call(
        add_exact, 0, Relative(base, 0), x, 1, Relative(base, 3), executor.narrowed(y, 1, 31), 0, 9
    )
    assert isinstance(e, Relative)
    assert executor.compare(ast.Lt, Relative(base, 1), Relative(base, 3)) == 1
    absolute = executor.absolute(e)
    for seed in range(200):
        chosen = random.Random(seed)
        given = {"e": chosen.randrange(-20, 21), "x": chosen.randrange(1, 32)}
        given["y"] = chosen.randrange(1, 32)
        due = add_exact(0, given["e"], given["x"], 1, given["e"] + 3, given["y"], 0, 9)
        values = evaluate([s.term, absolute.term, g.term], given | {"e": given["e"] & 63})
        assert (values[0], signed(values[1], absolute.term.width), values[2]) == due
