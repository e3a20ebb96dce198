"""Terms as SMT-LIB 2 text, which every solver reads."""

from __future__ import annotations

from collections.abc import Iterable

from .terms import Term, ordered


def script(assertions: Iterable[Term]) -> str:
    """A problem: variables, a definition for each term, and the truth values asserted."""
    roots = list(assertions)
    terms = ordered(roots)
    variables = [x for x in terms if x.op == "variable"]
    others = [x for x in terms if x.op not in ("variable", "const")]
    lines = [
        f"(set-logic {'QF_BVFP' if any(x.op == 'theory' for x in terms) else 'QF_BV'})",
        "(set-option :produce-models true)",
        *(f"(declare-const {x.name} (_ BitVec {x.width}))" for x in variables),
        *(f"(define-fun n{x.number} () (_ BitVec {x.width}) {_text(x)})" for x in others),
        *(f"(assert (= {name(x)} #b1))" for x in roots),
        "(check-sat)",
    ]
    return "\n".join(lines) + "\n"


def name(x: Term) -> str:
    """How a term is referred to."""
    if x.op == "const":
        return f"(_ bv{x.value} {x.width})"
    return x.name if x.op == "variable" else f"n{x.number}"


def _text(x: Term) -> str:
    args = [name(y) for y in x.args]
    if x.op == "theory":
        return x.name.format(*args)
    if x.op == "ite":
        return f"(ite (= {args[0]} #b1) {args[1]} {args[2]})"
    if x.op == "extract":
        return f"((_ extract {x.value + x.width - 1} {x.value}) {args[0]})"
    if x.op in ("=", "bvult", "bvule"):
        return f"(ite ({x.op} {args[0]} {args[1]}) #b1 #b0)"
    if x.op == "concat" and len(args) > 2:
        text = args[-1]
        for part in reversed(args[:-1]):
            text = f"(concat {part} {text})"
        return text
    return f"({x.op} {' '.join(args)})"
