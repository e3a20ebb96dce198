"""The dot product with an addend: any formats, any scales, any way to accumulate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Mux

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, Rounding, format
from ...formats import rounding as r
from ...formats.lanes import vector
from ...lazily import np
from ...rtl import Values, wire
from ...rtl.floats import Specials
from ..contract import Contract
from ..conventions import (
    SUBNORMALS,
    conventions,
    nan_words,
    of_integers,
    overflow_words,
    rounding_bound,
    rounding_words,
)
from ..exact.base import GUARD_BITS
from ..exact.definitions import Rules, pack_control
from ..flags import EXCEPTIONS, FLAGS, flag_results
from ..operations import DOT_PRODUCT_WITH_ADDEND, Operation
from ..results import packed_dtype, split
from . import arrays, composed, definitions, hardware
from .definitions import Formats, Shape
from .parameters import DotParameters, steps

SPARE_BITS = 12
"""Bits that sums of truncated terms may need beyond the widest term and what it is rounded to."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Dot(DotParameters):
    """Dot product of n pairs with an addend: y = sum of sa * sb * a[i] * b[i], plus c.

    In software a and b are arrays of codes of shape (..., n). With `scale` every `block` pairs have
    a scale on each side, codes sa and sb of shape (..., n / block). The addend c is of shape (...),
    and so is the result. All are broadcast together. The hardware has a port for each with the
    codes side by side, the first one at the lsb.

    `acc` says how the sum is formed:

    - ``exact``: the exact sum is rounded once.
    - ``seq``: from c on, product after product, that of lane 0 first; each exact sum of accumulator
      and scaled product is rounded to `out`.
    - ``pairwise``: every scaled product is rounded to `out`; then neighbours are added, neighbours
      of these sums, and so on, and c last, each sum rounded. What has no neighbour is passed on.
    - ``trunc-F``: all terms are truncated toward zero to F fraction bits below the greatest
      exponent of a term (at least `floor`), and their exact sum is rounded. With `group` so many
      products are summed up exactly before, and aligned by the exponents of their scales.
    - ``halves-F``: ``trunc-F`` of half of the products (k with bit 1 clear) from +0 on, of the
      others from this result on; then c is added, rounded to nearest even.
    - ``floor-F``, ``floor2-F``: the sums of AMD's CDNA3, rounded down to grids (`definitions`).

    With `flags` there are the exceptions of the sum as one operation (``exact``), or those of all
    roundings together (``seq``, ``pairwise``). A NaN among the operands makes infinities of both
    signs no exception, as in a multiply-add; infinity times zero is one.

    With `meta` blocks keep more than a scale, and sa and sb are words of it (`BlockFormat.words`,
    `Blocks.words`): the code of the scale with the metadata above it. ``mx+`` and ``mx++``: of both
    sides a largest element with a longer fraction, multiplied in each lane, or (``bm=unit``) in a
    unit of their own; ``m2xfp``: a is of activations, ``m2xfp_a``, b of weights, ``m2xfp_w``;
    ``razer``: the same with ``razer_a`` and ``razer_w``. The sum is exact, of one block, n pairs.
    An index of MX+ beyond the block stands for no element.

    `preset` stands for all parameters of a GPU's matrix instruction (`hwarith gpu` lists them).

    Decisions: with ``exact``, ``seq`` and ``pairwise`` zeros have the signs of IEEE 754-2019, 6.3,
    a sum of zeros of one sign being such a zero; with the others they are as the hardware that they
    describe has them. Operands and scales that are NaN, infinity times zero (a scale of zero
    counts), and infinities of both signs make NaN. ``out=exact`` gives the exact sum as a
    fixed-point number that is never too small, and where a format has NaN or infinities a bit
    ``invalid``, with which the sum is 0.

    Source: `hwarith.units.dot.presets` for what GPUs do; OCP MX v1.0, 6.2, for scaled blocks.
    """

    family: ClassVar[str] = "dot"
    summary: ClassVar[str] = "dot product of (scaled) blocks with an addend, by any accumulator"
    operation: ClassVar[Operation] = DOT_PRODUCT_WITH_ADDEND
    meanings: ClassVar[dict[str, str]] = {
        "a": "first factors, lane 0 at the lsb",
        "b": "second factors, lane 0 at the lsb",
        "sa": "scales of the blocks of a, block 0 at the lsb",
        "sb": "scales of the blocks of b, block 0 at the lsb",
        "c": "addend",
        "y": "sum of all products and the addend",
        "invalid": "1: an operand was NaN or infinite, y is 0",
        "flags": EXCEPTIONS,
    }

    # -- contract ------------------------------------------------------------------------------

    @property
    def operands(self) -> dict[str, Format]:
        """The ports: codes side by side (a call takes arrays with an axis for them)."""
        found = {name: vector(*lanes) for name, lanes in self.lane_formats.items()}
        return found | ({"c": self.addend} if self.addend else {})

    @property
    def results(self) -> dict[str, Format]:
        return (
            {"y": self.result}
            | ({"invalid": format("uint1")} if self.marked else {})
            | flag_results(self.flags)
        )

    @property
    def contract(self) -> Contract:
        source = "MMA-Sim, arXiv 2511.10909" if self.preset else "IEEE 754-2019, 4.3"
        if self.is_exact:
            return Contract("exact integer", "exact", source)
        if self.acc.way == "exact":
            unit = "ulp" if self.rounded.is_float else "step"
            return Contract("correctly rounded", rounding_bound(self.round, unit), source)
        return Contract("approximate", self.acc.words, source)

    @property
    def conventions(self) -> dict[str, str]:
        f = self.rounded
        overflow = overflow_words(str(self.overflow), f, self.round)
        if self.is_exact:
            return of_integers("none" if self.gives_sum else overflow)
        nan = (
            nan_words(self.result) if self.nan == "canonical" else "all bits but the sign are ones"
        )
        return conventions(
            f"{self.acc.words}; {rounding_words(self.round)}",
            overflow,
            SUBNORMALS.get(self.subnormals, "operands count as +0, results become zeros"),
            nan,
        )

    # -- golden --------------------------------------------------------------------------------

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return arrays.definition(self), self.constants

    def block_definition(self) -> tuple[Callable[..., int], tuple]:
        return arrays.block_definition(self), self.constants

    @cached_property
    def constants(self) -> tuple[Any, ...]:
        """What the definitions take behind the codes."""
        scale, c = self.scale or format("e8m0fnu"), self.addend or self.rounded
        formats = (self.a, self.b, scale, c, self.rounded)
        rules = Rules(
            policy=int(r.overflow(self.overflow)),
            variant=0,
            n=0,
            daz=int(self.flushes_operands),
            ftz=int(self.flushes_results),
            payload=0,
            tininess=FLAGS.index(self.flags),
        )
        control = int(pack_control(0, int(Rounding[self.round.upper()]), 0))
        found = self._shape, Formats(*(f.numbers for f in formats)), rules, control
        return (*found, *(x.reading for x in self.readers)) if self.readers else found

    @cached_property
    def _shape(self) -> Shape:
        return Shape(
            n=self.n,
            block=self.block,
            scaled=int(self.scale is not None),
            added=int(self.addend is not None),
            group=self.group,
            bits=self.acc.bits,
            floor=self.floor or 0,
            width=self._width,
            limit=self.rounded.bias + 1 if self.acc.way == "floor" else definitions.NO_LIMIT,
            flush=int(self.subnormals == "zero"),
            split=int(self.acc.way == "floor2"),
            nan=(1 << (self.result.bits - 1)) - 1 if self.nan == "ones" else -1,
            pad=self.pad,
            marked=int(self.marked),
        )

    @property
    def _width(self) -> int:
        """Bits with which adding c to what comes before it is exact enough (`add_exact`)."""
        if self.is_integer:
            formats = [f for f in (self.addend, self.rounded) if f]
            highest = max(f.exponent + f.bits for f in formats)
            product = self.a.exponent + self.b.exponent
            highest = max(highest, product + self.sum_bits)
            return highest - min(self.exact_exponent, self.rounded.exponent) + GUARD_BITS
        widest = [f.precision for f in (self.addend, self.rounded) if f]
        scales = 2 * self.scale.precision if self.scale else 0
        if self.acc.in_order or self.n == 1:
            widest.append(self.a.precision + self.b.precision + scales)
        elif self.acc.way == "exact":
            if self.blocks > 1 and self.scale:
                scales = 2 * steps(self.scale).bit_length()
            widest.append(self.sum_bits + scales)
        return max(widest) + GUARD_BITS

    @property
    def word_bits(self) -> int:
        if self.acc.way == "exact" or self.acc.in_order:
            return max(self._width, self.rounded.word_bits + 5)
        # A term is below four times the power of two that aligns it, which stands at bit F; with
        # significands of scales, below four times that; a group's below all that its sum may be.
        scales = 2 * self.scale.precision if self.scale else 0
        if self.group > 1 and self.scale:
            total = self.sum_bits + scales
            lowest = self.a.numbers.lsb + self.b.numbers.lsb - 2 * self.scale.fraction_bits
            total += max(0, lowest + self.acc.bits)
        else:
            product = self.a.precision + self.b.precision + scales
            total = max(product, self.acc.bits + (4 if scales > 2 else 2)) + self.n.bit_length()
        return max(total, self._width) + SPARE_BITS

    def arguments(self, codes: list) -> list:
        """a, b, sa, sb and c, in the order in which the accumulation takes the products."""
        given = dict(zip(self.operands, codes, strict=True))
        a, b = (arrays.in_order(given[name], self.acc) for name in "ab")
        none: Any = []
        zero: Any = 0
        if not isinstance(a, Sequence):
            none, zero = np.zeros((len(a), 0), np.uint8), np.zeros(len(a), np.uint8)
        return [a, b, given.get("sa", none), given.get("sb", none), given.get("c", zero)]

    def compute(self, *codes: np.ndarray) -> list[np.ndarray]:
        shape, formats = codes[0].shape[:-1], self.results.values()
        rows = [x.reshape(-1, x.shape[-1]) if x.ndim > len(shape) else x.reshape(-1) for x in codes]
        packed = arrays.rows(self, self.arguments(rows), packed_dtype(formats)).reshape(shape)
        found = zip(split(packed, formats), formats, strict=True)
        return [np.asarray(x).astype(f.dtype, copy=False) for x, f in found]

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        is_composed = self.acc.in_order or self.acc.way == "halves"
        steps = (composed if is_composed else hardware).datapath(self)
        return [*steps, self._finish]

    def _finish(self, m: Module, x: Values) -> Values:
        """The code of the result's format, with the NaN and the zeros that the unit has."""
        if self.gives_sum:
            return {name: x[name] for name in self.results}
        y, others = x["y"], {}
        if self.flags != "none":
            others = {"flags": x[composed.RAISED] if self.acc.in_order else x["flags"]}
        if not self.rounded.is_float:
            return {"y": y} | others
        codes = Specials(self.rounded)
        magnitude = y[: codes.magnitude_bits]
        if self.acc.way in ("trunc", "halves") and self.rounded.has_negative_zero:
            y = Cat(magnitude, y[-1] & magnitude.any())
        y = Cat(Const(0, self.pad), y)
        if self.nan == "ones" and codes.infinity is not None:
            is_nan = wire(m, "result_nan", magnitude > codes.infinity)
            y = Mux(is_nan, Const(self._shape.nan, len(y)), y)
        return {"y": wire(m, "result", y, self.result.bits)} | others

    # -- longer products -------------------------------------------------------------------------

    @property
    def goes_on(self) -> bool:
        """Whether a result is an addend: c is of the format of out, and there are no flags."""
        return list(self.results.values()) == [self.addend]

    def dot(self, a: Any, b: Any, c: Any = None, sa: Any = None, sb: Any = None) -> np.ndarray:
        """Dot products of any multiple of n pairs: block after block of n, lane 0 first, each from
        what the one before gave.

        Parameters
        ----------
        a, b : codes of shape (..., K), K a multiple of n.
        c : codes of shape (...) to begin with; +0 if None.
        sa, sb : with `scale`, codes of shape (..., K / block).

        Returns codes of shape (...). Raises `InvalidInput` for what is not as said here, and for a
        unit whose results are no addends: c and out of different formats, no c at all, or flags.
        """
        if not self.goes_on:
            raise InvalidInput(
                "dot products go on only where c is of the format of out, and without flags; "
                f"{self.spec}"
            )
        left, right = self.a.check(a, "operand a of dot"), self.b.check(b, "operand b of dot")
        k = left.shape[-1] if left.ndim else 0
        if not k or k % self.n or right.shape[-1:] != (k,):
            raise InvalidInput(
                f"a and b must be of shape (..., K) with K a multiple of n={self.n}, not "
                f"{left.shape} and {right.shape}"
            )
        scales = self.scale_codes(sa, sb)
        for x in scales:
            if x.shape[-1:] != (k // self.block,):
                raise InvalidInput(
                    f"scales of dot must be of shape (..., {k // self.block}), not {x.shape}"
                )
        acc = self.result.check(0 if c is None else c, "operand c of dot")
        for i in range(k // self.n):
            lanes = slice(i * self.n, (i + 1) * self.n)
            blocks = slice(i * self.blocks, (i + 1) * self.blocks)
            parts = [left[..., lanes], right[..., lanes], *(x[..., blocks] for x in scales)]
            acc = self(*parts, acc)
        return acc

    def scale_codes(self, sa: Any, sb: Any) -> list[np.ndarray]:
        """Codes of the scales of both sides, of any shape; nothing for a unit without scales.
        Raises `InvalidInput` if they are given for a unit that has none, or not both."""
        given = [x for x in (sa, sb) if x is not None]
        if len(given) != (2 if self.scale else 0):
            which = "takes scales: give sa and sb" if self.scale else "has no scales"
            raise InvalidInput(f"{self.spec} {which}")
        names = ("sa", "sb") if self.scale else ()
        return [
            self.lane_formats[name][0].check(x, f"scales {name} of dot")
            for name, x in zip(names, given, strict=True)
        ]
