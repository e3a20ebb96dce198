"""Sums of partial products, proved to be a product plus addends by linear algebra, not by cases.

A multiplier is what solvers are worst at. Here its tree of adders is undone from its sum down, over
the integers: each full adder's 2 carry + sum is the sum of its three bits, and what is left in the
end must be every bit of one factor times every bit of the other, each once, with its weight. Only
the last adder, whose carries skip, is left to a solver, on free rows.

After that the product is a word like any other (`Product`): statements know of it what its factors
say of its size, and that equal factors have equal products.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .netlist import Circuit
from .terms import Term, Terms, evaluate, ordered

Bit = tuple[Term, int]
Literal = Bit | int
"""A bit of a term, or a constant."""

_ROW = re.compile(r"(\w+)_row\d+")


@dataclass(frozen=True)
class Sum:
    """A named wire that is factors' product times 2^`weight`, plus `rest`, modulo its words."""

    wire: str
    word: Term
    factors: tuple[Term, Term]
    weight: int
    rest: Term
    last_adder: Term
    """What must never hold: that the last adder, on free rows, is none."""


def sum_of_products(terms: Terms, circuit: Circuit) -> Sum | None:
    """The first wire of a circuit that can be shown to be such a sum."""
    for prefix in dict.fromkeys(m[1] for n in circuit.wires if (m := _ROW.fullmatch(n))):
        for base in (f"{prefix}_rows", prefix, f"low_{prefix}"):
            for name in circuit.wires:
                if re.fullmatch(rf"{base}(_s\d+)?", name):
                    found = _Undoing(terms, circuit, prefix, name, base).result()
                    if found:
                        return found
    return None


def _before(words: tuple[Term, ...]) -> int:
    """The number of the first of some words: what is made of any of them has a higher one."""
    return min(x.number for x in words)


def described(x: Sum) -> str:
    """A sum in words."""
    a, b = (f.width for f in x.factors)
    return f"a product of {a} by {b} bits, in place {x.weight}, plus what is not of it"


def as_term(t: Terms, x: Sum) -> Term:
    """A sum as it would be computed of its factors."""
    width = x.word.width
    a, b = x.factors
    both = a.width + b.width
    product = t.apply("bvmul", t.zero_extended(a, both), t.zero_extended(b, both))
    held = t.zero_extended(product, max(width, both))
    moved = t.apply("bvshl", held, t.const(x.weight, held.width))
    return t.apply("bvadd", t.extract(moved, 0, width), x.rest)


class _Undoing:
    """The sum on a wire, written over bits that are further and further from it."""

    def __init__(self, terms: Terms, circuit: Circuit, prefix: str, wire: str, base: str) -> None:
        self.t, self.prefix, self.wire = terms, prefix, wire
        self.wires = circuit.wires
        self.word = circuit.wires[wire]
        self.modulus = 1 << self.word.width
        last = (base, f"{prefix}_rows")
        self.cut = {
            word
            for name, word in circuit.wires.items()
            if word.op not in ("concat", "extract", "const")
            and not name.startswith(last)
            and not re.fullmatch(rf"{prefix}_stage\d+_half\w+", name)
        }
        self.sum: dict[Bit, int] = {}
        self.constant = 0

    def result(self) -> Sum | None:
        last_adder = self._undo_last_adder()
        if last_adder is None or not self._undo_adders():
            return None
        return self._as_product(last_adder)

    # -- the last adder ------------------------------------------------------------------------

    def _undo_last_adder(self) -> Term | None:
        """Write the word over the rows that its adder takes; each of their bits has the weight that
        it has alone. Returns the statement that this is not so."""
        t = self.t
        reached = [x for x in ordered([self.word], self.cut - {self.word}) if x in self.cut]
        reached = [x for x in reached if x is not self.word]
        free = {x: t.variable(f"row_{x.number}", x.width) for x in reached}
        (adder,) = t.substituted([self.word], free)
        if any(x.op == "variable" and x not in free.values() for x in ordered([adder])):
            return None
        none = {x.name: 0 for x in free.values()}
        (self.constant,) = evaluate([adder], none)
        for x, variable in free.items():
            for place in range(x.width):
                (alone,) = evaluate([adder], none | {variable.name: 1 << place})
                weight = (alone - self.constant) % self.modulus
                if weight:
                    self.sum[x, place] = weight
        total = self._word({(free[x], i): w for (x, i), w in self.sum.items()})
        total = t.apply("bvadd", total, t.const(self.constant, self.word.width))
        return t.negation(t.equal(adder, total))

    def _word(self, weights: Mapping[Bit, int]) -> Term:
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

    # -- full adders ---------------------------------------------------------------------------

    def _undo_adders(self) -> bool:
        """Undo all full adders and ripples of the tree, the last ones first."""
        words: dict[tuple[str, str], dict[str, Term]] = {}
        for name, word in self.wires.items():
            if m := re.fullmatch(rf"{self.prefix}_stage(\d+)_(sum|carry)(\d+_\d+)", name):
                words.setdefault((m[1], m[3]), {})[m[2]] = word
        steps = [(x["sum"], x["carry"]) for x in words.values() if len(x) == 2]
        ripples = {
            w
            for n, w in self.wires.items()
            if re.fullmatch(rf"{self.prefix}_ripple\d+_\w+", n) and w.op == "bvadd"
        }
        order = sorted([*steps, *((w,) for w in ripples)], key=_before, reverse=True)
        return all(
            self._undo_adder(*step) if len(step) == 2 else self._undo_ripple(*step)
            for step in order
        )

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
        weights = [self.sum.pop((word, i), 0) for i in range(word.width)]
        least = weights[first]
        for i, weight in enumerate(weights):
            is_zero = i < first or (empty[i] and empty[i - 1])
            wanted = least << i - first if i >= first else 0
            if (weight - wanted) % self.modulus and not (is_zero and weight == 0):
                return False
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

    # -- the product ---------------------------------------------------------------------------

    def _as_product(self, last_adder: Term) -> Sum | None:
        """What is left as one product of two numbers, and other bits."""
        t = self.t
        rows = [w for n, w in self.wires.items() if re.fullmatch(rf"{self.prefix}_row\d+", n)]
        first: list[Literal] = []
        second: dict[Literal, int] = {}
        for row in rows:
            pairs = [self._factors(row, place) for place in range(row.width)]
            if any(pair is None for pair in pairs):
                continue  # the row of an addend
            common = set.intersection(*(set(pair) for pair in pairs if pair))
            if len(common) != 1:
                return None
            (bit,) = common
            others = [next((x for x in pair if x != bit), bit) for pair in pairs if pair]
            if first and others != first:
                return None
            first = others
            weights = [self.sum.pop((row, place), 0) for place in range(row.width)]
            if not weights[0] or any(w != weights[0] << i for i, w in enumerate(weights)):
                return None
            second[bit] = weights[0]
        ordered_bits = sorted(second, key=lambda bit: second[bit])
        if not ordered_bits:
            return None
        least = second[ordered_bits[0]]
        if any(second[bit] != least << i for i, bit in enumerate(ordered_bits)):
            return None
        if least & (least - 1):
            return None
        a, b = (self._joined(bits) for bits in (first, ordered_bits))
        rest = t.apply("bvadd", self._word(self.sum), t.const(self.constant, self.word.width))
        return Sum(self.wire, self.word, (a, b), least.bit_length() - 1, rest, last_adder)

    def _factors(self, row: Term, place: int) -> tuple[Literal, Literal] | None:
        if row.op != "bvand":
            return None
        p, q = (self.literal(x, place) for x in row.args)
        return p, q

    def _joined(self, bits: Iterable[Literal]) -> Term:
        parts = [self.t.const(x, 1) if isinstance(x, int) else self.t.extract(*x, 1) for x in bits]
        return self.t.concat(*reversed(parts))


# -- products as words -------------------------------------------------------------------------


@dataclass(frozen=True)
class Product:
    """A product as a free word, and its factors."""

    word: Term
    factors: tuple[Term, Term]


def facts(t: Terms, products: list[Product]) -> list[Term]:
    """What is true of products, whatever they are: of their sizes, and that products of equal
    factors are equal. A factor between 2^i and 2^(i+1) gives a product in that range times the
    other."""
    known: list[Term] = []
    for p in products:
        width = p.word.width
        for one, other in (p.factors, p.factors[::-1]):
            lower, upper = t.const(0, width + 1), t.const(0, width + 1)
            wide = t.zero_extended(other, width + 1)
            for place in range(one.width):
                bit = t.extract(one, place, 1)
                moved = t.apply("bvshl", wide, t.const(place, width + 1))
                twice = t.apply("bvshl", wide, t.const(place + 1, width + 1))
                lower, upper = t.ite(bit, moved, lower), t.ite(bit, twice, upper)
            held = t.zero_extended(p.word, width + 1)
            known.append(t.negation(t.apply("bvult", held, lower)))
            is_zero = t.equal(upper, t.const(0, width + 1))
            zero = t.equal(p.word, t.const(0, width))
            known.append(t.ite(is_zero, zero, t.apply("bvult", held, upper)))
    for i, p in enumerate(products):
        for q in products[:i]:
            same = t.any_of(
                t.all_of(_equal(t, x, y) for x, y in zip(p.factors, factors, strict=True))
                for factors in (q.factors, q.factors[::-1])
            )
            known.append(t.apply("bvor", t.negation(same), _equal(t, p.word, q.word)))
    return known


def _equal(t: Terms, x: Term, y: Term) -> Term:
    width = max(x.width, y.width)
    return t.equal(t.zero_extended(x, width), t.zero_extended(y, width))


def has_products(x: Term) -> bool:
    """Whether a term is made of a product of two that are not constants."""
    return any(y.op == "bvmul" and all(z.op != "const" for z in y.args) for y in ordered([x]))


def without_products(t: Terms, roots: list[Term]) -> tuple[list[Term], list[Product]]:
    """Terms with free words in place of their products of two that are not constants."""
    found: list[Product] = []
    by: dict[Term, Term] = {}
    for x in ordered(roots):
        if x.op == "bvmul" and all(y.op != "const" for y in x.args):
            factors = tuple(_significant(t, y) for y in t.substituted(x.args, by))
            width = factors[0].width + factors[1].width
            if width > x.width:
                continue
            word = t.variable(f"product_{x.number}", width)
            found.append(Product(word, factors))  # type: ignore[arg-type]
            by[x] = t.zero_extended(word, x.width)
    return t.substituted(roots, by), found


def _significant(t: Terms, x: Term) -> Term:
    """A term without the zeros that are known to be above it."""
    if x.op == "concat" and x.args[0].constant == 0:
        return _significant(t, t.concat(*x.args[1:]))
    return x
