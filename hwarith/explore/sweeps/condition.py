"""Conditions in sweep files, such as ``k <= format.fraction_bits and round != 'rtz'``.

They look like Python but are walked here, node by node, and never executed: names of parameters,
numbers, texts, lists, comparisons (``in`` too), ``and``, ``or``, ``not``, ``+``, ``-``, ``*``, and
of a parameter that names a format its ``bits``, ``exponent_bits`` and ``fraction_bits``.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ...exceptions import InvalidInput, quoted, shown, unknown
from ...formats import format as format_of

_COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda x, y: x in y,
    ast.NotIn: lambda x, y: x not in y,
}

_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}

_OF_FORMATS = ("bits", "exponent_bits", "fraction_bits")

_LONGEST = 500
"""Characters."""

_ALLOWED = "allowed: parameters, format.bits, numbers, texts, < <= == != > >= in and or not + - *"


class Condition:
    """A condition over parameters of these names. Raises `InvalidInput` for a text that is none."""

    def __init__(self, text: Any, names: Collection[str]) -> None:
        if not isinstance(text, str) or len(text) > _LONGEST:
            raise InvalidInput(f"a condition must be a text of at most {_LONGEST} characters")
        self._text = text
        try:
            self._tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise self._error(f"cannot be read; {_ALLOWED}") from None
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Name) and node.id not in names:
                raise self._error(str(unknown("parameter", node.id, names)))

    def __call__(self, values: Mapping[str, Any]) -> bool | None:
        """Whether it holds; None if that depends on a parameter that is not among `values`.

        Raises `InvalidInput` for what cannot be compared, and for what is neither true nor false.
        """
        try:
            return self._truth(self._tree, values)
        except _Absent:
            return None
        except RecursionError:
            raise self._error("nests too deeply") from None

    def _error(self, message: str) -> InvalidInput:
        return InvalidInput(f'condition "{shown(self._text)}": {message}')

    def _truth(self, node: ast.expr, values: Mapping[str, Any]) -> bool:
        value = self._value(node, values)
        if not isinstance(value, bool):
            raise self._error(f"{shown(ast.unparse(node))} is neither true nor false")
        return value

    def _value(self, node: ast.expr, values: Mapping[str, Any]) -> Any:
        match node:
            case ast.Constant(value=bool() | int() | float() | str() as value):
                return value
            case ast.Name(id=name):
                if name not in values:
                    raise _Absent
                return values[name]
            case ast.Attribute(value=ast.Name() as name, attr=attribute):
                return self._of_format(self._value(name, values), attribute)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return [self._value(element, values) for element in elements]
            case ast.BoolOp(op=ast.And(), values=parts):
                return all(self._truth(part, values) for part in parts)
            case ast.BoolOp(values=parts):
                return any(self._truth(part, values) for part in parts)
            case ast.UnaryOp(op=ast.Not(), operand=part):
                return not self._truth(part, values)
            case ast.UnaryOp(op=ast.USub(), operand=part):
                return -self._number(part, values)
            case ast.BinOp(op=op, left=x, right=y) if type(op) in _ARITHMETIC:
                try:
                    return _ARITHMETIC[type(op)](self._number(x, values), self._number(y, values))
                except OverflowError:
                    raise self._error(f"{shown(ast.unparse(node))} is too large") from None
            case ast.Compare(left=left, ops=ops, comparators=others):
                terms = [self._value(term, values) for term in (left, *others)]
                try:
                    return all(
                        _COMPARISONS[type(op)](terms[i], terms[i + 1]) for i, op in enumerate(ops)
                    )
                except (TypeError, KeyError):
                    raise self._error(
                        f"{shown(ast.unparse(node))} compares {quoted(terms)}"
                    ) from None
        raise self._error(f"{quoted(ast.unparse(node))} is not allowed; {_ALLOWED}")

    def _number(self, node: ast.expr, values: Mapping[str, Any]) -> int | float:
        value = self._value(node, values)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._error(f"{shown(ast.unparse(node))} is {quoted(value)}, not a number")
        return value

    def _of_format(self, name: Any, attribute: str) -> int:
        if attribute not in _OF_FORMATS:
            raise self._error(str(unknown("property of a format", attribute, _OF_FORMATS)))
        try:
            f = format_of(name)
        except InvalidInput as error:
            raise self._error(str(error)) from None
        if attribute != "bits" and not f.is_float:
            raise self._error(f"{f.name} is no float and has no {attribute}")
        return getattr(f, attribute)


class _Absent(Exception):
    """A condition met a parameter that this point does not have."""
