"""Parts of a datapath that can be submodules of their own, to tell what each of them costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from amaranth.hdl import Const, Module, Signal

from .wires import Recorder, wire

_Made = TypeVar("_Made")
_Arguments = ParamSpec("_Arguments")
_Maker = Callable[Concatenate[Module, _Arguments], _Made]

_as_submodules = ContextVar("_as_submodules", default=False)


@contextmanager
def steps_as_submodules() -> Iterator[None]:
    """Make each step of a datapath a submodule, and in it each named part such as a shifter or an
    adder, for all hardware that is made within the ``with`` block.

    That tells what they cost. The hardware for users is flat: boundaries keep a synthesizer from
    what it would do.
    """
    token = _as_submodules.set(True)
    try:
        yield
    finally:
        _as_submodules.reset(token)


def module_of_part(m: Module, name: str) -> Module:
    """Where a part of this name is made: in `m` itself, or with `steps_as_submodules` in a
    submodule of its own. A second one of that name in `m` has a number behind it."""
    if not _as_submodules.get() or isinstance(m, Recorder):
        return m
    free, number = name, 1
    while hasattr(m.submodules, free):
        number += 1
        free = f"{name}_{number}"
    m.submodules[free] = made = Module()
    return made


def outputs_of_part(m: Module, values: Any) -> Any:
    """What a part made in `m` hands on: a value, or a dictionary, tuple or list of them.

    With `steps_as_submodules` expressions become wires of `m`, as else they would be made in the
    modules that read them.
    """
    if not _as_submodules.get() or isinstance(m, Recorder) or isinstance(values, Signal | Const):
        return values
    if isinstance(values, dict):
        return {name: outputs_of_part(m, value) for name, value in values.items()}
    if isinstance(values, tuple | list):
        return type(values)(outputs_of_part(m, value) for value in values)
    return wire(m, "handed_on", values)


def make_part(
    m: Module,
    name: str,
    make: _Maker[_Arguments, _Made],
    *arguments: _Arguments.args,
    **named: _Arguments.kwargs,
) -> _Made:
    """What ``make(m, *arguments, **named)`` gives, whose hardware is a part of this name: in `m`,
    or in a submodule of it (`steps_as_submodules`)."""
    inner = module_of_part(m, name)
    return outputs_of_part(inner, make(inner, *arguments, **named))


def named_part(
    name: str,
) -> Callable[[_Maker[_Arguments, _Made]], _Maker[_Arguments, _Made]]:
    """Decorates a function of a module, and of more, that makes what many steps have in them: its
    hardware is a part of this name (`make_part`)."""

    def decorate(make: _Maker[_Arguments, _Made]) -> _Maker[_Arguments, _Made]:
        @wraps(make)
        def made(m: Module, *arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Made:
            return make_part(m, name, make, *arguments, **named)

        return made

    return decorate
