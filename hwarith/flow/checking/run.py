"""A user's own Verilog against the golden model of a unit."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from ...exceptions import InvalidInput, ToolFailure, quoted, shown
from ...units import Unit, unit
from ...units.exact.base import Exact
from .. import tools
from ..checks import MOST_SEED, check_integer
from ..compiled import Model, codes, columns, compiled, interface, pauses, room
from ..proofs.provable import check_provable
from ..proofs.prove import prove_verilog
from ..regression import Phase
from ..vectors.run import NAN, is_nan
from .batches import Batch, batches, is_exhaustive, joined, part_of
from .differences import Differences
from .result import Checked
from .sources import read_sources
from .streams import LOST, MOVED, TWICE, Event, pair
from .wrapper import FORMS, WRAPPER, wrapper

VECTORS = {"combinational": 1 << 24, "clocked": 1 << 22, "stream": 1 << 20}
"""How many vectors are tried by default."""

GROUPS = 1 << 12
"""How many groups of a unit with a memory."""

MOST_VECTORS = 1 << 32
MOST_LATENCY = 256
MOST_SHOWN = 1000

_PROBED = 1 << 12
"""Vectors with which the latency is made sure of."""

_FITS = 0.9
"""The share of right results that says that a latency is the one."""

PAUSES = {"idle=0 stall=0": (0.0, 0.0), "idle=0.5 stall=0": (0.5, 0.0)} | {
    "idle=0 stall=0.5": (0.0, 0.5),
    "idle=0.3 stall=0.7": (0.3, 0.7),
}
"""The shares of clocks in which the source and the sink of a stream pause."""

_SILENT = 1000
"""Clocks after the last result of a stream in which no other one may come."""


def check(
    files: Path | str | Sequence[Path | str],
    top: str,
    against: Unit | str,
    ports: Mapping[str, str] | None = None,
    latency: int | None = None,
    stream: bool = False,
    flags: str | None = None,
    params: Mapping[str, object] | None = None,
    ties: Mapping[str, object] | None = None,
    vectors: int | None = None,
    seed: int = 1,
    nan: str = "any",
    most: int = 10,
    prove: float | None = None,
) -> Checked:
    """Your own Verilog or SystemVerilog against the golden model of a unit, in Verilator.

    Every combination of operands is tried if there are no more than `vectors`; otherwise vectors
    of every class of `hwarith.vectors`, and then corner-weighted random ones.

    Parameters
    ----------
    files : of the module and all that it is made of, packages first. What they include is looked
        for beside them.
    top : the module.
    against : the unit, or its spec.
    ports : the module's names of ports, by the unit's, where they differ. A ``~`` before a name
        says that this control is active low, as in ``{"rst": "~rst_n"}``.
    latency : clocks from operands to results, 0 to 256, of a module that takes operands at every
        clock, without a handshake. It has a port ``clk``, and may have ``rst``.
    stream : whether the module has valid and ready on both sides (``docs/interface.md``). It is
        then tried with pauses of either side. The default against a unit with stages.
    flags : the module's port of exception flags, bits as in RISC-V's ``fflags``; they are compared
        with those of the unit, with tininess detected after rounding if it has none.
    params : parameters of the module: numbers, or texts.
    ties : numbers at inputs that the unit has nothing for, by the module's names.
    vectors : how many results are compared, 1 to 2^32; by default 2^24, of a module with a clock
        2^22, of a stream 2^20, of a unit with a memory 2^12 groups.
    seed : of what is random, 0 to 2^32 - 1.
    nan : ``any``: any NaN is as good as the unit's; ``bits``: NaN are compared bit for bit.
    most : how many differences are told, 0 to 1000.
    prove : of a combinational module that is right on all vectors, seconds to prove it so for
        every input (`hwarith.prove`), with yosys reading the files.

    Raises `InvalidInput` for what is not there or does not fit: files, the module, its ports and
    parameters, the latency; and for files that Verilator cannot read. `MissingTool` without g++,
    make or perl; `ToolFailure` if the module cannot be compiled, or ends the simulation.
    """
    u = unit(against)
    if nan not in NAN:
        raise InvalidInput(f"check: nan must be one of {', '.join(NAN)}, not {quoted(nan)}")
    check_integer("check: most", most, 0, MOST_SHOWN)
    check_integer("check: seed", seed, 0, MOST_SEED)
    for name, given in {"ports": ports, "params": params, "ties": ties}.items():
        if not isinstance(given, Mapping | None) or not all(
            isinstance(x, str) for x in given or ()
        ):
            raise InvalidInput(
                f"check: {name} must be a dictionary of what is given to names, not {quoted(given)}"
            )
    names = dict(ports or {})
    if flags is not None:
        u = _with_flags(u)
        names["flags"] = flags
    if wrong := [x for x in names.values() if not isinstance(x, str)]:
        raise InvalidInput(f"check: names of ports are texts, not {quoted(wrong[0])}")
    form = _form(u, latency, stream)
    if prove is not None:
        check_provable(u, prove)
        if form != "combinational":
            raise InvalidInput(f"check: prove is for a combinational module, not for a {form} one")
    number = (GROUPS if u.transfers.controls else VECTORS[form]) if vectors is None else vectors
    check_integer("check: vectors", number, 1, MOST_VECTORS)
    tools.require("g++", "make", "perl")
    sources = read_sources(_paths(files), top, params or {})
    text = sources.text + wrapper(u, sources, form, names, ties or {})
    head = f"STREAM {_SILENT}" if form == "stream" else form.upper()
    library = compiled(f"check-{top}", WRAPPER, text, interface(u, head), lambda _: None)
    try:
        model = Model(library)
    except OSError as error:
        raise ToolFailure(f"{top} cannot be loaded: {shown(error)}") from None
    run = _Check(u, model, top, latency, nan)
    start = time.perf_counter()
    with _said_on_standard_error():
        run.run(form, number, seed)
    explained: dict[str, int] = {}
    best: list[str] = []
    if run.differences.kept:
        best, explained = run.differences.explained()
    told = list(zip(run.differences.kept, best, strict=True))[:most]
    proof = None
    if prove is not None and not run.differences.kept:
        proof = prove_verilog(u, text, WRAPPER, prove, any_nan=nan == "any")
    return Checked(
        u.spec,
        top,
        form,
        latency,
        is_exhaustive(u, number),
        seed,
        tuple(run.phases.values()),
        run.nan_bits,
        explained,
        len(best),
        {what: sum(e.what == what for e in run.events) for what in run.happened},
        tuple([*run.told, *(run.differences.row(*pair) for pair in told)][:most]),
        time.perf_counter() - start,
        proof,
    )


@contextmanager
def _said_on_standard_error() -> Iterator[None]:
    """Have what a module prints (``$display``) go there, and not among the results."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        ctypes.CDLL(None).fflush(None)
        os.dup2(kept, 1)
        os.close(kept)


def _paths(files: object) -> list[Path | str]:
    """The files that a user named. Raises `InvalidInput` for what are no names."""
    given = files if isinstance(files, list | tuple) else [files]
    for file in given:
        if not isinstance(file, str | Path):
            raise InvalidInput(f"check: files are named by texts or paths, not {quoted(file)}")
    return list(given)


def _with_flags(u: Unit) -> Unit:
    """The unit with exception flags. Raises `InvalidInput` if there are none for it."""
    if "flags" in u.results:
        return u
    if not isinstance(u, Exact) or not u.has_exceptions:
        raise InvalidInput(
            f"check: {u.spec} has no exception flags; allowed: mul, add and fma of floats, "
            "convert, div, recip, sqrt, rsqrt, rem, fmod"
        )
    return replace(u, flags="after")


def _form(u: Unit, latency: int | None, stream: bool) -> str:
    """What kind of module it is, one of `FORMS`."""
    if latency is not None and stream:
        raise InvalidInput("check: give latency or stream, not both")
    if latency is not None:
        check_integer("check: latency", latency, 0, MOST_LATENCY)
        if u.transfers.clocks > 1:
            raise InvalidInput(
                f"check: a transfer of {u.spec} takes {u.transfers.clocks} clocks; allowed: stream"
            )
        form = "clocked"
    else:
        form = "stream" if stream or u.stages else "combinational"
    assert form in FORMS
    return form


class _Check:
    """A module being compared with a unit."""

    def __init__(self, u: Unit, model: Model, top: str, latency: int | None, nan: str):
        self.u, self.model, self.top, self.nan = u, model, top, nan
        self.latency = latency or 0
        self.differences = Differences(u)
        self.phases: dict[str, Phase] = {}
        self.events: list[Event] = []
        self.told: list[dict[str, object]] = []
        self.happened: list[str] = []
        self.nan_bits = 0

    def run(self, form: str, vectors: int, seed: int) -> None:
        parts = batches(self.u, vectors, seed)
        if form == "stream":
            self._streams(joined(list(parts), "all"), seed)
            return
        probed = form == "combinational"
        for batch in _ahead(parts):
            start = time.perf_counter()
            if not probed:
                self._probe(batch)
                probed = True
            got = self._combinational(batch) if form == "combinational" else self._clocked(batch)
            self._compare(batch.name, batch, got, start)

    # -- one batch -------------------------------------------------------------------------------

    def _combinational(self, batch: Batch) -> list[np.ndarray]:
        results = room(self.u, len(batch.inputs[0]))
        ended = self.model.run_on_all_cores(columns(self.u, batch.inputs), results)
        self._unless(ended.message)
        return codes(self.u, results)

    def _clocked(self, batch: Batch) -> list[np.ndarray]:
        results = self._by_clock(columns(self.u, batch.inputs), self.latency)
        at = batch.ends + self.latency
        return codes(self.u, [x[at] for x in results])

    def _by_clock(self, inputs: list[np.ndarray], more: int) -> list[np.ndarray]:
        """What the results' ports show at each clock."""
        results = room(self.u, len(inputs[0]) + more)
        self._unless(self.model.run(inputs, results, (0, 0, 0, 0)).message)
        return results

    def _unless(self, message: str | None) -> None:
        if message:
            raise ToolFailure(f"simulation of {self.top}: {message}")

    def _probe(self, batch: Batch) -> None:
        """Raise `InvalidInput` if results fit another latency, and not this one."""
        results = self._by_clock([x[:_PROBED] for x in columns(self.u, batch.inputs)], MOST_LATENCY)
        ends = batch.ends[batch.ends < _PROBED]
        shown_at = codes(self.u, results)

        def share(latency: int) -> float:
            pairs = zip(shown_at, batch.expected, strict=True)
            right = [x[ends + latency] == y[: len(ends)] for x, y in pairs]
            return float(np.logical_and.reduce(right).mean()) if len(ends) else 0.0

        shares = [share(latency) for latency in range(MOST_LATENCY + 1)]
        best = int(np.argmax(shares))
        if shares[best] >= _FITS > shares[self.latency]:
            raise InvalidInput(
                f"check: latency {self.latency} does not fit: results of {self.top} come "
                f"{best} clock{'s' * (best != 1)} after their operands"
            )

    def _compare(
        self, name: str, batch: Batch, got: list[np.ndarray], start: float, lost: int = 0
    ) -> None:
        wrong = np.zeros(len(batch.expected[0]), bool)
        only_bits = np.zeros(len(wrong), bool)
        formats = self.u.results.values()
        for f, right, came in zip(formats, batch.expected, got, strict=True):
            differs = np.asarray(right != came, bool)
            if self.nan == "any" and differs.any():
                both = differs & is_nan(f, right) & is_nan(f, came)
                only_bits |= both
                differs &= ~both
            wrong |= differs
        self.nan_bits += int((only_bits & ~wrong).sum())
        places = np.flatnonzero(wrong)
        self.differences.keep(batch, got, places)
        self._count(name, len(wrong), len(places), time.perf_counter() - start)

    def _count(
        self, name: str, results: int, failed: int, seconds: float, message: str = ""
    ) -> None:
        before = self.phases.get(name, Phase(name, 0, 0, None, 0.0))
        first = before.message or message or (f"{failed:,} results are wrong" if failed else None)
        self.phases[name] = Phase(
            name,
            before.passed + results - failed,
            before.failed + failed,
            first,
            before.seconds + seconds,
        )

    # -- streams ---------------------------------------------------------------------------------

    def _streams(self, whole: Batch, seed: int) -> None:
        """All of it in as many parts as there are patterns of pauses."""
        if whole.transfers is None:
            order = np.random.default_rng(seed).permutation(len(whole.inputs[0]))
            inputs, expected = ([x[order] for x in xs] for xs in (whole.inputs, whole.expected))
            whole = Batch(whole.name, inputs, expected)
        for (name, (idle, stall)), batch in zip(PAUSES.items(), _cut(whole), strict=False):
            self._stream(name, batch, idle, stall, seed)

    def _stream(self, name: str, batch: Batch, idle: float, stall: float, seed: int) -> None:
        start = time.perf_counter()
        total = len(batch.expected[0])
        results = room(self.u, total)
        ended = self.model.run(columns(self.u, batch.inputs), results, pauses(idle, stall, seed))
        got = codes(self.u, [x[: ended.received] for x in results])
        places, events = pair(batch.expected, got)
        came = np.flatnonzero(places >= 0)
        self.events += events
        found = [what for what in (LOST, TWICE, MOVED) if any(e.what == what for e in events)]
        self.happened += [what for what in found if what not in self.happened]
        part = part_of(batch, came)
        self.told += [
            self.differences.event_row(part_of(batch, np.array([event.place])), event.what)
            for event in events[:MOST_SHOWN]
        ]
        self._compare(f"stream {name}", part, [x[places[came]] for x in got], start)
        if events or ended.message:
            first = f"{events[0].what}: result {events[0].place + 1}" if events else ""
            message = "; ".join(filter(None, (first, ended.message)))
            failed = len(events) or 1
            self._count(f"stream {name}", failed, failed, 0.0, message)


def _ahead(parts: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches, each made while the one before it runs."""
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, parts, None)
        while (batch := coming.result()) is not None:
            coming = maker.submit(next, parts, None)
            yield batch


def _cut(batch: Batch) -> Iterator[Batch]:
    """A batch in as many parts as there are patterns of pauses."""
    pieces = batch.pieces
    cuts = [len(pieces) * i // len(PAUSES) for i in range(len(PAUSES) + 1)]
    for first, last in pairwise(cuts):
        if first < last:
            yield part_of(batch, np.concatenate(pieces[first:last]))
