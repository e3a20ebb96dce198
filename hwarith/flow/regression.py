"""What a regression found: by phase, what it covered, and as JUnit's XML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from xml.etree import ElementTree

from ..tables import Row, Table, Tabled, quantity

EVENTS = {
    "clocks": "clocks",
    "idle": "idle",
    "waits": "with operands not taken",
    "stalls": "with results not taken",
    "resets": "resets",
}
"""What a testbench counts (``sim/streams.py``), in the words of a summary."""


@dataclass(frozen=True)
class Phase:
    """One test of a regression: how many checks passed and failed, and the first failure.

    ``seen`` has what happened at the streams meanwhile: clocks, idle ones (the source paused),
    waits (operands were offered and not taken), stalls (results were offered and not taken),
    resets.
    """

    name: str
    passed: int
    failed: int
    message: str | None
    seconds: float
    seen: dict[str, int] = field(default_factory=dict)


class Equivalent(Protocol):
    """What a `Regression` takes of the comparison of a netlist with its Verilog."""

    @property
    def library(self) -> str: ...

    @property
    def verdict(self) -> str:
        """``proven``, ``refuted`` or ``undecided``."""
        ...

    def as_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Regression(Tabled):
    """What `regress` found.

    Attributes
    ----------
    spec : of the unit.
    vectors : operand vectors in each phase.
    seed : of the vectors and the pauses.
    phases : the tests, in order.
    log : the file with all that cocotb printed.
    simulator : that ran it.
    classes : how many results there are of each class of `hwarith.vectors`.
    netlist : of a mapped netlist, whether it equals the unit's Verilog; else None.
    """

    spec: str
    vectors: int
    seed: int
    phases: tuple[Phase, ...]
    log: Path
    simulator: str = "verilator"
    classes: dict[str, int] = field(default_factory=dict)
    netlist: Equivalent | None = None

    @property
    def passed(self) -> int:
        """Checks that passed."""
        return sum(phase.passed for phase in self.phases)

    @property
    def failed(self) -> int:
        """Checks that failed."""
        return sum(phase.failed for phase in self.phases)

    @property
    def message(self) -> str | None:
        """The first failure: in which phase, what was expected, what came; None if all passed."""
        failures = (f"{phase.name}: {phase.message}" for phase in self.phases if phase.failed)
        return next(failures, None)

    @property
    def seen(self) -> dict[str, int]:
        """What happened at the streams in all phases together (`Phase`)."""
        total: Counter[str] = Counter()
        for phase in self.phases:
            total.update(phase.seen)
        return {name: total[name] for name in EVENTS if name in total}

    @property
    def covered(self) -> str:
        """What was tried, in a line: results by class, clocks, stalls, resets."""
        classes = ", ".join(f"{count:,} {name}" for name, count in self.classes.items())
        events = ", ".join(f"{count:,} {EVENTS[name]}" for name, count in self.seen.items())
        return "; ".join(filter(None, (f"results: {classes}" if classes else "", events)))

    @property
    def properties(self) -> dict[str, object]:
        """Simulator, seed, vectors, results by class, events at the streams."""
        facts = {name: self.as_dict()[name] for name in ("simulator", "seed", "vectors")}
        if self.netlist:
            facts |= {"library": self.netlist.library, "netlist": self.netlist.verdict}
        classes = {f"class.{name}": count for name, count in self.classes.items()}
        return facts | classes | self.seen

    @property
    def remark(self) -> str:
        """Where all is that was printed."""
        return f"log: {self.log}"

    def tables(self) -> list[Table]:
        """Its counts, its phases, and the results of each class."""
        phases = Table([_row(phase) for phase in self.phases]).without_empty()
        classes = [{"class": name, "results": count} for name, count in self.classes.items()]
        return [self._summary(), phases, *[Table(classes)] * bool(classes)]

    def _summary(self) -> Table:
        row: Row = {
            "spec": self.spec,
            "passed": self.passed,
            "failed": self.failed,
            "simulator": self.simulator,
            "vectors": self.vectors,
            "seed": self.seed,
            "netlist": self.netlist and self.netlist.verdict,
            **{EVENTS[name]: count for name, count in self.seen.items()},
        }
        return Table([row], details=tuple(EVENTS.values())).without_empty()

    def as_dict(self) -> dict[str, Any]:
        """The counts, the seed and the first failure, for JSON."""
        return {
            "passed": self.passed,
            "failed": self.failed,
            "phases": len(self.phases),
            "vectors": self.vectors,
            "seed": self.seed,
            "simulator": self.simulator,
            "classes": self.classes,
            "seen": self.seen,
            "message": self.message or "",
        } | ({"netlist": self.netlist.as_dict()} if self.netlist else {})

    def __str__(self) -> str:
        verdict = f"{self.failed} failed: {self.message}; log: {self.log}" if self.failed else "ok"
        return f"{self.spec}: {self.passed} checks passed, {verdict}"


def _row(phase: Phase) -> Row:
    return {
        "phase": phase.name,
        "passed": phase.passed,
        "failed": phase.failed,
        "first failure": phase.message,
        **quantity("time", phase.seconds, "s"),
        **{what: phase.seen[name] for name, what in EVENTS.items() if name in phase.seen},
    }


class Reported(Protocol):
    """What `junit` takes of a `Regression`, and of others that have phases."""

    @property
    def spec(self) -> str: ...

    @property
    def phases(self) -> tuple[Phase, ...]: ...

    @property
    def properties(self) -> dict[str, object]:
        """What was covered, and with what."""
        ...

    @property
    def remark(self) -> str:
        """What stands with every failure."""
        ...


def junit(results: Sequence[Reported]) -> str:
    """Results as JUnit's XML, as continuous integration reads it: a suite for each unit, a case
    for each phase, properties for what was covered."""
    root = ElementTree.Element("testsuites", _totals([p for r in results for p in r.phases]))
    for result in results:
        attributes = {"name": result.spec} | _totals(result.phases)
        suite = ElementTree.SubElement(root, "testsuite", attributes)
        properties = ElementTree.SubElement(suite, "properties")
        for name, value in result.properties.items():
            ElementTree.SubElement(properties, "property", name=name, value=str(value))
        for phase in result.phases:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=result.spec,
                name=phase.name,
                time=f"{phase.seconds:.3f}",
                assertions=str(phase.passed + phase.failed),
            )
            if phase.failed:
                said = phase.message or ""
                failure = ElementTree.SubElement(case, "failure", message=said)
                failure.text = f"{phase.failed} checks failed; {result.remark}"
    ElementTree.indent(root)
    return ElementTree.tostring(root, "unicode", xml_declaration=True) + "\n"


def _totals(phases: Sequence[Phase]) -> dict[str, str]:
    seconds = sum(phase.seconds for phase in phases)
    failures = sum(phase.failed > 0 for phase in phases)
    counts = {"tests": len(phases), "failures": failures, "errors": 0, "skipped": 0}
    return {name: str(count) for name, count in counts.items()} | {"time": f"{seconds:.3f}"}
