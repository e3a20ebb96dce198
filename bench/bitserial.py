"""Bit-serial processing elements against the FP16 MAC and the bit-parallel element: area,
throughput, and what each saving of area costs in accuracy.

    python bench/bitserial.py

Area is that of the generic library, in gate equivalents: mapped for area alone (recipe ``area``),
and for delay first (``asic``, whose figures scatter by 5 % and more between elements nearly
alike). The error is the root mean square over sums of 128 products of normal activations and of
weights of the type, relative to that of the exact sums; of a MAC with the same weights in fp16.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np

import hwarith as hw
from hwarith.progress import progress
from hwarith.units.bitserial import BitSerialPe
from hwarith.units.bitserial.weights import WEIGHTS
from hwarith.units.fpint import FpIntPe

GROUPS, LENGTH = 2000, 128

BASELINES = ("mac:a=fp16,acc=fp32", "mac:a=fp16,acc=fp16")

PARALLEL = ("fpint:w=int8,p=14,lanes=4", "fpint:w=int4,p=14,lanes=4")

ELEMENTS = (
    "bspe",
    "bspe:stages=2",
    "bspe:align=joint",
    *(f"bspe:align=joint,type={t}" for t in ("int8", "int6", "int4", "fp4", "fp3")),
)

SMALLER = (
    "bspe:align=joint,type=fp4",
    "bspe:align=joint,type=fp4,lane_round=trunc",
    "bspe:align=joint,type=fp4,left_norm=0",
    "bspe:align=joint,type=fp4,aw=17",
    "bspe:align=joint,type=fp4,aw=14",
    "bspe:align=joint,type=fp4,fx=0",
    "bspe:align=joint,type=fp4,fx=0,aw=17",
    "bspe:align=joint,type=fp4,fx=0,aw=14",
    "bspe:align=joint,type=fp4,fx=0,aw=14,lane_round=trunc",
    "bspe:align=joint,type=fp4,fx=0,aw=12,lane_round=trunc",
    "bspe:align=joint,type=fp4,fx=0,aw=14,lane_round=trunc,left_norm=0",
    "bspe:align=joint,type=fp4,fx=0,aw=12,left_norm=0",
    "bspe:align=joint,type=fp4,fx=0,aw=12,lane_round=trunc,left_norm=0",
    "bspe:align=joint,fx=0,aw=16,lane_round=trunc,left_norm=0",
)


class Cost(NamedTuple):
    """Area (GE) mapped for area alone, and area and delay (gate delays) mapped for delay first."""

    small: float
    fast: float
    delay: float


def cost(spec: str) -> Cost:
    small, fast = hw.synthesize(spec, recipe="area"), hw.synthesize(spec)
    assert small.area is not None
    assert fast.area is not None
    assert fast.delay is not None
    return Cost(small.area, fast.area, fast.delay)


def workload(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Activations' codes, weights' codes, and the levels that these stand for."""
    rng = np.random.default_rng(0)
    acts = hw.format("fp16").encode(rng.standard_normal((GROUPS, LENGTH)))
    weights = hw.quantize(rng.standard_normal((GROUPS, LENGTH)), name, group=LENGTH)
    return acts, weights.codes, weights.levels


def error(spec: str, name: str) -> float:
    """The relative root mean square error of a unit with weights of a type."""
    u = hw.unit(spec)
    acts, codes, levels = workload(name)
    exact = np.sum(hw.format("fp16").decode(acts) * levels, axis=1)
    if isinstance(u, BitSerialPe):
        found = u.decode(u.group(acts, codes, type=name), type=name)
    elif isinstance(u, FpIntPe):
        found = u.decode(u.group(acts, codes))
    else:
        (out,) = u.results.values()
        found = out.decode(u(acts, u.operands["b"].encode(levels)))
    return float(np.sqrt(np.mean((found - exact) ** 2) / np.mean(exact**2)))


def rate(spec: str, name: str) -> float:
    """Multiply-adds in a clock."""
    u = hw.unit(spec)
    if isinstance(u, BitSerialPe):
        return u.lanes / WEIGHTS[name].terms
    return u.lanes if isinstance(u, FpIntPe) else 1


def types_of(spec: str) -> tuple[str, ...]:
    """The types of weights to try a unit with."""
    u = hw.unit(spec)
    if isinstance(u, BitSerialPe):
        names = tuple(w.name for w in u.types)
        return ("int8", "int6", "int4", "fp4", "fp3") if len(names) > 1 else names
    return (u.w,) if isinstance(u, FpIntPe) else ("int8", "fp4")


def main() -> int:
    specs = list(dict.fromkeys((*BASELINES, *PARALLEL, *ELEMENTS, *SMALLER)))
    others = ("termgen", "bsdequant", "prealign:p=14")
    costs = {spec: cost(spec) for spec in progress([*specs, *others], "synthesis")}
    wide, narrow = (costs[spec].small for spec in BASELINES)
    print("unit | area, for area / for delay (GE) | delay | of the FP16 MAC: fp32, fp16 sum")
    for spec, c in costs.items():
        print(
            f"{spec:62} {c.small:6.0f} {c.fast:6.0f} {c.delay:6.0f}"
            f" {c.small / wide - 1:+7.1%} {c.small / narrow - 1:+7.1%}"
        )
    encoder = 4 * costs["termgen"].small / (8 * (costs["bspe"].small + costs["bsdequant"].small))
    print(f"\nencoder of an 8 x 8 tile (4 lanes): {encoder:.1%} of elements and dequantizers\n")
    print("unit, weights | multiply-adds a clock | GE of each | GE x clocks of 128 | error")
    for spec in (*BASELINES, *PARALLEL, *ELEMENTS):
        for name in types_of(spec):
            r = rate(spec, name)
            print(
                f"{spec:34} {name:5} {r:5.2f} {costs[spec].small / r:6.0f}"
                f" {costs[spec].small * LENGTH / r:8.0f} {error(spec, name):.1e}"
            )
    print("\nsmaller elements for fp4 | area | of the MAC with fp16 sum | error")
    for spec in (*BASELINES[1:], *SMALLER):
        c = costs[spec]
        print(f"{spec:66} {c.small:6.0f} {c.small / narrow - 1:+7.1%} {error(spec, 'fp4'):.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
