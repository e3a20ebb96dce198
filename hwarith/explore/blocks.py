"""Integers against floats in blocks: how much of a signal formats keep, measured and by closed
forms, and what their multiply-adds cost by a count of gates.

Source: Chen et al., INT v.s. FP (arXiv 2510.25602), here "the publication". It takes numbers
to be normal; kappa is the crest factor of a block (`crest_factor`), whose scale is rho times
max|x| / Q, as it is rounded up to a power of two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
from numpy.typing import ArrayLike

from ..exceptions import InvalidInput, quoted, unknown
from ..formats import format
from ..formats.blocks import BlockFormat, quantize_blocks

PHASES = 32
"""Standard deviations, from 1 to 2, over which errors are averaged: how powers of two fall."""

RHO = 1.5
"""Mean of how much a scale grows when it is rounded up to a power of two, as the publication has
it; its scales in e4m3 are rounded by 1.05 (its text says 1, its figures 1.05)."""

NV_RHO = 1.05


# -- measured ------------------------------------------------------------------------------------


def qsnr(x: ArrayLike, q: ArrayLike) -> float:
    """The signal to noise ratio of quantization, -10 log10(|x - q|^2 / |x|^2), in dB."""
    exact = np.asarray(x, np.float64)
    noise = np.sum((exact - np.asarray(q, np.float64)) ** 2)
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(np.sum(exact**2) / noise))


def crest_factor(x: ArrayLike) -> np.ndarray:
    """max|x| over the root mean square, of each block of an array (..., block)."""
    exact = np.asarray(x, np.float64)
    return np.abs(exact).max(axis=-1) / np.sqrt(np.mean(exact**2, axis=-1))


def normal_qsnr(name: Any, scale_rule: str | None = None, blocks: int = 1024) -> float:
    """The mean QSNR in dB of a format of blocks for normal numbers, of so many blocks at each of 32
    standard deviations 2^(j/32) (fp32; numpy's ``default_rng(0)``)."""
    kind = of_blocks(name)
    rng = np.random.default_rng(0)
    found = []
    for j in range(PHASES):
        x = (rng.standard_normal((blocks, kind.block)) * 2 ** (j / PHASES)).astype(np.float32)
        found.append(qsnr(x, quantize_blocks(x, kind, scale_rule=scale_rule).values()))
    return float(np.mean(found))


class Errors(NamedTuple):
    """Mean squared error as a share of the mean square; and misalignment 1 - E[(q, x) / (x, x)] of
    blocks, which a gradient that is averaged keeps."""

    square: float
    misalignment: float


def normal_errors(scale_rule: str, stochastic: bool = False, blocks: int = 2048) -> Errors:
    """The errors of mxfp4 for normal numbers, as Quartet's table 2 has them (arXiv 2505.14669), of
    so many blocks at each of 32 standard deviations; rounded at random by 12 bits, if so."""
    kind = of_blocks("mxfp4")
    rng = np.random.default_rng(0)
    squares, alignments = [], []
    for j in range(PHASES):
        x = (rng.standard_normal((blocks, kind.block)) * 2 ** (j / PHASES)).astype(np.float32)
        draws: dict[str, Any] = {}
        if stochastic:
            draws = {"round": "sra", "random": rng.integers(1 << 12, size=x.shape)}
        q = quantize_blocks(x, kind, scale_rule=scale_rule, **draws).values()
        exact = x.astype(np.float64)
        squares.append(np.sum((exact - q) ** 2) / np.sum(exact**2))
        alignments.append(np.mean(np.sum(q * exact, axis=1) / np.sum(exact**2, axis=1)))
    return Errors(float(np.mean(squares)), float(1 - np.mean(alignments)))


def beyond_symmetric(name: str, numbers: int = 1 << 20) -> float:
    """The share of normal numbers D for which round(D / (D / 127)) is 128, all operations in
    ``bf16``, ``fp16`` or ``fp32``: why an integer quantizer must clip (the publication's algorithm
    1 and table 11). Raises `InvalidInput` for another format."""
    types = {"bf16": ml_dtypes.bfloat16, "fp16": np.float16, "fp32": np.float32}
    if name not in types:
        raise unknown("format", name, types)
    d = np.random.default_rng(0).standard_normal(numbers).astype(types[name])
    with np.errstate(divide="ignore", invalid="ignore"):  # what is so small that D / 127 is 0
        scaled = d / (d / types[name](127))
    return float(np.mean(np.rint(scaled.astype(np.float64)) == 128))


# -- closed forms --------------------------------------------------------------------------------


def expected_qsnr(
    name: Any, crest: float, rho: float | None = None, exact_range: bool = False
) -> float:
    """The QSNR in dB of normal numbers in a format of blocks, by the publication's closed forms.

    Parameters
    ----------
    crest : kappa, the crest factor of a block.
    rho : how much the scale grew by rounding; default: `RHO`, of NVFP4 and NVINT4 `NV_RHO`.
    exact_range : of integers, whether the largest is Q = 2^(b-1) - 1; by default it is 2^(b-1), as
        in the publication's 4.78 + 6.02 b.
    """
    kind = of_blocks(name)
    rho = (NV_RHO if kind.tensor_scale else RHO) if rho is None else rho
    if not crest >= 1 or not rho > 0:
        raise InvalidInput(f"crest must be at least 1 and rho positive, not {crest} and {rho}")
    if kind.is_integer:
        return _of_integers(kind, crest, rho, exact_range)
    return _of_floats(kind, crest, rho)


def _of_integers(kind: BlockFormat, crest: float, rho: float, exact_range: bool) -> float:
    bits = kind.bits
    found = 10 * math.log10(12 * float(kind.largest) ** 2) if exact_range else 4.78 + 6.02 * bits
    if kind.tensor_scale:  # the largest of a block is exact
        found += 10 * math.log10(kind.block / (kind.block - 1))
    return found - 20 * math.log10(rho) - 20 * math.log10(crest)


def _of_floats(kind: BlockFormat, crest: float, rho: float) -> float:
    """Of normal elements an error in proportion, of subnormal ones that of a fixed step."""
    f, largest = kind.element, float(kind.largest)
    alpha = 1 / (24 * 4**f.fraction_bits)
    beta = float(f.smallest) ** 2 / (12 * largest**2)
    threshold = rho * crest * float(f.smallest_normal) / largest
    density = math.exp(-(threshold**2) / 2) / math.sqrt(2 * math.pi)
    subnormal = math.erf(threshold / math.sqrt(2))
    normal = 1 - (subnormal - 2 * threshold * density)
    if kind.tensor_scale:
        normal -= crest**2 / kind.block
    return -10 * math.log10(alpha * normal + beta * (rho * crest) ** 2 * subnormal)


_CRESTS = np.geomspace(1, 100, 400).tolist()


class Crossover(NamedTuple):
    """Where integers and floats keep as much: the crest factor, and the QSNR in dB."""

    crest: float
    qsnr: float


def crossover(
    integer: Any, floating: Any, rho: float | None = None, exact_range: bool = False
) -> Crossover:
    """The crest factor up to which the integers of the one format of blocks keep more than the
    floats of the other, by `expected_qsnr`. Raises `InvalidInput` if there is none from 1 to
    100."""

    def ahead(crest: float) -> float:
        of_integers = expected_qsnr(integer, crest, rho, exact_range)
        return of_integers - expected_qsnr(floating, crest, rho)

    low, high = 1.0, next((x for x in _CRESTS if ahead(x) < 0), 1.0)
    if high == low:
        raise InvalidInput(
            f"{integer} and {floating} keep as much at no crest factor from 1 to 100"
        )
    for _ in range(60):  # halvings, beyond the precision of a float
        middle = (low + high) / 2
        low, high = (middle, high) if ahead(middle) > 0 else (low, middle)
    return Crossover(low, expected_qsnr(floating, low, rho))


# -- gates ---------------------------------------------------------------------------------------

CELLS = {"FA": 1.0, "AND": 0.25, "XOR": 0.5, "OR": 0.25, "MUX": 0.55}
"""Nominal areas, in full adders: the publication's are those of a process, and not printed."""

PARTS = {
    "multiplier": ("AND", "FA"),
    "adder": ("FA",),
    "exponent_adder": ("FA",),
    "exponent_subtractor": ("XOR", "FA"),
    "comparator": ("XOR", "AND", "OR"),
    "aligner": ("MUX",),
    "normalizer": ("MUX", "OR"),
}
"""The cells of which a part has one for each of its `Gates`."""


class Gates(NamedTuple):
    """Cells of a lane of a multiply-add of blocks, by parts (the publication's table 6)."""

    multiplier: float
    adder: float
    exponent_adder: float = 0
    exponent_subtractor: float = 0
    comparator: float = 0
    aligner: float = 0
    normalizer: float = 0

    def area(self, cells: Mapping[str, float] = CELLS) -> float:
        """The area of a lane, for areas of cells by their names (`CELLS`)."""
        counts = self._asdict().items()
        return sum(count * sum(cells[cell] for cell in PARTS[part]) for part, count in counts)


def lane_gates(name: Any, lanes: int | None = None) -> Gates:
    """The cells of a lane of as many products as a block has elements (or `lanes`), added up in
    integers that are aligned to the greatest exponent.

    Without the dequantizer, the fp32 accumulator and the quantizer, which lanes share.
    """
    kind = of_blocks(name)
    k = kind.block if lanes is None else lanes
    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise InvalidInput(f"lanes must be an integer of at least 1, not {quoted(lanes)}")
    if kind.is_integer:
        return Gates(kind.bits**2, 2 * kind.bits)
    x, y = kind.element.exponent_bits, kind.element.fraction_bits
    n = min(2 ** (x + 1) + 2 * y, 24)
    shifter = n * math.log2(n)
    return Gates((y + 1) ** 2, n, x, x, x, shifter, shifter / k)


def of_blocks(name: Any) -> BlockFormat:
    """The format of blocks of this name. Raises `InvalidInput` if it is none."""
    kind = format(name)
    if not isinstance(kind, BlockFormat):
        raise InvalidInput(f"{quoted(name)} is no format of blocks")
    return kind
