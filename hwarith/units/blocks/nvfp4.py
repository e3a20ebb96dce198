"""The quantizer to NVFP4 without division: a block scale, and elements by comparison."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value, signed

from ... import rtl
from ...formats import BLOCKS, Format
from ...formats.blocks.definitions import nv_element
from ...formats.blocks.quantizer import nv_scales
from ...formats.lanes import vector
from ...golden import apply
from ...lazily import np
from ...rtl import Values, wire
from ..contract import Contract
from ..conventions import conventions
from ..operations import QUANTIZATION, Operation
from ..parameters import integer_parameter
from . import definitions
from .lanes import LaneUnit, each_lane, of_lane, side_by_side, taken_apart
from .shared import greatest_of, largest, number_parameter, unpacked

MOST = 64
"""Most numbers of a block."""

KIND = BLOCKS["nvfp4"]

THRESHOLDS = (1, 3, 5, 7, 10, 14, 20)
"""What lies halfway between neighbours of E2M1, in quarters; the next code begins there, if it is
even, else just above."""

INTEGER, FRACTION = 11, 10
"""Bits of a block's largest number, divided by twice the tensor's scale, that matter for its scale:
up to 3 * 464, and down to half of the least scale."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Nvfp4Quant(LaneUnit):
    """A block of n numbers in NVFP4 with a tensor scale that is a power of two.

    In software x is an array of codes of shape (..., n) and t, the tensor's scale, one of e8m0fnu
    codes of shape (...); the results are the elements y, e2m1fn codes of the shape of x, and scale,
    ue4m3 codes of shape (...). They are those of ``hwarith.quantize(..., "nvfp4",
    scale_rule="hw")``, which takes for t the least power of two of which the tensor's largest
    magnitude is at most 2688 times.

    The scale is the largest magnitude of the block, divided by 6 and the tensor's scale, to nearest
    even, at most 448. Each number is compared with the seven thresholds that lie halfway between
    the elements, times both scales, and goes to the even code where it is equal to one: nothing is
    divided but the block's largest number, by three. An infinity or NaN makes the scale NaN (7f)
    and all elements 0; so does t=ff. With a scale of 0 elements are 0.

    Source: arXiv 2509.25149, appendix B, for the format; this variant is a decision of this project
    (TransformerEngine's scale of a tensor is no power of two, and it multiplies by reciprocals).
    """

    family: ClassVar[str] = "nvfp4quant"
    summary: ClassVar[str] = "quantizer of blocks of NVFP4, by comparisons (NVFP4_HW)"
    operation: ClassVar[Operation] = QUANTIZATION
    meanings: ClassVar[dict[str, str]] = {
        "x": "numbers of a block, the first one at the lsb",
        "t": "scale of the tensor, 2^(t - 127); ff: NaN",
        "y": "elements, the first one at the lsb",
        "scale": "of the block: elements count units of scale * 2^(t - 127); 7f: NaN",
    }

    a: Format = number_parameter("bf16")
    n: int = integer_parameter("numbers of a block", 1, MOST, 16)

    @property
    def lane_formats(self) -> dict[str, tuple[Format, int]]:
        return {"x": (self.a, self.n), "y": (KIND.element, self.n)}

    @property
    def operands(self) -> dict[str, Format]:
        return {"x": vector(self.a, self.n), "t": BLOCKS["mxfp4"].scale}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": vector(KIND.element, self.n), "scale": KIND.scale}

    @property
    def contract(self) -> Contract:
        bound = "scale and elements are the nearest to their quotients"
        return Contract("correctly rounded", bound, "arXiv 2509.25149, appendix B")

    @property
    def conventions(self) -> dict[str, str]:
        return conventions(
            "of scale and elements once each, to nearest, ties to even",
            "the largest scale, the largest elements",
            "kept, in operands and results",
            "an infinity or NaN, or t=ff, makes the scale 7f and all elements 0",
        )

    # -- golden --------------------------------------------------------------------------------

    def definition(self) -> tuple[Callable[..., int], tuple]:
        """That of an element, of its number and the scales of block and tensor (`nv_scale`)."""
        return nv_element, (self.a.numbers, KIND.quantized, KIND.scale.numbers)

    def block_definition(self) -> tuple[Callable[..., tuple], tuple]:
        return definitions.nv_block, (self.definition()[1],)

    @property
    def word_bits(self) -> int:
        return self.a.precision + 28

    def compute(self, *codes: np.ndarray) -> list[np.ndarray]:
        x, t = codes
        scales = nv_scales(largest(x, self.a), t, self.a, KIND)
        element, constants = self.definition()
        operands = [x, *(np.broadcast_to(s[..., None], x.shape) for s in (scales, t))]
        y = apply(element, operands, constants, KIND.element.dtype, self.word_bits)
        return [y, scales]

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        at = INTEGER - 2 + KIND.scale.bias
        return [
            self._unpack,
            self._largest,
            self._in_halves,
            self._third,
            *rtl.handing_on(
                (*self._of_lanes, "t", "none"),
                rtl.Rounder(KIND.scale, "rne", "saturate").steps((at, at)),
            ),
            self._thresholds,
            each_lane(self.n, self._align),
            each_lane(self.n, self._compare),
            self._join,
        ]

    @property
    def _of_lanes(self) -> tuple[str, ...]:
        names = ("sign", "exponent", "significand")
        return tuple(of_lane(i, name) for i in range(self.n) for name in names)

    def _unpack(self, m: Module, x: Values) -> Values:
        """Sign, exponent and significand of each number, and its magnitude."""
        found = taken_apart("x", self.a, self.n)(x) | {"t": x["t"]}
        return each_lane(self.n, self._unpack_lane)(m, found)

    def _unpack_lane(self, m: Module, x: Values) -> Values:
        return unpacked(m, "x", x["x"], self.a) | {"magnitude": x["x"][:-1]}

    def _largest(self, m: Module, x: Values) -> Values:
        """The largest magnitude, and whether the block has no value."""
        largest = greatest_of(m, "magnitude", [x[of_lane(i, "magnitude")] for i in range(self.n)])
        infinite = largest[self.a.fraction_bits :].all()
        found = {name: x[name] for name in (*self._of_lanes, "t")}
        return found | {"largest": largest, "none": wire(m, "none", infinite | x["t"].all())}

    def _in_halves(self, m: Module, x: Values) -> Values:
        """The largest number divided by twice the tensor's scale, in fixed point; all ones if that
        is too large for any scale."""
        f, width = self.a, INTEGER + FRACTION
        fraction, field = x["largest"][: f.fraction_bits], x["largest"][f.fraction_bits :]
        normal = wire(m, "largest_normal", field.any())
        exponent = Cat(field[0] | ~normal, field[1:])
        # The msb of the significand has the weight 2^(exponent - t - 1).
        distance = wire(m, "largest_distance", x["t"] + INTEGER - exponent, signed(10))
        significand = Cat(Const(0, max(0, width - f.precision)), fraction, normal)
        lost = significand[: len(significand) - width]
        bits = width.bit_length()
        far = wire(m, "largest_far", distance[bits:].any())
        shifted, some = rtl.shift_right(
            m, "largest_scaled", significand[len(lost) :], distance[:bits], width
        )
        huge = wire(m, "huge", (distance < 0) & significand.any())
        fixed = shifted & (~far).replicate(width) | huge.replicate(width)
        sticky = lost.any() | some | (far & significand.any())
        rest = {k: v for k, v in x.items() if k != "largest"}
        return rest | {
            "fixed": wire(m, "fixed", fixed),
            "inexact": wire(m, "inexact", sticky),
        }

    def _third(self, m: Module, x: Values) -> Values:
        """Divided by three, four bits at a time. As 16 leaves the remainder 1, what is above a
        group leaves that of the sum of its groups' remainders."""
        fixed, digits = x["fixed"], []
        above: list[Value] = []
        for i in reversed(range(0, len(fixed), 4)):
            group = fixed[i : i + 4]
            remainder = wire(m, f"above_{i}", sum(above, Const(0, 1)) % 3, 2)
            part = wire(m, f"part_{i}", Cat(group, remainder))
            digits.append(wire(m, f"digit_{i}", part // 3, len(group)))
            above.append(wire(m, f"remainder_{i}", group % 3, 2))
        quotient = Cat(*reversed(digits))
        whole = wire(m, "remainder", sum(above, Const(0, 1)) % 3, 2)
        zero = Const(0, 1)
        rest = {k: v for k, v in x.items() if k not in ("fixed", "inexact")}
        return rest | {
            "significand": quotient[: len(fixed) - 1],
            "sticky": wire(m, "rest", whole.any() | x["inexact"]),
            "exponent": Const(INTEGER - 2 + KIND.scale.bias, 6),
            "sign": zero,
            "nan": x["none"],
            "inf": zero,
        }

    def _thresholds(self, m: Module, x: Values) -> Values:
        """The thresholds in units of the scale's lsb and a quarter; where the lsb of such units
        lies."""
        f = KIND.scale
        fraction, field = x["y"][: f.fraction_bits], x["y"][f.fraction_bits : -1]
        normal = wire(m, "scale_normal", field.any())
        significand = Cat(fraction, normal)
        found = {k: x[k] for k in (*self._of_lanes, "none")}
        for factor in (1, 3, 5, 7):
            found[f"times_{factor}"] = wire(m, f"times_{factor}", significand * factor, 7)
        exponent = Cat(field[0] | ~normal, field[1:])
        units = x["t"] + exponent - (f.bias + f.fraction_bits + 2)
        found["units"] = wire(m, "units", units, signed(10))
        found["empty"] = wire(m, "empty", x["none"] | ~significand.any())
        return found | {"scale": x["y"]}

    def _align(self, m: Module, x: Values) -> Values:
        """A number in these units, of nine bits; all ones if it has more. Subnormal numbers begin
        up to four places above."""
        units, width, significand = 9, 13, x["significand"]
        distance = wire(m, "distance", x["units"] + (width - 1) - x["exponent"], signed(11))
        significand = Cat(Const(0, max(0, width - len(significand))), significand)
        lost = significand[: len(significand) - width]
        bits = width.bit_length()
        far = wire(m, "far", distance[bits:].any())
        shifted, some = rtl.shift_right(
            m, "moved", significand[len(lost) :], distance[:bits], width
        )
        huge = wire(m, "huge", (distance < 0) | (shifted[units:].any() & ~far))
        in_units = shifted[:units] & (~far).replicate(units) | huge.replicate(units)
        more = lost.any() | some | (far & significand.any())
        return {
            "in_units": wire(m, "in_units", in_units),
            "more": wire(m, "more", more),
            "sign": x["sign"],
        }

    def _compare(self, m: Module, x: Values) -> Values:
        """How many thresholds the magnitude passes: the code of the nearest element."""
        passed = []
        for k, threshold in enumerate(THRESHOLDS):
            doubled = (threshold & -threshold).bit_length() - 1
            odd = x[f"times_{threshold >> doubled}"]
            limit = Cat(Const(0, doubled), odd, Const(0, 2 - doubled))
            above, reached = rtl.compare(m, f"threshold_{k}", x["in_units"], limit)
            passed.append(reached if k % 2 else above | (reached & x["more"]))
        p = wire(m, "passed", Cat(*passed))
        low = p[0] & ~p[1] | p[2] & ~p[3] | p[4] & ~p[5] | p[6]
        magnitude = Cat(low, p[1] & ~p[3] | p[5], p[3])
        code = Cat(magnitude, x["sign"])
        return {"y": wire(m, "element", Mux(x["empty"], 0, code), 4)}

    def _join(self, m: Module, x: Values) -> Values:
        return {"y": side_by_side(x, self.n, "y"), "scale": x["scale"]}
