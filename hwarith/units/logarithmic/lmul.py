"""L-Mul: multiplication by adding the exponent and fraction fields (arXiv 2410.00907)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format
from ..contract import Contract
from ..operations import PRODUCT, Operation
from ..parameters import choice_parameter, integer_parameter
from . import definitions, hardware
from .base import Logarithmic, ofs_parameter
from .definitions import Rules


def l_of(k: int) -> int:
    """The paper's l(k) for k fraction bits (equation 1): the offset is 2^(-l)."""
    return k if k <= 3 else 3 if k == 4 else 4


@dataclass(frozen=True, kw_only=True, repr=False)
class LMul(Logarithmic):
    """Approximate product (1 + x + y + 2^(-l)) * 2^(ex+ey), made by one integer addition.

    The fields of exponent and fraction are added, with a constant, as integers; a carry out of
    the fraction falls into the exponent. (Equation 1 of the paper would not have it do so; its
    figure 2 does, and is three times as accurate.) `Logarithmic` says what becomes of special
    cases, which the paper leaves open. With ``specials=none`` there are none: codes of infinities
    and NaN are numbers of the top binade like any others, and overflow saturates, at the largest
    finite value of the format; so does the Verilog that others have published.

    Source: Luo and Sun, arXiv 2410.00907, equation 1 and figure 2.
    """

    family: ClassVar[str] = "lmul"
    summary: ClassVar[str] = "L-Mul: approximate product by adding exponent and fraction fields"
    operation: ClassVar[Operation] = PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "a": "first factor",
        "b": "second factor",
        "y": "approximate product",
    }

    k: int = integer_parameter("fraction bits kept of an operand (default: all)", 1, None, None)
    krnd: str = choice_parameter("how operands lose the others", ("trunc", "rne"), "trunc")
    ofs: int = ofs_parameter("constant added to the fields' sum (default: 2^(m-l(k)), the paper's)")
    specials: str = choice_parameter(
        "none: infinities and NaN are not looked for", ("ieee", "none"), "ieee", quiet=True
    )

    def validate(self) -> None:
        f = self.format
        if f.is_float and self.k is None:
            object.__setattr__(self, "k", max(1, f.fraction_bits))
        if f.is_float and self.k > max(1, f.fraction_bits):
            raise InvalidInput(
                f"lmul: parameter k: must be 1 to {f.fraction_bits} for {f.name}, not {self.k}"
            )
        super().validate()
        if self.specials == "none" and not self.sat:
            raise InvalidInput("lmul: parameter sat: must be 1 with specials=none, not 0")

    def _default_ofs(self) -> int:
        return 1 << (self.format.fraction_bits - l_of(self.k))

    def _default_sat(self) -> int:
        return int(not self.format.infinity or self.specials == "none")

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.format, "b": self.format}

    @property
    def contract(self) -> Contract:
        c = 2.0 ** -l_of(self.k)
        low, high = 2 / (1.5 - c / 2) ** 2, 1 + c  # of the product of reduced operands
        step = 2.0**-self.k if self.k < self.format.fraction_bits else 0.0
        if self.krnd == "trunc":
            low *= (1 - step) ** 2
        else:
            low, high = low * (1 - step / 2) ** 2, high * (1 + step / 2) ** 2
        bound = (
            f"relative error {100 * (low - 1):+.2f} % to {100 * (high - 1):+.2f} % "
            "for normal operands and results"
        )
        if self.ofs != self._default_ofs():
            bound = "an offset other than the paper's"
        return Contract("approximate", bound, "arXiv 2410.00907, eq. 1 and fig. 2")

    @property
    def rules(self) -> Rules:
        return Rules(self.ofs, self.sat, self.zero_pos, specials=int(self.specials == "ieee"))

    @property
    def _drop(self) -> int:
        return self.format.fraction_bits - self.k

    def definition(self) -> tuple[Callable[..., int], tuple]:
        constants = (self._drop, int(self.krnd == "rne"), self.rules)
        return definitions.product, (self.format.numbers, *constants)

    def datapath(self) -> list[rtl.Step]:
        return hardware.product(self.format, self.rules, self._drop, self.krnd == "rne")
