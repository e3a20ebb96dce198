"""Powers of two of fp32 numbers, correctly rounded: a reference, of which there is no hardware."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...formats import rounding as r
from ...lazily import np
from ..contract import Contract, Unit
from ..functions.exactly import Operand, leading
from ..operations import POWER_OF_TWO, Operation
from ..parameters import format_parameter

REFERENCE = format("fp32")
"""What the exponents of such powers are in."""

_ERROR = 2.0**-45
"""More than float64's exp2 errs by, relatively: where this decides, integers do."""


@dataclass(frozen=True, kw_only=True, repr=False)
class NearestPower(Unit):
    """2^a, rounded to nearest even, of any float: by float64 where its error does not count, else
    by integers (`hwarith.units.functions.exactly`)."""

    family: ClassVar[str] = "softmax"
    summary: ClassVar[str] = "2 to the power of a float, in software"
    operation: ClassVar[Operation] = POWER_OF_TWO

    a: Format = format_parameter("exponent", "fp32")
    out: Format = format_parameter("power", "bf16")

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.out}

    @property
    def contract(self) -> Contract:
        return Contract("correctly rounded", "error at most 1/2 ulp", "IEEE 754-2019, 9.2.1")

    def golden(self, *codes: Any) -> int:
        (code,) = codes
        kind, s, e, g = r.unpack(code, self.a.numbers)
        if kind == r.NAN:
            return self.out.encode_one(float("nan"))
        if kind == r.INF:
            return 0 if s else self.out.encode_one(float("inf"))
        if g == 0:
            return self.out.encode_one(1)
        least, most = self.out.numbers.lsb - 4, self.out.max.numerator.bit_length() + 2
        x = leading("exp2", Operand(s, e, g, self.out.precision + 2, least, most))
        value = (2 * x.significand + 1 - x.exact) * Fraction(2) ** (x.exponent - 1)
        return self.out.encode_one(value, overflow="nosat")

    def call(self, *codes: Any) -> Any:
        (array,) = self.check_operands(codes)
        with np.errstate(all="ignore"):
            power = np.exp2(self.a.decode(array).astype(np.float64))
            low, high = (
                self.out.encode(power * x, overflow="nosat") for x in (1 - _ERROR, 1 + _ERROR)
            )
        unsure = low != high
        found = np.asarray(low)
        found[unsure] = [self.golden(int(code)) for code in array[unsure]]
        return found[()]

    def datapath(self) -> list[rtl.Step]:
        raise InvalidInput(
            f"softmax: parameter z: {self.a} is for golden models alone; hardware takes fixed "
            "point, such as fix9.16"
        )
