"""Verilog compiled by Verilator with the driver of ``sim/batch.cpp``, called through ctypes."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import caching
from ..formats import Format
from ..temporary import temporary_folder
from ..units import Unit
from . import processes, tools
from .verilated import WITHOUT_FAULTY, cache_key

# Registers without a reset start with random values, the same in every run: nothing may rely on
# how a simulator or a chip happens to start.
_RANDOM_START = ("--x-assign", "unique", "--x-initial", "unique")
_NAMES = ("--prefix", "Vmodel", "-Mdir", ".")
_VERILATOR_FLAGS = (
    *("--cc", "-O3", "--no-timing", "-Wno-fatal", WITHOUT_FAULTY),
    *_RANDOM_START,
    *_NAMES,
)

# Hidden, because models of one class name are loaded side by side in one process.
_COMPILER_FLAGS = (
    "-std=c++17",
    "-fPIC",
    "-fvisibility=hidden",
    "-ffunction-sections",
    "-DVM_TRACE=0",
    "-DVL_USER_FATAL",
    "-DVL_USER_STOP",
    "-DVL_USER_FINISH",
)

_COMPILE = ("g++", "-O2", *_COMPILER_FLAGS)

_HEADER = "runtime.h"

_PATIENCE = 10_000
"""Clocks without a transfer after which a stream is given up."""

_CHUNK = 1 << 16
"""Vectors from which on another core pays."""

_RUNTIME = ("verilated.cpp", "verilated_threads.cpp", "verilated_dpi.cpp")


class Ended(NamedTuple):
    """How a run ended.

    ``message`` says what the driver gave up for, None if nothing; ``clocks``, ``sent`` and
    ``received`` how many clocks it took, and how many transfers went in and came out meanwhile.
    """

    message: str | None
    clocks: int
    sent: int
    received: int


class Model:
    """Compiled Verilog; made by `compiled`."""

    def __init__(self, library: Path):
        self._function = _load(library)

    def run(
        self, columns: list[np.ndarray], results: list[np.ndarray], settings: tuple[int, ...]
    ) -> Ended:
        """Have the driver load these columns, and store into those of the results. The settings
        are what ``sim/batch.cpp`` says."""
        counts, message = (ctypes.c_uint64 * 3)(), ctypes.create_string_buffer(256)
        went_well = self._function(
            (ctypes.c_void_p * len(columns))(*(x.ctypes.data for x in columns)),
            (ctypes.c_void_p * len(results))(*(x.ctypes.data for x in results)),
            ctypes.c_uint64(len(columns[0])),
            ctypes.c_uint64(len(results[0])),
            (ctypes.c_uint64 * len(settings))(*settings),
            counts,
            message,
        )
        return Ended(None if went_well else message.value.decode(), *counts)

    def run_on_all_cores(self, columns: list[np.ndarray], results: list[np.ndarray]) -> Ended:
        """The same of a combinational module, cut into parts that run side by side."""

        def call(part: slice) -> Ended:
            return self.run([x[part] for x in columns], [x[part] for x in results], (0, 0, 0, 0))

        rows = len(results[0])
        cores = min(os.cpu_count() or 1, 1 + rows // _CHUNK)
        cuts = [rows * i // cores for i in range(cores + 1)]
        parts = [slice(*ends) for ends in pairwise(cuts)]
        if cores == 1:
            return call(parts[0])
        with ThreadPoolExecutor(cores) as pool:
            ended = list(pool.map(call, parts))
        return next((one for one in ended if one.message), ended[0])


def interface(u: Unit, form: str = "", more: Iterable[str] = ()) -> str:
    """What the driver must know of a module with the ports of a unit (``unit.h``).

    `form` is ``COMBINATIONAL``; ``CLOCKED``, with operands and results at every clock; or ``STREAM
    n``, where no result may come in n clocks after the last one; by default that of the unit's own
    hardware. It has `more` inputs behind those of the unit.
    """
    form = form or (f"STREAM {u.stages + 1}" if u.stages else "COMBINATIONAL")

    def listed(ports: Iterable[str]) -> str:
        return " ".join(f"X({index}, {name})" for index, name in enumerate(ports))

    completes = u.transfers.completes
    complete = "model.{} == {}".format(*completes) if completes else "true"
    return (
        f'#include "Vmodel.h"\n#define {form}\n'
        f"#define COMPLETE(model) ({complete})\n"
        f"#define INPUTS(X) {listed([*u.inputs, *more])}\n#define RESULTS(X) {listed(u.results)}\n"
    )


def compiled(
    name: str,
    top: str,
    text: str,
    interface: str,
    check: Callable[[str], None],
    parts: Iterable[str] = (),
) -> Path:
    """The shared library of a module: from the cache, or compiled into it.

    Parameters
    ----------
    name : what its file is to be called by.
    top : the module.
    text : Verilog that has it, and all that it is made of.
    interface : what the driver must know of it (``unit.h``).
    check : is given the C++ header of the module, in which its ports are, and raises what is wrong.
    parts : modules in it that are compiled once each, not once for each place where they are.
    """
    driver = (tools.shipped("sim") / "batch.cpp").read_text()
    texts = (text, top, driver, interface, *_VERILATOR_FLAGS, *_COMPILER_FLAGS)
    key = cache_key(__name__, *texts)

    def made() -> bytes:
        with temporary_folder() as folder:
            (folder / "batch.cpp").write_text(driver)
            (folder / "unit.h").write_text(interface)
            (folder / "unit.v").write_text(text)
            (folder / "runtime.o").write_bytes(_runtime())
            (folder / _HEADER).write_text('#include "verilated.h"\n')
            (folder / f"{_HEADER}.gch").symlink_to(_precompiled_header())
            _verilate(top, parts, check, folder)
            _compile(folder)
            return (folder / "unit.so").read_bytes()

    return caching.kept_file("simulate", f"{name[:80]}-{key}.so", made)


# -- codes as the driver takes them ----------------------------------------------------------


def _words(f: Format) -> int:
    """32-bit words of a code that is wider than 64 bits."""
    return -(-f.bits // 32)


def columns(u: Unit, inputs: Iterable[np.ndarray]) -> list[np.ndarray]:
    """Arrays of codes, one for each input of a unit, as its ports take them."""
    return [_column(x, f) for x, f in zip(inputs, u.inputs.values(), strict=True)]


def room(u: Unit, results: int) -> list[np.ndarray]:
    """Columns for so many results of a unit."""
    return [_empty_column(results, f) for f in u.results.values()]


def codes(u: Unit, columns: Iterable[np.ndarray]) -> list[np.ndarray]:
    """The codes of results that a unit's ports gave."""
    return [_codes(x, f) for x, f in zip(columns, u.results.values(), strict=True)]


def pauses(idle: float, stall: float, seed: int) -> tuple[int, ...]:
    """The settings of a stream, for the chances that the source and the sink pause in a clock."""
    return int(idle * 2**32), int(stall * 2**32), int(seed), _PATIENCE


def _column(codes: np.ndarray, f: Format) -> np.ndarray:
    if f.dtype != object:
        return np.ascontiguousarray(codes)
    size = 4 * _words(f)
    text = b"".join(int(code).to_bytes(size, "little") for code in codes)
    return np.frombuffer(text, "<u4").reshape(codes.size, _words(f))


def _empty_column(n: int, f: Format) -> np.ndarray:
    return np.empty((n, _words(f)), "<u4") if f.dtype == object else np.empty(n, f.dtype)


def _codes(column: np.ndarray, f: Format) -> np.ndarray:
    if f.dtype != object:
        return column
    return np.array([int.from_bytes(row.tobytes(), "little") for row in column], object)


# -- compiling -------------------------------------------------------------------------------


@cache
def _load(library: Path) -> Callable[..., int]:
    function = ctypes.CDLL(str(library)).simulate
    function.restype = ctypes.c_int
    return function


def _verilate(top: str, parts: Iterable[str], check: Callable[[str], None], folder: Path) -> None:
    command, env = tools.verilator()
    arguments = [*_VERILATOR_FLAGS, "--top-module", top, "unit.v"]
    if blocks := "".join(f'hier_block -module "{name}"\n' for name in parts):
        (folder / "parts.vlt").write_text(f"`verilator_config\n{blocks}")
        arguments += ["--hierarchical", "parts.vlt"]
    processes.run([command, *arguments], folder, env, f"verilator on {top}")
    check((folder / "Vmodel.h").read_text())


def _compile(folder: Path) -> None:
    """One translation unit, and one for each part, each after the precompiled header: parsing
    Verilator's headers would be most of the work."""
    units = {"unit.cpp": [*sorted(folder.glob("Vmodel*.cpp")), folder / "batch.cpp"]}
    for i, part in enumerate(sorted(path for path in folder.glob("V*") if path.is_dir())):
        units[f"part_{i}.cpp"] = sorted(part.glob("*.cpp"))
    for name, sources in units.items():
        lines = (f'#include "{source.relative_to(folder)}"\n' for source in sources)
        (folder / name).write_text("".join(lines))
    link = ("-shared", "-s", "-Wl,--gc-sections", "-o", "unit.so", *units, "runtime.o")
    processes.run([*_COMPILE, *_include_flags(), "-include", _HEADER, *link], folder)


def _runtime() -> bytes:
    """Verilator's own library as an object file, compiled once per version of the tools."""

    def compiled() -> bytes:
        if sys.stderr.isatty():
            print("Compiling Verilator's runtime, once on this machine...", file=sys.stderr)
        with temporary_folder() as folder:
            (folder / "runtime.cpp").write_text("".join(f'#include "{p}"\n' for p in _RUNTIME))
            command = ["g++", "-O1", *_COMPILER_FLAGS, *_include_flags(), "-c", "runtime.cpp"]
            processes.run(command, folder, what="g++ on Verilator's runtime")
            return (folder / "runtime.o").read_bytes()

    key = cache_key(__name__, *_COMPILER_FLAGS, *_RUNTIME)
    return caching.kept("simulate", f"verilator-runtime-{key}.o", compiled)


def _precompiled_header() -> Path:
    """Verilator's header as g++ has parsed it, kept; without it or with another compiler's, g++
    takes the header itself."""

    def compiled() -> bytes:
        with temporary_folder() as folder:
            (folder / _HEADER).write_text('#include "verilated.h"\n')
            command = [*_COMPILE, *_include_flags(), "-x", "c++-header", _HEADER, "-o", "header"]
            processes.run(command, folder, what="g++ on Verilator's header")
            return (folder / "header").read_bytes()

    return caching.kept_file(
        "simulate", f"header-{cache_key(__name__, *_COMPILE, *_include_flags())}.gch", compiled
    )


def _include_flags() -> list[str]:
    include = tools.verilator_root() / "include"
    return ["-I.", f"-I{include}", f"-I{include / 'vltstd'}"]
