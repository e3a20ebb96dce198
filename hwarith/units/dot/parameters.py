"""Parameters of a dot product: what can be given, what follows, and what goes with what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, Self

from ...exceptions import InvalidInput, name_of
from ...formats import Format, fixed_point, format
from ...rtl import SUM_BLOCK, Rounder
from ...rtl.floats import rounder_of
from ..blocks.lanes import LaneUnit
from ..blocks.readers import Reader
from ..exact.integers import INTEGER_POLICIES
from ..exact.options import round_parameter
from ..exact.posits import check_posits
from ..flags import check_flags, rounding_flags_parameter
from ..overflow import checked_overflow, default_overflow, overflow_parameter, without_defaults
from ..parameters import choice_parameter, integer_parameter, text_parameter
from ..timed import RANKS
from .accumulation import Accumulation, accumulation_parameter
from .metadata import bm_parameter, check, fill, meta_parameter, most, readers
from .presets import preset

MOST = 64
"""Most products of a dot product."""

NONE = "none"
EXACT = "exact"

SCALES = ("e8m0fnu", "ue4m3")
"""Formats of scales."""


def _or_word(word: str) -> Callable[[Any], Any]:
    """A parser of formats that takes a word in their place."""

    def parse(value: Any) -> Any:
        return word if isinstance(value, str) and name_of(value) == word else format(value)

    return parse


def _scale(value: Any) -> Format | None:
    if isinstance(value, str) and name_of(value) == NONE:
        return None
    found = format(value)
    if found.name not in SCALES:
        raise InvalidInput(f"must be {' or '.join((*SCALES, NONE))}, not {found.name}")
    return found


def _preset(value: Any) -> str:
    name = name_of(value) if isinstance(value, str) else ""
    preset(name)
    return name


def _optional_integer(help: str, low: int, high: int) -> Any:
    def in_name(name: str, value: int) -> str:
        return f"{name}{'m' if value < 0 else ''}{abs(value)}"

    return integer_parameter(help, low, high, None, quiet=True, in_name=in_name)


@dataclass(frozen=True, kw_only=True, repr=False)
class DotParameters(LaneUnit):
    """The parameters of `hwarith.units.dot.unit.Dot`, which says what they do."""

    takes_posits: ClassVar[bool] = True

    a: Format = text_parameter("first factors (default: e4m3fn)", format, "a format", None)
    b: Format = text_parameter("second factors (default: that of a)", format, "a format", None)
    n: int = integer_parameter("products (default: 32)", 1, MOST, None)
    scale: Format | None = text_parameter(
        "format of the blocks' scales (default: none)", _scale, " ".join((*SCALES, NONE)), None
    )
    block: int = _optional_integer(
        "products that share a scale (default: n, at most 32, or 16 for ue4m3)", 1, MOST
    )
    c: Any = text_parameter(
        "addend: a format, or none (default: fp32; int32 for integers)",
        _or_word(NONE),
        "a format, or none",
        None,
    )
    out: Any = text_parameter(
        "result: a format, or exact: the sum as a fixed-point number (default: that of c)",
        _or_word(EXACT),
        "a format, or exact",
        None,
    )
    acc: Accumulation = accumulation_parameter()
    group: int = _optional_integer(
        "trunc-F: products that are summed up before they are aligned (default: 1)", 1, MOST
    )
    floor: int = _optional_integer(
        "trunc-F, halves-F: the greatest exponent counts as at least this (default: that of the "
        "smallest normal result, plus 18 - F)",
        -(1 << 12),
        1 << 12,
    )
    keep: int = _optional_integer("fraction bits of the result (default: all of out)", 1, 112)
    round: str = round_parameter()
    overflow: str = overflow_parameter()
    subnormals: str = choice_parameter(
        "keep; daz, ftz, flush as everywhere (acc=exact, seq); zero: operands become +0, and "
        "results zeros after rounding (acc=seq, pairwise)",
        ("keep", "daz", "ftz", "flush", "zero"),
        "keep",
        quiet=True,
    )
    nan: str = choice_parameter(
        "the NaN of results: canonical, or ones: all bits but the sign are ones",
        ("canonical", "ones"),
        "canonical",
        quiet=True,
    )
    flags: str = rounding_flags_parameter()
    meta: str = meta_parameter()
    bm: str = bm_parameter()
    preset: str = text_parameter(
        "a GPU's instruction, which stands for all other parameters",
        _preset,
        "a name",
        None,
        in_name=lambda _, value: value.replace("-", "_"),
    )

    # -- parameters ----------------------------------------------------------------------------

    def validate(self) -> None:
        if self.preset is not None:
            self._take_preset()
        fill(self)
        self._fill_formats()
        self._fill_sizes()
        self._check_posits()
        self._check_accumulation()
        self._check_flags()
        check(self)
        policy = checked_overflow("dot", self.overflow, self.rounded, self._integer_policies)
        object.__setattr__(self, "overflow", policy)

    def _take_preset(self) -> None:
        given = [
            name
            for name, p in self.parameters().items()
            if name not in ("preset", *RANKS) and getattr(self, name) != p.default
        ]
        if given:
            raise InvalidInput(
                f"dot: preset {self.preset} says what {', '.join(given)} is; beside it there can "
                "be stages alone"
            )
        for name, text in preset(self.preset).parameters.items():
            object.__setattr__(self, name, self.parameters()[name].parse(text))

    def _default(self, name: str, value: Any) -> None:
        if getattr(self, name) is None:
            object.__setattr__(self, name, value)

    def _fill_formats(self) -> None:
        self._default("a", format("e4m3fn"))
        self._default("b", self.a)
        integers = not (self.a.is_float or self.b.is_float or self.scale)
        usual = self.a if self.a.is_posit else format("int32" if integers else "fp32")
        self._default("c", NONE if self.gives_sum else usual)
        self._default("out", self.c if self.c != NONE else usual)
        for name in ("a", "b", "c", "out"):
            f = getattr(self, name)
            if isinstance(f, Format) and (f.bits > 32 or f.hidden_always):
                what = "up to 32 bits and with a zero"
                raise InvalidInput(
                    f"dot: parameter {name}: must be a format of {what}, not {f.name}"
                )
        if self.gives_sum and (self.c != NONE or self.acc.way != "exact" or self.scale):
            raise InvalidInput(
                "dot: out=exact is the sum of products alone: acc=exact, c=none, scale=none"
            )
        whole = self.out != EXACT and not self.out.is_float
        if whole and not self.is_integer and self.acc.way != "exact":
            raise InvalidInput(
                f"dot: acc={self.acc} rounds to a float, not to {self.out.name}; allowed: exact"
            )

    def _check_posits(self) -> None:
        terms = {"a": self.a, "b": self.b} | ({"c": self.addend} if self.addend else {})
        posits = [f.name for f in (*terms.values(), self.rounded) if f.is_posit]
        if posits and (self.acc.way != "exact" or self.scale):
            raise InvalidInput(
                f"dot: sums with {posits[0]} are exact ones without scales; allowed: acc=exact, "
                "scale=none"
            )
        check_posits("dot", terms, self.rounded, vars(self))

    def _fill_sizes(self) -> None:
        self._default("n", 32)
        if self.scale is None and self.block not in (None, self.n):
            raise InvalidInput("dot: parameter block: there are no scales; give scale as well")
        usual = 16 if self.scale and self.scale.name == "ue4m3" else 32
        self._default("block", min(self.n, usual) if self.scale else self.n)
        if self.n % self.block:
            raise InvalidInput(f"dot: parameter block: must divide n={self.n}, not {self.block}")
        self._default("group", 1)
        if self.n % self.group or self.block % self.group:
            raise InvalidInput(
                f"dot: parameter group: must divide block={self.block}, not {self.group}"
            )

    def _check_accumulation(self) -> None:
        way, result = self.acc.way, self.rounded
        if way in ("trunc", "halves"):
            lowest = result.numbers.emin if result.is_float else 0
            self._default("floor", lowest + 18 - self.acc.bits)
        elif self.floor is not None:
            raise InvalidInput(f"dot: parameter floor: acc={self.acc} has none; trunc-F has")
        if self.group > 1 and (way != "trunc" or not self.scale):
            raise InvalidInput("dot: parameter group: for acc=trunc-F with scales")
        if way not in ("exact", "seq", "pairwise") and not (self.out != EXACT and result.is_float):
            raise InvalidInput(f"dot: acc={self.acc} rounds to a float, not to {result.name}")
        if way in ("halves", "floor", "floor2") and (self.scale or self.c == NONE):
            raise InvalidInput(f"dot: acc={self.acc} takes an addend and no scales")
        if way == "halves" and (self.n % 4 or self.c != self.out):
            raise InvalidInput(f"dot: acc={self.acc}: n must be a multiple of 4, and c that of out")
        fp32 = format("fp32")
        if way in ("floor", "floor2") and not (
            self.c == self.out == fp32 and self.acc.bits > fp32.fraction_bits
        ):
            raise InvalidInput(
                f"dot: acc={self.acc} is for c and out in fp32 alone, and F of at least 24"
            )
        if self.subnormals != "keep":
            allowed = {"zero": ("seq", "pairwise")}.get(self.subnormals, ("exact", "seq"))
            if way not in allowed or not result.is_float:
                raise InvalidInput(
                    f"dot: parameter subnormals: {self.subnormals} is for "
                    f"acc={' or '.join(allowed)} and floats"
                )
        if self.keep is not None and (
            way not in ("exact", "trunc")
            or self.out.nan != "ieee"
            or self.keep >= self.out.fraction_bits
        ):
            raise InvalidInput(
                "dot: parameter keep: must be fewer fraction bits than out has, a float with "
                "IEEE's infinities and NaN; with acc=exact or trunc-F"
            )
        if self.nan == "ones" and self.out.nan not in ("ieee", "all_ones"):
            raise InvalidInput(f"dot: parameter nan: {self.out.name} has no NaN of all ones")

    def _check_flags(self) -> None:
        if self.flags == "none":
            return
        check_flags("dot", self.flags, self.rounded)
        unflagged = {
            f"acc={self.acc}": self.acc.way not in ("exact", "seq", "pairwise"),
            "nan=ones": self.nan == "ones",
            "subnormals=zero": self.subnormals == "zero",
            "out=exact": self.gives_sum,
            "integers alone": self.is_integer,
        }
        if without := [name for name, is_so in unflagged.items() if is_so]:
            raise InvalidInput(
                f"dot: parameter flags: there are none with {', '.join(without)}; allowed: sums of "
                "floats with acc=exact, seq or pairwise"
            )

    def shown_parameters(self) -> dict[str, Any]:
        policy = default_overflow(self.rounded, self._integer_policies)
        shown = without_defaults(super().shown_parameters(), policy, not self.is_exact)
        if self.preset is not None:
            return {k: v for k, v in shown.items() if k in ("preset", *RANKS)}
        hidden = {"preset"}
        if self.scale is None:
            hidden |= {"scale", "block"}
        if self.group == 1:
            hidden |= {"group"}
        return {k: v for k, v in shown.items() if k not in hidden}

    # -- what follows --------------------------------------------------------------------------

    @property
    def addend(self) -> Format | None:
        """The format of c, if there is one."""
        return self.c if isinstance(self.c, Format) else None

    @property
    def lane_formats(self) -> dict[str, tuple[Format, int]]:
        """The operands that are several codes: their format and number."""
        found = {"a": (self.a, self.n), "b": (self.b, self.n)}
        if self.scale:
            left, right = (x.word for x in self.readers) if self.readers else (self.scale,) * 2
            found |= {"sa": (left, self.blocks), "sb": (right, self.blocks)}
        return found

    @property
    def gives_sum(self) -> bool:
        """Whether the result is the exact sum itself."""
        return self.out == EXACT

    @property
    def is_integer(self) -> bool:
        """Whether the result is an integer or fixed point, of such operands."""
        formats = [f for f in (self.a, self.b, self.addend, self.rounded) if f]
        return self.scale is None and not any(f.is_float for f in formats)

    @property
    def exact_exponent(self) -> int:
        """The step of the exact sum of integers, as a power of two."""
        product = self.a.exponent + self.b.exponent
        return min(product, self.addend.exponent) if self.addend else product

    @property
    def is_exact(self) -> bool:
        """Whether nothing is rounded: sums of integers of which the result has the step."""
        return self.gives_sum or (self.is_integer and self.rounded.exponent <= self.exact_exponent)

    @property
    def _integer_policies(self) -> tuple[str, ...]:
        """Overflow policies of a result that is an integer, the default first."""
        return INTEGER_POLICIES if self.is_integer or self.gives_sum else ("saturate",)

    @property
    def result(self) -> Format:
        """The format of the result."""
        return self.rounded if self.gives_sum else self.out

    @cached_property
    def rounded(self) -> Format:
        """The format that the sum is rounded to."""
        if self.gives_sum:
            lsb = self.a.numbers.lsb + self.b.numbers.lsb
            bits = self.sum_bits + 1
            return fixed_point(bits, lsb)
        if self.keep is not None:
            return format(f"e{self.out.exponent_bits}m{self.keep}")
        return self.out

    @property
    def pad(self) -> int:
        """Zero bits behind the rounded result."""
        return 0 if self.gives_sum else self.result.bits - self.rounded.bits

    @property
    def marked(self) -> bool:
        """Whether a bit says that the sum is none, as a factor is not finite."""
        return self.gives_sum and any(f.infinity or f.nan != "none" for f in (self.a, self.b))

    @cached_property
    def readers(self) -> tuple[Reader, Reader] | None:
        """What reads the blocks of both sides, where they have metadata."""
        return readers(self.meta, self.n) if self.meta != "none" else None

    @property
    def blocks(self) -> int:
        """Scales of each side."""
        return self.n // self.block

    @cached_property
    def sum_bits(self) -> int:
        """Bits of the greatest magnitude of the sum of all products, without scales."""
        if self.readers:
            return most(self.readers).bit_length()
        return (self.n * steps(self.a) * steps(self.b)).bit_length()

    @property
    def flushes_operands(self) -> bool:
        """Whether subnormal operands count as zeros."""
        return self.subnormals in ("daz", "flush")

    @property
    def flushes_results(self) -> bool:
        """Whether tiny results become zeros."""
        return self.subnormals in ("ftz", "flush")

    @cached_property
    def rounder(self) -> Rounder:
        """What rounds and packs the sum."""
        return rounder_of(
            self.rounded, self.round, str(self.overflow), 0, self.flushes_results, self.flags
        )

    def part(self, **changes: Any) -> Self:
        """The same dot product with other parameters."""
        kept = {name: getattr(self, name) for name in self.parameters()}
        derived = dict.fromkeys(("preset", "block", "group", "keep", *RANKS[3:]))
        own = {"nan": "canonical", "stages": 0, "cuts": (), "grain": SUM_BLOCK}
        return type(self)(**(kept | derived | own | changes))


def steps(f: Format) -> int:
    """The greatest magnitude of a format in units of its smallest step."""
    return int(max(f.max, -f.min) / Fraction(2) ** f.numbers.lsb)
