"""The aligner: fp16 activations as integers that share an exponent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from amaranth.hdl import Cat, Const, Module

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...lazily import np
from ...rtl import Values, wire
from ..contract import Contract, Unit
from ..conventions import MODES, conventions
from ..operations import ALIGNMENT, Operation
from ..parameters import choice_parameter, integer_parameter
from . import definitions
from .definitions import SIGNIFICAND

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

SOURCE = "Jang et al., FIGNA, HPCA 2024"

ACTIVATION = format("fp16")

MOST_BITS = SIGNIFICAND + 29
"""Magnitude bits of a mantissa that hold every fp16 value exactly, whatever the exponent."""


class Aligned(NamedTuple):
    """Blocks of activations: mantissa * 2^(exponent - 14 - p).

    ``mantissa`` is int64 of shape (..., n), ``exponent`` the biased fp16 exponent that a block
    shares, uint8 (...); ``invalid``, bool (...), tells of infinity or NaN in a block.
    """

    mantissa: np.ndarray
    exponent: np.ndarray
    invalid: np.ndarray


def mantissa_parameter() -> Any:
    """The field `p` of the units of this folder."""
    return integer_parameter(
        "bits of a mantissa's magnitude: 11, and those below the significand's lsb",
        SIGNIFICAND,
        MOST_BITS,
        14,
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class PreAlign(Unit):
    """An fp16 activation as an integer, aligned to the exponent that its block shares.

    `exponent` is the greatest biased exponent of the block's finite values, at least 1
    (`hwarith.units.fpint.shared_exponent`). The mantissa is the significand with p - 11 bits below
    it, shifted right by the distance to that exponent and rounded, with its sign: an integer m of
    p + 1 bits, which stands for m * 2^(exponent - 14 - p). Its magnitude is at most
    2047 * 2^(p - 11). Subnormals are exact at exponent 1. An infinity or NaN has the mantissa 0 and
    sets `invalid`.

    An exponent below the activation's own is not shared by it; its distance counts modulo 32.

    With p=40 no value of fp16 is rounded at any exponent.

    Source: Jang et al., FIGNA, HPCA 2024; rounding, specials and widths are decisions of this
    project.
    """

    family: ClassVar[str] = "prealign"
    summary: ClassVar[str] = "fp16 as an integer mantissa, aligned to a block's exponent (FIGNA)"
    operation: ClassVar[Operation] = ALIGNMENT
    meanings: ClassVar[dict[str, str]] = {
        "a": "activation",
        "exponent": "greatest biased exponent of its block",
        "mantissa": "the activation in units of 2^(exponent - 14 - p)",
        "invalid": "1: the activation is infinite or NaN",
    }

    p: int = mantissa_parameter()
    round: str = choice_parameter(
        "what alignment shifts out: to nearest even, or dropped", ("rne", "rtz"), "rne"
    )

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": ACTIVATION, "exponent": format(f"uint{ACTIVATION.exponent_bits}")}

    @property
    def results(self) -> dict[str, Format]:
        return {"mantissa": format(f"int{self.p + 1}"), "invalid": format("uint1")}

    @property
    def contract(self) -> Contract:
        bound = "1/2" if self.round == "rne" else "less than 1"
        bound = f"{bound} of 2^(exponent - {14 + self.p}); exact with p={MOST_BITS}"
        return Contract("correctly rounded", bound, SOURCE)

    @property
    def conventions(self) -> dict[str, str]:
        dropped = "none, bits that alignment shifts out are dropped"
        return conventions(
            f"once, {MODES['rne']}" if self.round == "rne" else dropped,
            "none, a mantissa has room",
            "exact at exponent 1",
            "mantissa 0 and invalid, for infinities too",
        )

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.aligned, (self.p, int(self.round == "rtz"))

    @property
    def word_bits(self) -> int:
        return max(self.p + 3, 32)  # 2^d, for the farthest shift

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._unpack, self._shift, self._round]

    def _unpack(self, m: Module, x: Values) -> Values:
        """Significand, zero for what is no number; how far it goes to the right."""
        fraction, biased, sign = x["a"][:10], x["a"][10:15], x["a"][15]
        hidden = wire(m, "hidden", biased.any())
        invalid = wire(m, "not_finite", biased.all())
        significand = Cat(fraction, hidden) & (~invalid).replicate(SIGNIFICAND)
        own = Cat(biased[0] | ~hidden, biased[1:])
        return {
            "significand": wire(m, "significand", significand),
            "distance": wire(m, "distance", x["exponent"] - own, len(biased)),
            "sign": sign,
            "invalid": invalid,
        }

    def _shift(self, m: Module, x: Values) -> Values:
        """The magnitude with one bit below it, and whether to add one."""
        window, sticky = rtl.shift_right(m, "by", x["significand"], x["distance"], self.p + 1)
        magnitude, half = window[1:], window[0]
        up = half & (sticky | magnitude[0]) if self.round == "rne" else Const(0, 1)
        return {
            "magnitude": wire(m, "magnitude", magnitude),
            "up": wire(m, "up", up),
            "sign": x["sign"],
            "invalid": x["invalid"],
        }

    def _round(self, m: Module, x: Values) -> Values:
        """One increment rounds and negates: -(x + 1) is the inverse of x, and -x one more."""
        sign = x["sign"]
        row = wire(m, "row", Cat(x["magnitude"] ^ sign.replicate(self.p), sign))
        total = rtl.increment(m, "rounded", row, wire(m, "one", sign ^ x["up"]))
        return {"mantissa": total[: self.p + 1], "invalid": x["invalid"]}


def shared_exponent(acts: ArrayLike) -> np.ndarray:
    """The exponent that blocks share: of fp16 codes (..., n) the greatest biased exponent of those
    that are finite, at least 1, as uint8 (...). Raises `InvalidInput`."""
    a = block(acts)
    biased = (a >> 10 & 31).astype(np.uint8)
    return np.where(biased == 31, 1, biased).max(-1, initial=1)[()]


def align(acts: ArrayLike, p: int = 14, round: str = "rne") -> Aligned:
    """Blocks of activations, fp16 codes (..., n), aligned to the exponent of each.

    `p` and `round` are those of `PreAlign`. Raises `InvalidInput` for other ones, and for what are
    no blocks of codes.
    """
    u = PreAlign(p=p, round=round)
    a = block(acts)
    exponent = np.asarray(shared_exponent(a))
    codes, invalid = u(a, exponent[..., None])
    return Aligned(u.results["mantissa"].decode(codes), exponent[()], invalid.any(-1))


def block(acts: ArrayLike) -> np.ndarray:
    """Activations as fp16 codes of shape (..., n). Raises `InvalidInput`."""
    a = ACTIVATION.check(acts, "activations")
    if a.ndim == 0 or a.shape[-1] == 0:
        raise InvalidInput(
            f"blocks of activations have the shape (..., n) with n at least 1, not {a.shape}"
        )
    return a
