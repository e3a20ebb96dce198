"""The L-Mul unit: parameters and hardware."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Value

from ...errors import InvalidInput
from ...formats import Format
from ...formats import rounding as r
from .. import rtl
from ..rtl import Values, wire
from ..unit import Contract, Unit, choice_parameter, format_parameter, integer_parameter
from . import golden


def l_of(k: int) -> int:
    """The paper's l(k) for k fraction bits (equation 1): the offset is 2^(-l)."""
    return k if k <= 3 else 3 if k == 4 else 4


@dataclass(frozen=True, kw_only=True, repr=False)
class LMul(Unit):
    """Approximate product (1 + x + y + 2^(-l)) * 2^(ex+ey), made by one integer addition.

    The fields of exponent and fraction are added, with a constant, as integers; a carry out of
    the fraction falls into the exponent. Subnormal operands count as zero and results below the
    smallest normal become zero; infinities and NaN follow IEEE 754. A format without infinities
    saturates by default, and with ``sat=0`` overflows to NaN where it has one.

    The paper gives the addition; all other cases here are this project's decisions.
    Source: Luo and Sun, arXiv 2410.00907, equation 1 and figure 2.
    """

    family: ClassVar[str] = "lmul"
    summary: ClassVar[str] = "L-Mul: approximate product by adding exponent and fraction fields"
    operation: ClassVar[str] = "product"

    format: Format = format_parameter("of both operands and the result", "bf16")
    k: int = integer_parameter("fraction bits kept of an operand (default: all)", 1, None, None)
    krnd: str = choice_parameter("how operands lose the others", ("trunc", "rne"), "trunc")
    ofs: int = integer_parameter(
        "constant added to the fields (default: 2^(m-l(k)), the paper's)", 0, None, None
    )
    sat: int = integer_parameter(
        "1: overflow gives the largest finite value (default where there is no infinity)",
        0, 1, None,
    )  # fmt: skip
    zero_pos: int = integer_parameter("1: a zero result is always +0", 0, 1, 0, quiet=True)

    def validate(self) -> None:
        f = self.format
        if not f.is_float or not f.signed or f.fraction_bits == 0:
            raise InvalidInput(
                f"lmul: parameter format: must be a signed float with a fraction, not {f.name}"
            )
        if self.k is None:
            object.__setattr__(self, "k", f.fraction_bits)
        if self.k > f.fraction_bits:
            raise InvalidInput(
                f"lmul: parameter k: must be 1 to {f.fraction_bits} for {f.name}, not {self.k}"
            )
        if self.ofs is None:
            object.__setattr__(self, "ofs", self._default_ofs())
        if self.ofs >> self._field_bits:
            raise InvalidInput(
                f"lmul: parameter ofs: must be 0 to {(1 << self._field_bits) - 1} "
                f"for {f.name}, not {self.ofs}"
            )
        if self.sat is None:
            object.__setattr__(self, "sat", self._default_sat())

    def _default_ofs(self) -> int:
        return 1 << (self.format.fraction_bits - l_of(self.k))

    def _default_sat(self) -> int:
        return int(not self.format.infinity)

    def _shown(self) -> dict[str, Any]:
        shown = super()._shown()
        if self.ofs == self._default_ofs():
            del shown["ofs"]
        if self.sat == self._default_sat():
            del shown["sat"]
        return shown

    @property
    def _field_bits(self) -> int:
        return self.format.exponent_bits + self.format.fraction_bits

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.format, "b": self.format}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.format}

    @property
    def contract(self) -> Contract:
        c = 2.0 ** -l_of(self.k)
        low, high = 2 / (1.5 - c / 2) ** 2, 1 + c  # of the product of reduced operands
        step = 2.0**-self.k if self.k < self.format.fraction_bits else 0.0
        if self.krnd == "trunc":
            low *= (1 - step) ** 2
        else:
            low, high = low * (1 - step / 2) ** 2, high * (1 + step / 2) ** 2
        bound = (
            f"relative error {100 * (low - 1):+.2f} % to {100 * (high - 1):+.2f} % "
            "for normal operands and results"
        )
        if self.ofs != self._default_ofs():
            bound = "an offset other than the paper's"
        return Contract("approximate", bound, "arXiv 2410.00907, eq. 1 and fig. 2")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        f = self.format
        drop = f.fraction_bits - self.k
        constants = (drop, int(self.krnd == "rne"), self.ofs, self.sat, self.zero_pos)
        return golden.lmul, (f.numbers, self._field_bits, *constants)

    @property
    def word_bits(self) -> int:
        return self._field_bits + 2

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._unpack, self._add_fields, self._pack]

    def _unpack(self, m: Module, x: Values) -> Values:
        f = self.format
        a, b = rtl.unpack(m, "a", x["a"], f), rtl.unpack(m, "b", x["b"], f)
        # The hidden bit tells a normal number from zero and subnormals, which count as zero.
        flushed = wire(m, "flushed", ~(a.significand[-1] & b.significand[-1]))
        inf = wire(m, "inf", a.inf | b.inf)
        return {
            "sign": wire(m, "sign", a.sign ^ b.sign),
            "nan": wire(m, "nan", a.nan | b.nan | (inf & flushed)),
            "inf": inf,
            "flushed": flushed,
            "a_field": self._reduced(m, "a_field", x["a"][: self._field_bits]),
            "b_field": self._reduced(m, "b_field", x["b"][: self._field_bits]),
        }

    def _reduced(self, m: Module, name: str, field: Value) -> Value:
        """The field without the low fraction bits; they are zero and need no adder."""
        drop = self.format.fraction_bits - self.k
        kept = field[drop:]
        if self.krnd == "trunc" or drop == 0:
            return wire(m, name, kept)
        below_half = field[: drop - 1].any() if drop > 1 else Const(0, 1)
        up = field[drop - 1] & (below_half | kept[0])
        return wire(m, name, kept + up, len(kept) + 1)

    def _add_fields(self, m: Module, x: Values) -> Values:
        """T = a + b + ofs - bias, all as integers of exponent and fraction side by side."""
        f = self.format
        drop = f.fraction_bits - self.k
        constant = self.ofs - (f.bias << f.fraction_bits)
        low = constant % (1 << drop)
        high = constant >> drop
        bits = self._field_bits - drop
        total = wire(m, "fields", x["a_field"] + x["b_field"] + high, Shape(bits + 2, signed=True))
        # What the constant has below the operands' lsb passes by the adder.
        t = Cat(Const(low, drop), total) if drop else total
        names = ("sign", "nan", "inf", "flushed")
        return {name: x[name] for name in names} | {
            "t": wire(m, "t", t.as_signed(), Shape(self._field_bits + 2, signed=True))
        }

    def _pack(self, m: Module, x: Values) -> Values:
        f = self.format
        n = f.numbers
        t, sign = x["t"], x["sign"]
        underflow = wire(m, "underflow", t[-1] | ~t[f.fraction_bits : -1].any())
        overflow = wire(m, "overflow", ~t[-1] & (t[:-1] > n.max_mag))
        infinite = r.pack_infinity(0, n, r.NOSAT)
        too_big = n.max_mag if self.sat else infinite
        # A NaN result for an overflow has no sign.
        signed = too_big != n.nan_code
        mag_bits = f.bits - 1
        zero_sign = sign if f.has_negative_zero and not self.zero_pos else Const(0, 1)
        zero = Cat(Const(0, mag_bits), zero_sign)
        largest = Cat(Const(too_big, mag_bits), sign) if signed else Const(too_big, f.bits)
        ordinary = Mux(overflow, largest, Cat(t[:mag_bits], sign))
        finite = Mux(x["flushed"] | underflow, zero, ordinary)
        nan = Const(r.pack_nan(n), f.bits)
        special = Mux(x["nan"], nan, Cat(Const(max(n.inf_mag, 0), mag_bits), sign))
        return {"y": wire(m, "code", Mux(x["nan"] | x["inf"], special, finite), f.bits)}
