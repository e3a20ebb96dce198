"""What became of the faults of a unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...tables import Row, Table, Tabled, quantity

FATES = {
    "killed": "a check has found it",
    "equivalent": "it changes no result, which is proven",
    "missed": "it changes results, and no check has found it",
    "undecided": "no check has found it, and it was not proven to change nothing",
}


@dataclass(frozen=True)
class Mutant:
    """A fault and what became of it.

    Attributes
    ----------
    kind : of `hwarith.flow.mutants.faults.KINDS`.
    fault : what becomes what.
    line : of the unit's Verilog, where it is.
    verilog : this line.
    fate : of `FATES`.
    by : what has found it (a class of vectors, a pattern of pauses, ``regression``), or what shows
        that it changes nothing (``every combination of operands``, or the solver).
    operands : codes of operands that show it; of a stream none.
    """

    kind: str
    fault: str
    line: int
    verilog: str
    fate: str
    by: str
    operands: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Mutation(Tabled):
    """What `hwarith.mutate` found.

    Attributes
    ----------
    spec : of the unit.
    places : how many faults there can be in its Verilog.
    vectors : how many results each was tried with, at most.
    exhaustive : whether they were all combinations of operands.
    seed : of the choice of faults, and of what is random.
    mutants : the faults, in the order of the Verilog.
    seconds : that all of it took.
    """

    spec: str
    places: int
    vectors: int
    exhaustive: bool
    seed: int
    mutants: tuple[Mutant, ...]
    seconds: float = 0

    def count(self, fate: str) -> int:
        """How many mutants have a fate of `FATES`."""
        return sum(mutant.fate == fate for mutant in self.mutants)

    @property
    def survivors(self) -> tuple[Mutant, ...]:
        """Those that no check has found."""
        return tuple(x for x in self.mutants if x.fate != "killed")

    @property
    def unexplained(self) -> tuple[Mutant, ...]:
        """Those that no check has found although they change results, or may."""
        return tuple(x for x in self.mutants if x.fate in ("missed", "undecided"))

    def tables(self) -> list[Table]:
        """How many faults met which fate, and the survivors."""
        survivors = Table(self._survivors()).without_empty(("",))
        return [Table([self._row()]), *[survivors] * bool(self.survivors)]

    def _row(self) -> Row:
        return {
            "spec": self.spec,
            "faults": len(self.mutants),
            **{fate: self.count(fate) for fate in FATES},
            "places": self.places,
            "vectors": self.vectors,
            "every combination": self.exhaustive,
            "seed": self.seed,
            **quantity("time", self.seconds, "s"),
        }

    def _survivors(self) -> list[Row]:
        return [
            {
                "line": x.line,
                "kind": x.kind,
                "fault": x.fault,
                "fate": x.fate,
                "by": x.by,
                "operands": " ".join(f"{name}={code:#x}" for name, code in x.operands.items()),
                "verilog": x.verilog,
            }
            for x in self.survivors
        ]

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return vars(self) | {
            **{fate: self.count(fate) for fate in FATES},
            "mutants": [vars(mutant) for mutant in self.mutants],
        }

    def __str__(self) -> str:
        tried = f"{self.vectors:,} vectors (seed {self.seed})"
        if self.exhaustive:
            tried = "every combination of operands"
        said = f"{self.count('killed')} found by {tried} or the regression"
        counts = {fate: self.count(fate) for fate in list(FATES)[1:]}
        others = "".join(f", {n} {fate}" for fate, n in counts.items() if n)
        return f"{self.spec}: of {len(self.mutants)} faults ({self.places:,} places) {said}{others}"
