"""The quantizer to MX: a block of numbers becomes elements and a scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value, signed

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import BLOCKS, BlockFormat, Format, format
from ...formats.blocks.definitions import ScaleRule, mx_element, mx_element_stochastic
from ...formats.blocks.quantizer import mx_constants, mx_scales
from ...formats.lanes import vector
from ...formats.rounding import STOCHASTIC, Stochastic
from ...golden import apply
from ...lazily import np
from ...rtl import Step, Values, wire
from ...rtl.floats import random_carry
from ..contract import Contract
from ..conventions import conventions, rounding_words
from ..exact.options import MOST_RANDOM_BITS
from ..operations import QUANTIZATION, Operation
from ..parameters import choice_parameter, integer_parameter
from . import definitions
from .lanes import LaneUnit, each_lane, of_lane, side_by_side, taken_apart
from .shared import greatest_of, largest, number_parameter, unpacked

MOST = 64
"""Most numbers of a block."""

NAMES = tuple(
    name for name, f in BLOCKS.items() if f.scale.name == "e8m0fnu" and f.metadata is None
)


@dataclass(frozen=True, kw_only=True, repr=False)
class BlockQuant(LaneUnit):
    """A block of n numbers in a format of blocks of MX: elements, and the scale that they share.

    In software the operand x is an array of codes of shape (..., n); the results are the elements
    y, codes of that shape, and scale, e8m0fnu codes of shape (...), as `hwarith.quantize` gives
    them. In hardware a transfer brings a whole block, its codes side by side, the first one at the
    lsb.

    `rule` says how the scale 2^X follows from the largest magnitude a: with ``exact_ceil`` the
    least X with a <= Q 2^X, Q being the largest element, so that nothing is clipped; with ``floor``
    X = floor(log2 a) - floor(log2 Q), the OCP's rule, and what is beyond Q becomes Q. Elements are
    rounded to nearest even; or with ``round=sra srb src`` at random, by an operand r of shape
    (..., n) with `random_bits` bits for each number, new ones with every block, as in
    ``docs/rounding.md``. An infinity or NaN makes the scale NaN (FF) and all elements 0.
    Integers are symmetric: the most negative one is never given.

    Source: OCP Microscaling Formats v1.0, 6.3; arXiv 2510.25602, eq. 9 (whose rounding of a / Q is
    left out: ``exact_ceil`` compares significands).
    """

    family: ClassVar[str] = "blockquant"
    summary: ClassVar[str] = "quantizer of blocks of MX: elements and a shared scale"
    operation: ClassVar[Operation] = QUANTIZATION
    meanings: ClassVar[dict[str, str]] = {
        "x": "numbers of a block, the first one at the lsb",
        "r": "random bits for each number, the first one's at the lsb",
        "y": "elements, the first one at the lsb",
        "scale": "of the block: elements count units of 2^(scale - 127); ff: NaN",
    }

    out: str = choice_parameter("format of blocks", NAMES, "mxfp8_e4m3")
    a: Format = number_parameter("fp32")
    n: int = integer_parameter("numbers of a block", 1, MOST, 32)
    rule: str = choice_parameter(
        "how the scale is found", ("exact_ceil", "floor"), "exact_ceil", quiet=True
    )
    round: str = choice_parameter(
        "how elements are rounded", ("rne", *STOCHASTIC), "rne", quiet=True
    )
    random_bits: int | None = integer_parameter(
        "random bits for each number (default: 16, to 4-bit formats 12)",
        1,
        MOST_RANDOM_BITS,
        None,
        quiet=True,
        in_name=lambda _, value: f"r{value}",
    )

    def validate(self) -> None:
        given = self.random_bits
        if given is not None and not self.is_stochastic:
            raise InvalidInput(
                f"blockquant: parameter random_bits: rounding {self.round} takes none; "
                f"allowed with round={', '.join(STOCHASTIC)}"
            )
        if given is None and self.is_stochastic:
            object.__setattr__(self, "random_bits", 12 if self.element.bits <= 4 else 16)

    @property
    def is_stochastic(self) -> bool:
        """Whether elements are rounded by random bits, a second operand."""
        return self.round in STOCHASTIC

    @property
    def kind(self) -> BlockFormat:
        """The format of blocks."""
        return BLOCKS[self.out]

    @property
    def element(self) -> Format:
        return self.kind.element

    @property
    def lane_formats(self) -> dict[str, tuple[Format, int]]:
        found = {"x": (self.a, self.n), "y": (self.element, self.n)}
        random = format(f"uint{self.random_bits}") if self.is_stochastic else None
        return found | ({"r": (random, self.n)} if random else {})

    @property
    def operands(self) -> dict[str, Format]:
        lanes = self.lane_formats
        return {name: vector(*lanes[name]) for name in ("x", "r") if name in lanes}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": vector(self.element, self.n), "scale": self.kind.scale}

    @property
    def contract(self) -> Contract:
        source = f"{self.kind.source}; arXiv 2510.25602"
        if self.is_stochastic:
            return Contract("faithful", "error less than 1 ulp of an element", source)
        bound = "each element is the nearest to its number divided by the scale"
        return Contract("correctly rounded", bound, source)

    @property
    def conventions(self) -> dict[str, str]:
        beyond = "what is beyond it becomes the largest element"
        return conventions(
            f"once, {rounding_words(self.round, self.random_bits)}"
            if self.is_stochastic
            else "once, to nearest, ties to even",
            "none" if self.rule == "exact_ceil" else beyond,
            "kept, in operands and results",
            "an infinity or NaN makes the scale ff and all elements 0",
        )

    # -- golden --------------------------------------------------------------------------------

    def definition(self) -> tuple[Callable[..., int], tuple]:
        """That of an element, of its number and the block's scale (`mx_scale`)."""
        if self.is_stochastic:
            variant = int(Stochastic[self.round.upper()])
            constants = self.a.numbers, self.kind.quantized, 4, variant, self.random_bits
            return mx_element_stochastic, constants
        return mx_element, (self.a.numbers, self.kind.quantized, 4, 0)

    def block_definition(self) -> tuple[Callable[..., tuple], tuple]:
        rule = int(ScaleRule[self.rule.upper()])
        definition = definitions.mx_block_stochastic if self.is_stochastic else definitions.mx_block
        return definition, (mx_constants(self.a, self.kind, rule), self.definition()[1])

    @property
    def word_bits(self) -> int:
        return self.a.precision + 8 + (self.random_bits or 0)

    def compute(self, *codes: np.ndarray) -> list[np.ndarray]:
        x, *random = codes
        rule = int(ScaleRule[self.rule.upper()])
        scales = mx_scales(largest(x, self.a), self.a, self.kind, rule)
        element, constants = self.definition()
        operands = [x, np.broadcast_to(scales[..., None], x.shape), *random]
        return [apply(element, operands, constants, self.element.dtype, self.word_bits), scales]

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        lane = [self._align, *self._rounding(), self._mask]
        return [
            self._unpack,
            self._largest,
            self._scale,
            *(each_lane(self.n, step) for step in lane),
            self._join,
        ]

    @property
    def top(self) -> int:
        """The weight of the msb of the largest element."""
        most = int(self.kind.largest)
        return most.bit_length() - 1

    @property
    def window(self) -> int:
        """Bits of a scaled number that rounding looks at, from `top` to half of the least step, or
        to what meets the last random bit."""
        f = self.element
        least = 0 if self.kind.is_integer else 1 - f.bias - f.fraction_bits
        return self.top - least + 1 + self.rounder.decisive

    @property
    def rounder(self) -> rtl.Rounder:
        """What rounds and packs elements."""
        return rtl.Rounder(self.element, self.round, "saturate", self.random_bits or 0)

    def _unpack(self, m: Module, x: Values) -> Values:
        """Sign, exponent and significand of each number; of each a key, which tells what scale a
        block would have if it were the largest."""
        found = taken_apart("x", self.a, self.n)(x)
        if self.random_bits:
            found |= taken_apart("r", self.lane_formats["r"][0], self.n)(x)
        return each_lane(self.n, self._unpack_lane)(m, found)

    def _unpack_lane(self, m: Module, x: Values) -> Values:
        raw = unpacked(m, "x", x["x"], self.a)
        raw |= {name: x[name] for name in ("r",) if name in x}
        return raw | {"key": wire(m, "key", Cat(self._beyond(x["x"]), self._field(x["x"])))}

    def _field(self, code: Value) -> Value:
        """The exponent's field, which is what scales are made of: that of a subnormal, 0, gives the
        least scale, as the true exponent would."""
        return code[self.a.fraction_bits : -1]

    def _beyond(self, code: Value) -> Value:
        """With ``exact_ceil``: whether the significand is greater than that of the largest element,
        1.1...1 with few ones."""
        ones = int(self.kind.largest * 64)
        while ones % 2 == 0:
            ones //= 2
        places = ones.bit_length() - 1
        fraction = code[: self.a.fraction_bits]
        if self.rule == "floor":
            return Const(0, 1)
        below, above = fraction[: len(fraction) - places], fraction[len(fraction) - places :]
        return above.all() & below.any()

    def _largest(self, m: Module, x: Values) -> Values:
        """The greatest key, by comparing pairs."""
        keys = [x[of_lane(i, "key")] for i in range(self.n)]
        rest = {k: v for k, v in x.items() if not k.endswith(".key")}
        return rest | {"key": greatest_of(m, "key", keys)}

    def _scale(self, m: Module, x: Values) -> Values:
        """The exponent of the largest, one more if its significand is beyond, less that of the
        largest element; no less than 0."""
        up, field = x["key"][0], x["key"][1:]
        nan = wire(m, "nan", field.all())
        difference = wire(m, "difference", field + up - self.top, signed(10))
        least = wire(m, "least", difference < 0)
        scale = Mux(least, 0, difference[:8]) | nan.replicate(8)
        rest = {k: v for k, v in x.items() if k != "key"}
        return rest | {"scale": wire(m, "shared", scale, 8), "nan": nan}

    def _align(self, m: Module, x: Values) -> Values:
        """Each number in units of its block's scale: a fixed-point number below 2^(top + 1)."""
        width, significand = self.window, x["significand"]
        distance = wire(m, "distance", (x["scale"] + self.top - x["exponent"])[:9], 9)
        bits = width.bit_length()
        far = wire(m, "far", distance[bits:].any())
        lost = significand[: max(0, len(significand) - width)]
        kept = significand[len(lost) :]
        shifted, some = rtl.shift_right(m, "scaled", kept, distance[:bits], width)
        fixed = wire(m, "fixed", shifted & (~far).replicate(width))
        sticky = wire(m, "inexact", lost.any() | some | (far & kept.any()))
        zero = Const(0, 1)
        exponent = Const(self.top + self.element.bias, 6)
        return {name: x[name] for name in ("r",) if name in x} | {
            "sign": x["sign"],
            "significand": fixed,
            "sticky": sticky,
            "exponent": exponent,
            "nan": zero,
            "inf": zero,
        }

    def _rounding(self) -> list[Step]:
        if self.kind.is_integer:
            return [self._round_integer]
        at = self.top + self.element.bias
        first, *rest = self.rounder.steps((at, at))
        return [*rtl.handing_on(("r",), [first]), *rest]

    def _round_integer(self, m: Module, x: Values) -> Values:
        """One increment rounds and negates, as -(i + 1) is the inverse of i; the largest magnitude
        is not rounded up."""
        below = self.rounder.decisive
        rest, magnitude = x["significand"][:below], x["significand"][below:]
        if self.is_stochastic:
            goes = random_carry(self.round, self.random_bits or 0, x, rest, Const(0, 1))
        else:
            goes = rest & (x["sticky"] | magnitude[0])
        up = wire(m, "up", goes & ~magnitude.all())
        row = wire(m, "row", Cat(magnitude, Const(0, 1)) ^ x["sign"].replicate(self.element.bits))
        total = rtl.increment(m, "rounded", row, wire(m, "one", x["sign"] ^ up))
        return {"y": total[: self.element.bits]}

    def _mask(self, m: Module, x: Values) -> Values:
        """Elements of a block without a value are 0."""
        return {"y": wire(m, "element", x["y"] & (~x["nan"]).replicate(self.element.bits))}

    def _join(self, m: Module, x: Values) -> Values:
        return {"y": side_by_side(x, self.n, "y"), "scale": x["scale"]}
