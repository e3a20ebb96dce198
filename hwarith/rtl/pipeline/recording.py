"""The steps of a datapath run once, with what they make of its inputs on record."""

from __future__ import annotations

from typing import cast

from amaranth.hdl import Module, Signal, Value, ValueCastable

from ...exceptions import InvalidInput
from ..steps import described, step_name
from ..wires import Recorder, Step, Values, wires_of_step
from .expressions import Checker


class Recording:
    """What the steps of a datapath make of its inputs.

    Attributes
    ----------
    inputs : the inputs by name.
    wires : every wire and its expression, in order: each after those it reads.
    results : what the last step hands on, by name.

    Raises `InvalidInput`, which names the step, for one that makes what no pipeline can have.
    """

    def __init__(self, steps: list[Step], inputs: Values):
        self.inputs = inputs
        self._recorder = Recorder()
        self._checker = Checker(list(inputs.values()))
        values = inputs
        for step in steps:
            try:
                values = self._run(step, values)
            except InvalidInput as error:
                raise InvalidInput(f"step {step_name(step)}: {error}") from None
        self.wires: list[tuple[Signal, Value]] = self._recorder.wires
        self.results: Values = {name: Value.cast(x) for name, x in values.items()}

    def _run(self, step: Step, values: Values) -> Values:
        first = len(self._recorder.wires)
        # Steps only hand the module on to `wire`
        with wires_of_step(described(step)):
            values = step(cast(Module, self._recorder), values)
        for signal, value in self._recorder.wires[first:]:
            self._checker.add_wire(signal, value)
        for value in values.values():
            if isinstance(value, Value | ValueCastable):
                self._checker.check(Value.cast(value))
        return values
