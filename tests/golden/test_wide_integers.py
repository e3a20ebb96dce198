"""Definitions whose integers exceed 64 bits give compiled what they give on Python's integers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus
from hwarith.golden import apply, arrays, bit_length, folds, golden, words
from hwarith.golden.kernels import CannotCompile
from hwarith.matrix import loops

BITS = [128, 256, 512, 1024]


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The widths of the words that definitions are compiled in and run on, from here on."""
    found: list[int] = []

    def noted(run: Callable) -> Callable:
        def run_and_note(*given: object) -> None:
            run(*given)
            found.append(given[-1])

        return run_and_note

    monkeypatch.setattr(arrays, "_apply_compiled", noted(arrays._apply_compiled))
    monkeypatch.setattr(folds, "_fold_compiled", noted(folds._fold_compiled))
    return found


def corners(bits: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Numbers of at most so many bits, of all lengths, with long runs of ones and zeros."""
    chosen = []
    for length, kind in rng.integers(0, (bits + 1, 4), (count, 2)).tolist():
        number = int.from_bytes(rng.bytes(bits // 8 + 1), "little") & ((1 << length) - 1)
        chosen.append([number, (1 << length) - 1, (1 << length) >> 1, 1][kind])
    return np.array(chosen, object)


# -- operations ----------------------------------------------------------------------------------


@golden
def operations(a, b, n, one):
    """Each operation once, in a digest that tells results apart: most wrap, so does it."""
    d = min(n, bit_length(a))
    x = -a if b & 1 else a
    total = (x + b) ^ (x - b) * 3 ^ (x & b) ^ (x | ~b) ^ (x >> d) ^ (b << 3)
    total ^= (one << d) + (1 << d) - abs(x)
    total += (2 if x < b else 1) + (4 if x <= b else 3) + (8 if x > b else 5)
    total -= (16 if x >= b else 7) + (32 if x == b else 9) + (64 if x != b else 11)
    total = total * 5 + max(x, b) - min(x, 7) + (1 if b else 0)
    if not a:
        total = 6
    return (total + (1 if total < 0 else 0)) & ((one << (n + 1)) - 1)


@pytest.mark.parametrize("bits", BITS)
def test_each_operation(bits: int, compiled: list[int]) -> None:
    rng = np.random.default_rng(bits)
    a, b = (corners(bits - 9, 500, rng) for _ in "ab")
    n, dtype = bits - 9, np.dtype(f"V{bits // 8}")
    found = words.to_integers(apply(operations, [a, b], (n, 1), dtype, bits - words.SPARE))
    assert found.tolist() == [operations(x, y, n, 1) for x, y in zip(a, b, strict=True)]
    assert compiled == [bits]


@golden
def quotient(a, b):
    return (a << 70) // b


def test_what_cannot_be_compiled_is_interpreted(compiled: list[int]) -> None:
    """Where integers are wide; in machine words of 64 bits nothing is silently slow."""
    a = np.arange(200, dtype=np.uint64)
    dtype = np.dtype("V16")
    found = words.to_integers(apply(quotient, [a, a + 1], (), dtype, 90))
    assert found.tolist() == [(x << 70) // (x + 1) for x in range(200)]
    assert not compiled
    unfit = golden(lambda a: a.unknown)
    with pytest.raises(CannotCompile):
        apply(unfit, [a], (), np.dtype(np.uint64), 60)


# -- codes in words ------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", BITS)
def test_fields_of_words(bits: int) -> None:
    rng = np.random.default_rng(bits)
    values = corners(bits, 200, rng)
    array = words.from_integers(values.tolist(), words.code_dtype(bits)).reshape(10, 20)
    np.testing.assert_array_equal(words.to_integers(array).ravel(), values)
    np.testing.assert_array_equal(words.to_integers(array.T), values.reshape(10, 20).T)
    one = words.to_integers(array[3, 4])
    assert one.shape == ()
    assert one == values[64]
    for place, width in ((0, 1), (0, 64), (3, 64), (60, 9), (64, 5), (64, 64), (10, 101), (127, 1)):
        expected = [value >> place & ((1 << width) - 1) for value in values]
        assert words.field(array, place, width).ravel().tolist() == expected


@pytest.mark.parametrize(
    ("word_bits", "types", "word"),
    [
        (61, ["uint8"], 64),
        (62, ["uint8"], 128),
        (9, ["V16", "uint64"], 128),
        (9, ["uint64", "object"], 128),
        (125, ["V16"], 128),
        (126, ["V16"], 256),
        (253, ["V32", "object"], 256),
        (254, ["V32"], 512),
        (510, ["V32"], 1024),
        (1021, ["V128", "object"], 1024),
        (1022, ["V128"], 0),
        (9, ["object", "uint8"], 0),  # a result that no word holds
    ],
)
def test_how_wide_a_word_is_needed(word_bits: int, types: list[str], word: int) -> None:
    result, *operands = map(np.dtype, types)
    assert words.machine_word(word_bits, result, operands, words.SMALL + 1) == word
    assert words.machine_word(word_bits, result, operands, words.SMALL) == 0


# -- units ---------------------------------------------------------------------------------------


def assert_compiled(spec: str, count: int, compiled: list[int]) -> None:
    """A unit's results are those of its definition on integers, one by one."""
    u = hw.unit(spec)
    operands = list(stimulus(u, count, seed=21))
    compiled.clear()
    found = u(*operands)
    found = found if isinstance(found, tuple) else (found,)
    for i, row in enumerate(zip(*(x.tolist() for x in operands), strict=True)):
        expected = u.golden(*row)
        expected = expected if isinstance(expected, tuple) else (expected,)
        assert tuple(int(column[i]) for column in found) == tuple(map(int, expected)), (spec, row)
    assert compiled
    assert min(compiled) > 64


@pytest.mark.parametrize(
    "spec",
    [
        "fma:a=fp64,round=port,flags=before",
        "convert:a=e15m112,out=fp64,round=rna",
    ],
)
def test_units(spec: str, compiled: list[int]) -> None:
    assert_compiled(spec, 1500, compiled)


@pytest.mark.long
@pytest.mark.parametrize("hot", [False, True])
@pytest.mark.parametrize(
    "spec",
    [
        "add:a=fp64,flags=after",
        "add:a=fp64,round=port_src,n=8,flags=before",
        "add:a=fp64,round=sra,n=32",
        "add:a=e15m112,round=rto",
        "add:a=int64",
        "add:a=int100,b=int64,out=int101",
        "cmp:a=e15m63",
        "convert:a=e15m112,out=e8m0fnu,overflow=nosat",
        "convert:a=e15m63,out=fp64,round=sra,n=20",
        "convert:a=fp64,out=e15m63",
        "convert:a=fp64,out=int128",
        "convert:a=int128,out=fp64,round=rup",
        "convert:a=int256,out=fp64",
        "convert:a=uint200,out=fp32,round=rto",
        "fma:a=e15m112,flags=after",
        "fma:a=e15m63,round=port_sra,n=16",
        "fma:a=fp32,b=fp64,c=bf16,out=fp64,nan=payload",
        "fma:a=fp64",
        "fma:a=fp64,op=port,round=port,flags=before",
        "fma:a=fp64,out=e4m3fn,overflow=saturate",
        "fma:a=fp64,subnormals=flush,flags=after",
        "fma:a=int32,b=int32,c=int128,out=int128",
        "lmul:format=e15m63",
        "minmax:a=e15m112",
        "mul:a=e15m112",
        "mul:a=fp64,nan=payload,flags=after",
        "mul:a=fp64,out=e8m0fnu,overflow=nosat",
        "mul:a=fp64,round=srb,n=16,flags=after",
        "mul:a=int64,b=int64,out=int128",
        "mul:a=uint256,b=uint256,out=uint512",
        "mul:a=uint64",
        "pad:format=fp64",
        "paexp2:format=fp64",
        "palog2:format=fp64",
        "pam:format=fp64",
        "pasqrt:format=fp64",
    ],
)
def test_more_units(
    spec: str, hot: bool, compiled: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "HOT", 0 if hot else 1 << 40)
    assert_compiled(spec, 50_000, compiled)


def finite(shape: tuple[int, ...], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape) * 2.0 ** rng.integers(-60, 60, shape)
    return hw.format("fp64").encode(x)


def test_groups(compiled: list[int]) -> None:
    u = hw.unit("mac:a=fp64,acc=fp64")
    a, b = finite((40, 9), 1), finite((40, 9), 2)
    expected = [u.golden(x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    assert u(a, b).tolist() == expected
    assert compiled[-1] == 128


@pytest.mark.parametrize(
    ("spec", "add"),
    [
        ("mul:a=e4m3,out=e15m63", "add:a=e15m63"),
        pytest.param("fma:a=fp64", None, marks=pytest.mark.long),
    ],
)
def test_matrices(spec: str, add: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums of codes of more than 64 bits among them."""
    u = hw.unit(spec)
    f = u.operands["a"]
    a, b = (f.encode(hw.format("fp64").decode(finite(s, 4))) for s in ((6, 7), (7, 5)))
    found = hw.matmul(u, a, b, add=add)
    interpreted = loops.interpret
    calls: list[int] = []
    monkeypatch.setattr(loops, "interpret", lambda *x: calls.append(1) or interpreted(*x))
    np.testing.assert_array_equal(hw.matmul(u, a, b, add=add), found)
    assert not calls
    monkeypatch.setattr(words, "WIDTHS", ())
    np.testing.assert_array_equal(hw.matmul(u, a, b, add=add), found)
    assert calls
