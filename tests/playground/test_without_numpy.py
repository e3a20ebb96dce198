"""Golden models, formats and Verilog on plain Python: neither numpy nor numba is imported."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import hwarith as hw
from hwarith.units import FAMILIES
from hwarith.units.text import codes_of_texts

UNITS = [
    ("mul:a=e4m3fn", [0x3B, 0x3D]),
    ("mul:a=e2m1fn,out=e4m3fn,round=sra,n=3", [3, 5, 6]),
    ("add:a=e4m3fn,round=rup,op=sub", [0x3B, 0x21]),
    ("fma:a=e2m1fn,c=fp16,out=fp16,round=port,flags=after", [3, 5, 0x3C01, 3]),
    ("mul:a=int4,out=int8", [7, 9]),
    ("convert:a=fp16,out=e4m3fn,round=rto", [0x3C01]),
    ("cmp:a=e4m3fn,op=le", [3, 4]),
    ("minmax:a=e4m3fn,op=min", [3, 4]),
    ("lmul:format=e4m3fn,k=3,krnd=trunc", [0x3B, 0x3D]),
    ("pam:format=e4m3fn", [0x3B, 0x3D]),
    ("pad:format=e4m3fn", [0x3B, 0x3D]),
    ("pasqrt:format=bf16", [0x4010]),
    ("palog2:format=e5m2", [0x41]),
    ("paexp2:format=bf16", [0x3FC0]),
    ("paslope:format=bf16,op=div_b", [0x3FC0, 0x4010]),
    ("anseed:a=bf16,b=bf16,seed=fp32,w=24", [0x3FC00000]),
    ("anend:a=bf16,b=bf16,out=fp16,w=24", [0x1234]),
    ("decode:type=e3m2,out=fp16", [0x15]),
    ("powdecode:b=4", [5]),
    ("dot:a=e2m1fn,b=e2m1fn,n=2,c=fp16,out=fp16", [[3, 5], [7, 1], 0x3C01]),
    ("mac:a=e2m1fn,acc=fp16,out=bf16", [[3, 5, 2], [7, 1, 6]]),
    ("kulisch:a=e2m1fn,out=fp16,k=16", [[3, 5, 2], [7, 1, 6]]),
    ("dfpmac:p=4", [[7, 9], [7, 9], [1, 2], [3, 4]]),
    ("fpint:lanes=2", [[0x1FFF8001, 5], [0x7F, 0x21]]),
    ("bspe:type=fp4,lanes=2", [[0x3C00C001, 0x7BFF], [0xB3, 0x05], [1, 0]]),
]
"""A spec, and codes for one call."""

MODELS = [
    ("dot:a=e2m1fn,n=4,out=fp16,c=none,acc=pairwise", [[3, 5, 2, 9], [7, 1, 4, 4]]),
    ("dot:a=e2m1fn,n=2,c=fp16,out=fp16,acc=seq", [[3, 5], [7, 1], 0x3C01]),
    (
        "dot:a=e2m1fn,b=e2m1fn,n=2,scale=ue4m3,block=2,c=fp16,out=fp16",
        [[3, 5], [7, 1], [0x38], [0x3A], 0x3C01],
    ),
    ("blockquant:out=mxfp4,n=2", [[0x3F8CCCCD, 0xC1200000]]),
    ("nvfp4quant:n=2", [[0x3F8C, 0xC120], 0x7F]),
    (
        "engine:pe=(anfma:a=bf16,b=bf16,out=fp16,w=24),rows=2,columns=2",
        [[[0x3F80, 0x4049]], [[0x3FC0, 0xBF80], [0x4000, 1]], [[0x3F800000, 0x3E000000]]],
    ),
    (
        "bstile:pe=(bspe),rows=1,columns=2",
        [[[0x3C00, 0x4248, 3, 0xC001]], [[1, 0xFF, 7, 9], [3] * 4], [[200], [3]], [[0], [5]], 5],
    ),
    ("hadamard:n=2,span=4", [[0x3F8C, 0xC120], 1]),
]
"""The same, of which only the golden model is run: their Verilog takes a second each."""

FORMATS = [
    ("e4m3fn", [1.0625, -500.0, 1e-9, -0.0, float("inf"), float("nan")]),
    ("fp64", [0.1, float("-inf")]),
    ("int8", [2.5, -300.0]),
    ("e15m112", [0.1]),
]


@pytest.fixture(scope="module")
def answers() -> dict:
    verilog = [spec for spec, _ in UNITS]
    given = {"units": UNITS + MODELS, "verilog": verilog, "formats": FORMATS}
    done = subprocess.run(
        [sys.executable, "-m", "tests.playground.without_numpy"],
        cwd=Path(__file__).parents[2],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_golden_models_are_those_on_arrays(answers: dict) -> None:
    for (spec, codes), found in zip(UNITS + MODELS, answers["units"], strict=True):
        results = hw.unit(spec)(*codes)
        expected = list(results) if isinstance(results, tuple) else [results]
        assert found["golden"] == [np.asarray(x).tolist() for x in expected], spec


def test_verilog_is_the_same(answers: dict) -> None:
    for (spec, _), found in zip(UNITS, answers["units"], strict=False):
        assert found["verilog"] == hw.verilog(spec), spec


def test_the_page_evaluates_every_family_as_arrays_do(answers: dict) -> None:
    assert answers["families"].keys() == FAMILIES.keys()
    for spec, texts, answer in answers["families"].values():
        u = hw.unit(spec)
        results = u(*codes_of_texts(u, texts)[0])
        expected = results if isinstance(results, tuple) else (results,)
        for name, codes in zip(u.results, expected, strict=True):
            shown = [int(one["code"], 16) for one in answer["is"]["results"][name]]
            assert shown == np.ravel(codes).tolist(), spec


def test_exact_results(answers: dict) -> None:
    found = {spec: x["exact"] for (spec, _), x in zip(UNITS, answers["units"], strict=False)}
    assert found["mul:a=e4m3fn"] == [str(Fraction(11, 8) * Fraction(13, 8)), "1/4"]
    assert found["minmax:a=e4m3fn,op=min"] is None


@pytest.mark.parametrize("i", range(len(FORMATS)))
def test_values_are_rounded_and_decoded_as_arrays_are(answers: dict, i: int) -> None:
    name, values = FORMATS[i]
    f = hw.format(name)
    modes = ("rne", "rna", "rtz", "rup", "rdn", "rto")
    expected = [int(f.encode(x, round=mode)) for x in values for mode in modes]
    codes, decoded = answers["formats"][i]
    assert codes == expected
    assert decoded == [exact_text(f.decode(code)) for code in codes]


def exact_text(value: object) -> str:
    """A decoded value as its exact one is printed: fractions but for -0, infinities and NaN."""
    if isinstance(value, np.generic):
        value = value.item()
    special = isinstance(value, float) and (not math.isfinite(value) or str(value) == "-0.0")
    return str(value) if special else str(Fraction(value))  # type: ignore[arg-type]
