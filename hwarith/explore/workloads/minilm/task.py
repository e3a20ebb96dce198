"""The retrieval task on a unit, and how far its embeddings are from float32's."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np

from ....exceptions import InvalidInput
from ....formats.weights import weight_type
from ....progress import counted, say_first
from ....tables import Several, Table
from ....units import Unit
from ....units import unit as make_unit
from . import retrieval
from .encoder import encode
from .model import load
from .products import Products

PAIRS, TOKENS = 96, 32
"""Of the task: 53 G multiply-adds with numpy 2.4 and scipy 1.17."""


@dataclass(frozen=True)
class Retrieval:
    """How well the embeddings of a unit's arithmetic find the texts.

    Attributes
    ----------
    spec : of the unit, None for float32 arithmetic. ``weights``: their type, None for the unit's
        operand format.
    recall, mrr : as in `retrieval.Score`.
    mean_cosine, min_cosine : of the embeddings to float32's (with unquantized weights), of all
        texts; a NaN counts as 0.
    multiply_adds, seconds : of the whole run, and the time that it took.
    embeddings : float32 (2 * pairs, 384), the summaries' first.
    """

    spec: str | None
    weights: str | None
    recall: float
    mrr: float
    mean_cosine: float
    min_cosine: float
    multiply_adds: int
    seconds: float
    embeddings: np.ndarray

    @property
    def rate(self) -> float:
        """Multiply-adds a second."""
        return self.multiply_adds / self.seconds

    def as_dict(self) -> dict[str, Any]:
        """The outcome as plain data, without the embeddings."""
        data = asdict(self) | {"rate": self.rate}
        del data["embeddings"]
        return data

    def row(self) -> dict[str, object]:
        """The figures by their titles, rounded for readers; times and rates with their units."""
        return {
            "weights": self.weights or "",
            "recall@1": round(self.recall, 3),
            "MRR": round(self.mrr, 3),
            "mean cosine": round(self.mean_cosine, 5),
            "min cosine": round(self.min_cosine, 5),
            "seconds": round(self.seconds, 1),
            "G multiply-adds/s": round(self.rate / 1e9, 2),
        }


RATE = 1e9
"""Multiply-adds a second, about, on two cores (docs/transformer.md)."""


@dataclass(frozen=True)
class Retrievals(Several[Retrieval]):
    """The task with several arithmetics; ``names`` are their specs as they were given."""

    names: tuple[str, ...]

    def tables(self) -> list[Table]:
        """A row for each arithmetic."""
        pairs = zip(self.names, self, strict=True)
        return [Table([{"unit": name} | outcome.row() for name, outcome in pairs])]


def transformer(
    specs: Sequence[Any], pairs: int = PAIRS, tokens: int = TOKENS, weights: Any = None
) -> Retrievals:
    """Run the retrieval task of all-MiniLM-L6-v2 with units in every product of matrices.

    `specs` are units or specs, ``float32`` stands for numpy's own arithmetic; the rest is as of
    `run`, and so are the errors. Nothing runs before all specs are right.
    """
    if isinstance(specs, str) or not specs:
        raise InvalidInput(
            "name at least one SPEC, such as fma:a=bf16,c=fp32,out=fp32, or float32, in a list"
        )
    arithmetics = [None if spec == "float32" else spec for spec in specs]
    for spec in arithmetics:
        products_of(spec, weights)
    total = multiply_adds(pairs, tokens)
    say_first("multiply-adds", total * sum(spec is not None for spec in arithmetics) / RATE)
    with counted("multiply-adds", total * len(arithmetics)) as count:
        found = [run(spec, pairs, tokens, weights, count.advance) for spec in arithmetics]
    return Retrievals(tuple(found), tuple(map(str, specs)))


def run(
    spec: Any,
    pairs: int = PAIRS,
    tokens: int = TOKENS,
    weights: Any = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Retrieval:
    """Run the retrieval task with a unit in every product of matrices.

    Parameters
    ----------
    spec : a multiply-add, product, adder or dot product unit or its spec; None for float32
        arithmetic (numpy's).
    pairs : of a first line and the rest of a docstring, 2 or more.
    tokens : that each text is cut to, 3 to 512.
    weights : a type of `hwarith.quantize` for the weights of linear layers, or None.
    advance : is told of the multiply-adds done since the last time, of `multiply_adds` in all.

    Raises `InvalidInput` for what is not as said here, and `MissingTool` if the extra or the model
    is not installed.
    """
    products = products_of(spec, weights, advance)
    return run_products(products, pairs, tokens)


def products_of(
    spec: Any, weights: Any = None, advance: Callable[[int], None] = lambda _: None
) -> Products:
    """What `run` multiplies with. Raises `InvalidInput`."""
    unit: Unit | None = make_unit(spec) if spec is not None else None
    return Products(unit, weight_type(weights) if weights is not None else None, advance)


def run_products(products: Products, pairs: int, tokens: int) -> Retrieval:
    """`run` with given products, which keep operands that they met."""
    texts = task(pairs, tokens)
    start = time.perf_counter()
    embeddings = encode(load(), texts, products, products.rows)
    seconds = time.perf_counter() - start
    score = retrieval.score(embeddings[:pairs], embeddings[pairs:])
    cosines = np.nan_to_num((embeddings * reference(pairs, tokens)).sum(axis=1))
    return Retrieval(
        spec=products.unit.spec if products.unit else None,
        weights=products.weights.name if products.weights else None,
        recall=score.recall,
        mrr=score.mrr,
        mean_cosine=float(cosines.mean()),
        min_cosine=float(cosines.min()),
        multiply_adds=products.count,
        seconds=seconds,
        embeddings=embeddings,
    )


@cache
def task(pairs: int, tokens: int) -> list[np.ndarray]:
    """The tokens of all first lines, and behind them of all rests."""
    model, found = load(), retrieval.pairs(pairs)
    return model.tokenize([p.summary for p in found] + [p.rest for p in found], tokens)


@cache
def reference(pairs: int, tokens: int) -> np.ndarray:
    """The embeddings in float32 arithmetic."""
    return encode(load(), task(pairs, tokens), Products(None))


def multiply_adds(pairs: int, tokens: int) -> int:
    """How many multiply-adds the task takes."""
    products = Products(None)
    encode(load(), task(pairs, tokens), products, layers=1)
    return load().layers * products.count
