"""The accumulator of bit-serial arithmetic: the parameters that make its code, and its fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ...exceptions import InvalidInput
from ...formats import Format, format
from ..contract import Unit
from ..parameters import integer_parameter
from .definitions import EXPONENT_BITS, Frame


@dataclass(frozen=True, kw_only=True, repr=False)
class BitSerial(Unit):
    """Base of the units that know the code of an accumulator: the parameters that make it."""

    meanings: ClassVar[dict[str, str]] = {
        "magnitude": "of the accumulator",
        "exponent": "of the magnitude's lsb, in excess",
        "sign": "1: negative",
        "invalid": "1: an activation was infinite or NaN",
        "overflow": "1: an exponent grew too large",
    }
    fx: int = integer_parameter("bits that alignment keeps below a significand", 0, 16, 3)
    aw: int = integer_parameter(
        "bits of the accumulator's magnitude (default: 20 + fx)", 8, 36, None
    )
    expw: int = integer_parameter(
        "bits of the accumulator's exponent", EXPONENT_BITS, 8, EXPONENT_BITS, quiet=True
    )

    def validate(self) -> None:
        if self.aw is None:
            object.__setattr__(self, "aw", self._widest)
        if self.aw > self._widest:
            raise InvalidInput(
                f"{self.family}: parameter aw: must be 8 to {self._widest} with fx={self.fx}, "
                f"not {self.aw}"
            )

    @property
    def _widest(self) -> int:
        """Bits of the accumulator that hold the sum of the lanes at the greatest bsig."""
        return 20 + self.fx

    def shown_parameters(self) -> dict[str, Any]:
        shown = super().shown_parameters()
        if self.aw == self._widest:
            del shown["aw"]
        return shown

    @property
    def frame(self) -> Frame:
        return Frame(0, self.fx, self.aw, joint=0, truncate=0, left_norm=0, exponent_bits=self.expw)

    @property
    def state(self) -> dict[str, Format]:
        """The fields of an accumulator's code, the first one at its lsb."""
        bits = {"magnitude": self.aw, "exponent": self.expw, "sign": 1}
        bits |= {"invalid": 1, "overflow": 1}
        return {name: format(f"uint{n}") for name, n in bits.items()}

    @property
    def state_bits(self) -> int:
        """Bits of an accumulator's code."""
        return sum(f.bits for f in self.state.values())
