"""What a golden definition is: a scalar function on plain integers."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from typing import TypeVar

Function = TypeVar("Function", bound=Callable)


def golden(definition: Function) -> Function:
    """Mark a scalar function on integers as a golden definition, or as a part of one.

    It stays an ordinary function. Where it is compiled, so are the golden functions that it calls
    by their global names.
    """
    definition.is_golden = True  # type: ignore[attr-defined]
    return definition


def primitive(make_compiled: Callable[[], Callable]) -> Callable[[Function], Function]:
    """Mark a function as golden that is not compiled from its Python text.

    `make_compiled` gives what takes its place in compiled definitions, such as an instruction of
    the processor. It is not called before the first compilation.
    """

    def mark(function: Function) -> Function:
        function.make_compiled = make_compiled  # type: ignore[attr-defined]
        return golden(function)

    return mark


def _compiled_bit_length() -> Callable:
    from .wide import bit_length

    return bit_length


@primitive(_compiled_bit_length)
def bit_length(x: int) -> int:
    """Position of the leading one of a non-negative integer, counted from 1; 0 for 0."""
    return x.bit_length()


def _compiled_divide() -> Callable:
    from .division import divide

    return divide


@primitive(_compiled_divide)
def divide(a: int, b: int) -> int:
    """The quotient of a non-negative integer and a positive one, rounded down."""
    return a // b


def _compiled_square_root() -> Callable:
    from .division import square_root

    return square_root


@primitive(_compiled_square_root)
def square_root(x: int) -> int:
    """The square root of a non-negative integer, rounded down."""
    return isqrt(x)
