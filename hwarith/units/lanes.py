"""Any unit of one transfer at a time, several times side by side behind one stream."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from amaranth.hdl import Module

from .. import rtl
from ..exceptions import InvalidInput
from ..formats import Format
from ..formats.lanes import vector
from ..lazily import np
from ..rtl import Values, wire
from .blocks.lanes import LaneUnit, each_lane, side_by_side, taken_apart
from .parameters import integer_parameter
from .results import by_name, split
from .wrapped import Wrapper

REACH = 1 << 16
"""Most bits of a port: what every tool must take (IEEE 1364-2005, 4.3.1)."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Lanes(Wrapper, LaneUnit):
    """The lanes of a unit: ``mul:a=bf16,lanes=4`` multiplies four pairs in a transfer.

    A port has the codes of all lanes, lane 0 at the lsb; in software an array has them in its last
    axis. Operands that say what is to be done (`Unit.shared_operands`: ``rm``, ``op``, ...) are
    those of all lanes; results, flags among them, are of each. No lane knows of the others.
    """

    family: ClassVar[str] = "lanes"
    summary: ClassVar[str] = "units side by side"
    key: ClassVar[str] = "lanes"

    lanes: int = integer_parameter("copies of the unit side by side", 1, REACH, 1)

    def validate(self) -> None:
        of = self.of
        self.check_wrapped()
        for name, f in (of.operands | of.results).items():
            if name not in of.shared_operands and f.bits * self.lanes > REACH:
                raise InvalidInput(
                    f"{of.family}: parameter lanes: must be at most {REACH // f.bits}, as port "
                    f"{name} of {f.bits} bits in each lane may have {REACH}, not {self.lanes}"
                )
        places = f"; lane 0 at the lsb, {self.lanes} of them"
        self.take_over(
            f"{self.lanes} lanes",
            "in each lane",
            lambda name: "" if name in of.shared_operands else places,
        )

    @property
    def is_idle(self) -> bool:
        return self.lanes == 1

    # -- contract ------------------------------------------------------------------------------

    @property
    def lane_formats(self) -> dict[str, tuple[Format, int]]:
        named = (self.of.operands | self.of.results).items()
        return {name: (f, self.lanes) for name, f in named if name not in self.of.shared_operands}

    @property
    def operands(self) -> dict[str, Format]:
        return self._ports(self.of.operands)

    @property
    def results(self) -> dict[str, Format]:
        return self._ports(self.of.results)

    def _ports(self, named: dict[str, Format]) -> dict[str, Format]:
        lanes = self.lane_formats
        return {name: vector(*lanes[name]) if name in lanes else f for name, f in named.items()}

    @property
    def work(self) -> Fraction:
        return self.lanes * self.of.work

    # -- golden --------------------------------------------------------------------------------

    def golden(self, *codes: Any) -> Any:
        """The definition of each lane, on plain integers and sequences (or arrays) of them."""
        plain = [x.tolist() if hasattr(x, "tolist") else x for x in codes]
        own = [name in self.lane_formats for name in self.operands]
        lanes = [
            self.of.golden(*(x[i] if laned else x for x, laned in zip(plain, own, strict=True)))
            for i in range(self.lanes)
        ]
        if len(self.results) == 1:
            return lanes
        return by_name(tuple(self.results), [list(x) for x in zip(*lanes, strict=True)])

    def compute(self, *codes: np.ndarray) -> list[np.ndarray]:
        formats = self.of.results.values()
        found = split(self.of.evaluate(self.spread(list(codes))), formats)
        return [np.asarray(x, f.dtype) for x, f in zip(found, formats, strict=True)]

    def spread(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        return list(
            np.broadcast_arrays(
                *(
                    x if name in self.lane_formats else x[..., None]
                    for name, x in zip(self.operands, arrays, strict=True)
                )
            )
        )

    def grouped(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Operands of the unit, arrays of one shape, as those of transfers of so many lanes, in
        order; what is too little to fill one is left out. Shared operands are those of lane 0."""
        n = arrays[0].size // self.lanes
        rows = [x.reshape(-1)[: n * self.lanes].reshape(n, self.lanes) for x in arrays]
        return [
            x if name in self.lane_formats else x[:, 0]
            for name, x in zip(self.operands, rows, strict=True)
        ]

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        steps = (each_lane(self.lanes, step) for step in self.of.datapath())
        return [self._take_apart, *steps, self._side_by_side]

    def _take_apart(self, m: Module, x: Values) -> Values:
        """The codes of each lane."""
        found = {name: x[name] for name in self.operands if name not in self.lane_formats}
        for name in self.operands.keys() & self.lane_formats.keys():
            found |= taken_apart(name, *self.lane_formats[name])(x)
        return found

    def _side_by_side(self, m: Module, x: Values) -> Values:
        """The results of all lanes, lane 0 at the lsb."""
        return {
            name: wire(m, f"{name}_of_lanes", side_by_side(x, self.lanes, name))
            for name in self.results
        }
