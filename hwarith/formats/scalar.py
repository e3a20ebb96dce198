"""Scalar number formats that encode and decode, and their names."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction
from functools import cache
from typing import Any

from ..exceptions import InvalidInput, quoted
from ..lazily import np
from ..pictures import Picture, drawing, new_figure, saved
from ..tables import Tabled
from . import codec, names
from .descriptor import Descriptor

MOST_PLOTTED = 8
"""Bits of formats whose numbers a line has room for."""


class Format(Descriptor, Tabled):
    """A scalar number format; `hwarith.format` makes one from its name.

    Its fields and facts are those of a `Descriptor`. Codes are bit patterns: unsigned integers in
    arrays of `dtype`.
    """

    def check(self, codes: Any, what: str = "codes") -> np.ndarray:
        """Codes in any accepted form, as an array of `dtype`.

        Accepted are integers that fit (negative ones in two's complement for signed integer
        formats), and arrays and tensors whose type is this very format (float16, float32 and
        float64 of numpy, ml_dtypes, what comes by DLPack), by their bit patterns.
        Raises `InvalidInput` for anything else, floats among them, naming `what`.
        """
        return codec.check(self, codes, what)

    def decode(self, codes: Any) -> np.ndarray:
        """Values of an array of codes.

        Returns float64 for floats and fixed-point formats and int64 or uint64 for integers, of
        the shape of `codes` (a scalar for one); a float wider than float64 and an integer above
        64 bits give Python's exact `Fraction` and `int` in an object array (-0, infinities and
        NaN as floats).
        """
        return codec.decode(self, codes)[()]

    def encode(self, values: Any, round: str = "rne", overflow: str = "satprop") -> np.ndarray:
        """Codes of an array of values, each rounded once.

        Parameters
        ----------
        values : floats, integers or ml_dtypes arrays of any shape, or Python's ``Fraction``s and
            ``Decimal``s.
        round : ``rne rna rtz rup rdn rto``.
        overflow : ``satprop`` (what is finite and too large becomes the largest value; infinities
            stay infinite, and are NaN or else the largest value in formats without them),
            ``saturate``, ``nosat``, ``nan``, ``p3109_satnone`` as in the table of
            ``docs/rounding.md``; ``wrap`` for integer formats. Posits have ``satprop`` and
            ``saturate``, and ``rne`` alone.

        Returns an array of `dtype`, or a scalar for a scalar. Raises `InvalidInput` for an
        unknown mode or policy, and for values that are no numbers.

        Where the table is silent: a negative value in an unsigned format becomes its lowest
        code (``satprop``, ``saturate``) or NaN, minus infinity NaN but with ``saturate``; zero in
        e8m0fnu becomes 00 (``satprop``, ``saturate``) or NaN.
        """
        return codec.encode(self, values, round, overflow)[()]

    def plot(self) -> Picture:
        """Its finite numbers on a line, of a format of at most 8 bits; above it those from -2 to 2.
        Raises `InvalidInput`, and `MissingTool` without
        matplotlib."""
        if self.bits > MOST_PLOTTED:
            raise InvalidInput(
                f"a number line has formats of at most {MOST_PLOTTED} bits, {self.name} has "
                f"{self.bits}"
            )
        numbers = np.unique(np.asarray(self.decode(self.codes()), np.float64))
        numbers = numbers[np.isfinite(numbers)]
        with drawing():
            figure = new_figure(7, 1.8)
            for axes, part in zip(
                figure.subplots(2, 1), (numbers[abs(numbers) <= 2], numbers), strict=True
            ):
                axes.eventplot([part], lineoffsets=0.5, linelengths=1, linewidths=0.7)
                axes.set_yticks([])
                axes.spines[["top", "left", "right"]].set_visible(False)
            figure.suptitle(f"{self.name}: {len(numbers)} numbers; above those from -2 to 2")
            return saved(figure)

    def decode_one(self, code: int) -> Fraction | float:
        """The exact value of one code, a plain integer; -0, infinities and NaN as floats.

        It needs no numpy. Raises `InvalidInput` for what is no code of the format.
        """
        return codec.decode_one(self, codec.check_one(self, code, "code"))

    def encode_one(self, value: Any, round: str = "rne", overflow: str = "satprop") -> int:
        """The code of one value as a plain integer: `encode`, without numpy.

        `value` is an integer, a float, or Python's ``Fraction`` or ``Decimal``.
        """
        return codec.encode_one(self, value, round, overflow)


def format(name: Any) -> Format:
    """The format of this name (or a numpy or ml_dtypes dtype; a `Format` is returned as it is).

    Names are those of ml_dtypes without the ``floatN_`` prefix, and ``fp64 fp32 tf32 fp16 bf16``;
    ``intN`` and ``uintN`` (N up to 1024); ``fixI.F`` and ``ufixI.F``, fixed point of I integer
    bits, the sign among them, and F of fraction (either may be negative); ``eXmY`` (X 2 to 15, Y 1
    to 112; IEEE-style, with
    ``fn``: no infinities and one NaN magnitude, all ones; with ``fnuz``: one NaN, in place
    of -0); ``eXmYf`` and ``eXmYbBf`` (X 1 to 15, Y 0 to 112), in which every code is a number, with
    the bias of IEEE 754 or B (``e3m0b-2f``); the formats of P3109 as ``binary8p4se``; and
    ``positN`` (N 3 to 32), with two exponent bits, or ``positNeE`` with E of them (0 to 4).

    Raises `InvalidInput` for an unknown name, with the nearest known one.
    """
    if isinstance(name, Format):
        return name
    if isinstance(name, str):
        return _of(names.by_name(name.strip().lower()))
    try:
        dtype = np.dtype(name)
    except (TypeError, ValueError):
        raise InvalidInput(f"a format is given by its name, not {quoted(name)}") from None
    return _of(names.of_dtype(dtype))


def fixed_point(bits: int, exponent: int, signed: bool = True) -> Format:
    """The format of integers of so many bits in units of 2^exponent: ``intN`` or ``fixI.F``."""
    return _of(names.fixed_point(bits, exponent, signed))


@cache
def _of(descriptor: Descriptor) -> Format:
    """The one `Format` of a descriptor."""
    return Format(**{field.name: getattr(descriptor, field.name) for field in fields(descriptor)})


NAMED = {name: _of(descriptor) for name, descriptor in names.NAMED.items()}
"""The formats with names of their own, by name; all others follow from a pattern."""
