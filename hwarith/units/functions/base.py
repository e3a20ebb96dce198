"""What units of elementary functions have in common: parameters, contract, golden model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from ...exceptions import InvalidInput
from ...formats import ROUNDINGS, STOCHASTIC, Format
from ...formats import rounding as r
from ...golden import SMALL
from ...lazily import np
from ..contract import Contract
from ..conventions import rounding_bound
from ..division.base import Divided
from ..parameters import choice_parameter, format_parameter
from . import definitions
from .exactly import ODD
from .fit import AUTOMATIC, BOTH, DIRECTED, MINIMAX, NEAREST, NEIGHBOURS, Wish
from .store import table
from .words import correct_words

_SOURCE = "limits as IEEE 754-2019, 9.2.1; tables by constraints after RLIBM (POPL 2021)"

_NARROW, _WIDEST = 16, 32
"""Bits of operands and results of which every one is looked at, and of all others."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Function(Divided):
    """Base of the units of elementary functions of one operand.

    With ``accuracy=correct`` a result is the function's value, rounded once; with ``faithful`` it
    is one of the two codes beside it, and the value itself where that is a code. Hardware reads
    tables, which are found so that they keep this promise for every operand. It is faithful, and
    rounded to nearest, where operand or result has more than 16 bits: by pieces of degree 2.
    """

    takes_posits: ClassVar[bool] = False

    takes_wide: ClassVar[bool] = False
    """Whether operands and results may have more than 16 bits."""

    a: Format = format_parameter("operand, of at most 32 bits", "bf16")
    out: Format = format_parameter("result, of at most 32 bits", same_as="a")
    accuracy: str = choice_parameter(
        "correct: the value rounded once, the default of at most 16 bits; faithful: one of the two "
        "codes beside it",
        ("correct", "faithful"),
        None,
    )

    def validate(self) -> None:
        if self.accuracy is None:
            object.__setattr__(self, "accuracy", "faithful" if self.is_wide else "correct")
        if self.round.removeprefix("port_") in STOCHASTIC:
            raise InvalidInput(
                f"{self.family}: parameter round: there is none at random, not {self.round}; "
                f"allowed: {' '.join(ROUNDINGS)} port"
            )
        for name, f in {"a": self.a, "out": self.out}.items():
            if name == "a" and self.takes(f):
                continue
            most = _WIDEST if self.takes_wide else _NARROW
            if not f.is_float or not f.signed or f.hidden_always or f.bits > most:
                raise InvalidInput(
                    f"{self.family}: parameter {name}: must be a signed float of at most {most} "
                    f"bits, not {f.name}; allowed: such as bf16, fp16, e4m3fn, e5m2"
                )
        if self.is_wide:
            self._check_wide()
        if self.ftz or self.daz:
            raise InvalidInput(
                f"{self.family}: parameter subnormals: tables are for all operands and results, "
                f"not {self.subnormals}; allowed: keep"
            )
        super().validate()

    @property
    def is_wide(self) -> bool:
        """Whether there are more operands or results than can be looked at, one by one."""
        return max(self.a.bits if self.a.is_float else 0, self.out.bits) > _NARROW

    def _check_wide(self) -> None:
        """Refuse what a table of minimax pieces cannot promise."""
        formats = f"{self.a.name} to {self.out.name}"
        if not self.a.is_float:
            raise InvalidInput(
                f"{self.family}: parameter out: of {self.a.name} must have at most {_NARROW} bits, "
                f"not {self.out.name}"
            )
        if self.accuracy != "faithful":
            raise InvalidInput(
                f"{self.family}: parameter accuracy: is faithful from {formats}, not "
                f"{self.accuracy}; correct is for formats of at most {_NARROW} bits"
            )
        if self.round not in ("rne", "rna"):
            raise InvalidInput(
                f"{self.family}: parameter round: must be to nearest from {formats}, not "
                f"{self.round}; allowed: rne rna"
            )

    def shown_parameters(self) -> dict[str, Any]:
        """What is correctly rounded goes without saying."""
        shown = super().shown_parameters()
        if self.accuracy == "correct":
            del shown["accuracy"]
        return shown

    def takes(self, a: Format) -> bool:
        """Whether operands may be of a format that is no float."""
        return False

    # -- contract ------------------------------------------------------------------------------

    @property
    def terms(self) -> dict[str, Format]:
        return {"a": self.a}

    @property
    def function(self) -> str:
        """What `exactly` calls it."""
        return self.family

    @property
    def contract(self) -> Contract:
        if self.accuracy == "correct":
            return Contract("correctly rounded", rounding_bound(self.round, "ulp"), _SOURCE)
        return Contract("faithful", "error less than 1 ulp, exact where that is a code", _SOURCE)

    @property
    def goal(self) -> str:
        """What a table must keep apart (`fit`)."""
        if self.is_wide:
            return MINIMAX
        to_nearest = self.round in ("rne", "rna")
        if self.accuracy == "faithful":
            return NEIGHBOURS if to_nearest else DIRECTED
        if to_nearest:
            return NEAREST
        return DIRECTED if self.round in ROUNDINGS else BOTH

    # -- golden --------------------------------------------------------------------------------

    @cached_property
    def approximation(self) -> Any:
        """The table that hardware reads, and what it computes of an operand before its result is
        rounded (`store.table`). With ``accuracy=faithful`` that defines the unit."""
        return table(self.function, self.a, self.out, self.goal, self.wish)

    @property
    def wish(self) -> Wish:
        """What is asked of the table."""
        return AUTOMATIC

    @property
    def _bits(self) -> int:
        """Leading bits that the definition rounds: two more than the result has, and room for any
        exponent."""
        if self.accuracy == "faithful":
            return self.approximation.bits
        return max(self.out.precision, self.a.exponent_bits) + 2

    def definition(self) -> tuple[Callable[..., int], tuple]:
        limits = definitions.LIMITS[self.function]
        if self.is_wide:
            return self.wide_definition, (*self.constants(), limits, self._numbers)
        return definitions.function, (*self.constants(), limits, self._bits)

    @property
    def wide_definition(self) -> Callable[..., int]:
        """The golden definition by pieces of degree 2."""
        raise NotImplementedError

    @property
    def _numbers(self) -> tuple:
        """The table as the definition takes it."""
        return self.approximation.numbers(self.a)

    def arguments(self, codes: list) -> list:
        """A code and its leading bits, and what else is on ports; of more than 16 bits the
        definition finds these."""
        a, *control = super().arguments(codes)
        if self.is_wide:
            return [a, *control]
        if not hasattr(a, "astype"):
            return [a, self._word(a), *control]
        if a.size <= SMALL:
            words = [self._word(code) for code in a.ravel().tolist()]
            return [a, np.array(words, np.int64).reshape(a.shape), *control]
        return [a, self._words_of(a), *control]

    def _word(self, code: int) -> int:
        if self.accuracy == "correct":
            x = definitions.leading_of(self.function, code, self.a, self.out, self._bits)
        else:
            kind, s, e, g = r.unpack(code, self.a.numbers)
            x = self.approximation.leading(s, e, g, self.a) if kind == r.FINITE else None
            if x is not None and self.function in ODD:
                x = x._replace(sign=s)
        return definitions.word_of(x, self._bits)

    def _words_of(self, codes: np.ndarray) -> np.ndarray:
        return self._words()[codes]

    def _words(self) -> np.ndarray:
        """The words of all codes, or of all fractions in fixed point."""
        if self.accuracy == "correct":
            return correct_words(self.function, self.a, self.out, self._bits)
        bits = self.a.bits if self.a.is_float else -self.a.exponent
        return np.array([self._word(code) for code in range(1 << bits)], np.int64)

    @property
    def word_bits(self) -> int:
        if self.is_wide:
            return max(self.approximation.widest(self.a), self.out.bits + 18)
        return max(self._bits + 18, self.out.bits + 18)
