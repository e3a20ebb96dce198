"""The comparing units: a predicate of two codes; minimum, maximum and relu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...rtl import Values, wire
from ...rtl.floats import Specials
from ..contract import Contract, Unit
from ..conventions import EXACT, SUBNORMALS, conventions, nan_words
from ..exact.base import GUARD_BITS
from ..flags import flag_results, flags_parameter
from ..operations import COMPARISON, SELECTION, Operation
from ..parameters import choice_parameter, format_parameter
from . import definitions
from .order import (
    are_ordered,
    common_format,
    compare_codes,
    compare_magnitudes,
    ordered,
    widened,
)

PREDICATES = {
    "lt": definitions.LT,
    "le": definitions.LE,
    "eq": definitions.EQ,
    "ge": definitions.GE,
    "gt": definitions.GT,
    "ne": definitions.NE,
    "unordered": definitions.UN,
}


OF_POSITS = Contract("exact", "exact; NaR is less than all", "Posit Standard (2022), 5.2")

NAN_FLAGS = "exceptions: NV, the msb, and four that are never raised"


@dataclass(frozen=True, kw_only=True, repr=False)
class Compare(Unit):
    """Whether a predicate of two codes holds: 1 if it does, else 0.

    A NaN is unordered with everything, itself included, so that only ``ne``
    and ``unordered`` hold for it. -0 equals +0, infinities are equal to themselves. With
    ``flags=on`` there is a second result of five bits, those of RISC-V's ``fflags``: NV for a
    signaling NaN, of a signaling predicate (``signaling=on``) for any.

    Operands of different formats, integers and fixed point among them, are compared by their exact
    values: neither is rounded to the other's format. Posits are compared with posits of as many
    exponent bits, and NaR is equal to itself and less than all else. Source: IEEE 754-2019, 5.6.1
    and 5.11; Posit Standard (2022), 5.2.
    """

    family: ClassVar[str] = "cmp"
    takes_posits: ClassVar[bool] = True
    summary: ClassVar[str] = "comparison of two codes: lt le eq ge gt ne unordered"
    operation: ClassVar[Operation] = COMPARISON
    meanings: ClassVar[dict[str, str]] = {
        "a": "left of the predicate",
        "b": "right of the predicate",
        "y": "1: it holds",
        "flags": NAN_FLAGS,
    }

    a: Format = format_parameter("first operand", "fp32")
    b: Format = format_parameter("second operand", same_as="a")
    op: str = choice_parameter("predicate", tuple(PREDICATES), "lt")
    signaling: str = choice_parameter(
        "whether any NaN raises flag NV, or (off) a signaling one alone",
        ("off", "on"),
        "off",
        quiet=True,
        in_name=lambda *_: "signaling",
    )
    flags: str = flags_parameter()

    def validate(self) -> None:
        for f, other in ((self.a, self.b), (self.b, self.a)):
            if f.is_posit and (f.kind, f.exponent_bits) != (other.kind, other.exponent_bits):
                raise InvalidInput(
                    f"cmp: {f.name} is compared with posits of {f.exponent_bits} exponent bits, "
                    f"not with {other.name}"
                )
        if self.flags == "on" and self.a.is_posit:
            raise InvalidInput(
                f"cmp: parameter flags: NaR of {self.a.name} is ordered; allowed: off"
            )
        if self.flags == "on" and self.a.nan == self.b.nan == "none":
            names = " and ".join(dict.fromkeys((self.a.name, self.b.name)))
            raise InvalidInput(f"cmp: parameter flags: there is no NaN in {names}")
        if self.signaling == "on" and (self.flags == "off" or self.op == "unordered"):
            raise InvalidInput(
                "cmp: parameter signaling: it is about flag NV of all predicates but unordered; "
                "set flags=on"
            )

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a, "b": self.b}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": format("uint1")} | flag_results(self.flags)

    @property
    def contract(self) -> Contract:
        if self.a.is_posit:
            return OF_POSITS
        return Contract("exact", "exact; NaN compares unordered", "IEEE 754-2019, 5.11")

    @property
    def conventions(self) -> dict[str, str]:
        unordered = "unordered: only ne and unordered hold" if self._has_floats else ""
        kept = "compared by their values" if self._has_floats else ""
        return conventions(EXACT, "", kept, unordered)

    @property
    def _has_floats(self) -> bool:
        return any(f.is_float for f in self._ordered.values())

    @cached_property
    def _ordered(self) -> dict[str, Format]:
        """The formats by whose values the operands are compared."""
        return {name: ordered(f) for name, f in self.operands.items()}

    def definition(self) -> tuple[Callable[..., int], tuple]:
        formats = [f.numbers for f in self._ordered.values()]
        rules = int(self.signaling == "on"), int(self.flags == "on")
        return definitions.compare, (*formats, self.word_bits, PREDICATES[self.op], *rules)

    @property
    def word_bits(self) -> int:
        return max(f.precision for f in self._ordered.values()) + GUARD_BITS

    def datapath(self) -> list[rtl.Step]:
        return [self._widen, self._compare] if self._common else [self._compare]

    @cached_property
    def _common(self) -> Format | None:
        """A format that has all values of both; None where their own codes are ordered."""
        formats = self._ordered.values()
        return None if are_ordered(*formats) else common_format(*formats)

    def _widen(self, m: Module, x: Values) -> Values:
        """Both operands as codes of one format, beside their own."""
        assert self._common
        wide = {n: widened(m, x[n], f, self._common) for n, f in self._ordered.items()}
        return x | {f"wide_{n}": wire(m, f"wide_{n}", code) for n, code in wide.items()}

    def _compare(self, m: Module, x: Values) -> Values:
        """The order of the codes; NaNs are unordered, and zeros equal whatever their signs."""
        if self._common:
            order = compare_codes(m, x["wide_a"], x["wide_b"], self._common, self._common)
        else:
            order = compare_codes(m, x["a"], x["b"], *self._ordered.values())
        unordered, zeros, signaling = Const(0, 1), Const(0, 1), Const(0, 1)
        if self._has_floats:
            a, b = (rtl.unpack(m, name, x[name], f) for name, f in self.operands.items())
            unordered = wire(m, "unordered", a.nan | b.nan)
            zeros = wire(m, "zeros", a.zero & b.zero)
            signaling = a.signaling | b.signaling
        equal = wire(m, "equal", order.same | zeros)
        less = order.less & ~equal
        y: Values = {
            "y": {
                "lt": ~unordered & less,
                "le": ~unordered & (less | equal),
                "eq": ~unordered & equal,
                "ge": ~unordered & ~less,
                "gt": ~unordered & ~(less | equal),
                "ne": unordered | ~equal,
                "unordered": unordered,
            }[self.op]
        }
        if self.flags == "off":
            return y
        return y | {"flags": Cat(Const(0, 4), unordered if self.signaling == "on" else signaling)}


NANS = {
    "propagate": definitions.PROPAGATE,
    "number": definitions.NUMBER,
    "2008": definitions.NUMBER_2008,
}


@dataclass(frozen=True, kw_only=True, repr=False)
class MinMax(Unit):
    """The lesser or the greater of two codes, or relu: the greater of one code and +0.

    -0 is less than +0. With ``nan=propagate`` a NaN operand makes the result NaN (minimum,
    maximum); with ``nan=number`` the result is the other operand (minimumNumber, maximumNumber),
    and NaN only if both are; relu then makes +0 of NaN. ``nan=2008`` is the same but for a
    signaling NaN, which makes the result NaN (minNum, maxNum). With ``by=magnitude`` the lesser or
    greater magnitude decides, and only of equal ones the sign. NaN results are canonical. With
    ``flags=on`` there is a second result of five bits, those of RISC-V's ``fflags``: NV for a
    signaling NaN. Of posits NaR is less than all numbers, as its code is. Source: IEEE 754-2019,
    9.6; IEEE 754-2008, 5.3.1; Posit Standard (2022), 5.2.
    """

    family: ClassVar[str] = "minmax"
    takes_posits: ClassVar[bool] = True
    summary: ClassVar[str] = "minimum or maximum of two codes, or relu of one"
    operation: ClassVar[Operation] = SELECTION
    meanings: ClassVar[dict[str, str]] = {
        "a": "first operand",
        "b": "second operand",
        "y": "the operand that was chosen",
        "flags": NAN_FLAGS,
    }

    a: Format = format_parameter("of operands and result", "fp32")
    op: str = choice_parameter("which", ("min", "max", "relu"), "max")
    nan: str = choice_parameter(
        "propagate: NaN if an operand is; number: the one that is none; 2008: NaN if signaling",
        tuple(NANS),
        "propagate",
        quiet=True,
    )
    by: str = choice_parameter("what decides", ("value", "magnitude"), "value", quiet=True)
    flags: str = flags_parameter()

    def validate(self) -> None:
        for name in ("nan", "flags"):
            if getattr(self, name) != self.parameters()[name].default and self.a.nan == "none":
                raise InvalidInput(f"minmax: parameter {name}: format {self.a.name} has no NaN")
            if getattr(self, name) != self.parameters()[name].default and self.a.is_posit:
                raise InvalidInput(
                    f"minmax: parameter {name}: NaR of {self.a.name} is ordered as a number"
                )
        signed = self.a.kind == "float" and self.a.signed
        if self.by == "magnitude" and (self.op == "relu" or not signed):
            raise InvalidInput(
                f"minmax: parameter by: magnitude is for min and max of signed floats, not for "
                f"{self.op} of {self.a.name}"
            )
        if self.op == "relu" and not self.a.signed:
            raise InvalidInput(f"minmax: parameter op: relu changes no code of {self.a.name}")

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a} if self.op == "relu" else {"a": self.a, "b": self.a}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.a} | flag_results(self.flags)

    @property
    def contract(self) -> Contract:
        if self.a.is_posit:
            return OF_POSITS
        by = "Magnitude" if self.by == "magnitude" else ""
        named = {
            "propagate": f"IEEE 754-2019, 9.6, minimum{by} and maximum{by}",
            "number": f"IEEE 754-2019, 9.6, minimum{by}Number and maximum{by}Number",
            "2008": f"IEEE 754-2008, 5.3.1, minNum{by[:3]} and maxNum{by[:3]}",
        }
        return Contract("exact", "exact; -0 < +0", named[self.nan])

    @property
    def conventions(self) -> dict[str, str]:
        if not self._ordered.is_float:
            return conventions(EXACT, "", "", "")
        nan = nan_words(self._ordered)
        if self.nan != "propagate":
            of = "of two" if self.nan == "number" else "of two, or a signaling one,"
            nan = f"the other operand is the result (relu: +0); {of} {nan}"
        return conventions(EXACT, "", SUBNORMALS["keep"], nan)

    def definition(self) -> tuple[Callable[..., int], tuple]:
        nan, flags = NANS[self.nan], int(self.flags == "on")
        if self.op == "relu":
            return definitions.relu, (self._ordered.numbers, self._sum_bits, nan, flags)
        which = definitions.MIN if self.op == "min" else definitions.MAX
        magnitude = int(self.by == "magnitude")
        return definitions.minmax, (
            self._ordered.numbers,
            self._sum_bits,
            which,
            nan,
            magnitude,
            flags,
        )

    @cached_property
    def _ordered(self) -> Format:
        """The format by whose values codes are compared."""
        return ordered(self.a)

    @property
    def _sum_bits(self) -> int:
        return self._ordered.precision + GUARD_BITS

    @property
    def word_bits(self) -> int:
        return max(self._sum_bits, self._ordered.word_bits + 5)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._relu] if self.op == "relu" else [self._compare, self._select]

    def _nans(self, m: Module, x: Values) -> tuple[list[Value], Value]:
        """Which operands are NaN, and whether one of them is a signaling one."""
        if not self._ordered.is_float:
            return [Const(0, 1)] * len(self.operands), Const(0, 1)
        raws = [rtl.unpack(m, name, x[name], self._ordered) for name in self.operands]
        signaling = Cat(raw.signaling for raw in raws).any()
        return [raw.nan for raw in raws], wire(m, "signaling", signaling)

    def _relu(self, m: Module, x: Values) -> Values:
        code = x["a"]
        (nan,), signaling = self._nans(m, x)
        becomes_nan = {"propagate": nan, "number": Const(0, 1), "2008": signaling}[self.nan]
        negative = wire(m, "negative", code[self._ordered.bits - self._ordered.ignored_bits - 1])
        y = Mux(negative | nan, Const(0, self._ordered.bits), code)
        return self._with_flags(self._or_nan(becomes_nan, y), signaling)

    def _compare(self, m: Module, x: Values) -> Values:
        """Whether the result is the first operand, and whether it is NaN."""
        a, b = x["a"], x["b"]
        if self.by == "magnitude":
            order = compare_magnitudes(m, a, b, self._ordered)
        else:
            order = compare_codes(m, a, b, self._ordered, self._ordered)
        (a_nan, b_nan), signaling = self._nans(m, x)
        first = order.less if self.op == "min" else ~order.less
        nan = a_nan | b_nan
        if self.nan != "propagate":
            first, nan = (first & ~a_nan) | b_nan, a_nan & b_nan
        if self.nan == "2008":
            nan = nan | signaling
        return {
            "a": a,
            "b": b,
            "first": wire(m, "first", first),
            "nan": wire(m, "nan", nan),
            "signaling": signaling,
        }

    def _select(self, m: Module, x: Values) -> Values:
        """One of the operands, or NaN."""
        return self._with_flags(
            self._or_nan(x["nan"], Mux(x["first"], x["a"], x["b"])), x["signaling"]
        )

    def _with_flags(self, y: Value, invalid: Value) -> Values:
        return {"y": y} | ({"flags": Cat(Const(0, 4), invalid)} if self.flags == "on" else {})

    def _or_nan(self, nan: Value, code: Value) -> Value:
        """A code without the bits that its format ignores, or the canonical NaN."""
        f = self._ordered
        value = Cat(code[: f.bits - f.ignored_bits], Const(0, f.ignored_bits))
        return Mux(nan, Const(Specials(f).nan, f.bits), value) if f.nan != "none" else value
