"""Words at which a definition and a circuit meet: proved equal, then free on both sides.

Sums of many products, or the greatest of many exponents, are too much for a solver together with
what is made of them. So each such word of a definition is looked for among the circuit's wires, by
what both have for some operands. That they are equal is proved: of sums lane by lane, as the
circuit's tree of adders is undone to bits with weights (`hwarith.flow.proofs.trees`). From then on
the word is a variable, of which some facts are known.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from . import products
from .integers import Integer, Integers, Word, width_of
from .matching import Meeting, Samples, Support
from .netlist import Circuit
from .terms import Term, Terms, evaluate, ordered
from .trees import Undone

SIGNS = ("all_negative", "mixed_signs")
"""Wires that say whether all terms of a sum have a sign, and whether just some have."""

SMALL = 10
"""Bits of both factors of a product up to which a solver is asked of it as it is."""

_MOVING = ("variable", "const", "extract", "concat")

Holds = Callable[[Term, Sequence[Term]], bool]
"""Whether a truth value is proved never to be, under assumptions, soon."""


_NAMED = {
    "product": "a product of the definition",
    "greatest": "the greatest of several numbers of the definition",
    "sum": "a sum of the definition, lane by lane",
    "magnitude": "a magnitude of the definition",
}


@dataclass
class Meetings:
    """Definition and circuit with free words where they meet.

    Parameters
    ----------
    read : the circuit, with other terms on some wires.
    golden : what the definition gives, and `executor` what it is made of.
    """

    t: Terms
    read: Callable[[Mapping[str, Term]], Circuit]
    circuit: Circuit
    golden: Term
    executor: Integers
    holds: Holds
    lemmas: list[str] = field(default_factory=list)
    _facts: list[tuple[Term, Term]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._known: dict[str, Term] = {}
        self._met: set[Term] = set()
        self._words = self._where_made()
        self._of_sum = {w.value.term: w for w in self._words if w.kind == "sum"}
        self._of_greatest = {w.value.term: w for w in self._words if w.kind == "greatest"}
        tracked = {self.golden: None}
        for w in self._words:
            leaves = [x.term for _, x in w.of if isinstance(x, Integer)]
            tracked |= dict.fromkeys([w.value.term, w.path, *leaves])
        self._now = {x: x for x in tracked}
        self._samples = Samples(list(tracked), self.circuit)

    def _where_made(self) -> list[Word]:
        """The words of the definition: those that are made in several places once for all of them,
        and then for each."""
        made: dict[Term, list[Word]] = {}
        for w in self.executor.words:
            of = w.of[0][1]
            if w.kind == "magnitude" and of.term in made:  # it has one wherever its number is made
                w = replace(w, path=made[of.term][0].path)
            made.setdefault(w.value.term, []).append(w)
        found = []
        for words in made.values():
            paths = dict.fromkeys(w.path for w in words)
            if len(paths) > 1:
                found.append(replace(words[0], path=self.t.any_of(paths)))
            found += {w.path: w for w in words}.values()
        return found

    def meet(self) -> None:
        """Find words that meet and prove it, kind by kind."""
        for kind in ("product", "greatest", "sum", "product", "magnitude"):
            words = [w for w in self._words if w.kind == kind]
            self._replace([m for w in words if (m := self._meeting(w))])
        self.golden = self._now[self.golden]

    def refuted(self, wrong: Sequence[Term]) -> list[dict[str, int] | None]:
        """Of each truth value one of the operands for which it is, among some."""
        found: list[dict[str, int] | None] = [None for _ in wrong]
        for sample in self._samples.given:
            for i, x in enumerate(evaluate(wrong, sample)):
                found[i] = found[i] or (dict(sample) if x else None)
        return found

    def facts(self, terms: list[Term]) -> list[Term]:
        """What is known of the words that terms are made of, and of words that these facts name."""
        found: list[Term] = []
        while True:
            more = [x for x in self._facts_for([*terms, *found]) if x not in found]
            if not more:
                return [*found, *self.ranges([*terms, *found])]
            found += more

    # -- candidates ----------------------------------------------------------------------------

    def _meeting(self, word: Word) -> Meeting | None:
        """A wire that is proved to be a word, perhaps but for a constant."""
        x = self._now[word.value.term]
        is_free = all(y.op in _MOVING for y in ordered([x]))
        if (
            is_free
            or word.value.term in self._met
            or (word.kind == "sum" and not self._is_long(word))
        ):
            return None
        prove = self._sum_is if word.kind == "sum" else self._word_is
        for m in self._samples.candidates(word, self.circuit, list(self._known)):
            if m.always and prove(m):
                return m
            m = replace(m, always=False)
            if self._now[word.path].constant is None and prove(m):
                return m
        return None

    def _is_long(self, word: Word) -> bool:
        """Whether a sum is too much for a solver perhaps: of three and more, and not of bits."""
        leaves = [x for _, x in self._leaves(word) if isinstance(x, Integer)]
        return len(leaves) > 2 and any(x.term.width > 1 for x in leaves)

    # -- proofs --------------------------------------------------------------------------------

    def _path(self, m: Meeting) -> Term:
        return self.t.const(1, 1) if m.always else self._now[m.word.path]

    def _as_word(self, m: Meeting, wire: Term) -> Term:
        """What the word is if the wire is a term."""
        t, width = self.t, m.word.value.term.width
        x = t.extract(wire, 0, m.width)
        held = (t.sign_extended if m.is_signed else t.zero_extended)(x, width)
        return t.apply("bvadd", held, t.const(m.apart, width))

    def _word_is(self, m: Meeting) -> bool:
        """Whether a wire is proved to be a word, by a solver."""
        t, word = self.t, self._now[m.word.value.term]
        wire, known = self.circuit.wires[m.wire], list[Term]()
        if products.has_products(word) and self._bits_of_factors(m.word) > SMALL:
            found = products.product_on(t, self.circuit, m.wire)
            if found is None or not self.holds(found.last_adder, ()):
                return False
            wire = products.as_term(t, found)
        wrong = t.negation(t.equal(word, self._as_word(m, wire)))
        if wire is not self.circuit.wires[m.wire]:
            made = self._where(self._path(m), [wrong, *self.ranges([wrong])])
            (wrong, *known), words = products.without_products(t, made)
            known += products.facts(t, words)
        return self._proved(wrong, [self._path(m), *known])

    def _where(self, condition: Term, terms: list[Term]) -> list[Term]:
        """Terms where a condition holds."""
        t, by, waiting = self.t, dict[Term, Term](), [condition]
        while waiting:
            x = waiting.pop()
            if x.op == "bvand":
                waiting += x.args
            elif x.op == "bvnot":
                by[x.args[0]] = t.const(0, 1)
            if x.op != "const":
                by[x] = t.const(1, 1)
        return t.substituted(terms, by)

    def _bits_of_factors(self, word: Word) -> int:
        return sum(x.term.width for _, x in word.of if isinstance(x, Integer))

    def _sum_is(self, m: Meeting) -> bool:
        """Whether a tree of adders is proved to have a sum, lane by lane."""
        t, low, high = self.t, m.word.value.low, m.word.value.high
        least = -(1 << (m.width - 1)) if m.is_signed else 0
        if low < least or high >= least + (1 << m.width):
            return False  # the wire's bits need not be all of the sum
        undone, path = Undone(t, self.circuit, m.wire), self._path(m)
        width = undone.word.width
        leaves = [self._leaf(sign, x, width) for sign, x in self._leaves(m.word)]
        words = list(dict.fromkeys(word for word, _ in undone.sum))
        held = self._where(path, [*leaves, *words])
        leaves, by = held[: len(leaves)], dict(zip(words, held[len(leaves) :], strict=True))
        weights: dict[tuple[Term, int], int] = {}
        for (x, place), weight in undone.sum.items():
            weights[by[x], place] = weights.get((by[x], place), 0) + weight
        lanes = self._lanes(weights, leaves)
        if lanes is None or not self.holds(undone.last_adder, ()):
            return False
        made = self._samples.of[m.word.path]
        sample = next(x for x, p in zip(self._samples.given, made, strict=True) if p)
        constant = -undone.constant
        for lane, bits in zip(leaves, lanes, strict=True):
            apart = t.apply("bvsub", lane, undone.as_word(bits))
            (k,) = evaluate([apart], sample)
            constant += k
            if not self._proved(t.negation(t.equal(apart, t.const(k, width))), [path]):
                return False
        return constant % (1 << m.width) == 0

    def _lanes(
        self, weights: Mapping[tuple[Term, int], int], leaves: list[Term]
    ) -> list[dict[tuple[Term, int], int]] | None:
        """The bits of a sum, to the lane of the term whose operands they depend on."""
        support = Support()
        of_leaves = [support.of(x) for x in leaves]
        several = seen = 0
        for bits in of_leaves:
            several, seen = several | seen & bits, seen | bits
        lanes: list[dict[tuple[Term, int], int]] = [{} for _ in leaves]
        for (word, place), weight in weights.items():
            own = support.of(self.t.extract(word, place, 1)) & ~several
            of = [i for i, bits in enumerate(of_leaves) if own & bits]
            if len(of) != 1:
                return None
            lanes[of[0]][word, place] = weight
        return lanes

    def _leaf(self, sign: int, x: Any, width: int) -> Term:
        """A term of a sum with its sign, modulo a word."""
        t = self.t
        if isinstance(x, Integer):
            term = self._now[x.term]
            held = (t.sign_extended if x.low < 0 else t.zero_extended)(term, width)
        else:
            held = t.const(x, width)
        return held if sign > 0 else t.apply("bvneg", held)

    def _leaves(self, word: Word, sign: int = 1) -> list[tuple[int, Any]]:
        """The terms of a sum that are no sums, with signs; of another word its operands."""
        found: list[tuple[int, Any]] = []
        for s, x in word.of:
            part = self._of_sum.get(x.term) if isinstance(x, Integer) else None
            if word.kind == "sum" and part is not None:
                found += self._leaves(part, sign * s)
            elif isinstance(x, Integer) or x:
                found.append((sign * s, x))
        return found

    def _proved(self, wrong: Term, assumptions: list[Term]) -> bool:
        if wrong.constant is not None:
            return wrong.constant == 0
        return self.holds(wrong, [*assumptions, *self._facts_for([wrong, *assumptions])])

    def _facts_for(self, terms: list[Term]) -> list[Term]:
        there = {x for x in ordered(terms) if x.op == "variable"}
        return [fact for about, fact in self._facts if about in there]

    # -- free words ----------------------------------------------------------------------------

    def _replace(self, meetings: list[Meeting]) -> None:
        """Free words in the places of words that meet; of a magnitude the definition's own in the
        place of the circuit's, as much else is made of the number that it is of."""
        t, by = self.t, dict[Term, Term]()
        for m in meetings:
            word = self._now[m.word.value.term]
            if word in by or m.wire in self._known:
                continue
            if m.word.kind == "magnitude":
                self._know(m, t.zero_extended(word, m.width))
            else:
                free = t.variable(f"meets_{m.wire}", m.width)
                self._samples.remember(free, self._samples.wires[m.wire])
                self._know(m, free)
                unmade = t.variable(f"unmade_{m.wire}", word.width)
                self._samples.remember(unmade, self._samples.of[m.word.value.term])
                by[word] = t.ite(self._path(m), self._as_word(m, free), unmade)
                self._facts += [(free, x) for x in self._facts_of(m, free)]
            self._met.add(m.word.value.term)
            self.lemmas.append(f"{m.wire} is {_NAMED[m.word.kind]}")
        if not meetings:
            return
        self.circuit = self.read(self._known)
        old = list(self._now)
        new = t.substituted([self._now[x] for x in old], by)
        self._now = dict(zip(old, new, strict=True))
        facts = t.substituted([fact for _, fact in self._facts], by)
        self._facts = [(about, x) for (about, _), x in zip(self._facts, facts, strict=True)]

    def _know(self, m: Meeting, x: Term) -> None:
        """Have another term on a wire, where the word is made."""
        t, wire = self.t, self.circuit.wires[m.wire]
        other = t.variable(f"else_{m.wire}", m.width)
        self._samples.remember(other, self._samples.wires[m.wire])
        held = t.ite(self._path(m), x, other)
        above = wire.width - m.width
        self._known[m.wire] = t.concat(t.extract(wire, m.width, above), held) if above else held

    def _facts_of(self, m: Meeting, free: Term) -> list[Term]:
        """What is known of a free word, where it is made: its range, ..."""
        t, e, word = self.t, self.executor, m.word
        made = Integer(e, self._as_word(m, free), word.value.low, word.value.high)
        found = [self._in_range(made)]
        if word.kind == "greatest":
            for x in self._greatest(word):
                less = e.compare(ast.Lt, made, self._integer(x))
                found.append(t.negation(e.truth(less)))
        if word.kind == "product" and min(x.low for _, x in word.of if isinstance(x, Integer)) >= 0:
            factors = [self._integer(x) for _, x in word.of]
            a, b = (e.term(x, width_of(*e.range_of(x))) for x in factors)
            product = t.zero_extended(made.term, a.width + b.width)
            found += products.facts(t, [products.Product(product, (a, b))])
        if word.kind == "sum":
            found += self._facts_of_signs(m, made)
        return [t.apply("bvor", t.negation(self._path(m)), x) for x in found]

    def _in_range(self, x: Integer) -> Term:
        """That an integer is in its range."""
        t, e, width = self.t, self.executor, x.term.width
        least = -(1 << (width - 1)) if x.low < 0 else 0
        any_term = Integer(e, x.term, least, least + (1 << width) - 1)
        below, above = e.compare(ast.Lt, any_term, x.low), e.compare(ast.Lt, x.high, any_term)
        return t.negation(t.apply("bvor", e.truth(below), e.truth(above)))

    def ranges(self, terms: list[Term]) -> list[Term]:
        """That products that terms are made of are in their ranges, where they are made."""
        t, there, found = self.t, set(ordered(terms)), []
        for w in self._words:
            x = self._now[w.value.term]
            if w.kind == "product" and x in there and x.op == "bvmul":
                whole = products.whole_product(t, x)
                most = t.const(max(-w.value.low, w.value.high), whole.width)
                held = t.negation(t.apply("bvult", most, whole))
                found.append(t.apply("bvor", t.negation(self._now[w.path]), held))
        return found

    def _integer(self, x: Any) -> Any:
        """An operand of a word as it is now."""
        return Integer(x.by, self._now[x.term], x.low, x.high) if isinstance(x, Integer) else x

    def _greatest(self, word: Word) -> list[Any]:
        """What a word is the greatest of."""
        found: list[Any] = []
        for _, x in word.of:
            part = self._of_greatest.get(x.term) if isinstance(x, Integer) else None
            found += [x] if part is None else self._greatest(part)
        return found

    def _facts_of_signs(self, m: Meeting, made: Integer) -> list[Term]:
        """That a sum is not positive if all its terms are negative or zeros, and the opposite."""
        t, e, wires = self.t, self.executor, self.circuit.wires
        if not all(name in wires for name in SIGNS):
            return []
        negative, mixed = (wires[name] for name in SIGNS)
        none = t.negation(t.apply("bvor", negative, mixed))
        found = []
        for condition, sign in ((negative, 1), (none, -1)):

            def beyond(x: Any, sign: int = sign) -> Term:
                return e.truth(e.compare(ast.Lt, *((0, x) if sign > 0 else (x, 0))))

            if all(
                self._proved(beyond(self._integer(x), s * sign), [condition, self._path(m)])
                for s, x in self._leaves(m.word)
            ):
                found.append(t.negation(t.apply("bvand", condition, beyond(made))))
        return found
