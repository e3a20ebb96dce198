"""Energy per operation of units whose publications claim savings: the tables of docs/energy.md.

    python bench/energy.py [LIBRARY ...]

Libraries as of ``hwarith energy``; without any: generic, osu018. Operands are normal numbers,
scaled into the format; multiply-adds accumulate columns of 32 products, column after column;
engines multiply tiles of 64 vectors of activations, with sums that begin at zero, and their figures
are per transfer. Each unit is mapped by the recipe ``area``, which varies least between units that
are nearly the same, and the energy is that of its cells, without glitches and wires.
"""

from __future__ import annotations

import sys

import numpy as np

import hwarith as hw
from hwarith.units.systolic import Engine

COLUMNS, LENGTH = 128, 32

TILES, VECTORS = 32, 64
"""Of an engine: tiles of weights, and vectors of activations for each."""

SCALE = {"int8": 127 / 4, "int4": 7 / 3, "e2m1fn": 6 / 3, "e4m3fn": 448 / 4}
"""What normal numbers are multiplied with, so that a few lie at the format's largest number."""

NORMS = ("an-1-1", "an-1-2", "an-2-2")

EXACT = "mul:a={},subnormals=flush,overflow=saturate"

ENGINE = "engine:pe=(anfma:w=16,norm={}),rows=8,columns=8"

CLAIMS = {
    "L-Mul, a product": [
        ("mul:a=fp32", ["lmul:format=fp32", EXACT.format("fp32"), "lmul:format=bf16"]),
        ("mul:a=bf16", ["lmul:format=bf16", EXACT.format("bf16")]),
        ("mul:a=e4m3fn", ["lmul:format=e4m3fn", EXACT.format("e4m3fn")]),
    ],
    "L-Mul, a product and an fp32 sum": [
        ("mul:a=fp32 + add:a=fp32", ["lmul:format=fp32 + add:a=fp32"]),
        ("mul:a=bf16 + add:a=fp32", ["lmul:format=bf16 + add:a=fp32"]),
    ],
    "Approximate normalization": [
        (f"anfma:w={w},norm=exact", [f"anfma:w={w},norm={n}" for n in NORMS]) for w in (16, 24)
    ],
    "Approximate normalization, engines of 8 x 8 elements": [
        (ENGINE.format("exact"), [ENGINE.format(n) for n in NORMS])
    ],
    "Integers against floats, a product": [
        ("mul:a=e4m3fn", ["mul:a=int8,out=int16"]),
        ("mul:a=e2m1fn,out=e4m3fn", ["mul:a=int4,out=int8"]),
    ],
    "Integers against floats, a multiply-add": [
        ("fma:a=e4m3fn,c=fp32,out=fp32", ["fma:a=int8,c=int32,out=int32"]),
        ("fma:a=e2m1fn,c=fp32,out=fp32", ["fma:a=int4,c=int32,out=int32"]),
    ],
}
"""Units, and those that are compared with them; a sum is of the energies of both."""


def energy(units: str, library: str) -> tuple[float, str]:
    """Energy per operation of a unit, or of several one after the other."""
    total, x = 0.0, None
    for spec in units.split(" + "):
        u = hw.unit(spec)
        if isinstance(u, Engine):
            codes = tiles(u)
        else:
            codes = columns(u) if x is None else accumulation(u, x)
        found = hw.energy(u, *codes, library=library, recipe="area")
        total += found.energy
        if "+" in units:
            x = next(iter(u.results.values())).decode(u(*codes))
    return total, found.energy_unit


def registers_share(spec: str, library: str) -> float:
    """The share of flip-flops and of charging clock pins in the energy of an engine."""
    u = hw.unit(spec)
    assert isinstance(u, Engine)
    found = hw.energy(u, *tiles(u), library=library, recipe="area")
    return sum(x["energy"] for name, x in found.by_type.items() if "DFF" in name) / found.energy


def columns(u: hw.Unit) -> list[np.ndarray]:
    """Operands of products, and for multiply-adds the sums so far."""
    rng = np.random.default_rng(0)
    formats = list(u.operands.values())
    normal = [rng.standard_normal((COLUMNS, LENGTH)) for _ in formats[:2]]
    factors = [f.encode(x * SCALE.get(f.name, 1.0)) for f, x in zip(formats, normal, strict=False)]
    if len(formats) == 2:
        return [x.ravel() for x in factors]
    sums = np.zeros((COLUMNS, LENGTH), formats[2].dtype)
    for k in range(LENGTH - 1):
        sums[:, k + 1] = u(factors[0][:, k], factors[1][:, k], sums[:, k])
    return [x.ravel() for x in (*factors, sums)]


def tiles(u: Engine) -> list[np.ndarray]:
    """Activations and weights."""
    rng = np.random.default_rng(0)
    shapes = (TILES, VECTORS, u.rows), (TILES, u.rows, u.columns)
    formats = u.units.operand_formats
    return [f.encode(rng.standard_normal(shape)) for f, shape in zip(formats, shapes, strict=True)]


def accumulation(u: hw.Unit, products: np.ndarray) -> list[np.ndarray]:
    """Operands of an adder that sums up columns."""
    f = next(iter(u.operands.values()))
    addends = f.encode(products.astype(float).reshape(COLUMNS, LENGTH))
    sums = np.zeros_like(addends)
    for k in range(LENGTH - 1):
        sums[:, k + 1] = u(addends[:, k], sums[:, k])
    return [addends.ravel(), sums.ravel()]


def main(libraries: list[str]) -> None:
    for claim, groups in CLAIMS.items():
        units = [hw.energy("mul:a=e2m1fn", library=name).energy_unit for name in libraries]
        heads = " | ".join(f"{n}, {unit}" for n, unit in zip(libraries, units, strict=True))
        print(f"\n{claim}\n\n| unit | {heads} |\n|---|{'--:|' * len(libraries)}")
        for base, others in groups:
            first = [energy(base, name)[0] for name in libraries]
            print(f"| `{base}` | {' | '.join(f'{x:.5g}' for x in first)} |", flush=True)
            for spec in others:
                cells = []
                for x, name in zip(first, libraries, strict=True):
                    y = energy(spec, name)[0]
                    cells.append(f"{y:.5g} ({y / x - 1:+.0%})")
                print(f"| `{spec}` | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ["generic", "osu018"])
