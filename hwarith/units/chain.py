"""Sums of products, one step after the other, by the units that a step takes.

A multiply-add accumulates, or a product unit and an adder; or a dot product, whose steps take
several products. The accumulator is a code of their
result's format; of a chained unit (such as ``anfma``) it is a state that no format describes, which
it makes of a code, and of which it makes one in the end (`ChainedMultiplyAdd`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ..exceptions import InvalidInput
from ..formats import Format
from ..lazily import np
from .contract import Unit
from .operations import MULTIPLY_ADD, Role
from .registry import unit


@runtime_checkable
class ChainedMultiplyAdd(Protocol):
    """A multiply-add whose accumulator is a state of its own, which no format describes."""

    @property
    def chain_start(self) -> Unit:
        """What makes the accumulator, of a code."""
        ...

    @property
    def chain_end(self) -> Unit:
        """What makes a code, of the accumulator."""
        ...


@runtime_checkable
class HoldsItsSum(Protocol):
    """A unit that holds its sum of products in a memory, such as ``mac``."""

    @property
    def chain_step(self) -> Unit:
        """The unit without a memory that does its step, a multiply-add or dot product. Raises
        `InvalidInput` if the sum does not come out as it is held."""
        ...


def without_memory(u: Unit) -> Unit:
    """What a unit that holds its sum does in a step; other units as they are."""
    return u.chain_step if isinstance(u, HoldsItsSum) else u


FACTORS = ("a", "b", "sa", "sb")
"""What products are made of: left and right matrix, and the scales of their blocks."""

RIGHT = FACTORS[1::2]
"""Those of the right matrix."""


class Chain(NamedTuple):
    """The units of a step ``acc = add(multiply(a, b), acc)``; without `multiply`, `add` is a
    multiply-add or a dot product, ``acc = add(a, b, acc)``, or with scales
    ``acc = add(a, b, sa, sb, acc)``."""

    multiply: Unit | None
    add: Unit

    @property
    def units(self) -> tuple[Unit, ...]:
        return (self.multiply, self.add) if self.multiply else (self.add,)

    @property
    def start(self) -> Unit | None:
        """What makes the first accumulator of a code, of chained units."""
        return self.add.chain_start if isinstance(self.add, ChainedMultiplyAdd) else None

    @property
    def finish(self) -> Unit | None:
        """What makes a code of the last accumulator, of chained units."""
        return self.add.chain_end if isinstance(self.add, ChainedMultiplyAdd) else None

    @property
    def operand_formats(self) -> tuple[Format, Format]:
        """Of the codes of left and right matrix."""
        (a, _), (b, _) = list(self.factors.values())[:2]
        return a, b

    @property
    def factors(self) -> dict[str, tuple[Format, int]]:
        """What a step takes beside the accumulator, of the left and of the right matrix in turn:
        the formats of codes, and how many of each; of a dot product blocks and their scales."""
        ports = list(self.units[0].operands.values())[:2]
        codes = self.add.lane_formats.values() or [(f, 1) for f in ports]
        return dict(zip(FACTORS, codes, strict=False))

    @property
    def code_formats(self) -> dict[str, Format]:
        """Formats of codes: of the `factors`, what sums begin with (``c``) and end as (``y``)."""
        factors = {name: f for name, (f, _) in self.factors.items()}
        return factors | {"c": self.first, "y": self.last}

    @property
    def lanes(self) -> int:
        """How many products a step takes: several of a dot product, else one."""
        return self.factors["a"][1]

    @property
    def product_format(self) -> Format | None:
        return result(self.multiply) if self.multiply else None

    @property
    def accumulator(self) -> Format:
        """What goes from one step to the next."""
        return result(self.add)

    @property
    def first(self) -> Format:
        """What sums begin with."""
        return next(iter(self.start.operands.values())) if self.start else self.accumulator

    @property
    def last(self) -> Format:
        """What sums end as."""
        return result(self.finish or self.add)

    def begin(self, codes: np.ndarray) -> np.ndarray:
        """Accumulators of codes of the format `first`."""
        return np.asarray(self.start(codes)) if self.start else codes

    def begin_one(self, code: int) -> int:
        """The same of one code, in integers."""
        return self.start.golden(code) if self.start else code

    def accumulate(self, *codes: np.ndarray) -> np.ndarray:
        """Products of matrices, step by step in ascending order of k, by calls of the units.

        Parameters
        ----------
        codes : of the `factors`, (..., m, k) of the left matrix and (..., k, n) of the right one,
            k so many for each step; then (..., m, n) of the format `first`, which sums begin with.

        Returns codes (..., m, n) of the format `last`.
        """
        *matrices, c = codes
        acc = self.begin(c)
        for step in range(matrices[0].shape[-1] // self.lanes):
            factors = []
            for x, (name, (_, n)) in zip(matrices, self.factors.items(), strict=True):
                part = slice(step * n, (step + 1) * n)
                right = name in RIGHT
                lanes = x[..., None, part, :].swapaxes(-1, -2) if right else x[..., None, part]
                factors.append(lanes if self.add.lane_formats else lanes[..., 0])
            products = (self.multiply(*factors),) if self.multiply else factors
            acc = np.asarray(self.add(*products, acc))
        return self.end(acc)

    def end(self, accumulators: np.ndarray) -> np.ndarray:
        """Codes of the format `last` of accumulators."""
        return np.asarray(self.finish(accumulators)) if self.finish else accumulators

    def end_one(self, accumulator: int) -> int:
        """The same of one accumulator, in integers."""
        return self.finish.golden(accumulator) if self.finish else accumulator


def chain(spec: Unit | str, add: Unit | str | None = None) -> Chain:
    """The units that sum up products: of a multiply-add, or of a product unit and an adder.

    Parameters
    ----------
    spec : the multiply-add, dot product or product unit, or its spec. What adds by itself takes
        its addend in the format of its result. Of a unit that holds its sum (``mac``, ``dfpmac``)
        it is what it does in a step.
    add : for a product unit the adder, or its spec: it takes the product first, then the
        accumulator, and gives the accumulator. Default: `accumulating_adder`.

    Raises `InvalidInput` for units that do not fit together so.
    """
    u = without_memory(unit(spec))
    if u.operation.role not in (Role.MULTIPLIES, Role.ACCUMULATES):
        raise InvalidInput(
            f"{u.spec} computes a {u.operation}; allowed: a multiply-add, dot product or product"
        )
    if u.operation.role is Role.ACCUMULATES:
        if add is not None:
            raise InvalidInput(f"{u.spec} adds by itself; add is for product units")
        factors = len(u.lane_formats) or 2
        _check_ports(u, [*list(u.operands.values())[:factors], result(u)])
        return Chain(None, u)
    _check_ports(u, list(u.operands.values())[:2])
    adder = accumulating_adder(result(u)) if add is None else unit(add)
    if adder.operation.role is not Role.ADDS:
        raise InvalidInput(f"add must be an adder, not {adder.spec}")
    _check_ports(adder, [result(u), result(adder)])
    return Chain(u, adder)


def accumulating_adder(product: Format) -> Unit:
    """The exact adder that sums products of this format in fp32, or int32 for integers; or in the
    products' own format where that is wider."""
    wide = result(unit("add:a=fp32" if product.is_float else "add:a=int32"))
    acc = product if product.precision > wide.precision else wide
    return unit(f"add:a={product},b={acc},out={acc}")


def result(u: Unit) -> Format:
    """The format of a unit's first result."""
    return next(iter(u.results.values()))


def _check_ports(u: Unit, needed: list[Format]) -> None:
    if list(u.operands.values()) != needed or len(u.results) != 1:
        found = ", ".join(f"{name} {f}" for name, f in (u.operands | u.results).items())
        raise InvalidInput(
            f"to accumulate, {u.spec} must take {', '.join(map(str, needed))} and give "
            f"{needed[-1]} alone, not {found}"
        )


def _is_one_of_a_chain(u: Unit) -> bool:
    """Whether it is a chained multiply-add; not if it is a chained dot product."""
    return isinstance(u, ChainedMultiplyAdd) and not u.lane_formats


def chain_of_one(u: Unit) -> Unit | ChainOfOne:
    """The unit, or if it is a chained multiply-add the `ChainOfOne`."""
    return ChainOfOne(u) if _is_one_of_a_chain(u) else u


def rounded_accumulators(u: Unit, operands: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Operand codes of a unit as `chain_of_one` takes them: a chained unit's accumulators are
    rounded to the format that its chains begin with. Those of a chained dot product stay states."""
    if not _is_one_of_a_chain(u):
        return tuple(operands)
    path, (*factors, acc) = Chain(None, u), operands
    return *factors, path.first.encode(path.last.decode(path.end(acc)), overflow="nosat")


def chained_accumulators(u: Unit, operands: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """The inverse, but for what was rounded."""
    if not _is_one_of_a_chain(u):
        return tuple(operands)
    *factors, codes = operands
    return *factors, Chain(None, u).begin(codes)


@dataclass(frozen=True)
class ChainOfOne:
    """A chained multiply-add as its users see it, from the beginning of a chain of one to its end:
    a multiply-add of codes, of which an exact result is known."""

    unit: Unit
    operation = MULTIPLY_ADD

    @property
    def family(self) -> str:
        return self.unit.family

    @property
    def spec(self) -> str:
        return self.unit.spec

    @property
    def operands(self) -> dict[str, Format]:
        names = list(self.unit.operands)
        return self.unit.operands | {names[-1]: Chain(None, self.unit).first}

    @property
    def results(self) -> dict[str, Format]:
        return {name: Chain(None, self.unit).last for name in self.unit.results}

    @property
    def lane_formats(self) -> dict[str, tuple[Format, int]]:
        """See `Unit.lane_formats`."""
        return self.unit.lane_formats

    def check_operands(self, codes: tuple[Any, ...]) -> list[np.ndarray]:
        """See `Unit.check_operands`."""
        return Unit.check_operands(self, codes)  # type: ignore[arg-type]

    def __call__(self, a: Any, b: Any, c: Any) -> np.ndarray:
        chained = Chain(None, self.unit)
        return chained.end(np.asarray(self.unit(a, b, chained.begin(np.asarray(c)))))
