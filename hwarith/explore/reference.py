"""A unit's results beside the real numbers that they stand for.

The exact result of a unit is the infinitely precise product, sum or multiply-add of the operands'
values, of a dot product the sum of all products and the addend, of a group the sum of its
products, the operand that is converted, or a function of the operands (`functions`), not rounded to
any format. Of blocks, matrices, words and states its class tells what it is (`outcomes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..exceptions import InvalidInput, quoted
from ..formats import Format
from ..units import Unit
from ..units.chain import ChainOfOne
from ..units.dot import Dot
from ..units.operations import DOT_PRODUCT, MEASURED, Operation, negated_operands
from ..units.results import several
from .exact_dots import exact_dots, exact_groups
from .functions import FUNCTIONS
from .outcomes import Reference, reference_of

_MORE = (Dot.operation, DOT_PRODUCT, *FUNCTIONS)
"""Operations whose exact results are known beside those of `MEASURED`."""

_EXACT = ("exact", "exact integer")
"""Contracts of units whose results are those that they are defined as."""

_FLOAT64_PRECISION, _FLOAT64_LSB, _SAFE_MAX = 53, -1074, Fraction(2) ** 1022


@dataclass(frozen=True)
class Errors:
    """Exact results and errors of the operand sets that count, as float64 arrays of one shape.

    ``exact`` is the real result rounded to float64 and ``distance`` is the unit's result less
    the real one, both right to a relative 2^-51 and zero only where they are truly zero; ``ulp``
    is the weight of the last place of a result of the exact one's size, in the result's format.
    """

    exact: np.ndarray
    distance: np.ndarray
    ulp: np.ndarray


@dataclass(frozen=True)
class _Reals:
    """The real results as ``head + tail`` (`tail` rounded away), and the errors against them."""

    head: np.ndarray
    tail_sign: np.ndarray
    distance: np.ndarray


def check_measurable(unit: Unit | ChainOfOne) -> None:
    """Raise `InvalidInput` for units without errors, for those of no known operation, and for
    values beyond float64's range."""
    try:
        _check_known(unit)
    except InvalidInput:
        if isinstance(unit, Unit) and unit.contract.kind in _EXACT:
            kind = unit.contract.kind
            raise InvalidInput(f"{unit.family}: {kind} by contract") from None
        raise


def _check_known(unit: Unit | ChainOfOne) -> None:
    operation = unit.operation
    if isinstance(unit, Unit) and reference_of(unit):
        for f in unit.code_formats.values():
            _require_float64_range(f)
        return
    if operation.exact is None and operation not in _MORE:
        allowed = map(str, (*MEASURED, *_MORE))
        raise InvalidInput(
            f"{unit.family}: the exact result of operation {quoted(operation.name)} is not known; "
            f"allowed: {', '.join(allowed)}"
        )
    if "op" in unit.operands and "op" not in _terms(unit):
        raise InvalidInput(
            f"{unit.spec}: what is computed follows from a port; allowed: a fixed op"
        )
    for f in (*_terms(unit).values(), _out(unit)):
        _require_float64_range(f)


def compare(
    unit: Unit | ChainOfOne, operands: Sequence[np.ndarray]
) -> tuple[Errors, dict[str, int]]:
    """Errors of a unit on operand codes, and how many operand sets are of which kind.

    `operands` are arrays of codes of one shape (blocks with an axis for their lanes, groups for
    their members). An operand set counts if its operands are finite, it has a real result that lies
    in the finite range of the result's format, and the unit's result is finite. The kinds are
    those of `hwarith.explore.metrics.COUNTS`.
    Raises `InvalidInput` as `check_measurable` does.
    """
    check_measurable(unit)
    reference = reference_of(unit)
    if reference:
        return _compare_outcomes(reference, operands)
    operation, out = unit.operation, _out(unit)
    codes = _sets(unit, operands)
    results = several(unit(*codes))[0]
    finite_operands = np.ones(len(codes[0]), bool)
    codes = codes[: len(_terms(unit))]
    for f, x in zip(_terms(unit).values(), codes, strict=True):
        finite_operands &= _is_finite(f, x).reshape(len(x), -1).all(axis=1)
    finite_result = _is_finite(out, results)
    usable = finite_operands & finite_result
    # Where the result is not finite a zero stands in, to know the range of the real result.
    results = np.where(finite_result, results, out.dtype.type(0))
    codes = [x[finite_operands] for x in codes]
    reals = _reals(unit, operation, codes, results[finite_operands])
    in_range = _in_range(reals, out)
    counted = in_range & usable[finite_operands]
    counts = {
        "operand_sets": finite_operands.size,
        "nonfinite_operands": int((~finite_operands).sum()),
        "out_of_range": int((~in_range).sum()),
        "nonfinite_results": int((in_range & ~counted).sum()),
        "counted": int(counted.sum()),
    }
    head, tail_sign, distance = (x[counted] for x in (reals.head, reals.tail_sign, reals.distance))
    counts["zero_exact"] = int((head == 0).sum())
    tiny = (head != 0) & (np.abs(head) < float(out.smallest_normal))
    counts["underflowed"] = int(tiny.sum())
    return Errors(head, distance, _ulp(head, tail_sign, out)), counts


def _compare_outcomes(
    reference: Reference, operands: Sequence[np.ndarray]
) -> tuple[Errors, dict[str, int]]:
    """The same of units whose exact results their class tells."""
    counts = dict.fromkeys(
        ("operand_sets", "nonfinite_operands", "out_of_range", "nonfinite_results", "counted")
        + ("zero_exact", "underflowed"),
        0,
    )
    rows = []
    for size, outcomes in reference.sets(operands):
        counts["operand_sets"] += size
        if outcomes is None:
            counts["nonfinite_operands"] += size
            continue
        for exact, result, ulp, underflowed in outcomes:
            if exact is None:
                counts["out_of_range"] += 1
            elif result is None:
                counts["nonfinite_results"] += 1
            else:
                counts["counted"] += 1
                counts["zero_exact"] += exact == 0
                counts["underflowed"] += underflowed
                rows.append((_nearest(exact), _nearest(result - exact), float(ulp)))
    return Errors(*np.array(rows).reshape(-1, 3).T), counts


def _sets(unit: Unit | ChainOfOne, operands: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Operand codes of shape (sets,), of blocks (sets, lanes)."""
    if _takes_groups(unit):
        return [x.reshape(-1, x.shape[-1]) for x in operands]
    if not isinstance(unit, Dot):
        return [x.ravel() for x in operands]
    return [
        x.reshape(-1, x.shape[-1]) if name in unit.lane_formats else x.ravel()
        for name, x in zip(unit.operands, operands, strict=True)
    ]


def _terms(unit: Unit | ChainOfOne) -> dict[str, Format]:
    """The operands that the exact result follows from, and the formats of their codes."""
    if isinstance(unit, Dot):
        lanes = {name: f for name, (f, _) in unit.lane_formats.items()}
        return dict(unit.operands) | lanes
    arity, _ = FUNCTIONS.get(unit.operation, (unit.operation.arity or None, None))
    return dict(list(unit.operands.items())[:arity])


def _takes_groups(unit: Unit | ChainOfOne) -> bool:
    """Whether an operand set is a group of pairs, in arrays of another axis, whose products are
    summed."""
    return unit.operation is DOT_PRODUCT


def _out(unit: Unit | ChainOfOne) -> Format:
    return next(iter(unit.results.values()))


def _require_float64_range(f: Format) -> None:
    if f.max > Fraction(np.finfo(np.float64).max) or f.exponent_bits > 11:
        raise InvalidInput(
            f"error metrics are computed for formats within float64's range; {f.name} exceeds it"
        )


def _is_finite(f: Format, codes: np.ndarray) -> np.ndarray:
    if not f.is_float or (f.nan == "none" and not f.infinity):
        return np.ones(codes.shape, bool)
    return np.isfinite(f.decode(codes).astype(np.float64))


def _reals(
    unit: Unit | ChainOfOne, operation: Operation, codes: list[np.ndarray], results: np.ndarray
) -> _Reals:
    terms, out = _terms(unit), _out(unit)
    if isinstance(unit, Dot):
        exact = exact_dots(unit, dict(zip(terms, codes, strict=True)))
        return _by_fractions(exact, out.decode(results))
    formats = list(terms.values())
    if _takes_groups(unit):
        return _by_fractions(exact_groups(formats, codes), out.decode(results))
    values = [f.decode(x) for f, x in zip((*formats, out), (*codes, results), strict=True)]
    for name in negated_operands(unit)[0]:
        i = list(terms).index(name)
        values[i] = -values[i]
    if _float64_suffices(operation, formats, out):
        return _by_float64(operation, [x.astype(np.float64) for x in values])
    _, function = FUNCTIONS.get(operation, (0, operation.exact))
    assert function is not None
    *operands, decoded = values
    sets = zip(*(x.tolist() for x in operands), strict=True)
    return _by_fractions((function(*map(Fraction, x)) for x in sets), decoded)


def _float64_suffices(operation: Operation, formats: list[Format], out: Format) -> bool:
    """Whether `_by_float64` is right for these formats: exact products, no range left."""
    if not operation.factors:
        return False
    lsb = [f.numbers.lsb for f in formats]
    largest = [max(f.max, -f.min) for f in formats]
    precisions = [f.precision for f in formats]
    if operation.factors == 2:
        lsb[:2] = [lsb[0] + lsb[1]]
        largest[:2] = [largest[0] * largest[1]]
        precisions[:2] = [precisions[0] + precisions[1]]
    return (
        max(*precisions, out.precision) <= _FLOAT64_PRECISION
        and min(*lsb, out.numbers.lsb) >= _FLOAT64_LSB
        and max(*largest, out.max, -out.min) < _SAFE_MAX
    )


def _by_float64(operation: Operation, values: list[np.ndarray]) -> _Reals:
    """Errors in float64, for operands whose product is exact in it.

    A sum of two float64 numbers is exactly ``head + tail`` (Knuth's two-sum). Then
    ``result - head`` is exact where the two are within a factor of two (Sterbenz), and else
    so large beside ``tail`` that both roundings together stay below a relative 2^-51.
    """
    *operands, result = values
    x = operands[0] * operands[1] if operation.factors == 2 else operands[0]
    if not operation.adds:
        head, tail = x, np.zeros_like(x)
    else:
        y = operands[-1]
        head = x + y
        y_part = head - x
        tail = (x - (head - y_part)) + (y - y_part)
    return _Reals(head, np.sign(tail), (result - head) - tail)


def _by_fractions(exact: Iterable[Fraction | None], results: np.ndarray) -> _Reals:
    """The same for all else, one exact fraction after another; what has none is infinite."""
    head, tail_sign, distance = (np.empty(len(results)) for _ in range(3))
    for i, (real, result) in enumerate(zip(exact, results.tolist(), strict=True)):
        if real is None:
            head[i], tail_sign[i], distance[i] = np.inf, 0, 0
            continue
        head[i] = _nearest(real)
        tail_sign[i] = _sign(real - Fraction(head[i])) if np.isfinite(head[i]) else 0
        distance[i] = _nearest(Fraction(result) - real)
    return _Reals(head, tail_sign, distance)


def _sign(x: Fraction) -> int:
    return (x > 0) - (x < 0)


def _nearest(x: Fraction) -> float:
    """The nearest float64; infinite beyond its range, but never zero for what is not zero."""
    try:
        y = float(x)
    except OverflowError:
        return np.inf * _sign(x)
    return y or 2.0**_FLOAT64_LSB * _sign(x)


def _in_range(reals: _Reals, out: Format) -> np.ndarray:
    low, high = float(out.min), float(out.max)
    above = (reals.head > high) | ((reals.head == high) & (reals.tail_sign > 0))
    below = (reals.head < low) | ((reals.head == low) & (reals.tail_sign < 0))
    return ~(above | below)


def _ulp(head: np.ndarray, tail_sign: np.ndarray, out: Format) -> np.ndarray:
    """Weight of the last place: constant for integers and below the smallest normal number."""
    mantissa, exponent = np.frexp(head)
    # A head rounded up to a power of two belongs to a real result of the binade below.
    exponent = exponent - 1 - ((np.abs(mantissa) == 0.5) & (tail_sign * head < 0))
    last = out.last_place(np.where(head == 0, out.numbers.emin, exponent))
    return np.ldexp(1.0, last.astype(np.int32))
