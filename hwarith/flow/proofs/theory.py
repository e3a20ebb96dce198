"""A specification of IEEE-like units by others: SMT-LIB's theory of floating point."""

from __future__ import annotations

from ...formats import Format
from ...units import Unit
from ...units.convert import Convert
from ...units.exact.add import Add
from ...units.exact.fma import Fma
from ...units.exact.mul import Mul
from .terms import Term, Terms

MODES = {"rne": "RNE", "rna": "RNA", "rtz": "RTZ", "rup": "RTP", "rdn": "RTN"}
"""SMT-LIB's names of rounding modes. It has none of rounding to odd or at random."""

_OPTIONS = {"flags": "none", "subnormals": "keep", "nan": "canonical", "overflow": "nosat"}


def in_theory(u: Unit, t: Terms, inputs: dict[str, Term], result: Term) -> Term | None:
    """Whether a result is what the theory says: bit for bit, with the canonical NaN.

    It is None for what the theory does not have: other modes, options and formats, and operands of
    arithmetic that are not exact in the result's format.
    """
    if not isinstance(u, Mul | Add | Fma | Convert) or u.round not in MODES:
        return None
    if any(getattr(u, name, value) != value for name, value in _OPTIONS.items()):
        return None
    if getattr(u, "op", "") not in ("", "add", "madd"):
        return None
    operands, (out,) = u.operands, u.results.values()
    if any(not _is_ieee(f) for f in (*operands.values(), out)):
        return None
    if not isinstance(u, Convert) and not all(_holds(out, f) for f in operands.values()):
        return None
    mode, sort = MODES[u.round], _sort(out)
    of = [f"((_ to_fp {_sort(f)}) {{{i}}})" for i, f in enumerate(operands.values())]
    if isinstance(u, Convert):
        value = f"((_ to_fp {sort}) {mode} {of[0]})"
    else:  # these are exact
        wide = [f"((_ to_fp {sort}) RNE {x})" for x in of]
        name = "fp.mul" if isinstance(u, Mul) else "fp.add" if isinstance(u, Add) else "fp.fma"
        value = f"({name} {mode} {' '.join(wide)})"
    code = f"{{{len(of)}}}"
    nan = f"(_ bv{out.numbers.nan_code} {out.bits})"
    same = f"(ite (fp.isNaN r) (= {code} {nan}) (= ((_ to_fp {sort}) {code}) r))"
    return t.theory(
        f"(let ((r {value})) (ite {same} #b1 #b0))", *(inputs[n] for n in operands), result
    )


def _sort(f: Format) -> str:
    """Bits of the exponent and of the significand."""
    return f"{f.bits - f.precision} {f.precision}"


def _is_ieee(f: Format) -> bool:
    regular = f.is_float and bool(f.signed) and f.nan == "ieee" and not f.ignored_bits
    return regular and f.bias == (1 << (f.bits - f.precision - 1)) - 1 and f.precision > 1


def _holds(out: Format, f: Format) -> bool:
    """Whether every value of a format is one of another."""
    return out.numbers.lsb <= f.numbers.lsb and out.bias >= f.bias and out.precision >= f.precision
