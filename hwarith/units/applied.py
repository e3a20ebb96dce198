"""The steps of a unit among those of another one that is made of it."""

from __future__ import annotations

from functools import wraps

from amaranth.hdl import Const, Module

from .. import rtl
from ..rtl import Step, Values, wires_named
from .contract import Unit


def applied(u: Unit, result: str, *operands: str | int) -> list[Step]:
    """The steps of a combinational unit between others: its operands are values of these names, or
    constant codes; its result is a value of the name `result`. All others are handed on."""
    (port,) = u.results
    inside = f"{result}."
    steps = u.datapath()

    def one(i: int, step: Step) -> Step:
        @wraps(step)
        def of_unit(m: Module, x: Values) -> Values:
            if i == 0:
                own: Values = {
                    name: x[given] if isinstance(given, str) else Const(given, f.bits)
                    for (name, f), given in zip(u.operands.items(), operands, strict=True)
                }
            else:
                own = {k.removeprefix(inside): v for k, v in x.items() if k.startswith(inside)}
            around = {k: v for k, v in x.items() if not k.startswith(inside)}
            with wires_named(f"{result}_"):
                found = step(m, own)
            if i == len(steps) - 1:
                return around | {result: found[port]}
            return around | {inside + k: v for k, v in found.items()}

        of_unit.__name__ = f"{result}_{rtl.step_name(step)}"
        return of_unit

    return [one(i, step) for i, step in enumerate(steps)]


def keeping(*names: str) -> Step:
    """A step that hands on values of these names only."""

    def keep(m: Module, x: Values) -> Values:
        return {name: x[name] for name in names}

    return keep
