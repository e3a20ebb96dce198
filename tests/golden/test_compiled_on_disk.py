"""Compiled loops are kept on disk, and found again by all that they are made of, and only then."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from collections import namedtuple
from collections.abc import Callable
from enum import IntEnum
from importlib import metadata
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from llvmlite import binding

from hwarith.golden import apply, fingerprints, golden, primitive
from hwarith.golden.kernels import Kernel

USES = """
import sys
import numpy as np
from hwarith.golden import apply, golden

@golden
def thrice(a, n):
    return 3 * a + n

found = apply(thrice, [np.arange(1000, dtype=np.uint16)], (7,), np.dtype(np.uint32), 20)
assert found.tolist() == [3 * a + 7 for a in range(1000)]
print("numba" in sys.modules)
"""


def process(cache: Path) -> subprocess.Popen:
    environment = os.environ | {"HWARITH_CACHE": str(cache)}
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", USES]
    return subprocess.Popen(command, env=environment, text=True, stdout=pipe, stderr=pipe)


def says(started: subprocess.Popen) -> tuple[str, str]:
    out, err = started.communicate(timeout=300)
    assert started.returncode == 0, err
    return out.strip(), err


def test_one_loop_serves_codes_of_all_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HWARITH_CACHE", str(tmp_path))

    @golden
    def difference(a, b, n):
        return (a - b + n) & 0xFF

    for kinds in product((np.uint8, np.uint32, np.uint64), repeat=3):
        a, b = (np.arange(200, dtype=t) for t in kinds[:2])
        found = apply(difference, [a, b[::-1]], (7,), np.dtype(kinds[2]), 32)
        assert found.dtype == kinds[2]
        assert found.tolist() == [2 * x - 192 & 0xFF for x in range(200)]
    assert len(list((tmp_path / "compiled").iterdir())) == 1


def test_what_one_process_compiled_others_find(tmp_path: Path) -> None:
    """They do not even import the compiler; not so if it is damaged, or if nothing can be kept."""
    together = [process(tmp_path) for _ in range(2)]
    assert [says(x)[1] for x in together] == ["", ""]
    assert says(process(tmp_path)) == ("False", "")
    (entry,) = (tmp_path / "compiled").iterdir()
    entry.write_bytes(entry.read_bytes()[:-300])
    assert says(process(tmp_path)) == ("True", "")
    assert says(process(tmp_path)) == ("False", "")
    unusable = tmp_path / "a file"
    unusable.write_text("")
    out, err = says(process(unusable))
    assert out == "True"
    assert err.count("\n") == 1
    assert str(unusable) in err


# -- calls ---------------------------------------------------------------------------------------


class Pair(NamedTuple):
    low: int
    high: float


def make(scale: int) -> Callable:
    def run(out, numbers, pair, array, *more):
        for i in range(out.shape[0]):
            for j in range(out.shape[1]):
                out[i, j] = scale * pair.low + pair.high + numbers[0] * array[j, i]
                for other in more:
                    out[i, j] += other[i]

    return run


def test_arguments_of_all_kinds() -> None:
    """Numbers, named tuples, arrays of strides of their own, and some more arrays."""
    rng = np.random.default_rng(3)
    array = rng.integers(0, 99, (4, 12), np.uint8)[:, ::2]
    more = [rng.integers(-9, 9, 6).astype(np.int16) for _ in range(2)]
    run = Kernel(make, 5)
    for numbers in ((np.float32(0.5),), (np.int8(-3), 9)):
        out = np.zeros((6, 4))
        run(out, numbers, Pair(-2, 0.25), array, *more)
        expected = -9.75 + float(numbers[0]) * array.T + sum(more)[:, None]
        np.testing.assert_array_equal(out, expected)


def make_divide() -> Callable:
    def divide(out, a):
        for i in range(len(out)):
            out[i] = 1 // a[i]

    return divide


def test_what_a_function_raises() -> None:
    run, out = Kernel(make_divide), np.zeros(2, np.int64)
    run(out, np.array([1, 2]))
    assert out.tolist() == [1, 0]
    with pytest.raises(ArithmeticError, match="make_divide"):
        run(out, np.array([1, 0]))


# -- names ---------------------------------------------------------------------------------------


def module(source: str) -> Callable:
    """The function `f` of a module of this text."""
    made = types.ModuleType("made")
    namespace: dict[str, Any] = vars(made)
    namespace |= {"golden": golden, "primitive": primitive, "np": np, "IntEnum": IntEnum}
    namespace["namedtuple"] = namedtuple
    exec(source, namespace)
    return made.f


TEXT = """
LIMIT, TABLE = 5, np.array([3, 4])

Pair = namedtuple("Pair", "low high")

class Colour(IntEnum):
    RED = 1

@golden
def part(x):
    return x + 1

@primitive(lambda: "shift by 1")
def instruction(x):
    return x

def around(y):
    def f(a, b=2):
        return part(a) * 3, instruction(b), TABLE[0] + y, Colour.RED, LIMIT, Pair(a, b).low
    return f

f = around(8)
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("* 3", "* 4"),  # a constant of its code
        ("part(a) * 3", "part(a) + 3"),
        ("x + 1", "x + 2"),  # a function that it calls
        ("by 1", "by 2"),  # what a primitive is compiled to
        ("b=2", "b=3"),
        ("around(8)", "around(9)"),  # its closure
        ("LIMIT, TABLE = 5", "LIMIT, TABLE = 6"),  # values of global names
        ("[3, 4]", "[3, 5]"),
        ("low high", "high low"),
        ("RED = 1", "RED = 2"),
    ],
)
def test_what_a_function_refers_to(old: str, new: str) -> None:
    changed = TEXT.replace(old, new)
    assert changed != TEXT
    assert fingerprints.digest(module(TEXT)) == fingerprints.digest(module(f"\n\n{TEXT}"))
    assert fingerprints.digest(module(TEXT)) != fingerprints.digest(module(changed))


def test_parameters_and_types() -> None:
    named = Pair(1, 2.0)
    things = (make, (5,), 1), (make, (6,), 1), (make, (5,), 1.0), (make, named, 1), (make, (1, 2.0))
    more = ((make, (5,), True), (make, (5,), np.int64(1)), (make, (5,), Pair), (make, ("i64",)))
    assert len({fingerprints.digest(*x) for x in (*things, *more)}) == len(things) + len(more)


@pytest.mark.parametrize("package", ["numba", "llvmlite", "numpy"])
def test_versions(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprints.digest(make)
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda x: "0.0" if x == package else real(x))
    fingerprints.surroundings.cache_clear()
    assert fingerprints.digest(make) != before
    monkeypatch.undo()
    fingerprints.surroundings.cache_clear()
    assert fingerprints.digest(make) == before


@pytest.mark.parametrize("what", ["name", "features"])
def test_processors(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprints.digest(make)
    other: Any = "i486" if what == "name" else binding.FeatureMap({"avx2": False})
    monkeypatch.setattr(binding, f"get_host_cpu_{what}", lambda: other)
    fingerprints.surroundings.cache_clear()
    changed = fingerprints.digest(make)
    monkeypatch.undo()
    fingerprints.surroundings.cache_clear()
    assert changed != before


def test_the_sources_of_what_compiles(tmp_path: Path) -> None:
    folder = Path(fingerprints.__file__).parent
    assert fingerprints.sources(folder) in fingerprints.surroundings()
    for file in folder.glob("*.py"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert fingerprints.sources(tmp_path) == fingerprints.sources(folder)
    for file in list(tmp_path.glob("*.py")):
        text = file.read_text()
        file.write_text(text + "\n")
        assert fingerprints.sources(tmp_path) != fingerprints.sources(folder)
        file.write_text(text)
