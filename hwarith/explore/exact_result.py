"""The exact result of a unit for one set of operands, and how far from it a result is.

The same as `hwarith.explore.reference` for arrays, in fractions and without numpy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

from ..formats import Format
from ..formats.rounding import FINITE
from ..units import Unit
from ..units.blocks import reading
from ..units.blocks.readers import Reader
from ..units.dot import Dot
from ..units.operations import DOT_PRODUCT, negated_operands
from ..units.text import Codes, flat
from .functions import FUNCTIONS


def exact_result(unit: Unit, codes: Sequence[Codes]) -> Fraction | None:
    """The infinitely precise result for the codes of all operands (of `functions`, within a
    relative 2^-120 of it).

    None where there is none: of an operation without one, and of operands that are not finite.
    """
    arity, function = FUNCTIONS.get(unit.operation, (unit.operation.arity, unit.operation.exact))
    if function is None and unit.operation is not DOT_PRODUCT and not isinstance(unit, Dot):
        return None
    values = {}
    for name, code in zip(unit.operands, codes, strict=True):
        finite = _finite_values(unit, name, code)
        if finite is None:
            return None
        values[name] = finite
    if isinstance(unit, Dot) and unit.readers:
        given = {name: flat(code) for name, code in zip(unit.operands, codes, strict=True)}
        for name, reader in zip("ab", unit.readers, strict=True):
            found = block_values(reader, given[name], given[f"s{name}"][0])
            assert found is not None
            values[name], values[f"s{name}"] = found, [Fraction(1)]
    if isinstance(unit, Dot):
        return _dot(unit, values)
    if unit.operation is DOT_PRODUCT:
        return sum((x * y for x, y in zip(*values.values(), strict=True)), Fraction(0))
    assert function is not None
    terms = list(values.items())[:arity]
    negated = negated_operands(unit)[int(values["op"][0]) if "op" in values else 0]
    return function(*(-x if name in negated else x for name, (x,) in terms))


def _finite_values(unit: Unit, name: str, code: Codes) -> list[Fraction] | None:
    """The values of an operand's codes; None if one is not finite."""
    f, _ = unit.lane_formats.get(name, (unit.operands[name], 0))
    found = [f.decode_one(x) for x in flat(code)]
    if any(isinstance(x, float) and x != 0 for x in found):
        return None
    return [Fraction(x) for x in found]


def _dot(unit: Dot, values: Mapping[str, list[Fraction]]) -> Fraction:
    total = sum(values.get("c", ()), Fraction(0))
    for i, (a, b) in enumerate(zip(values["a"], values["b"], strict=True)):
        block = i // unit.block
        scale = values["sa"][block] * values["sb"][block] if unit.scale else 1
        total += scale * a * b
    return total


def block_values(reader: Reader, x: Sequence[int], word: int) -> list[Fraction] | None:
    """The elements of a block with metadata times its scale, from their definitions; None if one is
    not finite."""
    r = reader.reading
    scale = reader.word.decode_one(word)
    places = reading.places(x, r)
    found = [reading.element(code, at, word, r) for code, at in zip(x, places, strict=True)]
    if any(kind != FINITE for kind, *_ in found) or (isinstance(scale, float) and scale != 0):
        return None
    return [(-1) ** s * g * power_of_two(e) * Fraction(scale) for _, s, e, g in found]


def ulp(exact: Fraction, out: Format) -> Fraction:
    """The weight of the last place of a result of this size in its format."""
    return power_of_two(out.last_place(exponent(exact) if exact else out.numbers.emin))


def exponent(x: Fraction) -> int:
    """Of the power of two that is not greater than a magnitude that is not 0, and nearest to it."""
    size = abs(x)
    e = size.numerator.bit_length() - size.denominator.bit_length()
    return e if size >= power_of_two(e) else e - 1


@lru_cache(maxsize=1 << 12)
def power_of_two(e: int) -> Fraction:
    """2^e."""
    return Fraction(1 << e) if e >= 0 else Fraction(1, 1 << -e)
