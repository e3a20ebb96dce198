"""How many results one sum of products has: counted over orders, by accumulator, length and format.

Floating-point addition is not associative: what order a kernel adds in, which depends on the batch,
the GPU and how many there are, changes its results. An exact accumulator has one result.

Source: Yuan et al., "Give Me FP32 or Give Me Death?", arXiv 2506.09501 (the effect in inference,
LayerCast); the experiment is this project's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from typing import Any

import numpy as np

from ..exceptions import InvalidInput
from ..formats import Format, format
from ..progress import progress
from ..tables import Several, Table
from ..units import Unit, unit
from ..units.kulisch import Kulisch

SPLITS = 2, 4, 8
"""Into how many parts split-K cuts a sum."""

ORDERS = ("sequential", "pairwise", *(f"split {parts}" for parts in SPLITS))
"""How the products are added, once they are permuted: one by one, as a tree, or as parts of which
each is summed one by one before these sums are."""

ACCUMULATORS = ("fp32", "bf16", "fp16", "layercast", "exact")
"""What sums up: a format in which each step is rounded; LayerCast, which is fp32 where activations
are fp32 too and only weights are of the format; the exact accumulator, rounded to fp32 once."""

IN_BF16 = "all, in bf16"
"""The title of the column with distinct results once they are rounded to bf16."""

MOST_PRODUCTS, MOST_PERMUTATIONS = 1 << 20, 1 << 20

_LEAVES = 32
"""Parts that the exact accumulator sums up on its own before their sums are merged as a tree."""

_BATCH = 1 << 22
"""Products that are permuted at a time."""

_BF16, _FP32 = format("bf16"), format("fp32")


@dataclass(frozen=True)
class Distinct:
    """Distinct results of one sum by one accumulator.

    Attributes
    ----------
    format, n, accumulator : of the factors, the number of products, one of `ACCUMULATORS`.
    permutations : in how many orders the products were taken, the same ones for all accumulators.
    results : bit patterns met, by the order of additions (`ORDERS`), and in ``all`` of them.
    rounded : the same where results are rounded to bf16, as kernels return them; none for
        LayerCast, which does not round them.
    spread : the greatest result less the least, over the sum of the products' magnitudes; None
        where one is not finite.
    """

    format: str
    n: int
    accumulator: str
    permutations: int
    results: dict[str, int]
    rounded: dict[str, int]
    spread: float | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def row(self) -> dict[str, Any]:
        """By the titles of a table."""
        named = {"format": self.format, "n": self.n, "accumulator": self.accumulator}
        rounded = {IN_BF16: self.rounded.get("all")}
        return named | self.results | rounded | {"spread": self.spread}


class Sums(Several[Distinct]):
    """Distinct results of sums, a row for each."""

    def tables(self) -> list[Table]:
        """A row for each accumulator, length and format."""
        return [Table([x.row() for x in self])]


def reproducibility(
    formats: Sequence[str] | str = ("bf16",),
    lengths: Sequence[int] = (4096,),
    permutations: int = 1000,
    seed: int = 0,
) -> Sums:
    """Count distinct results for each format, length and accumulator.

    Factors are random numbers N(0,1), rounded to the format. Raises `InvalidInput` for formats that
    are no signed floats of at most 32 bits, and for numbers out of range.
    """
    chosen = check_sums(formats, lengths, permutations, seed)
    sums = [(f, n, name) for f in chosen for n in lengths for name in ACCUMULATORS]
    shown = progress(sums, "sums")
    return Sums(tuple(_distinct(f, n, name, permutations, seed) for f, n, name in shown))


def check_sums(
    formats: Sequence[str] | str, lengths: Sequence[int], permutations: int, seed: int
) -> list[Format]:
    """The formats of these names. Raises `InvalidInput` as `reproducibility` does."""
    named = [formats] if isinstance(formats, str | Format) else formats
    chosen = [format(name) for name in named]
    for f in chosen:
        if not f.is_float or not f.signed or f.bits > 32:
            raise InvalidInput(
                f"reproducibility takes signed floats of at most 32 bits, not {f.name}"
            )
    _check("products", lengths, 2, MOST_PRODUCTS)
    _check("permutations", [permutations], 1, MOST_PERMUTATIONS)
    _check("the seed", [seed], 0, 1 << 63)
    if not chosen or not lengths:
        raise InvalidInput("reproducibility needs at least one format and one number of products")
    return chosen


def _check(what: str, numbers: Sequence[int], low: int, high: int) -> None:
    for x in numbers:
        if not low <= x <= high:
            raise InvalidInput(f"reproducibility: {what} must be {low} to {high}, not {x}")


def _distinct(f: Format, n: int, name: str, permutations: int, seed: int) -> Distinct:
    accumulator = _Exact(f, n) if name == "exact" else _Rounding(f, name)
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, n))
    a, b = accumulator.a.encode(x), f.encode(y)
    found: dict[str, list[np.ndarray]] = {order: [] for order in ORDERS}
    for order_of in _permutations(rng, n, permutations):
        for order in ORDERS:
            found[order].append(accumulator.sums(order, a[order_of], b[order_of]))
    codes = {order: np.concatenate(parts) for order, parts in found.items()}
    codes["all"] = np.concatenate(list(codes.values()))
    values = {order: accumulator.out.decode(x) for order, x in codes.items()}
    magnitudes = float(np.abs(accumulator.a.decode(a) * f.decode(b)).sum())
    every = values["all"]
    return Distinct(
        format=f.name,
        n=n,
        accumulator=name,
        permutations=permutations,
        results={order: len(np.unique(x)) for order, x in codes.items()},
        rounded={}
        if name == "layercast"
        else {order: len(np.unique(_BF16.encode(x))) for order, x in values.items()},
        spread=float(np.ptp(every)) / magnitudes if np.isfinite(every).all() else None,
    )


def _permutations(rng: np.random.Generator, n: int, count: int) -> Iterator[np.ndarray]:
    """Arrays (..., n) of so many permutations together, not too many at a time."""
    at_once = max(1, _BATCH // n)
    for first in range(0, count, at_once):
        rows = min(at_once, count - first)
        yield rng.permuted(np.broadcast_to(np.arange(n, dtype=np.int32), (rows, n)), axis=1)


class _Rounding:
    """Sums in a format, each step rounded to nearest."""

    def __init__(self, f: Format, name: str):
        is_layercast = name == "layercast"
        self.a = _FP32 if is_layercast else f
        self.out = _FP32 if is_layercast else format(name)
        self._chain = unit(f"mac:a={self.a},b={f},acc={self.out}")
        self._product = unit(f"mul:a={self.a},b={f},out={self.out}")
        self._add = unit(f"add:a={self.out}")

    def sums(self, order: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Of groups (..., n), added in one of `ORDERS`: codes (...)."""
        if order == "pairwise":
            return _tree(self._add, self._product(a, b))
        parts = zip(*(np.array_split(x, _parts(order), -1) for x in (a, b)), strict=True)
        return reduce(self._add, [self._chain(x, y) for x, y in parts if x.size])


class _Exact:
    """Sums without loss, rounded once."""

    def __init__(self, f: Format, n: int):
        self.a, self.out = f, _FP32
        self._unit = Kulisch(a=f, k=n)

    def sums(self, order: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        u = self._unit
        count = _LEAVES if order == "pairwise" else _parts(order)
        parts = zip(*(np.array_split(x, count, -1) for x in (a, b)), strict=True)
        memories = np.stack([u.accumulate(x, y) for x, y in parts if x.size], -1)
        if order == "pairwise":
            return u.outputs(_tree(u.merge, memories))[0]
        return u.outputs(reduce(u.merge, np.moveaxis(memories, -1, 0)))[0]


def _parts(order: str) -> int:
    return 1 if order == "sequential" else int(order.removeprefix("split "))


def _tree(add: Unit | Callable[..., Any], terms: np.ndarray) -> np.ndarray:
    """Sums along the last axis of neighbours, of neighbours of these sums, and so on; a last one
    without a neighbour waits."""
    while (n := terms.shape[-1]) > 1:
        sums = add(terms[..., : n - 1 : 2], terms[..., 1::2])
        terms = np.concatenate([sums, terms[..., n - 1 :]], -1) if n % 2 else sums
    return terms[..., 0]
