"""What a check of a user's Verilog found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...tables import Row, Table, Tabled
from ..proofs.result import Proof
from ..regression import Phase

NOTHING = "none of the alternatives"


@dataclass(frozen=True)
class Checked(Tabled):
    """What `hwarith.check` found.

    Attributes
    ----------
    spec : of the unit that the module was compared with.
    top : the module.
    form : ``combinational``, ``clocked`` or ``stream``.
    latency : clocks from operands to results of a clocked module, else None.
    exhaustive : whether every combination of operands was tried.
    seed : of what was random.
    phases : of each class of vectors, or of a stream of each pattern of pauses, how many results
        were right and wrong, and the first of these.
    nan_bits : how many results agree only because any NaN is as good as any other.
    explained : by alternative, how many of the wrong results that were examined are what it gives;
        each counts once, for the alternative that explains most.
    examined : how many wrong results were examined.
    events : of a stream, how many results were lost, came twice, or out of order.
    differences : the first wrong results, a row each: operands and results as codes and values, the
        exact result, what makes the operands hard, and what explains the result.
    seconds : that all of it took, without compiling.
    proof : whether the module is equal for every input, if that was asked for.
    """

    spec: str
    top: str
    form: str
    latency: int | None
    exhaustive: bool
    seed: int
    phases: tuple[Phase, ...]
    nan_bits: int = 0
    explained: dict[str, int] = field(default_factory=dict)
    examined: int = 0
    events: dict[str, int] = field(default_factory=dict)
    differences: tuple[Row, ...] = ()
    seconds: float = 0
    proof: Proof | None = None

    @property
    def results(self) -> int:
        """How many results were compared."""
        return sum(phase.passed + phase.failed for phase in self.phases)

    @property
    def differing(self) -> int:
        """How many of them were wrong, or did not come."""
        return sum(phase.failed for phase in self.phases)

    @property
    def passed(self) -> bool:
        """Whether the module is equal to the unit on all that was tried, and not refuted."""
        return not self.differing and (self.proof is None or self.proof.verdict != "refuted")

    def tables(self) -> list[Table]:
        """What was compared and how many results were wrong, and the first of these."""
        summary = Table([self._row()]).without_empty((None, {}))
        return [summary, *[Table(self.differences)] * bool(self.differences)]

    def _row(self) -> Row:
        return {
            "spec": self.spec,
            "top": self.top,
            "results": self.results,
            "wrong": self.differing,
            "every combination": self.exhaustive,
            "seed": self.seed,
            "form": self.form,
            "latency": self.latency,
            "NaN of other bits": self.nan_bits,
            "wrong of": {phase.name: phase.failed for phase in self.phases if phase.failed},
            "explained by": self.explained,
            **self.events,
            "proof": self.proof and self.proof.verdict,
        }

    @property
    def properties(self) -> dict[str, object]:
        """What was compared, and how, for JUnit."""
        names = ("top", "form", "latency", "exhaustive", "seed", "results")
        return {name: self.as_dict()[name] for name in names if self.as_dict()[name] is not None}

    @property
    def remark(self) -> str:
        """What explains the wrong results, for JUnit."""
        return self._explanation()

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        fields = {name: value for name, value in vars(self).items() if name != "differences"}
        return fields | {
            "passed": self.passed,
            "proof": self.proof.as_dict() if self.proof else None,
            "results": self.results,
            "differing": self.differing,
            "phases": [vars(phase) for phase in self.phases],
            "differences": self.differences,
        }

    def __str__(self) -> str:
        return "\n".join([f"{self.spec}: {self._verdict()}", *self._remarks()])

    def _verdict(self) -> str:
        how = "every combination of operands" if self.exhaustive else f"seed {self.seed}"
        form = f"latency {self.latency}" if self.latency is not None else self.form
        of = f"{self.results:,} results of {self.top} ({form}, {how})"
        return f"{of} agree" if self.passed else f"of {of} {self.differing:,} are wrong"

    def _remarks(self) -> list[str]:
        classes = ", ".join(f"{p.failed:,} of {p.name}" for p in self.phases if p.failed)
        events = ", ".join(f"{count:,} {what}" for what, count in self.events.items())
        told = [p for p in self.phases if self.form == "stream" and p.message]
        return [
            *([f"  {self.nan_bits:,} are NaN of other bits than the unit's"] * (self.nan_bits > 0)),
            *([f"  wrong: {classes}"] if classes else []),
            *([f"  {events}"] if events else []),
            *(f"  {p.name}: {p.message}" for p in told),
            *([f"  {self._explanation()}"] if self.examined else []),
            *([f"  {self.proof}"] if self.proof else []),
        ]

    def _explanation(self) -> str:
        if not self.examined:
            return "nothing was examined"
        found = ", ".join(f"{text} ({count})" for text, count in self.explained.items())
        return f"what explains the first {self.examined:,}: {found}"
