"""What the compiler takes a definition for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from hwarith.golden import bit_length, golden, primitive
from hwarith.golden.compiler import compiled, is_straight, machine_words
from hwarith.units.bitserial import definitions as bitserial
from hwarith.units.exact import definitions as exact
from hwarith.units.logarithmic import definitions as logarithmic


@golden
def branches(a):
    return bit_length(a) if a > 3 else -a


@golden
def loops(a):
    total = 0
    for i in range(a):
        total += i
    return total


@golden
def waits(a):
    while a > 9:
        a -= 9
    return a


@golden
def divides(a):
    return 7 % a


@golden
def refuses(a):
    if a > 9:
        raise ValueError
    return a


@golden
def calls(a):
    return branches(a) + loops(a)


@pytest.mark.parametrize("definition", [loops, waits, divides, refuses, calls])
def test_not_straight(definition) -> None:
    assert not is_straight(definition)


def test_straight() -> None:
    assert is_straight(branches)
    assert is_straight(exact.fma)
    assert is_straight(logarithmic.product)
    assert not is_straight(logarithmic.reference_quotient)
    assert not is_straight(bitserial.step)


def test_compiled_with_what_it_calls() -> None:
    assert [compiled(calls)(a) for a in range(1, 9)] == [calls(a) for a in range(1, 9)]
    assert compiled(calls) is compiled(calls)


@pytest.mark.parametrize("x", [0, 1, 2, 3, 255, 256, (1 << 61) - 1, 1 << 61])
def test_bit_length(x: int) -> None:
    assert compiled(bit_length)(np.int64(x)) == bit_length(x) == x.bit_length()


def test_a_primitive_is_compiled_as_it_says() -> None:
    @primitive(lambda: compiled(branches))
    def never(a):
        raise NotImplementedError

    assert is_straight(never)
    assert compiled(never)(12) == 4


class Pair(NamedTuple):
    low: int
    high: int


def test_constants_beyond_a_word_wrap() -> None:
    words = machine_words((3, Pair(2**63, -1), 2**64 - 1))
    assert words == (3, Pair(-(2**63), -1), -1)
    assert type(words[1]) is Pair
