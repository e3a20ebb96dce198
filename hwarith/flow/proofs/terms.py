"""Bit-vector terms: what a circuit and its specification are written in, and SMT-LIB text of them.

A term is made by a `Terms`, which makes each once, folds constants, and undoes what only moves
bits. Truth values are terms of one bit. Integers of a specification are of any width, so that
operators take terms of equal width and leave overflow to whoever chose it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Term:
    """An operator with its operands; `number` orders terms such that operands come first."""

    number: int
    op: str
    args: tuple[Term, ...]
    width: int
    value: int = 0
    """Of a constant its value, of an extract its lowest bit."""
    name: str = ""
    """Of a variable; of a truth value of another theory its text, with places for the operands."""

    def __repr__(self) -> str:
        """Without the operands, which would be as long as the tree that they are."""
        return f"{self.name or self.op}#{self.number}"

    @property
    def constant(self) -> int | None:
        """The value of a constant; None of anything else."""
        return self.value if self.op == "const" else None


def mask(width: int) -> int:
    """All ones."""
    return (1 << width) - 1


def signed(value: int, width: int) -> int:
    """Two's complement as a number."""
    return value - (1 << width) if value >> (width - 1) else value


def _divided(x: int, y: int, width: int) -> int:
    return mask(width) if y == 0 else x // y


_VALUES: dict[str, Callable[..., int]] = {
    "bvnot": lambda w, x: ~x & mask(w),
    "bvneg": lambda w, x: -x & mask(w),
    "bvand": lambda w, x, y: x & y,
    "bvor": lambda w, x, y: x | y,
    "bvxor": lambda w, x, y: x ^ y,
    "bvadd": lambda w, x, y: (x + y) & mask(w),
    "bvsub": lambda w, x, y: (x - y) & mask(w),
    "bvmul": lambda w, x, y: x * y & mask(w),
    "bvudiv": lambda w, x, y: _divided(x, y, w),
    "bvurem": lambda w, x, y: x if y == 0 else x % y,
    "bvshl": lambda w, x, y: x << y & mask(w) if y < w else 0,
    "bvlshr": lambda w, x, y: x >> y if y < w else 0,
    "bvashr": lambda w, x, y: signed(x, w) >> min(y, w) & mask(w),
    "=": lambda w, x, y: int(x == y),
    "bvult": lambda w, x, y: int(x < y),
    "bvule": lambda w, x, y: int(x <= y),
}
"""What operators of terms do, on numbers; the width is the operands'."""

_PREDICATES = ("=", "bvult", "bvule")
_COMMUTATIVE = ("bvand", "bvor", "bvxor", "bvadd", "bvmul", "=")


class Terms:
    """Makes terms, each once."""

    def __init__(self) -> None:
        self._made: dict[tuple, Term] = {}

    def _make(
        self, op: str, args: tuple[Term, ...], width: int, value: int = 0, name: str = ""
    ) -> Term:
        key = op, tuple(x.number for x in args), width, value, name
        if key not in self._made:
            self._made[key] = Term(len(self._made), op, args, width, value, name)
        return self._made[key]

    # -- leaves --------------------------------------------------------------------------------

    def const(self, value: int, width: int) -> Term:
        """A number, modulo 2^width."""
        return self._make("const", (), width, value & mask(width))

    def variable(self, name: str, width: int) -> Term:
        """A free bit vector."""
        return self._make("variable", (), width, name=name)

    # -- operators -----------------------------------------------------------------------------

    def apply(self, op: str, *args: Term) -> Term:
        """An operator of SMT-LIB on terms of equal width; a predicate gives one bit."""
        width = args[0].width
        if any(x.width != width for x in args):
            raise ValueError(f"{op} of widths {[x.width for x in args]}")
        if all(x.op == "const" for x in args):
            value = _VALUES[op](width, *(x.value for x in args))
            return self.const(value, 1 if op in _PREDICATES else width)
        simple = self._simple(op, args)
        if simple is not None:
            return simple
        if op in _COMMUTATIVE and args[0].number > args[1].number:
            args = args[1], args[0]
        return self._make(op, args, 1 if op in _PREDICATES else width)

    def _simple(self, op: str, args: tuple[Term, ...]) -> Term | None:
        """A term that is there already and the same, for operators with a constant or twins."""
        x, width = args[0], args[0].width
        if op == "bvnot":
            return x.args[0] if x.op == "bvnot" else None
        if len(args) == 1:
            return None
        y = args[1]
        if x is y:
            if op in ("bvand", "bvor"):
                return x
            if op in ("bvxor", "bvsub"):
                return self.const(0, width)
            if op in _PREDICATES:
                return self.const(int(op != "bvult"), 1)
        for one, other in ((x, y), (y, x)) if op in _COMMUTATIVE else ((y, x),):
            k = one.constant
            if k is None:
                continue
            if k == 0 and op in ("bvor", "bvxor", "bvadd", "bvsub", "bvshl", "bvlshr", "bvashr"):
                return other
            if k == 0 and op in ("bvand", "bvmul"):
                return one
            if k == 1 and op == "bvmul":
                return other
            if k == mask(width) and op == "bvand":
                return other
            if k == mask(width) and op == "bvor":
                return one
            if width == 1 and op in ("=", "bvxor"):
                return other if (k == 1) == (op == "=") else self.apply("bvnot", other)
            if op in ("bvshl", "bvlshr") and one is y:
                return self._shifted(op, x, k)
            if op == "bvult" and one is y and k == 0:
                return self.const(0, 1)
        return None

    def _shifted(self, op: str, x: Term, places: int) -> Term:
        """A shift by a constant moves bits."""
        if places >= x.width:
            return self.const(0, x.width)
        zeros = self.const(0, places)
        if op == "bvshl":
            return self.concat(self.extract(x, 0, x.width - places), zeros)
        return self.concat(zeros, self.extract(x, places, x.width - places))

    def ite(self, condition: Term, x: Term, y: Term) -> Term:
        """`x` if the one bit of the condition is set, else `y`."""
        if condition.op == "const":
            return x if condition.value else y
        if x is y:
            return x
        if condition.op == "bvnot":
            return self.ite(condition.args[0], y, x)
        if x.width == 1 and x.op == "const":
            return (
                self.apply("bvor", condition, y)
                if x.value
                else self.apply("bvand", self.apply("bvnot", condition), y)
            )
        if y.width == 1 and y.op == "const":
            return (
                self.apply("bvor", self.apply("bvnot", condition), x)
                if y.value
                else self.apply("bvand", condition, x)
            )
        if x.width != y.width:
            raise ValueError(f"ite of widths {x.width} and {y.width}")
        return self._make("ite", (condition, x, y), x.width)

    def concat(self, *parts: Term) -> Term:
        """Parts side by side, the highest first."""
        flat: list[Term] = []
        for part in parts:
            if part.width == 0:
                continue
            for piece in part.args if part.op == "concat" else (part,):
                joined = self._joined(flat[-1], piece) if flat else None
                if joined is None:
                    flat.append(piece)
                else:
                    flat[-1] = joined
        if not flat:
            raise ValueError("concat of nothing")
        if len(flat) == 1:
            return flat[0]
        return self._make("concat", tuple(flat), sum(x.width for x in flat))

    def _joined(self, high: Term, low: Term) -> Term | None:
        """Two neighbours as one: constants, or pieces of one term that meet."""
        if high.op == low.op == "const":
            return self.const(high.value << low.width | low.value, high.width + low.width)
        meet = high.args == low.args and high.value == low.value + low.width
        if high.op == low.op == "extract" and meet:
            return self.extract(low.args[0], low.value, high.width + low.width)
        return None

    def extract(self, x: Term, start: int, width: int) -> Term:
        """`width` bits of `x` from bit `start` up."""
        if start == 0 and width == x.width:
            return x
        if not 0 <= start < start + width <= x.width:
            raise ValueError(f"bits {start} to {start + width} of {x.width}")
        if x.op == "const":
            return self.const(x.value >> start, width)
        if x.op == "extract":
            return self.extract(x.args[0], x.value + start, width)
        if x.op == "concat":
            kept, below = [], x.width
            for part in x.args:
                below -= part.width
                low, high = max(start, below), min(start + width, below + part.width)
                if low < high:
                    kept.append(self.extract(part, low - below, high - low))
            return self.concat(*kept)
        return self._make("extract", (x,), width, start)

    # -- what is made of these -----------------------------------------------------------------

    def zero_extended(self, x: Term, width: int) -> Term:
        """`x` with zeros above it; its low bits, if it is wider."""
        if width <= x.width:
            return self.extract(x, 0, width)
        return self.concat(self.const(0, width - x.width), x)

    def sign_extended(self, x: Term, width: int) -> Term:
        """`x` with copies of its msb above it; its low bits, if it is wider."""
        if width <= x.width:
            return self.extract(x, 0, width)
        sign = self.extract(x, x.width - 1, 1)
        return self.concat(*[sign] * (width - x.width), x)

    def negation(self, x: Term) -> Term:
        """The other truth value; all bits inverted."""
        return self.apply("bvnot", x)

    def all_of(self, parts: Iterable[Term]) -> Term:
        """The conjunction of truth values."""
        total = self.const(1, 1)
        for part in parts:
            total = self.apply("bvand", total, part)
        return total

    def any_of(self, parts: Iterable[Term]) -> Term:
        """The disjunction of truth values."""
        total = self.const(0, 1)
        for part in parts:
            total = self.apply("bvor", total, part)
        return total

    def theory(self, text: str, *args: Term) -> Term:
        """A truth value that is written in another theory, as one bit of SMT-LIB with places for
        the operands: ``{0}`` and so on. Only solvers know its value."""
        return self._make("theory", args, 1, name=text)

    def equal(self, x: Term, y: Term) -> Term:
        """Whether two terms are equal."""
        return self.apply("=", x, y)

    def substituted(self, roots: Sequence[Term], by: Mapping[Term, Term]) -> list[Term]:
        """Terms in which others take the place of some, simplified again."""
        done: dict[Term, Term] = dict(by)
        for x in ordered(roots, set(by)):
            if x not in done:
                done[x] = self._with(x, tuple(done[y] for y in x.args))
        return [done[x] for x in roots]

    def _with(self, x: Term, args: tuple[Term, ...]) -> Term:
        if args == x.args:
            return x
        if x.op == "theory":
            return self.theory(x.name, *args)
        if x.op == "ite":
            return self.ite(*args)
        if x.op == "concat":
            return self.concat(*args)
        if x.op == "extract":
            return self.extract(args[0], x.value, x.width)
        return self.apply(x.op, *args)


def ordered(roots: Iterable[Term], stop: set[Term] | frozenset[Term] = frozenset()) -> list[Term]:
    """All terms that `roots` are made of, operands first; none below those of `stop`."""
    seen: set[Term] = set()
    waiting = list(roots)
    while waiting:
        x = waiting.pop()
        if x not in seen:
            seen.add(x)
            if x not in stop:
                waiting.extend(x.args)
    return sorted(seen, key=lambda x: x.number)


def evaluate(roots: Sequence[Term], inputs: Mapping[str, int]) -> list[int]:
    """The terms' numbers for numbers of the variables, by name."""
    values: dict[Term, int] = {}
    for x in ordered(roots):
        args = [values[y] for y in x.args]
        if x.op == "const":
            values[x] = x.value
        elif x.op == "variable":
            values[x] = inputs[x.name]
        elif x.op == "ite":
            values[x] = args[1] if args[0] else args[2]
        elif x.op == "extract":
            values[x] = args[0] >> x.value & mask(x.width)
        elif x.op == "concat":
            total = 0
            for part, value in zip(x.args, args, strict=True):
                total = total << part.width | value
            values[x] = total
        else:
            values[x] = _VALUES[x.op](x.args[0].width, *args)
    return [values[x] for x in roots]
