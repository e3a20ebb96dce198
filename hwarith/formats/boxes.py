"""Codes of floats in wider words, whose upper bits are all ones: NaN boxing.

Source: RISC-V, D extension, NaN boxing of narrower values.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

from ..lazily import np
from . import codec
from .descriptor import Descriptor
from .scalar import Format


@dataclass(frozen=True, repr=False)
class BoxedFormat(Format):
    """Codes of a float format in a wider word, with ones above; any other word is a NaN, as a
    wider float's box would be of a narrower operation.

    Parameters
    ----------
    of : the format within, which has a NaN.
    """

    of: Format | None = None

    @property
    def inner(self) -> Format:
        """The format within."""
        assert self.of is not None
        return self.of

    @property
    def ones(self) -> int:
        """The bits of a word above the code, in their places."""
        return (1 << self.bits) - (1 << self.inner.bits)

    def box(self, codes: np.ndarray) -> np.ndarray:
        """Words of an array of codes of the format within."""
        return np.asarray(codes).astype(self.dtype) | self.dtype.type(self.ones)

    def unbox(self, words: np.ndarray) -> np.ndarray:
        """Codes of an array of words: of what is not boxed the canonical NaN."""
        ones, inner = self.dtype.type(self.ones), self.inner
        codes = np.where(words & ones == ones, words & ~ones, inner.numbers.nan_code)
        return codes.astype(inner.dtype)

    def unbox_one(self, word: int) -> int:
        """The code of one word, plain integers."""
        is_boxed = word & self.ones == self.ones
        return word & ~self.ones if is_boxed else self.inner.numbers.nan_code

    def decode(self, codes: Any) -> np.ndarray:
        return self.inner.decode(self.unbox(self.check(codes)))

    def encode(self, values: Any, round: str = "rne", overflow: str = "satprop") -> np.ndarray:
        return self.box(self.inner.encode(values, round, overflow))[()]

    def decode_one(self, code: int) -> Fraction | float:
        return self.inner.decode_one(self.unbox_one(codec.check_one(self, code, "code")))

    def encode_one(self, value: Any, round: str = "rne", overflow: str = "satprop") -> int:
        return self.inner.encode_one(value, round, overflow) | self.ones


def boxed(f: Format, bits: int) -> BoxedFormat:
    """The codes of a float format, which has a NaN, in words of more bits."""
    facts = {field.name: getattr(f, field.name) for field in fields(Descriptor)}
    facts |= {
        "name": f"{f.name} in {bits} bits",
        "bits": bits,
        "ignored_bits": f.ignored_bits + bits - f.bits,
    }
    return BoxedFormat(**facts, of=f)
