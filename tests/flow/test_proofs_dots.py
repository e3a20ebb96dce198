"""Proofs of units whose operands are lanes."""

from __future__ import annotations

import random
import re

import pytest

import hwarith as hw
from hwarith.flow.proofs import netlist, products
from hwarith.flow.proofs.specification import definition, operands, replayed
from hwarith.flow.proofs.terms import Terms, evaluate
from hwarith.flow.proofs.trees import Undone
from hwarith.flow.verilog import verilog
from hwarith.units.blocks import LaneUnit
from tests.flow.terms import assert_terms_give
from tests.tiers import few

BLOCKS = (
    "dot:a=e2m1fn,n=4,scale=ue4m3,block=2,c=fp32,out=fp32",
    "dot:a=e4m3fn,n=3,c=fp16,out=fp16,acc=seq",
    "dot:a=e5m2,n=5,c=fp32,out=fp32,acc=pairwise,subnormals=zero",
    "dot:a=e5m2,n=2,scale=e8m0fnu,block=1,c=none,out=fp16,acc=seq",
    "dot:preset=ada-e5m2-fp16",
    "dot:preset=cdna3-fp16-fp32",
    "dot:a=e4m3fn,n=8,acc=halves-25,c=fp32,out=fp32",
    "dot:a=e5m2,n=2,out=exact",
    "dot:a=int8,n=3",
    "blockquant:out=mxfp4,a=bf16,n=3",
    "blockquant:out=mxint8,a=fp32,n=3,rule=floor,round=srb",
    "nvfp4quant:a=bf16,n=3",
    "hadamard:n=4,a=bf16,span=8",
)


@pytest.mark.parametrize("spec", BLOCKS)
def test_definitions_of_blocks(spec) -> None:
    """The definition of a whole block gives what the unit does."""
    u = hw.unit(spec)
    assert isinstance(u, LaneUnit)
    function, constants = definition(u)
    several = u.family == "hadamard" or len(u.results) > 1
    chosen = random.Random(1)
    for _ in range(60):
        given = {name: chosen.getrandbits(f.bits) for name, f in u.operands.items()}
        if chosen.random() < 0.7:  # exponents near to each other
            given = {n: x & ~(0x55555555 << 3) | 0x2222 << 9 for n, x in given.items()}
            given = {n: x & (1 << u.operands[n].bits) - 1 for n, x in given.items()}
        codes = operands(u, given, lambda x, place, bits: x >> place & (1 << bits) - 1)
        said = function(*u.arguments(codes), *constants)
        if u.family == "dot" and len(u.results) > 1:
            bits = u.results["y"].bits
            said = said & (1 << bits) - 1, said >> bits
        golden = u.golden(*codes)
        assert [*said] == [*golden] if several else said == golden


@pytest.mark.parametrize("spec", few(BLOCKS, 7))
def test_blocks_as_terms(spec) -> None:
    """Terms of definition and Verilog give what the unit does."""
    u = hw.unit(spec)
    assert_terms_give(u, lambda given: tuple(replayed(u, given).values()), 20)


NVFP4 = "dot:a=e2m1fn,n={},scale=ue4m3,c=none,out=fp32"


@pytest.mark.parametrize(
    "spec",
    [
        NVFP4.format(4),
        pytest.param("blockquant:out=mxfp4,a=bf16,n=2", marks=pytest.mark.long),
        pytest.param(NVFP4.format(16), marks=pytest.mark.long),
        pytest.param("dot:a=e4m3fn,n=4,c=none,out=fp32", marks=pytest.mark.long),
    ],
)
def test_proved(spec) -> None:
    proof = hw.prove(spec, jobs=1, timeout=120)
    assert proof.verdict == "proven", proof
    if "scale=ue4m3" in spec:
        assert "total is a sum of the definition, lane by lane" in proof.lemmas


@pytest.mark.parametrize(
    ("spec", "pattern", "by"),
    [
        pytest.param(
            NVFP4.format(4),
            r"assign y = (.*?);",
            r"assign y = (\1) ^ {31'd0, a == 16'h1357 \&\& sb == 8'h31};",
            id="two operands",
        ),
        pytest.param(
            NVFP4.format(2), r"(scaled_row7 = inverted & \{\d+\{scale_rows\[)7", r"\g<1>6", id="row"
        ),
        pytest.param(NVFP4.format(4), r"(sum0_stage1_sum0_0 = \w+) \^", r"\1 |", id="full adder"),
        pytest.param(NVFP4.format(2), r"mixed_signs = (.*?);", "mixed_signs = 0;", id="zero"),
        pytest.param(
            "blockquant:out=mxfp4,a=bf16,n=2", r"(lane1_\w+) & ", r"\1 | ", id="quantizer"
        ),
    ],
)
def test_faults_are_refuted(spec, pattern, by) -> None:
    u = hw.unit(spec)
    text, count = re.subn(pattern, by.replace(r"\&", "&"), verilog(u), count=1, flags=re.DOTALL)
    assert count == 1
    proof = hw.prove(u, verilog=text, jobs=1, timeout=60)
    assert proof.verdict == "refuted", proof
    assert proof.golden == replayed(u, proof.counterexample) != proof.rtl


def test_a_tree_is_the_sum_of_its_lanes() -> None:
    """Bits with weights have the sum of a tree, whose count of signs is another tree."""
    t, u = Terms(), hw.unit(NVFP4.format(4))
    inputs = {name: t.variable(name, f.bits) for name, f in u.inputs.items()}
    circuit = netlist.circuit(netlist.netlist(verilog(u), u.name), t, inputs)
    undone = Undone(t, circuit, "total")
    names = {id(x): name for name, x in circuit.wires.items()}
    of = {names[id(word)] for word, _ in undone.sum}
    assert of == {
        f"{name}{i}{end}" for i in range(4) for name, end in (("sign", ""), ("product", "_by4"))
    }
    total = t.apply(
        "bvadd", undone.as_word(undone.sum), t.const(undone.constant, undone.word.width)
    )
    for seed in range(10):
        chosen = random.Random(seed)
        given = {name: chosen.getrandbits(x.width) for name, x in inputs.items()}
        assert len(set(evaluate([undone.word, total], given))) == 1


def test_facts_of_the_next_product() -> None:
    t = Terms()
    x, u, y = t.variable("x", 3), t.variable("u", 3), t.variable("y", 2)
    p, q = t.variable("p", 5), t.variable("q", 5)
    both = [products.Product(p, (x, y)), products.Product(q, (u, y))]
    known = t.all_of(products.facts(t, both))
    for a in range(8):
        for b in range(8):
            for c in range(4):
                given = {"x": a, "u": b, "y": c, "p": a * c, "q": b * c}
                assert evaluate([known], given) == [1]
    assert evaluate([known], {"x": 6, "u": 5, "y": 3, "p": 18, "q": 16}) == [0]
