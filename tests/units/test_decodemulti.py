"""Packed words of types by a port: every code as `decode` has it, and the hardware against it."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.units.decode import TYPES

NAMES = list(TYPES)
GROUPS = [
    "+".join(NAMES[:8]),
    "+".join(NAMES[8:16]),
    "+".join(NAMES[16:24]),
    "+".join(NAMES[24:]),
    "e2m1+e3m2+int4b+uint3b",
    "int1b+uint1b",
]


def words(u, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Every code of a type in every place of a word, among others; and these codes."""
    f = TYPES[name]
    codes = np.stack([np.roll(f.codes(), 5 * i) for i in range(u.n)], axis=-1)
    return codes, u.pack(codes, name)


@pytest.mark.parametrize("out", ["fp16", "bf16"])
@pytest.mark.parametrize("types", GROUPS)
def test_every_code_is_decoded(types: str, out: str) -> None:
    u = hw.unit(f"decodemulti:types={types},n=3,out={out}")
    for place, name in enumerate(u.types):
        codes, word = words(u, name)
        found = u(word, place)
        expected = hw.unit(f"decode:type={name},out={out}")(codes)
        np.testing.assert_array_equal(found.y, expected.y)
        np.testing.assert_array_equal(found.invalid, expected.invalid)
        one = u.golden(int(word[-1]), place)
        assert (one.y, one.invalid) == (found.y[-1].tolist(), found.invalid[-1].tolist())


def test_words_are_packed_without_gaps() -> None:
    u = hw.unit("decodemulti:types=e3m2+uint3b,n=8")
    assert u.pack(np.arange(8), "uint3b") == 0o76543210
    assert u.pack(np.arange(8) + 1, "e3m2") == sum((i + 1) << 6 * i for i in range(8))
    assert u.operands["word"].bits == 48
    values, _ = u(0o76543210 | 0xFFFFFF << 24, 1)
    assert u.result.decode(values).tolist() == [*range(8)]


def test_numbers_beyond_the_last_type_are_the_last() -> None:
    u = hw.unit("decodemulti:types=e2m1+e3m2+int4b,n=2")
    word = np.arange(256)
    for x, y in zip(u(word, 2), u(word, 3), strict=True):
        np.testing.assert_array_equal(x, y)
    assert u.golden(17, 3) == u.golden(17, 2)


def test_wide_words() -> None:
    u = hw.unit("decodemulti:types=e4m3+int8b,n=32")
    codes = np.arange(64, dtype=np.uint8).reshape(2, 32)
    word = u.pack(codes, "int8b")
    assert word[1] == sum((32 + i) << 8 * i for i in range(32))
    np.testing.assert_array_equal(u.result.decode(u(word, 1).y), codes)


@pytest.mark.long
@pytest.mark.parametrize("out", ["fp16", "bf16"])
@pytest.mark.parametrize("types", GROUPS)
def test_every_code_in_hardware(types: str, out: str) -> None:
    u = hw.unit(f"decodemulti:types={types},n=3,out={out}")
    simulated = hw.simulate(u)
    for place, name in enumerate(u.types):
        _, word = words(u, name)
        for x, y in zip(simulated(word, place), u(word, place), strict=True):
            np.testing.assert_array_equal(x, y)


@pytest.mark.long
@pytest.mark.parametrize("options", ["", ":n=5,stages=2", ":types=e5m2+e5m1+e4m3,n=2"])
def test_regression(options: str) -> None:
    assert hw.regress(f"decodemulti{options}").failed == 0


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("types=e3m2", "parameter types: must be 2 to 8 types, each once, not 'e3m2'"),
        ("types=e3m2+e3m2", "must be 2 to 8 types, each once"),
        ("types=e3m2+e9m9", "unknown type 'e9m9'"),
        ("n=33", "parameter n: must be 1 to 32, not 33"),
    ],
)
def test_messages(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(f"decodemulti:{spec}")


def test_messages_of_packing() -> None:
    u = hw.unit("decodemulti:n=2")
    with pytest.raises(hw.InvalidInput, match="unknown type 'e4m3'"):
        u.pack([0, 1], "e4m3")
    with pytest.raises(hw.InvalidInput, match=r"of shape \(..., 2\), not \(3,\)"):
        u.pack([0, 1, 2], "e2m1")
