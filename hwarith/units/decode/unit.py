"""The decoder of sub-byte types: a code as a float, or as sign, significand and exponent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Value

from ... import rtl
from ...formats import Format, format
from ...rtl import Operand, Values, wire
from ...rtl.floats import Specials, signed_exponent
from ...rtl.integers import negated_if
from ..contract import Contract, Unit
from ..conventions import EXACT, SUBNORMALS, conventions
from ..operations import DECODING, Operation
from ..parameters import choice_parameter
from . import definitions
from .tilus import RESERVED, TYPES


@dataclass(frozen=True, kw_only=True, repr=False)
class Decode(Unit):
    """The value of a code of a sub-byte type: exact, as a float or in parts.

    With ``out=fp16`` or ``out=bf16`` the result `y` is a code of that format. Every value of every
    type is a value of both, so that nothing is rounded: integers have 8 bits at most, and floats
    lie between 2^-16, which FP16 has as a subnormal, and 57344. -0 stays -0.

    With ``out=sig`` the value is (-1)^sign * significand * 2^exponent, as a multiplier takes it:
    there is no normalizer, a significand has a leading zero in the lowest binade. Integers are
    magnitudes of exponent 0. Zero has sign 0.

    `invalid` is 1 for codes without a value: NaN and infinities of ``e4m3`` and ``e5m2``, which
    stay so in `y` (NaN becomes the canonical one), and the reserved top exponent of ``e5m1``, of
    which infinity is made. With ``out=sig`` these are given as if their exponent were one like
    all others, which for ``e5m1`` is what Tilus' own cast makes of it: up to 98304.

    Source: Tilus, arXiv 2504.12984 (types, and the casts in its code); OCP OFP8.
    """

    family: ClassVar[str] = "decode"
    summary: ClassVar[str] = "sub-byte floats and integers (Tilus) as fp16, bf16, or in parts"
    operation: ClassVar[Operation] = DECODING
    meanings: ClassVar[dict[str, str]] = {
        "a": "code to decode",
        "y": "its value",
        "sign": "1: negative",
        "significand": "magnitude in units of 2^exponent",
        "exponent": "of the significand's lsb",
        "invalid": "1: the code has no finite value",
    }

    type: str = choice_parameter("of the code, by its name in Tilus", tuple(TYPES), "e3m2")
    out: str = choice_parameter("result: a float, or its parts", ("fp16", "bf16", "sig"), "fp16")

    @property
    def format(self) -> Format:
        """The type as a format."""
        return TYPES[self.type]

    @property
    def _exponents(self) -> tuple[int, int]:
        """Least and greatest exponent of the lsb of a significand."""
        f, lsb = self.format, Operand(self.format).lsb
        return lsb, lsb + ((1 << f.exponent_bits) - 2 if f.is_float else 0)

    @property
    def _exponent_shape(self) -> Shape:
        least, greatest = self._exponents
        return signed_exponent(least, max(greatest, 0))

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.format}

    @property
    def results(self) -> dict[str, Format]:
        if self.out != "sig":
            return {"y": format(self.out), "invalid": format("uint1")}
        return {
            "sign": format("uint1"),
            "significand": format(f"uint{self.format.precision}"),
            "exponent": format(f"int{self._exponent_shape.width}"),
            "invalid": format("uint1"),
        }

    @property
    def contract(self) -> Contract:
        return Contract("exact", "exact", "arXiv 2504.12984")

    @property
    def conventions(self) -> dict[str, str]:
        floats = self.format.is_float
        return conventions(
            EXACT,
            "none, every value has a code",
            SUBNORMALS["keep"] if floats else "",
            "sets invalid, as infinity does" if floats else "",
        )

    def definition(self) -> tuple[Callable[..., int], tuple]:
        f, results = self.format.numbers, self.results
        if self.out == "sig":
            return definitions.split, (f, results["significand"].bits, results["exponent"].bits)
        return definitions.decode, (f, results["y"].numbers, int(self.type == RESERVED))

    @property
    def word_bits(self) -> int:
        return sum(f.bits for f in self.results.values())

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        unpack = self._unpack_float if self.format.is_float else self._unpack_integer
        if self.out == "sig":
            return [unpack, self._parts]
        shared = self.format.bias == self.results["y"].bias and self.format.is_float
        return [unpack, self._same_fields if shared else self._normalize, self._pack]

    def _unpack_integer(self, m: Module, x: Values) -> Values:
        """Sign and magnitude of an integer."""
        code, f = x["a"], self.format
        sign = code[-1] if f.signed else Const(0, 1)
        # -1 and 0, the values of one bit, are 1 and 0 without more ado
        magnitude = negated_if(code, sign)[: f.bits] if f.bits > 1 else code
        return {
            "sign": sign,
            "field": Const(0, 1),
            "significand": wire(m, "significand", magnitude),
            "inf": Const(0, 1),
            "nan": Const(0, 1),
        }

    def _unpack_float(self, m: Module, x: Values) -> Values:
        """The exponent field is at least 1; with but one bit it is nothing else."""
        code, f = x["a"], self.format
        t, e, sign = code[: f.fraction_bits], code[f.fraction_bits : -1], code[-1]
        normal = wire(m, "normal", e.any())
        inf: Value = Const(0, 1)
        nan: Value = Const(0, 1)
        if self.type == RESERVED:
            inf = e.all()
        elif f.nan == "ieee":
            inf, nan = e.all() & ~t.any(), e.all() & t.any()
        elif f.nan == "all_ones":
            nan = code[:-1].all()
        return {
            "sign": sign,
            "field": Cat(e[0] | ~normal, e[1:]) if len(e) > 1 else Const(1, 1),
            "significand": wire(m, "significand", Cat(t, normal)),
            "inf": wire(m, "inf", inf),
            "nan": wire(m, "nan", nan),
        }

    def _parts(self, m: Module, x: Values) -> Values:
        """Sign, significand and scale apart; whether the code is no finite number."""
        least, greatest = self._exponents
        exponent: Value = Const(least, self._exponent_shape)
        if greatest > least:
            exponent = wire(m, "scale", x["field"] + (least - 1), self._exponent_shape)
        return {
            "sign": x["sign"] & x["significand"].any(),
            "significand": x["significand"],
            "exponent": exponent,
            "invalid": x["inf"] | x["nan"],
        }

    def _same_fields(self, m: Module, x: Values) -> Values:
        """A format of the same bias has the same fields, with more fraction bits."""
        out, normal, t = self.results["y"], x["significand"][-1], x["significand"][:-1]
        field = x["field"] & normal.replicate(len(x["field"]))
        return x | {"magnitude": Cat(Const(0, out.fraction_bits - len(t)), t, field)}

    def _normalize(self, m: Module, x: Values) -> Values:
        """The leading one to the top, and the exponent by as much less."""
        f, out, significand = self.format, self.results["y"], x["significand"]
        width = len(significand)
        top, zeros = significand, Const(0, 1)
        if width > 1:
            zeros = rtl.leading_zeros(m, "zeros", significand)
            top, _ = rtl.shift_left(m, "normalized", significand, zeros, width)
        # The weight of the msb is 0 for an exponent field equal to the bias
        offset = out.bias - f.bias if f.is_float else out.bias + width - 1
        exponent = wire(m, "exponent", (x["field"] + offset - zeros)[: out.exponent_bits])
        fraction = Cat(Const(0, out.fraction_bits - (width - 1)), top[:-1])
        return x | {"magnitude": Cat(fraction, exponent & top[-1].replicate(len(exponent)))}

    def _pack(self, m: Module, x: Values) -> Values:
        """Sign and magnitude, or the code of an infinity or NaN."""
        out = self.results["y"]
        codes = Specials(out)
        magnitude = Mux(x["inf"], Const(codes.infinity, out.bits - 1), x["magnitude"])
        code = Mux(x["nan"], Const(codes.nan, out.bits), Cat(magnitude, x["sign"]))
        return {"y": wire(m, "code", code), "invalid": x["inf"] | x["nan"]}
