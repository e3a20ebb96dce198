"""The multiply-add whose format is a port: each code is what `fma` of its format gives, in the
golden model and in the hardware."""

from __future__ import annotations

import re

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus
from hwarith.formats import ROUNDINGS
from hwarith.formats.lanes import join, split
from tests.evidence import assert_equal_on
from tests.faults import faulty

FORMATS = ("fp32", "fp16", "bf16", "e4m3fn", "e5m2")

U = hw.unit("multi")

SMALL = "multi:formats=bf16+e4m3fn"


def words(u: hw.Unit, f: hw.Format, *codes: np.ndarray) -> list[np.ndarray]:
    """Codes of a format in words, in order; zeros at the end of the last one."""
    lanes = u.word // f.bits
    rows = -(-codes[0].size // lanes)
    return [join(np.resize(x, (rows, lanes)), f) for x in codes]


@pytest.mark.parametrize("round", [*ROUNDINGS, "port"])
def test_every_code_is_the_multiply_add_of_its_format(round: str) -> None:
    u = hw.unit(f"multi:round={round}")
    a, b, c, fmt, *rm = stimulus(u, 3000)
    y = u(a, b, c, fmt, *rm)
    for k, name in enumerate(FORMATS):
        one, f = hw.unit(f"fma:a={name},round={round}"), hw.format(name)
        rows = np.minimum(fmt, 4) == k
        assert rows.sum() > 300
        terms = [split(x[rows], f, 32 // f.bits) for x in (a, b, c)]
        expected = one(*terms, *(x[rows][:, None] for x in rm))
        assert (split(y[rows], f, 32 // f.bits) == expected).all()
    i = int(np.argmax(fmt == 3))
    assert u.golden(*(int(x[i]) for x in (a, b, c, fmt, *rm))) == y[i]


def test_by_hand() -> None:
    assert U(0x3FC00000, 0x40000000, 0x3F800000, 0) == 0x40800000  # 1.5 * 2 + 1
    assert U(0x3E003C00, 0x40004000, 0x3C000000, 1) == 0x44004000  # 1.5 * 2 + 1, 1 * 2 + 0
    assert U(0x3FC03F80, 0x40004000, 0x3F800000, 2) == 0x40804000
    assert U(0x7F3C387E, 0x38403840, 0x00380000, 3) == 0x7F48387F  # NaN, 4, 1, overflow
    assert U(0x7C3E3C7B, 0x3C403C7B, 0xFC3C0000, 4) == 0x7E443C7C  # inf - inf, 4, 1, overflow
    assert U(0x7C3E3C7B, 0x3C403C7B, 0xFC3C0000, 7) == 0x7E443C7C  # beyond the last one


# -- hardware ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "round",
    ["port", *(pytest.param(x, marks=pytest.mark.long) for x in ROUNDINGS)],
)
def test_hardware(round: str) -> None:
    u = hw.unit(f"multi:round={round}")
    assert_equal_on(u, *stimulus(u, 30_000, seed=5))


@pytest.mark.long
@pytest.mark.parametrize("round", ["rne", "port"])
def test_hardware_on_a_million(round: str) -> None:
    u = hw.unit(f"multi:round={round}")
    assert_equal_on(u, *stimulus(u, 1 << 20, seed=6))


@pytest.mark.long
@pytest.mark.parametrize(
    "formats",
    [
        "bf16+e4m3fn",
        "e5m2+fp16",
        "fp16+e4m3",
        "e4m3fn+e5m2",
        "fp64+fp32+bf16",
        "fp32+e5m10",
        "e3m4+e2m5+e4m3fn",
    ],
)
def test_other_formats(formats: str) -> None:
    for round in ("rne", "rdn", "port"):
        u = hw.unit(f"multi:formats={formats},round={round}")
        assert_equal_on(u, *stimulus(u, 100_000, seed=7))


def test_a_pipeline() -> None:
    u = hw.unit(f"{SMALL},stages=2")
    assert_equal_on(u, *stimulus(u, 5000))


@pytest.mark.long
@pytest.mark.parametrize("name", ["e4m3fn", "e5m2"])
def test_every_pair_of_bytes(name: str) -> None:
    """In all lanes, with addends at the corners and near the product, in all modes."""
    u, f = hw.unit("multi:round=port"), hw.format(name)
    a, b = (x.ravel() for x in np.meshgrid(f.codes(), f.codes()))
    near = hw.unit(f"mul:a={name}")(a, b)
    corners = np.array([0, 0x80, 1, 0x81, 7, 8, 9, 0x38, 0xB8, 0x78, 0x7B, 0x7C, 0x7E, 0x7F, 0xFE])
    addends = [np.full(a.size, c, np.uint8) for c in corners]
    addends += [near, near ^ 0x80, near ^ 0x81, (near + 1) & 0xFF, (near ^ 0x80) - 1 & 0xFF]
    for c in addends:
        for turn in range(4):  # every pair in every lane
            given = words(u, f, *(np.roll(x, turn) for x in (a, b, c.astype(np.uint8))))
            for mode in (0, 1, 2, 3, 4, 6):
                assert_equal_on(u, *given, np.uint8(FORMATS.index(name)), np.uint8(mode))


@pytest.mark.long
def test_regression() -> None:
    result = hw.regress("multi:stages=3", vectors=400)
    assert (result.failed, len(result.phases)) == (0, 12), result.message


@pytest.mark.parametrize(
    ("pattern", "new"),
    [
        (r"lane1_carry_into_guard = .*;", "lane1_carry_into_guard = 1'b0;"),
        (r"lane0_offset = ", "lane0_offset = 1 + "),
        (r"lane2_to_largest = .*;", "lane2_to_largest = 1'b0;"),
    ],
)
@pytest.mark.long
def test_injected_faults_are_found(pattern: str, new: str) -> None:
    u = hw.unit("multi:round=port")
    text = faulty(u, rf"{pattern}", new)
    operands = stimulus(u, 100_000)
    assert (hw.simulate(u, verilog=text)(*operands) != u(*operands)).any()


@pytest.mark.long
def test_it_is_smaller_than_its_parts_by_a_third() -> None:
    parts = {name: 32 // hw.format(name).bits for name in FORMATS}
    total = sum(n * hw.synthesize(f"fma:a={name}").area for name, n in parts.items())
    assert hw.synthesize(U).area < total * 2 / 3


# -- errors, bad input ---------------------------------------------------------------------------


def test_errors_are_those_of_each_code() -> None:
    one, f = hw.unit("fma:a=e5m2"), hw.format("e5m2")
    terms = stimulus(one, 400)
    found = hw.metrics(U, [*words(U, f, *terms), np.uint8(4)])
    assert found.counts == hw.metrics(one, list(terms)).counts
    assert found.metrics["max_ulp"] == pytest.approx(
        hw.metrics(one, list(terms)).metrics["max_ulp"]
    )


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("multi:formats=fp32", "multi: parameter formats: must be 2 to 8 formats, each once, not"),
        ("multi:formats=fp32+fp32", "must be 2 to 8 formats, each once, not 'fp32+fp32'"),
        ("multi:formats=fp32+tf32", "tf32 cannot be among them; allowed: signed floats"),
        ("multi:formats=fp32+int8", "int8 cannot be among them"),
        ("multi:formats=fp32+e4m3fnuz", "e4m3fnuz cannot be among them"),
        ("multi:formats=fp32+e2m1fn", "e2m1fn cannot be among them"),
        ("multi:formats=fp32+nosuch", "multi: parameter formats: unknown format 'nosuch'"),
        ("multi:round=sra", "multi: parameter round: unknown value 'sra'"),
    ],
)
def test_wrong_parameters(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit(spec)


def test_names_and_specs() -> None:
    assert U.spec == "multi:formats=fp32+fp16+bf16+e4m3fn+e5m2,round=rne"
    assert U.name == "multi_fp32_fp16_bf16_e4m3fn_e5m2_rne"
    assert hw.unit(U.spec) == U
    assert hw.unit(f"{SMALL},lanes=2").operands["a"].bits == 32
