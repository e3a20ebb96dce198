"""The bit-serial processing element: activations times terms of weights, summed up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Value, signed

from ... import rtl
from ...errors import InvalidInput
from ...formats import Format, format
from ...rtl import Values, wire
from ..accumulator import Accumulator
from ..contract import Contract, Unit
from ..operations import BIT_SERIAL_DOT_PRODUCT, Operation
from ..parameters import choice_parameter, integer_parameter
from ..results import split
from . import definitions
from .definitions import EXPONENT_BITS, Frame
from .weights import MIXED, SOURCE, WEIGHTS, Weights, special_codes, terms

ACTIVATION = format("fp16")

_SIGNIFICAND = ACTIVATION.precision

_NO = Const(0, 1)

LANES = 4
"""Most lanes of a processing element."""


class Group(NamedTuple):
    """Sums of groups: (-1)^sign * magnitude * 2^(exponent - 25 - fx), arrays of one shape. For
    fp3 and fp4 this counts halves."""

    sign: Any
    magnitude: Any
    exponent: Any


@dataclass(frozen=True, kw_only=True, repr=False)
class BitSerial(Unit):
    """Base of the units that know the code of an accumulator: the parameters that make it."""

    fx: int = integer_parameter("bits that alignment keeps below a significand", 0, 16, 3)
    aw: int = integer_parameter(
        "bits of the accumulator's magnitude (default: 20 + fx)", 8, 36, None
    )

    def validate(self) -> None:
        if self.aw is None:
            object.__setattr__(self, "aw", self._widest)
        if self.aw > self._widest:
            raise InvalidInput(
                f"{self.family}: parameter aw: must be 8 to {self._widest} with fx={self.fx}, "
                f"not {self.aw}"
            )

    @property
    def _widest(self) -> int:
        """Bits of the accumulator that hold the sum of the lanes at the greatest bsig."""
        return 20 + self.fx

    def shown_parameters(self) -> dict[str, Any]:
        shown = super().shown_parameters()
        if self.aw == self._widest:
            del shown["aw"]
        return shown

    @property
    def frame(self) -> Frame:
        return Frame(0, self.fx, self.aw, joint=0, truncate=0, left_norm=0)

    @property
    def state(self) -> dict[str, Format]:
        """The fields of an accumulator's code, the first one at its lsb."""
        bits = {"magnitude": self.aw, "exponent": EXPONENT_BITS, "sign": 1}
        bits |= {"invalid": 1, "overflow": 1}
        return {name: format(f"uint{n}") for name, n in bits.items()}

    @property
    def state_bits(self) -> int:
        return sum(f.bits for f in self.state.values())


@dataclass(frozen=True, kw_only=True, repr=False)
class BitSerialPe(Accumulator, BitSerial):
    """Sum of activations times weights, a term of each weight in each clock (BitMoD's PE).

    In a clock each lane takes an activation in fp16 and a term of a weight, (-1)^sign * man *
    2^(exp + bsig): ``a`` and ``terms`` hold those of all lanes, the first one at the lsb; bsig is
    the same for all. A weight takes as many clocks as it has terms, highest bsig first: two of
    fp3, fp4, int3 and int4, three of int5 and int6, four of int7 and int8. A product is the
    significand, shifted to the greatest exponent and rounded to `fx` bits below its lsb; a zero
    product has no exponent. The accumulator is a magnitude of 20 + fx bits with sign and 6 bits of
    exponent; its lsb weighs 2^(exponent - 25 - fx).

    An infinite or NaN activation adds nothing and sets `invalid`, which stays set. Subnormal
    activations are exact. With ``align=local`` the sum of the lanes is formed before it meets the
    accumulator, with registers between (`stages`); with ``joint`` the accumulator's exponent takes
    part in the common one. The error of a group is at most 1e-4 of the sum of |a * w| for fx=3.

    `type` restricts `bsig` to what one type needs; of several types (``mixed``) `group` is told.

    Source: BitMoD, section IV; what the paper leaves open are decisions of this project
    (docs/bitserial.md). The paper's authors have applied for a patent.
    """

    family: ClassVar[str] = "bspe"
    summary: ClassVar[str] = "bit-serial PE: fp16 activations times terms of weights (BitMoD)"
    operation: ClassVar[Operation] = BIT_SERIAL_DOT_PRODUCT

    type: str = choice_parameter("of the weights", (MIXED, *WEIGHTS), MIXED)
    lanes: int = integer_parameter("activations at a time", 1, LANES, LANES)
    align: str = choice_parameter(
        "what products are aligned to: the greatest of them (local), or of the accumulator too "
        "(joint)", ("local", "joint"), "local",
    )  # fmt: skip
    lane_round: str = choice_parameter(
        "what alignment shifts out: rounded to nearest even, or dropped", ("rne", "trunc"), "rne",
        quiet=True,
    )  # fmt: skip
    left_norm: str = choice_parameter(
        "1: sums are shifted left until they have no leading zeros", ("0", "1"), "1", quiet=True
    )

    @property
    def frame(self) -> Frame:
        return Frame(
            self.lanes, self.fx, self.aw, int(self.align == "joint"),
            int(self.lane_round == "trunc"), int(self.left_norm),
        )  # fmt: skip

    @property
    def operands(self) -> dict[str, Format]:
        most = max(w.most_bsig for w in self.types)
        return {
            "a": format(f"uint{ACTIVATION.bits * self.lanes}"),
            "terms": format(f"uint{4 * self.lanes}"),
            "bsig": format(f"uint{most.bit_length()}"),
        }

    @property
    def results(self) -> dict[str, Format]:
        return self.state

    @property
    def memory(self) -> dict[str, Format]:
        return self.state

    @property
    def types(self) -> tuple[Weights, ...]:
        """The types of weights that it takes."""
        return tuple(WEIGHTS.values()) if self.type == MIXED else (WEIGHTS[self.type],)

    @property
    def contract(self) -> Contract:
        bound = "1e-4 of the sum of |a w|" if self.fx == 3 else f"about 2^-{10 + self.fx} of |a w|"
        return Contract("approximate", f"an error of {bound}", SOURCE)

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.step, (self.frame,)

    @property
    def word_bits(self) -> int:
        return self.state_bits

    def outputs(self, memory: np.ndarray) -> list[np.ndarray]:
        formats = self.results.values()
        return [x.astype(f.dtype) for x, f in zip(split(memory, formats), formats, strict=True)]

    # -- groups --------------------------------------------------------------------------------

    def group(
        self, acts: Any, codes: Any, special: Any = 0, type: str | None = None, flags: bool = False
    ) -> Any:
        """Sums over groups of weights.

        Parameters
        ----------
        acts : fp16 codes of shape (..., n).
        codes : codes of the weights, of shape (..., n): two's complement, or codes of fp3 or fp4
            (`hwarith.quantize`).
        special : the value that -0 stands for in each group, in halves: integers (...). Of fp3
            and fp4 only.
        type : of the weights; needed where the unit takes several.
        flags : give `invalid` and `overflow` as well.

        Returns a `Group` of arrays (...), with `flags` all `results`. Raises `InvalidInput` for
        what is not as said here.
        """
        return self._named(self(*self.steps(acts, codes, special, type)), flags)

    def _named(self, results: Any, flags: bool) -> Any:
        if flags:
            return results
        return Group(results.sign, results.magnitude, results.exponent)

    def steps(
        self, acts: Any, codes: Any, special: Any = 0, type: str | None = None
    ) -> list[np.ndarray]:
        """What enters clock by clock for `group`: the `operands`, of shape (..., clocks)."""
        weights = self.weights_of(type)
        a = ACTIVATION.check(acts, f"activations of {self.family}")
        w = weight_codes(weights, codes, f"weights of {self.family}")
        special = special_codes(special)
        try:
            a, w = np.broadcast_arrays(a, w)
            if a.ndim == 0 or a.shape[-1] == 0:
                raise ValueError
            np.broadcast_shapes(a.shape[:-1], special.shape)
        except ValueError:
            raise InvalidInput(
                f"groups of {self.family} are activations and weights of shape (..., n) with n at "
                f"least 1, and special values (...), not {np.shape(acts)}, {np.shape(codes)} and "
                f"{special.shape}"
            ) from None
        return self.coded_steps(weights, a, w, special)

    def coded_steps(
        self, weights: Weights, a: np.ndarray, w: np.ndarray, special: np.ndarray
    ) -> list[np.ndarray]:
        """The same for codes that are checked, and special values as `special_codes` gives them."""
        a, w = np.broadcast_arrays(a, w)
        shape = np.broadcast_shapes(a.shape[:-1], special.shape)
        n = a.shape[-1]
        chunks = (*shape, -(-n // self.lanes), self.lanes)
        a, w = (
            _padded(np.broadcast_to(x, (*shape, n)), self.lanes).reshape(chunks) for x in (a, w)
        )
        bsig = np.arange(weights.terms, dtype=np.uint8)[::-1] * np.uint8(weights.step)
        operands = (pack_activations(a)[..., None], terms(weights, w, special), bsig)
        return [
            np.broadcast_to(x, (*chunks[:-1], weights.terms)).reshape(*shape, -1).astype(f.dtype)
            for x, f in zip(operands, self.operands.values(), strict=True)
        ]

    def weights_of(self, name: str | None) -> Weights:
        """The type of this name, or the only one. Raises `InvalidInput` for another one."""
        allowed = {w.name: w for w in self.types}
        if name is None and len(allowed) > 1:
            raise InvalidInput(f"{self.family}: of type=mixed, name the type: {', '.join(allowed)}")
        chosen = name or self.type
        if chosen not in allowed:
            raise InvalidInput(f"{self.spec} takes weights of {', '.join(allowed)}, not {chosen!r}")
        return allowed[chosen]

    def decode(self, group: Any, type: str | None = None) -> np.ndarray:
        """The values of sums, float64. Of fp3 and fp4 they are halved."""
        half = self.weights_of(type).floating
        magnitude = np.asarray(group.magnitude).astype(np.float64)
        exponent = np.asarray(group.exponent).astype(np.int64) - 25 - self.fx - half
        return np.where(group.sign, -1.0, 1.0) * np.ldexp(magnitude, exponent)

    # -- hardware ------------------------------------------------------------------------------

    def front_datapath(self) -> list[rtl.Step]:
        return [] if self.frame.joint else self._add_products()

    def datapath(self) -> list[rtl.Step]:
        steps: list[rtl.Step] = [self._accumulate_locally]
        if self.frame.joint:
            steps = [*self._add_products(), self._accumulate_jointly]
        return [*rtl.handing_on(tuple(self.memory), steps), self._normalize]

    def _add_products(self) -> list[rtl.Step]:
        """From the operands to the sum of the lanes, which relates to the greatest exponent."""
        steps: list[rtl.Step] = [self._unpack, self._align, self._add_lanes]
        return rtl.handing_on(("bsig", "not_finite"), steps)

    def output_datapath(self) -> list[rtl.Step]:
        return [rtl.renamed()]

    def _unpack(self, m: Module, x: Values) -> Values:
        """Each lane's product: sign (where the accumulator is there, relative to its), significand,
        exponent."""
        values: Values = {}
        turned = x["sign"] if self.frame.joint else _NO
        not_finite: list[Value] = []
        for i in range(self.lanes):
            a, term = x["a"][16 * i : 16 * i + 16], x["terms"][4 * i : 4 * i + 4]
            biased = a[10:15]
            hidden = wire(m, f"hidden{i}", biased.any())
            special = wire(m, f"special{i}", biased.all())
            not_finite.append(special)
            counts = wire(m, f"counts{i}", term[0] & ~special & (hidden | a[:10].any()))
            exponent = Cat(biased[0] | ~hidden, biased[1:]) + term[1:3]
            values[f"sign{i}"] = wire(m, f"sign{i}", a[15] ^ term[3] ^ turned)
            gate = (term[0] & ~special).replicate(_SIGNIFICAND)
            values[f"significand{i}"] = wire(m, f"product{i}", Cat(a[:10], hidden) & gate)
            values[f"exponent{i}"] = wire(m, f"exponent{i}", exponent & counts.replicate(6), 6)
        values["not_finite"] = wire(m, "not_finite", Cat(*not_finite).any())
        return values

    def _align(self, m: Module, x: Values) -> Values:
        """Products shifted to the greatest exponent: rows of one bit more on top, the sign, and a
        bit of their lsb's weight."""
        exponents = [x[f"exponent{i}"] for i in range(self.lanes)]
        if self.frame.joint:
            exponents.append(x["exponent"])
        highest = _greatest(m, exponents)
        rows: Values = {}
        for i in range(self.lanes):
            product = Cat(Const(0, self.fx), x[f"significand{i}"])
            distance = wire(m, f"distance{i}", highest - x[f"exponent{i}"], EXPONENT_BITS)
            kept, up = self._shifted(m, f"lane{i}", product, distance)
            sign = x[f"sign{i}"]
            rows[f"row{i}"] = wire(m, f"row{i}", Cat(kept, Const(0, 1)) ^ sign.replicate(
                len(kept) + 1))  # fmt: skip
            rows[f"one{i}"] = wire(m, f"one{i}", sign ^ up)
        return {"highest": highest} | rows

    def _shifted(
        self, m: Module, name: str, x: Value, distance: Value, fill: Value = _NO
    ) -> tuple[Value, Value]:
        """`x` shifted right by a distance, and whether rounding adds one to it. `fill`, the sign of
        a number in two's complement, stands above."""
        levels = (len(x) + 1).bit_length()
        far = wire(m, f"{name}_far", distance[levels:].any())
        amount = distance[:levels] | far.replicate(levels)
        below, sticky = _arithmetic(m, name, Cat(Const(0, 1), x), amount, fill)
        kept, guard = below[1:], below[0]
        if self.frame.truncate:
            return kept, wire(m, f"{name}_up", fill & (guard | sticky))
        return kept, wire(m, f"{name}_up", guard & (sticky | kept[0]))

    def _add_lanes(self, m: Module, x: Values) -> Values:
        """The sum of the rows: two's complement, of 14 + fx bits and those of the lanes."""
        width = _SIGNIFICAND + self.fx + 1 + (self.lanes - 1).bit_length()
        columns = rtl.Columns(m, "dot", width)
        for i in range(self.lanes):
            columns.add_integer(x[f"row{i}"].as_signed())
            columns.add(0, x[f"one{i}"])
        low, high, _ = columns.compress()
        dot = wire(m, "dot", low + high, signed(width))
        return {
            "highest": x["highest"], "nonzero": wire(m, "dot_nonzero", dot.any()),
            "scaled": rtl.scaled(m, "dot", dot, x["bsig"]),
        }  # fmt: skip

    @property
    def _sum_bits(self) -> int:
        """Of accumulator and lanes together: two's complement."""
        scaled = _SIGNIFICAND + self.fx + (self.lanes - 1).bit_length() + (
            1 << self.operands["bsig"].bits)  # fmt: skip
        return max(self.aw + 1, scaled) + 1

    def _accumulate_jointly(self, m: Module, x: Values) -> Values:
        """The accumulator shifted right, and the sum of the lanes added, whose signs are relative
        to the accumulator's: so its magnitude is positive."""
        distance = wire(m, "acc_distance", x["highest"] - x["exponent"], EXPONENT_BITS)
        kept, up = self._shifted(m, "acc", x["magnitude"], distance)
        total = _sum(Cat(kept, _NO).as_signed(), x["scaled"], up, self._sum_bits)
        return {
            "total": wire(m, "total", total, signed(self._sum_bits)), "exponent": x["highest"],
            "invalid": wire(m, "any_invalid", x["invalid"] | x["not_finite"]),
        }  # fmt: skip

    def _accumulate_locally(self, m: Module, x: Values) -> Values:
        """Accumulator and lanes, one of them shifted right. The accumulator's sign turns the
        shifted one, whichever that is, and then the sum, if it is the accumulator's."""
        bits = max(self.aw + 1, len(x["scaled"]))
        apart = wire(m, "apart", x["highest"] - x["exponent"], signed(EXPONENT_BITS + 1))
        acc_lower = wire(m, "acc_lower", ~apart[-1] & x["nonzero"])
        distance = wire(m, "distance", Mux(apart[-1], -apart, apart), EXPONENT_BITS)
        magnitude = wire(m, "magnitude_wide", x["magnitude"], bits)
        scaled = wire(m, "scaled_wide", x["scaled"], signed(bits))
        lower = wire(m, "lower", Mux(acc_lower, magnitude, scaled), bits)
        upper = wire(m, "upper", Mux(acc_lower, scaled, magnitude), signed(bits))
        fill = wire(m, "lower_sign", ~acc_lower & scaled[-1])
        kept, up = self._shifted(m, "lower", lower, distance, fill)
        turned = wire(m, "turned", kept ^ x["sign"].replicate(bits), signed(bits))
        total = _sum(upper, turned, up ^ x["sign"], self._sum_bits)
        return {
            "total": wire(m, "total", total, signed(self._sum_bits)),
            "exponent": wire(m, "common", Mux(acc_lower, x["highest"], x["exponent"])),
            "sign": wire(m, "upper_sign", x["sign"] & ~acc_lower),
            "invalid": wire(m, "any_invalid", x["invalid"] | x["not_finite"]),
        }  # fmt: skip

    def _normalize(self, m: Module, x: Values) -> Values:
        """Magnitude, sign and exponent of the sum, normalized and rounded to the accumulator's
        bits."""
        negative = x["total"][-1]
        inverted = wire(m, "inverted", x["total"][:-1] ^ negative.replicate(len(x["total"]) - 1))
        normalize = self._halve if len(inverted) == self.aw + 1 else self._round
        magnitude, exponent = normalize(m, inverted, negative, x["exponent"])
        nonzero = wire(m, "nonzero", magnitude.any())
        too_large = wire(m, "too_large", exponent[6] & nonzero)
        return {
            "magnitude": wire(m, "next_magnitude", magnitude | too_large.replicate(self.aw)),
            "exponent": wire(m, "next_exponent", (exponent[:6] | too_large.replicate(6))
                             & nonzero.replicate(6)),
            "sign": wire(m, "next_sign", (x["sign"] ^ negative) & nonzero),
            "invalid": x["invalid"],
            "overflow": wire(m, "next_overflow", x["overflow"] | too_large),
        }  # fmt: skip

    def _halve(self, m: Module, y: Value, negative: Value, exponent: Value) -> tuple[Value, Value]:
        """Of a sum with one bit too many half is rounded off, with one increment for this and for
        what a negative one lacks; others are shifted left. It never rounds up to a power of two:
        the sum of the lanes stays 2^(2 + fx) units and more below its greatest code."""
        bits = self.aw
        carry = wire(m, "carry", y[bits])
        once = wire(m, "once", Mux(carry, Mux(negative, y[0] | y[1], y[0] & y[1]), negative))
        base = wire(m, "base", Mux(carry, y[1 : bits + 1], y[:bits]))
        magnitude: Value = rtl.increment(m, "rounded", base, once)[:bits]
        if not self.frame.left_norm:
            return magnitude, wire(m, "normalized_exponent", exponent + carry, 7)
        zeros = rtl.leading_zeros(m, "zeros", magnitude)
        shift = rtl.least(m, "shift", zeros, wire(m, "below", exponent - 1, EXPONENT_BITS))
        magnitude, _ = rtl.shift_left(m, "left", magnitude, shift, bits)
        # Of 1 and -shift one is added to the exponent: after a carry there is nothing to shift.
        less = Cat(~shift, Const(-1, 7 - len(shift))) & ~carry.replicate(7)
        moved = Cat(Const(1, 1), exponent, Const(0, 1)) + Cat(Const(1, 1), less)
        return magnitude, wire(m, "normalized_exponent", moved[1:8])

    def _round(self, m: Module, y: Value, negative: Value, exponent: Value) -> tuple[Value, Value]:
        """Of a sum with more bits the leading one goes to the top, or as far as the exponent
        allows; what is then below the accumulator's bits is rounded off."""
        extra = len(y) - self.aw
        total = wire(m, "absolute", rtl.increment(m, "absolute_sum", y, negative)[: len(y)])
        limit = exponent + (extra - 1) if self.frame.left_norm else Const(extra)
        magnitude, less = rounded_to(m, total, self.aw, wire(m, "limit", limit))
        return magnitude, wire(m, "normalized_exponent", exponent + extra - less, 7)


def rounded_to(m: Module, x: Value, bits: int, limit: Value) -> tuple[Value, Value]:
    """The top bits of `x` after a shift to the left that takes its leading one to the top, but is
    no greater than `limit`; the bits below are rounded off to nearest even. Gives these, and by
    how much the exponent of `x`'s msb is lowered."""
    extra = len(x) - bits
    shift = rtl.least(m, "shift", rtl.leading_zeros(m, "zeros", x), limit)
    shifted, _ = rtl.shift_left(m, "left", x, shift, len(x))
    up = wire(m, "up", shifted[extra - 1] & (shifted[: extra - 1].any() | shifted[extra]))
    rounded = rtl.increment(m, "rounded", shifted[extra:], up)
    full = wire(m, "full", rounded[bits])
    return Cat(rounded[: bits - 1], rounded[bits - 1] | full), shift - full


def weight_codes(weights: Weights, codes: Any, what: str) -> np.ndarray:
    """Codes of weights, checked: unsigned, or negative integers of two's complement."""
    f = format(f"{'u' if weights.floating else ''}int{weights.bits}")
    return f.check(codes, what)


def pack_activations(a: np.ndarray) -> np.ndarray:
    """Codes of activations (..., lanes) side by side, the first one at the lsb, as uint64."""
    words = np.zeros((*a.shape[:-1], LANES), "<u2")
    words[..., : a.shape[-1]] = a
    return words.view("<u8")[..., 0]


def _padded(x: np.ndarray, lanes: int) -> np.ndarray:
    """With zeros at the end of the last axis, to a multiple of `lanes`."""
    missing = -x.shape[-1] % lanes
    return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, missing)]) if missing else x


def _greatest(m: Module, values: list[Value]) -> Value:
    """The greatest of unsigned numbers of one width, by pairs."""
    level = 0
    while len(values) > 1:
        pairs = [
            wire(m, f"greatest{level}_{i}", Mux(rtl.at_least(a, b), a, b))
            for i, (a, b) in enumerate(zip(values[::2], values[1::2], strict=False))
        ]
        values = pairs + values[len(values) // 2 * 2 :]
        level += 1
    return values[0]


def _sum(a: Value, b: Value, carry: Value, width: int) -> Value:
    """a + b + carry of signed numbers, as one sum."""
    a, b = (Cat(x, x[-1].replicate(width - len(x))) for x in (a, b))
    return (Cat(Const(1, 1), a) + Cat(carry, b))[1 : width + 1]


def _arithmetic(m: Module, name: str, x: Value, amount: Value, fill: Value) -> tuple[Value, Value]:
    """`x` shifted right by an amount with `fill` above, and whether ones fell out below."""
    some: Value = Const(0, 1)
    for level in range(len(amount)):
        distance = min(1 << level, len(x))
        moved = Cat(x[distance:], fill.replicate(distance))
        some = wire(m, f"{name}_some{1 << level}", some | (amount[level] & x[:distance].any()))
        x = wire(m, f"{name}_right{1 << level}", Mux(amount[level], moved, x))
    return x, some
