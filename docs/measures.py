"""What measures the figures of the documentation: a function for each kind (`docs/figures.py`).

Each takes what stands behind the kind's name in a figure's key and gives plain data, for JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import hwarith as hw
from bench import bitserial, energy, function_errors, normalization, power_program
from hwarith.explore import attention_training, blocks, datatypes, int8_costs, training
from hwarith.explore.accumulators import relative_error
from hwarith.explore.point import measure
from hwarith.explore.reproducibility import reproducibility
from hwarith.explore.workloads import workload
from hwarith.flow.generated import row
from hwarith.matrix.int8 import DIVISIONS, quantized
from hwarith.units.lut import quantized_dot
from hwarith.units.rows import SoftMax
from hwarith.units.rows.base import Arrays


def of_unit(spec: str) -> list[Any]:
    """``hwarith synth SPEC``: those of the generated tables, `hwarith.flow.generated.Row`."""
    return list(row(hw.unit(spec)))


def generic(spec: str) -> list[Any]:
    """``hwarith synth SPEC``: area, delay and flip-flops, of units too large for `of_unit`."""
    found = hw.synthesize(spec)
    return [found.area, found.delay, found.flip_flops]


def open_path(spec: str) -> float | None:
    """``hwarith synth SPEC --library osu018``: the longest path, in nanoseconds."""
    return hw.synthesize(spec, library="osu018").delay


def shortest(spec: str) -> list[Any]:
    """``hwarith synth SPEC --library osu018 --delay-target 0.1``: the least delay that gates are
    sized to, in nanoseconds, and the area then in square micrometres."""
    found = hw.synthesize(spec, library="osu018", delay_target=0.1)
    return [found.delay, found.area]


def least(spec: str) -> float | None:
    """``hwarith synth SPEC --recipe area``, ``python bench/bitserial.py``: the least area."""
    return hw.synthesize(spec, recipe="area").area


def element(width: int, norm: str) -> list[float]:
    """``python bench/normalization.py``: gates, path and toggles of an element of a chain."""
    return list(normalization.element(width, norm))


def normalizer(width: int) -> float:
    """The same: the share of the exact normalizer in the gates of its element."""
    return normalization.normalizer_share(width)


def equal_delay(width: int, library: str) -> list[list[Any]]:
    """``python bench/normalization.py --library``: rows of norm, delay, area, the area of the exact
    element as fast, and the toggles of both; the last rows are each norm's ends."""
    compared, ends = normalization.equal_delay(width, library)
    return [list(x) for x in compared] + [[norm, *x] for norm, x in ends.items()]


def of_operation(units: str, library: str) -> float:
    """``python bench/energy.py``: energy per operation, in the library's unit."""
    return energy.energy(units, library)[0]


def dot_error(spec: str, distribution: str) -> float:
    """``hwarith.explore.accumulators.relative_error``: of sums of 4096 by an accumulator."""
    return relative_error(spec, distribution)


def per_operation(spec: str) -> float:
    """``hwarith energy SPEC``: energy of a multiply-add, on operands of the tests' kind."""
    return float(hw.energy(spec).energy)


def distinct(name: str, n: int) -> list[list[Any]]:
    """``hwarith reproducibility``: the rows of its table, without format and length."""
    return [list(x.row().values())[2:] for x in reproducibility([name], [n])]


def registers_share(spec: str, library: str) -> float:
    """The same: the share of flip-flops and of charging clock pins in a unit's energy."""
    return energy.registers_share(spec, library)


def error(spec: str, weights: str) -> float:
    """``python bench/bitserial.py``: relative root mean square error of sums of 128 products."""
    return bitserial.error(spec, weights)


def digits(spec: str) -> list[Any]:
    """``hwarith compare SPEC --workload digits``: accuracy and output error."""
    found = workload("digits").run(hw.unit(spec))
    return [found.accuracy, found.output_error]


def point(spec: str) -> list[Any]:
    """``hwarith sweep``: bits, area and energy of a multiply-add, mean relative error; the digits'
    output error and accuracy."""
    found = measure(hw.unit(spec), "digits", "generic").figures()
    keys = ("bits", "lane_area", "lane_energy", "mred", "output_error", "accuracy")
    return [found[key] for key in keys]


def baseline() -> float:
    """The accuracy of the digits workload in float64."""
    return workload("digits").baseline_accuracy


def mismatches(width: int, norm: str, out: str) -> float:
    """The share of 4096 columns of 16 products whose result is another than with an exact
    normalization; operands are those of tests/units/test_anfma.py."""
    from tests.units.test_anfma import A, B

    exact, found = (
        hw.unit(f"anfma:w={width},norm={n},out={out}").column(A, B) for n in ("exact", norm)
    )
    return float(np.mean(found != exact))


def lmul_error(name: str) -> list[float]:
    """Relative error of L-Mul over all pairs of fractions: mean, RMS, least, greatest."""
    u = hw.unit(f"lmul:format={name}")
    f = u.format
    binade = f.encode(1.0) + np.arange(1 << f.fraction_bits, dtype=f.dtype)
    a, b = binade[:, None], binade[None, :]
    relative = f.decode(u(a, b)) / (f.decode(a) * f.decode(b)) - 1
    rms = np.sqrt((relative**2).mean())
    return [float(x) for x in (relative.mean(), rms, relative.min(), relative.max())]


def axcore_snr(weights: str, options: str) -> float:
    """Signal to noise in dB of sums of 1024 products of ``axmul``, as tests/units/test_axcore.py
    has them."""
    rng, u = np.random.default_rng(4), hw.unit(f"axmul:w={weights},{options}")
    codes = u.w.codes()
    codes = codes[np.isfinite(u.w.decode(codes).astype(np.float64))]
    a = u.a.encode(rng.uniform(-1, 1, (2000, 1024)))
    b = rng.choice(codes, (2000, 1024))
    exact = np.sum(u.a.decode(a).astype(np.float64) * u.w.decode(b), axis=1)
    found = np.sum(u.a.decode(u(a, b)).astype(np.float64), axis=1)
    return blocks.qsnr(exact, found)


def axcore_wraps(signs: str) -> float:
    """The share of 4096 columns of 64 products of normal numbers that four integer bits change."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 4096, 64))
    if signs == "positive":
        x, y = np.abs(x), np.abs(y)
    sums = []
    for head in (4, 7):
        u = hw.unit(f"axdot:head={head}")
        a, w, c = u.a.encode(x), u.w.encode(y), np.zeros(4096, u.state.dtype)
        for k in range(0, 64, 4):
            c = u(a[:, k : k + 4], w[:, k : k + 4], c)
        sums.append(u.chain_end(c))
    return float(np.mean(sums[0] != sums[1]))


def parts(spec: str) -> dict[str, float]:
    """``hwarith synth --breakdown SPEC``: the areas of its parts."""
    return {part.name: part.area for part in hw.breakdown(spec).parts}


def anda_error(m: int) -> float:
    """Relative root mean square error of sums of 128 products of normal activations, in
    ``anda_mM``, with weights in int4: those of `error`."""
    acts, _, levels = bitserial.workload("int4")
    x = hw.format("fp16").decode(acts)
    exact = np.sum(x * levels, axis=1)
    found = np.sum(hw.quantize(x, f"anda_m{m}").values() * levels, axis=1)
    return float(np.sqrt(np.mean((found - exact) ** 2) / np.mean(exact**2)))


def table_error(k: int, per: int) -> float:
    """``hwarith.units.lut.quantized_dot``: relative root mean square error of 4000 sums of 256
    products of numbers N(0,1) with weights of 4 bits; `per` 0: one scale for a sum."""
    rng = np.random.default_rng(0)
    a, w = rng.standard_normal((4000, 256)), 2 * rng.integers(0, 16, (4000, 256)) - 15
    exact = (a * w).sum(axis=-1)
    error = quantized_dot(a, w, k, per or None) - exact
    return float(np.sqrt(np.mean(error**2) / np.mean(exact**2)))


def nmse(kind: str, distribution: str) -> float:
    """``hw.quantize``: squared error over mean square of 2^20 weights in groups of 128."""
    rng = np.random.default_rng(0)
    shape = (8192, 128)
    w = rng.standard_normal(shape) if distribution == "normal" else rng.standard_t(5, shape)
    return float(np.mean((hw.quantize(w, kind).values() - w) ** 2) / np.mean(w**2))


def datatype(name: str, variant: str = "") -> list[float]:
    """``hwarith datatypes``: squared errors of normal, Laplacian and Student's t(4) numbers as
    shares of their squares."""
    rows = hw.datatypes([name])
    (found,) = (x for x in rows if x.datatype.variant == variant)
    return list(found.errors.values())


def other_seeds(distribution: str) -> float:
    """``hwarith.explore.datatypes.errors(kind, seed)``: by how much of themselves the errors of all
    rows change at most, with seeds 10, 11 and 12."""
    changes = []
    for kind in datatypes.DATATYPES:
        usual = datatypes.errors(kind)[distribution]
        changes += [datatypes.errors(kind, seed)[distribution] / usual - 1 for seed in (10, 11, 12)]
    return max(map(abs, changes))


def qsnr(name: str, rule: str) -> float:
    """``hwarith.explore.blocks.normal_qsnr``: of blocks of normal numbers, in dB."""
    return blocks.normal_qsnr(name, None if rule == "default" else rule)


def quartet(rule: str, stochastic: int = 0) -> list[float]:
    """``hwarith.explore.blocks.normal_errors``: of mxfp4, squared error and misalignment."""
    return list(blocks.normal_errors(rule, bool(stochastic), 8192))


def crossover(integer: str, floating: str) -> list[float]:
    """``hwarith.explore.blocks.crossover``: crest factor and dB."""
    return list(blocks.crossover(integer, floating))


def exact_crossover(integer: str, floating: str) -> float:
    """The same with the range that integers have, and scales in e4m3 that are not rounded."""
    rho = 1.0 if hw.format(integer).tensor_scale else None
    return blocks.crossover(integer, floating, rho, exact_range=True).crest


def gates(name: str) -> float:
    """``hwarith.explore.blocks.lane_gates``: area of a lane in full adders."""
    return blocks.lane_gates(name).area()


def beyond_symmetric(name: str) -> float:
    """``hwarith.explore.blocks.beyond_symmetric``: of 2^24 numbers."""
    return blocks.beyond_symmetric(name, 1 << 24)


def int8(integer: str, outliers: int) -> list[list[Any]]:
    """``hwarith.explore.int8_costs``: part, unit, operations, and shares of area times clocks and
    of energy of the product in floats alone, of `usual_product`."""
    costs = int8_costs.int8_costs(int8_costs.usual_product(integer, outliers))
    alone = costs[-1]
    return [
        [p.part, p.spec, p.operations, p.work / alone.work, p.total_energy / alone.total_energy]
        for p in costs.parts
    ]


def int8_error(threshold: str, outliers: int, scale: int) -> float:
    """``hwarith.explore.int8_costs.product_error``."""
    return int8_costs.product_error(float(threshold), outliers, scale)


def int8_divisions() -> float:
    """``hwarith.matrix.int8.quantized``: the share of codes of 2^22 fp16 numbers N(0,1), in rows of
    4096, that a rounded reciprocal makes other ones."""
    x = np.random.default_rng(0).standard_normal((1024, 4096)).astype(np.float16)
    x = x.astype(np.float32)
    exact, other = (quantized(x, np.abs(x).max(axis=1)[:, None], d) for d in DIVISIONS)
    return float(np.mean(exact != other))


def splits_of(distribution: str, bits: int) -> list[list[Any]]:
    """``hw.search_format``: format and squared error of each split, of 2^20 numbers."""
    (found,) = hw.search_format(_drawn(distribution, (1 << 20,)), bits)
    return [[s.format.name, s.nmse] for s in found.splits]


def per_channel(bits: int) -> list[float]:
    """``hw.search_format``: squared error with one bias and with one for each of 256 channels, of
    4096 normal numbers each, whose standard deviations are lognormal (sigma 1)."""
    rng = np.random.default_rng(0)
    w = rng.standard_normal((256, 4096)) * rng.lognormal(0, 1, (256, 1))
    return [hw.search_format(w, bits, per)[0].best.nmse for per in ("tensor", "channel")]


def channel_scales(bits: int) -> list[float]:
    """Squared error of symmetric integers with one scale and with one for each of 256 channels, of
    the numbers of `per_channel`."""
    rng = np.random.default_rng(0)
    w = rng.standard_normal((256, 4096)) * rng.lognormal(0, 1, (256, 1))
    f, most = hw.format(f"int{bits}"), (1 << (bits - 1)) - 1
    errors = []
    for largest in (np.abs(w).max(), np.abs(w).max(axis=1, keepdims=True)):
        scale = largest / most
        error = f.decode(f.encode(w / scale)) * scale - w
        errors.append(float((error**2).sum() / (w**2).sum()))
    return errors


def mask_error(bits: int, mode: str) -> list[float]:
    """``hw.mask_mantissa``: mean and greatest relative error over the 128 fractions of bf16."""
    f = hw.format("bf16")
    codes = f.encode(1.0) + np.arange(128, dtype=np.uint16)
    relative = f.decode(hw.mask_mantissa(codes, bits, mode)) / f.decode(codes) - 1
    return [float(relative.mean()), float(np.abs(relative).max())]


def pieces(function: str) -> list[int]:
    """``hwarith synth FUNCTION:a=fp32``: pieces of degree 2, and bits of c0, c1 and c2."""
    rows = function_errors.unit_of(function).approximation.rows
    bits = (max(x.bit_length() for x in c) for c in (rows.c0, rows.c1, rows.c2))
    return [len(rows.c0), *bits]


def function_error(function: str) -> float:
    """``python bench/function_errors.py``: the greatest error in fp32, in units in the last
    place."""
    return function_errors.greatest_of_all(function)


def power_of_two(name: str) -> list[float]:
    """``python bench/power_program.py``: greatest relative error of the program for 2^x on units of
    a format, and in units in the last place; ``real``: in real numbers, and the decades to the
    polynomial of as many operations."""
    if name == "real":
        return [power_program.real_error(power_program.fitted()), power_program.gap()]
    return list(power_program.error_of(name))


def scale_error(rule: str) -> float:
    """``hw.power_of_two_scales``: squared error of normal weights in e2m1fn, in 4096 groups of 256
    of which eight share a scale of which theirs differ by powers of two; ``exact``: their own."""
    w = np.random.default_rng(0).standard_normal((512, 8, 256))
    f = hw.format("e2m1fn")
    scales = np.abs(w).max(axis=-1) / float(f.max)
    if rule != "exact":
        scales = hw.power_of_two_scales(scales, rule)
    q = f.decode(f.encode(w / scales[..., None])) * scales[..., None]
    return float(np.sum((q - w) ** 2) / np.sum(w**2))


def layout(bits: int) -> list[Any]:
    """``hw.float_layout``: the split's name, and the law's own bits."""
    found = hw.float_layout(bits)
    return [found.name, found.exact_exponent, found.exact_fraction]


def _drawn(distribution: str, shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng(0)
    draws: dict[str, Callable[[tuple[int, ...]], np.ndarray]] = {
        "normal": rng.standard_normal,
        "laplace": lambda size: rng.laplace(size=size),
        "student": lambda size: rng.standard_t(5, size),
    }
    return draws[distribution](shape)


def states(update: str, rule: str, chunk: int) -> list[Any]:
    """``hwarith state-updates``: errors of states token by token and in chunks, how far both are
    apart, and the share of equal ones."""
    (found,) = hw.state_updates([update], rule, chunk)
    return [found.serial, found.chunked, found.apart, found.equal]


def dynamic(bits: int) -> list[float]:
    """``hw.dynamic_fixed_point``, ``hw.dynamic_matmul``: signal to noise in dB of 4096 numbers
    N(0,1), and of a product of matrices of such numbers, 64 by 4096 by 64."""
    rng = np.random.default_rng(0)
    v, x, w = (rng.standard_normal(shape) for shape in ((4096,), (64, 4096), (4096, 64)))
    product = hw.dynamic_matmul(*(hw.dynamic_fixed_point(a, bits) for a in (x, w))).values()
    of_numbers = blocks.qsnr(v, hw.dynamic_fixed_point(v, bits).values())
    return [of_numbers, blocks.qsnr(x @ w, product)]


def softmax_sum(spec: str) -> float:
    """RMS relative error of a softmax's sums of 1000 rows of 256 numbers N(0, 16)."""
    u = hw.unit(spec)
    assert isinstance(u, SoftMax)
    x = np.random.default_rng(1).normal(0, 4, (1000, 256)).astype(np.float32)
    exact = np.exp(x - x.max(axis=1, keepdims=True).astype(np.float64)).sum(axis=1)
    found = u.online if u.method == "online" else u.exponentials
    total = found(Arrays(), u.a.encode(x))[-1]
    return float(np.sqrt(np.mean((u.acc.decode(total)[:, 0] / exact - 1) ** 2)))


def trained(arithmetic: str) -> list[float]:
    """``python -m hwarith.explore.training``: accuracies over the seeds."""
    return training.accuracies(training.ARITHMETICS[arithmetic])


def trained_block(arithmetic: str) -> list[float]:
    """``python -m hwarith.explore.attention_training``: accuracies over the seeds."""
    return attention_training.accuracies(attention_training.ARITHMETICS[arithmetic])


def transformer(spec: str, weights: str = "") -> list[float]:
    """``hwarith transformer SPEC``: recall@1, MRR, mean and least cosine."""
    from hwarith.explore.workloads.minilm import run

    found = run(None if spec == "float32" else spec, weights=weights or None)
    return [found.recall, found.mrr, found.mean_cosine, found.min_cosine]


def seconds(spec: str) -> float:
    """``hwarith transformer SPEC``: wall-clock time on the machine of the other figures."""
    from hwarith.explore.workloads.minilm import run

    unit = None if spec == "float32" else spec
    run(unit, pairs=2, tokens=8)  # what is compiled then is not counted
    return run(unit).seconds


def segments(spec: str, library: str) -> list[float]:
    """The longest path to each rank of a pipeline, by ``bench/balance.py``."""
    found = hw.synthesize(spec, library=library).segments
    assert found is not None
    return found


KINDS: dict[str, Callable[..., Any]] = {
    "row": of_unit,
    "energy": of_operation,
    **{
        f.__name__: f
        for f in (
            generic,
            per_operation,
            distinct,
            dot_error,
            open_path,
            shortest,
            least,
            element,
            normalizer,
            equal_delay,
            registers_share,
            error,
            digits,
            point,
            baseline,
            mismatches,
            lmul_error,
            axcore_snr,
            axcore_wraps,
            parts,
            anda_error,
            table_error,
            nmse,
            datatype,
            other_seeds,
            qsnr,
            quartet,
            crossover,
            exact_crossover,
            gates,
            beyond_symmetric,
            int8,
            dynamic,
            softmax_sum,
            states,
            splits_of,
            per_channel,
            channel_scales,
            mask_error,
            pieces,
            function_error,
            power_of_two,
            scale_error,
            layout,
            int8_error,
            int8_divisions,
            trained,
            trained_block,
            transformer,
            seconds,
            segments,
        )
    },
}
