"""Proofs of units of boxed floats: of the boxes, and of the unit within on the codes in them.

Where the circuit has a word of its own for what is in a box (as Verilog of ours has), it is proved
to be what the box says. What comes behind is then a circuit of any codes, of which is proved what
is proved of the unit without boxes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from ...units import Unit
from ...units.boxes import UNBOXED, Boxes
from . import pipeline
from .netlist import Circuit
from .result import Proof
from .specification import by_port, replayed, specification
from .symbolic import Executor
from .terms import Term, Terms, evaluate

Module = dict[str, Any]
"""A module as yosys writes it in JSON."""

BOXED = "what the unit within gets are the codes in boxes, else NaN, and above results are ones"


class Attempt(Protocol):
    """A proof of one unit."""

    def read(self, module: Module, inputs: dict[str, Term]) -> Circuit | str: ...

    def lemma(self, text: str, wrong: Term) -> bool: ...

    def proof(
        self,
        module: Module,
        inputs: dict[str, Term],
        golden: Term,
        executor: Executor,
        start: float,
    ) -> Proof: ...


PORT = "port_"
"""Before the name of a boxed operand, that of the word at its port, beside the code within."""


def proved(
    u: Boxes,
    t: Terms,
    module: Module,
    words: dict[str, Term],
    attempt: Callable[[Unit], Attempt],
    start: float,
) -> Proof:
    """The verdict on a module, of whose ports the words are; each `attempt` is at another unit."""
    whole, cut = attempt(u), of_codes(u, module)
    circuit, codes = whole.read(module, words), within(u, t, words)
    if cut and isinstance(circuit, Circuit) and whole.lemma(BOXED, differ(u, t, circuit, codes)):
        inputs = inputs_of_codes(u, t)
        golden, executor = specification(u.of, t, inputs)
        found = attempt(u.one).proof(cut, inputs, golden, executor, start)
        if found.verdict == "refuted":
            found = _at_ports(u, t, circuit, found)
        if found.verdict != "refuted" or found.golden != found.rtl:
            return replace(found, spec=u.spec, lemmas=(BOXED, *found.lemmas))
    golden, executor = specification(u.of, t, codes)
    return whole.proof(module, words, around(u, t, golden), executor, start)


def _at_ports(u: Boxes, t: Terms, circuit: Circuit, found: Proof) -> Proof:
    """A counterexample of the unit within in words at the ports, for which both are asked again."""
    given = {
        name: found.counterexample.get(name, 0) | (u.boxed[name].ones if name in u.boxed else 0)
        for name in circuit.inputs
    }
    outputs = t.concat(*(circuit.outputs[name] for name in reversed(u.results)))
    (packed,) = evaluate([outputs], given)
    return replace(found, counterexample=given, golden=replayed(u, given), rtl=by_port(u, packed))


def within(u: Boxes, t: Terms, words: Mapping[str, Term]) -> dict[str, Term]:
    """The operands of the unit within, of the words at the ports."""
    found = dict(words)
    for name, f in u.boxed.items():
        if name in u.operands:
            bits, high = f.inner.bits, f.bits - f.inner.bits
            above = t.extract(words[name], bits, high)
            is_boxed = t.equal(above, t.const((1 << high) - 1, high))
            code = t.extract(words[name], 0, bits)
            found[name] = t.ite(is_boxed, code, t.const(f.inner.numbers.nan_code, bits))
    return found


def around(u: Boxes, t: Terms, golden: Term) -> Term:
    """Results of the unit within, side by side, as those in boxes."""
    parts, place = [], 0
    for name, f in u.of.results.items():
        parts.append(t.extract(golden, place, f.bits))
        place += f.bits
        if name in u.boxed:
            high = u.boxed[name].bits - f.bits
            parts.append(t.const((1 << high) - 1, high))
    return t.concat(*reversed(parts))


def of_codes(u: Boxes, module: Module) -> Module | None:
    """The module as one of the unit within: its ports are words for the codes in boxes, and those
    of the operands' words are beside them; None if it has no such words."""
    ports: dict[str, Any] = {}
    for name, port in module["ports"].items():
        if name not in u.boxed:
            ports[name] = port
        elif name in u.results:
            ports[name] = port | {"bits": port["bits"][: u.boxed[name].inner.bits]}
        else:
            word = module["netnames"].get(name + UNBOXED, {"bits": ()})
            if len(word["bits"]) != u.boxed[name].inner.bits:
                return None
            ports |= {name: port | {"bits": word["bits"]}, PORT + name: port}
    return module | {"ports": ports}


def inputs_of_codes(u: Boxes, t: Terms) -> dict[str, Term]:
    """The inputs of such a module, as variables."""
    widths = {name: f.bits for name, f in u.of.inputs.items()}
    widths |= {PORT + name: f.bits for name, f in u.boxed.items() if name in u.operands}
    widths |= dict.fromkeys(pipeline.CONTROLS, 1) if u.stages else {}
    return {name: t.variable(name, bits) for name, bits in widths.items()}


def differ(u: Boxes, t: Terms, circuit: Circuit, codes: Mapping[str, Term]) -> Term:
    """Whether a word for a code is not what is in the box, or a result is in none."""
    wrong = []
    for name, f in u.boxed.items():
        bits, high = f.inner.bits, f.bits - f.inner.bits
        if name in u.operands:
            same = t.equal(circuit.wires[name + UNBOXED], codes[name])
        else:
            above = t.extract(circuit.outputs[name], bits, high)
            same = t.equal(above, t.const((1 << high) - 1, high))
        wrong.append(t.negation(same))
    return t.any_of(wrong)
