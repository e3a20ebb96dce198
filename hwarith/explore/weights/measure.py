"""Types of weights compared: their bits, what they do to real weights, and what runs them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np

from ...formats.quantized import nmse
from ...formats.weights import WeightKind
from ...progress import progress
from ..hardware import FLOW, Flow
from .elements import costs, processing_elements
from .figures import GROUP, NORMAL_SEED, NORMAL_SHAPE
from .sources import WeightSource, digits
from .types import FP16, Coded, family, quantized, values, weight_types


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


def measure_weights(
    types: Iterable[Any] = (),
    weights: WeightSource | None = None,
    group: int | None = None,
    *,
    flow: Flow = FLOW,
) -> list[WeightResult]:
    """Measure types of weights, each on the processing elements that run it.

    Parameters
    ----------
    types : names, or a `WeightType` or `BlockFormat`; all by default, and ``fp16`` to compare with.
    weights : arrays of your own (`read_weights`), or another `WeightSource`; default: those of the
        digits network.
    group : weights that share a scale, 32 by default. It divides the last axis of your own
        arrays. Formats of blocks keep their own.
    flow : gives the hardware figures.

    Raises `InvalidInput` for what is not as said here, before anything is measured, and
    `ToolFailure` if synthesis fails.
    """
    chosen = weight_types(types)
    source = weights or digits()
    group = GROUP if group is None else group
    source.check_group(group)
    results = []
    for kind in progress(chosen, "weights"):
        found = [quantized(kind, w, group) for w in source.arrays]
        errors = _errors(kind, source, found)
        elements, reason = processing_elements(kind)
        for element in elements or (None,):
            figures = errors | source.element_figures(element, found) | costs(element, flow)
            result = WeightResult(
                type=kind.name,
                family=family(kind),
                bits=kind.bits,
                group=None if kind is FP16 else kind.group or group,
                pe=element.name if element else None,
                spec=element.spec if element else None,
                reason=None if element else reason,
                figures=figures,
            )
            results.append(result)
    return results


def _errors(
    kind: WeightKind, source: WeightSource, found: list[Coded | np.ndarray]
) -> dict[str, float | None]:
    """Bits per weight and all that quantization does."""
    pairs = zip(found, source.arrays, strict=True)
    rounded = [values(q)[..., : w.shape[-1]] for q, w in pairs]
    return {
        "bits": found[0].bits_per_weight if isinstance(found[0], Coded) else float(FP16.bits),
        "nmse": nmse(source.arrays, rounded),
        "nmse_normal": _normal_nmse(kind),
        **source.network_figures(rounded),
    }


@cache
def _normal_nmse(kind: WeightKind) -> float | None:
    w = np.random.default_rng(NORMAL_SEED).standard_normal(NORMAL_SHAPE)
    return nmse([w], [values(quantized(kind, w, NORMAL_SHAPE[1]))])
