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
from collections.abc import Iterable
from dataclasses import dataclass

from .netlist import Circuit
from .terms import Term, Terms, ordered
from .trees import Literal, Undone

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
                    found = _as_product(Undone(terms, circuit, name), prefix)
                    if found:
                        return found
    return None


def product_on(terms: Terms, circuit: Circuit, wire: str) -> Sum | None:
    """A wire as such a sum, if it can be shown to be one."""
    prefix = re.sub(r"(_rows)?(_s\d+)?$", "", wire)
    return _as_product(Undone(terms, circuit, wire), prefix)


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


def _as_product(undone: Undone, prefix: str) -> Sum | None:
    """What is left of an undone sum as one product of two numbers, and other bits."""
    t, weights_of = undone.t, dict(undone.sum)
    rows = [w for n, w in undone.wires.items() if re.fullmatch(rf"{prefix}_row\d+", n)]
    first: list[Literal] = []
    second: dict[Literal, int] = {}
    for row in rows:
        pairs = [_factors(undone, row, place) for place in range(row.width)]
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
        weights = [weights_of.pop((row, place), 0) for place in range(row.width)]
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
    a, b = (_joined(t, bits) for bits in (first, ordered_bits))
    rest = t.apply("bvadd", undone.as_word(weights_of), t.const(undone.constant, undone.word.width))
    return Sum(undone.wire, undone.word, (a, b), least.bit_length() - 1, rest, undone.last_adder)


def _factors(undone: Undone, row: Term, place: int) -> tuple[Literal, Literal] | None:
    if row.op != "bvand":
        return None
    p, q = (undone.literal(x, place) for x in row.args)
    return p, q


def _joined(t: Terms, bits: Iterable[Literal]) -> Term:
    parts = [t.const(x, 1) if isinstance(x, int) else t.extract(*x, 1) for x in bits]
    return t.concat(*reversed(parts))


# -- products as words -------------------------------------------------------------------------


@dataclass(frozen=True)
class Product:
    """A product as a free word, and its factors."""

    word: Term
    factors: tuple[Term, Term]


def facts(t: Terms, products: list[Product]) -> list[Term]:
    """What is true of products, whatever they are: of their sizes, that products of equal factors
    are equal, and what their lowest bit is. A factor between 2^i and 2^(i+1) gives a product in
    that range times the other."""
    known: list[Term] = []
    for p in products:
        width = p.word.width
        lowest = t.apply("bvand", *(t.extract(factor, 0, 1) for factor in p.factors))
        known.append(t.equal(t.extract(p.word, 0, 1), lowest))
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
            for factors in (q.factors, q.factors[::-1]):
                same = [_equal(t, x, y) for x, y in zip(p.factors, factors, strict=True)]
                equal = _equal(t, p.word, q.word)
                known.append(t.apply("bvor", t.negation(t.all_of(same)), equal))
                known += _next(t, p.word, q.word, p.factors, factors)
                known += _next(t, q.word, p.word, factors, p.factors)
    return known


def _next(
    t: Terms, p: Term, q: Term, one: tuple[Term, Term], other: tuple[Term, Term]
) -> list[Term]:
    """That (x + 1) y is x y + y, of two products with the same factor y."""
    (x, y), (u, v) = one, other
    if y is not v:
        return []
    width = max(x.width, u.width) + 1
    x, u = (t.zero_extended(z, width) for z in (x, u))
    follows = t.equal(x, t.apply("bvadd", u, t.const(1, width)))
    width = max(p.width, q.width, y.width) + 1
    p, q, y = (t.zero_extended(z, width) for z in (p, q, y))
    return [t.apply("bvor", t.negation(follows), t.equal(p, t.apply("bvadd", q, y)))]


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
            (a, p), (b, q) = (_magnitude(t, y) for y in t.substituted(x.args, by))
            word = t.variable(f"product_{x.number}", a.width + b.width)
            found.append(Product(word, (a, b)))
            held = t.zero_extended(word, x.width)
            by[x] = t.ite(t.apply("bvxor", p, q), t.apply("bvneg", held), held)
    return t.substituted(roots, by), found


def whole_product(t: Terms, x: Term) -> Term:
    """The magnitude of a product, without a bit of it cut off."""
    (a, _), (b, _) = (_magnitude(t, y) for y in x.args)
    width = a.width + b.width
    return t.apply("bvmul", t.zero_extended(a, width), t.zero_extended(b, width))


def _magnitude(t: Terms, x: Term) -> tuple[Term, Term]:
    """A term's magnitude and sign, without bits above it that are zeros, or copies of the sign."""
    if x.op == "concat" and x.args[0].constant == 0:
        return t.concat(*x.args[1:]), t.const(0, 1)
    signs = x.args[0] if x.op == "concat" else x
    place = next((i for i, y in enumerate(x.args) if y is not signs), 0)
    if place and signs.width == 1:
        core = t.concat(*x.args[place:])
        if t.extract(core, core.width - 1, 1) is signs:
            return t.ite(signs, t.apply("bvneg", core), core), signs
    return x, t.const(0, 1)
