"""Types of few bits side by side: bits, errors of numbers of three distributions, and what a
multiply-add of them costs.

All are measured in one way, of the same numbers: 4096 rows of 128 in fp32, of numpy's
``default_rng``: normal (seed 0), Laplace (1) and Student's t with 4 degrees of freedom (2), in
blocks along rows. RaZeR and BitMoD are subject to patent applications by Cornell University.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from ..formats import BlockFormat
from ..formats.quantized import nmse
from ..formats.weights import WeightKind, quantize, weight_type
from ..progress import progress
from ..tables import Several, Table
from ..units import unit as make_unit
from ..units.bitserial.pe import LANES as PE_LANES
from .hardware import FLOW, Flow
from .weights import Element, processing_elements

SHAPE = 4096, 128

DISTRIBUTIONS = {"N": "normal", "L": "Laplace", "t4": "Student's t(4)"}
"""Of the numbers, by the columns' names."""

GROUP = 128
"""Weights that share a scale of 16 bits."""

LANES = 8
"""Of dot products."""

ANDA, ANDA_LANES = "anda_m", 64
"""How names of Anda's types begin; and lanes of its elements, which take a clock for each bit of a
mantissa."""

AXCORE = Element("AxCore", "axdot", Fraction(4))
"""A step of a column of AxCore's, for weights in e2m1."""

LOOKUP = Element("lookup", "lutdot:a=int15,k=3,planes=4,n=16", Fraction(3 * 16))
"""Tables of three aligned activations for the four planes of weights of 16 outputs."""

FLINT = Element("bit-parallel", f"fpint:w=int6,lanes={PE_LANES}", Fraction(PE_LANES))
"""What takes the numbers of `flintdecode`."""


@dataclass(frozen=True)
class DataType:
    """A row: a type, how numbers are quantized to it, and which multiply-adds take it.

    Attributes
    ----------
    type : as `hwarith.quantize` takes it.
    variant : what tells it from other rows of the type.
    options : of `hwarith.quantize`.
    of_tensor : whether all numbers share one scale, of fp32, that is not counted.
    element : the unit of this row, if it is not the usual one of the type.
    """

    type: str
    variant: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    of_tensor: bool = False
    element: Element | None = None

    @property
    def name(self) -> str:
        return f"{self.type} {self.variant}".strip()

    @property
    def kind(self) -> WeightKind:
        return weight_type(self.type)

    @property
    def block(self) -> int | None:
        """Numbers that share a scale; None: all."""
        kind = self.kind
        return None if self.of_tensor else kind.block if isinstance(kind, BlockFormat) else GROUP

    @property
    def scale(self) -> str:
        """What such a block keeps, and the tensor."""
        kind = self.kind
        if isinstance(kind, BlockFormat):
            more = kind.metadata
            beside = more.bits * more.spans(kind.block) if more else 0
            of_all = " + fp32 of all" if kind.tensor_scale else ""
            return f"{kind.scale}{_bits(beside)}{of_all}"
        return "fp32 of all" if self.of_tensor else f"fp16{_bits(kind.selector_bits)}"

    @property
    def bits(self) -> float:
        """Bits of a number and its share of what its block keeps."""
        kind = self.kind
        if isinstance(kind, BlockFormat):
            return float(kind.bits_per_element)
        if self.of_tensor:
            levels = {float(x) for book in kind.codebooks for x in book.levels}
            return math.log2(len(levels))
        return quantize(np.zeros((1, GROUP)), kind, GROUP).bits_per_weight

    def rounded(self, x: np.ndarray) -> np.ndarray:
        """What numbers (..., 128) become, float64."""
        if self.of_tensor:
            return quantize(x.ravel(), self.type, x.size, **self.options).values().reshape(x.shape)
        return quantize(x, self.type, self.block, **self.options).values()


def _bits(count: int) -> str:
    return f" + {count} bit{'s' * (count > 1)}" if count else ""


def _mx(name: str, *rules: str) -> list[DataType]:
    of = {"floor": "floor", "ceil": "exact_ceil"}
    return [DataType(name, rule, {"scale_rule": of[rule]}) for rule in rules]


DATATYPES = (
    *(DataType(f"int{b}") for b in range(3, 9)),
    DataType("int4", "lookup", element=LOOKUP),
    DataType("fp4"),
    DataType("fp4", "axcore", element=AXCORE),
    DataType("bitmod3"),
    DataType("bitmod4"),
    DataType("ant4"),
    DataType("nupes4"),
    DataType("ternary"),
    DataType("ternary", "tensor", of_tensor=True),
    *_mx("mxint8", "floor", "ceil"),
    *_mx("mxint4", "floor"),
    *_mx("mxfp8_e4m3", "floor", "ceil"),
    *_mx("mxfp8_e5m2", "floor"),
    *_mx("mxfp6_e2m3", "floor", "ceil"),
    *_mx("mxfp6_e3m2", "floor"),
    *_mx("mxfp4", "floor", "ceil"),
    DataType("nvfp4"),
    DataType("nvint4"),
    DataType("razer_w"),
    DataType("razer_a"),
    DataType("mxfp4+"),
    DataType("mxfp4++:nbm=floor"),
    DataType("mxfp4++"),
    DataType("mxfp6_e2m3+"),
    DataType("mxfp8_e4m3+"),
    DataType("m2xfp_a"),
    DataType("m2xfp_w"),
    *(DataType(f"{ANDA}{m}") for m in (4, 5, 6, 7, 8, 11)),
    *(DataType(f"{ANDA}{m}", "rne", {"round": "rne"}) for m in (4, 6, 8)),
)
"""The rows of the table."""

UNITS: dict[str, Element] = {
    **{
        name: Element("dot product", f"dot:{first},n={LANES}{more}", Fraction(LANES))
        for name, first, more in (
            ("mxint8", "a=int8", ",scale=e8m0fnu"),
            ("mxint4", "a=int4", ",scale=e8m0fnu"),
            ("mxfp8_e4m3", "a=e4m3fn", ",scale=e8m0fnu"),
            ("mxfp8_e5m2", "a=e5m2", ",scale=e8m0fnu"),
            ("mxfp6_e2m3", "a=e2m3fn", ",scale=e8m0fnu"),
            ("mxfp6_e3m2", "a=e3m2fn", ",scale=e8m0fnu"),
            ("mxfp4", "a=e2m1fn", ",scale=e8m0fnu"),
            ("nvfp4", "a=e2m1fn", ",scale=ue4m3"),
            ("nvint4", "a=int4", ",scale=ue4m3"),
            ("mxfp4+", "meta=mx+", ",bm=unit"),
            ("mxfp4++", "meta=mx++", ",bm=unit"),
            ("mxfp4++:nbm=floor", "meta=mx++", ",bm=unit"),
            ("m2xfp_a", "meta=m2xfp", ""),
            ("m2xfp_w", "meta=m2xfp", ""),
            ("razer_a", "meta=razer", ""),
            ("razer_w", "meta=razer", ""),
        )
    },
    **{
        f"{ANDA}{m}": Element(
            "bit-serial", f"andape:m={m},lanes={ANDA_LANES}", Fraction(ANDA_LANES, m)
        )
        for m in range(1, 17)
    },
    "ant4": FLINT,
}
"""What multiplies numbers of a type, and adds them up, by its name: its name, its spec, and its
multiply-adds a clock. Types of weights that are not here take `processing_elements`, with fp16
activations."""


def element_of(kind: DataType) -> Element | None:
    """The unit that takes numbers of a type, if there is one."""
    if kind.element:
        return kind.element
    name = kind.kind.name
    if name in UNITS or isinstance(kind.kind, BlockFormat):
        return UNITS.get(name)
    found, _ = processing_elements(kind.kind)
    return found[-1] if found else None


@dataclass(frozen=True)
class DataTypeResult:
    """A row: a type with its squared errors, as shares of the numbers' squares, by `DISTRIBUTIONS`;
    what multiplies and adds it, and gate equivalents and energy (changes of a NAND2) of a
    multiply-add, if they were asked for."""

    datatype: DataType
    errors: dict[str, float]
    element: Element | None
    area: float | None = None
    energy: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        kind, element = self.datatype, self.element
        return {
            "type": kind.name,
            "bits": kind.bits,
            "block": kind.block,
            "scale": kind.scale,
            "nmse": self.errors,
            "spec": element.spec if element else None,
            "area_per_multiply_add": self.area,
            "energy_per_multiply_add": self.energy,
        }

    def row(self) -> dict[str, object]:
        """For a table, by titles."""
        found = self.as_dict()
        return {
            "type": found["type"],
            "Bits": found["bits"],
            **{f"NMSE {name}": x for name, x in self.errors.items()},
            "Area per MAC (GE)": self.area,
            "Energy (NAND2)": self.energy,
            "Block": found["block"] or "tensor",
            "Scale": found["scale"],
            "PE": found["spec"],
        }


class DataTypeResults(Several[DataTypeResult]):
    """Types side by side."""

    def tables(self) -> list[Table]:
        """A row for each type."""
        return [Table([x.row() for x in self]).without_empty()]


@cache
def numbers(distribution: str, seed: int | None = None) -> np.ndarray:
    """The numbers of a distribution, by its column's name: fp32 of shape `SHAPE`. Of another seed
    than the table's those that tell how much it depends on that."""
    rng = np.random.default_rng([*DISTRIBUTIONS].index(distribution) if seed is None else seed)
    draw = {
        "N": lambda: rng.standard_normal(SHAPE),
        "L": lambda: rng.laplace(size=SHAPE),
        "t4": lambda: rng.standard_t(4, size=SHAPE),
    }
    return draw[distribution]().astype(np.float32)


def errors(kind: DataType, seed: int | None = None) -> dict[str, float]:
    """Squared errors of a type, as shares of the numbers' squares, by `DISTRIBUTIONS`."""
    found = {}
    for name in DISTRIBUTIONS:
        x = numbers(name, seed)
        error = nmse([x], [kind.rounded(x)])
        assert error is not None
        found[name] = error
    return found


def datatypes(
    types: Iterable[str] = (), costs: bool = False, *, flow: Flow = FLOW
) -> DataTypeResults:
    """Types of few bits side by side: bits, blocks, scales and squared errors of normal, Laplacian
    and Student's t(4) numbers.

    Parameters
    ----------
    types : types that `hwarith.quantize` takes; default: all `DATATYPES`. Of one that is among
        these its rows are shown, of another one the one with the usual options.
    costs : whether to measure area and energy of a multiply-add, where there is a unit that takes
        the type: minutes, if it was never done before.
    flow : gives them.

    Raises `InvalidInput` for an unknown type, and `ToolFailure` if synthesis fails.
    """
    results = []
    for kind in progress(_chosen(types), "types"):
        element = element_of(kind)
        area = energy = None
        if costs and element:
            u = make_unit(element.spec)
            found = flow.synthesize(u).area
            assert found is not None
            area = found / float(element.per_clock)
            energy = flow.energy(u).energy / float(element.per_clock)
        results.append(DataTypeResult(kind, errors(kind), element, area, energy))
    return DataTypeResults(tuple(results))


def _chosen(types: Iterable[str]) -> list[DataType]:
    given = [types] if isinstance(types, str) else list(types)
    if not given:
        return list(DATATYPES)
    found: dict[str, DataType] = {}
    for name in given:
        kind = weight_type(name)
        rows = [x for x in DATATYPES if x.kind == kind] or [DataType(kind.name)]
        found |= {row.name: row for row in rows}
    return list(found.values())
