"""The multiply-add whose format is a port: one of the widest, or several of narrower ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from amaranth.hdl import Module

from ... import rtl
from ...exceptions import InvalidInput, quoted
from ...formats import ROUNDINGS, Format, format, scalar_format
from ...formats import rounding as r
from ...rtl import PORT, Values, wire
from ..blocks.lanes import abreast, of_lane
from ..contract import Contract, Unit
from ..conventions import MODE_PORT, conventions, rounding_bound, rounding_words
from ..exact.fma import Fma
from ..exact.options import round_parameter
from ..operations import MULTIPLY_ADDS, Operation
from ..parameters import text_parameter
from . import definitions
from .slices import Slice

FORMATS = "fp32+fp16+bf16+e4m3fn+e5m2"

MOST = 8
"""Formats of a unit."""

MULTI_FORMAT_MULTIPLY_ADD = Operation(
    "multi-format multiply-add", noun="multi-format multiply-add", rank=4, piece=MULTIPLY_ADDS
)


def _formats(value: Any) -> tuple[Format, ...]:
    """The formats of a text, with plus signs between them. Raises `InvalidInput`."""
    names = value.split("+") if isinstance(value, str) else value
    formats = tuple(scalar_format(name) for name in names)
    if not 2 <= len(set(formats)) == len(formats) <= MOST:
        raise InvalidInput(f"must be 2 to {MOST} formats, each once, not {quoted(value)}")
    word = max(f.bits for f in formats)
    for f in formats:
        like_ieee = f.is_float and f.signed and f.bias == (1 << (f.exponent_bits - 1)) - 1
        ends = (f.nan, f.infinity) in (("ieee", True), ("all_ones", False))
        if not like_ieee or not ends or f.ignored_bits or word % f.bits or word > 64:
            raise InvalidInput(
                f"{f.name} cannot be among them; allowed: signed floats of IEEE 754's bias with "
                "infinity and NaN, or as e4m3fn with NaN alone, whose bits divide those of the "
                "widest one, at most 64"
            )
    return formats


def _text(formats: tuple[Format, ...]) -> str:
    return "+".join(f.name for f in formats)


@dataclass(frozen=True, kw_only=True, repr=False)
class Multi(Unit):
    """Fused multiply-adds a*b+c of words, in the format that a port chooses, each rounded once.

    `fmt` is the place of the format among `formats`, from 0 up; numbers beyond the last one are the
    last one. A word has the bits of the widest format: of a format of n bits it holds as many codes
    as fit, code i at bits n*i up, and each gives a result at the same place. None knows of the
    others. By default 0 is one fp32, 1 two of fp16, 2 two of bf16, 3 four of e4m3fn and 4 four of
    e5m2. Overflow and NaN are as in `fma` of the format; subnormals are kept.

    Source: IEEE 754-2019, 5.4.1 (fusedMultiplyAdd); the lanes are those of CVFPU's merged slices
    (arXiv 2007.01530).
    """

    family: ClassVar[str] = "multi"
    summary: ClassVar[str] = "multiply-adds a*b+c in a format by port, correctly rounded"
    operation: ClassVar[Operation] = MULTI_FORMAT_MULTIPLY_ADD
    meanings: ClassVar[dict[str, str]] = {
        "a": "first factors, the first one at the lsb",
        "b": "second factors",
        "c": "addends",
        "fmt": "format, by its place among formats",
        "rm": MODE_PORT,
        "y": "a*b + c",
    }
    shared_operands: ClassVar[tuple[str, ...]] = ("fmt", "rm")

    formats: tuple[Format, ...] = text_parameter(
        "the formats, with + between them",
        _formats,
        "signed floats",
        FORMATS,
        in_name=lambda _, value: "_".join(f.identifier for f in value),
        in_spec=_text,
    )
    round: str = round_parameter((*ROUNDINGS, PORT))

    @property
    def word(self) -> int:
        """Bits of a word."""
        return max(f.bits for f in self.formats)

    @property
    def operands(self) -> dict[str, Format]:
        word = format(f"uint{self.word}")
        fmt = format(f"uint{(len(self.formats) - 1).bit_length()}")
        ports = {"a": word, "b": word, "c": word, "fmt": fmt}
        return ports | ({"rm": format("uint3")} if self.round == PORT else {})

    @property
    def results(self) -> dict[str, Format]:
        return {"y": format(f"uint{self.word}")}

    @property
    def contract(self) -> Contract:
        return Contract(
            "correctly rounded", rounding_bound(self.round, "ulp"), "IEEE 754-2019, 5.4.1"
        )

    @property
    def conventions(self) -> dict[str, str]:
        return conventions(
            f"once, {rounding_words(self.round)}",
            "of each format as in fma",
            "kept, in operands and results",
            "of each format the canonical one, whatever NaN an operand is",
        )

    # -- golden --------------------------------------------------------------------------------

    @cached_property
    def fmas(self) -> tuple[Fma, ...]:
        """The multiply-add of each format."""
        return tuple(Fma(a=f, round=self.round) for f in self.formats)

    def definition(self) -> tuple[Callable[..., int], tuple]:
        numbers = tuple(f.numbers for f in self.formats)
        constants = [u.definition()[1] for u in self.fmas]
        widths = tuple(x[-1] for x in constants)
        mode = () if self.round == PORT else (int(r.rounding(self.round)),)
        return definitions.multi, (*mode, self.word, numbers, widths, constants[0][-2])

    @property
    def word_bits(self) -> int:
        return max(self.word, *(u.word_bits for u in self.fmas))

    # -- hardware ------------------------------------------------------------------------------

    @cached_property
    def slices(self) -> tuple[Slice, ...]:
        """What computes each lane."""
        lanes = range(self.word // min(f.bits for f in self.formats))
        return tuple(self._slice(lane) for lane in lanes)

    def _slice(self, lane: int) -> Slice:
        own = [f for f in self.formats if (lane + 1) * f.bits <= self.word]
        e, m = max(f.exponent_bits for f in own), max(f.fraction_bits for f in own)
        holding = format(f"e{e}m{m}")
        return Slice(a=holding, round=self.round, formats=self.formats, lane=lane, word=self.word)

    def datapath(self) -> list[rtl.Step]:
        steps = zip(*(one.datapath() for one in self.slices), strict=True)
        return [*(abreast(of_lanes) for of_lanes in steps), self._merge]

    def _merge(self, m: Module, x: Values) -> Values:
        """The codes of all lanes in their places."""
        codes = [x[of_lane(i, "y")] for i in range(len(self.slices))]
        y = codes[0]
        for code in codes[1:]:
            y = y | code
        return {"y": wire(m, "codes", y)}
