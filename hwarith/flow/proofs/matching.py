"""Wires of a circuit that have what words of a definition have, for some operands."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from .integers import Integer, Word
from .netlist import Circuit
from .terms import Term, evaluate, ordered, signed
from .trees import roots

SAMPLES = 64
"""Operands for which words are compared."""


@dataclass(frozen=True)
class Meeting:
    """A wire, of which so many bits are a word less a constant: always, or where it is made."""

    word: Word
    wire: str
    width: int
    is_signed: bool
    apart: int
    always: bool


class Samples:
    """Values of terms of a definition and of a circuit's wires."""

    def __init__(self, terms: Sequence[Term], circuit: Circuit) -> None:
        chosen = random.Random(1)
        every = [*terms, *circuit.wires.values(), *circuit.outputs.values()]
        inputs = [x for x in ordered(every) if x.op == "variable"]
        self.given = [{x.name: chosen.getrandbits(x.width) for x in inputs} for _ in range(SAMPLES)]
        found = zip(*(evaluate(every, sample) for sample in self.given), strict=True)
        self.of = dict(zip(every, found, strict=True))
        self.wires = {name: self.of[x] for name, x in circuit.wires.items()}

    def remember(self, x: Term, values: Sequence[int]) -> None:
        """Give values to another variable."""
        for sample, value in zip(self.given, values, strict=True):
            sample[x.name] = value & (1 << x.width) - 1

    def candidates(self, word: Word, circuit: Circuit, known: Sequence[str]) -> list[Meeting]:
        """Wires that have what a word has, for all samples, or those where it is made."""
        term = word.value.term
        values = [_signed(word.value, v) for v in self.of[term]]
        made = self.of[word.path]
        names = roots(circuit) if word.kind == "sum" else list(circuit.wires)
        found = []
        for name in names:
            wire = circuit.wires[name]
            if name in known or wire.op in ("variable", "const"):
                continue
            for width in (wire.width, wire.width - 1):
                m = self._matching(word, name, width, values, made)
                if m is not None:
                    found.append(m)
                    break
        return sorted(found, key=lambda m: (not m.always, circuit.wires[m.wire].number))[:2]

    def _matching(
        self, word: Word, name: str, width: int, values: list[int], made: Sequence[int]
    ) -> Meeting | None:
        least = 3 if word.kind == "greatest" else 2
        if width < least:
            return None
        wire = [v & (1 << width) - 1 for v in self.wires[name]]
        found = list(zip(values, wire, made, strict=True))
        where_made = [pair for pair in found if pair[2]]
        if len({g for g, _, _ in where_made}) < 4:
            return None
        for is_signed in {word.value.low < 0, False}:

            def apart(g: int, r: int, of: bool = is_signed) -> int:
                return g - (signed(r, width) if of else r)

            offset = apart(*where_made[0][:2]) if word.kind == "greatest" else 0
            if all(apart(g, r) == offset for g, r, _ in where_made):
                always = all(apart(g, r) == offset for g, r, _ in found)
                return Meeting(word, name, width, is_signed, offset, always)
        return None


def _signed(x: Integer, value: int) -> int:
    return signed(value, x.term.width) if x.low < 0 else value


class Support:
    """Which bits of variables terms depend on, as masks."""

    def __init__(self) -> None:
        self._first: dict[Term, int] = {}
        self._bits = 0
        self._masks: dict[Term, int] = {}

    def of(self, root: Term) -> int:
        """The mask of a term."""
        for x in ordered([root], set(self._masks)):
            if x in self._masks:
                continue
            if x.op == "variable":
                self._first[x] = self._bits
                self._bits += x.width
                self._masks[x] = (1 << x.width) - 1 << self._first[x]
            elif x.op == "extract" and x.args[0].op == "variable":
                place = self._first[x.args[0]] + x.value
                self._masks[x] = (1 << x.width) - 1 << place
            else:
                mask = 0
                for y in x.args:
                    mask |= self._masks[y]
                self._masks[x] = mask
        return self._masks[root]
