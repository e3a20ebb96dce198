"""Steps of a datapath: running them one after the other, and what can be done to them."""

from __future__ import annotations

import inspect
from functools import wraps

from amaranth.hdl import Module

from .parts import make_part
from .wires import Step, Values, wires_of_step


def step_name(step: Step) -> str:
    """What a step is called: its function, without underscores around it."""
    return step.__name__.strip("_")


def described(step: Step) -> str:
    """What a step does: its name, and the first paragraph of its docstring."""
    name = step_name(step).replace("_", " ").capitalize()
    first, *_ = (inspect.getdoc(step) or "").split("\n\n")
    return f"{name}: {' '.join(first.split())}" if first else f"{name}."


def run_steps(m: Module, steps: list[Step], values: Values) -> Values:
    """Make all steps in a module, one after the other, each as a part that is called like its
    function. Gives what the last one hands on."""
    for step in steps:
        with wires_of_step(described(step)):
            values = make_part(m, step_name(step), step, values)
    return values


def renamed(**names: str) -> Step:
    """A step that hands on signals by other names, and the others as they are."""

    def rename(m: Module, x: Values) -> Values:
        return {names.get(name, name): value for name, value in x.items()}

    return rename


def handing_on(names: tuple[str, ...], steps: list[Step]) -> list[Step]:
    """The same steps, which also hand on signals of these names, unless they give new ones."""

    def with_names(step: Step) -> Step:
        @wraps(step)
        def handing(m: Module, x: Values) -> Values:
            return {name: x[name] for name in names if name in x} | step(m, x)

        return handing

    return [with_names(step) for step in steps]
