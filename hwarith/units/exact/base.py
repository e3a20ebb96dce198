"""What the exact units have in common: their parameters, contract, checks, ports and results."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import ROUNDINGS, Format, Rounding, Stochastic, format
from ...formats import rounding as r
from ...lazily import np
from ...rtl import PORT, Operand, Raw, Rounder, Step, Structure, Values, wire
from ...rtl.floats import Specials, rounder_of
from ..contract import Contract, Unit
from ..conventions import (
    MODE_PORT,
    SUBNORMALS,
    conventions,
    nan_words,
    of_integers,
    overflow_words,
    rounding_bound,
    rounding_words,
)
from ..flags import EXCEPTIONS, FLAGS, check_flags, flag_results, rounding_flags_parameter
from ..overflow import checked_overflow, default_overflow, overflow_parameter, without_defaults
from ..parameters import choice_parameter
from . import definitions
from .integers import (
    FLOAT_TO_INTEGER_POLICIES,
    INTEGER_POLICIES,
    check_all_integers,
    fitted,
)
from .options import (
    ROUNDING_CHOICES,
    random_bits,
    random_bits_parameter,
    round_parameter,
)
from .posits import POSIT_STANDARD, check_posits

GUARD_BITS = 4
"""Bits that `add_exact` needs beyond the widest significand and the result's precision."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Exact(Unit):
    """Base of the units whose exact result is rounded once.

    With ``round=port`` the mode comes with the operands, on a port ``rm`` (the numbers of
    `Rounding`); random bits of stochastic rounding on ``r``; what to negate, where a family can,
    on ``op``. With `flags` there is a second result of five bits, those of RISC-V's ``fflags``:
    NX, UF, OF, DZ, NV from the lsb up (DZ of divisions alone).
    """

    round: str = round_parameter(ROUNDING_CHOICES)
    overflow: str = overflow_parameter()
    n: int | None = random_bits_parameter()
    subnormals: str = choice_parameter(
        "keep; daz: operands are taken as zeros; ftz: tiny results become zeros; flush: both",
        ("keep", "daz", "ftz", "flush"),
        "keep",
        quiet=True,
    )
    nan: str = choice_parameter(
        "what NaN operands become: canonical, or payload: the first of them, made quiet",
        ("canonical", "payload"),
        "canonical",
        quiet=True,
    )
    flags: str = rounding_flags_parameter()

    takes_posits: ClassVar[bool] = True

    meanings: ClassVar[dict[str, str]] = {
        "rm": MODE_PORT,
        "r": "random bits, new ones with every operand",
        "flags": EXCEPTIONS,
    }

    if TYPE_CHECKING:
        out: Format  # a field of every family

    # -- what a family gives -------------------------------------------------------------------

    @property
    def terms(self) -> dict[str, Format]:
        """Names and formats of the operands that are numbers."""
        raise NotImplementedError

    @property
    def operations(self) -> dict[str, int]:
        """Values of the parameter ``op``, if there is one, and the bits of the golden model."""
        return {}

    @property
    def negated(self) -> dict[int, tuple[str, ...]]:
        last = tuple(self.terms)[-1]
        both = {definitions.NEGATE_PRODUCT: "a", definitions.NEGATE_ADDEND: last}

        def names(op: int) -> tuple[str, ...]:
            return tuple(name for bit, name in both.items() if op & bit)

        if self._op == PORT:
            return {op: names(op) for op in self.operations.values()}
        return {0: names(self.operations.get(str(self._op), 0))}

    # -- parameters ----------------------------------------------------------------------------

    @property
    def is_integer(self) -> bool:
        """Whether operands and result are integers or fixed point."""
        return not any(f.is_float for f in (*self.terms.values(), self.out))

    @property
    def has_exceptions(self) -> bool:
        """Whether there are exceptions that flags can tell of: not where all are integers."""
        return not self.is_integer

    @property
    def is_exact(self) -> bool:
        """Whether nothing is rounded: integers of which the result has the step, or a finer one."""
        return self.is_integer and self.out.exponent <= self.exact_exponent

    @property
    def exact_exponent(self) -> int:
        """The step of the exact result of integers, as a power of two."""
        factors, terms = self.operation.factors, list(self.terms.values())
        return min(
            [sum(f.exponent for f in terms[:factors]), *(f.exponent for f in terms[factors:])]
        )

    @property
    def daz(self) -> bool:
        """Whether subnormal operands are taken as zeros."""
        return self.subnormals in ("daz", "flush")

    @property
    def ftz(self) -> bool:
        """Whether tiny results become zeros. A format without zero and
        subnormals (e8m0fnu) has nothing to flush to."""
        return self.subnormals in ("ftz", "flush") and not self.out.hidden_always

    @property
    def _has_subnormals(self) -> bool:
        return any(f.kind == "float" for f in (*self.terms.values(), self.out))

    @property
    def _op(self) -> str | None:
        return getattr(self, "op", None)

    def validate(self) -> None:
        check_posits(self.family, self.terms, self.out, vars(self))
        policy = checked_overflow(self.family, self.overflow, self.out, self._integer_policies)
        object.__setattr__(self, "overflow", policy)
        if not self.has_exceptions:
            names = ("n", "subnormals", "nan", "flags")
            others = [x for x in names if getattr(self, x) != self.parameters()[x].default]
            check_all_integers(self.family, self.round, self.is_exact, others)
        check_flags(self.family, self.flags, self.out)
        if self.subnormals in ("ftz", "flush") and not self.out.is_float:
            raise InvalidInput(
                f"{self.family}: parameter subnormals: {self.out.name} has no subnormals to flush; "
                "allowed: keep, daz"
            )
        n = random_bits(self.family, self.round, self.n, self.out)
        object.__setattr__(self, "n", n)

    @property
    def _integer_policies(self) -> tuple[str, ...]:
        """Overflow policies of a result that is an integer, the default first."""
        floats = any(f.is_float for f in self.terms.values())
        return FLOAT_TO_INTEGER_POLICIES if floats else INTEGER_POLICIES

    def shown_parameters(self) -> dict[str, Any]:
        """Defaults that depend on the formats go without saying."""
        policy = default_overflow(self.out, self._integer_policies)
        return without_defaults(super().shown_parameters(), policy, self._shows_rounding)

    @property
    def _shows_rounding(self) -> bool:
        """Whether the mode stands in spec and name."""
        return not self.is_exact

    # -- contract ------------------------------------------------------------------------------

    @property
    def operands(self) -> dict[str, Format]:
        ports = {
            "op": f"uint{max(self.operations.values()).bit_length()}" if self._op == PORT else "",
            "rm": "uint3" if self.round.startswith(PORT) else "",
            "r": f"uint{self.n}" if self.n else "",
        }
        return self.terms | {name: format(f) for name, f in ports.items() if f}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.out} | flag_results(self.flags)

    @property
    def contract(self) -> Contract:
        if self.is_exact:
            return Contract("exact integer", f"exact, then {self.overflow}", "two's complement")
        if self.out.is_posit:
            return Contract("correctly rounded", "the nearest code, one rounding", POSIT_STANDARD)
        source = "IEEE 754-2019, 5.4.1"
        unit = "ulp" if self.out.is_float else "step"
        if self.n:
            bound = f"error less than 1 {unit}, by random bits; one rounding"
            return Contract("faithful", bound, f"{source}; P3109 interim report v4.0, 4.7.4")
        return Contract("correctly rounded", rounding_bound(self.round, unit), source)

    @property
    def conventions(self) -> dict[str, str]:
        overflow = overflow_words(str(self.overflow), self.out, self.round)
        if self.is_exact:
            return of_integers(overflow)
        floats = any(f.is_float for f in self.terms.values())
        return conventions(
            f"once, {rounding_words(self.round, self.n)}",
            overflow,
            SUBNORMALS[self.subnormals] if self._has_subnormals else "",
            nan_words(self.out, self._propagates, str(self.overflow)) if floats else "",
        )

    # -- golden --------------------------------------------------------------------------------

    def arguments(self, codes: list) -> list:
        """What comes with the terms, on ports or by a parameter, as one argument behind them."""
        given = dict(zip(self.operands, codes, strict=True))
        terms = [given.pop(name) for name in self.terms]
        if not given:
            return terms
        wide = {
            name: x.astype(np.int64) if hasattr(x, "astype") else x for name, x in given.items()
        }
        return [*terms, self._control(**wide)]

    def _control(
        self,
        op: int | np.ndarray | None = None,
        rm: int | np.ndarray | None = None,
        r: int | np.ndarray = 0,
    ) -> int | np.ndarray:
        op = self.operations.get(str(self._op), 0) if op is None else op
        return definitions.pack_control(op, self._mode if rm is None else rm, r)

    @property
    def _mode(self) -> int:
        if self.round in ROUNDINGS:
            return int(Rounding[self.round.upper()])
        return r.STOCHASTICALLY

    def constants(self) -> tuple:
        """What the golden definitions take behind the operands: formats and rules, and before
        them what no operand says."""
        formats = (*(f.numbers for f in self.terms.values()), self.out.numbers)
        fixed = () if self.operands.keys() - self.terms.keys() else (self._control(),)
        variant = self.rounder.stochastic
        rules = definitions.Rules(
            policy=int(r.overflow(self.overflow)),
            variant=int(Stochastic[variant.upper()]) if variant else 0,
            n=self.n or 0,
            daz=int(self.daz),
            ftz=int(self.ftz),
            payload=int(self.nan == "payload"),
            tininess=FLAGS.index(self.flags),
        )
        return (*fixed, *formats, rules)

    @cached_property
    def _result_bits(self) -> int:
        """Bits of the widest magnitude that rounding the exact result forms."""
        factors = self.operation.factors
        formats = list(self.terms.values())
        one = Fraction(1)
        least = [math.prod((f.smallest for f in formats[:factors]), start=one)]
        most = [math.prod((max(f.max, -f.min) for f in formats[:factors]), start=one)]
        least += [f.smallest for f in formats[factors:]]
        most += [max(f.max, -f.min) for f in formats[factors:]]
        if self.is_integer:
            steps = sum(most, Fraction()) / Fraction(2) ** min(
                self.out.exponent, self.exact_exponent
            )
            return max(self.out.word_bits + 5, math.ceil(steps).bit_length() + 1)
        unbounded = self.out.magnitude_bits(min(least), sum(most, Fraction()))
        return max(self.out.word_bits + 5, unbounded)

    def _sum_width(self, *significands: int) -> int:
        """Workspace of `add_exact` for significands of these widths; of integers the whole sum."""
        if self.is_integer:
            return self._result_bits
        return max(*significands, self.out.precision) + GUARD_BITS + (self.n or 0)

    # -- hardware ------------------------------------------------------------------------------

    @cached_property
    def rounder(self) -> Rounder:
        """What rounds and packs the exact result."""
        return rounder_of(self.out, self.round, self.overflow, self.n or 0, self.ftz, self.flags)

    def fitted(self, m: Module, x: Values, exact: Value) -> Values:
        """The result of an exact integer in units of the `exact_exponent`."""
        exponent = self.exact_exponent
        return {"y": fitted(m, x, exact, exponent, self.out, self.round, str(self.overflow))}

    @cached_property
    def _terms(self) -> dict[str, Operand]:
        return {name: Operand(f, self.daz) for name, f in self.terms.items()}

    def with_ports(self, steps: list[Step]) -> list[Step]:
        """Steps that hand on, to the rounder, what it takes from ports and from unpacking."""
        names: list[str] = [name for name in ("rm", "r") if name in self.operands]
        names += ["invalid", "by_zero"] if self.flags != "none" else []
        names += ["nan_code"] if self._propagates else []
        return rtl.handing_on(tuple(names), steps) if names else steps

    @property
    def _propagates(self) -> bool:
        """Whether a NaN may become anything but the canonical one."""
        payloads = any(Specials(f).has_payload for f in self.terms.values())
        return self.nan == "payload" and Specials(self.out).has_payload and payloads

    def unpacked(self, m: Module, x: Values) -> dict[str, Raw]:
        """The fields and classes of each of the `terms`, by its name."""
        raws = {name: t.unpack(m, name, x[name]) for name, t in self._terms.items()}
        if self.flags == "none":
            return raws
        # A NaN must not make an operation invalid.
        return {name: replace(raw, special=raw.inf) for name, raw in raws.items()}

    @property
    def structure(self) -> Structure:
        """How products are made, of families that have them."""
        return Structure(getattr(self, "booth", "auto"), getattr(self, "adder", "auto"))

    def negates(self, x: Values, bit: int) -> Value:
        """Whether a term is to be negated, by a bit of the golden model's."""
        if self._op == PORT:
            return x["op"][bit.bit_length() - 1]
        return Const(int(self.operations.get(str(self._op), 0) & bit > 0), 1)

    def nan_values(self, m: Module, x: Values, raws: dict[str, Raw], invalid: Value) -> Values:
        """Whether the result is a NaN, and what goes with one; `invalid` says that the operation
        is, if there is no NaN among the operands (or whatever there is: it is then masked)."""
        any_nan = wire(m, "operand_nan", Cat(raw.nan for raw in raws.values()).any())
        values: Values = {"nan": wire(m, "nan", any_nan | invalid)}
        if self.flags != "none":
            signaling = Cat(raw.signaling for raw in raws.values()).any()
            values["invalid"] = wire(m, "invalid_operation", invalid | signaling)
        if self._propagates:
            canonical = Const(Specials(self.out).nan, self.out.bits)
            code: Value = canonical
            for name, raw in reversed(raws.items()):
                code = Mux(raw.nan, self._quiet(x[name], self.terms[name]), code)
            values["nan_code"] = wire(m, "nan_code", code)
        return values

    def _quiet(self, code: Value, f: Format) -> Value:
        """A NaN operand as a quiet NaN of the result's format (IEEE 754-2019, 6.2.3)."""
        codes = Specials(self.out)
        canonical = Const(codes.nan, self.out.bits)
        if not Specials(f).has_payload:
            return canonical
        spare, room = f.fraction_bits - 1, self.out.fraction_bits - 1
        payload = code[max(spare - room, 0) : spare]
        payload = Cat(Const(0, max(room - spare, 0)), payload)
        return Cat(payload, canonical[room : codes.magnitude_bits], code[f.bits - 1])
