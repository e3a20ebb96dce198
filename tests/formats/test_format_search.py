"""The search for a float: LLM-FP4's quantizer by its formula, every bias, shifts of channels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hwarith.formats import format
from hwarith.formats.search import Split, splits


def fp_quant(x: np.ndarray, e: int, m: int, b: int) -> np.ndarray:
    """LLM-FP4's quantizer with an integer bias, number by number as its section 3 has it."""
    largest = (2 - 2.0**-m) * 2.0 ** (2**e - 1 - b)
    y = np.clip(x, -largest, largest)
    with np.errstate(divide="ignore"):
        binade = np.floor(np.log2(np.abs(y))) + b
    step = 2.0 ** (np.maximum(binade, 1) - m - b)
    return np.rint(y / step) * step


def error(x: np.ndarray, q: np.ndarray) -> float:
    return float(np.sum((x - q) ** 2) / np.sum(x**2))


def drawn(kind: str, shape: tuple[int, ...] = (16, 64)) -> np.ndarray:
    rng = np.random.default_rng(0)
    draw = {"normal": rng.standard_normal, "laplace": lambda size: rng.laplace(size=size)}
    return draw[kind](shape) * 0.037


@pytest.mark.parametrize(("e", "m"), [(1, 2), (2, 1), (3, 0), (1, 0), (4, 3), (2, 5)])
@pytest.mark.parametrize("bias", [-3, 0, 4, 9])
def test_the_format_is_the_papers(e: int, m: int, bias: int) -> None:
    """But for ties without a fraction: the format takes the even code, the formula the greater."""
    f = format(f"e{e}m{m}b{bias}f")
    x = np.random.default_rng(0).standard_normal(4000) * float(f.max) / 2
    ends = np.ldexp(1.0, np.arange(-30, 30))
    ties = 1.5 * ends if m else ends
    x = np.concatenate([x, ends, -ends, ties, [0.0, float(f.max), float(f.smallest) / 2]])
    assert np.array_equal(f.decode(f.encode(x)), fp_quant(x, e, m, bias))


@pytest.mark.parametrize("kind", ["normal", "laplace"])
@pytest.mark.parametrize("bits", [2, 3, 4, 6, 8])
def test_no_bias_is_better(kind: str, bits: int) -> None:
    """Neither of all that there are, nor of LLM-FP4's hundred candidates."""
    x = drawn(kind)
    for split in splits(x, bits, per_channel=False):
        e, m = split.format.exponent_bits, split.format.fraction_bits
        assert e + m == bits - 1
        every = range(split.format.bias - 40, split.format.bias + 40)
        errors = {b: error(x, fp_quant(x, e, m, b)) for b in every}
        usual = 2**e - math.log2(np.abs(x).max()) + math.log2(2 - 2.0**-m) - 1
        for c in np.linspace(0.01, 1.2, 100):
            errors.setdefault(round(c * usual), error(x, fp_quant(x, e, m, round(c * usual))))
        assert split.nmse == pytest.approx(min(errors.values()), rel=1e-12)
        assert error(x, split.values()) == pytest.approx(split.nmse, rel=1e-12)


def test_channels() -> None:
    """Each has the bias that suits it, up to the 2^E - 1 that a shift can be."""
    rng = np.random.default_rng(1)
    powers = rng.integers(-9, 9, 24)
    x = drawn("laplace", (24, 200)) * 2.0 ** powers[:, None]
    x[5] = 0
    for split in splits(x, 4, per_channel=True):
        e, m = split.format.exponent_bits, split.format.fraction_bits
        assert (split.shifts.min(), split.shifts.shape) == (0, (24,))
        assert split.shifts.max() == (1 << e) - 1
        assert split.shifts[5] == 0
        for row, q, shift in zip(x, split.values(), split.shifts.tolist(), strict=True):
            assert np.array_equal(q, fp_quant(row, e, m, split.format.bias + shift))
            if 0 < shift < (1 << e) - 1:
                biases = range(split.format.bias, split.format.bias + (1 << e))
                own = [error(row, fp_quant(row, e, m, b)) for b in biases]
                assert error(row, q) == min(own)
        alone = splits(x, 4, per_channel=False)[e - 1]
        assert split.nmse < alone.nmse
        assert (alone.shifts == 0).all()


def test_heavy_tails_take_exponents() -> None:
    """Of four bits E2M1 is better than E1M2 and E3M0 for Laplace's numbers, and normal ones."""
    for kind in ("normal", "laplace"):
        e1m2, e2m1, e3m0 = (s.nmse for s in splits(drawn(kind, (1000, 100)), 4, False))
        assert e2m1 < min(e1m2, e3m0)
    ratios = [
        np.divide(*[s.nmse for s in splits(drawn(kind, (1000, 100)), 4, False)[:2]])
        for kind in ("normal", "laplace")
    ]
    assert ratios[0] < ratios[1]


@pytest.mark.parametrize("factor", [2.0**-990, 2.0**-40, 2.0**980])
def test_far_from_one(factor: float) -> None:
    """Squares that float64 has no room for; the bias alone is another one."""
    x = drawn("normal")
    for one, other in zip(splits(x, 4, True), splits(x * factor, 4, True), strict=True):
        assert other.nmse == one.nmse
        assert other.format.bias == one.format.bias - math.log2(factor)
        assert np.array_equal(other.codes, one.codes)
        assert np.array_equal(other.values(), one.values() * factor)


def test_tables() -> None:
    (split,) = splits(drawn("normal"), 2, False)
    assert isinstance(split, Split)
    assert split.tables()[0].rows[0]["format"] == split.format.name


def test_shape_is_kept() -> None:
    split = splits(drawn("normal", (2, 3, 5)), 4, True)[1]
    assert split.codes.shape == split.values().shape == (2, 3, 5)
    assert split.shifts.shape == (2, 3)
    assert splits(drawn("normal", (7,)), 4, True)[0].shifts.shape == ()
