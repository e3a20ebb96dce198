"""Anda's compressor: numbers as planes of mantissas that share an exponent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from amaranth.hdl import Cat, Module

from ... import rtl
from ...formats import BlockFormat, Format, format
from ...formats.lanes import join, vector
from ...golden import apply
from ...lazily import np
from ...rtl import Step, Values, wire
from ..blocks.lanes import LaneUnit, each_lane, of_lane, side_by_side, taken_apart
from ..blocks.shared import greatest_of, number_parameter
from ..contract import Contract
from ..conventions import MODES, conventions
from ..convert import Convert
from ..fpint.definitions import SIGNIFICAND
from ..operations import QUANTIZATION, Operation
from ..parameters import choice_parameter, integer_parameter
from . import definitions
from .unit import MOST_LANES, MOST_MANTISSA

ALIGNED = format("fp16")
"""The format whose exponents are shared."""


@dataclass(frozen=True, kw_only=True, repr=False)
class AndaQuant(LaneUnit):
    """A group of n numbers as a shared exponent, signs and bit planes of mantissas: Anda's
    compressor, whose planes are what `AndaPe` takes.

    In software the operand x is an array of codes of shape (..., n). The results are the planes p,
    of shape (..., m), the most significant bits first, and the signs s, of shape (...): bit i of
    each is of number i. The `exponent` is the greatest biased one of fp16, at least 1; a mantissa
    counts 2^(exponent - 15 - (m - 1)), and what alignment shifts out is dropped, or rounded to
    nearest even with the largest mantissa as the limit. These are the codes and scales of
    ``hwarith.quantize(x, "anda_mM")``. In hardware a transfer brings a whole group.

    Numbers in fp32 are rounded to fp16 first, to nearest even. An infinity or NaN, or a number
    beyond fp16, makes the exponent 31, all else 0, and sets `invalid`.

    Source: Fang et al., Anda, HPCA 2025 (arXiv 2411.15982), from a description of the paper;
    rounding to nearest, the hidden bit among the m bits and specials are decisions of this project.
    """

    family: ClassVar[str] = "andaquant"
    summary: ClassVar[str] = "Anda's compressor: bit planes of mantissas with a shared exponent"
    operation: ClassVar[Operation] = QUANTIZATION
    meanings: ClassVar[dict[str, str]] = {
        "x": "numbers of a group, the first one at the lsb",
        "p": "planes of mantissas, the most significant one at the lsb",
        "s": "signs, the first number's at the lsb",
        "exponent": "of the group: mantissas count 2^(exponent - 14 - m)",
        "invalid": "1: a number is infinite, NaN or beyond fp16",
    }

    m: int = integer_parameter("bits of a mantissa", 1, MOST_MANTISSA, 8)
    a: Format = number_parameter("fp16", ("fp16", "fp32"))
    n: int = integer_parameter("numbers of a group", 1, MOST_LANES, 64)
    round: str = choice_parameter(
        "what alignment shifts out: dropped, or to nearest even", ("rtz", "rne"), "rtz"
    )

    @property
    def kind(self) -> BlockFormat:
        """The format of blocks."""
        return format(f"anda_m{self.m}")  # type: ignore[return-value]

    @cached_property
    def _conversion(self) -> Convert | None:
        """What rounds numbers to fp16, if they are wider."""
        return None if self.a == ALIGNED else Convert(a=self.a, out=ALIGNED)

    @property
    def lane_formats(self) -> dict[str, tuple[Format, int]]:
        return {"x": (self.a, self.n), "p": (self._bits, self.m)}

    @property
    def _bits(self) -> Format:
        """A bit of each number."""
        return format(f"uint{self.n}")

    @property
    def operands(self) -> dict[str, Format]:
        return {"x": vector(self.a, self.n)}

    @property
    def results(self) -> dict[str, Format]:
        return {
            "p": vector(self._bits, self.m),
            "s": self._bits,
            "exponent": self.kind.scale,
            "invalid": format("uint1"),
        }

    @property
    def contract(self) -> Contract:
        bound = f"2^(exponent - {14 + self.m})"
        if self.round == "rne":
            bound = f"error at most 1/2 of {bound}, 1 where a mantissa would become 2^{self.m}"
            return Contract("faithful", bound, self.kind.source)
        return Contract("faithful", f"error less than 1 of {bound}", self.kind.source)

    @property
    def conventions(self) -> dict[str, str]:
        words = "toward zero: bits that alignment shifts out are dropped"
        words = words if self.round == "rtz" else MODES["rne"]
        first = "" if self.a == ALIGNED else f"to {ALIGNED}, {MODES['rne']}; of it "
        return conventions(
            f"{first}{words}",
            "the largest mantissa" if self.round == "rne" else "none, a mantissa has room",
            "exact at exponent 1",
            "exponent 31 and invalid, for infinities too; all else 0",
        )

    # -- golden --------------------------------------------------------------------------------

    def definition(self) -> tuple[Callable[..., int], tuple]:
        """That of a mantissa, of its number in fp16 and the group's exponent."""
        return definitions.mantissa, (self.m, int(self.round == "rne"))

    def block_definition(self) -> tuple[Callable[..., tuple], tuple]:
        constants = self.definition()[1]
        if self._conversion is None:
            return definitions.compressed, constants
        return definitions.rounded_and_compressed, (self._conversion.definition()[1], *constants)

    @property
    def word_bits(self) -> int:
        return 32 + 16  # 2^d, for the farthest shift

    def compute(self, *codes: np.ndarray) -> list[np.ndarray]:
        x = codes[0] if self._conversion is None else self._conversion(codes[0])
        exponent = (x >> 10 & 31).max(axis=-1, initial=1).astype(np.uint8)
        definition, constants = self.definition()
        operands = [x, np.broadcast_to(exponent[..., None], x.shape)]
        mantissas = apply(definition, operands, constants, np.dtype(np.uint16), self.word_bits)
        places = np.arange(self.m - 1, -1, -1, dtype=np.uint16)
        planes = mantissas[..., None, :] >> places[:, None] & 1
        invalid = exponent == 31
        signs = np.where(invalid[..., None], 0, x >> 15)
        one = format("uint1")
        return [join(planes, one), join(signs, one), exponent, invalid.astype(np.uint8)]

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[Step]:
        rounding = [rtl.renamed(x="a"), *self._conversion.datapath()] if self._conversion else []
        lane = [*rounding, rtl.renamed(x="code", y="code"), self._unpack]
        rounded = [self._align, self._round] if self.round == "rne" else [self._align]
        return [
            self._take_apart,
            *(each_lane(self.n, step) for step in lane),
            self._share,
            *(each_lane(self.n, step) for step in rounded),
            self._put_together,
        ]

    def _take_apart(self, m: Module, x: Values) -> Values:
        return taken_apart("x", self.a, self.n)(x)

    def _unpack(self, m: Module, x: Values) -> Values:
        """Sign, exponent and significand of a number in fp16."""
        fraction, biased, sign = x["code"][:10], x["code"][10:15], x["code"][15]
        hidden = wire(m, "hidden", biased.any())
        own = wire(m, "own", Cat(biased[0] | ~hidden, biased[1:]))
        return {"sign": sign, "own": own, "significand": Cat(fraction, hidden)}

    def _share(self, m: Module, x: Values) -> Values:
        """The greatest exponent, 31 if there is an infinity or NaN."""
        greatest = greatest_of(m, "own", [x[of_lane(i, "own")] for i in range(self.n)])
        return x | {"shared": greatest, "invalid": wire(m, "not_finite", greatest.all())}

    @property
    def _window(self) -> int:
        """Bits of a mantissa, and the one below it that rounds."""
        return self.m + (self.round == "rne")

    def _align(self, m: Module, x: Values) -> Values:
        """Each significand moved right by the distance to the shared exponent."""
        distance = wire(m, "distance", x["shared"] - x["own"], len(x["own"]))
        below = max(0, SIGNIFICAND - self._window)
        lost, kept = x["significand"][:below], x["significand"][below:]
        moved, sticky = rtl.shift_right(m, "by", kept, distance, self._window)
        window = wire(m, "window", moved & (~x["invalid"]).replicate(self._window))
        return {
            "mantissa": window,
            "sticky": wire(m, "inexact", sticky | lost.any()),
            "sign": wire(m, "negative", x["sign"] & ~x["invalid"]),
        }

    def _round(self, m: Module, x: Values) -> Values:
        """One more where the rest is beyond a half, or a half beside an odd mantissa; the largest
        stays."""
        half, mantissa = x["mantissa"][0], x["mantissa"][1:]
        up = wire(m, "up", half & (x["sticky"] | mantissa[0]) & ~mantissa.all())
        rounded = rtl.increment(m, "rounded", mantissa, up)
        return {"mantissa": rounded[: self.m], "sign": x["sign"]}

    def _put_together(self, m: Module, x: Values) -> Values:
        """A bit of each mantissa side by side, and all signs."""
        mantissas = [x[of_lane(i, "mantissa")] for i in range(self.n)]
        planes = [Cat(*(y[place] for y in mantissas)) for place in reversed(range(self.m))]
        return {
            "p": Cat(*planes),
            "s": side_by_side(x, self.n, "sign"),
            "exponent": x["shared"],
            "invalid": x["invalid"],
        }
