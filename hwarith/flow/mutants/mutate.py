"""`mutate`: faults in the Verilog of a unit, one after the other, against the unit's checks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from ...exceptions import ToolFailure
from ...units import Unit, unit
from .. import tools
from ..checking.batches import Batch, batches, is_exhaustive, joined, part_of
from ..checking.run import PAUSES
from ..checks import MOST_SEED, check_integer, check_timeout, solver_jobs
from ..compiled import Model, codes, columns, compiled, interface, pauses, room
from ..proofs.solvers import require_solvers
from ..regress import regress
from ..verilog import verilog as verilog_of
from .equivalence import Equivalence
from .faults import SELECT, Fault, chosen, faults, mutated, with_all
from .result import Mutant, Mutation

MOST_MUTANTS = 10_000

VECTORS = {"combinational": 1 << 18, "stream": 1 << 14, "groups": 1 << 15}
"""With how many results a mutant is tried at most, by default."""

_MOST_VECTORS = 1 << 26

_FIRST = 1 << 12, 1 << 8
"""Results that most faults are found with, of units without and with stages."""

_UNDECIDED = {
    "refuted": "it shows from a state of the registers that may never be",
    "undecided": "the solvers took too long",
}


def mutate(
    spec: Unit | str,
    count: int = 50,
    seed: int = 1,
    vectors: int | None = None,
    timeout: float = 60,
    jobs: int | None = None,
    advance: Callable[[int, int], None] = lambda done, of: None,
) -> Mutation:
    """Put faults into the Verilog of a unit, and see whether its checks find them.

    Each fault is a change of one place, of `hwarith.flow.mutants.faults.KINDS`; those that are
    tried are drawn by chance, as many of each kind. A fault is found if a result in simulation is
    another than the golden model's; in a stream also if a result is lost, is one too many, or is
    not the same while it waits. What is left is held to the Verilog without the fault by the
    solvers of `prove`, if not every combination of operands was tried; and of units with stages,
    where that is no proof, tried with `hwarith.regress`.

    Parameters
    ----------
    spec : the unit, or its spec.
    count : how many faults, 1 to 10,000; all that there can be if there are no more.
    seed : of the choice, of the vectors and the pauses, 0 to 2^32 - 1.
    vectors : with how many results each is tried, 1 to 2^26: all combinations of operands if there
        are no more, else vectors of every class of `hwarith.vectors` and corner-weighted random
        ones. By default 2^18; of a unit with stages 2^14 in each of four patterns of pauses, of one
        with a memory 2^15 groups in each, and then the longest that it is made for.
    timeout : seconds for the proof of each survivor.
    jobs : solver processes at a time; as many as there are processors, by default.
    advance : is told of how many faults the fate is known, and of how many there are.

    Raises `InvalidInput` for a wrong spec or number; `MissingTool` without g++, make, perl, yosys
    or the solvers; `ToolFailure` if the Verilog cannot be compiled, or is not right without a
    fault.
    """
    u = unit(spec)
    grouped = bool(u.transfers.controls)
    form = "groups" if grouped else "stream" if u.stages else "combinational"
    number = VECTORS[form] if vectors is None else vectors
    check_integer("mutate: count", count, 1, MOST_MUTANTS)
    check_integer("mutate: seed", seed, 0, MOST_SEED)
    check_integer("mutate: vectors", number, 1, _MOST_VECTORS)
    check_timeout("mutate", timeout)
    solvers = solver_jobs("mutate", jobs)
    tools.require("g++", "make", "perl")
    require_solvers()
    start = time.monotonic()
    text = verilog_of(u)
    found = faults(text)
    campaign = _Campaign(u, text, chosen(found, count, seed), advance)
    campaign.simulate(number, seed)
    exhaustive = is_exhaustive(u, number)
    campaign.explain(exhaustive and not u.stages, timeout, solvers, seed)
    mutants = tuple(campaign.fates[n] for n in sorted(campaign.fates))
    seconds = time.monotonic() - start
    return Mutation(u.spec, len(found), number, exhaustive, seed, mutants, seconds)


class _Campaign:
    """Faults of a unit, by number from 1 on, and the fates of those that have one."""

    def __init__(self, u: Unit, text: str, drawn: list[Fault], advance: Callable[[int, int], None]):
        self.u, self.text, self.advance = u, text, advance
        self.faults = dict(enumerate(drawn, 1))
        self.fates: dict[int, Mutant] = {}
        self.all_text = with_all(text, drawn)

    @property
    def alive(self) -> list[int]:
        """The numbers of those that have no fate yet."""
        return [n for n in self.faults if n not in self.fates]

    def ends(self, n: int, fate: str, by: str, operands: dict[str, int] | None = None) -> None:
        """Keep the fate of a fault."""
        x = self.faults[n]
        line = self.text.count("\n", 0, x.start)
        verilog = self.text.splitlines()[line].strip()
        self.fates[n] = Mutant(x.kind, x.what, line + 1, verilog, fate, by, operands or {})
        self.advance(len(self.fates), len(self.faults))

    # -- in simulation ---------------------------------------------------------------------------

    def simulate(self, vectors: int, seed: int) -> None:
        """Try those that are alive with so many vectors."""
        u = self.u
        head = interface(u, more=[SELECT])
        library = compiled(
            f"mutants-{u.name}", u.name, self.all_text, head, lambda _: None, u.parts
        )
        self.model = Model(library)
        tried = self._streamed if u.stages else self._computed
        for batch in _tried(u, vectors, seed):
            for n in [0, *self.alive]:
                self._try(n, tried(n, batch, seed))

    def _try(self, n: int, said: tuple[str, dict[str, int]] | None) -> None:
        if said and n == 0:
            raise ToolFailure(f"{self.u.spec}: without any fault its Verilog is wrong: {said[0]}")
        if said:
            self.ends(n, "killed", *said)

    def _columns(self, n: int, batch: Batch) -> list[np.ndarray]:
        which = np.full(len(batch.inputs[0]), n, np.uint16)
        return [*columns(self.u, batch.inputs), which]

    def _wrong(self, batch: Batch, results: list[np.ndarray]) -> np.ndarray:
        """The places of wrong results."""
        differ = np.zeros(len(batch.expected[0]), bool)
        for right, came in zip(batch.expected, codes(self.u, results), strict=True):
            differ |= np.asarray(right != came, bool)
        return np.flatnonzero(differ)

    def _computed(self, n: int, batch: Batch, seed: int) -> tuple[str, dict[str, int]] | None:
        """What has found a fault of a combinational unit: the class of a vector, and the vector."""
        results = room(self.u, len(batch.expected[0]))
        ended = self.model.run_on_all_cores(self._columns(n, batch), results)
        if ended.message:
            return ended.message, {}
        for place in self._wrong(batch, results)[:1]:
            pairs = zip(self.u.inputs, batch.inputs, strict=True)
            return batch.name, {name: int(x[place]) for name, x in pairs}
        return None

    def _streamed(self, n: int, batch: Batch, seed: int) -> tuple[str, dict[str, int]] | None:
        """What has found a fault of a unit with stages: the pauses of source and sink."""
        inputs = self._columns(n, batch)
        for name, (idle, stall) in [*PAUSES.items()][: 1 if batch.name == "steady" else None]:
            results = room(self.u, len(batch.expected[0]))
            ended = self.model.run(inputs, results, pauses(idle, stall, seed))
            if ended.message or len(self._wrong(batch, results)):
                return f"{batch.name}, {name}", {}
        return None

    # -- what is left ----------------------------------------------------------------------------

    def explain(self, exhaustive: bool, timeout: float, jobs: int, seed: int) -> None:
        """Give a fate to those that nothing has found."""
        if exhaustive:
            for n in self.alive:
                self.ends(n, "equivalent", "every combination of operands")
        if not self.alive:
            return
        try:
            circuits = Equivalence(self.u, self.all_text, timeout, jobs)
        except ToolFailure as error:
            for n in self.alive:
                self._undecided(n, str(error), seed)
            return
        for n in self.alive:
            outcome = circuits.outcome(n)
            solvers = " and ".join(outcome.solvers) or "rewriting"
            if outcome.verdict == "proven":
                self.ends(n, "equivalent", solvers)
            elif outcome.verdict == "refuted" and not self.u.stages:
                self._missed(n, solvers, outcome.model)
            else:
                self._undecided(n, _UNDECIDED[outcome.verdict], seed)

    def _undecided(self, n: int, why: str, seed: int) -> None:
        """Keep a fault that was not proven to change nothing, unless the cocotb testbench finds it:
        it also resets units in mid-flight."""
        if self.u.stages:
            text = mutated(self.text, self.faults[n])
            found = regress(self.u, vectors=200, seed=seed, verilog=text)
            if found.failed:
                phase = next(phase.name for phase in found.phases if phase.failed)
                self.ends(n, "killed", f"regression: {phase}")
                return
        self.ends(n, "undecided", why)

    def _missed(self, n: int, solver: str, model: dict[str, int]) -> None:
        """Keep a fault that a counterexample shows, which is simulated."""
        given = {name: model.get(name, 0) for name in self.u.inputs}
        inputs = [np.array([given[k]], f.dtype) for k, f in self.u.inputs.items()]
        (operands,) = self.u.transfers.calls(inputs)
        expected = [np.ravel(x) for x in self.u.transfers.result_codes(self.u(*operands))]
        if not self._computed(n, Batch(solver, inputs, expected), 0):
            raise ToolFailure(f"{solver} gave a counterexample of {self.u.spec} that is none")
        self.ends(n, "missed", solver, given)


def _tried(u: Unit, vectors: int, seed: int) -> Iterator[Batch]:
    """What the mutants of a unit are tried with: a few vectors, then all others."""
    parts = batches(u, vectors, seed)
    rng = np.random.default_rng(seed)
    for batch in [joined(list(parts), "all")] if u.stages else parts:
        pieces = batch.pieces
        order = [pieces[i] for i in rng.permutation(len(pieces)).tolist()]
        first = _FIRST[u.stages > 0]
        yield from (part_of(batch, np.concatenate(x)) for x in (order[:first], order[first:]) if x)
