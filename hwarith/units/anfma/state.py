"""What the units of the chain share: parameters, the code of a state, checks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from ...exceptions import InvalidInput, name_of, quoted
from ...formats import Format, format
from ...lazily import np
from ..contract import Unit
from ..parameters import format_parameter, integer_parameter
from .definitions import Frame

SOURCE = "arXiv 2408.11997"

_HEADROOM = 32
"""Binades above the largest product that exponents reach: columns of up to 2^32 products."""

WIDEST = 64
"""Widest significand of a state."""

NORMS = "exact, or an-K-L with K and L at least 1"


def parse_norm(value: object) -> str:
    """The name of a normalization. Raises `InvalidInput`."""
    text = name_of(value)
    if text != "exact" and not re.fullmatch(r"an-[1-9]\d?-[1-9]\d?", text):
        raise InvalidInput(f"must be {NORMS}, not {quoted(value)}")
    return text


def check_float(family: str, name: str, f: Format) -> None:
    """Raise `InvalidInput` for a format that factors, seeds and results cannot have."""
    if not f.is_float or not f.signed or f.fraction_bits == 0 or f.ignored_bits:
        raise InvalidInput(
            f"{family}: parameter {name}: must be a signed float with a fraction, not {f.name}"
        )


class State(NamedTuple):
    """Fields of states, arrays of one shape: (-1)^sign * significand * 2^(exponent - (w - 1)), and
    flags (1: a NaN was met, 2: +infinity, 4: -infinity). The exponent of zero is the lowest."""

    sign: np.ndarray
    exponent: np.ndarray
    significand: np.ndarray
    flags: np.ndarray


@dataclass(frozen=True, kw_only=True, repr=False)
class Chained(Unit):
    """Base of the units of a chain: the formats of the factors and the significand's width, which
    make the code of a state (`golden`)."""

    a: Format = format_parameter("first factor", "bf16")
    b: Format = format_parameter("second factor", same_as="a")
    w: int = integer_parameter("bits of a state's significand", 4, WIDEST, 24)

    meanings: ClassVar[dict[str, str]] = {
        "c": "state of the chain: significand at the lsb, exponent, sign, flags (docs/anfma.md)",
    }

    def validate(self) -> None:
        for name, f in (("a", self.a), ("b", self.b)):
            check_float(self.family, name, f)
        if self.w < self.product_bits:
            raise InvalidInput(
                f"{self.family}: parameter w: must be {self.product_bits} to {WIDEST} for products "
                f"of {self.a.name} and {self.b.name}, not {self.w}"
            )

    @property
    def product_bits(self) -> int:
        """Bits of a product's significand."""
        return self.a.precision + self.b.precision

    @property
    def exponent_bits(self) -> int:
        """Bits of a state's exponent: it reaches from the least product, shifted to the left as
        far as it goes, to the greatest one and `_HEADROOM` binades."""
        fa, fb = self.a, self.b
        least = 3 - fa.bias - fb.bias - self.w
        greatest = sum((1 << f.exponent_bits) - 1 - f.bias for f in (fa, fb)) + 1 + _HEADROOM
        return max(-least, greatest).bit_length() + 1

    @property
    def state(self) -> Format:
        """The code of a state, as the bits that it has."""
        return format(f"uint{self.w + self.exponent_bits + 4}")

    @property
    def frame(self) -> Frame:
        return Frame(self.w, self.exponent_bits, guard=0, normalize_product=0, k=0, lam=0)

    def unpack_state(self, codes: np.ndarray) -> State:
        """The fields of codes of states, int64 arrays of the shape of `codes`.

        Raises `InvalidInput` for what are no codes of the format `state`.
        """
        codes = self.state.check(codes, f"states of {self.family}").astype(np.int64)
        f = codes & ((1 << self.w) - 1)
        x = (codes >> self.w) & ((1 << self.exponent_bits) - 1)
        s = (codes >> (self.w + self.exponent_bits)) & 1
        e = np.where(f == 0, 0, x) - (1 << (self.exponent_bits - 1))
        return State(s, e, f, codes >> (self.w + self.exponent_bits + 1))

    def pack_state(self, state: State) -> np.ndarray:
        """Codes of states, of their shape. Exponents are taken modulo their range."""
        x = (state.exponent + (1 << (self.exponent_bits - 1))) & ((1 << self.exponent_bits) - 1)
        fields = (state.significand, x, state.sign, state.flags)
        at = (0, self.w, self.w + self.exponent_bits, self.w + self.exponent_bits + 1)
        code = np.zeros(x.shape, self.state.dtype)
        for field, shift in zip(fields, at, strict=True):
            code |= field.astype(code.dtype) << code.dtype.type(shift)
        return code
