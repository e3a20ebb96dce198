"""Pipelines: proved to be their logic without registers, and an elastic chain of ranks.

The reference is a chain of L ranks of registers. Rank k is ready if it is empty or the next one is
ready, and the last one's next is the sink:

    ready_k = !valid_k | ready_(k+1),   ready_(L+1) = o_ready

When it is ready it takes what rank k-1 holds, or the source offers, and else it keeps what it has.
So a result moves to the next rank exactly when its place is taken by the one behind it: none is
lost, doubled or overtaken. A ready sink makes all ranks ready: there is no deadlock.

A pipeline is shown to be such a chain rank by rank, from any state and for any inputs, which is the
induction. What it computes is then what is left if registers are taken as wires.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from .netlist import Circuit
from .terms import Term, Terms, ordered

CONTROLS = ("clk", "rst", "i_valid", "o_ready")
"""Inputs that are no operands."""


def without_registers(t: Terms, circuit: Circuit, given: Collection[Term] = ()) -> Circuit | None:
    """A pipeline in which registers are wires: each is what it takes where all ranks are ready.

    None if it has registers that are of no rank, or that take from others than the one before (or
    from `given` variables, which stand for what others hold).
    """
    free = {circuit.inputs["rst"]: 0, circuit.inputs["i_valid"]: 1, circuit.inputs["o_ready"]: 1}
    ranks: dict[Term, int] = {}
    for q in circuit.registers:
        found = re.fullmatch(r"(valid_|.*_r)(\d+)", q.name)
        if not found:
            return None
        if found[1] == "valid_":
            free[q] = 0
        else:
            ranks[q] = int(found[2])
    by = {x: t.const(value, 1) for x, value in free.items()}
    taken = dict(zip(ranks, t.substituted([circuit.registers[q] for q in ranks], by), strict=True))
    through: dict[Term, Term] = {}
    for q in sorted(ranks, key=lambda q: ranks[q]):
        sources = [x for x in ordered([taken[q]]) if x.op == "variable" and x not in given]
        if any(ranks.get(x, 0) != ranks[q] - 1 for x in sources):
            return None
        (through[q],) = t.substituted([taken[q]], through)
    return circuit.substituted(t, through)


def faults(t: Terms, circuit: Circuit, stages: int, results: Iterable[str]) -> dict[str, Term]:
    """What must never hold, or the pipeline is no chain of ranks as above, by the signal."""
    rst, offered, sink = (circuit.inputs[name] for name in ("rst", "i_valid", "o_ready"))
    valid = {int(q.name[6:]): q for q in circuit.registers if q.name[:6] == "valid_"}
    if sorted(valid) != list(range(1, stages + 1)):
        return {"the registers of valid": t.const(1, 1)}
    ready = {stages + 1: sink}
    for k in range(stages, 0, -1):
        ready[k] = t.apply("bvor", t.negation(valid[k]), ready[k + 1])
    i_ready = t.apply("bvand", ready[1], t.negation(rst))
    found = {
        "i_ready": _differ(t, circuit.outputs["i_ready"], i_ready),
        "o_valid": _differ(t, circuit.outputs["o_valid"], valid[stages]),
    }
    all_ready = {rst: t.const(0, 1), offered: t.const(1, 1), sink: t.const(1, 1)}
    all_ready |= {q: t.const(0, 1) for q in valid.values()}
    for q, following in circuit.registers.items():
        name = q.name
        if name.startswith("valid_"):
            k = int(name[6:])
            behind = valid[k - 1] if k > 1 else offered
            moved = t.ite(ready[k], behind, q)
            found[name] = _differ(t, following, t.ite(rst, t.const(0, 1), moved))
        else:
            k = int(name.rpartition("_r")[2])
            (taken,) = t.substituted([following], all_ready)
            found[name] = _differ(t, following, t.ite(ready[k], taken, q))
    controls = {rst, offered, sink, *valid.values()}
    for name in results:
        depends = any(x in controls for x in ordered([circuit.outputs[name]]))
        found[name] = t.const(int(depends), 1)
    return found


def _differ(t: Terms, x: Term, y: Term) -> Term:
    return t.negation(t.equal(x, y))
