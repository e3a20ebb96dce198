"""Quotients by multiplication and by tables: bounds of their errors, and the hardware."""

from __future__ import annotations

import re
from fractions import Fraction
from random import Random

import pytest

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus
from hwarith.units.division.newton import seed, targets
from tests.evidence import assert_equal_on
from tests.faults import faulty


@pytest.mark.parametrize(
    ("digits", "width"), [(5, 4), (10, 8), (13, 11), (13, 4), (26, 24), (55, 53)]
)
def test_an_estimate_is_the_quotient_or_one_less(digits: int, width: int) -> None:
    """The steps in fractions, cut off as in hardware; widths and errors are what they are said to
    be. Divisors at both ends of many rows of the table, and random ones."""
    right, *steps = targets(digits)
    table = seed(right, width)
    random, low = Random(1), width - 1 - table.indexed
    top = 1 << (width - 1)
    divisors = [top + (i << low) for i in range(1 << table.indexed)]
    divisors += [b + (1 << low) - 1 for b in divisors]
    divisors += [top + random.randrange(top) for _ in range(200)]
    for b in divisors:
        y = Fraction(table.rows[(b - top) >> low], 1 << table.bits)
        part = Fraction(b, top)
        assert abs(part * y - 1) <= Fraction(1, 1 << right)
        for bits in steps:
            one = int(part * y * (1 << (bits + 3)))
            rest = Fraction((2 << (bits + 3)) - 1 - one, 1 << (bits + 3))
            y = Fraction(int(y * rest * (1 << (bits + 4))), 1 << (bits + 4))
            assert 0 <= 1 - part * y <= Fraction(1, 1 << bits)
        for a in (b, 2 * b - 1, b + random.randrange(b)):
            found = int(Fraction(a, top) * y * (1 << (digits - 1)))
            assert 0 <= (a << (digits - 1)) // b - found <= 1


@pytest.mark.parametrize(
    "spec",
    [
        "div:a=e4m3,method=newton",
        "div:a=e5m2,b=e4m3,out=bf16,method=newton,stages=2",
        "recip:a=fp16,method=newton",
    ],
)
def test_hardware_equals_golden(spec: str) -> None:
    assert_equal_on(hw.unit(spec), *stimulus(hw.unit(spec), 100_000, 1))


def test_a_missing_correction_is_found() -> None:
    u = hw.unit("div:a=e4m3,method=newton")
    operands = stimulus(u, 1 << 16)
    wrong = faulty(u, r"wire once_more = [^;]*;", "wire once_more = 1'b0;")
    assert (hw.simulate(u, wrong)(*operands) != u(*operands)).any()


@pytest.mark.parametrize(
    "spec",
    [
        "div:a=e5m2,out=e4m3",
        "recip:a=bf16,stages=2",
        "sqrt:a=bf16,flags=after",
        "rsqrt:a=e4m3,out=fp16",
    ],
)
def test_tables_equal_golden(spec: str) -> None:
    u = hw.unit(f"{spec},method=table")
    assert_equal_on(u, *stimulus(u, 1 << 16))


def test_a_wrong_entry_is_found() -> None:
    u = hw.unit("recip:a=e4m3,method=table")
    wrong = faulty(u, "8'd188 >>", "8'd190 >>")
    assert (hw.simulate(u, wrong)(u.a.codes()) != u(u.a.codes())).any()


@pytest.mark.parametrize("spec", ["recip:a=fp32", "rsqrt:a=fp32", "div:a=bf16"])
def test_tables_are_for_few_bits(spec: str) -> None:
    with pytest.raises(
        hw.InvalidInput, match="indexed by significands of at most 12 bits together"
    ):
        hw.unit(f"{spec},method=table")


def test_it_is_not_for_clocks() -> None:
    with pytest.raises(hw.InvalidInput, match="method: newton is for units without clocks"):
        hw.unit("div:a=fp16,clocks=13,method=newton")
    with pytest.raises(hw.InvalidInput, match="method: table is for units without clocks"):
        hw.unit("sqrt:a=bf16,clocks=9,method=table")


def test_the_default_has_no_table() -> None:
    assert not re.search("seed|estimate", hw.verilog("div:a=e4m3"))


@pytest.mark.long
@pytest.mark.parametrize(
    "spec",
    [
        "div:a=bf16",
        "div:a=fp16",
        "div:a=fp32",
        "recip:a=fp32",
        "recip:a=bf16",
        "div:a=fp16,b=e4m3,out=bf16,round=port,flags=after,stages=3",
    ],
)
def test_many_quotients_of_hardware(spec: str) -> None:
    u = hw.unit(f"{spec},method=newton")
    assert_equal_on(u, *stimulus(u, 3_000_000, 5))
