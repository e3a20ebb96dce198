"""What a proof found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...tables import Row, Table, Tabled, quantity


@dataclass(frozen=True)
class Proof(Tabled):
    """What `prove` found of a unit.

    `verdict` is "proven", for every input; "refuted", with the operands of `counterexample`, for
    which the Verilog gives `rtl` and the definition `golden`; or "undecided": the cases `open` were
    not decided in time, and the others were. `theory` says what was found of the definition in
    SMT-LIB's theory of floating point, if that was asked for: "equal", "undecided", or operands.
    """

    spec: str
    verdict: str
    seconds: float
    cases: int
    solvers: dict[str, int]
    lemmas: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    theory: str = ""
    counterexample: dict[str, int] = field(default_factory=dict)
    golden: dict[str, int] = field(default_factory=dict)
    rtl: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        solved = " and ".join(f"{name} ({n})" for name, n in self.solvers.items()) or "rewriting"
        if self.verdict == "proven":
            cases = f"{self.cases} cases" if self.cases != 1 else "1 case"
            theory = f"; the definition in SMT-LIB's theory: {self.theory}" if self.theory else ""
            how = f"{self.seconds:.1f} s ({cases}, {solved}){theory}"
            return f"{self.spec}: proven for every input in {how}"
        if self.verdict == "undecided":  # how many there are is not known: some were to be divided
            count = f"{len(self.open)} cases are" if len(self.open) != 1 else "1 case is"
            return (
                f"{self.spec}: undecided after {self.seconds:.1f} s; "
                f"{count} open: {', '.join(self.open[:3])}"
            )
        given = ", ".join(f"{name}={value:#x}" for name, value in self.counterexample.items())
        return (
            f"{self.spec}: refuted in {self.seconds:.1f} s: for {given} the Verilog gives "
            f"{codes_text(self.rtl)}, the definition {codes_text(self.golden)}"
        )

    def tables(self) -> list[Table]:
        """What was found; if refuted the codes that show it, if undecided the open cases."""
        codes = {"operand": self.counterexample, "Verilog": self.rtl, "definition": self.golden}
        ports: dict[str, dict[str, object]] = {}
        for what, by_name in codes.items():
            for name, code in by_name.items():
                ports.setdefault(name, {"port": name})[what] = f"{code:#x}"
        details = [Table(list(ports.values())), Table([{"open case": case} for case in self.open])]
        summary = Table([self._row()]).without_empty((None, ""))
        return [summary, *(table for table in details if table.rows)]

    def _row(self) -> Row:
        return {
            "spec": self.spec,
            "verdict": self.verdict,
            **quantity("time", self.seconds, "s"),
            "cases": self.cases,
            "open": len(self.open),
            "solvers": self.solvers,
            "lemmas": ", ".join(self.lemmas),
            "definition in SMT-LIB's theory": self.theory,
        }

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {**self.__dict__}


def codes_text(results: dict[str, int]) -> str:
    """Codes by name, in hexadecimal."""
    return ", ".join(f"{name}={value:#x}" for name, value in results.items())
