"""Definitions are compiled with what they call."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numba
import numpy as np
import pytest

from hwarith.golden import bit_length, golden, primitive
from hwarith.golden.arguments import machine_words
from hwarith.golden.compiler import compiled


@golden
def branches(a):
    return bit_length(a) if a > 3 else -a


@golden
def calls(a):
    return branches(a) + branches(a + 1)


def run(definition: Callable) -> Callable:
    f = compiled(definition)
    return numba.njit(lambda a: f(a))


def test_compiled_with_what_it_calls() -> None:
    assert [run(calls)(a) for a in range(1, 9)] == [calls(a) for a in range(1, 9)]
    assert compiled(calls) is compiled(calls)


@pytest.mark.parametrize("x", [0, 1, 2, 3, 255, 256, (1 << 61) - 1, 1 << 61])
def test_bit_length(x: int) -> None:
    assert run(bit_length)(np.int64(x)) == bit_length(x) == x.bit_length()


def test_a_primitive_is_compiled_as_it_says() -> None:
    @primitive(lambda: compiled(branches))
    def never(a):
        raise NotImplementedError

    assert run(never)(12) == 4


def test_compiled_with_what_is_in_its_closure() -> None:
    def twice(f: Callable) -> Callable:
        return lambda a: f(f(a))

    assert run(twice(branches))(200) == branches(branches(200)) == 4


class Pair(NamedTuple):
    low: int
    high: int


def test_constants_beyond_a_word_wrap() -> None:
    constants = (3, Pair(2**63, -1), 2**64 - 1)
    assert machine_words(constants) == machine_words((3, Pair(-(2**63), 2**64 - 1), -1))
    assert machine_words(constants) != machine_words((3, (2**63, -1), 2**64 - 1))
