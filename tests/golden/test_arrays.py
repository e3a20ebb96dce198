"""However a definition is run over arrays, it gives what it gives on integers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus
from hwarith.golden import apply, arrays, golden
from tests.tiers import few

COUNT = 20_000


@pytest.fixture(autouse=True)
def silent(capfd: pytest.CaptureFixture) -> Iterator[None]:
    """The compiler is not heard, whatever it makes of a definition."""
    yield
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "mul:a=bf16",
            "mul:a=e5m2,b=fp32,out=e8m0fnu,overflow=nosat",
            "add:a=fp32,round=rdn",
            "fma:a=fp32",
            "fma:a=int8,b=int8,c=int32,out=int32",
            "lmul:format=bf16,k=3,krnd=rne",
            "pad:format=bf16",
            "convert:a=fp64,out=fp32,round=rto",
            "convert:a=fp64,out=e4m3fn,round=sra,n=32",
            "convert:a=fp32,out=bf16,round=srb",
            "convert:a=fp32,out=int8,round=src",
        ],
        3,
    ),
)
def test_specialized_kernels(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    u = hw.unit(spec)
    operands = list(stimulus(u, COUNT, seed=9))
    slow = u.evaluate(operands)
    monkeypatch.setattr(arrays, "HOT", 0)
    np.testing.assert_array_equal(u.evaluate(operands), slow)
    assert [u.golden(*map(int, row)) for row in zip(*operands, strict=True)] == slow.tolist()


def test_a_definition_becomes_specialized_with_use(monkeypatch: pytest.MonkeyPatch) -> None:
    u, other = hw.unit("mul:a=fp16"), hw.unit("mul:a=fp16,round=rtz")
    operands = list(stimulus(u, COUNT, seed=9))
    calls = []
    specialized = arrays.specialized
    monkeypatch.setattr(arrays, "specialized", lambda *x: calls.append(x) or specialized(*x))
    monkeypatch.setattr(arrays, "HOT", 3 * COUNT)
    monkeypatch.setattr(arrays, "usage", arrays.Usage(most=8))
    for _ in range(2):
        u.evaluate(operands)
        other.evaluate(operands)
    assert not calls
    u.evaluate(operands)
    assert len(calls) == 1


def test_use_is_remembered_of_the_latest_only() -> None:
    usage = arrays.Usage(most=2)
    assert [usage.add(x, 5) for x in "aab"] == [5, 10, 5]
    assert usage.add("a", 1) == 11
    assert usage.add("c", 1) == 1  # b was used least recently
    assert usage.add("a", 1) == 12
    assert usage.add("b", 1) == 1
    assert len(usage) == 2


def test_no_more_is_remembered_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of uses nor of compiled loops, however many choices of constants there are."""
    usage = arrays.Usage(most=3)
    monkeypatch.setattr(arrays, "usage", usage)
    x = np.arange(100, dtype=np.uint8)
    for distance in range(10):
        found = apply(shifted, [x], (distance,), np.dtype(np.uint16), 24)
        assert found.tolist() == [shifted(a, distance) for a in range(100)]
    assert len(usage) == 3
    assert arrays.specialized.cache_info().maxsize is not None
    assert arrays.general.cache_info().maxsize is not None


@golden
def shifted(a, distance):
    return a << distance & 0xFFFF


@golden
def collatz(a):
    steps = 0
    while a > 1:
        a = a // 2 if a % 2 == 0 else 3 * a + 1
        steps += 1
    return steps


@golden
def per_thousand(a):
    return 1000 // a


@golden
def both(a):
    return collatz(a) + per_thousand(a)


def test_what_the_compiler_makes_unfit_for_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """It subtracts with a test for overflow here, which the definition does not say."""
    definition, constants = hw.unit("termgen:type=mixed").definition()
    rng = np.random.default_rng(5)
    codes = [rng.integers(0, 1 << bits, 3000, np.uint8) for bits in (8, 6, 1, 2)]
    expected = [definition(*map(int, row), *constants) for row in zip(*codes, strict=True)]
    monkeypatch.setattr(arrays, "HOT", 0)
    assert apply(definition, codes, constants, np.dtype(np.uint16), 40).tolist() == expected


@pytest.mark.parametrize("definition", [collatz, per_thousand, both])
def test_what_cannot_be_vectorized_is_still_computed(
    definition: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "HOT", 0)
    x = np.arange(1, 1000, dtype=np.uint16)
    found = apply(definition, [x], (), np.dtype(np.uint16), 40)
    assert found.tolist() == [definition(int(a)) for a in x]
