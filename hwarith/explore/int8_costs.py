"""What a matrix product by LLM.int8() costs: its work, unit by unit, in area and energy.

Two things decide: how much of it is left to floats, and what integers need besides: largest
magnitudes, codes, scales. Source of the product: `hwarith.matrix.int8`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..matrix.int8 import THRESHOLD, Int8Product, int8_matmul
from ..tables import Several, Table, quantity
from ..units import Unit, unit
from ..units.chain import chain
from ..units.mac.mac import Mac
from .hardware import FLOW, Flow
from .lanes import per_clock
from .workloads.datapath import datapath
from .workloads.paths import Encoded

ROWS, STEPS = 8, 64
"""Rows and columns of which energy is measured, and the first steps of each sum."""

FLOATS_ALONE = "all features, in floats"
"""The part that is not done, and stands there to compare with."""


@dataclass(frozen=True)
class PartCost:
    """What one part of the product costs.

    Attributes
    ----------
    part, spec : what is done, and by which unit.
    operations : how many: multiply-adds, or numbers.
    area : of a unit over its operations in a clock, in `area_unit`.
    energy : of an operation, in `energy_unit`.
    """

    part: str
    spec: str
    operations: int
    area: float
    energy: float
    area_unit: str
    energy_unit: str

    @property
    def work(self) -> float:
        """Area times clocks: how much of the hardware is busy with it, and how long."""
        return self.area * self.operations

    @property
    def total_energy(self) -> float:
        return self.energy * self.operations

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Int8Costs(Several[PartCost]):
    """The parts of a product, and last the same product in floats alone."""

    @property
    def parts(self) -> Sequence[PartCost]:
        """Those that the product is made of."""
        return self[:-1]

    @property
    def of_floats(self) -> tuple[float, float]:
        """Area times clocks and energy of the product, over those in floats alone."""
        alone = self[-1]
        area, energy = sum(p.work for p in self.parts), sum(p.total_energy for p in self.parts)
        return area / alone.work, energy / alone.total_energy

    def tables(self) -> list[Table]:
        """A row for each part; shares are of the product in floats alone."""
        alone = self[-1]
        return [
            Table(
                [
                    {
                        "part": p.part,
                        "unit": p.spec,
                        "operations": p.operations,
                        "area share": p.work / alone.work,
                        "energy share": p.total_energy / alone.total_energy,
                        **quantity("area", p.area, p.area_unit),
                        **quantity("energy", p.energy, p.energy_unit),
                    }
                    for p in self
                ],
                "Area times clocks and energy, as shares of the product in floats alone",
            )
        ]


def usual_product(
    integer: Any = "mac:a=int8", outliers: int = 1, threshold: float = THRESHOLD, scale: float = 20
) -> Int8Product:
    """A product to measure on: of 64 tokens with 1024 features N(0,1), of which so many are `scale`
    times as large (the paper finds one in a thousand values to be an outlier), and weights N(0,1)
    for 256 outputs; numpy's ``default_rng(0)``."""
    x, w = usual_matrices(outliers, scale)
    return int8_matmul(x, w, integer, threshold=threshold)


def usual_matrices(outliers: int = 1, scale: float = 20) -> tuple[np.ndarray, np.ndarray]:
    """The matrices of `usual_product`, fp16 numbers."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((64, 1024)), rng.standard_normal((1024, 256))
    x[:, rng.choice(1024, outliers, replace=False)] *= scale
    return x.astype(np.float16), w.astype(np.float16)


def product_error(threshold: float = THRESHOLD, outliers: int = 1, scale: float = 20) -> float:
    """The squared error of `usual_product` as a share of the exact product's square."""
    x, w = (a.astype(np.float64) for a in usual_matrices(outliers, scale))
    found = usual_product(outliers=outliers, threshold=threshold, scale=scale).values()
    return float(np.sum((found - x @ w) ** 2) / np.sum((x @ w) ** 2))


def int8_costs(
    product: Int8Product, library: str | Path = "generic", flow: Flow = FLOW
) -> Int8Costs:
    """The costs of a product's parts, each on a unit of its own that is always busy.

    Weights' codes and scales are made once for all and not counted, nor is memory. Energy of sums
    is that of operands which the units met, that of the other parts of random ones
    (`hwarith.energy`). Raises `ToolFailure`.
    """
    return Int8Costs(tuple(_cost(*part, library, flow) for part in _parts(product)))


Part = tuple[str, Unit, int, tuple[np.ndarray, ...]]
"""What is done, by which unit, how many operations, and on which operands energy is measured."""


def _parts(p: Int8Product) -> Iterator[Part]:
    f, (rows, usual), results = p.format, p.left.shape, p.codes.size
    done = p.multiply_adds
    sums = p.integer.acc if isinstance(p.integer, Mac) else next(iter(p.integer.results.values()))
    codes = p.left.view(np.uint8), p.right.view(np.uint8)
    outliers = p.outlier_left, p.outlier_right
    yield "largest magnitudes", unit(f"minmax:a={f},by=magnitude"), rows * usual, ()
    yield "127 / them", unit("div:a=fp32"), rows, ()
    yield "codes: times that", unit("mul:a=fp32"), rows * usual, ()
    yield "codes: rounded", unit("convert:a=fp32,out=int8"), rows * usual, ()
    yield "integers", p.integer, done["integer"], _met(p.integer, *codes)
    yield "outliers", p.floating, done["floating"], _met(p.floating, *outliers)
    yield "sums as floats", unit(f"convert:a={sums},out=fp32"), results, ()
    yield "scales", unit("mul:a=fp32"), 3 * results, ()
    yield "sum of both", unit("add:a=fp32"), results, ()
    if f.name != "fp32":
        yield "result", unit(f"convert:a=fp32,out={f}"), results, ()
    everything = done["integer"] + done["floating"]
    yield FLOATS_ALONE, p.floating, everything, _met(p.floating, *_in_floats(p))


def _in_floats(p: Int8Product) -> tuple[np.ndarray, np.ndarray]:
    """Codes of both matrices as they would be without integers, in which the usual features are
    those that their codes stand for."""
    left = p.left * (p.left_scales[:, None] / 127)
    right = p.right * (p.right_scales / 127)
    return (
        np.hstack([p.outlier_left, p.format.encode(left)]),
        np.vstack([p.outlier_right, p.format.encode(right)]),
    )


def _met(u: Unit, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, ...]:
    """Operands of a unit in some of the sums; none if there are no features."""
    a, b = left[:ROWS, :STEPS], right[:STEPS, :ROWS]
    lanes = chain(u).lanes
    a, b = a[:, : a.shape[1] // lanes * lanes], b[: len(b) // lanes * lanes]
    if a.shape[1] < 2:
        return ()
    if isinstance(u, Mac):
        pairs = np.broadcast_arrays(a[:, None], b.T[None])
        return tuple(x.reshape(-1, a.shape[1]) for x in pairs)
    path, one = datapath(u), np.asarray(1.0)
    start = np.zeros(b.shape[1], path.first.dtype)
    return path.operands_met(Encoded(a, one), Encoded(b, one), start)


def _cost(
    part: str,
    u: Unit,
    operations: int,
    codes: tuple[np.ndarray, ...],
    library: str | Path,
    flow: Flow,
) -> PartCost:
    mapped, spent = flow.synthesize(u, library), flow.energy(u, *codes, library=library)
    area = mapped.luts if mapped.area is None else mapped.area
    assert area is not None
    return PartCost(
        part=part,
        spec=u.spec,
        operations=operations,
        area=area / float(per_clock(u)),
        energy=spent.energy / float(u.work),
        area_unit=mapped.area_unit or "LUT",
        energy_unit=spent.energy_unit,
    )
