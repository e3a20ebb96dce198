"""The requantizer: parameters, contract and hardware."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Value

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...golden import WORD_BITS
from ...lazily import np
from ...rtl import Values, wire, wires_named
from ...rtl.integers import as_integer
from ..contract import Contract, Unit
from ..conventions import conventions
from ..operations import Operation
from ..parameters import choice_parameter, format_parameter, integer_parameter
from . import definitions
from .definitions import Widths

REQUANTIZATION = Operation("requantization", noun="requantizer", rank=49)

MOST_BITS = 64
"""Of an accumulator."""

MODES = {
    "double": "twice: half up to an integer of the accumulator's bits, then half away from zero",
    "single": "once, half up",
    "dyadic": "once, half to even",
}
"""The modes, and how they round."""


def _constant(help: str, low: int, high: int) -> Any:
    """A field for an operand that is a constant of the unit."""
    return integer_parameter(
        f"{help}, in place of its port",
        low,
        high,
        None,
        quiet=True,
        in_name=lambda name, value: f"{name}{value}".replace("-", "m"),
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class Requant(Unit):
    """An accumulator in the integers of the next layer: y = clamp(round(a m 2^(e - 31)) + z).

    m is an int32, 2^30 to 2^31 - 1 of the multipliers that `hwarith.quantize_multiplier` gives, e
    an exponent of -31 to 31 (an int6, of which -32 counts as -31) and z the zero point: they come
    with each accumulator, so that they may be those of its channel. `multiplier`, `exponent` and
    `zero` make them constants.

    ``mode=double`` rounds as gemmlowp and TensorFlow Lite do: for e >= 0 RDBP(SRDHM(a 2^e, m), 0),
    for e < 0 RDBP(SRDHM(a, m), -e). SRDHM, the saturating rounding doubling high multiply, gives
    a m 2^-31 rounded half up; RDBP, the rounding divide by a power of two, rounds half away from
    zero. a 2^e saturates to the accumulator's range. ``mode=single`` rounds once, half up, as
    TensorFlow Lite with single rounding; ``mode=dyadic`` once, half to even, as I-ViT.

    The zero point is added to what was rounded, and the sum clamped to the range of `out`. With
    ``z=int32`` the port takes any addend, such as the residual branch of I-ViT, rounded by another
    requantizer. With ``flag=on`` the result ``sat`` says that y was clamped, or in ``double`` a
    value before it.

    Source: gemmlowp (fixedpoint.h, doc/quantization.md); TensorFlow Lite (common.h); I-ViT,
    arXiv 2207.01405 (quant_utils.py). That a 2^e saturates (there it wraps), the flag and the range
    of e are decisions of this project.
    """

    family: ClassVar[str] = "requant"
    summary: ClassVar[str] = "accumulator times a fixed-point multiplier, plus a zero point"
    operation: ClassVar[Operation] = REQUANTIZATION
    meanings: ClassVar[dict[str, str]] = {
        "a": "accumulator",
        "m": "multiplier: m 2^-31 is 1/2 to 1",
        "e": "exponent: the scale is m 2^(e - 31); -32 counts as -31",
        "z": "zero point, added to what was rounded",
        "y": "clamp(round(a m 2^(e - 31)) + z)",
        "sat": "1: y was clamped, or a value before it",
    }

    a: Format = format_parameter("accumulator, a signed integer", "int32")
    z: Format = format_parameter("zero point, an integer", same_as="out", quiet=True)
    out: Format = format_parameter("result, an integer", "int8")
    mode: str = choice_parameter("how the product is rounded", tuple(MODES), "double")
    multiplier: int | None = _constant("m", -(1 << 31), (1 << 31) - 1)
    exponent: int | None = _constant("e", -31, 31)
    zero: int | None = _constant("z", -(1 << 31), (1 << 31) - 1)
    flag: str = choice_parameter(
        "a result that says that something was clamped",
        ("off", "on"),
        "off",
        quiet=True,
        in_name=lambda *_: "sat",
    )

    def validate(self) -> None:
        for name in ("a", "z", "out"):
            f = getattr(self, name)
            if f.is_float or f.exponent or f.symmetric or f.bits > MOST_BITS:
                raise InvalidInput(
                    f"requant: parameter {name}: must be an integer of up to {MOST_BITS} bits, "
                    f"not {f.name}"
                )
        if not self.a.signed:
            raise InvalidInput(f"requant: parameter a: must be signed, not {self.a.name}")
        low, high = int(self.z.min), int(self.z.max)
        if self.zero is not None and not low <= self.zero <= high:
            raise InvalidInput(
                f"requant: parameter zero: must be {low} to {high} of {self.z.name}, "
                f"not {self.zero}"
            )

    def shown_parameters(self) -> dict[str, Any]:
        shown = super().shown_parameters()
        if self.z == self.out:
            shown.pop("z")
        return shown

    @property
    def _constants(self) -> dict[str, int]:
        """Codes of the operands that are constants, by their names."""
        given = {"m": self.multiplier, "e": self.exponent, "z": self.zero}
        bits = {name: f.bits for name, f in self.all_operands.items()}
        return {name: x % (1 << bits[name]) for name, x in given.items() if x is not None}

    @property
    def all_operands(self) -> dict[str, Format]:
        """The operands, and those in place of which there are constants."""
        return {"a": self.a, "m": format("int32"), "e": format("int6"), "z": self.z}

    @property
    def operands(self) -> dict[str, Format]:
        constants = self._constants
        return {name: f for name, f in self.all_operands.items() if name not in constants}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.out} | ({"sat": format("uint1")} if self.flag == "on" else {})

    @property
    def contract(self) -> Contract:
        source = "arXiv 2207.01405" if self.mode == "dyadic" else "gemmlowp"
        if self.mode == "double":
            return Contract("faithful", "at most 1 from a product that is rounded once", source)
        return Contract("correctly rounded", "error at most 1/2, one rounding", source)

    @property
    def conventions(self) -> dict[str, str]:
        return conventions(MODES[self.mode], "clamped to the ends of the range", "", "")

    # -- golden --------------------------------------------------------------------------------

    def definition(self) -> tuple[Callable[..., int], tuple]:
        z, out = self.z, self.out
        ends = int(out.min), int(out.max)
        widths = Widths(self.a.bits, z.bits, int(z.signed), out.bits, *ends, int(self.flag == "on"))
        return getattr(definitions, self.mode), (widths,)

    def arguments(self, codes: list) -> list:
        given = dict(zip(self.operands, codes, strict=True))
        shape = getattr(codes[0], "shape", None)
        for name, code in self._constants.items():
            f = self.all_operands[name]
            given[name] = code if shape is None else np.full(shape, code, f.dtype)
        return [given[name] for name in self.all_operands]

    @property
    def word_bits(self) -> int:
        """Of an int32 a product is at most 2^62 and what rounds it 2^61, which leaves a word of 64
        bits its sign; it needs no more."""
        return WORD_BITS if max(self.a.bits, self.z.bits) <= 32 else MOST_BITS + 32

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        if self.mode == "double":
            return [self._shift_left, self._multiply_high, self._shift_right, self._add_zero]
        return [self._multiply, self._shift_right, self._add_zero]

    def _operands(self, x: Values) -> Values:
        """All operands, constants among them."""
        formats = self.all_operands
        return x | {n: Const(code, formats[n].bits) for n, code in self._constants.items()}

    def _shift_left(self, m: Module, x: Values) -> Values:
        """The accumulator times 2^e if e is positive, saturated."""
        x = self._operands(x)
        amount = wire(m, "left", x["e"][:5] & (~x["e"][5]).replicate(5))
        wide = rtl.scaled(m, "shifted", x["a"].as_signed(), amount)
        shifted, lost = _clamped(m, "accumulator", wide, self.a)
        return {"a": shifted, "m": x["m"], "e": x["e"], "z": x["z"], "lost": lost}

    def _multiply_high(self, m: Module, x: Values) -> Values:
        """The upper bits of the product and a half."""
        bits = self.a.bits + 32
        a, factor = x["a"].as_signed(), x["m"].as_signed()
        total = rtl.sum_of_products(m, "product", [(a, factor)], [Const(1 << 30, 31)], bits)
        high, lost = _clamped(m, "high", total[31:].as_signed(), self.a)
        e = x["e"]
        least = wire(m, "least", e[5] & ~e[:5].any())
        right = wire(m, "right", (-e)[:5] | least.replicate(5)) & e[5].replicate(5)
        return {
            "x": high,
            "right": wire(m, "places", right),
            "z": x["z"],
            "lost": wire(m, "lost", x["lost"] | lost),
        }

    def _multiply(self, m: Module, x: Values) -> Values:
        """The product, and by how many places it is moved right: 31 - e."""
        x = self._operands(x)
        product = rtl.product(m, "product", x["a"].as_signed(), x["m"].as_signed())
        e = x["e"]
        least = wire(m, "least", e[5] & ~e[:5].any())
        right = wire(m, "places", Cat(~e[0] & ~least, ~e[1:5], e[5]))
        return {"x": product, "right": right, "z": x["z"], "lost": Const(0, 1)}

    def _shift_right(self, m: Module, x: Values) -> Values:
        """What is left of the point, the bit behind it and whether ones follow; then whether to
        round up. Beyond twice the range of result and zero point an integer is cut to its ends."""
        sign = wire(m, "negative", x["x"][-1])
        pointed = Cat(Const(0, 1), x["x"])
        window, sticky = rtl.shift_right(
            m, "moved", pointed, x["right"], len(pointed), sign, lost=0
        )
        guard, whole = window[0], window[1:].as_signed()
        if self.mode == "single":
            up = guard
        elif self.mode == "dyadic":
            up = guard & (sticky | whole[0])
        else:
            up = guard & (sticky | ~sign)
        bits = max(self.out.bits, self.z.bits) + 2
        if len(whole) > bits:
            whole, _ = _clamped(m, "cut", whole, format(f"int{bits}"))
        up = wire(m, "up", up)
        return {"whole": whole, "up": up, "z": x["z"], "lost": x["lost"]}

    def _add_zero(self, m: Module, x: Values) -> Values:
        """The rounded integer and the zero point in one sum, clamped."""
        z = as_integer(x["z"], self.z)
        total = wire(m, "total", x["whole"].as_signed() + z + x["up"])
        y, lost = _clamped(m, "result", total, self.out)
        found: Values = {"y": y}
        if self.flag == "on":
            found["sat"] = wire(m, "clamped", x["lost"] | lost)
        return found


def _clamped(m: Module, name: str, x: Value, out: Format) -> tuple[Value, Value]:
    """An integer clamped to a format, and whether that changed it."""
    with wires_named(f"{name}_"):
        y = wire(m, "clamped", rtl.fit_integer(m, x, out, "saturate"))
        return y, wire(m, "lost", as_integer(y, out) != x)
