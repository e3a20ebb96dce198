"""Units of a single code against published digests of results and flags, and their hardware."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.formats import Rounding
from tests.evidence import assert_rtl_equals_golden
from tests.tiers import few
from tests.units.test_division import digest, stimulus_of

INTEGRAL = {  # results and flags, to nearest even
    "e4m3fn": ("50ac58f0413095bc", "acef3ff321c21587"),
    "e5m2": ("6c4a20f275ee3d03", "3c4624ee1172237f"),
    "bf16": ("4c8332eef4c1e846", "ffeb01c6824810f3"),
    "fp16": ("db55b86771379914", "3ab31b2661a662d2"),
    "fp32": ("56b7d9b575b486bf", "c369a57c3be033d9"),
}


@pytest.mark.parametrize("name", INTEGRAL)
def test_published_digests_of_integral_values(name: str) -> None:
    u = hw.unit(f"roundint:a={name},flags=on")
    y, flags = u(*stimulus_of(u))
    assert (digest(y), digest(flags.astype(np.uint8))) == INTEGRAL[name]


DIRECTED = {"rup": "504c2a134cf28ecb", "rdn": "370c8a0a974fc016", "rtz": "8feadb713be454ed"}


@pytest.mark.parametrize("mode", DIRECTED)
def test_published_digests_of_integral_values_in_other_modes(mode: str) -> None:
    u = hw.unit(f"roundint:a=fp16,round={mode},flags=on")
    operands = stimulus_of(u)
    y, flags = u(*operands)
    assert digest(y) == DIRECTED[mode]
    assert digest(flags.astype(np.uint8)) == INTEGRAL["fp16"][1]
    by_port = hw.unit("roundint:a=fp16,round=port,flags=on")
    number = np.full(len(y), Rounding[mode.upper()])
    assert all((x == z).all() for x, z in zip(by_port(*operands, number), (y, flags), strict=True))


@pytest.mark.parametrize(
    ("name", "invalid", "inexact", "nan", "zero"),
    [("e4m3fn", 0, 144, 2, 98), ("e5m2", 2, 128, 6, 114)],
)
def test_how_many_integral_values(
    name: str, invalid: int, inexact: int, nan: int, zero: int
) -> None:
    u = hw.unit(f"roundint:a={name},flags=on")
    y, flags = u(u.a.codes())
    values = u.a.decode(y)
    assert [(flags == bit).sum() for bit in (16, 1)] == [invalid, inexact]
    assert [np.isnan(values).sum(), (values == 0).sum()] == [nan, zero]
    assert not hw.unit(f"roundint:a={name},flags=on,exact=off")(u.a.codes())[1].max() & 15


def test_integral_values_of_single_codes() -> None:
    u = hw.unit("roundint:a=fp16,flags=on")
    vectors = {0xB800: (0x8000, 1), 0xB801: (0xBC00, 1), 0x4100: (0x4000, 1)}
    vectors |= {0xFC00: (0xFC00, 0), 0x7D00: (0x7E00, 16), 0x8000: (0x8000, 0)}
    assert {a: u(a) for a in vectors} == vectors
    odd = hw.unit("roundint:a=e2m1fn,round=rto")
    assert [odd.a.decode_one(odd(a)) for a in range(8)] == [0, 1, 1, 1, 2, 3, 4, 6]


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "roundint:a=e5m2,round=port,flags=on",
            "roundint:a=e4m3fnuz,round=rup",
            "roundint:a=e4m3fn,flags=on",
            "roundint:a=e2m1fn,round=rto",
            "roundint:a=binary8p3se,round=rdn,flags=on",
            "roundint:a=ue4m3,round=rna",
            "roundint:a=e3m2fn,round=rtz,stages=1",
            "roundint:a=fp16,round=port,flags=on,stages=2",
            "roundint:a=bf16,flags=on,exact=off",
            "roundint:a=fp32,round=port,flags=on",
        ],
        2,
    ),
)
def test_hardware(spec: str) -> None:
    assert_rtl_equals_golden(spec)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("roundint:a=e2m3fn", "a: must be a float with a zero whose largest values are integers"),
        ("roundint:a=int8", "not int8; allowed: such as fp16"),
        ("roundint:a=e8m0fnu", "not e8m0fnu"),
        ("roundint:a=fp16,exact=off", "exact: it is about flag NX; set flags=on"),
        ("roundint:a=fp16,round=sra", "round: unknown value 'sra'"),
    ],
)
def test_what_is_refused(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(spec)
