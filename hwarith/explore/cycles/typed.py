"""Accelerators for types of few bits, of the area of the published ones.

As many units that take a type (`hwarith.explore.datatypes.UNITS`) as have room in the area of the
multiply-adds of the config ``fp16``, in as many columns as that has. A layer's weights move in the
bits of the type, and so do its inputs where a unit takes both operands in it; results, and what
attention multiplies, have 16 bits. Anda is a type of the inputs: weights are int4.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from ...exceptions import InvalidInput
from ...formats import BlockFormat
from ...formats.weights import weight_type
from ...units import unit
from ..datatypes import ANDA, DATATYPES, DataType, element_of
from ..hardware import FLOW, Flow
from .accelerator import CONFIGS, Accelerator, Config
from .decoder import ACTIVATION_BITS

REFERENCE = "mac:a=fp16,acc=fp32"
"""What the area of the config ``fp16`` consists of."""


def config_of_type(name: str, flow: Flow = FLOW) -> Config:
    """The accelerator for a type: a row of `hwarith.datatypes`, or any type of `hwarith.quantize`.

    Raises `InvalidInput` for an unknown type and one that no unit takes, and `ToolFailure` if
    synthesis fails.
    """
    rows = [row for row in DATATYPES if row.name == name]
    rows += [] if rows else [row for row in DATATYPES if row.kind == weight_type(name)]
    return config_of(rows[0] if rows else DataType(weight_type(name).name), _areas(flow))


def _areas(flow: Flow) -> Callable[[str], float]:
    def area(spec: str) -> float:
        found = flow.synthesize(unit(spec)).area
        assert found is not None
        return found

    return area


def config_of(kind: DataType, area: Callable[[str], float]) -> Config:
    """The accelerator for a type, of units with these areas (by specs).

    Raises `InvalidInput` if no unit takes the type.
    """
    element = element_of(kind)
    if element is None:
        raise InvalidInput(
            f"no unit takes {kind.name}; `hwarith datatypes -v` names those there are"
        )
    bits = input_bits = Fraction(str(kind.bits))
    if kind.kind.name.startswith(ANDA):
        bits = Fraction(str(DataType("int4").bits))
    elif not isinstance(kind.kind, BlockFormat):
        input_bits = Fraction(ACTIVATION_BITS)
    room = area(REFERENCE) / area(element.spec)

    def shaped(of: Accelerator) -> Accelerator:
        return Accelerator(
            rows=max(1, int(of.rows * room)),
            columns=of.columns,
            bits=bits,
            dp=element.per_clock.numerator,
            clocks=element.per_clock.denominator,
            input_bits=input_bits,
        )

    published = CONFIGS["fp16"]
    return Config(shaped(published.prompt), shaped(published.generation))
