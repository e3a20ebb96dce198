"""Trees of adders, undone from their sum down by linear algebra, not by cases.

A word is written as a sum of bits with weights, over bits that are further and further from it, in
integers modulo a power of two: each full adder's 2 carry + sum is the sum of its three bits, and
what is added by a plain sum is both of its rows. Only the last adder, whose carries skip, is left
to a solver, on free rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .netlist import Circuit
from .terms import Term, Terms, evaluate, ordered

Bit = tuple[Term, int]
Literal = Bit | int
"""A bit of a term, or a constant."""

_ADDERS = re.compile(r"(\w+_stage\d+_)(sum|carry)(\d+_\d+(?:_s\d+)?)(_xor|_or)?")
"""Sums and carries of full adders; of those that stand in several ranks a wire for each."""

_INSIDE = r"{base}(_rows)?(_block\d+(_passes)?|_blocks\w+|_carry\d+|_bits\d+)?(_[sr]\d+)?(_sum)?"
"""Wires of a last adder."""


def roots(circuit: Circuit) -> list[str]:
    """Wires that are sums of two rows, added in blocks perhaps, between which carries skip."""
    found = []
    for name, word in circuit.wires.items():
        base = re.sub(r"_s\d+$", "", name)
        blocks = f"{base}_block0" in circuit.wires or f"{base}_rows_block0" in circuit.wires
        if blocks or word.op == "bvadd":
            found.append(name)
    return found


class Undone:
    """The sum on a wire, as bits with weights and a constant, modulo the wire's word."""

    def __init__(self, terms: Terms, circuit: Circuit, wire: str) -> None:
        self.t, self.wire, self.circuit = terms, wire, circuit
        self.wires = circuit.wires
        self.word = circuit.wires[wire]
        self.modulus = 1 << self.word.width
        base = re.sub(r"_s\d+$", "", wire)
        self.cut = {
            word
            for name, word in self.wires.items()
            if word.op not in ("concat", "extract", "const")
            and not re.fullmatch(_INSIDE.format(base=base), name)
            and not re.fullmatch(r"\w+_half\d+_\d+(_[sr]\d+)?", name)
        }
        self.sum: dict[Bit, int] = {}
        self.constant = 0
        self.last_adder = terms.const(1, 1)
        """What must never hold: that the last adder, on free rows, is none."""
        if self._undo_last_adder():
            self._undo_adders()

    # -- the last adder ------------------------------------------------------------------------

    def _undo_last_adder(self) -> bool:
        """Write the word over the rows that its adder takes; each of their bits has the weight that
        it has alone. Whether it can be one."""
        if self.word.op == "bvadd":
            self._add_rows(self.word, 1)
            self.last_adder = self.t.const(0, 1)
            return True
        t = self.t
        reached = [x for x in ordered([self.word], self.cut - {self.word}) if x in self.cut]
        reached = [x for x in reached if x is not self.word]
        free = {x: t.variable(f"row_{x.number}", x.width) for x in reached}
        (adder,) = t.substituted([self.word], free)
        if any(x.op == "variable" and x not in free.values() for x in ordered([adder])):
            return False
        none = {x.name: 0 for x in free.values()}
        (self.constant,) = evaluate([adder], none)
        for x, variable in free.items():
            for place in range(x.width):
                (alone,) = evaluate([adder], none | {variable.name: 1 << place})
                weight = (alone - self.constant) % self.modulus
                if weight:
                    self.sum[x, place] = weight
        total = self.as_word({(free[x], i): w for (x, i), w in self.sum.items()})
        total = t.apply("bvadd", total, t.const(self.constant, self.word.width))
        self.last_adder = t.negation(t.equal(adder, total))
        return True

    def _add_rows(self, word: Term, weight: int) -> None:
        """Add weight times a sum of two rows."""
        for row in word.args:
            for place in range(row.width):
                self._add(self.literal(row, place), weight << place)

    def as_word(self, weights: Mapping[Bit, int]) -> Term:
        """Bits with weights that are powers of two, as a sum of as few rows as hold them."""
        t, width = self.t, self.word.width
        columns: list[list[Term]] = [[] for _ in range(width)]
        for (x, place), weight in sorted(
            weights.items(), key=lambda item: (item[0][0].number, item[0][1])
        ):
            for i in range(width):
                if weight >> i & 1:
                    columns[i].append(t.extract(x, place, 1))
        total = t.const(0, width)
        while any(columns):
            row = [column.pop() if column else t.const(0, 1) for column in reversed(columns)]
            total = t.apply("bvadd", total, t.concat(*row))
        return total

    # -- adders --------------------------------------------------------------------------------

    def _undo_adders(self) -> None:
        """Undo all that can be undone, the last ones first."""
        steps: dict[Term, tuple[Term, ...]] = {}
        pairs: dict[tuple[str, str, bool], dict[str, Term]] = {}
        for name, word in self.wires.items():
            if m := _ADDERS.fullmatch(name):
                pairs.setdefault((m[1], m[3], bool(m[4])), {})[m[2]] = word
            elif word.op in ("bvadd", "bvnot", "bvxor") and word is not self.word:
                steps[word] = (word,)
        for pair in pairs.values():
            if len(pair) == 2:
                first = min(pair.values(), key=lambda x: x.number)
                steps[first] = pair["sum"], pair["carry"]
        for first in sorted(steps, key=lambda x: x.number, reverse=True):
            words = steps[first]
            if not any((w, i) in self.sum for w in words for i in range(w.width)):
                continue
            before = dict(self.sum), self.constant
            undo = self._undo_adder if len(words) == 2 else self._undo_word
            if not undo(*words):
                self.sum, self.constant = before

    def _undo_word(self, word: Term) -> bool:
        """A word that is a sum, or has inverted bits."""
        if word.op == "bvadd":
            return self._undo_ripple(word) or self._undo_sum(word)
        for place in range(word.width):
            bit: Literal
            inverts: Literal
            if word.op == "bvnot":
                bit, inverts = self.literal(word.args[0], place), 1
            else:
                one, other = (self.literal(x, place) for x in word.args)
                bit, inverts = (other, one) if isinstance(one, int) else (one, other)
            if not isinstance(inverts, int):
                return False
            weight = self.sum.pop((word, place), 0)
            self._add(inverts, weight)
            self._add(bit, -weight if inverts else weight)
        return True

    def _undo_sum(self, word: Term) -> bool:
        """A plain sum that its word holds, as all bits of it that it is made of show."""
        weights = [self.sum.get((word, i), 0) for i in range(word.width)]
        if any((w - (weights[0] << i)) % self.modulus for i, w in enumerate(weights)):
            return False
        name = next(n for n, x in self.wires.items() if x is word)
        made = Undone(self.t, self.circuit, name)
        if made.constant + sum(made.sum.values()) >= made.modulus:
            return False
        for i in range(word.width):
            self.sum.pop((word, i), 0)
        self.constant = (self.constant + weights[0] * made.constant) % self.modulus
        for bit, weight in made.sum.items():
            self._add(bit, weight * weights[0])
        return True

    def _undo_adder(self, total: Term, carry: Term) -> bool:
        """Full or half adders side by side: 2 carry + sum is the sum of their bits."""
        for place in range(total.width):
            bits = self._exclusive_or(total, place)
            s, c = self.literal(total, place), self.literal(carry, place)
            if bits is None or len(bits) > 3 or not self._is_majority(carry, place, bits):
                return False
            if isinstance(s, int):
                continue
            weight = self.sum.pop(s, 0)
            if not isinstance(c, int) and (2 * weight - self.sum.pop(c, 0)) % self.modulus:
                return False
            for bit in bits:
                self._add(bit, weight)
        return True

    def _undo_ripple(self, word: Term) -> bool:
        """x + y, with a carry c into place k as a bit of both below it: of (2x + c) + (2y + c) all
        but the lowest bit is x + y + c."""
        places = [[self.literal(z, i) for z in word.args] for i in range(word.width)]
        if places[-1] != [0, 0]:
            return False
        empty = [pair == [0, 0] for pair in places]
        first = next((i for i, pair in enumerate(places) if pair[0] != pair[1]), 0)
        if not all(empty[: max(first - 1, 0)]):
            return False
        weights = [self.sum.get((word, i), 0) for i in range(word.width)]
        least = weights[first]
        for i, weight in enumerate(weights):
            is_zero = i < first or (empty[i] and empty[i - 1])
            wanted = least << i - first if i >= first else 0
            if (weight - wanted) % self.modulus and not (is_zero and weight == 0):
                return False
        for i in range(word.width):
            self.sum.pop((word, i), 0)
        if first:
            self._add(places[first - 1][0], least)
        for i, pair in enumerate(places[first:]):
            for bit in pair:
                self._add(bit, least << i)
        return True

    def _add(self, bit: Literal, weight: int) -> None:
        if isinstance(bit, int):
            self.constant = (self.constant + bit * weight) % self.modulus
        else:
            self.sum[bit] = (self.sum.get(bit, 0) + weight) % self.modulus

    # -- bits ----------------------------------------------------------------------------------

    def literal(self, x: Term, place: int) -> Literal:
        """A bit without what only moves it."""
        while x not in self.cut or x.op in ("concat", "extract"):
            if x.op == "extract":
                x, place = x.args[0], place + x.value
            elif x.op == "concat":
                for part in reversed(x.args):
                    if place < part.width:
                        x = part
                        break
                    place -= part.width
            else:
                break
        return x.value >> place & 1 if x.op == "const" else (x, place)

    def _exclusive_or(self, x: Term, place: int) -> list[Literal] | None:
        """The bits of which a bit of a sum is the exclusive or."""
        bits: list[Literal] = []
        waiting = [(y, place) for y in x.args] if x.op == "bvxor" else []
        if not waiting:
            found = self.literal(x, place)
            return [found] if isinstance(found, int) else None
        while waiting:
            found = self.literal(*waiting.pop())
            if isinstance(found, int) or found[0] in self.cut or found[0].op != "bvxor":
                bits.append(found)
            else:
                waiting += [(y, found[1]) for y in found[0].args]
        return bits

    def _is_majority(self, x: Term, place: int, bits: list[Literal]) -> bool:
        """Whether a bit of a carry is set where two of the three bits are."""
        free = [bit for bit in dict.fromkeys(bits) if not isinstance(bit, int)]
        for case in range(1 << len(free)):
            values = {bit: case >> i & 1 for i, bit in enumerate(free)}
            count = sum(bit if isinstance(bit, int) else values[bit] for bit in bits)
            if self._value(x, place, values, True) != (count >= 2):
                return False
        return True

    def _value(
        self, x: Term, place: int, values: Mapping[Bit, int], first: bool = False
    ) -> int | None:
        """A bit for values of others; None if it depends on more."""
        found: Literal = (x, place) if first else self.literal(x, place)
        if isinstance(found, int):
            return found
        if found in values:
            return values[found]
        x, place = found
        if x.op not in ("bvand", "bvor", "bvxor"):
            y = self.literal(x, place)
            return (
                self._value(*y, values) if first and y != found and not isinstance(y, int) else None
            )
        p, q = (self._value(y, place, values) for y in x.args)
        if p is None or q is None:
            return None
        return {"bvand": p & q, "bvor": p | q, "bvxor": p ^ q}[x.op]
