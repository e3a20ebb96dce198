"""What units do at the edges, in words: parameters of rounding, overflow, subnormals and NaN as the
sentences that a datasheet has. ``docs/rounding.md`` is the contract that they are taken from."""

from __future__ import annotations

from ..formats import STOCHASTIC, Format
from ..rtl import PORT

EXACT = "none, results are exact"

MODES = {
    "rne": "to nearest, ties to even",
    "rna": "to nearest, ties away from zero",
    "rtz": "toward zero",
    "rup": "toward positive",
    "rdn": "toward negative",
    "rto": "to odd",
}
"""The rounding modes in words."""

MODE_PORT = "rounding mode: 0 rne, 1 rtz, 2 rdn, 3 rup, 4 rna, 6 rto"
"""What the port `rm` means."""

SUBNORMALS = {
    "keep": "kept, in operands and results",
    "daz": "operands count as zeros of their sign; results are kept",
    "ftz": "operands are kept; tiny results become zeros of their sign",
    "flush": "operands count as zeros of their sign, tiny results become such",
}
"""The values of a parameter `subnormals` in words."""


def conventions(rounding: str, overflow: str, subnormals: str, nan: str) -> dict[str, str]:
    """The topics of a unit's conventions, in the order in which they are shown."""
    topics = {"rounding": rounding, "overflow": overflow, "subnormals": subnormals, "NaN": nan}
    return {topic: words for topic, words in topics.items() if words}


def of_integers(overflow: str) -> dict[str, str]:
    """The conventions of exact integer arithmetic that treats overflow so."""
    return conventions(EXACT, overflow, "", "")


def of_parts(parts: dict[str, dict[str, str]]) -> dict[str, str]:
    """The conventions of an array, of those of its parts by their names."""
    if len(parts) == 1:
        return next(iter(parts.values()))
    topics = dict.fromkeys(topic for words in parts.values() for topic in words)
    return {
        topic: "; ".join(f"{name}: {x[topic]}" for name, x in parts.items() if topic in x)
        for topic in topics
    }


def rounding_words(mode: str, n: int | None = None) -> str:
    """A rounding mode, or stochastic variant of `n` random bits, in words."""
    if mode in STOCHASTIC:
        return f"at random, variant {mode} of docs/rounding.md, by {n} bits on port r"
    if mode.startswith(PORT):
        return "as port rm says" + (f"; at random by {n} bits on port r for 5" if n else "")
    return MODES[mode]


def rounding_bound(mode: str, unit: str = "") -> str:
    """How far a result that is rounded once may be from the exact one, in a unit of this name."""
    share = "at most 1/2" if mode in ("rne", "rna") else "less than 1"
    return f"error {share}{unit and ' '}{unit}, one rounding"


def overflow_words(policy: str, out: Format, mode: str = "rne") -> str:
    """What becomes of results beyond the range of their format (the table of the contract)."""
    if policy == "wrap":
        return f"wraps modulo 2^{out.bits}"
    if policy == "indefinite":
        return f"{_indefinite(out)}, for infinities and NaN too"
    if not out.is_float:
        return "clamped to the ends of the range"
    largest = "the largest value"
    if out.is_posit:
        return f"{largest}, and below the smallest the smallest; infinite results are NaR"
    if policy == "saturate" or not (out.infinity or out.nan != "none"):
        return f"{largest}, for infinities too"
    infinite = "infinity" if out.infinity else "NaN"
    if policy == "satprop":
        return f"{largest}; infinite results are {infinite}"
    if policy == "p3109_satnone":
        return "SatNone of P3109 (docs/rounding.md)"
    if policy == "toinf":
        return f"{infinite}, whatever the mode"
    beyond = "NaN" if policy == "nan" else infinite
    beyond += f"; infinite results are {infinite}" if beyond != infinite else ""
    if mode in ("rtz", "rto"):
        return f"{largest}; infinite results are {infinite}"
    if mode in ("rup", "rdn") or mode.startswith(PORT):
        return f"{beyond}; {largest} where the mode rounds toward zero, or to odd"
    return beyond


def _indefinite(out: Format) -> str:
    """x86's indefinite integer: the lowest one, or of unsigned ones the highest."""
    return f"{1 << (out.bits - 1) if out.signed else (1 << out.bits) - 1:#x}"


def nan_words(out: Format, payload: bool = False, policy: str = "") -> str:
    """What a NaN result is."""
    if policy == "indefinite":
        return f"becomes {_indefinite(out)}"
    if not out.is_float:
        return "becomes the largest integer"
    if out.nan == "none":
        return f"{out.name} has none; it becomes the largest value"
    if out.is_posit:
        return f"NaR, {out.numbers.nan_code:#x}"
    canonical = f"{out.numbers.nan_code:#0{2 + -(-out.bits // 4)}x}"
    if payload:
        return f"the first NaN operand, made quiet; of an invalid operation {canonical}"
    return f"{canonical}, whatever NaN an operand is"
