"""Proofs of units whose operands are lanes."""

from __future__ import annotations

import random

import pytest

import hwarith as hw
from hwarith.flow.proofs import netlist
from hwarith.flow.proofs.specification import definition, operands, replayed, specification
from hwarith.flow.proofs.terms import Terms, evaluate
from hwarith.flow.verilog import verilog
from hwarith.units.blocks import LaneUnit
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


@pytest.mark.parametrize("spec", few(BLOCKS, 4))
def test_blocks_as_terms(spec) -> None:
    """Terms of definition and Verilog give what the unit does."""
    u = hw.unit(spec)
    t = Terms()
    inputs = {name: t.variable(name, f.bits) for name, f in u.inputs.items()}
    golden, executor = specification(u, t, inputs)
    circuit = netlist.circuit(netlist.netlist(verilog(u), u.name), t, inputs)
    rtl = t.concat(*(circuit.outputs[name] for name in reversed(u.results)))
    misuse = t.any_of(executor.misuses)
    for seed in range(20):
        chosen = random.Random(seed)
        given = {name: chosen.getrandbits(x.width) for name, x in inputs.items()}
        packed, place = 0, 0
        for (_, f), code in zip(u.results.items(), replayed(u, given).values(), strict=True):
            packed, place = packed | code << place, place + f.bits
        assert evaluate([golden, rtl, misuse], given) == [packed, packed, 0]
