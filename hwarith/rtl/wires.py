"""Named wires: what the steps of a datapath are made of, in a module or on record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn

from amaranth.hdl import Module, ShapeLike, Signal, Value, ValueLike

from ..exceptions import InvalidInput

Values = dict[str, Any]
"""Named signals that one step of a datapath hands to the next: values of Amaranth, which tells type
checkers nothing of what its operators give."""

Step = Callable[[Module, Values], Values]
"""One step of a datapath: named signals in, named signals out (all that later steps need)."""

STEP = "step"
"""The attribute of a signal that says of which step of a datapath it is."""

_step = ContextVar("_step", default="")
_prefix = ContextVar("_prefix", default="")


@contextmanager
def wires_of_step(description: str) -> Iterator[None]:
    """Within the ``with`` block wires bear this description, which is a comment in Verilog."""
    token = _step.set(description)
    try:
        yield
    finally:
        _step.reset(token)


@contextmanager
def wires_named(prefix: str) -> Iterator[None]:
    """Within the ``with`` block names of wires begin with this, as where the same is made for each
    of several lanes."""
    token = _prefix.set(_prefix.get() + prefix)
    try:
        yield
    finally:
        _prefix.reset(token)


def description_of_step(signal: Signal) -> str:
    """What step a signal was made in; empty outside of steps."""
    return str(signal.attrs.get(STEP, ""))


_OF_MODULES = frozenset(dir(Module)) | {"d", "domain", "domains", "submodules"}
"""The attributes of a module; the last four come with each."""


class Recorder:
    """Stands in the place of a module and keeps the wires of a datapath, in order.

    A wire reads only wires before it, and what was there before all of them. Whatever else a
    module has raises `InvalidInput`: of what is made there a pipeline does not know which
    registers it needs.
    """

    def __init__(self) -> None:
        self.wires: list[tuple[Signal, Value]] = []

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_") or name not in _OF_MODULES:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        raise InvalidInput(
            f"a pipelined datapath cannot have m.{name}; make its signals with "
            "wire(m, name, value), and choose between values with Mux"
        )


def wire(
    m: Module | Recorder, name: str, value: ValueLike, shape: ShapeLike | int | None = None
) -> Signal:
    """A named combinational signal of this value.

    It has the value's own shape, or the one that is given: the value is then extended as its sign
    says, or its low bits are taken. Of the shape of a structure or an enumeration it is a view.
    """
    value = Value.cast(value)
    name = _prefix.get() + name
    attributes = {STEP: _step.get()} if _step.get() else {}
    signal = Signal(value.shape() if shape is None else shape, name=name, attrs=attributes)
    if isinstance(m, Recorder):
        m.wires.append((Value.cast(signal), value))
    else:
        m.d.comb += Value.cast(signal).eq(value)
    return signal
