"""Proofs: small units for every input, planted faults refuted, and what the parts rest on."""

from __future__ import annotations

import ast
import random
import re
import sys
from dataclasses import replace

import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput, MissingTool, ToolFailure
from hwarith.flow.proofs import netlist, products, smtlib, solvers
from hwarith.flow.proofs.cases import Answer, Question, Run
from hwarith.flow.proofs.integers import Integers
from hwarith.flow.proofs.provable import is_provable
from hwarith.flow.proofs.specification import specification
from hwarith.flow.proofs.terms import Terms, evaluate
from hwarith.flow.proofs.theory import in_theory
from hwarith.flow.verilog import verilog
from hwarith.units.transfers import Transfers
from tests.flow.terms import assert_terms_give
from tests.small_units import OF_EACH_FAMILY, SPECS
from tests.tiers import few

PROVABLE = [
    spec
    for spec in SPECS
    if type((u := hw.unit(spec)).transfers) is Transfers and is_provable(u) and not u.stages
]

PROVED = (
    "mul:a=e4m3fn",
    "mul:a=fp16",
    "mul:a=bf16,round=port,flags=after",
    "mul:a=bf16,stages=3",
    "mul:a=bf16,stages=2",  # its lowest bits are in registers of their own
    "mul:a=fp16,stages=2",  # its last adder has registers within
    "mul:a=fp32,stages=2",
    "mul:a=fp32,stages=4",  # its full adders stand on both sides of registers
    "mul:a=e5m2,round=sra,n=4,overflow=saturate",
    "add:a=e3m2fn",
    "add:a=e2m1fn,op=port,round=port",
    "add:a=e4m3fnuz,subnormals=flush",
    "add:a=binary8p4sf,round=rto",
    "fma:a=e2m1fn,c=e4m3fn,out=e4m3fn",
    "convert:a=fp16,out=e4m3fn",
    "convert:a=fp32,out=e8m0fnu,round=rup",
    "cmp:a=bf16",
    "minmax:a=fp32,op=max",
    "lmul:format=fp16,stages=2",
    "pam:format=bf16",
    "mul:a=e8m0fnu,out=e4m3fn",
    "div:a=e4m3fn,round=port,flags=after",
    "sqrt:a=fp16",
    "rsqrt:a=bf16",
    "recip:a=e4m3fn,subnormals=flush,stages=2",
)


@pytest.mark.parametrize("spec", few(PROVED, 5))
def test_proved(spec) -> None:
    proof = hw.prove(spec, jobs=1)
    assert proof.verdict == "proven", proof
    assert not proof.counterexample
    assert "proven for every input" in str(proof)


@pytest.mark.parametrize("spec", few(PROVABLE, 2))
def test_definitions_and_circuits_as_terms(spec) -> None:
    """What is proved equal is what it says: terms give what definition and Verilog do."""
    u = hw.unit(spec)
    assert_terms_give(u, lambda given: u.golden(*(given[name] for name in u.operands)), 40)


def refuted(spec: str, pattern: str, by: str) -> None:
    """A fault put into a unit's Verilog is refuted, by operands for which it is one."""
    u = hw.unit(spec)
    text, count = re.subn(pattern, by, verilog(u), count=1, flags=re.DOTALL)
    assert count == 1
    proof = hw.prove(u, verilog=text, jobs=1)
    assert proof.verdict == "refuted"
    given = [proof.counterexample[name] for name in u.operands]
    assert proof.golden == {"y": u.golden(*given)} != proof.rtl


@pytest.mark.parametrize(
    ("spec", "pattern", "by"),
    [
        pytest.param("mul:a=fp16", r"(row3 = a_significand & \{11\{b\[)3", r"\g<1>2", id="row"),
        pytest.param("mul:a=fp16", r"(stage2_sum0_3 = \w+) \^", r"\1 |", id="full adder"),
        pytest.param(
            "mul:a=fp32",
            r"(product_rows_block7\b.*?)\+",
            r"\1-",
            id="last adder",
            marks=pytest.mark.long,
        ),
        pytest.param("add:a=bf16", r"nan = operand_nan \|", "nan = operand_nan &", id="nan"),
        pytest.param(
            "add:a=bf16", r"(sticky = .*?)\|", r"\1&", id="sticky", marks=pytest.mark.long
        ),
        pytest.param("convert:a=fp16,out=e4m3fn", r"guard & \(", "guard | (", id="tie"),
    ],
)  # fmt: skip
def test_faults_are_refuted(spec, pattern, by) -> None:
    refuted(spec, pattern, by)


@pytest.mark.parametrize(
    ("pattern", "by"),
    few(
        [
            (r"i_ready = ready_1 & ~rst", "i_ready = ready_1"),
            (r"(valid_2 <= )valid_1", r"\1offered"),
            (r"ready_1 = ~valid_1 \|", "ready_1 = valid_1 |"),
            (r"if \(ready_2\) begin(\s+\w+_r2 <=)", r"if (ready_1) begin\1"),
        ],
        4,
    ),
)
def test_faults_of_the_handshake(pattern, by) -> None:
    u = hw.unit("lmul:format=bf16,stages=2")
    text, count = re.subn(pattern, by, verilog(u), count=1)
    assert count == 1
    proof = hw.prove(u, verilog=text, jobs=1)
    assert proof.verdict == "undecided"
    assert "the registers are no chain of ranks" in str(proof)


def test_divisions_are_read() -> None:
    t = Terms()
    text = (
        "module m (input [7:0] a, input [3:0] b, output [2:0] q, output [3:0] r);"
        "assign q = a / b; assign r = a % b; endmodule"
    )
    a, b = t.variable("a", 8), t.variable("b", 4)
    read = netlist.circuit(netlist.netlist(text, "m"), t, {"a": a, "b": b})
    for given in ({"a": 201, "b": 13}, {"a": 255, "b": 1}, {"a": 7, "b": 9}):
        x, y = given.values()
        assert evaluate(list(read.outputs.values()), given) == [x // y & 7, x % y]


def test_products_are_found() -> None:
    t = Terms()
    u = hw.unit("mul:a=fp32")
    inputs = {name: t.variable(name, f.bits) for name, f in u.inputs.items()}
    found = products.sum_of_products(
        t, netlist.circuit(netlist.netlist(verilog(u), u.name), t, inputs)
    )
    assert found is not None
    assert [x.width for x in found.factors] == [24, 24]
    for seed in range(20):
        chosen = random.Random(seed)
        given = {"a": chosen.getrandbits(32), "b": chosen.getrandbits(32)}
        product, a, b = evaluate([found.word, *found.factors], given)
        assert product == a * b


def test_facts_of_products_are_true() -> None:
    t = Terms()
    a, b = t.variable("a", 4), t.variable("b", 3)
    word = t.variable("p", 7)
    known = t.all_of(products.facts(t, [products.Product(word, (a, b))]))
    other = t.negation(known)
    for x in range(16):
        for y in range(8):
            assert evaluate([known, other], {"a": x, "b": y, "p": x * y}) == [1, 0]
    assert evaluate([known], {"a": 0, "b": 5, "p": 1}) == [0]
    assert evaluate([known], {"a": 8, "b": 5, "p": 39}) == [0]


def test_what_a_word_does_not_hold_is_a_misuse() -> None:
    t = Terms()
    n = Integers(t, 6)
    x = n.integer(t.variable("x", 5))
    n.binary(ast.LShift, x, 2)
    found = [evaluate(n.misuses, {"x": value}) for value in (7, 8, 31)]
    assert found == [[0], [1], [1]]


def asked(solver: str, script: str) -> dict:
    return solvers.answer({"solver": solver, "script": script, "seconds": 20, "left": 60})


@pytest.mark.parametrize("solver", solvers.SOLVERS)
def test_solvers_agree(solver) -> None:
    t = Terms()
    x, y = t.variable("x", 8), t.variable("y", 8)
    total = t.apply("bvadd", x, y)
    same = t.equal(total, t.apply("bvadd", t.apply("bvxor", x, y), t.const(4, 8)))
    said = asked(solver, smtlib.script([same]))
    assert said["verdict"] == "sat"
    assert evaluate([same], said["model"]) == [1]
    never = t.negation(t.equal(t.apply("bvsub", total, y), x))
    said = asked(solver, smtlib.script([never]))
    assert said["verdict"] == "unsat"


def test_bad_input(monkeypatch) -> None:
    with pytest.raises(InvalidInput, match=r"timeout must be a number of seconds, not 0"):
        hw.prove("mul:a=e4m3fn", timeout=0)
    with pytest.raises(InvalidInput, match=r"has a memory or parts"):
        hw.prove(OF_EACH_FAMILY["kulisch"])
    monkeypatch.setitem(sys.modules, "bitwuzla", None)
    with pytest.raises(MissingTool, match=r"bitwuzla, which a proof needs, is not"):
        hw.prove("mul:a=e4m3fn")


def test_undecided_in_time() -> None:
    proof = hw.prove("fma:a=bf16", timeout=2, jobs=1)
    assert proof.verdict == "undecided"
    assert proof.open
    assert str(replace(proof, open=("x",))).endswith(" s; 1 case is open: x")
    assert str(replace(proof, open=(*"abcd",))).endswith(" s; 4 cases are open: a, b, c")


@pytest.mark.parametrize(
    "spec",
    few(
        ["mul:a=e5m2", "add:a=e5m2,round=rup", "mul:a=e4m3,out=fp16"]
        + ["convert:a=fp32,out=bf16,round=rna"],
        3,
    ),
)
def test_definitions_are_those_of_the_theory(spec) -> None:
    proof = hw.prove(spec, theory=True, jobs=1)
    assert (proof.verdict, proof.theory) == ("proven", "equal")
    assert "in SMT-LIB's theory: equal" in str(proof)


def test_another_mode_is_not_that_of_the_theory() -> None:
    t = Terms()
    u = hw.unit("mul:a=e5m2")
    inputs = {name: t.variable(name, f.bits) for name, f in u.inputs.items()}
    golden, _ = specification(u, t, inputs)
    same = in_theory(hw.unit("mul:a=e5m2,round=rtz"), t, inputs, golden)
    assert same is not None
    said = asked("bitwuzla", smtlib.script([t.negation(same)]))
    given = said["model"]["a"], said["model"]["b"]
    assert u.golden(*given) != hw.unit("mul:a=e5m2,round=rtz").golden(*given)


@pytest.mark.parametrize(
    "spec", ["mul:a=e4m3fn", "mul:a=e5m2,round=rto", "add:a=fp16,out=e5m2", "lmul:format=bf16"]
)
def test_not_in_the_theory(spec) -> None:
    with pytest.raises(InvalidInput, match="is not in SMT-LIB's theory of floating point"):
        hw.prove(spec, theory=True)


def test_both_solvers_decide() -> None:
    proof = hw.prove("mul:a=e3m2fn", both=True, jobs=1)
    assert proof.verdict == "proven"
    assert proof.solvers["bitwuzla"] == proof.solvers["z3"] >= 2


def test_solvers_that_disagree() -> None:
    t = Terms()
    run = Run(10, both=True)
    said: list[Answer] = []

    def steps():
        said.append((yield question))

    question = Question("the whole", (t.variable("x", 1),), 8)
    once = steps()
    run.add(once)
    run.answered(once, question, "bitwuzla", {"verdict": "unsat"})
    assert [answer.verdict for answer in said] == ["unsat"]
    with pytest.raises(ToolFailure, match="z3 has a counterexample, which bitwuzla says"):
        run.answered(once, question, "z3", {"verdict": "sat", "model": {"x": 1}})
    with pytest.raises(ToolFailure, match="bitwuzla: no memory"):
        run.answered(once, question, "bitwuzla", {"error": "no memory"})
