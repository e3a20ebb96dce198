"""The comparing units: a predicate of two codes; minimum, maximum and relu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
from ..operations import COMPARISON, SELECTION, Operation
from ..parameters import choice_parameter, format_parameter
from . import definitions
from .order import check_comparable, compare_codes

PREDICATES = {
    "lt": definitions.LT,
    "le": definitions.LE,
    "eq": definitions.EQ,
    "ge": definitions.GE,
    "gt": definitions.GT,
    "ne": definitions.NE,
    "unordered": definitions.UN,
}


@dataclass(frozen=True, kw_only=True, repr=False)
class Compare(Unit):
    """Whether a predicate of two codes holds: 1 if it does, else 0.

    Quiet predicates: a NaN is unordered with everything, itself included, so that only ``ne``
    and ``unordered`` hold for it. -0 equals +0, infinities are equal to themselves.

    The formats may differ where the codes of both, padded to one width, are ordered as their
    values are. Source: IEEE 754-2019, 5.6.1 and 5.11.
    """

    family: ClassVar[str] = "cmp"
    summary: ClassVar[str] = "comparison of two codes: lt le eq ge gt ne unordered"
    operation: ClassVar[Operation] = COMPARISON
    meanings: ClassVar[dict[str, str]] = {
        "a": "left of the predicate",
        "b": "right of the predicate",
        "y": "1: it holds",
    }

    a: Format = format_parameter("first operand", "fp32")
    b: Format = format_parameter("second operand", same_as="a")
    op: str = choice_parameter("predicate", tuple(PREDICATES), "lt")

    def validate(self) -> None:
        check_comparable(self.family, self.a, self.b)

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a, "b": self.b}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": format("uint1")}

    @property
    def contract(self) -> Contract:
        return Contract("exact", "exact; NaN compares unordered", "IEEE 754-2019, 5.11")

    @property
    def conventions(self) -> dict[str, str]:
        unordered = "unordered: only ne and unordered hold" if self.a.is_float else ""
        kept = "compared by their values" if self.a.is_float else ""
        return conventions(EXACT, "", kept, unordered)

    def definition(self) -> tuple[Callable[..., int], tuple]:
        constants = (self.a.numbers, self.b.numbers, self.word_bits, PREDICATES[self.op])
        return definitions.compare, constants

    @property
    def word_bits(self) -> int:
        return max(self.a.precision, self.b.precision) + GUARD_BITS

    def datapath(self) -> list[rtl.Step]:
        return [self._compare]

    def _compare(self, m: Module, x: Values) -> Values:
        """The order of the codes; NaNs are unordered, and zeros equal whatever their signs."""
        order = compare_codes(m, x["a"], x["b"], self.a, self.b)
        unordered, zeros = Const(0, 1), Const(0, 1)
        if self.a.is_float:
            a, b = (rtl.unpack(m, name, x[name], f) for name, f in self.operands.items())
            unordered = wire(m, "unordered", a.nan | b.nan)
            zeros = wire(m, "zeros", a.zero & b.zero)
        equal = wire(m, "equal", order.same | zeros)
        less = order.less & ~equal
        return {
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


@dataclass(frozen=True, kw_only=True, repr=False)
class MinMax(Unit):
    """The lesser or the greater of two codes, or relu: the greater of one code and +0.

    -0 is less than +0. With ``nan=propagate`` a NaN operand makes the result NaN (minimum,
    maximum); with ``nan=number`` the result is the other operand (minimumNumber, maximumNumber),
    and NaN only if both are; relu then makes +0 of NaN. NaN results are canonical.
    Source: IEEE 754-2019, 9.6.
    """

    family: ClassVar[str] = "minmax"
    summary: ClassVar[str] = "minimum or maximum of two codes, or relu of one"
    operation: ClassVar[Operation] = SELECTION
    meanings: ClassVar[dict[str, str]] = {
        "a": "first operand",
        "b": "second operand",
        "y": "the operand that was chosen",
    }

    a: Format = format_parameter("of operands and result", "fp32")
    op: str = choice_parameter("which", ("min", "max", "relu"), "max")
    nan: str = choice_parameter(
        "propagate: NaN if an operand is; number: the operand that is none",
        ("propagate", "number"),
        "propagate",
        quiet=True,
    )

    def validate(self) -> None:
        if self.nan == "number" and self.a.nan == "none":
            raise InvalidInput(f"minmax: parameter nan: format {self.a.name} has no NaN")
        if self.op == "relu" and not self.a.signed:
            raise InvalidInput(f"minmax: parameter op: relu changes no code of {self.a.name}")

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a} if self.op == "relu" else {"a": self.a, "b": self.a}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.a}

    @property
    def contract(self) -> Contract:
        named = {"propagate": "minimum and maximum", "number": "minimumNumber and maximumNumber"}
        return Contract("exact", "exact; -0 < +0", f"IEEE 754-2019, 9.6, {named[self.nan]}")

    @property
    def conventions(self) -> dict[str, str]:
        if not self.a.is_float:
            return conventions(EXACT, "", "", "")
        nan = nan_words(self.a)
        if self.nan == "number":
            nan = f"the other operand is the result (relu: +0); of two {nan}"
        return conventions(EXACT, "", SUBNORMALS["keep"], nan)

    def definition(self) -> tuple[Callable[..., int], tuple]:
        number = int(self.nan == "number")
        if self.op == "relu":
            return definitions.relu, (self.a.numbers, self.word_bits, number)
        which = definitions.MIN if self.op == "min" else definitions.MAX
        return definitions.minmax, (self.a.numbers, self.word_bits, which, number)

    @property
    def word_bits(self) -> int:
        return self.a.precision + GUARD_BITS

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._relu] if self.op == "relu" else [self._compare, self._select]

    def _is_nan(self, m: Module, name: str, code: Value) -> Value:
        return rtl.unpack(m, name, code, self.a).nan if self.a.is_float else Const(0, 1)

    def _relu(self, m: Module, x: Values) -> Values:
        code, nan = x["a"], self._is_nan(m, "a", x["a"])
        negative = wire(m, "negative", code[self.a.bits - self.a.ignored_bits - 1])
        if self.nan == "number":
            return {"y": Mux(negative | nan, Const(0, self.a.bits), code)}
        return {"y": self._or_nan(nan, Mux(negative, Const(0, self.a.bits), code))}

    def _compare(self, m: Module, x: Values) -> Values:
        """Whether the result is the first operand, and whether it is NaN."""
        a, b = x["a"], x["b"]
        order = compare_codes(m, a, b, self.a, self.a)
        a_nan, b_nan = self._is_nan(m, "a", a), self._is_nan(m, "b", b)
        first = order.less if self.op == "min" else ~order.less
        nan = a_nan | b_nan
        if self.nan == "number":
            first, nan = (first & ~a_nan) | b_nan, a_nan & b_nan
        return {"a": a, "b": b, "first": wire(m, "first", first), "nan": wire(m, "nan", nan)}

    def _select(self, m: Module, x: Values) -> Values:
        """One of the operands, or NaN."""
        return {"y": self._or_nan(x["nan"], Mux(x["first"], x["a"], x["b"]))}

    def _or_nan(self, nan: Value, code: Value) -> Value:
        """A code without the bits that its format ignores, or the canonical NaN."""
        f = self.a
        value = Cat(code[: f.bits - f.ignored_bits], Const(0, f.ignored_bits))
        return Mux(nan, Const(Specials(f).nan, f.bits), value) if f.nan != "none" else value
