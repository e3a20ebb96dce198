"""Presets of the transformer: every operation on the units that they name, on a small network."""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore.workloads.minilm import integers, model, run
from hwarith.explore.workloads.minilm.encoder import encode
from hwarith.explore.workloads.minilm.floats import Floats
from hwarith.explore.workloads.minilm.integers import Integers
from hwarith.explore.workloads.minilm.model import Model
from hwarith.explore.workloads.minilm.presets import PRESETS
from hwarith.explore.workloads.minilm.products import Products

SIZE, HEADS, INNER, WORDS = 8, 2, 16, 12
TEXTS = [np.array(text) for text in ([1, 5, 2], [3, 4], [7, 8, 9])]


class Small(Model):
    """Two layers with weights at random."""

    @cached_property
    def weights(self) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(5)
        shapes = {"embeddings.LayerNorm": (SIZE,)}
        shapes |= {f"embeddings.{kind}_embeddings": (WORDS, SIZE) for kind in ("word", "position")}
        shapes["embeddings.token_type_embeddings"] = (2, SIZE)
        for layer in ("encoder.layer.0.", "encoder.layer.1."):
            parts = ("self.query", "self.key", "self.value", "output.dense")
            shapes |= {f"{layer}attention.{part}": (SIZE, SIZE) for part in parts}
            shapes |= {f"{layer}{p}.LayerNorm": (SIZE,) for p in ("attention.output", "output")}
            shapes[layer + "intermediate.dense"] = (INNER, SIZE)
            shapes[layer + "output.dense"] = (SIZE, INNER)
        found = {f"{name}.weight": rng.normal(0, 1, shape) for name, shape in shapes.items()}
        found |= {f"{name}.bias": rng.normal(0, 0.3, s[0]) for name, s in shapes.items()}
        return {name: x.astype(np.float32) for name, x in found.items()}


SMALL = Small(Path(), layers=2, heads=HEADS)


def small(name: str) -> Floats | Integers:
    m = PRESETS[name](lambda _: None)
    m.features = SIZE
    return m


@pytest.mark.parametrize(
    ("name", "least"),
    [("bf16", 0.999), ("fp8", 0.98), ("int8-ivit", 0.97), ("int8-llm", 0.999), ("w4a8", 0.9)],
)
def test_embeddings_are_near(name: str, least: float) -> None:
    exact = encode(SMALL, TEXTS, Products(None))
    found = encode(SMALL, TEXTS, small(name), rows=5)
    assert least < (exact * found).sum(1).min() < 1
    np.testing.assert_array_equal(found, encode(SMALL, TEXTS, small(name)))  # head by head


def test_operations_of_bf16() -> None:
    """A text through one layer, operation by operation on units that are named here."""
    w = SMALL.weights
    bf16, fp32 = hw.format("bf16"), hw.format("fp32")
    product, to_bf16 = "fma:a=bf16,c=fp32,out=fp32", hw.unit("convert:a=fp32,out=bf16")
    add = hw.unit("add:a=bf16")

    def code(name: str) -> np.ndarray:
        return bf16.encode(w[name])

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        bias = fp32.encode(w[f"{name}.bias"])
        return to_bf16(hw.matmul(product, x, code(f"{name}.weight").T, bias))

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        u = hw.unit(f"layernorm:a=bf16,length={SIZE},eps=1e-12")
        return u(x, code(f"{name}.LayerNorm.weight"), code(f"{name}.LayerNorm.bias"))

    tokens = TEXTS[0]
    x = add(
        code("embeddings.word_embeddings.weight")[tokens],
        code("embeddings.position_embeddings.weight")[: len(tokens)],
    )
    x = norm(add(x, code("embeddings.token_type_embeddings.weight")[0]), "embeddings")
    name = "encoder.layer.0."
    q, k, v = (dense(x, f"{name}attention.self.{part}") for part in ("query", "key", "value"))
    contexts = []
    for head in (slice(0, 4), slice(4, 8)):
        scores = hw.unit("mul:a=fp32")(
            hw.matmul(product, q[:, head], k[:, head].T), fp32.encode(0.5)
        )
        shares = hw.unit("softmax:a=fp32,out=bf16,p=bf16")(scores)
        contexts.append(to_bf16(hw.matmul(product, shares, v[:, head])))
    context = np.concatenate(contexts, axis=1)
    x = norm(add(x, dense(context, f"{name}attention.output.dense")), f"{name}attention.output")
    up = hw.unit("gelu:a=bf16")(dense(x, f"{name}intermediate.dense"))
    x = norm(add(x, dense(up, f"{name}output.dense")), f"{name}output")
    total = np.zeros(SIZE, np.uint32)
    for row in x:
        total = hw.unit("add:a=bf16,b=fp32,out=fp32")(row, total)
    mean = hw.unit("mul:a=fp32")(total, fp32.encode(1 / 3))
    u = hw.unit(f"rmsnorm:a=fp32,length={SIZE},eps=0")
    expected = fp32.decode(u(mean, fp32.encode(1 / math.sqrt(SIZE))))
    found = encode(SMALL, TEXTS, small("bf16"), rows=6, layers=1)
    np.testing.assert_array_equal(found[0], expected)


def test_linear_layers_with_scales() -> None:
    """Of weights of 4 bits in two groups, and of values of 8 bits, each in its rows."""
    rng = np.random.default_rng(3)
    f = hw.format("bf16")
    x, w = f.encode(rng.normal(size=(3, 256))), rng.normal(size=(256, 5)).astype(np.float32)
    bias = rng.normal(size=5).astype(np.float32)
    q = hw.quantize(w.T, "int4", 128)
    values = f.decode(x).astype(np.float32)
    peaks = np.abs(values).max(axis=1, keepdims=True)
    integers = np.rint(values.astype(float) * (np.float32(127) / peaks))  # rounded once
    total = np.zeros((3, 5), np.float32)
    for g in range(2):
        part = slice(128 * g, 128 * g + 128)
        sums = integers[:, part] @ q.levels.T[part]
        exact = sums * q.scales[:, g].astype(np.float32).astype(float)
        total = (exact + total).astype(np.float32)
    scales = (peaks * np.float32(1 / 127)).astype(float)
    expected = f.encode(total * scales + bias)
    np.testing.assert_array_equal(small("w4a8").linear(x, w, bias, "up"), expected)


def test_operations_in_integers() -> None:
    """Each on numbers in int8, against the real function; of 9.4 and more, too."""
    rng = np.random.default_rng(4)
    m = Integers("int8-ivit", features=64)
    x, y = (rng.normal(size=(20, 64)) for _ in "xy")
    x[:, 0] *= 20
    gamma, beta = rng.normal(1, 0.2, 64), rng.normal(size=64)
    gamma[3], beta[3] = -0.5, 0.25
    q, int32 = integers._quantized(x), hw.format("int32")

    def sums(x: np.ndarray) -> integers.Quantity:
        return integers.Quantity(int32.encode(np.rint(x * 1e5)), int32, np.full(64, 1e-5))

    def near(found: integers.Quantity, exact: np.ndarray, error: float) -> None:
        assert found.integers.dtype.kind == "i" or (found.integers % 1 == 0).all()
        assert np.abs(found.integers * found.scale - exact).max() < error

    gelu = [[t * (1 + math.erf(t / math.sqrt(2))) / 2 for t in row] for row in x]
    near(m.gelu(sums(x)), np.array(gelu), 0.8)
    rows = m.add(q, sums(y))
    near(rows, x + y, 0.3)
    assert rows.format == hw.format("int13")
    normal = rows.integers - rows.integers.mean(1, keepdims=True)
    normal /= normal.std(1, keepdims=True)
    near(m.normalized(rows, gamma, beta, 0), normal * gamma + beta, 0.1)
    w = rng.normal(size=(64, 5))
    linear = m.linear(q, w, np.ones(5), "up")
    exact = q.integers @ np.rint(w / np.abs(w).max(0) * 127)
    np.testing.assert_array_equal(linear.integers, exact + np.rint(1 / linear.scale))
    near(linear, q.integers * q.scale @ w + 1, 1.0)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "least"),
    [("bf16", 0.9998), ("fp8", 0.99), ("int8-ivit", 0.93), ("int8-llm", 0.998), ("w4a8", 0.92)],
)
def test_whole_task(name: str, least: float) -> None:
    if not model.is_installed():
        pytest.skip(f"the model is not installed: {model.INSTALL}")
    assert run(name).mean_cosine > least
