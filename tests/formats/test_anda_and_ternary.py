"""Anda's shared exponents and ternary weights: check values of their definitions, and loops."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.formats.ternary import pack, unpack
from tests.digests import digest, words
from tests.evidence import compared

NORMAL = np.random.default_rng(0).standard_normal((4096, 128)).astype(np.float32)


def published_numbers() -> np.ndarray:
    """300 groups of fp16 numbers of eight or nine exponents."""
    x = words()[: 64 * 300]
    h = x >> 31 << 15 | (10 + (x >> 26 & 7) + (x >> 20 & 1)) << 10 | x >> 8 & 0x3FF
    return h.astype(np.uint16).view(np.float16).reshape(300, 64)


@pytest.mark.parametrize(
    ("m", "expected"),
    [
        (4, "d8dd90998f8999d3"),
        (6, "c5317deb8f384537"),
        (8, "e5e7e4f78853d7f2"),
        (11, "5f56ee3260897068"),
        (13, "b91197a40b483cbe"),
    ],
)
def test_codes_of_anda(m: int, expected: str) -> None:
    q = hw.quantize(published_numbers(), f"anda_m{m}")
    codes = q.codes.astype(np.uint16)
    wide = codes >> m << 15 | codes & ((1 << m) - 1)
    groups = zip(q.scale_codes[:, 0].tolist(), wide.astype("<u2"), strict=True)
    text = b"".join(bytes([exponent]) + row.tobytes() for exponent, row in groups)
    assert hashlib.sha256(text).hexdigest()[:16] == expected
    assert q.bits_per_weight == 1 + m + 5 / 64


@pytest.mark.parametrize(
    ("m", "expected"),
    [(4, "c0f06f6ea543c463"), (6, "8634c9bdc1f54201"), (8, "b8694f9552adc7ce")],
)
def test_values_of_anda(m: int, expected: str) -> None:
    q = hw.quantize(NORMAL, f"anda_m{m}")
    assert digest(q.values().astype(np.float32)) == expected
    nearest = hw.quantize(NORMAL, f"anda_m{m}", round="rne")
    assert q.nmse / nearest.nmse == pytest.approx(3.8, abs=0.1)  # truncation costs a bit


@pytest.mark.parametrize("m", [1, 4, 16])
def test_anda_by_its_definition(m: int) -> None:
    """Subnormal numbers, zeros of both signs, and the rounding at the top, in both modes."""
    rng = np.random.default_rng(2)
    h = rng.integers(0, 0x7C00, (9, 64)) | rng.integers(0, 2, (9, 64)) << 15
    h[:3] &= 0x83FF
    h[3], h[4, :2], h[5] = 0x8000, (0x7BFF, 0x03FF), 0x3FFF
    x = h.astype(np.uint16).view(np.float16)
    for mode in ("rtz", "rne"):
        q = hw.quantize(x, f"anda_m{m}", round=mode)
        for g, row in enumerate(h.tolist()):
            exponents = [max(u >> 10 & 31, 1) for u in row if u & 0x7FFF]
            top = max(exponents, default=1)
            assert q.scale_codes[g, 0] == top
            for u, code in zip(row, q.codes[g].tolist(), strict=True):
                e, f = u >> 10 & 31, u & 0x3FF
                numerator = (1024 + f if e else f) << 5 + m  # of 2^-16, by the implied shifts
                down = 16 + top - max(e, 1)
                mantissa = numerator >> down
                if mode == "rne":
                    rest, half = numerator & ((1 << down) - 1), 1 << (down - 1)
                    mantissa += rest > half or (rest == half and mantissa & 1)
                mantissa = min(mantissa, (1 << m) - 1)
                assert code == (u >> 15) << m | mantissa
        compared(EXACT, x.size)


def test_what_anda_cannot_hold() -> None:
    x = np.ones((3, 64), np.float32)
    x[0, 3], x[1, 5] = np.inf, 65520  # infinity in fp16
    q = hw.quantize(x, "anda_m8")
    assert q.scale_codes[:, 0].tolist() == [31, 31, 15]
    assert q.invalid.all(axis=1).tolist() == [True, True, False]
    assert not q.codes[:2].any()
    assert (q.values()[2] == 1).all()
    with pytest.raises(hw.InvalidInput, match="scale rule of anda_m8 'floor'"):
        hw.quantize(x, "anda_m8", scale_rule="floor")
    for name in ("anda_m0", "anda_m17", "anda"):
        with pytest.raises(hw.InvalidInput, match="did you mean 'anda_m"):
            hw.format(name)


def test_ternary_weights() -> None:
    w = np.array([[0.4, -0.4, 1.2, -9, 0, 0.5, 0.51, -0.5], np.zeros(8)])
    gamma = np.abs(w[0]).mean()
    q = hw.quantize(w, "ternary", 8)
    assert q.scales.tolist() == [[gamma], [1e-5]]
    assert (q.levels[0] == np.clip(np.rint(w[0] / gamma), -1, 1)).all()
    assert set(q.codes.ravel().tolist()) == {0, 1, 3}
    assert not q.values()[1].any()
    assert hw.quantize(NORMAL, "ternary").nmse == pytest.approx(0.2612, rel=1e-3)
    of_all = hw.quantize(NORMAL.ravel(), "ternary", NORMAL.size)
    assert of_all.nmse == pytest.approx(0.2633, rel=1e-3)


def test_five_in_a_byte() -> None:
    numbers, invalid = unpack(np.arange(256))
    assert digest(numbers) == "f0210e0c18469046"
    assert invalid.tolist() == [False] * 243 + [True] * 13
    assert pack(numbers[: 5 * 243]).tolist() == list(range(243))
    sums = []
    for w in words()[:40_000].reshape(200, 200):
        weights, _ = unpack((w[:8] >> 8) % 243)
        sums.append(int(weights.astype(int) @ (w[8:48] >> 24).astype(np.uint8).view(np.int8)))
    assert sums[:4] == [369, -386, -622, 109]
    assert digest(np.array(sums, np.int32)) == "1f03b425f55cb890"
    for bad in ([0.5] * 5, [2] * 5, ["a"] * 5):
        with pytest.raises(hw.InvalidInput, match="must be -1, 0 or 1"):
            pack(bad)
    with pytest.raises(hw.InvalidInput, match="are packed by 5"):
        pack([1, 0, 1])
    with pytest.raises(hw.InvalidInput, match="packed ternary numbers"):
        unpack([256])
