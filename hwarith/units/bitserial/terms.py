"""The term generator: a weight as signed powers of two, one in each clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...formats import Format, format
from ...rtl import Values, wire
from ..contract import Contract, Unit
from ..conventions import of_integers
from ..operations import RECODING, Operation
from ..parameters import choice_parameter
from . import definitions
from .weights import MIXED, SOURCE, WEIGHTS

BANK = 4
"""Special values of a bank."""

BANK_BITS = 6 * BANK


def specials_parameter() -> Any:
    """A field that says where special values come from."""
    return choice_parameter(
        "special values: one on a port, or one of a bank by a selector of two bits",
        ("port", "bank"),
        "port",
        quiet=True,
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class TermGen(Unit):
    """Term k of a weight: (-1)^sign * man * 2^exp * 2^bsig.

    `term` has man at its lsb, then two bits of exp, then the sign; all of it is 0 for no term.
    Integers are recoded to radix-4 Booth digits of bsig = 2k. Codes of fp3 and fp4 count halves and
    have two terms, by leading-one detection: that of bsig 1 from the integer part, then that of
    bsig 0 from what is left of the rest. Their code of -0 stands for ``special``, sign and
    magnitude in halves (5 bits). Of several types (``mixed``) integers come sign-extended to 8
    bits, fp4 in the low four bits, fp3 with a zero appended; ``floating`` tells them apart.

    With ``specials=bank`` there is in its place a bank of four, sign and magnitude each, the first
    at the lsb, and ``selector`` says which one: two bits a group, as the quantizer gives them. The
    bank belongs to a type; registers for it, which are written once, are the user's.

    ``t0=signed`` lets the term of bsig 0 have the other sign, so that 3.5, 7 and 7.5 can be special
    values too. `Weights.terms` says how many terms a type has; the highest one comes first.

    Source: BitMoD (HPCA 2025), section IV-A and figure 4. That the second leading-one detector does
    not see the bit that the first one took is a decision of this project.
    """

    family: ClassVar[str] = "termgen"
    summary: ClassVar[str] = "terms of a weight: Booth digits, leading ones (BitMoD's encoder)"
    operation: ClassVar[Operation] = RECODING
    meanings: ClassVar[dict[str, str]] = {
        "code": "code of a weight",
        "special": "what a code of -0 stands for, in halves: sign and magnitude",
        "selector": "which value of the bank a code of -0 stands for",
        "bank": "four special values, in halves: sign and magnitude each, the first at the lsb",
        "floating": "1: the weight is of fp3 or fp4; 0: an integer",
        "k": "which term, 0 the lowest",
        "term": "man at the lsb, two bits of exp, sign",
        "bsig": "weight of the term: it counts times 2^bsig",
    }
    shared_operands: ClassVar[tuple[str, ...]] = ("floating", "k")

    type: str = choice_parameter("of the weights", (MIXED, *WEIGHTS), MIXED)
    t0: str = choice_parameter(
        "whether the last term of fp3 and fp4 may have the other sign",
        ("unsigned", "signed"),
        "unsigned",
        quiet=True,
    )

    specials: str = specials_parameter()

    @property
    def bits(self) -> int:
        """Of a weight's code."""
        return 8 if self.type == MIXED else WEIGHTS[self.type].bits

    @property
    def takes_floats(self) -> bool:
        """Whether it takes codes of fp3 or fp4, and with them a special value."""
        return self.type == MIXED or WEIGHTS[self.type].floating

    @property
    def has_bank(self) -> bool:
        """Whether special values are in a bank."""
        return self.specials == "bank"

    @property
    def most_terms(self) -> int:
        """Terms of the widest weight that it takes."""
        return (self.bits + 1) // 2

    @property
    def operands(self) -> dict[str, Format]:
        widths = {"code": self.bits}
        if self.takes_floats:
            widths |= {"selector": 2, "bank": BANK_BITS} if self.has_bank else {"special": 6}
        widths |= {"floating": 1} if self.type == MIXED else {}
        widths |= {"k": (self.most_terms - 1).bit_length()}
        return {name: format(f"uint{width}") for name, width in widths.items()}

    @property
    def results(self) -> dict[str, Format]:
        step = 1 if self.type in ("fp3", "fp4") else 2
        most = step * ((1 << self.operands["k"].bits) - 1)
        return {"term": format("uint4"), "bsig": format(f"uint{most.bit_length()}")}

    @property
    def work(self) -> Fraction:
        return Fraction(1, self.most_terms)

    @property
    def contract(self) -> Contract:
        return Contract("exact", "the terms of a weight sum up to it", SOURCE)

    @property
    def conventions(self) -> dict[str, str]:
        return of_integers("none, every weight has as many terms as it needs")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        signed_t0 = int(self.t0 == "signed")
        if self.type == MIXED:
            mixed = definitions.banked_mixed_term if self.has_bank else definitions.mixed_term
            return mixed, (signed_t0,)
        if self.takes_floats:
            coded = definitions.coded_float_term
            return definitions.banked_float_term if self.has_bank else coded, (self.bits, signed_t0)
        return definitions.integer_term, (self.bits,)

    @property
    def word_bits(self) -> int:
        return BANK_BITS

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._recode]

    def _recode(self, m: Module, x: Values) -> Values:
        """The term of this clock: a Booth digit of an integer, or the leading one of what is left
        of a float."""
        code, k = x["code"], x["k"]
        if not self.takes_floats:
            return {"term": _booth(m, code, k), "bsig": wire(m, "bsig", Cat(Const(0, 1), k))}
        special = x["special"] if not self.has_bank else chosen_special(m, x)
        if self.type != MIXED:
            code = Cat(Const(0, 4 - self.bits), code)
            return {"term": self._leading_one(m, code, special, k), "bsig": k}
        floating = x["floating"]
        of_float = self._leading_one(m, code[:4], special, k[0])
        return {
            "term": wire(m, "term", Mux(floating, of_float, _booth(m, code, k))),
            "bsig": wire(m, "bsig", Mux(floating, k[0], Cat(Const(0, 1), k))),
        }

    def _leading_one(self, m: Module, code: Value, special: Value, k: Value) -> Value:
        """The term of a code of fp4: the leading one of I3 to I0, or what is left below it."""
        fraction, e = code[0], code[1:3]
        halves = Cat(
            fraction & ~e[1],
            Mux(e[1], fraction & ~e[0], e[0]),
            e[1] & (~e[0] | fraction),
            e[1] & e[0],
        )
        minus_zero = wire(m, "minus_zero", code[3] & ~code[:3].any())
        mag = wire(m, "halves", Mux(minus_zero, special[:5], Cat(halves, 0)))
        sign = wire(m, "float_sign", Mux(minus_zero, special[5], code[3]))
        first = _leading(m, "first", mag[1:])
        rest = wire(m, "rest", Cat(mag[0], mag[1:4] & ~first[:3]))
        second = _leading(m, "second", rest)
        if self.t0 == "signed":
            run = wire(m, "run", (mag == 7) | (mag == 14) | (mag == 15))
            first = Mux(run, Cat(Const(0, 1), first[:3]), first)
            second = Mux(run, Cat(mag[0], ~mag[0], Const(0, 2)), second)
            sign = sign ^ (run & ~k)
        chosen = wire(m, "chosen", Mux(k, first, second))
        man = chosen.any()
        exp = Cat(chosen[1] | chosen[3], chosen[2] | chosen[3])
        return wire(m, "float_term", Cat(man, exp, sign & man))


def chosen_special(m: Module, x: Values) -> Value:
    """The special value of the bank that the selector chooses."""
    return wire(m, "special", x["bank"].word_select(x["selector"], 6))


def _leading(m: Module, name: str, x: Value) -> Value:
    """The leading one of `x` alone."""
    bits = [bit & ~x[i + 1 :].any() if i + 1 < len(x) else bit for i, bit in enumerate(x)]
    return wire(m, name, Cat(*bits))


def _booth(m: Module, code: Value, k: Value) -> Value:
    """Booth digit k of an integer: its bits 2k + 1, 2k and 2k - 1."""
    reach = 2 << len(k)
    padded = Cat(Const(0, 1), code, code[-1].replicate(reach - len(code)))
    strings: list[Value] = [padded[2 * i : 2 * i + 3] for i in range(1 << len(k))]
    for bit in k:
        strings = [Mux(bit, b, a) for a, b in zip(strings[::2], strings[1::2], strict=True)]
    string = wire(m, "string", strings[0])
    man = ~(string.all() | ~string.any())
    twice = man & (string[0] ^ string[2]) & (string[1] == string[0])
    return wire(m, "booth_term", Cat(man, twice, Const(0, 1), man & string[2]))
