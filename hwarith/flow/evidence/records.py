"""Records of evidence, which are shipped with the package, and the row of a unit.

They are in ``records.json`` beside this module: what the tests compared (``make evidence``), what
`hwarith.prove` and `hwarith.mutate` found, and what test suites said of which the results are not
ours. A record is of one text of Verilog: where that has changed, comments aside, the record is
dropped.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from ... import files
from ...units import Unit, unit
from ..verilog import verilog

FILE = Path(__file__).with_name("records.json")

HARDWARE = "hardware with the golden model"
EXACT = "golden model with exact arithmetic"
TESTFLOAT = "golden model and hardware with TestFloat"
IBM = "golden model and hardware with IBM's suite"
RECORDED = "golden model with results of GPUs"
RECORDED_RTL = "golden model and hardware with results of GPUs"
SOFTFLOAT = "golden model with Berkeley SoftFloat"
ML_DTYPES = "golden model with ml_dtypes"
GFLOAT = "golden model with gfloat"

REFEREES = (
    *(HARDWARE, EXACT, TESTFLOAT, IBM, RECORDED, RECORDED_RTL, SOFTFLOAT, ML_DTYPES, GFLOAT),
)
"""What is compared with what. All but the first two are the work of others."""


@dataclass(frozen=True)
class Compared:
    """Results that were compared: how many, how many of them differ, whether the operands were all
    that there are, and when."""

    results: int
    differing: int
    every: bool
    date: str

    def __str__(self) -> str:
        found = f"{self.results:,} results"
        if self.every:
            found = f"{found}, of every combination of operands"
        return f"{found}: {self.differing:,} differ" if self.differing else f"{found}: equal"


@dataclass(frozen=True)
class Proved:
    """The verdict of `hwarith.prove`, in how many seconds and cases, and when."""

    verdict: str
    seconds: float
    cases: int
    date: str

    def __str__(self) -> str:
        cases = "1 case" if self.cases == 1 else f"{self.cases:,} cases"
        return f"{self.verdict} in {self.seconds:.1f} s, {cases}"


@dataclass(frozen=True)
class Mutated:
    """What `hwarith.mutate` found: places for faults, faults, those that simulation and the
    regression found, those that trying all operands and a proof showed to change nothing, those
    that are left; and when."""

    places: int
    faults: int
    simulation: int
    regression: int
    exhaustive: int
    proof: int
    left: int
    date: str

    @property
    def found(self) -> int:
        """Faults that a check found."""
        return self.simulation + self.regression

    def __str__(self) -> str:
        equivalent = self.exhaustive + self.proof
        parts = [f"{self.found} of {self.faults} found"]
        parts += [f"{equivalent} change nothing"] * bool(equivalent)
        parts += [f"{self.left} left"] * bool(self.left)
        return ", ".join(parts)


@dataclass(frozen=True)
class Total:
    """Comparisons of golden models with exact arithmetic, of units of a family that have no record
    of their own: how many units, how many of them with every combination of operands, how many
    results, and when."""

    units: int
    every: int
    results: int
    date: str


@dataclass(frozen=True)
class Evidence:
    """What is known of a unit.

    Attributes
    ----------
    spec : of the unit.
    verilog : digest of the Verilog that this is known of, see `digest`; "" if nothing is known.
    proof, mutants : what was found, None if it was not tried.
    compared : what was compared, by `REFEREES`.
    """

    spec: str
    verilog: str = ""
    proof: Proved | None = None
    mutants: Mutated | None = None
    compared: dict[str, Compared] = field(default_factory=dict)

    def rows(self) -> list[dict[str, object]]:
        """A row for each: what, what came of it, and the day."""
        found: dict[str, Proved | Mutated | Compared | None] = {
            **{what: self.compared[what] for what in REFEREES if what in self.compared},
            "proof for every input": self.proof,
            "faults put into the Verilog": self.mutants,
        }
        return [{"evidence": what, "found": str(x), "on": x.date} for what, x in found.items() if x]

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "verilog": self.verilog,
            "proof": self.proof and vars(self.proof),
            "mutants": self.mutants and vars(self.mutants),
            "compared": {what: vars(x) for what, x in self.compared.items()},
        }

    def with_compared(self, what: str, new: Compared) -> Evidence:
        """With a comparison more; of two in which nothing differs that of more results is kept."""
        old = self.compared.get(what)
        equal = old and not old.differing and not new.differing
        if old and equal and (old.every, old.results) > (new.every, new.results):
            return self
        return replace(self, compared=self.compared | {what: new})


@dataclass
class Records:
    """All records by spec, the versions of the tools on each day, and the totals of families."""

    units: dict[str, Evidence]
    versions: dict[str, dict[str, str]]
    totals: dict[str, Total]

    def of(self, spec: str) -> Evidence:
        """What is known of a unit by its whole spec."""
        return self.units.get(spec, Evidence(spec))

    def of_today(self, u: Unit) -> Evidence:
        """What is known of a unit as it is now: nothing if its Verilog has changed since."""
        found = self.of(u.spec)
        now = digest(u)
        return found if found.verilog == now else Evidence(u.spec, now)

    def __iter__(self) -> Iterator[Evidence]:
        return iter(self.units.values())

    def write(self) -> None:
        """Keep them, whole or not at all, without days that no record is of."""
        kept = {e.spec: e for e in self if e.proof or e.mutants or e.compared}
        dates = {
            *(x.date for e in self for x in (e.proof, e.mutants, *e.compared.values()) if x),
            *(x.date for x in self.totals.values()),
        }
        versions = {date: x for date, x in sorted(self.versions.items()) if date in dates}
        totals = {name: [*vars(x).values()] for name, x in sorted(self.totals.items())}
        units = ",\n".join(
            f"{json.dumps(spec)}: {json.dumps(_plain(e))}" for spec, e in sorted(kept.items())
        )
        head = f'"versions": {json.dumps(versions)},\n"totals": {json.dumps(totals)}'
        files.write_text(FILE, f'{{\n{head},\n"units": {{\n{units}\n}}\n}}\n')


def _plain(e: Evidence) -> dict[str, Any]:
    """A record as JSON has it."""
    data: dict[str, Any] = {"verilog": e.verilog}
    data |= {"proof": [*vars(e.proof).values()]} if e.proof else {}
    data |= {"mutants": [*vars(e.mutants).values()]} if e.mutants else {}
    compared = {what: [*vars(x).values()] for what, x in sorted(e.compared.items())}
    return data | ({"compared": compared} if compared else {})


def _evidence(spec: str, data: dict[str, Any]) -> Evidence:
    return Evidence(
        spec,
        data["verilog"],
        Proved(*data["proof"]) if "proof" in data else None,
        Mutated(*data["mutants"]) if "mutants" in data else None,
        {what: Compared(*x) for what, x in data.get("compared", {}).items()},
    )


def read_records() -> Records:
    """The records that are kept."""
    data = json.loads(FILE.read_text(encoding="utf-8"))
    units = {spec: _evidence(spec, x) for spec, x in data["units"].items()}
    totals = {name: Total(*x) for name, x in data["totals"].items()}
    return Records(units, data["versions"], totals)


@cache
def _records() -> Records:
    return read_records()


def evidence(spec: Unit | str) -> Evidence:
    """What is known of a unit (or its spec): nothing of it if it has no record.

    Raises `InvalidInput` for a wrong spec.
    """
    return _records().of(unit(spec).spec)


def digest(u: Unit) -> str:
    """The first digits of the SHA-256 of a unit's Verilog, without its comments."""
    text = re.sub(r"//.*|/\*.*?\*/", "", verilog(u))
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:16]
