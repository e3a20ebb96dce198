"""The cycle model: every published figure, its findings, own shapes, and the command line."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any

import pytest

from hwarith import cli
from hwarith.exceptions import InvalidInput
from hwarith.explore.cycles.accelerator import (
    CONFIGS,
    MODELS,
    Accelerator,
    Config,
    Cost,
    Model,
    Operation,
    cost,
    operations,
    task,
    total,
)
from hwarith.explore.cycles.files import find_config, find_model

PROMPT, TOKEN = "prompt", "generation"

# Per config, the models in the order of MODELS; the figures are those of the notebooks
# speedup_plot.ipynb and energy_plot.ipynb that the authors of BitMoD published.
CYCLES = {
    ("fp16", PROMPT): (669255680, 1399816192, 2878668800, 3156574208, 6676111360, 3969089536),
    ("fp16", TOKEN): (82153718, 165841248, 362970848, 413518608, 804330080, 469624976),
    ("ant", PROMPT): (440975360, 847773696, 1734868992, 1949564928, 4076584960, 2266234880),
    ("ant", TOKEN): (25779238, 51998112, 119342816, 129497936, 251907680, 132370576),
    ("olive", PROMPT): (403718144, 779268096, 1575157760, 1768062976, 3648512000, 2008645632),
    ("olive", TOKEN): (20018374, 41655712, 96691936, 97236816, 189155680, 105031744),
    ("bitmod-lossless", PROMPT): (
        336236544,
        693780480,
        1414209536,
        1649680384,
        3537397760,
        1901133824,
    ),
    ("bitmod-lossless", TOKEN): (
        31220054,
        62986912,
        137681120,
        156919888,
        305157360,
        178109840,
    ),
    ("bitmod", PROMPT): (233070592, 515194880, 946937856, 1202921472, 2601461760, 1273233408),
    ("bitmod", TOKEN): (15857750, 31959712, 69662944, 79493200, 154552560, 90099088),
}

# Energy in uJ, on chip and altogether.
ENERGY = {
    ("fp16", PROMPT): (
        (656667, 2549498),
        (1273252, 6252349),
        (2614171, 13014774),
        (2928682, 15511220),
        (5742951, 36365138),
        (3279511, 18528840),
    ),
    ("fp16", TOKEN): (
        (25745, 419862),
        (51929, 847599),
        (113537, 1854106),
        (129318, 2113617),
        (251588, 4110960),
        (146812, 2399478),
    ),
    ("ant", PROMPT): (
        (459880, 1360903),
        (888236, 3147508),
        (1815179, 5659691),
        (2035862, 7426912),
        (3981122, 16936053),
        (2270541, 7910575),
    ),
    ("ant", TOKEN): (
        (22139, 145879),
        (44668, 294259),
        (97934, 669718),
        (111292, 732882),
        (216575, 1425302),
        (125750, 760225),
    ),
    ("olive", PROMPT): (
        (501789, 1308354),
        (969019, 2969260),
        (1960581, 5182082),
        (2192068, 6898215),
        (4285634, 15557969),
        (2440769, 7165633),
    ),
    ("olive", TOKEN): (
        (23250, 119339),
        (46840, 246787),
        (104204, 567264),
        (115455, 582192),
        (225859, 1133377),
        (131179, 624942),
    ),
    ("bitmod-lossless", PROMPT): (
        (317887, 1272043),
        (615118, 3020095),
        (1255562, 5452484),
        (1410390, 7186699),
        (2763255, 16664646),
        (1572255, 7727074),
    ),
    ("bitmod-lossless", TOKEN): (
        (15691, 165547),
        (31662, 334000),
        (69245, 729367),
        (78882, 832097),
        (153502, 1618257),
        (89561, 943899),
    ),
    ("bitmod", PROMPT): (
        (221382, 986623),
        (428524, 2315439),
        (871622, 3820005),
        (981870, 5388371),
        (1924566, 12460765),
        (1091548, 5416024),
    ),
    ("bitmod", TOKEN): (
        (10470, 86588),
        (21129, 174535),
        (46198, 380148),
        (52631, 434198),
        (102418, 844271),
        (59753, 491953),
    ),
}


def phase_total(model: str, config: str | Config | Accelerator, phase: str) -> Cost:
    return total(task(model, config, generate=1)[phase].values())


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def speedups(base: str, other: str, generate: int) -> list[float]:
    """Of each model."""

    def cycles(model: str, config: str) -> int:
        phases = task(model, config, generate=generate).values()
        return total(c for costs in phases for c in costs.values()).cycles

    return [cycles(model, base) / cycles(model, other) for model in MODELS]


# -- what was published --------------------------------------------------------------------------

MODEL_OF = list(enumerate(MODELS))


@pytest.mark.parametrize(("index", "model"), MODEL_OF, ids=list(MODELS))
@pytest.mark.parametrize(("config", "phase"), CYCLES)
def test_published_totals(config: str, phase: str, index: int, model: str) -> None:
    assert phase_total(model, config, phase).cycles == CYCLES[config, phase][index]


@pytest.mark.parametrize(("index", "model"), MODEL_OF, ids=list(MODELS))
@pytest.mark.parametrize(("config", "phase"), ENERGY)
def test_published_energy_of_dram(config: str, phase: str, index: int, model: str) -> None:
    on_chip, together = ENERGY[config, phase][index]
    energy = phase_total(model, config, phase).dram_energy
    assert abs(energy - (together - on_chip)) <= 1


def test_energy_to_the_last_digit() -> None:
    assert phase_total("opt-1.3b", "fp16", PROMPT).dram_energy == 1892831.232


def test_every_config_and_model_is_checked() -> None:
    assert {config for config, _ in CYCLES} == {config for config, _ in ENERGY} == set(CONFIGS)
    assert sum(len(figures) for figures in CYCLES.values()) == 60
    assert sum(len(figures) for figures in ENERGY.values()) == 60
    assert len(MODELS) == 6


SPEEDUPS = [
    ("fp16", "bitmod-lossless", 0, 1.989),
    ("fp16", "bitmod-lossless", 20, 2.408),
    ("ant", "bitmod", 0, 1.723),
    ("ant", "bitmod", 20, 1.660),
    ("olive", "bitmod", 0, 1.560),
    ("olive", "bitmod", 20, 1.388),
]


@pytest.mark.parametrize(("base", "other", "generate", "published"), SPEEDUPS)
def test_published_speedups(base: str, other: str, generate: int, published: float) -> None:
    assert abs(mean(speedups(base, other, generate)) - published) <= 0.005


# -- findings about it ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "other", "with_256"),
    [("fp16", "bitmod-lossless", 2.61), ("ant", "bitmod", 1.62), ("olive", "bitmod", 1.28)],
)
def test_generative_speedups_need_20_tokens(base: str, other: str, with_256: float) -> None:
    published = {(b, o): s for b, o, generate, s in SPEEDUPS if generate}[base, other]
    of_256 = mean(speedups(base, other, 256))
    assert abs(of_256 - with_256) <= 0.005
    assert abs(of_256 - published) > 0.005


def test_mean_of_speedups_is_arithmetic() -> None:
    """The published bar is labelled as a geometric mean. Three decimals tell the two apart."""
    geometric_too = []
    for base, other, generate, published in SPEEDUPS:
        values = speedups(base, other, generate)
        assert abs(mean(values) - published) <= 0.0006
        geometric = prod(values) ** (1 / len(values))
        if abs(geometric - published) <= 0.0006:
            geometric_too.append((base, generate))
    assert geometric_too == [("fp16", 20)]


def test_attention_is_charged_at_the_latency_of_weights() -> None:
    model = MODELS["llama-2-7b"]
    for operation in operations(model, 256):
        lossless, lossy = (
            cost(operation, CONFIGS[name].prompt) for name in ("bitmod-lossless", "bitmod")
        )
        assert lossless.compute_cycles * 2 == lossy.compute_cycles * 3
        if operation.name in ("qk", "av"):  # but its traffic is of 16 bits
            assert lossless.dram_bytes == lossy.dram_bytes
        else:
            assert lossless.dram_bytes > lossy.dram_bytes


def test_attention_computes_more_and_moves_less_than_it_would() -> None:
    model, pe = MODELS["opt-1.3b"], Accelerator(1, 1, 16)
    prompt = {o.name: cost(o, pe).compute_cycles for o in operations(model, 256)}
    macs = model.layers * 256 * 256 * model.hidden
    assert prompt["qk"] == model.heads * macs
    assert prompt["av"] == 256 * model.heads // model.hidden * macs
    token = {o.name: cost(o, pe).dram_bytes for o in operations(model, 1, 256)}
    keys = model.layers * 256 * model.hidden * 2
    assert token["qk"] < keys / 4
    assert token["av"] < keys / 4


# -- the parts -----------------------------------------------------------------------------------


def test_operations_of_a_layer() -> None:
    yi = {o.name: o for o in operations(MODELS["yi-6b"], 256)}
    assert list(yi) == ["q", "k", "v", "qk", "av", "o", "gate", "up", "down", "lm_head"]
    assert yi["k"] == Operation("k", (512, 4096), (256, 4096), (256, 512), 32)
    assert yi["gate"] == dataclasses.replace(yi["up"], name="gate")
    assert yi["qk"] == Operation("qk", (256, 4096), (256, 512), (8192, 256), 32, 16)
    assert yi["av"] == Operation("av", (8192, 256), (256, 512), (256, 4096), 32, 16)
    assert yi["lm_head"].count == 1
    assert "gate" not in {o.name for o in operations(MODELS["phi-2"], 1)}


def test_cost_by_hand() -> None:
    own = Operation("own", (10, 6), (7, 6), (7, 10), count=3)
    # weights: ceil(6 * 4.0625 / 8) = 4 bytes in each of 10 rows; 84 bytes in, 140 out
    serial = cost(own, Accelerator(4, 4, 4.0625, dp=4, serial=True))
    assert serial == Cost(3 * 2 * 3 * 2 * 2, 3 * (264 // 32), 3 * 24, 3 * 264)
    parallel = cost(own, Accelerator(4, 4, 4.0625, dp=4))
    assert parallel.compute_cycles * 2 == serial.compute_cycles
    assert parallel.cycles == 36
    assert cost(own, Accelerator(4, 100, 16)).cycles == 3 * 18


def test_cycles_are_the_slower_of_the_two_for_each_operation() -> None:
    compute, memory = Cost(5, 3, 5, 100), Cost(1, 9, 9, 300)
    assert total([compute, memory]) == Cost(6, 12, 14, 400)
    assert total([compute, memory]).dram_energy == 0.06


@pytest.mark.parametrize(
    ("weight_buffer", "input_buffer", "traffic"),
    [
        (200, 84, 200 + 84),  # each fits: weight 200 bytes, input 84 bytes
        (199, 84, 200 + 84),
        (200, 1, 200 + 84),
        (199, 83, 200 + 2 * 84),  # the weight needs 2 bufferfuls, the input 2
        (50, 83, 2 * 200 + 84),  # 4 passes of the input would be 336
        (100, 21, 200 + 2 * 84),
    ],
)
def test_refetching(weight_buffer: int, input_buffer: int, traffic: int) -> None:
    own = Operation("own", (10, 10), (7, 6), (7, 10))
    accelerator = Accelerator(4, 4, 16, weight_buffer=weight_buffer, input_buffer=input_buffer)
    assert cost(own, accelerator).dram_bytes == traffic + 140


@pytest.mark.parametrize(
    ("bits", "latency"), [(3.0625, 2), (4.0625, 2), (5, 3), (6.0625, 3), (8, 4), (1, 1)]
)
def test_latency_of_serial_weights(bits: float, latency: int) -> None:
    assert Accelerator(1, 1, bits, serial=True).latency == latency
    assert Accelerator(1, 1, bits).latency == 1


def test_bits_are_exact() -> None:
    assert Accelerator(1, 1, 4.1).bits == Fraction(41, 10)
    # 100 * 4.4 / 8 = 55 bytes, where float64 makes it a little more, hence 56
    own = Operation("own", (1, 100), (1, 100), (1, 1))
    assert cost(own, Accelerator(1, 1, 4.4)).dram_bytes == 55 + 200 + 2


def test_own_model_and_accelerator() -> None:
    tiny = Model(2, 8, 16, 4, 2, 10, gated=True)
    phases = task(tiny, Accelerator(1, 1, 16), tokens=3, generate=5)
    linear = 2 * (2 * 8 * 8 + 2 * 4 * 8 + 3 * 8 * 16) + 10 * 8
    for phase, tokens in (("prompt", 3), ("generation", 5)):
        costs = phases[phase]
        computed = sum(c.compute_cycles for n, c in costs.items() if n not in ("qk", "av"))
        assert computed == linear * tokens
    assert list(task(tiny, "fp16")) == ["prompt"]
    lossless = task(tiny, "bitmod-lossless", generate=2)["generation"]
    assert lossless == task(tiny, CONFIGS["bitmod-lossless"], generate=2)["generation"]


def test_a_published_model_with_another_prompt() -> None:
    short, long = (total(task("phi-2", "bitmod", tokens)["prompt"].values()) for tokens in (1, 512))
    assert short.cycles < CYCLES["bitmod", PROMPT][1] < long.cycles


TINY = {"layers": 2, "hidden": 8, "ffn": 16, "heads": 4, "kv_heads": 2, "vocab": 9, "gated": True}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": 0}, "layers must be a whole number from 1 to 2147483648, not 0"),
        ({"hidden": 8.0}, r"hidden must be a whole number .*, not 8\.0"),
        ({"vocab": True}, "vocab must be a whole number .*, not True"),
        ({"ffn": 2**31 + 1}, "ffn must be a whole number"),
        ({"gated": 1}, "gated must be true or false, not 1"),
        ({"heads": 3}, r"heads must divide hidden \(8\), not 3"),
        ({"kv_heads": 3}, r"kv_heads must divide heads \(4\), not 3"),
    ],
)
def test_wrong_models(change: dict[str, Any], message: str) -> None:
    Model(**TINY)
    with pytest.raises(InvalidInput, match=message):
        Model(**(TINY | change))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Accelerator(0, 1, 4), "rows must be a whole number"),
        (lambda: Accelerator(1, 1, 4, dp=-4), "dp must be a whole number from 1 .*, not -4"),
        (lambda: Accelerator(1, 1, 0.5), r"bits must be a number from 1 to 64, not 0\.5"),
        (lambda: Accelerator(1, 1, float("nan")), "bits must be a number from 1 to 64, not nan"),
        (lambda: Accelerator(1, 1, 4, serial=1), "serial must be true or false, not 1"),
        (lambda: Accelerator(1, 1, 4, weight_buffer=0), "weight_buffer must be"),
        (lambda: Operation("own", (1, 0), (1, 1), (1, 1)), "own: weight must be a whole number"),
        (lambda: Operation("own", (1, 1), (1,), (1, 1)), "own: input must be a pair of sizes"),
        (lambda: Operation("own", (1, 1), (1, 1), (1, 1), 0), "own: count must be"),
        (lambda: Operation("own", (1, 1), (1, 1), (1, 1), 1, "a"), "own: weight_bits must be"),
        (lambda: operations(MODELS["phi-2"], 0), "tokens must be a whole number"),
        (lambda: operations(MODELS["phi-2"], 2**31), "tokens times heads must be"),
        (lambda: operations(MODELS["phi-2"], 1, 0), "context must be a whole number"),
        (lambda: task("phi", "fp16"), "unknown model 'phi'; did you mean 'phi-2'?"),
        (lambda: task("phi-2", "ants"), "unknown config 'ants'; did you mean 'ant'?"),
        (lambda: task("phi-2", "ant", generate=-1), "generate must be a whole number from 0"),
        (lambda: task(Model(**TINY), "ant", generate=1), "known only for opt-1.3b, phi-2"),
    ],
)
def test_wrong_input(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        make()


# -- the command line ----------------------------------------------------------------------------

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``hwarith cycles`` in this process: status, output, errors."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hwarith", "cycles", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


def test_command(run: Run) -> None:
    status, out, err = run("opt-1.3b", "--config", "fp16", "--config", "bitmod")
    assert (status, err) == (0, "")
    first, second = out.split("opt-1.3b, bitmod: 256 tokens\n")
    assert first.startswith("opt-1.3b, fp16: 256 tokens\n")
    titles = ["phase", "operation", "cycles", "compute", "DRAM", "cycles", "speedup"]
    (head,) = (line for line in first.splitlines() if "operation" in line)
    assert head.split() == [*titles, "DRAM", "(GB)", "DRAM", "(J)"]
    (last,) = (line.split() for line in second.splitlines() if " total " in line)
    assert last == [
        "prompt",
        "total",
        "233.1",
        "M",
        "220.5",
        "M",
        "159.4",
        "M",
        "2.871",
        "5.102",
        "765.2",
    ]
    (last,) = (line.split() for line in first.splitlines() if " total " in line)
    assert last[:4] + last[8:9] == ["prompt", "total", "669.3", "M", "1"]


def test_one_config_has_no_speedup(run: Run) -> None:
    status, out, _ = run("opt-1.3b", "--config", "fp16")
    assert status == 0
    assert "speedup" not in out


def test_json_of_generation(run: Run) -> None:
    status, out, err = run(
        "phi-2", "--config", "ant", "--config", "bitmod", "--generate", 20, "--json"
    )
    assert (status, err) == (0, "")
    data = json.loads(out)
    assert (data["model"], data["tokens"], data["generate"]) == ("phi-2", 256, 20)
    assert [c["config"] for c in data["configs"]] == ["ant", "bitmod"]
    for of in data["configs"]:
        expected = CYCLES[of["config"], PROMPT][1] + 20 * CYCLES[of["config"], TOKEN][1]
        assert of["total"]["cycles"] == expected
        assert sum(row["cycles"] for row in of["operations"]) == expected
        assert {row["phase"] for row in of["operations"]} == {PROMPT, TOKEN}
    assert data["configs"][0]["total"]["speedup"] == 1
    assert data["configs"][1]["total"]["speedup"] == pytest.approx(
        speedups("ant", "bitmod", 20)[1], rel=1e-12
    )


OPT = "layers = 24\nhidden = 2048\nffn = 8192\nheads = 32\nkv_heads = 32\nvocab = 50272\n"


def test_own_shapes_and_own_config(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OPT + "gated = false\n")
    own = "rows=32, columns=32, dp=4, bits=4.0625, serial=1"
    status, out, err = run(file, "--config", own, "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["configs"][0]["total"]["cycles"] == CYCLES["bitmod", PROMPT][0]
    file.write_text(OPT + "gated = true\n")
    status, out, _ = run(file, "--config", own, "--tokens", 8, "--json")
    assert status == 0
    assert json.loads(out)["tokens"] == 8
    assert "gate" in {row["operation"] for row in json.loads(out)["configs"][0]["operations"]}


def test_keys_of_a_config() -> None:
    text = "rows=8,columns=4,bits=16,weight_buffer=1024,input_buffer=2048,serial=0"
    accelerator = Accelerator(8, 4, 16, weight_buffer=1024, input_buffer=2048)
    assert find_config(text) == Config(accelerator, accelerator)
    assert find_config("olive") is CONFIGS["olive"]
    assert find_model("phi-2") is MODELS["phi-2"]


ONE = ("--config", "fp16")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument 'MODEL'."),
        (("phi-2",), "Missing option '--config'."),
        (("phi2", *ONE), "unknown model 'phi2'; did you mean 'phi-2'? allowed: opt-1.3b, phi-2,"),
        (("none.toml", *ONE), "model file none.toml cannot be read: No such file"),
        ((".", *ONE), "model file . cannot be read: Is a directory"),
        (("phi-2", "--config", "bitmd"), "unknown config 'bitmd'; did you mean 'bitmod'? allowed:"),
        (("phi-2", *ONE, "--tokens", "0"), "tokens must be a whole number from 1 to"),
        (("phi-2", *ONE, "--tokens", "x"), "Invalid value for '--tokens'"),
        (("phi-2", *ONE, "--generate", "-1"), "generate must be a whole number from 0 to"),
        (("phi-2", "--config", "rows=8,bits=4"), "config 'rows=8,bits=4': columns missing;"),
        (("phi-2", "--config", "row=8"), "config 'row=8': unknown key 'row'; did you mean 'rows'?"),
        (("phi-2", "--config", "rows=8,rows=9"), "config 'rows=8,rows=9': rows is given twice"),
        (("phi-2", "--config", "rows=8,"), "config 'rows=8,': unknown key ''"),
        (
            ("phi-2", "--config", "rows=a,columns=8,bits=4"),
            "config 'rows=a,columns=8,bits=4': rows must be a whole number from 1 to 2147483648, "
            "not 'a'",
        ),
        (
            ("phi-2", "--config", "rows=8,columns=8,bits=1e999"),
            "config 'rows=8,columns=8,bits=1e999': bits must be a number from 1 to 64, not inf",
        ),
        (
            ("phi-2", "--config", "rows=8,columns=8,bits=4,serial=yes"),
            "config 'rows=8,columns=8,bits=4,serial=yes': serial must be 0 or 1, not 'yes'",
        ),
    ],
)
def test_mistakes(
    run: Run,
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_one_line(run(*arguments), message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"layers = ", "Invalid value (at "),
        (b"layers = \xff", "it is no TOML, or damaged (UnicodeDecodeError: 'utf-8' codec"),
        (OPT.encode(), "gated missing; needed: layers, hidden, ffn, heads, kv_heads, vocab, gated"),
        (b"layer = 3", "unknown key 'layer'; did you mean 'layers'? allowed: layers, hidden,"),
        (b'name = "phi-2"', "unknown key 'name'; allowed: layers,"),
        (OPT.encode() + b'gated = "yes"', "gated must be true or false, not 'yes'"),
        (OPT.replace("24", "2.5").encode() + b"gated = true", "layers must be a whole number"),
        (OPT.replace("= 24", "= -1").encode() + b"gated = true", "layers must be a whole number"),
        (b"layers = " + b"9" * 5000, "an integer in it has more than 4,300 digits"),
    ],
)
def test_mistakes_in_a_model_file(run: Run, text: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(text)
    assert_one_line(run(file, *ONE), f"model file {file}: {message}")


def test_own_shapes_have_no_published_bits(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OPT + "gated = false\n")
    assert run(file, "--config", "ant")[0] == 0
    outcome = run(file, "--config", "ant", "--generate", 1)
    assert_one_line(outcome, "the bits of ANT and OliVe in generation are known only for opt-1.3b")


def assert_one_line(outcome: tuple[int, str, str], message: str) -> None:
    status, out, err = outcome
    assert (status, out) == (2, "")
    assert err.startswith(f"hwarith: {message}")
    assert err.count("\n") == 1
    assert "Traceback" not in err
