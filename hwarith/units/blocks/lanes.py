"""Units whose operands and results are blocks: in software arrays with an axis for the lanes, in
hardware ports with the codes of all lanes side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import wraps
from typing import Any

from amaranth.hdl import Cat, Module

from ...exceptions import InvalidInput
from ...formats import Format
from ...formats.lanes import join, split
from ...lazily import np
from ...rtl import Step, Values, wires_named
from ..contract import Unit
from ..results import by_name, several
from ..results import split as split_codes
from ..transfers import Transfers


class LaneUnit(Unit):
    """Base of units of blocks: an author writes what a `Unit` has, `lane_formats` and `compute`."""

    def compute(self, *codes: np.ndarray) -> list[np.ndarray]:
        """Results of checked operands: arrays (..., n) of blocks, (...) of others."""
        raise NotImplementedError

    def block_definition(self) -> tuple[Callable[..., Any], tuple]:
        """The definition of a whole block, which `compute` applies to many, lane by lane.

        It is a golden function of the operands' codes, sequences of those of lanes, and then of the
        constants. It returns the result; of several a tuple; a list of those of lanes.
        """
        raise NotImplementedError

    @property
    def work(self) -> Fraction:
        return Fraction(max(n for _, n in self.lane_formats.values()))

    @property
    def transfers(self) -> Transfers:
        return LaneTransfers(self)

    def call(self, *codes: Any) -> Any:
        """Results of arrays of codes: blocks are of shape (..., n), everything else of shape (...);
        they are broadcast together. Raises `InvalidInput` for what is not so."""
        found = self.compute(*self.check_operands(codes))
        return by_name(tuple(self.results), [x[()] for x in found])

    def golden(self, *codes: Any) -> Any:
        """The definition of one block, on plain integers and sequences (or arrays) of them."""
        function, constants = self.block_definition()
        plain = [x.tolist() if hasattr(x, "tolist") else x for x in codes]
        found = function(*self.arguments(plain), *constants)
        names = tuple(self.results)
        if any(name in self.lane_formats for name in names):
            return by_name(names, several(found))
        return by_name(names, split_codes(found, self.results.values()))

    def check_operands(self, codes: tuple[Any, ...]) -> list[np.ndarray]:
        """Operand codes as arrays of one shape, but for the axis of lanes. Raises `InvalidInput`,
        naming the operand."""
        names = tuple(self.operands)
        if len(codes) != len(names):
            raise InvalidInput(
                f"{self.family} takes {len(names)} operands ({', '.join(names)}), not {len(codes)}"
            )
        found, fronts = [], []
        for (name, port), given in zip(self.operands.items(), codes, strict=True):
            f, n = self.lane_formats.get(name, (port, 0))
            x = f.check(given, f"operand {name} of {self.family}")
            if n and x.shape[-1:] != (n,):
                raise InvalidInput(
                    f"operand {name} of {self.family} must be of shape (..., {n}), not {x.shape}"
                )
            found.append(x)
            fronts.append(x.shape[:-1] if n else x.shape)
        try:
            front = np.broadcast_shapes(*fronts)
        except ValueError:
            shapes = ", ".join(f"{n} {x.shape}" for n, x in zip(names, found, strict=True))
            raise InvalidInput(
                f"operands of {self.family} must fit together, not {shapes}"
            ) from None
        return [
            np.broadcast_to(x, front + x.shape[len(own) :])
            for x, own in zip(found, fronts, strict=True)
        ]


class LaneTransfers(Transfers[LaneUnit]):
    """A block in each transfer."""

    def of(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        return self._columns(arrays, self.unit.operands)

    def calls(self, columns: list[np.ndarray]) -> list[list[np.ndarray]]:
        return [self._arrays(columns, self.unit.operands)]

    def per_result(self, arrays: list[np.ndarray]) -> list[int]:
        return [1] * math.prod(self.result_shape(arrays))

    def result_shape(self, arrays: list[np.ndarray]) -> tuple[int, ...]:
        blocked = next(iter(self.unit.operands)) in self.unit.lane_formats
        return arrays[0].shape[:-1] if blocked else arrays[0].shape

    def collect(self, columns: list[np.ndarray], shape: tuple[int, ...]) -> Any:
        arrays = self._arrays(columns, self.unit.results)
        found = [x.reshape(shape + x.shape[1:])[()] for x in arrays]
        return by_name(tuple(self.unit.results), found)

    def result_codes(self, results: Any) -> list[np.ndarray]:
        arrays = [results] if len(self.unit.results) == 1 else list(results)
        return self._columns(arrays, self.unit.results)

    def _columns(self, arrays: list[np.ndarray], names: Any) -> list[np.ndarray]:
        lanes = self.unit.lane_formats
        return [
            join(np.asarray(x), lanes[name][0]).ravel() if name in lanes else np.ravel(x)
            for name, x in zip(names, arrays, strict=True)
        ]

    def _arrays(self, columns: list[np.ndarray], names: Any) -> list[np.ndarray]:
        lanes = self.unit.lane_formats
        return [
            split(x, *lanes[name]) if name in lanes else x
            for name, x in zip(names, columns, strict=True)
        ]


# -- hardware ------------------------------------------------------------------------------------


def taken_apart(port: str, f: Format, n: int) -> Callable[[Values], Values]:
    """The codes of a port by lane, each under the name of the port (`lane`)."""

    def apart(x: Values) -> Values:
        return {of_lane(i, port): x[port][i * f.bits :][: f.bits] for i in range(n)}

    return apart


def of_lane(i: int, name: str) -> str:
    """What a value of one lane is called among those of all."""
    return f"lane{i}.{name}"


def each_lane(n: int, step: Step) -> Step:
    """A step of one lane done for all of them. It gets what belongs to the lane and what belongs to
    all; what it gives belongs to the lane. What belongs to all is handed on."""
    return abreast([step] * n)


def abreast(of_lanes: Sequence[Step]) -> Step:
    """The same of steps of which each lane has its own."""

    @wraps(of_lanes[0])
    def steps(m: Module, x: Values) -> Values:
        found = {name: value for name, value in x.items() if not name.startswith("lane")}
        for i, step in enumerate(of_lanes):
            own = of_lane(i, "")
            mine = {k.removeprefix(own): v for k, v in x.items() if k.startswith(own)}
            shared = {k: v for k, v in x.items() if not k.startswith("lane")}
            with wires_named(f"lane{i}_"):
                found |= {of_lane(i, k): v for k, v in step(m, shared | mine).items()}
        return found

    return steps


def side_by_side(x: Values, n: int, name: str) -> Any:
    """A value of all lanes in one, the first at the lsb."""
    return Cat(*(x[of_lane(i, name)] for i in range(n)))
