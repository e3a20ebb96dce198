"""A design point of a report: what a sweep found out about a unit, and the unit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...explore.metrics import METRICS
from ...explore.point import NETWORK, Result
from ...formats import Format, format
from ...formats.blocks import block_format
from ...units import Unit
from ...units.dot import Dot
from ...units.operations import Operation
from ...units.parts import ArrayUnit
from ...units.timed import RANKS
from ...units.wrapped import Wrapper, unwrapped

CODES = "codes"
"""What takes the place of a format where a port has codes that the unit alone knows."""

_NO_COST = {
    "bits": "it is given no two factors",
    "delay": "the library gives none: of an FPGA that is not routed",
    "leakage": "the library gives no leakage",
}


@dataclass(frozen=True)
class Point:
    """A finished design point with its unit."""

    result: Result
    unit: Unit

    @cached_property
    def label(self) -> str:
        """The unit's short name for readers (`unit_label`)."""
        return unit_label(self.unit)

    @cached_property
    def figures(self) -> dict[str, float | None]:
        """Every number by its column's key, None where it has no value."""
        return self.result.figures()

    def reason(self, key: str) -> str | None:
        """Why a figure has no value, by its column's key; None if it has one."""
        if self.figures.get(key) is not None:
            return None
        reasons = self.result.details.get("reasons", {})
        if key in NETWORK:
            return reasons.get("network", "an output of the network is not finite")
        if key in METRICS:
            return reasons.get("errors") or self._no_metric(key)
        if key in ("energy", "lane_energy", "leakage") and "energy" in reasons:
            return reasons["energy"]
        return _NO_COST.get(key, "the library does not say")

    def _no_metric(self, key: str) -> str:
        """Why a unit whose errors are known has no value of a metric."""
        if not self.result.counts["counted"]:
            return "no operand set has a finite result within range"
        if key == "sqnr" and not self.figures.get("error_rate"):
            return "no result errs"
        relative = self.result.counts["counted"] > self.result.counts["zero_exact"]
        return "beyond float64's range" if relative else "every exact result is zero"

    @property
    def notes(self) -> str:
        """What was not measured, and why, in a line; empty if nothing is missing."""
        reasons = self.result.details.get("reasons", {})
        return "; ".join(f"no {what}: {why}" for what, why in reasons.items())

    @property
    def name(self) -> str:
        """The unit's name in Verilog, which no other point of a sweep has."""
        return self.result.name

    @property
    def spec(self) -> str:
        """The text that makes the unit again."""
        return self.result.spec

    @property
    def operation(self) -> Operation:
        """What the unit computes."""
        return unwrapped(self.unit).operation

    @property
    def family(self) -> str:
        """The kind of unit, by which points are shaped."""
        return self.unit.family

    @property
    def format(self) -> str:
        """The first operand's format, by which points are coloured; of blocks with scales theirs,
        if it has a name."""
        u, element = self.unit, self.first_operand
        if not _tells(element, u):
            return CODES
        if isinstance(u, Dot) and u.scale and (found := block_format(element, u.scale)).source:
            return found.name
        return element.name

    @property
    def first_operand(self) -> Format:
        """The format of the first operand, of blocks that of their elements."""
        return next(iter(_elements(self.unit).values()))

    @property
    def is_approximate(self) -> bool:
        """Whether the unit's contract is that of an approximate unit."""
        return self.unit.contract.kind == "approximate"

    @property
    def formats(self) -> tuple[str, ...]:
        """The names of the formats of all operands and results, in order."""
        return tuple(f.name for f in (*self.unit.operands.values(), *self.unit.results.values()))

    @property
    def signature(self) -> tuple[Operation, tuple[str, ...]]:
        """What two units must have in common to be compared: operation and formats."""
        return self.operation, self.formats


def unit_label(unit: Unit) -> str:
    """A short name for readers: ``mul e4m3fn → bf16``, ``fma bf16 + fp32``, ``lmul bf16 k=4``,
    ``dot e4m3fn + fp32 n=8``, ``engine 8x8 of fma bf16 + fp32``; of a unit whose ports are codes of
    no format its parameters: ``fpint w=int4 p=14 lanes=4 k=256``."""
    if isinstance(unit, Wrapper):
        return f"{unit_label(unit.one)} {unit.key}={unit.value}"
    if isinstance(unit, ArrayUnit):
        array: Any = unit
        return f"{unit.family} {array.rows}x{array.columns} of {unit_label(array.pe)}"
    operands = [f.name for f in _elements(unit).values() if _tells(f, unit)]
    result = next(iter(unit.results.values()))
    words = [unit.family, "·".join(dict.fromkeys(operands[:2]))]
    if len(operands) > 2 and operands[2] != operands[0]:
        words += ["+", operands[2]]
    result = unit.lane_formats.get(next(iter(unit.results)), (result, 1))[0]
    if operands and result.name != operands[-1] and _tells(result, unit):
        words += ["→", result.name]
    more = _unusual(unit) if operands else _shown(unit)
    return " ".join(
        [word for word in words if word] + [f"{k}={value}" for k, value in more.items()]
    )


def _elements(unit: Unit) -> dict[str, Format]:
    """The formats of a unit's operands; of blocks those of their elements, without their scales."""
    if isinstance(unit, ArrayUnit):
        array: Any = unit
        return _elements(array.pe)
    if isinstance(unit, Dot):
        return {"a": unit.a, "b": unit.b} | ({"c": unit.addend} if unit.addend else {})
    lanes = unit.lane_formats
    return {name: lanes.get(name, (f, 1))[0] for name, f in unit.operands.items()}


def _tells(f: Format, unit: Unit) -> bool:
    """Whether a port's format says what its codes stand for; else they are bits that the unit
    alone knows, of an unsigned integer that no parameter chose."""
    chosen = (getattr(unit, name) for name in unit.parameters())
    return f.is_float or f.signed or any(f == one for one in chosen if isinstance(one, Format))


def options(unit: Unit) -> dict[str, str]:
    """The parameters that say neither formats nor how deep a pipeline is, with their values."""
    if isinstance(unit, Wrapper):
        return options(unit.of) | {unit.key: unit.value}
    return {
        name: str(getattr(unit, name))
        for name, parameter in unit.parameters().items()
        if parameter.parse is not format and name not in RANKS and getattr(unit, name) is not None
    }


def unusual_options(unit: Unit) -> set[str]:
    """Those of the `options` that are not what they are by default."""
    return options(unit).keys() & _unusual(unit).keys()


def _unusual(unit: Unit) -> dict[str, str]:
    """Those parameters of the spec that are neither formats nor what they are by default."""
    if isinstance(unit, Wrapper):
        return _unusual(unit.one) | {unit.key: unit.value}
    formats = {f.name for f in (*_elements(unit).values(), *unit.results.values())}
    return {
        key: value
        for key, value in _shown(unit).items()
        if value not in formats
        and value != str(unit.parameters()[key].default)
        and not _follows(unit, key)
    }


def _shown(unit: Unit) -> dict[str, str]:
    """The parameters of the spec, as it has them."""
    return {key: str(value) for key, value in unit.shown_parameters().items()}


def _follows(unit: Unit, key: str) -> bool:
    """Whether a dot product has this block or floor without being told."""
    others = {k: getattr(unit, k) for k in unit.parameters() if k != key}
    return isinstance(unit, Dot) and key in ("block", "floor") and type(unit)(**others) == unit
