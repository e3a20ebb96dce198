"""A unit's golden definition on arrays of codes: checked operands, tables, compiled loops."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any, Protocol

from ..exceptions import InvalidInput
from ..formats import Format
from ..formats.codec import array_of
from ..golden import SMALL, apply, lookup
from ..lazily import np
from .results import packed_dtype

TABLE_BITS, TABLE_OPERANDS = 16, 3
"""Operands of at most so many bits together, and at most so many, index a table of results."""

_TABLES = 64
"""Tables that are kept, of at most 2^16 results each."""


class Interface(Protocol):
    """The operands and results of a unit (`hwarith.units.Unit` says what each is)."""

    @property
    def family(self) -> str: ...

    @property
    def operands(self) -> dict[str, Format]: ...

    @property
    def results(self) -> dict[str, Format]: ...


class Defined(Interface, Hashable, Protocol):
    """What evaluating takes of a unit."""

    @property
    def word_bits(self) -> int: ...

    def definition(self) -> tuple[Callable[..., int], tuple]: ...

    def arguments(self, codes: list) -> list: ...


class Coded(Interface, Protocol):
    """What encoding operands takes of a unit."""

    @property
    def code_formats(self) -> dict[str, Format]: ...


def check_operands(unit: Defined, codes: tuple[Any, ...]) -> list[np.ndarray]:
    """Operand codes as arrays of one shape. Raises `InvalidInput`, naming the operand."""
    if len(codes) != len(unit.operands):
        raise InvalidInput(
            f"{unit.family} takes {len(unit.operands)} operands "
            f"({', '.join(unit.operands)}), not {len(codes)}"
        )
    arrays = [
        f.check(x, f"operand {name} of {unit.family}")
        for (name, f), x in zip(unit.operands.items(), codes, strict=True)
    ]
    try:
        return list(np.broadcast_arrays(*arrays))
    except ValueError:
        shapes = ", ".join(f"{n} {x.shape}" for n, x in zip(unit.operands, arrays, strict=True))
        raise InvalidInput(
            f"operands of {unit.family} must be of one shape or broadcast to one, not {shapes}"
        ) from None


def encoded(unit: Coded, operands: tuple[Any, ...]) -> list[Any]:
    """Codes of operands that are values (`Unit.code_formats`). Raises `InvalidInput`."""
    formats = unit.code_formats
    found: list[Any] = []
    for name, x in zip(unit.operands, operands, strict=False):
        f, what = formats[name], f"operand {name} of {unit.family}"
        array = array_of(x, what)
        codes = np.asarray(f.encode(array))
        if not f.is_float and not f.signed and not _same(f.decode(codes), array):
            raise InvalidInput(f"{what}: values must be integers from 0 to {int(f.max)}")
        found.append(codes)
    return [*found, *operands[len(found) :]]  # too many are refused as codes are


def decoded(unit: Coded, results: Any) -> Any:
    """The values of what a call returned: of several results a named tuple of them."""
    formats = [unit.code_formats[name] for name in unit.results]
    if len(formats) == 1:
        return formats[0].decode(results)
    return type(results)(*(f.decode(x) for f, x in zip(formats, results, strict=True)))


def _same(decoded: Any, given: np.ndarray) -> bool:
    return bool((np.asarray(decoded) == given).all())


def evaluate(unit: Defined, arrays: list[np.ndarray]) -> np.ndarray:
    """Results of operand codes, arrays of one shape: by a table where the operands are narrow,
    else by the compiled definition. Of several results the codes lie side by side."""
    formats = unit.operands.values()
    widths = [f.bits for f in formats]
    small = sum(widths) <= TABLE_BITS and len(widths) <= TABLE_OPERANDS
    if small and arrays[0].size > SMALL and _dtype(unit).kind == "u":
        return lookup(_table(unit), arrays, widths)
    return _compute(unit, arrays)


def _dtype(unit: Defined) -> np.dtype:
    return packed_dtype(unit.results.values())


def _compute(unit: Defined, arrays: list[np.ndarray]) -> np.ndarray:
    function, constants = unit.definition()
    return apply(function, unit.arguments(arrays), constants, _dtype(unit), word_bits(unit))


def word_bits(unit: Defined) -> int:
    """Bits of the widest magnitude that the definition meets, in operands of more than 64 bits or
    on its way."""
    return max(unit.word_bits, *(f.bits for f in unit.operands.values() if f.bits > 64), 0)


@lru_cache(maxsize=_TABLES)
def _table(unit: Defined) -> np.ndarray:
    """Results for all operand codes, the first operand's on top of the index."""
    formats = list(unit.operands.values())
    index = np.arange(1 << sum(f.bits for f in formats), dtype=np.uint32)
    operands = []
    for i, f in enumerate(formats):
        below = sum(lower.bits for lower in formats[i + 1 :])
        operands.append(((index >> below) & ((1 << f.bits) - 1)).astype(f.dtype))
    return _compute(unit, operands)
