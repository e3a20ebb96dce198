"""Packed special values: the codes of the largest value, infinity and NaN, and what overflows to
which of them.

They are made of what a format declares, by the words of ``docs/rounding.md``, and not with the
golden model's numbers and functions: the two are to find each other's mistakes.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...formats import Format


@dataclass(frozen=True)
class Specials:
    """The special codes of a float format. Modes and policies are given by their names; a mode
    that is none of the directed ones, or to odd, counts as to nearest.

    A magnitude is a code without its sign bit (and without bits on top that are ignored).
    """

    format: Format

    @property
    def magnitude_bits(self) -> int:
        f = self.format
        return f.bits - 1 if f.is_posit else f.exponent_bits + f.fraction_bits

    @property
    def code_bits(self) -> int:
        """Bits of a code that mean something."""
        return self.magnitude_bits + self.format.signed

    @property
    def _ones(self) -> int:
        return (1 << self.magnitude_bits) - 1

    @property
    def infinity(self) -> int | None:
        """The magnitude of infinity: IEEE's exponent of ones; else (P3109) the highest one, or the
        one below NaN."""
        f = self.format
        if not f.infinity:
            return None
        if f.nan == "ieee":
            return self._ones >> f.fraction_bits << f.fraction_bits
        return self._ones - (f.nan == "all_ones")

    @property
    def nan(self) -> int | None:
        """The code of the canonical NaN: positive, quiet, without a payload."""
        f = self.format
        if f.nan == "ieee":
            return self._ones >> (f.fraction_bits - 1) << (f.fraction_bits - 1)
        return {"all_ones": self._ones, "negative_zero": self._ones + 1}.get(f.nan)

    @property
    def has_payload(self) -> bool:
        """Whether there are NaN of many codes, quiet and signaling ones (IEEE 754-2019, 6.2.1)."""
        return self.format.nan == "ieee" and self.format.fraction_bits > 1

    @property
    def largest(self) -> int:
        """The magnitude of the largest value: what lies below infinity, or else below a NaN that
        is a magnitude."""
        if self.infinity is not None:
            return self.infinity - 1
        return self._ones - (self.format.nan == "all_ones")

    @property
    def nan_result(self) -> int:
        """What a NaN becomes: the canonical one, or in formats without it the largest value."""
        return self.extreme(0) if self.nan is None else self.nan

    def code(self, sign: int, magnitude: int) -> int:
        if sign and self.format.is_posit:
            return (1 << self.format.bits) - magnitude
        return magnitude | (sign << self.magnitude_bits if self.format.signed else 0)

    def extreme(self, sign: int) -> int:
        """The code of the largest or, if `sign` is 1, the lowest finite value."""
        lowest = sign and not self.format.signed
        return 0 if lowest else self.code(sign, self.largest)

    def zero(self, policy: str) -> int:
        """What a zero becomes in a format without one."""
        return 0 if policy in ("saturate", "satprop") or self.nan is None else self.nan

    def below(self, mode: str, policy: str) -> int:
        """What a negative value becomes in an unsigned format."""
        clamps = policy == "p3109_satnone" and mode in ("rtz", "rup")
        return 0 if clamps else self.zero(policy)

    def overflow(self, sign: int, mode: str, policy: str) -> int:
        """What a finite value beyond the largest one of its sign becomes."""
        if sign and not self.format.signed:
            return self.below(mode, policy)
        stays = policy in ("saturate", "satprop") or self.rounds_back(sign, mode, policy)
        if stays or self.nan is None or (policy == "p3109_satnone" and self.infinity is None):
            return self.extreme(sign)
        if policy == "nan" or self.infinity is None:
            return self.nan
        return self.code(sign, self.infinity)

    def rounds_back(self, sign: int, mode: str, policy: str) -> bool:
        """Whether a mode gives the largest value where others leave the range."""
        if policy == "toinf":
            return False
        if mode == "rto":
            return policy != "p3109_satnone" or not (self.format.signed or sign)
        return mode == "rtz" or mode == ("rup" if sign else "rdn")

    def infinite(self, sign: int, policy: str) -> int:
        """What an exact result that is infinite becomes."""
        has_it = self.format.signed or not sign
        clamps = policy == "p3109_satnone" and self.infinity is None and has_it
        if policy == "saturate" or self.nan is None or clamps:
            return self.extreme(sign)
        return self.code(sign, self.infinity) if self.infinity and has_it else self.nan

    def follows_largest(self, mode: str, policy: str) -> bool:
        """Whether in a mode every value that reaches the one behind the largest becomes the next
        code, so that nothing needs to notice. Modes that never round it up are no exception: the
        truncated magnitude of a negative sum may lack one to be exact.
        """
        return self.largest < self._ones and all(
            self.overflow(sign, mode, policy) == self.code(sign, self.largest + 1)
            for sign in ((0, 1) if self.format.signed else (0,))
        )
