"""Multiplication by powers of two against published digests, fractions and the multiplier, and its
hardware."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus
from hwarith.formats import ROUNDINGS, Rounding
from tests import flag_oracle, oracle, posits
from tests.digests import digest, stimulus_of
from tests.evidence import EXACT, assert_equal_on, assert_golden, compared, rows
from tests.tiers import few


def test_published_digests() -> None:
    u = hw.unit("scalb:a=fp16,by=int8,flags=after")
    y, flags = u(*stimulus_of(u))
    assert digest(y) == "73b215e144b6af6d"
    assert digest(flags.astype(np.uint8)) == "8ca2560081c7ff54"


def pairs(u: hw.Unit) -> list[np.ndarray]:
    """Every code of the operand with every exponent."""
    return [x.ravel() for x in np.meshgrid(*(f.codes() for f in u.operands.values()))]


def scaled(u: hw.Unit, a: np.ndarray, by: np.ndarray) -> np.ndarray:
    f, exponent = u.operands.values()
    return f.decode(a).astype(np.float64) * np.exp2(exponent.decode(by).astype(np.float64))


@pytest.mark.parametrize(
    "formats",
    few(
        [
            "a=e4m3fn,by=int7",
            "a=e5m2,by=int7,out=e4m3",
            "a=e4m3fnuz,by=int7",
            "a=e2m1fn,by=int7,out=e5m2",
            "a=e8m0fnu,by=int7",
            "a=e4m3,by=int7,out=e8m0fnu",
            "a=ue4m3,by=int7",
            "a=binary8p3se,by=int7",
            "a=fp16,by=int4,out=e3m2fn",
        ],
        3,
    ),
)
def test_every_code_by_every_exponent(formats: str) -> None:
    for policy in ("saturate", "satprop", "nosat"):
        for mode in ROUNDINGS:
            u = hw.unit(f"scalb:{formats},round={mode},overflow={policy}")
            a, by = pairs(u)
            x = scaled(u, a, by)
            want = oracle.round_values(x, u.results["y"], mode, policy, np.signbit(x))
            assert_golden(u, (a, by), want)


@pytest.mark.parametrize("out", ["fp16", "fp32"])
def test_exponents_about_the_ends_of_the_range(out: str) -> None:
    """Of fractions, with exponents about those beyond which nothing changes, and far off."""
    u = hw.unit(f"scalb:a=fp32,by=int32,out={out},round=port")
    rng = np.random.default_rng(1)
    some = np.concatenate([[1, 2, 0x7FFFFF, 0x800000, 0x7F7FFFFF], rng.integers(1, 0x7F800000, 20)])
    ends = [u.most + i for i in range(-40, 3)] + [2**31 - 1]
    for a in map(int, some):
        for n in ends:
            for k in (n, -n):
                mode = ROUNDINGS[(a + n) % len(ROUNDINGS)]
                y = u(a, k % 2**32, Rounding[mode.upper()])
                x = u.a.fraction(a) * Fraction(2) ** max(min(k, 500), -500)
                assert y == oracle.round_exact(x, u.out, mode, "nosat"), (a, k, mode)


@pytest.mark.parametrize("spec", ["a=e4m3fn", "a=e5m2", "a=fp16,out=e4m3", "a=e3m2fn,out=bf16"])
def test_flags(spec: str) -> None:
    rng = np.random.default_rng(2)
    for detected in ("after", "before"):
        for mode in ROUNDINGS:
            u = hw.unit(f"scalb:{spec},by=int7,round={mode},flags={detected}")
            operands = [rng.choice(f.codes(), 300) for f in u.operands.values()]
            found = u(*operands)[1]
            for a, by, flags in zip(*(x.tolist() for x in (*operands, found)), strict=True):
                assert flags == expected_flags(u, a, int(u.by.decode(by)), detected == "before")
            compared(EXACT, found.size)


def expected_flags(u: hw.Unit, a: int, n: int, before: bool) -> int:
    f, out = u.operands["a"], u.results["y"]
    x = flag_oracle.value(f, a)
    if isinstance(x, float):
        none = 0 if out.infinity else flag_oracle.NX
        if math.isinf(x):
            return none
        missing = flag_oracle.is_signaling(f, a) or out.nan == "none"
        return flag_oracle.NV if missing else 0
    mode = next(mode for mode in ROUNDINGS if f"round={mode}" in u.spec)
    return flag_oracle.of_result(x * Fraction(2) ** n, out, mode, before)


@pytest.mark.parametrize(
    "options",
    [
        "a=e5m2,out=e4m3,nan=payload,flags=after",
        "a=e4m3,subnormals=flush,flags=before",
        "a=e4m3fn,subnormals=daz",
        "a=fp16,subnormals=ftz,flags=after,out=e5m2",
        "a=e5m2,round=rto,overflow=p3109_satnone,out=binary8p4se,flags=after",
        "a=bf16,round=srb,n=5",
        "a=e4m3fn,round=port_sra,n=4,flags=after",
        "a=fp16,out=int8,round=rup,flags=after",
        "a=bf16,out=uint6,overflow=indefinite",
        "a=int8,out=fix4.4",
        "a=posit8",
        "a=posit8,out=e4m3fn",
        "a=e5m2,out=posit16",
    ],
)
def test_it_is_the_product_with_a_power_of_two(options: str) -> None:
    """In every option, flags too."""
    u = hw.unit(f"scalb:by=int7,{options}")
    product = hw.unit(f"mul:b=bf16,{options}{'' if 'out=' in options else f',out={u.out.name}'}")
    a, by, *others = stimulus(u, 1 << 16, seed=1)
    power = (u.by.decode(by).astype(int) + 127 << 7).astype(np.uint16)
    assert power.min() >= 1 << 7
    for x, y in zip(rows(u(a, by, *others)), rows(product(a, power, *others)), strict=True):
        np.testing.assert_array_equal(x, y)


def test_posits() -> None:
    u = hw.unit("scalb:a=posit8,by=int7")
    a, by = pairs(u)
    values = [posits.value(code, 8, 2) for code in range(256)]
    want = [
        posits.code_of(None if x is None else x * Fraction(2) ** int(n), 8, 2)
        for x, n in zip((values[code] for code in a), u.by.decode(by), strict=True)
    ]
    assert_golden(u, (a, by), np.array(want))


def test_it_undoes_logb() -> None:
    a = np.arange(1, 0x7C00, dtype=np.uint16)
    exponent = hw.unit("logb:a=fp16,out=int16")(a)
    y = hw.unit("scalb:a=fp16")(a, -exponent.astype(np.int64) & 0xFFFF)
    values = hw.format("fp16").decode(y)
    assert values.min() == 1
    assert values.max() < 2


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "scalb:a=e4m3fn,by=int8,flags=after",
            "scalb:a=e5m2,by=int8,round=port,flags=before",
            "scalb:a=posit8,by=int8",
            "scalb:a=fp16,by=int16,out=e4m3",
            "scalb:a=e4m3,by=uint6,out=fp16",
            "scalb:a=e8m0fnu,by=int9",
            "scalb:a=e8m0fnu,by=int5,out=e4m3",
            "scalb:a=e4m3,by=int9,out=e8m0fnu",
            "scalb:a=e4m3fn,by=int2,flags=after",
            "scalb:a=e5m2,by=int8,round=srb,n=5",
            "scalb:a=e2m1fn,by=int4,out=e5m2",
            "scalb:a=e2m5,by=int2,out=e4m1",
            "scalb:a=e4m3,by=int8,subnormals=daz",
            "scalb:a=fp16,by=uint4,out=e4m3fn,flags=after",
            "scalb:a=posit8,by=int8,out=e4m3",
            "scalb:a=e5m2,by=int7,out=posit8",
            "scalb:a=e4m3fn,by=int8,out=int8,flags=after",
            "scalb:a=int8,by=int6",
            "scalb:a=fix4.4,by=int8,out=e5m2,flags=before",
            "scalb:a=e4m3fn,by=int8,subnormals=flush,flags=after",
            "scalb:a=fp16,by=int8,subnormals=ftz,flags=after,round=port",
            "scalb:a=ue4m3,by=int8,overflow=saturate",
            "scalb:a=e4m3fnuz,by=int8,round=rup,overflow=satprop",
            "scalb:a=binary8p3se,by=int8,round=rto,overflow=p3109_satnone,flags=after",
            "scalb:a=fp16,by=int8,nan=payload,out=bf16,flags=after",
            "scalb:a=fp32,by=int16,round=port_sra,n=7,flags=before",
            "scalb:a=fp32,out=fp16,stages=2",
            "scalb:a=bf16,by=int64,out=fp64",
            "scalb:a=e2m1fn,by=int1",
            "scalb:a=fp32,by=int16,out=int32,overflow=indefinite,flags=after",
        ],
        7,
    ),
)
def test_hardware(spec: str) -> None:
    u = hw.unit(spec)
    assert_equal_on(u, *stimulus(u, 1 << 18, seed=5))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "scalb:by=fp16",
            "scalb: parameter by: must be an integer format, not fp16; allowed: such",
        ),
        ("scalb:by=fix4.4", "by: must be an integer format, not fix4.4"),
        ("scalb:by=posit8", "by: must be an integer format, not posit8"),
        ("scalb:a=posit8,flags=after", "flags: posits as posit8 have no exception flags"),
        ("scalb:out=int8,overflow=wrap", "overflow: "),
        ("scalb:a=e4m3,n=3", "n: rounding rne takes no random bits"),
    ],
)
def test_what_is_refused(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(spec)
