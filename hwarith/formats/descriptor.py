"""What a bit pattern means: the facts of a scalar number format."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

from ..exceptions import InvalidInput
from ..lazily import np
from . import rounding as r

Kind = Literal["float", "int", "posit"]

NanCodes = Literal["ieee", "all_ones", "negative_zero", "none"]
"""Which codes are NaN: see `Descriptor`."""


@dataclass(frozen=True)
class Descriptor:
    """The facts of a scalar number format; a `Format` encodes and decodes as well.

    A float of value ``(-1)^s * (1 + T/2^M) * 2^(E-bias)``, or ``(-1)^s * T/2^M * 2^(1-bias)`` in
    the lowest binade; or an integer of value ``code * 2^exponent`` (two's complement if signed);
    or a posit: two's complement, with a magnitude of a regime (a run of equal bits that the first
    other one ends), an exponent E and a fraction T, each as far as there is room for it, of value
    ``(1 + T/2^t) * 2^(k * 2^exponent_bits + E)``; a run of r ones is k = r - 1, of r zeros k = -r.

    Parameters
    ----------
    name : the canonical name, from which `hwarith.format` makes the format again.
    kind : ``"float"``, ``"int"`` or ``"posit"``.
    bits : width of a code.
    exponent_bits, fraction_bits, bias : of a float; of a posit the first two, which are the most
        that it may have.
    exponent : weight of an integer's lsb (0 but for fixed-point formats).
    signed : whether there is a sign bit (for integers: two's complement).
    infinity : whether the format has infinities.
    nan : which codes are NaN. ``ieee``: exponent all ones, fraction not zero. ``all_ones``: the
        magnitude of all ones. ``negative_zero``: the code of a lone sign bit (NaR of posits).
        ``none``: no code.
    hidden_always : no zero and no subnormals; the hidden bit is 1 in the lowest binade too.
    ignored_bits : bits on top of a code that are stored but mean nothing.
    symmetric : an integer whose encoder never gives the most negative code.

    Source: IEEE 754-2019 section 3.4, OCP OFP8 and MX v1.0, ml_dtypes, P3109 interim report v4.0,
    Posit Standard (2022).
    """

    name: str
    kind: Kind
    bits: int
    exponent_bits: int = 0
    fraction_bits: int = 0
    bias: int = 0
    exponent: int = 0
    signed: bool = True
    infinity: bool = False
    nan: NanCodes = "none"
    hidden_always: bool = False
    ignored_bits: int = 0
    symmetric: bool = False

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"hwarith.format({self.name!r})"

    @property
    def identifier(self) -> str:
        """The name in letters and digits, as in names of modules: ``fix4p4``, ``fix10pn2``."""
        return self.name.replace(".", "p").replace("-", "n")

    @property
    def is_float(self) -> bool:
        """Whether exponents vary: a float, or a posit."""
        return self.kind != "int"

    @property
    def is_posit(self) -> bool:
        return self.kind == "posit"

    @property
    def precision(self) -> int:
        """Significant bits: the fraction and the hidden bit, or an integer's magnitude bits."""
        return self.fraction_bits + 1 if self.is_float else self.bits

    @property
    def has_negative_zero(self) -> bool:
        return self.is_float and self.signed and self.nan != "negative_zero"

    @cached_property
    def numbers(self) -> r.FormatNumbers:
        """The format as plain integers, for golden definitions."""
        if self.is_posit:
            return self._posit_numbers()
        return self._float_numbers() if self.is_float else self._integer_numbers()

    def _integer_numbers(self) -> r.FormatNumbers:
        mask = self._magnitude_mask
        return r.FormatNumbers(
            integer=1,
            posit=0,
            exponent_bits=0,
            bits=self._value_bits,
            signed=int(self.signed),
            fraction_bits=0,
            emin=0,
            lsb=self.exponent,
            hidden_always=0,
            bias=0,
            mag_mask=mask,
            max_mag=mask,
            min_mag=(mask + (not self.symmetric)) if self.signed else 0,
            inf_mag=-1,
            first_nan_mag=-1,
            nan_code=-1,
            negative_zero=0,
        )

    def _float_numbers(self) -> r.FormatNumbers:
        one, mask = 1 << self.fraction_bits, self._magnitude_mask
        max_mag, inf_mag, first_nan_mag, nan_code = mask, -1, -1, -1
        if self.nan == "ieee":
            inf_mag = mask - (one - 1)
            first_nan_mag, nan_code, max_mag = inf_mag + 1, inf_mag + one // 2, inf_mag - 1
        else:
            if self.nan == "all_ones":
                first_nan_mag = nan_code = mask
                max_mag -= 1
            elif self.nan == "negative_zero":
                nan_code = mask + 1
            if self.infinity:
                inf_mag, max_mag = max_mag, max_mag - 1
        emin = -self.bias if self.hidden_always else 1 - self.bias
        return r.FormatNumbers(
            integer=0,
            posit=0,
            exponent_bits=self.exponent_bits,
            bits=self._value_bits,
            signed=int(self.signed),
            fraction_bits=self.fraction_bits,
            emin=emin,
            lsb=emin - self.fraction_bits,
            hidden_always=int(self.hidden_always),
            bias=self.bias,
            mag_mask=mask,
            max_mag=max_mag,
            min_mag=0,
            inf_mag=inf_mag,
            first_nan_mag=first_nan_mag,
            nan_code=nan_code,
            negative_zero=int(self.has_negative_zero),
        )

    def _posit_numbers(self) -> r.FormatNumbers:
        mask = self._magnitude_mask
        minpos = -(self.bits - 2) << self.exponent_bits
        return r.FormatNumbers(
            integer=0,
            posit=1,
            exponent_bits=self.exponent_bits,
            bits=self.bits,
            signed=1,
            fraction_bits=self.fraction_bits,
            emin=minpos,
            lsb=minpos - self.fraction_bits,
            hidden_always=0,
            bias=0,
            mag_mask=mask,
            max_mag=mask,
            min_mag=mask,
            inf_mag=-1,
            first_nan_mag=-1,
            nan_code=mask + 1,
            negative_zero=0,
        )

    @property
    def _value_bits(self) -> int:
        return self.bits - self.ignored_bits

    @property
    def _magnitude_mask(self) -> int:
        return (1 << (self._value_bits - self.signed)) - 1

    @property
    def dtype(self) -> np.dtype:
        """The smallest unsigned numpy type that holds a code (object beyond 64 bits)."""
        for width in (8, 16, 32, 64):
            if self.bits <= width:
                return np.dtype(f"uint{width}")
        return np.dtype(object)

    @property
    def max(self) -> Fraction:
        """The largest finite value."""
        return self.fraction(r.pack_max(0, self.numbers))

    @property
    def min(self) -> Fraction:
        """The lowest finite value."""
        n = self.numbers
        return self.fraction(r.pack_max(1, n) if self.signed else 0)

    @property
    def smallest_normal(self) -> Fraction:
        """The smallest positive normal value (an integer's step; of a posit the smallest one)."""
        return Fraction(2) ** (self.numbers.emin if self.is_float else self.exponent)

    @property
    def smallest(self) -> Fraction:
        """The smallest positive value: subnormal where there are subnormals."""
        return self.smallest_normal if self.is_posit else Fraction(2) ** self.numbers.lsb

    def last_place(self, exponent: Any) -> Any:
        """Exponents of the last place of results from 2^exponent up, of an integer or an array of
        them: a fraction below it, but an integer's is fixed, subnormal ones are those of the lowest
        binade, and of a posit it is as much lower as the regime leaves room for fraction (or
        exponent, without which codes are as many binades apart)."""
        if not self.is_float:
            return 0 * exponent + self.exponent
        if self.is_posit:
            k = exponent >> self.exponent_bits
            run = (k ^ (k >> 63)) + 1
            return exponent - (self.bits - 2 - run - self.exponent_bits)
        emin = self.numbers.emin
        return exponent + (emin - exponent) * (exponent < emin) - self.fraction_bits

    @property
    def in_float64(self) -> bool:
        """Whether every value is one of float64."""
        return self.precision <= 53 and self.exponent_bits <= 11

    @property
    def word_bits(self) -> int:
        """Widest magnitude met in taking a code apart: of a float its significand."""
        return self.precision if self.kind == "float" and self.bits <= 64 else self.bits

    def magnitude_bits(self, least: Fraction, most: Fraction) -> int:
        """Bits of what positive values from `least` to `most` are rounded to before their range is
        looked at, with unbounded exponents (`rounding.magnitude`); 0 if codes have room for it."""
        if not self.is_float:
            return 0
        if self.is_posit:
            return self.bits + 1 + max(self.bits - 3, self.exponent_bits)  # before it is cut off
        bits = max(abs(self._unbounded_magnitude(x)).bit_length() for x in (least, most))
        return bits if bits > self.bits - self.signed else 0

    def _unbounded_magnitude(self, x: Fraction) -> int:
        n = self.numbers
        top = x.numerator.bit_length() - x.denominator.bit_length()  # of multiples of powers of two
        q = top - n.fraction_bits
        return r.magnitude(math.ceil(x / Fraction(2) ** q), q, n)

    def codes(self) -> np.ndarray:
        """All codes in ascending order. Raises `InvalidInput` above 24 bits."""
        if self.bits > 24:
            raise InvalidInput(f"format {self.name} has 2^{self.bits} codes, too many to list")
        return np.arange(1 << self.bits, dtype=self.dtype)

    def fraction(self, code: int) -> Fraction:
        """The exact value of one finite code. Raises `InvalidInput` for infinities and NaN."""
        kind, s, e, g = r.unpack(int(code), self.numbers)
        if kind != r.FINITE:
            raise InvalidInput(f"code {code:#x} of {self.name} is not a finite number")
        return (-1) ** s * g * Fraction(2) ** e
