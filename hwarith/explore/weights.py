"""Types of weights compared: their bits, what they do to real weights, and what runs them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

import hwarith

from ..errors import InvalidInput
from ..formats.weights import TYPES, Quantized, WeightType, quantize, weight_type
from ..units import unit as make_unit
from ..units.bitserial.pe import LANES
from ..units.bitserial.weights import WEIGHTS, element_type
from ..units.fpint.pe import WEIGHTS as INTEGERS
from .point import COSTS, NETWORK, Figure
from .workloads import DIGITS, Workload

if TYPE_CHECKING:
    from .weights_file import Arrays

GROUP = 32
"""Weights that share a scale, unless the user says so otherwise."""

COUNTED_GROUP = 128
"""Weights of the group that area and clocks are multiplied for."""

NORMAL_SHAPE, NORMAL_SEED = (2048, 128), 0
"""Groups and their weights of the standard figure, and the seed of numpy's ``default_rng``."""

FP16 = WeightType("fp16", 16, source="not by groups: each weight rounded to IEEE 754 binary16")
"""What types are compared with."""

ALL_TYPES = (*TYPES, FP16.name)

WEIGHT_FIGURES = {
    figure.key: figure
    for figure in (
        Figure(
            "bits", "Bits per weight", "bits",
            "Bits of a weight's code and its share of what its group keeps: the scale (16 bits; 8 "
            "of mxfp4), which special value it has, and the zero point. Of groups that are full.",
        ),
        Figure(
            "nmse", "Weight error (NMSE)", "",
            "Normalised mean squared error: the sum of (w - q)² over all weights, divided by the "
            "sum of w², where w is a weight and q what its code stands for.",
        ),
        Figure(
            "nmse_normal", "Error of normal weights (normal NMSE)", "",
            f"The same of {NORMAL_SHAPE[0]} groups of {NORMAL_SHAPE[1]} random numbers N(0,1), of "
            "mean 0 and variance 1 (mxfp4: groups of 32): a standard figure, the same in every "
            "report.",
        ),
        Figure(
            "accuracy", "Accuracy", "",
            NETWORK["accuracy"].definition[:-1] + " by the network with quantized weights, "
            "activations in fp16, and sums in float64.",
        ),
        Figure(
            "output_error", "Network output error", "",
            "Root mean square of the deviation of that network's outputs from those of float64 "
            "weights and activations, divided by the root mean square of the latter.",
        ),
        Figure(
            "pe_output_error", "Output error through the PE", "",
            "The same where the bit-accurate model of the processing element (PE) computes all "
            "products and sums: a PE of groups those of each group, which are multiplied by the "
            "scale and added up in float64; a MAC all of an output.",
        ),
        Figure(
            "area_per_throughput", "Area per throughput", "GE·clock",
            "Area of the PE divided by its multiply-adds per clock: the gates that do one "
            "multiply-add in each clock. It takes all PEs at one clock rate.",
        ),
        Figure(
            "area", "Area", "GE",
            "Area of the PE with its accumulator; with hwarith's generic "
            "library in gate equivalents (GE), multiples of a two-input NAND gate. Without what "
            "PEs share: the generator of terms (bit-serial), the alignment of activations "
            "(bit-parallel), and the multiplication by the scale.",
        ),
        Figure(
            "delay", COSTS["delay"].title, COSTS["delay"].unit,
            "Longest path between inputs, registers and outputs, without wires and loads; with "
            "hwarith's generic library in delays of a two-input NAND gate.",
        ),
        Figure(
            "throughput", "Multiply-adds per clock", "per clock",
            "Products of an activation and a weight that the PE adds up in each clock. A "
            f"bit-serial PE has {LANES} lanes and takes a clock for each term of a weight; a "
            f"bit-parallel one has {LANES} lanes.",
        ),
        Figure(
            "area_time", "Area · time", "GE·NAND2",
            "Area per throughput times the delay: the gates that do one multiply-add in each "
            "delay of a NAND gate, each PE at the clock rate that it could have.",
        ),
        Figure(
            "group_area", f"Area · clocks of {COUNTED_GROUP} weights", "GE·clock",
            f"Area times the clocks that a group of {COUNTED_GROUP} weights takes.",
        ),
    )
}  # fmt: skip
"""What is measured of a type of weights on a processing element, by key."""

METHOD = (
    "A group's scale brings its largest magnitude to the type's largest level, and each weight "
    "goes to the nearest level; of several sets of levels the group takes the one with the least "
    "squared error (hwarith.quantize).",
    "Groups run along the inputs of a layer. What does not fill a group is filled with zeros, "
    "which count in no figure.",
    "Biases are not quantized and added in float64. With sums in float64 accuracy and output error "
    "are the types' own; a PE adds rounding of its own.",
    "All PEs take activations in fp16; bit-parallel ones as integers that were aligned to a "
    "group's greatest exponent. The weights of FP16 MACs are fp16 too: a "
    "type with a decoder in front of one would cost as much and the decoder.",
)
"""How types are compared, in sentences for readers of a report."""


@dataclass(frozen=True)
class Element:
    """A processing element: its name, its spec, and multiply-adds per clock."""

    name: str
    spec: str
    per_clock: Fraction


@dataclass(frozen=True)
class WeightResult:
    """A type of weights on a processing element.

    ``figures`` by the keys of `WEIGHT_FIGURES`, None where one has no value; ``group`` weights
    share a scale (None: each stands alone); ``pe`` and ``spec`` are the processing element's name
    and spec, or None for the ``reason``.
    """

    type: str
    family: str
    bits: int
    group: int | None
    pe: str | None
    spec: str | None
    reason: str | None
    figures: dict[str, float | None]

    def as_dict(self) -> dict[str, Any]:
        """The result as plain data, for JSON, with its figures by their keys."""
        facts = asdict(self)
        del facts["figures"]
        return facts | self.figures


@dataclass(frozen=True)
class Digits:
    """The weights of the digits network, (outputs, inputs) of each layer."""

    workload: Workload

    @property
    def name(self) -> str:
        return self.workload.name

    @property
    def arrays(self) -> list[np.ndarray]:
        return [layer.weights.T for layer in self.workload.network.layers]

    @property
    def digest(self) -> str:
        return self.workload.digest

    def check_group(self, group: int) -> None:
        """Raise `InvalidInput` for groups that no layer fills."""
        most = max(w.shape[-1] for w in self.arrays)
        if not 1 <= group <= most:
            raise InvalidInput(f"group must be 1 to {most} (inputs of a layer), not {group}")

    def network_figures(self, weights: Sequence[np.ndarray]) -> dict[str, float | None]:
        """Accuracy and output error with these weights, of the shapes of `arrays`."""
        found = self._run([lambda x, w=w: x.astype(np.float64) @ w.T for w in weights])
        return dict(zip(("accuracy", "output_error"), found, strict=True))

    def element_figures(
        self, element: Element | None, kind: WeightType, found: Sequence[Quantized | np.ndarray]
    ) -> dict[str, float | None]:
        """Output error through a processing element, None without one."""
        if element is None:
            return {"pe_output_error": None}
        pe = make_unit(element.spec)
        sums = _mac_sums if kind is FP16 else _group_sums
        return {"pe_output_error": self._run([lambda x, q=q: sums(pe, q, x) for q in found])[1]}

    def _run(self, sums: Sequence[Any]) -> tuple[float, float | None]:
        from .workloads.network import run_with_sums

        return run_with_sums(self.workload.network, sums)


def digits() -> Digits:
    """The weights that types are compared on, unless the user gives others."""
    return Digits(DIGITS)


def measure_weights(
    types: Iterable[Any] = (),
    weights: Digits | Arrays | None = None,
    group: int | None = None,
    *,
    flow: Any = hwarith,
    track: Callable[[list[WeightType]], Iterable[WeightType]] = iter,
) -> list[WeightResult]:
    """Measure types of weights, each on the processing elements that run it.

    Parameters
    ----------
    types : names, or `WeightType`; all by default, and ``fp16`` to compare with.
    weights : arrays of your own (`read_weights`); default: those of the digits network.
    group : weights that share a scale, 32 by default. It divides the last axis of your own
        arrays. Types with a group of their own (mxfp4) keep it.
    flow : stands in for `hwarith` in tests, of which `synthesize` is asked.
    track : gives the types one by one, to show how far it has come.

    Raises `InvalidInput` for what is not as said here, before anything is measured, and
    `ToolFailure` if synthesis fails.
    """
    chosen = weight_types(types)
    source = weights or digits()
    group = GROUP if group is None else group
    source.check_group(group)
    results = []
    for kind in track(chosen):
        found = [quantized(kind, w, group) for w in source.arrays]
        errors = _errors(kind, source, found)
        elements, reason = processing_elements(kind)
        for element in elements or (None,):
            results.append(
                WeightResult(
                    type=kind.name,
                    family=family(kind),
                    bits=kind.bits,
                    group=None if kind is FP16 else kind.group or group,
                    pe=element.name if element else None,
                    spec=element.spec if element else None,
                    reason=None if element else reason,
                    figures=errors
                    | source.element_figures(element, kind, found)
                    | _costs(element, flow),
                )
            )
    return results


def weight_types(types: Iterable[Any] = ()) -> list[WeightType]:
    """The types of these names without repetition, or all. Raises `InvalidInput`."""
    return list(dict.fromkeys(_type(name) for name in types or ALL_TYPES))


def _type(name: Any) -> WeightType:
    if name is FP16 or str(name).strip().lower() == FP16.name:
        return FP16
    return weight_type(name)


def family(kind: WeightType) -> str:
    """The kind of type, for readers."""
    if kind.kind in ("offset", "power"):
        return {"offset": "integer with zero point", "power": "power exponent"}[kind.kind]
    if "flint" in kind.name or kind.name.startswith("ant"):
        return "flint, ANT"
    if any(book.special is not None for book in kind.codebooks):
        return "float with special values"
    return "integer" if any(book.integer for book in kind.codebooks) else "float"


FAMILIES = (
    "integer", "float with special values", "float", "integer with zero point", "flint, ANT",
    "power exponent",
)  # fmt: skip
"""What `family` gives."""


# -- errors --------------------------------------------------------------------------------------


def _errors(
    kind: WeightType, source: Digits | Arrays, found: list[Quantized | np.ndarray]
) -> dict[str, float | None]:
    """Bits per weight and all that quantization does."""
    pairs = zip(found, source.arrays, strict=True)
    values = [_values(q)[..., : w.shape[-1]] for q, w in pairs]
    return {
        "bits": found[0].bits_per_weight if isinstance(found[0], Quantized) else float(FP16.bits),
        "nmse": nmse(source.arrays, values),
        "nmse_normal": _normal_nmse(kind),
        **source.network_figures(values),
    }


def quantized(kind: WeightType, w: np.ndarray, group: int) -> Quantized | np.ndarray:
    """Weights (..., n) quantized in groups along the last axis, the last of them filled with zeros;
    of fp16 the rounded weights."""
    if kind is FP16:
        with np.errstate(over="ignore"):
            return w.astype(np.float16)
    size = kind.group or group
    padding = [(0, 0)] * (w.ndim - 1) + [(0, -w.shape[-1] % size)]
    return quantize(np.pad(w, padding), kind, size)


def _values(q: Quantized | np.ndarray) -> np.ndarray:
    return q.values() if isinstance(q, Quantized) else q.astype(np.float64)


def nmse(arrays: Sequence[np.ndarray], values: Sequence[np.ndarray]) -> float | None:
    """Squared error over all arrays, as a share of the sum of their squares; None if that is no
    number (all weights are zero, or a value is infinite)."""
    pairs = zip(arrays, values, strict=True)
    error = sum(float(np.sum((w - q) ** 2)) for w, q in pairs)
    power = sum(float(np.sum(w.astype(np.float64) ** 2)) for w in arrays)
    return error / power if power > 0 and np.isfinite(error / power) else None


@cache
def _normal_nmse(kind: WeightType) -> float | None:
    w = np.random.default_rng(NORMAL_SEED).standard_normal(NORMAL_SHAPE)
    return nmse([w], [_values(quantized(kind, w, NORMAL_SHAPE[1]))])


# -- processing elements -------------------------------------------------------------------------


def processing_elements(kind: WeightType) -> tuple[list[Element], str | None]:
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


def _reason(kind: WeightType) -> str:
    """Why no processing element takes a type."""
    if kind.kind == "offset":
        return "its zero point takes a sum of the activations, which no PE here forms"
    if kind.kind == "power":
        return "its levels are powers of a real number: a table and a MAC would do"
    if any(book.special is not None for book in kind.codebooks):
        return "a special value is no sum of two powers of two"
    return "nothing makes terms of its levels: a decoder and an FP16 MAC would do"


def _group_sums(pe: Any, q: Quantized, x: np.ndarray) -> np.ndarray:
    """Sums (images, outputs) of fp16 inputs (images, n) times quantized weights (outputs, n)."""
    outputs, groups = q.scales.shape
    x = np.pad(x, [(0, 0), (0, q.codes.shape[-1] - x.shape[-1])])
    acts = x.view(np.uint16).reshape(len(x), 1, groups, q.group)
    codes = q.codes.reshape(outputs, groups, q.group)
    special = [(2 * q.specials).astype(np.int64)] if q.specials.any() else []
    return np.sum(pe.decode(pe.group(acts, codes, *special)) * q.scales, axis=-1)


def _mac_sums(mac: Any, w: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The same of a MAC, whose weights are fp16 numbers."""
    codes = mac(x.view(np.uint16)[:, None], w.view(np.uint16))
    return mac.out.decode(codes).astype(np.float64)


def _costs(element: Element | None, flow: Any) -> dict[str, float | None]:
    if element is None:
        keys = ("area", "delay", "throughput", "area_per_throughput", "area_time", "group_area")
        return dict.fromkeys(keys)
    found = flow.synthesize(make_unit(element.spec))
    per_throughput = found.area / float(element.per_clock)
    return {
        "area": found.area,
        "delay": found.delay,
        "throughput": float(element.per_clock),
        "area_per_throughput": per_throughput,
        "area_time": per_throughput * found.delay,
        "group_area": found.area * float(COUNTED_GROUP / element.per_clock),
    }


def digest(arrays: Iterable[np.ndarray]) -> str:
    """SHA-256 of arrays, of their shapes and types too."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype} {array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
