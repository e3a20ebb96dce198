"""Sums that are rounded once (`add`, `fma`): their rounding proved apart from their alignment.

A definition forms a sum, exact but for a sticky bit, as sign, exponent and significand, and
rounds these: R(s, e, g). A circuit forms another one, in a window that its alignment chooses, and
rounds that. Neither a shifter nor an adder is then on both sides of what a solver must decide:

- the rounder: with free words for the circuit's sum, as far as `sound` holds of it, the circuit
  gives what the definition gives of that sum;
- coarser units: R(s, e, g) = R(s, e + 1, h) with h = `coarser` (g, 1), if g is even, h large or e
  small. So it is for any number of places, one after the other;
- alignment: the circuit's sum is `sound`, and `alike` the definition's: in coarser units, that
  change neither's rounding, they are one. This is proved by cases of the distance of the two
  operands' exponents: in each the definition's shifts depend on leading ones alone (`Relative`),
  and the circuit's are constants (Jacobi, Weber, Paruthi, Baumgartner, "Automatic formal
  verification of fused-multiply-add FPUs", DATE 2005).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from ...formats.rounding import RDN, add_exact
from ...golden import golden
from ...golden.words import SPARE, WIDTHS
from ...units import Unit
from ...units.exact import definitions
from ...units.exact.add import Add
from ...units.exact.fma import Fma
from .integers import Integer, NotExecutable, Value
from .netlist import Circuit
from .symbolic import Executor
from .terms import Term, Terms, ordered

ROUNDER = "the rounder does what the definition does with any sum that is as these are"
COARSER = "a significand in coarser units, with a sticky bit, is rounded as it was"
ALIGNED = "the sum is the definition's in some units, for every distance of the exponents"


LOST: dict[type[Unit], str] = {Fma: "addend_lost", Add: "second_lost"}
"""The wire that says whether a sum is a little more than its total, by the unit."""


def wires_of_sum(u: Unit, circuit: Circuit) -> tuple[str, ...]:
    """The wires that hold a circuit's sum; none, if it has not all of them."""
    names = ("total", LOST.get(type(u), ""), "negative")
    there = tuple(name for name in names if name in circuit.wires)
    needed = {*names[:2], "exponent", "sign", "subtract"}
    return there if needed <= circuit.wires.keys() else ()


# -- what is said of sums, as definitions are written ----------------------------------------------


@golden
def doubled(total, width, negative, lost):
    """Twice the magnitude of a sum in two's complement of `width` bits and a sign, which is a
    little more than its total says if something was lost: the lsb is a sticky bit."""
    return 2 * ((1 << width) - total) - lost if negative else 2 * total + lost


@golden
def dropped(g, n, width):
    """What an integer of at most `width` bits has below 2^n."""
    return g & ((1 << min(n, width)) - 1)


@golden
def coarser(g, n, width):
    """An integer of at most `width` bits in units of 2^n, the lsb ORed with what is dropped."""
    return g >> min(n, width) | (1 if dropped(g, n, width) else 0)


@golden
def sound(e, g, negative, lost, odd, subtract, lowest, least, width):
    """What a rounder may rely on: bits that a sticky bit stands for, or that are inverted and not
    negated, lie below all that is looked at one by one; and only a difference is negative, and
    never by all that `width` bits hold."""
    fine = g >= least or e <= lowest
    return (fine or not (lost or (negative and odd))) and (
        not negative or (subtract and g + lost < 2 << width)
    )


@golden
def alike(s, e, g, n, width, s2, e2, g2, width2, lowest, least):
    """Whether two sums are the same one in units of 2^(e + n), which rounding does not tell from
    their own: nothing is dropped, or what is left is large, or the units are small."""
    n2 = max(n + (e - e2), 0)
    h = coarser(g, n, width)
    same = n + (e - e2) >= 0 and h == coarser(g2, n2, width2)
    none = dropped(g, n, width) == 0 and dropped(g2, n2, width2) == 0
    return s == s2 and same and (none or h >= least or e + n <= lowest)


@golden
def zero_signed(s, g, subtract, mode):
    """The sign of a sum, also of a difference that is zero."""
    return (1 if mode == RDN else 0) if g == 0 and subtract else s


# -- the proof -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sum:
    """A definition that rounds a sum of two: where it does, and the arguments of `add_exact`."""

    where: Term
    terms: tuple[Value, ...]  # sign, exponent and significand of the one and of the other
    mode: Value
    width: int
    rounding: tuple[Value, ...]  # format, control and rules, which `result` takes


@dataclass(frozen=True)
class Window:
    """A circuit's sum: sign, exponent and `doubled` significand, of so many bits, and `sound`'s
    other arguments."""

    s: Value
    e: Value
    g: Value
    width: int
    parts: tuple[Value, ...]  # negative, lost, odd, subtract


class RoundedSum:
    """The statements of which it follows that a circuit rounds the sum of its definition."""

    def __init__(self, u: Unit, t: Terms, inputs: Mapping[str, Term], sum: Sum) -> None:
        self.u, self.t, self.inputs, self.sum = u, t, inputs, sum
        f = sum.rounding[0]
        decisive = f.fraction_bits + 1 + u.rounder.below  # type: ignore[attr-defined]
        self.lowest = f.lsb - u.rounder.below - 1  # type: ignore[attr-defined]
        self.least = 1 << decisive
        self.spare = sum.width - decisive - 2
        self.reached = [f.lsb, f.lsb]  # exponents of units that are spoken of
        self.widest = 0

    # -- the two sides -------------------------------------------------------------------------

    def executor(self, width: int) -> Executor:
        """What executes definitions on integers of the unit, and of so many bits."""
        return Executor(self.t, max(self.u.word_bits, bits_of(self.u), width) + SPARE)

    def window(
        self, executor: Executor, wires: Mapping[str, Term], base: Value = None, c: int = 0
    ) -> Window:
        """The sum on a circuit's wires; its exponent is `base` + `c`, if that is known."""
        t, u = self.t, self.u
        no = t.const(0, 1)
        negative, subtract = wires.get("negative", no), wires["subtract"]
        total = wires["total"]
        if isinstance(u, Add):  # the carry out of a difference is no bit of it
            msb = t.ite(subtract, negative, t.extract(total, total.width - 1, 1))
            total = t.concat(msb, t.extract(total, 0, total.width - 1))
        lost = wires[LOST[type(u)]]
        width = total.width
        bits = tuple(executor.boolean(x) for x in (negative, lost))
        g = executor.call(doubled, executor.integer(total), width, *bits)
        e = exponent(executor, wires["exponent"]) if base is None else base
        e = executor.binary(ast.Sub, e, u.out.bias + width - c)  # type: ignore[attr-defined]
        odd, subtracts = (executor.boolean(x) for x in (t.extract(total, 0, 1), subtract))
        s = executor.call(zero_signed, executor.boolean(wires["sign"]), g, subtracts, self.sum.mode)
        self.widest = max(self.widest, width + 2)
        return Window(s, e, g, width, (*bits, odd, subtracts))

    def is_sound(self, executor: Executor, x: Window) -> Term:
        """`sound` of a circuit's sum."""
        return executor.truth(
            executor.call(sound, x.e, x.g, *x.parts, self.lowest, self.least, x.width)
        )

    def reach(self, executor: Executor, width: int, *exponents: Value) -> None:
        """Speak of significands of so many bits, in units of such exponents."""
        for x in exponents:
            low, high = executor.range_of(x)
            self.reached = [min(low, self.reached[0]), max(high, self.reached[1])]
        self.widest = max(self.widest, width)

    # -- the rounder ---------------------------------------------------------------------------

    def rounder_differs(self, wires: Mapping[str, Term], found: Term) -> Term:
        """What must never hold: that a circuit with free words for its sum gives anything else
        than the definition of that sum, if it is sound."""
        t = self.t
        executor = self.executor(wires["total"].width + 3)
        x = self.window(executor, wires)
        golden, sum = with_sum(executor, self.u, self.inputs, (x.s, x.e, x.g))
        assert sum is not None
        differs = t.any_of([t.negation(t.equal(found, golden)), *executor.misuses])
        never = t.apply("bvand", sum.where, t.negation(self.is_sound(executor, x)))
        return t.apply("bvand", differs, t.negation(never))

    # -- coarser units -------------------------------------------------------------------------

    def coarser_differs(self) -> Term:
        """What must never hold: that a significand in units twice as large is rounded to anything
        else, of exponents in the range that alignments have `reached`."""
        t = self.t
        executor = self.executor(self.widest)
        low, high = self.reached
        bits = max(high.bit_length(), (-low).bit_length()) + 2
        e = exponent(executor, t.variable("e", bits))
        in_range = [
            executor.truth(executor.compare(op, e, bound))
            for op, bound in ((ast.GtE, low), (ast.LtE, high))
        ]
        e = executor.narrowed(e, low, high)
        s, g = executor.boolean(t.variable("s", 1)), executor.integer(t.variable("g", self.widest))
        h = executor.call(coarser, g, 1, self.widest)
        next_e = executor.binary(ast.Add, e, 1)
        results = [
            executor.term(
                executor.call(definitions.result, *of, *self.sum.rounding), bits_of(self.u)
            )
            for of in ((s, e, g), (s, next_e, h))
        ]
        allowed = t.any_of(
            [
                t.negation(executor.truth(executor.call(dropped, g, 1, self.widest))),
                executor.truth(executor.compare(ast.GtE, h, self.least)),
                executor.truth(executor.compare(ast.LtE, next_e, self.lowest)),
            ]
        )
        differs = t.any_of([t.negation(t.equal(*results)), *executor.misuses])
        return t.all_of([differs, allowed, *in_range])


def bits_of(u: Unit) -> int:
    """Bits of all results."""
    return sum(f.bits for f in u.results.values())


def exponent(executor: Executor, x: Term) -> Integer:
    """The integer of two's complement."""
    half = 1 << (x.width - 1)
    return Integer(executor, x, -half, half - 1)


def sum_of(u: Unit, t: Terms, inputs: Mapping[str, Term]) -> Sum | None:
    """The sum that a unit's definition rounds; None if it does anything else with one."""
    try:
        found, sum = with_sum(Executor(t, WIDTHS[-1]), u, inputs, (0, 0, 1))
    except NotExecutable:
        return None
    if sum is None or not all(isinstance(x, Integer) for x in sum.terms):
        return None
    return None if any(x.name in _PLACES for x in ordered([found])) else sum


_PLACES = ("sum_sign", "sum_exponent", "sum_significand")
"""Variables for what `add_exact` returns, before it is given to `result`."""


def with_sum(
    executor: Executor, u: Unit, inputs: Mapping[str, Term], made: tuple[Value, ...]
) -> tuple[Term, Sum | None]:
    """The results of a unit's definition with the sum `made` elsewhere, and the sum that it takes
    the place of, if the definition rounds one sum."""
    sums: list[tuple[Term, tuple]] = []
    rounded: list[tuple] = []
    place = tuple(executor.integer(executor.t.variable(name, 1)) for name in _PLACES)

    def add(*args: Value) -> tuple[Value, ...]:
        sums.append((executor.path, args))
        return place

    def round(*args: Value) -> Value:
        rounded.append(args)
        return executor.executed(definitions.result, *made, *args[3:])

    executor.instead = {add_exact: add, definitions.result: round}
    function, constants = u.definition()
    given = u.arguments([executor.integer(inputs[n]) for n in u.operands])
    found = executor.term(executor.call(function, *given, *constants), bits_of(u))
    if len(sums) != 1 or len(rounded) != 1:
        return found, None
    if any(x is not y for x, y in zip(rounded[0], place, strict=False)):
        return found, None
    where, (*terms, mode, width) = sums[0]
    return found, Sum(where, tuple(terms), mode, width, rounded[0][3:])
