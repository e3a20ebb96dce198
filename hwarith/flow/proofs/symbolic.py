"""Golden definitions executed on terms: the specification that a circuit is proved against.

A definition is plain Python on integers (`hwarith.golden`). Its text is read once more here, with
terms for the codes: both branches of a decision are taken, and what they make is merged by the
condition.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from .division import quotient, square_root
from .integers import Integer, Integers, NotExecutable, Value
from .terms import Term

Environment = dict[str, Any]


@dataclass
class _Flow:
    """Where a block of statements ends: what it has returned, when, and its variables."""

    variables: Environment
    returned: Value = None
    when: Term | None = None  # None: never; a constant 1: always


class Executor(Integers):
    """Executes definitions on its integers; `instead` says what to call in place of some."""

    instead: Mapping[Callable, Callable] = {}

    def call(self, function: Callable, *args: Value) -> Value:
        """What a golden definition returns for these arguments."""
        return self.instead.get(function, partial(self.executed, function))(*args)

    def executed(self, function: Callable, *args: Value) -> Value:
        """`call` of the function itself, whatever is to be called in its place."""
        tree, names = _parsed(function)
        variables: Environment = dict(zip(names, args, strict=True))
        flow = self._block(tree.body, _Flow(variables), function)
        return flow.returned

    def _block(self, body: list[ast.stmt], flow: _Flow, function: Callable) -> _Flow:
        for statement in body:
            if flow.when is not None and flow.when.op == "const" and flow.when.value:
                break
            going_on = self.t.const(1, 1) if flow.when is None else self.t.negation(flow.when)
            with self.where(going_on):
                flow = self._statement(statement, flow, function)
        return flow

    def _statement(self, node: ast.stmt, flow: _Flow, function: Callable) -> _Flow:
        scope = _Scope(self, flow.variables, function)
        if isinstance(node, ast.Return):
            value = scope.value(node.value)  # type: ignore[arg-type]
            if flow.when is not None:
                value = self.choose(flow.when, flow.returned, value)
            return _Flow(flow.variables, value, self.t.const(1, 1))
        if isinstance(node, ast.Assign):
            value = scope.value(node.value)
            for target in node.targets:
                self.assign(target, value, flow.variables)
            return flow
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            old = flow.variables[node.target.id]
            flow.variables[node.target.id] = self.binary(
                type(node.op), old, scope.value(node.value)
            )
            return flow
        if isinstance(node, ast.If):
            return self._if(node, flow, function)
        if isinstance(node, ast.For):
            for item in scope.value(node.iter):
                self.assign(node.target, item, flow.variables)
                flow = self._block(node.body, flow, function)
            return flow
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return flow
        raise NotExecutable(f"{function.__name__}: statement {ast.unparse(node)[:80]!r}")

    def assign(self, target: ast.expr, value: Value, variables: Environment) -> None:
        """Give values to the names of a target."""
        if isinstance(target, ast.Name):
            variables[target.id] = value
        elif isinstance(target, ast.Tuple):
            for one, part in zip(target.elts, value, strict=True):
                self.assign(one, part, variables)
        else:
            raise NotExecutable(f"an assignment to {ast.unparse(target)!r}")

    def _if(self, node: ast.If, flow: _Flow, function: Callable) -> _Flow:
        scope = _Scope(self, flow.variables, function)
        condition = self.truth(scope.value(node.test))
        if condition.op == "const":
            return self._block(node.body if condition.value else node.orelse, flow, function)
        sides = []
        for holds, body in ((True, node.body), (False, node.orelse)):
            variables = scope.refined(node.test, holds)
            with self.where(condition if holds else self.t.negation(condition)):
                sides.append(self._block(body, _Flow(variables), function))
        return self._merged(condition, flow, *sides)

    def _merged(self, condition: Term, before: _Flow, then: _Flow, other: _Flow) -> _Flow:
        """What comes of two branches, of which the condition says which is taken."""
        t = self.t
        never = t.const(0, 1)
        p, q = then.when or never, other.when or never
        returned = self.choose(condition, then.returned, other.returned)
        when = t.ite(condition, p, q)
        if before.when is not None:
            returned = self.choose(before.when, before.returned, returned)
            when = t.apply("bvor", before.when, when)
        if p.constant == 1:
            variables = other.variables
        elif q.constant == 1:
            variables = then.variables
        else:
            variables = {
                name: self.choose(condition, then.variables.get(name), other.variables.get(name))
                for name in then.variables | other.variables
            }
        return _Flow(variables, returned, None if when.constant == 0 else when)


@cache
def _parsed(function: Callable) -> tuple[ast.FunctionDef, list[str]]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise NotExecutable(f"{function.__name__} is no function of statements")
    return tree, [x.arg for x in tree.args.args]


_OF_INTEGERS: dict[str, Callable[..., Value]] = {"divide": quotient, "square_root": square_root}


class _Scope:
    """Expressions, with the variables of a place."""

    def __init__(self, executor: Executor, variables: Environment, function: Callable) -> None:
        self.e = executor
        self.variables = variables
        self.function = function

    def value(self, node: ast.expr) -> Value:
        """What an expression gives."""
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            raise NotExecutable(f"{self.function.__name__}: {ast.unparse(node)[:80]!r}")
        return method(node)

    def _Constant(self, node: ast.Constant) -> Value:
        return node.value

    def _Name(self, node: ast.Name) -> Value:
        if node.id in self.variables:
            return self.variables[node.id]
        names = inspect.getclosurevars(self.function)
        for place in (names.nonlocals, self.function.__globals__, vars(builtins)):
            if node.id in place:
                return place[node.id]
        raise NotExecutable(f"{self.function.__name__}: name {node.id}")

    def _Attribute(self, node: ast.Attribute) -> Value:
        return getattr(self.value(node.value), node.attr)

    def _Tuple(self, node: ast.Tuple) -> Value:
        return tuple(self._values(node.elts))

    def _List(self, node: ast.List) -> Value:
        return self._values(node.elts)

    def _ListComp(self, node: ast.ListComp) -> Value:
        (made,) = node.generators
        scope, found = _Scope(self.e, dict(self.variables), self.function), []
        for item in self.value(made.iter):
            self.e.assign(made.target, item, scope.variables)
            found.append(scope.value(node.elt))
        return found

    def _values(self, nodes: list[ast.expr]) -> list[Value]:
        """Values of expressions, of which those with a star are several."""
        found: list[Value] = []
        for x in nodes:
            found += self.value(x.value) if isinstance(x, ast.Starred) else [self.value(x)]
        return found

    def _Subscript(self, node: ast.Subscript) -> Value:
        place, of = self.value(node.slice), self.value(node.value)
        if not isinstance(place, Integer):
            return of[place]
        total = of[min(place.high, len(of) - 1)]
        for i in range(min(place.high, len(of) - 1) - 1, place.low - 1, -1):
            total = self.e.choose(self.e.truth(self.e.compare(ast.Eq, place, i)), of[i], total)
        return total

    def _Slice(self, node: ast.Slice) -> slice:
        ends = (node.lower, node.upper, node.step)
        return slice(*(None if x is None else self.value(x) for x in ends))

    def _BinOp(self, node: ast.BinOp) -> Value:
        return self.e.binary(type(node.op), self.value(node.left), self.value(node.right))

    def _UnaryOp(self, node: ast.UnaryOp) -> Value:
        x = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return self.e.boolean(self.e.t.negation(self.e.truth(x)))
        if isinstance(node.op, ast.USub):
            return self.e.binary(ast.Sub, 0, x)
        if isinstance(node.op, ast.Invert):
            return self.e.binary(ast.Sub, -1, x)
        return x

    def _Compare(self, node: ast.Compare) -> Value:
        left, parts = self.value(node.left), []
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            parts.append(self.e.truth(self.e.compare(type(op), left, right)))
            left = right
        return self.e.boolean(self.e.t.all_of(parts))

    def _BoolOp(self, node: ast.BoolOp) -> Value:
        """Later operands are looked at with what earlier ones say of the variables."""
        conjunction = isinstance(node.op, ast.And)
        scope, bits = self, list[Term]()
        t = self.e.t
        for operand in node.values:
            so_far = t.all_of(bits) if conjunction else t.negation(t.any_of(bits))
            with self.e.where(so_far):
                bit = self.e.truth(scope.value(operand))
            bits.append(bit)
            if bit.constant == (0 if conjunction else 1):
                break
            scope = _Scope(self.e, scope.refined(operand, conjunction), self.function)
        return self.e.boolean(t.all_of(bits) if conjunction else t.any_of(bits))

    def _IfExp(self, node: ast.IfExp) -> Value:
        condition = self.e.truth(self.value(node.test))
        if condition.op == "const":
            return self.value(node.body if condition.value else node.orelse)
        made = []
        for holds, side in ((True, node.body), (False, node.orelse)):
            variables = self.refined(node.test, holds)
            with self.e.where(condition if holds else self.e.t.negation(condition)):
                made.append(_Scope(self.e, variables, self.function).value(side))
        return self.e.choose(condition, *made)

    def _Call(self, node: ast.Call) -> Value:
        function = self.value(node.func)
        args = self._values(node.args)
        named = {str(x.arg): self.value(x.value) for x in node.keywords}
        name = getattr(function, "__name__", "")
        if function is min or function is max:
            return self.e.least(*args, greatest=function is max)
        if function is abs:
            return self.e.magnitude(*args)
        if name == "bit_length" and args:
            return self.e.bit_length(*args)
        if name in _OF_INTEGERS and any(isinstance(x, Integer) for x in args):
            return _OF_INTEGERS[name](self.e, *args)
        if getattr(function, "is_golden", False):
            return self.e.call(function, *args)
        constructs = isinstance(function, type) and issubclass(function, tuple)
        if any(isinstance(x, Integer) for x in args) and not constructs:
            raise NotExecutable(f"{self.function.__name__}: a call of {name}")
        return function(*args, **named)

    def refined(self, test: ast.expr, holds: bool) -> Environment:
        """The variables where a condition holds, or does not: in narrower ranges perhaps."""
        variables = dict(self.variables)
        self._refine(test, holds, variables)
        return variables

    def _refine(self, test: ast.expr, holds: bool, variables: Environment) -> None:
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            self._refine(test.operand, not holds, variables)
        elif isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) == holds:
            for operand in test.values:
                self._refine(operand, holds, variables)
        elif isinstance(test, ast.Compare) and len(test.ops) == 1:
            op = type(test.ops[0])
            left, right = test.left, test.comparators[0]
            if op in _OPPOSITE:
                self._bound(left, op if holds else _OPPOSITE[op], right, variables)
                self._bound(right, _MIRRORED[op if holds else _OPPOSITE[op]], left, variables)

    def _bound(
        self, name: ast.expr, op: type[ast.cmpop], other: ast.expr, variables: Environment
    ) -> None:
        if not isinstance(name, ast.Name) or name.id not in variables:
            return
        x = variables[name.id]
        if not isinstance(x, Integer):
            return
        low, high = self.e.range_of(self.value(other))
        if op in (ast.Lt, ast.LtE):
            variables[name.id] = self.e.narrowed(x, x.low, high - (op is ast.Lt))
        elif op in (ast.Gt, ast.GtE):
            variables[name.id] = self.e.narrowed(x, low + (op is ast.Gt), x.high)
        elif op is ast.Eq:
            variables[name.id] = self.e.narrowed(x, low, high)
        elif low == high == x.low:
            variables[name.id] = self.e.narrowed(x, x.low + 1, x.high)
        elif low == high == x.high:
            variables[name.id] = self.e.narrowed(x, x.low, x.high - 1)


_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
}
