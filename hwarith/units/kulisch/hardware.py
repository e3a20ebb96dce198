"""The hardware of the exact accumulator: products put in their places, and pieces of a sum."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Value

from ... import rtl
from ...formats import Format
from ...rtl import Values, wire
from ...rtl.floats import Operand
from ...rtl.integers import as_integer

BANK = 16
"""Bits of a bank, a power of two. A product is shifted within a bank, and then put into the one
that it begins in and those above, which takes two gates a bit where a level of a shifter takes
three."""

SHORT = 16
"""Up to this many bits a piece is added by a plain sum (`hwarith.rtl.adders`)."""


@dataclass(frozen=True)
class Hardware:
    """Steps of an accumulator of so many `bits` for products of `a` and `b`, in `segments`."""

    a: Format
    b: Format
    out: Format
    mode: str
    overflow: str
    bits: int
    segments: int

    def front(self) -> list[rtl.Step]:
        """From the operands to the product and where it goes."""
        if not self.a.is_float and not self.b.is_float:
            return [self._multiply_integers]
        return [self._multiply, self._place]

    def output(self) -> list[rtl.Step]:
        """From the registers to the result."""
        if not self.out.is_float:
            return [self._resolve, self._fit]
        top = self._operands[0].lsb + self._operands[1].lsb + self.bits - 1 + self.out.bias
        rounder = rtl.Rounder(self.out, self.mode, self.overflow)
        return [self._resolve, self._classify, *rounder.steps((top, top))]

    @property
    def _operands(self) -> tuple[Operand, Operand]:
        return Operand(self.a), Operand(self.b)

    @property
    def _lowest(self) -> int:
        """The least sum of exponents: with it a product begins at the sum's lsb."""
        return sum(operand.exponents[0] for operand in self._operands)

    @property
    def _banks(self) -> int:
        return -(-(self.bits + self._lowest) // BANK)

    # -- before the memory -----------------------------------------------------------------------

    def _multiply_integers(self, m: Module, x: Values) -> Values:
        """The product."""
        a, b = as_integer(x["a"], self.a), as_integer(x["b"], self.b)
        return {"product": rtl.product(m, "product", a, b), "special": Const(0, 3)}

    def _multiply(self, m: Module, x: Values) -> Values:
        """The product of the significands with its sign, the sum of the exponents, and whether it
        is NaN, or infinite."""
        a, b = (operand.unpack(m, n, x[n]) for operand, n in zip(self._operands, "ab", strict=True))
        sign = wire(m, "product_sign", a.sign ^ b.sign)
        magnitude = rtl.product(m, "magnitude", a.significand, b.significand)
        inverted = wire(m, "inverted", magnitude ^ sign.replicate(len(magnitude)))
        negated = rtl.increment(m, "negated", inverted, sign)
        nan = a.nan | b.nan | (a.inf & b.zero) | (b.inf & a.zero)
        inf = a.inf | b.inf
        return {
            "product": wire(m, "product", Cat(negated[:-1], sign & ~negated[-1]).as_signed()),
            "exponent": wire(m, "exponent", a.exponent + b.exponent),
            "special": wire(m, "special", Cat(nan, inf & ~sign, inf & sign)),
        }

    def _place(self, m: Module, x: Values) -> Values:
        """Shift the product within a bank, and find the bank that it begins in, and those above
        it that have nothing but its sign."""
        fine = BANK.bit_length() - 1
        shifted = rtl.scaled(m, "shifted", x["product"], x["exponent"][:fine])
        bank = x["exponent"][fine:]
        if not len(bank):
            bank = Const(0, 1)
        bank_is = rtl.one_hot(m, "bank_is", bank, min(self._banks, 1 << len(bank)))
        reach = -(-len(shifted) // BANK)
        begins_below: list[Value] = [
            bank_is[: max(0, i - reach + 1)].any() for i in range(self._banks)
        ]
        above = wire(m, "above", Cat(*begins_below) & shifted[-1].replicate(self._banks))
        return {"shifted": shifted, "bank_is": bank_is, "above": above, "special": x["special"]}

    # -- the memory ------------------------------------------------------------------------------

    def accumulate(self, m: Module, x: Values) -> Values:
        """Add the product to the sum, each piece with the carry that was saved below it."""
        addend = self._addend(m, x)
        pieces: list[Value] = []
        carries: list[Value] = []
        for i, low in enumerate(range(0, self.bits, self.segments or self.bits)):
            high = min(self.bits, low + (self.segments or self.bits))
            carry = x["carries"][i - 1] if i else Const(0, 1)
            total = self._add(m, f"piece{i}", x["sum"][low:high], addend[low:high], carry)
            pieces.append(total[: high - low])
            carries.append(total[high - low])
        following: Values = {"sum": Cat(*pieces), "met": x["met"] | x["special"]}
        return following | ({"carries": Cat(*carries[:-1])} if self.segments else {})

    def _add(self, m: Module, name: str, a: Value, b: Value, carry: Value) -> Value:
        if len(a) > SHORT:
            return rtl.add(m, name, a, b, carry)
        return wire(m, name, a + b + carry, len(a) + 1)

    def _addend(self, m: Module, x: Values) -> Value:
        """The product as a number of the sum's width."""
        if "product" in x:
            return wire(m, "addend", x["product"], self.bits)
        shifted, bank_is = x["shifted"], x["bank_is"]
        reach = -(-len(shifted) // BANK)
        extended = Cat(shifted, shifted[-1].replicate(reach * BANK - len(shifted)))
        banks = []
        for i in range(self._banks):
            value: Value = x["above"][i].replicate(BANK)
            for j in range(reach):
                if 0 <= i - j < len(bank_is):
                    chosen = bank_is[i - j].replicate(BANK)
                    value = value | (extended.word_select(j, BANK) & chosen)
            banks.append(value)
        return wire(m, "addend", Cat(*banks)[self._lowest :], self.bits)

    # -- behind the memory -----------------------------------------------------------------------

    def _resolve(self, m: Module, x: Values) -> Values:
        """Add the saved carries."""
        if "carries" not in x:
            return x
        saved: list[Value] = [Const(0, self.segments)]
        for carry in x["carries"]:
            saved += [carry, Const(0, self.segments - 1)]
        carries = wire(m, "saved", Cat(*saved)[: self.bits])
        return x | {"sum": rtl.add(m, "resolved", x["sum"], carries)[: self.bits]}

    def _classify(self, m: Module, x: Values) -> Values:
        """The sign of the sum, and whether the result is NaN, or infinite."""
        nan, plus, minus = x["met"]
        inf = wire(m, "infinite", plus | minus)
        negative = x["sum"][-1]
        top = self._operands[0].lsb + self._operands[1].lsb + self.bits - 1 + self.out.bias
        return {
            "nan": wire(m, "nan", nan | (plus & minus)),
            "inf": inf,
            "sign": wire(m, "sign", (inf & minus) | (~inf & negative)),
            "negative": negative,
            "significand": Cat(Const(0, 1), x["sum"]),
            "exponent": Const(top),
        }

    def _fit(self, m: Module, x: Values) -> Values:
        """The sum as an integer of the result's range."""
        total = x["sum"].as_signed()
        return {"y": rtl.fit_integer(m, total, self.out, self.overflow)}
