"""Processing elements that take the codes of a type of weights: sums through them, and costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ...formats import BlockFormat
from ...formats.weights import Quantized, WeightKind
from ...units import unit as make_unit
from ...units.bitserial.pe import LANES
from ...units.bitserial.weights import WEIGHTS, element_type
from ...units.fpint.pe import WEIGHTS as INTEGERS
from ..hardware import Flow
from .figures import COUNTED_GROUP
from .types import FP16, Coded


@dataclass(frozen=True)
class Element:
    """A processing element: its name, its spec, and multiply-adds per clock."""

    name: str
    spec: str
    per_clock: Fraction


def processing_elements(kind: WeightKind) -> tuple[list[Element], str | None]:
    """The processing elements that take the codes of a type and, if there is none, why."""
    if kind is FP16:
        return [
            Element(f"MAC with {acc} sum", f"mac:a=fp16,acc={acc}", Fraction(1))
            for acc in ("fp32", "fp16")
        ], None
    name = element_type(kind)
    found = []
    if name in WEIGHTS:
        per_clock = Fraction(LANES, WEIGHTS[name].terms)
        found.append(Element("bit-serial", f"bspe:type={name},lanes={LANES}", per_clock))
    if name in INTEGERS:
        found.append(Element("bit-parallel", f"fpint:w={name},lanes={LANES}", Fraction(LANES)))
    return found, None if found else _reason(kind)


def _reason(kind: WeightKind) -> str:
    """Why no processing element takes a type."""
    if isinstance(kind, BlockFormat):
        if kind.metadata is not None:
            return "blockdecode reads its metadata, and a multiplier of floats would do behind it"
        return "nothing makes terms of its elements: a multiplier of floats would do"
    if kind.kind == "offset":
        return "its zero point takes a sum of the activations, which no PE here forms"
    if kind.kind == "power":
        return "its levels are powers of a real number: a table and a MAC would do"
    if any(book.special is not None for book in kind.codebooks):
        return "a special value is no sum of two powers of two"
    return "nothing makes terms of its levels: a decoder and an FP16 MAC would do"


Sums = Callable[[np.ndarray], np.ndarray]
"""What gives the sums of products (images, outputs) of fp16 inputs (images, n) with weights."""


def sums_through(element: Element, weights: Coded | np.ndarray) -> Sums:
    """The sums that an element computes with weights (outputs, n): quantized ones in its own type,
    or fp16 numbers for a MAC."""
    pe = make_unit(element.spec)
    if isinstance(weights, Coded):
        return lambda x: _group_sums(pe, weights, x)
    return lambda x: _mac_sums(pe, weights, x)


def _group_sums(pe: Any, q: Coded, x: np.ndarray) -> np.ndarray:
    """Sums of each group, which are multiplied by its scale and added up in float64."""
    outputs, groups = q.scales.shape
    x = np.pad(x, [(0, 0), (0, q.codes.shape[-1] - x.shape[-1])])
    acts = x.view(np.uint16).reshape(len(x), 1, groups, q.group)
    codes = q.codes.reshape(outputs, groups, q.group)
    special = []
    if isinstance(q, Quantized) and q.specials.any():
        special = [(2 * q.specials).astype(np.int64)]
    return np.sum(pe.decode(pe.group(acts, codes, *special)) * q.scales, axis=-1)


def _mac_sums(mac: Any, w: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Sums of all products of an output."""
    codes = mac(x.view(np.uint16)[:, None], w.view(np.uint16))
    return mac.out.decode(codes).astype(np.float64)


COSTS = ("area", "delay", "throughput", "area_per_throughput", "area_time", "group_area")
"""Keys of `costs`."""


def costs(element: Element | None, flow: Flow) -> dict[str, float | None]:
    """What an element costs in hwarith's generic library: figures by `COSTS`, without one None.
    Raises `ToolFailure`."""
    if element is None:
        return dict.fromkeys(COSTS)
    found = flow.synthesize(make_unit(element.spec))
    assert found.area is not None
    assert found.delay is not None
    per_throughput = found.area / float(element.per_clock)
    return {
        "area": found.area,
        "delay": found.delay,
        "throughput": float(element.per_clock),
        "area_per_throughput": per_throughput,
        "area_time": per_throughput * found.delay,
        "group_area": found.area * float(COUNTED_GROUP / element.per_clock),
    }
