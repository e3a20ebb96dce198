"""What a proof found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Proof:
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
        if self.verdict == "undecided":
            return (
                f"{self.spec}: undecided after {self.seconds:.1f} s; "
                f"{len(self.open)} of {self.cases} cases are open: {', '.join(self.open[:3])}"
            )
        given = ", ".join(f"{name}={value:#x}" for name, value in self.counterexample.items())
        return (
            f"{self.spec}: refuted in {self.seconds:.1f} s: for {given} the Verilog gives "
            f"{codes_text(self.rtl)}, the definition {codes_text(self.golden)}"
        )

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {**self.__dict__}


def codes_text(results: dict[str, int]) -> str:
    """Codes by name, in hexadecimal."""
    return ", ".join(f"{name}={value:#x}" for name, value in results.items())
