"""The hardware against the golden model, through the compiled simulation."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus
from hwarith.formats import ROUNDINGS
from hwarith.units.exact.options import ROUNDING_CHOICES
from hwarith.units.flags import FLAGS
from tests import oracle
from tests.evidence import assert_equal_on, assert_rtl_equals_golden, rows
from tests.tiers import few
from tests.units.test_exact import SMALL_FORMATS

INTEGERS = ("int4", "int8", "uint5", "int16", "uint1")


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "mul:a=e4m3fn",
            "mul:a=e5m2,round=rto",
            "add:a=binary8p4se,round=port",
            "mul:a=e3m2,out=binary4p1se,round=port_sra,n=2,flags=after",
            "fma:a=binary4p1se,b=e2m2,c=e2m1,out=binary4p1se,round=port,flags=before,subnormals=ftz",
            "mul:a=e5m2,b=e3m2,out=e2m1fn,flags=after",
            "add:a=e3m2,b=e4m3,out=e4m3fn,round=port,flags=before,subnormals=flush",
            "fma:a=e3m2,overflow=saturate,flags=before,subnormals=ftz,round=port_srb,n=3",
            "mul:a=binary8p4ue,b=e4m3,round=port,overflow=p3109_satnone",
            "mul:a=e2m1fn,b=e8m0fnu,out=bf16",
            "mul:a=fp32",
            "mul:a=bf16,round=rup,stages=2",
            "mul:a=e3m2fn,out=e2m1fn,stages=8",
            "mul:a=int8,out=int16",
            "mul:a=int8,b=uint4,out=int7,overflow=saturate,stages=1",
            "add:a=e4m3fn,round=rdn",
            "add:a=e5m2fnuz",
            "add:a=fp32",
            "add:a=bf16,b=fp32,out=fp32",
            "add:a=fp32,b=e4m3fn,out=e5m2,round=rna",
            "add:a=fp16,stages=3",
            "add:a=uint8,b=int8,out=uint8,overflow=saturate",
            "fma:a=e4m3fn",
            "fma:a=e5m2,round=rtz,stages=4",
            "fma:a=fp32",
            "fma:a=bf16,b=bf16,c=fp32,out=fp32",
            "fma:a=e4m3fn,b=e5m2,c=fp16,out=bf16,stages=3",
            "fma:a=e4m3fn,c=fp32,out=e6m9",
            "fma:a=int8,b=int8,c=int32,out=int32,stages=2",
            "fma:a=ue4m3,b=e2m1fn,c=fp32,out=fp32,overflow=saturate",
            "lmul:format=bf16",
            "lmul:format=e4m3fn,k=2,krnd=rne",
            "lmul:format=e4m3fn,sat=0",
            "lmul:format=fp16,k=4,krnd=rne,sat=1,zero_pos=1,stages=2",
            "lmul:format=fp32,k=6",
            "lmul:format=e5m2fnuz",
            "lmul:format=e2m1fn",
            "lmul:format=bf16,ofs=77,k=3,stages=3",
        ],
        4,
    ),
)
def test_equal(spec: str) -> None:
    assert_rtl_equals_golden(spec)


@pytest.mark.parametrize(
    "spec",
    few(
        [
            # the mode on a port, random bits, flags
            "mul:a=e4m3,round=port,flags=before",
            "mul:a=fp32,round=port,flags=after,stages=3",
            "mul:a=fp16,round=srb,n=6",
            "mul:a=e5m2,round=port_sra,n=1,flags=after",
            "add:a=fp16,op=sub,round=port,flags=after",
            "add:a=e5m2,round=src,n=3,op=port",
            "fma:a=e4m3,op=port,round=port_src,n=4,flags=after",
            "fma:a=e4m3,op=nmsub,flags=before",
            "fma:a=e2m1fn,round=port,flags=after",
            "mul:a=e5m2fnuz,round=port,flags=after",
            # subnormals, NaN, overflow
            "mul:a=e5m2,subnormals=daz",
            "mul:a=e5m2,subnormals=ftz",
            "mul:a=e3m2fn,b=e8m0fnu,out=e3m4,subnormals=flush",
            "mul:a=e5m2,out=e2m3fn,nan=payload",
            "mul:a=e8m0fnu,subnormals=flush",
            "mul:a=fp16,subnormals=flush,flags=after",
            "mul:a=e4m3,subnormals=ftz,round=port_srb,n=3",
            "add:a=fp16,subnormals=flush,round=rup",
            "add:a=e4m3,subnormals=ftz,round=sra,n=4,flags=after",
            "fma:a=bf16,subnormals=ftz,flags=after",
            "fma:a=e5m2,subnormals=daz,round=port,flags=after",
            "mul:a=fp16,nan=payload",
            "add:a=bf16,b=fp16,out=fp32,nan=payload,flags=after",
            "fma:a=fp16,b=bf16,c=fp32,out=bf16,nan=payload,flags=after,stages=2",
            "mul:a=fp16,overflow=nan",
            "add:a=e5m2,overflow=nan,round=port",
            "mul:a=e2m3fn,overflow=nan",
            # integers and negation
            "mul:a=fp16,b=int4,out=fp16",
            "mul:a=int8,b=int8,out=fp16",
            "add:a=fp16,b=int8",
            "add:a=int16,b=uint8,out=bf16",
            "fma:a=fp16,b=int4,c=fp32,out=fp32",
            "fma:a=int8,b=uint4,c=int8,out=fp16,flags=after",
            "fma:a=e4m3,b=int4,c=int8,out=e5m2",
            "fma:a=int4,b=e4m3,c=fp16,out=fp16,subnormals=flush,round=rup",
            "fma:a=int8,op=port,out=int16",
            "add:a=uint8,op=sub,out=int16",
            "fma:a=uint12,b=uint14,c=uint30,out=uint31",
            "fma:a=uint6,c=uint20,out=uint20,booth=on",
            "fma:a=e4m3,booth=on,adder=blocks",
            "mul:a=fp16,booth=off,adder=ripple",
            "fma:a=fp16,optimize=delay",
            "fma:a=e5m2,b=e4m3,c=fp16,out=e4m3fn,optimize=delay",  # subnormals below the result's
            "fma:a=fp16,c=fp32,out=e5m2,optimize=delay,subnormals=flush",
            "fma:a=e4m3fn,b=int8,c=bf16,out=bf16,optimize=delay,subnormals=daz",
            "fma:a=e3m4,c=fp16,out=e3m2,optimize=delay,flags=before,op=port,round=port",
            "fma:a=e5m2,c=e5m2,out=e5m2,round=srb,optimize=delay,stages=2",
            "fma:a=e4m3,out=e8m0fnu,optimize=delay",
            "fma:a=bf16,c=fp32,out=fp32,optimize=delay",
            "fma:a=fp32,optimize=delay",
            "fma:a=uint4,b=int4,c=int8,op=nmadd,out=int8,overflow=saturate",
        ],
        6,
    ),
)
def test_equal_with_options(spec: str) -> None:
    assert_rtl_equals_golden(spec)


@pytest.mark.parametrize("out", few(["fp16", "e2m3fn", "ue4m3"], 3))
@pytest.mark.parametrize("mode", few(["port", "rtz", "rto"], 3))
def test_sums_one_beyond_the_largest_value(mode: str, out: str) -> None:
    """A negative sum that is exact is truncated to one less, and that may be the largest value."""
    u = hw.unit(f"fma:a=e4m3fn,c=fp32,out={out},op=nmadd,round={mode}")
    beyond = oracle.beyond(u.out)
    near = np.array([-beyond, beyond, -u.out.max, -(beyond + u.out.max) / 2, 0], object)
    products = np.array([0.0, 2.0**-9, -(2.0**-9)])
    grid = np.meshgrid(u.a.encode(products), u.c.encode(near), np.arange(8), indexing="ij")
    a, c, rm = (x.ravel() for x in grid)
    one = int(u.b.encode(1.0))
    assert_equal_on(u, a, one, c, *([rm] if mode == "port" else []))


@pytest.mark.long
@pytest.mark.parametrize("mode", ROUNDINGS)
@pytest.mark.parametrize("name", SMALL_FORMATS)
@pytest.mark.parametrize("family", ["mul", "add"])
def test_every_pair_in_every_mode(family: str, name: str, mode: str) -> None:
    assert_rtl_equals_golden(f"{family}:a={name},round={mode}")


@pytest.mark.long
@pytest.mark.parametrize(
    "spec",
    [f"fma:a={name},round={mode}" for name in ("e2m1fn", "e2m3fn", "e3m2fn") for mode in ROUNDINGS]
    + [f"fma:a={name}" for name in ("e4m3fn", "e4m3", "e5m2", "e4m3fnuz")],
)
def test_every_triple(spec: str) -> None:
    assert_rtl_equals_golden(spec, vectors=1 << 24)


@pytest.mark.long
@pytest.mark.parametrize("name", ["fp16", "bf16", "fp32"])
@pytest.mark.parametrize("family", ["mul", "add", "fma"])
@pytest.mark.parametrize("options", ["", ",round=port,flags=after", ",round=port,flags=before"])
def test_ten_million_vectors(family: str, name: str, options: str) -> None:
    assert_rtl_equals_golden(f"{family}:a={name}{options}", vectors=10_000_000)


@pytest.mark.long
@pytest.mark.parametrize("name", ["e4m3fn", "e5m2", "fp16", "bf16", "fp32"])
@pytest.mark.parametrize("krnd", ["trunc", "rne"])
def test_lmul_of_every_width(name: str, krnd: str) -> None:
    for k in range(1, hw.format(name).fraction_bits + 1, 2 if name == "fp32" else 1):
        assert_rtl_equals_golden(f"lmul:format={name},k={k},krnd={krnd}", 1 << 20)


def random_spec(rng: random.Random) -> str:
    """Any family on any mix of formats, with any options that go together."""
    names = [*SMALL_FORMATS, "fp32", "tf32", "fp16", "bf16", "e6m9", "e7m3fnuz", *INTEGERS]
    while True:
        family = rng.choice(["mul", "add", "fma"])
        mode = rng.choice([*ROUNDINGS, *ROUNDING_CHOICES])
        parameters = {name: rng.choice(names) for name in ("a", "b", "out")} | {
            "round": mode,
            "overflow": rng.choice(["nosat", "satprop", "saturate", "nan"]),
            "subnormals": rng.choice(["keep", "keep", "daz", "ftz", "flush"]),
            "nan": rng.choice(["canonical", "payload"]),
            "flags": rng.choice(FLAGS),
            "stages": str(rng.choice([0, 0, 0, 1, 3, 8])),
        }
        if "sr" in mode:
            parameters["n"] = str(rng.choice([1, 2, 3, 5, 9]))
        if family == "fma":
            parameters["c"] = rng.choice(names)
            parameters["op"] = rng.choice(["madd", "msub", "nmsub", "nmadd", "port"])
        if family == "add":
            parameters["op"] = rng.choice(["add", "sub", "port"])
        spec = f"{family}:" + ",".join(f"{name}={value}" for name, value in parameters.items())
        try:
            return hw.unit(spec).spec
        except hw.InvalidInput:
            continue


@pytest.mark.parametrize("seed", few(range(8), 3))
def test_random_mixed_formats(seed: int) -> None:
    assert_rtl_equals_golden(random_spec(random.Random(seed)), vectors=1 << 16)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 300))
def test_many_random_mixed_formats(seed: int) -> None:
    assert_rtl_equals_golden(random_spec(random.Random(seed)))


def mutants(text: str, count: int) -> list[str]:
    """The Verilog with one signal inverted, for `count` signals spread over the text, but none of
    the handshake."""
    definition = r"((?:assign|wire(?: \[[^]]*\])?) \w+ =) (?![^;]*(?:valid|ready))([^;]+);"
    found = list(re.finditer(definition, text))
    chosen = found[:: max(1, len(found) // count)]
    return [f"{text[: m.start()]}{m[1]} ~({m[2]});{text[m.end() :]}" for m in chosen]


def unseen_faults(u: hw.Unit, operands: tuple[np.ndarray, ...], count: int = 4) -> list[str]:
    """The changed lines of those `mutants` whose results are right for all of these operands."""
    text, want = hw.verilog(u), rows(u(*operands))
    unseen = []
    for mutant in mutants(text, count):
        got = rows(hw.simulate(u, verilog=mutant)(*operands))
        if all(map(np.array_equal, got, want)):
            unseen += set(mutant.splitlines()) - set(text.splitlines())
    return unseen


@pytest.mark.parametrize("spec", few(["mul:a=e4m3fn", "add:a=e4m3fn", "fma:a=e2m3fn"], 3))
def test_injected_faults_are_found(spec: str) -> None:
    """Every input is tried: a signal that is listed here makes no difference to any result."""
    u = hw.unit(spec)
    operands = stimulus(u, 1 << 18, seed=1)
    assert operands[0].size == 1 << sum(f.bits for f in u.operands.values())
    assert unseen_faults(u, operands) == []


def test_a_fault_that_makes_no_difference_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    u = hw.unit("decode:type=e3m3,out=sig")
    text = hw.verilog(u)
    same = text.replace("endmodule", "  wire unused = 1'b0;\nendmodule", 1)
    monkeypatch.setattr(f"{__name__}.mutants", lambda *_: [same])
    (f,) = u.operands.values()
    assert unseen_faults(u, (f.codes(),)) == ["  wire unused = 1'b0;"]
