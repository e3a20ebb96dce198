"""Parameters that the units of AxCore share: formats, a product's constant, a column's state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple

from ...exceptions import InvalidInput
from ...formats import Format, format
from ..contract import Unit
from ..parameters import choice_parameter, format_parameter, integer_parameter
from .definitions import Frame, Rules

SOURCE = "AxCore, MICRO 2025"

WEIGHTS = ("e3m0f", "e2m1fn", "e1m2f", "e4m3fn")
"""Formats of weights."""

GUARD = 2
"""Fraction bits of a term beyond those of a product."""


def mean_correction(fa: Format, fw: Format) -> Fraction:
    """What a sum of fields lacks on average, over all pairs of fractions, in units of the last
    place of `fa`: the field of the exact product less the sum.

    With fractions x and y the product is (1 + x)(1 + y), whose field is that less 1, or its half
    where it reaches 2. So the sum x + y lacks xy, or (1 - x)(1 - y) / 2.
    """
    steps_x, steps_y = 1 << fa.fraction_bits, 1 << fw.fraction_bits
    total = Fraction(0)
    for j in range(steps_y):
        y = Fraction(j, steps_y)
        below = -(-steps_x * (1 - y) // (1 + y))  # so many x have a product below 2
        above = steps_x - below
        total += y * below * (below - 1) / 2
        total += (1 - y) / 2 * above * (above + 1) / 2
    return total / (steps_x * steps_y)


def correction(fa: Format, fw: Format) -> int:
    """`mean_correction` as an integer."""
    return round(mean_correction(fa, fw))


def correction_parameter(help: str) -> Any:
    """A constant for sums of fields; None means the mean."""
    return integer_parameter(
        help, 0, None, None, quiet=True, in_name=lambda name, value: f"{name}_{value}"
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class OfFormat(Unit):
    """Base of the units of AxCore: the format that their results have."""

    most_fraction_bits: ClassVar[int] = 23

    a: Format = format_parameter("of activations and results", "fp16")
    profile: str = choice_parameter(
        "hw: with IEEE 754's special values, saturating; ae: the integers of the authors' code",
        ("hw", "ae"),
        "hw",
        quiet=True,
    )

    def validate(self) -> None:
        f, most = self.a, self.most_fraction_bits
        if not f.is_float or not f.signed or f.nan != "ieee" or not 3 <= f.fraction_bits <= most:
            raise InvalidInput(
                f"{self.family}: parameter a: must be a float with infinities and 3 to {most} "
                f"fraction bits, such as fp16 or bf16, not {f.name}"
            )

    @property
    def _defaults(self) -> dict[str, Callable[[], int]]:
        """What parameters are that are not given, by their names."""
        return {}

    def _set_default(self, name: str) -> None:
        if getattr(self, name) is None:
            object.__setattr__(self, name, self._defaults[name]())

    def _set_correction(self, name: str) -> None:
        """The same of a constant for sums of fields. Raises `InvalidInput` for one that is no
        fraction."""
        self._set_default(name)
        if getattr(self, name) >> self.a.fraction_bits:
            most = (1 << self.a.fraction_bits) - 1
            raise InvalidInput(
                f"{self.family}: parameter {name}: must be 0 to {most} for {self.a.name}, not "
                f"{getattr(self, name)}"
            )

    def shown_parameters(self) -> dict[str, Any]:
        usual = self._defaults
        shown = super().shown_parameters().items()
        return {name: x for name, x in shown if name not in usual or x != usual[name]()}

    @property
    def artifact(self) -> bool:
        """Whether it computes what the authors' code does."""
        return self.profile == "ae"


@dataclass(frozen=True, kw_only=True, repr=False)
class Multiplying(OfFormat):
    """Base of the units with products."""

    w: Format = format_parameter("of weights", "e2m1fn")
    c1: int = correction_parameter("constant added to the fields' sum (default: the mean)")
    snc: int = integer_parameter(
        "1: subnormal weights are mapped to normal ones", 0, 1, 1, quiet=True
    )

    def validate(self) -> None:
        super().validate()
        if self.w.name not in WEIGHTS:
            raise InvalidInput(
                f"{self.family}: parameter w: must be {', '.join(WEIGHTS)}, not {self.w.name}"
            )
        self._set_correction("c1")

    @property
    def _defaults(self) -> dict[str, Callable[[], int]]:
        return super()._defaults | {"c1": lambda: correction(self.a, self.w)}

    @property
    def rules(self) -> Rules:
        return Rules(self.c1, self.snc, int(self.artifact))


class State(NamedTuple):
    """Where the fields of a state's code lie."""

    head: int
    frac: int
    exponent_bits: int
    flags: int

    @property
    def man(self) -> slice:
        return slice(0, self.head + self.frac)

    @property
    def exponent(self) -> slice:
        return slice(self.man.stop, self.man.stop + self.exponent_bits)

    @property
    def sign(self) -> int:
        return self.exponent.stop

    @property
    def bits(self) -> int:
        return self.sign + 1 + self.flags


@dataclass(frozen=True, kw_only=True, repr=False)
class OfColumn(OfFormat):
    """Base of the units of a column: the width of its sum, which makes the code of its state
    (`definitions`)."""

    depth: int = integer_parameter("terms that a column may have without an overflow", 1, 65536, 64)
    head: int = integer_parameter(
        "integer bits of a sum (default: 1 + log2(depth); with profile=ae those of an exponent, "
        "less one)",
        1,
        20,
        None,
        quiet=True,
    )

    def validate(self) -> None:
        super().validate()
        self._set_default("head")

    @property
    def _defaults(self) -> dict[str, Callable[[], int]]:
        return super()._defaults | {"head": self._default_head}

    def _default_head(self) -> int:
        if self.artifact:
            return self.a.exponent_bits - 1
        return 1 + (self.depth - 1).bit_length()

    @property
    def fields(self) -> State:
        """The fields of a state."""
        f = self.a
        flags = 0 if self.artifact else 3
        return State(self.head, f.fraction_bits + GUARD, f.exponent_bits, flags)

    @property
    def frame(self) -> Frame:
        return Frame(self.head, self.a.fraction_bits + GUARD, self.a.exponent_bits)

    @property
    def state(self) -> Format:
        """The code of a state, as the bits that it has."""
        return format(f"uint{self.fields.bits}")
