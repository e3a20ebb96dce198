"""A design point of a report: what a sweep found out about a unit, and the unit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ...explore.point import Result
from ...formats import Format, format
from ...formats.blocks import block_format
from ...units import Unit
from ...units.dot import Dot
from ...units.operations import Operation


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
        return self.unit.operation

    @property
    def family(self) -> str:
        """The kind of unit, by which points are shaped."""
        return self.unit.family

    @property
    def format(self) -> str:
        """The first operand's format, by which points are coloured; of blocks with scales theirs,
        if it has a name."""
        u, element = self.unit, self.first_operand
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
    ``dot e4m3fn + fp32 n=8``."""
    operands = [f.name for f in _elements(unit).values()]
    result = next(iter(unit.results.values())).name
    words = [unit.family, "·".join(dict.fromkeys(operands[:2]))]
    if len(operands) > 2 and operands[2] != operands[0]:
        words += ["+", operands[2]]
    if result != operands[-1]:
        words += ["→", result]
    return " ".join([*words, *(f"{key}={value}" for key, value in _unusual(unit).items())])


def _elements(unit: Unit) -> dict[str, Format]:
    """The formats of a unit's operands; of blocks those of their elements, without their scales."""
    if not isinstance(unit, Dot):
        return dict(unit.operands)
    return {"a": unit.a, "b": unit.b} | ({"c": unit.addend} if unit.addend else {})


def options(unit: Unit) -> dict[str, str]:
    """The parameters that say neither formats nor how deep a pipeline is, with their values."""
    return {
        name: str(getattr(unit, name))
        for name, parameter in unit.parameters().items()
        if parameter.parse is not format
        and name not in ("stages", "target_delay")
        and getattr(unit, name) is not None
    }


def unusual_options(unit: Unit) -> set[str]:
    """Those of the `options` that are not what they are by default."""
    return options(unit).keys() & _unusual(unit).keys()


def _unusual(unit: Unit) -> dict[str, str]:
    """Those parameters of the spec that are neither formats nor what they are by default."""
    formats = {f.name for f in (*_elements(unit).values(), *unit.results.values())}
    unusual = {}
    for item in unit.spec.partition(":")[2].split(","):
        key, _, value = item.partition("=")
        if value not in formats and value != str(unit.parameters()[key].default):
            unusual[key] = value
    return {key: value for key, value in unusual.items() if not _follows(unit, key)}


def _follows(unit: Unit, key: str) -> bool:
    """Whether a dot product has this block or floor without being told."""
    others = {k: getattr(unit, k) for k in unit.parameters() if k != key}
    return isinstance(unit, Dot) and key in ("block", "floor") and type(unit)(**others) == unit
