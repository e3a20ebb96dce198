"""Parameters and rules that the logarithmic units share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ...exceptions import InvalidInput
from ...formats import Format, fixed_point
from ..contract import Unit
from ..conventions import conventions, nan_words, overflow_words
from ..parameters import format_parameter, integer_parameter
from .definitions import Rules

PAM_SOURCE = "arXiv 2305.17190"


def ofs_parameter(help: str) -> Any:
    """A constant for sums of fields; None means the default of the unit."""
    return integer_parameter(help, 0, None, None, quiet=True)


@dataclass(frozen=True, kw_only=True, repr=False)
class Logarithmic(Unit):
    """Base of the units that compute with the fields of codes of one format.

    Subnormal operands count as zero, and results below the smallest normal number become zero, of
    the result's sign (``zero_pos=1``: always +0). Infinities and NaN follow IEEE 754. Overflow
    gives infinity, or with ``sat=1`` the largest finite value; in formats without infinity
    ``sat=1`` is the default, and ``sat=0`` gives NaN where there is one. What is infinite without
    overflow (an infinite operand, a division by zero) is infinity whatever `sat` is, but in formats
    without one the same as an overflow.
    """

    meanings: ClassVar[dict[str, str]] = {
        "a": "operand",
        "b": "second operand",
        "y": "result",
    }

    format: Format = format_parameter("of operands and result", "bf16")
    ofs: int = ofs_parameter("constant added to the fields' sum, subtracted from a difference")
    sat: int = integer_parameter(
        "1: overflow gives the largest finite value (default where there is no infinity)",
        0,
        1,
        None,
        quiet=True,
    )
    zero_pos: int = integer_parameter("1: a zero result is always +0", 0, 1, 0, quiet=True)

    def validate(self) -> None:
        f = self.format
        if not f.is_float or not f.signed or f.fraction_bits == 0 or f.hidden_always:
            raise InvalidInput(
                f"{self.family}: parameter format: must be a signed float with a fraction, "
                f"not {f.name}"
            )
        if not 0 < f.bias < 1 << f.exponent_bits:
            raise InvalidInput(
                f"{self.family}: parameter format: 1 must be one of its normal numbers, of "
                f"{f.name} it is not"
            )
        if self.ofs is None:
            object.__setattr__(self, "ofs", self._default_ofs())
        if self.ofs >> self._field_bits:
            raise InvalidInput(
                f"{self.family}: parameter ofs: must be 0 to {(1 << self._field_bits) - 1} "
                f"for {f.name}, not {self.ofs}"
            )
        if self.sat is None:
            object.__setattr__(self, "sat", self._default_sat())

    def _default_ofs(self) -> int:
        return 0

    def _default_sat(self) -> int:
        return int(not self.format.infinity)

    def shown_parameters(self) -> dict[str, Any]:
        shown = super().shown_parameters()
        for name, default in (("ofs", self._default_ofs()), ("sat", self._default_sat())):
            if getattr(self, name) == default:
                shown.pop(name, None)
        return shown

    @property
    def _field_bits(self) -> int:
        return self.format.exponent_bits + self.format.fraction_bits

    @property
    def rules(self) -> Rules:
        return Rules(self.ofs, self.sat, self.zero_pos, specials=1)

    @property
    def policy(self) -> dict[str, str]:
        keeps_infinity = self.format.infinity and self.rules.specials
        saturates = "satprop" if keeps_infinity else "saturate"
        return {"subnormals": "flush", "overflow": saturates if self.sat else "nosat"}

    @property
    def conventions(self) -> dict[str, str]:
        rules, out = self.rules, self.format
        zero = "+0" if rules.zero_pos else "zero of the result's sign"
        nan = nan_words(out) if rules.specials else "not looked for: its codes are numbers"
        return conventions(
            "none, bits beyond the result's are dropped",
            overflow_words(self.policy["overflow"] if rules.specials else "saturate", out),
            f"operands count as zeros; results below the smallest normal value become {zero}",
            nan,
        )

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.format}

    @property
    def word_bits(self) -> int:
        return self._field_bits + 3

    @property
    def fixed(self) -> Format:
        """The fixed-point format of logarithms: as many fraction bits as the float has, and one
        integer bit more than its exponent has, for the sign."""
        f = self.format
        return fixed_point(self._field_bits + 1, -f.fraction_bits)
