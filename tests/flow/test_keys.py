"""Kept results are found by all that they depend on: each of it is changed, and the key with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hwarith as hw
from hwarith import caching
from hwarith.flow import compiled, keys, processes, regress, simulate, tools, verilated
from hwarith.flow.synthesis import breakdown, figures, results, scripts, synthesize
from tests.flow.tabled import library

MUL, PAIR = hw.unit("mul:a=e2m1fn"), hw.unit("mul:a=e2m1fn,stages=1")

Patch = pytest.MonkeyPatch


@pytest.fixture
def sim(tmp_path: Path, monkeypatch: Patch) -> Path:
    """A copy of the folder ``sim``, which models are compiled with, and programs that only say
    their versions."""
    folder = tmp_path / "sim"
    shutil.copytree(tools.shipped("sim"), folder, ignore=shutil.ignore_patterns("__pycache__"))
    shipped = tools.shipped
    monkeypatch.setattr(tools, "shipped", lambda name: folder if name == "sim" else shipped(name))
    monkeypatch.setattr(verilated, "toolchain", verilated.toolchain.__wrapped__)
    monkeypatch.setattr(processes, "said", lambda command, *_: f"{Path(command[0]).name} 1.0")
    return folder


def another(monkeypatch: Patch, home: Any, name: str) -> None:
    """Let a function return a little more than it does."""
    function = getattr(home, name)

    def changed(*arguments: Any, **settings: Any) -> Any:
        found = function(*arguments, **settings)
        if isinstance(found, dict):
            return found | {"more": "text"}
        return found + (b"\n" if isinstance(found, bytes) else "\n")

    monkeypatch.setattr(home, name, changed)


def of_program(name: str) -> Callable[[Patch], object]:
    """Another version of a program."""

    def change(monkeypatch: Patch) -> None:
        said = processes.said

        def other(command: list[str], *rest: Any) -> str:
            return said(command, *rest) + "." * (Path(command[0]).name == name)

        monkeypatch.setattr(processes, "said", other)

    return change


TOOLS: dict[str, Callable[[Patch], object]] = {
    "verilator": of_program("verilator"),
    "compiler": of_program("g++"),
    "machine": lambda m: m.setattr("platform.machine", lambda: "another"),
    "code": lambda m: another(m, keys, "code"),
}


# -- compiled models -----------------------------------------------------------------------------


def name_of_model(u: hw.Unit, text: str, monkeypatch: Patch) -> str:
    with monkeypatch.context() as m:
        m.setattr(caching, "kept_file", lambda kind, name, make: Path(name))
        return str(simulate._library(u, text))


MODEL = TOOLS | {
    "flags of verilator": lambda m: m.setattr(compiled, "_VERILATOR_FLAGS", ("--cc",)),
    "flags of g++": lambda m: m.setattr(compiled, "_COMPILER_FLAGS", ("-fPIC",)),
}


@pytest.mark.parametrize("what", MODEL)
def test_a_compiled_model(what: str, sim: Path, monkeypatch: Patch) -> None:
    before = name_of_model(MUL, "text", monkeypatch)
    assert name_of_model(MUL, "text", monkeypatch) == before
    MODEL[what](monkeypatch)
    assert name_of_model(MUL, "text", monkeypatch) != before


def test_a_compiled_models_texts(sim: Path, monkeypatch: Patch) -> None:
    other = hw.unit("mul:a=e2m1fn,flags=before")
    named = {name_of_model(MUL, "text", monkeypatch), name_of_model(MUL, "other", monkeypatch)}
    named |= {name_of_model(PAIR, "text", monkeypatch), name_of_model(other, "text", monkeypatch)}
    monkeypatch.setattr(simulate, "_interface", lambda _: "another interface")
    named.add(name_of_model(MUL, "text", monkeypatch))
    (sim / "batch.cpp").write_text("another driver")
    named.add(name_of_model(MUL, "text", monkeypatch))
    assert len(named) == 6


def name_of_simulator(text: str, monkeypatch: Patch) -> str:
    names: list[str] = []

    def kept(kind: str, name: str, make: Any) -> bytes:
        names.append(name)
        return b""

    monkeypatch.setattr(caching, "kept", kept)
    regress._executable(MUL, text)
    return names[-1]


SIMULATOR = TOOLS | {
    "version of cocotb": lambda m: another(m, regress, "version"),
    "place of cocotb": lambda m: m.setattr("cocotb_tools.config.libs_dir", Path("/elsewhere")),
}


@pytest.mark.parametrize("what", SIMULATOR)
def test_a_simulator_of_regressions(what: str, sim: Path, monkeypatch: Patch) -> None:
    before = name_of_simulator("text", monkeypatch)
    assert name_of_simulator("text", monkeypatch) == before
    SIMULATOR[what](monkeypatch)
    assert name_of_simulator("text", monkeypatch) != before


def test_a_simulators_texts(sim: Path, monkeypatch: Patch) -> None:
    named = {name_of_simulator("text", monkeypatch), name_of_simulator("other", monkeypatch)}
    (sim / "run.py").write_text("another script")
    named.add(name_of_simulator("text", monkeypatch))
    assert len(named) == 3


# -- synthesis -----------------------------------------------------------------------------------

SYNTHESIS: dict[str, Callable[[Patch], object]] = {
    "yosys": lambda m: m.setattr(tools, "versions", lambda: {"yosys": "9.9"}),
    "code": lambda m: another(m, keys, "code"),
    "models of cells": lambda m: another(m, figures, "cell_models"),
    "library": lambda m: [another(m, home, "read_liberty") for home in (synthesize, breakdown)],
    "script": lambda m: another(m, scripts, "recipe_script"),
}
ONLY_OF_SYNTHESIZE: dict[str, Callable[[Patch], object]] = {
    "Verilog": lambda m: another(m, synthesize, "verilog"),
    "mappings": lambda m: another(m, scripts, "mappings"),
}


@pytest.fixture
def tabled(tmp_path: Path) -> str:
    path = tmp_path / "tabled.lib"
    path.write_text(library())
    return str(path)


def name_of_synthesis(path: str, target: float | None = 1.0, u: hw.Unit = MUL) -> str:
    return results.digest(synthesize.__name__, synthesize._Job(u, path, None, target).content())


@pytest.mark.parametrize("what", SYNTHESIS | ONLY_OF_SYNTHESIZE)
def test_a_synthesis(what: str, tabled: str, monkeypatch: Patch) -> None:
    before = name_of_synthesis(tabled)
    assert name_of_synthesis(tabled) == before
    (SYNTHESIS | ONLY_OF_SYNTHESIZE)[what](monkeypatch)
    assert name_of_synthesis(tabled) != before


def test_a_synthesis_unit_target_and_recipe(tabled: str) -> None:
    named = {name_of_synthesis(tabled, target) for target in (None, 1.0, 2.0)}
    named |= {name_of_synthesis(tabled, None, PAIR), name_of_synthesis("generic", None)}
    for place, recipe in (("generic", "cmos"), ("ice40", "fpga"), ("ice40", "dsp")):
        job = synthesize._Job(MUL, place, recipe, None)
        named.add(results.digest(synthesize.__name__, job.content()))
    assert len(named) == 8


def name_of_breakdown(u: hw.Unit = MUL) -> str:
    job = breakdown._Job(u, "generic", "asic")
    return results.digest(breakdown.__name__, job.content())


@pytest.mark.parametrize("what", SYNTHESIS)
def test_a_breakdown(what: str, monkeypatch: Patch) -> None:
    before = name_of_breakdown()
    assert name_of_breakdown() == before
    assert name_of_breakdown(PAIR) != before
    SYNTHESIS[what](monkeypatch)
    assert name_of_breakdown() != before


def test_texts_do_not_run_into_each_other() -> None:
    contents = (["a"], ["b"], ["a", "b"], ["ab"], ["a\0b"], ["a", "", "b"])
    assert len({results.digest(synthesize.__name__, content) for content in contents}) == 6
    assert results.digest(synthesize.__name__, ["a"]) == results.digest(synthesize.__name__, [b"a"])
    assert results.digest(synthesize.__name__, ["a"]) != results.digest(breakdown.__name__, ["a"])


def test_found_once_and_again_if_the_file_is_broken(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setenv("HWARITH_CACHE", str(tmp_path))
    runs = iter(range(9))

    def kept(content: str) -> dict[str, int]:
        return results.kept("some", synthesize.__name__, [content], lambda: {"run": next(runs)})

    assert kept("x") == kept("x") == {"run": 0}
    (entry,) = tmp_path.glob("some/*")
    entry.write_text("{")
    assert kept("x") == {"run": 1}
    assert kept("y") == {"run": 2}
