"""The retrieval task on a unit, and how far its embeddings are from float32's."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np

from ....exceptions import InvalidInput, unknown
from ....formats.weights import weight_type
from ....progress import counted, say_first
from ....tables import Several, Table
from ....units import Unit
from ....units import unit as make_unit
from ....units.registry import FAMILIES
from . import retrieval
from .encoder import encode
from .floats import Floats
from .integers import Integers
from .model import load
from .presets import PRESETS
from .products import Products

PAIRS, TOKENS = 96, 32
"""Of the task: 53 G multiply-adds with numpy 2.4 and scipy 1.17."""


@dataclass(frozen=True)
class Retrieval:
    """How well the embeddings of a unit's arithmetic find the texts.

    Attributes
    ----------
    spec : of the unit, the preset's name, or None for float32 arithmetic. ``weights``: their type,
        None for the unit's operand format, or the preset's.
    units : of a preset the specs of the units of each operation, by its name.
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
    units: dict[str, tuple[str, ...]]

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
        """A row for each arithmetic; of presets also one for each operation."""
        found = list(zip(self.names, self, strict=True))
        tables = [Table([{"unit": name} | outcome.row() for name, outcome in found])]
        operations = [
            {"preset": name, "operation": operation, "units": " ".join(specs)}
            for name, outcome in found
            for operation, specs in outcome.units.items()
        ]
        return [*tables, Table(operations)] if operations else tables


def transformer(
    specs: Sequence[Any], pairs: int = PAIRS, tokens: int = TOKENS, weights: Any = None
) -> Retrievals:
    """Run the retrieval task of all-MiniLM-L6-v2 with units in every product of matrices, or by
    presets in every operation.

    `specs` are units, specs or presets, ``float32`` stands for numpy's own arithmetic; the rest is
    as of `run`, and so are the errors. Nothing runs before all specs are right.
    """
    if isinstance(specs, str) or not specs:
        raise InvalidInput(
            "name at least one SPEC, such as fma:a=bf16,c=fp32,out=fp32, a preset such as bf16, or "
            "float32, in a list"
        )
    arithmetics = [None if spec == "float32" else spec for spec in specs]
    for spec in arithmetics:
        arithmetic(spec, weights)
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
    """Run the retrieval task with a unit in every product of matrices, or with a preset.

    Parameters
    ----------
    spec : a multiply-add, product, adder or dot product unit or its spec; one of `PRESETS`, with
        units in every operation; None for float32 arithmetic (numpy's).
    pairs : of a first line and the rest of a docstring, 2 or more.
    tokens : that each text is cut to, 3 to 512.
    weights : a type of `hwarith.quantize` for the weights of linear layers, or None; presets have
        their own.
    advance : is told of the multiply-adds done since the last time, of `multiply_adds` in all.

    Raises `InvalidInput` for what is not as said here, and `MissingTool` if the extra or the model
    is not installed.
    """
    return run_in(arithmetic(spec, weights, advance), pairs, tokens)


def arithmetic(
    spec: Any, weights: Any = None, advance: Callable[[int], None] = lambda _: None
) -> Products | Floats | Integers:
    """What `run` computes with. Raises `InvalidInput`."""
    if isinstance(spec, str) and spec in PRESETS:
        if weights is not None:
            raise InvalidInput(f"preset {spec} has weights of its own: leave out {weights}")
        return PRESETS[spec](advance)
    if isinstance(spec, str) and ":" not in spec and spec not in FAMILIES:
        raise unknown("preset or unit", spec, (*PRESETS, *FAMILIES))
    unit: Unit | None = make_unit(spec) if spec is not None else None
    return Products(unit, weight_type(weights) if weights is not None else None, advance=advance)


def run_in(m: Products | Floats | Integers, pairs: int, tokens: int) -> Retrieval:
    """`run` in an arithmetic, which keeps what it counted and met."""
    texts = task(pairs, tokens)
    start = time.perf_counter()
    embeddings = encode(load(), texts, m, m.rows)
    seconds = time.perf_counter() - start
    score = retrieval.score(embeddings[:pairs], embeddings[pairs:])
    cosines = np.nan_to_num((embeddings * reference(pairs, tokens)).sum(axis=1))
    return Retrieval(
        spec=m.spec,
        weights=m.weights.name if m.weights else None,
        recall=score.recall,
        mrr=score.mrr,
        mean_cosine=float(cosines.mean()),
        min_cosine=float(cosines.min()),
        multiply_adds=m.count,
        seconds=seconds,
        embeddings=embeddings,
        units=m.units,
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
