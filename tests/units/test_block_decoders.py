"""Decoders of blocks: published digests, the multiplier, hardware against golden models."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.formats import BLOCKS
from tests.digests import digest
from tests.evidence import assert_equal_on, compared
from tests.tiers import few

PLAIN = [name for name, f in BLOCKS.items() if f.metadata is None]
MORE = [
    *(name for name, f in BLOCKS.items() if f.metadata is not None),
    "razer_w:outlier=7,sv_code=0",
    "razer_w:outlier=15.5",
    "razer_a:sv_code=0",
]
"""Formats without and with metadata."""

OUTS = ("fp32", "bf16", "fp16", "sig")

SCALES = [0, 1, 100, 127, 200, 253, 254, 255]


def all_pairs(u: hw.Unit, scales: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Every element code under each scale, scales outermost."""
    of_scale, element = u.operands["scale"], u.a.element
    if scales is None:
        scales = np.arange(1 << of_scale.bits)
    codes = np.arange(1 << element.bits, dtype=element.dtype)
    return np.tile(codes, len(scales)), np.repeat(scales.astype(of_scale.dtype), len(codes))


@pytest.mark.parametrize(
    ("a", "expected"),
    [
        ("mxfp8_e4m3", "cc1f036529276434"),
        ("mxfp8_e5m2", "9388cee25f707ec6"),
        ("mxfp6_e3m2", "8877b5c6c60a4bd0"),
        ("mxfp6_e2m3", "54232b142c0fb441"),
        ("mxfp4", "542426315a15445e"),
    ],
)
def test_published_digests(a: str, expected: str) -> None:
    u = hw.unit(f"blockdecode:a={a},n=1")
    x, scale = all_pairs(u, np.array(SCALES))
    y = u(x[:, None], scale)
    assert digest(y.astype("<u4")) == expected
    compared(EXACT, y.size, u)


def test_published_digest_of_mxint8() -> None:
    """The OCP's counts units of 2^-6: codes of fix2.6, or scale codes that are greater by 6."""
    u = hw.unit("blockdecode:a=mxint8,n=1")
    x, scale = all_pairs(u, np.array(SCALES))
    y = hw.unit("mul:a=fix2.6,b=e8m0fnu,out=fp32")(x, scale)
    assert digest(y.astype("<u4")) == "cfee060ec3f0fbf4"
    reached = (scale >= 6) & (scale < 255)
    assert (u(x[reached, None], scale[reached] - 6)[:, 0] == y[reached]).all()


@pytest.mark.parametrize(("a", "out"), few([(a, out) for a in PLAIN for out in OUTS[:3]], 10))
def test_is_the_product(a: str, out: str) -> None:
    u = hw.unit(f"blockdecode:a={a},n=1,out={out}")
    x, scale = all_pairs(u)
    expected = hw.unit(f"mul:a={u.a.element},b={u.a.scale},out={out}")(x, scale)
    assert (u(x[:, None], scale)[:, 0] == expected).all()
    compared(EXACT, x.size, u)


@pytest.mark.parametrize("a", few(PLAIN, 4))
def test_parts_are_the_value(a: str) -> None:
    u = hw.unit(f"blockdecode:a={a},n=1,out=sig")
    x, scale = all_pairs(u)
    sign, significand, exponent, invalid = (part[:, 0] for part in u(x[:, None], scale))
    signed = u.of_an_element["exponent"].decode(exponent).astype(int)
    value = np.ldexp(np.where(sign, -1.0, 1.0) * significand, signed)
    expected = u.a.decode(x[:, None], scale[:, None])[:, 0]
    finite = np.isfinite(expected)
    assert (invalid == ~finite).all()
    assert (value[finite] == expected[finite]).all()
    assert not sign[finite & (expected == 0)].any()
    assert u.golden(x[-1:], scale[-1]) == tuple(
        [y[-1]] for y in (sign, significand, exponent, invalid)
    )
    compared(EXACT, x.size, u)


@pytest.mark.parametrize(("a", "out"), few([(a, out) for a in PLAIN for out in OUTS], 9))
def test_hardware_on_every_code(a: str, out: str) -> None:
    u = hw.unit(f"blockdecode:a={a},n=1,out={out}")
    x, scale = all_pairs(u)
    assert_equal_on(u, x[:, None], scale)


def test_blocks_share_a_scale() -> None:
    u = hw.unit("blockdecode:a=nvfp4,n=2,out=bf16,stages=1")
    rng = np.random.default_rng(1)
    x, scale = rng.integers(0, 16, (500, 2), np.uint8), rng.integers(0, 128, 500, np.uint8)
    one = hw.unit("blockdecode:a=nvfp4,n=1,out=bf16")
    assert (u(x, scale) == one(x[..., None], scale[:, None])[..., 0]).all()
    assert_equal_on(u, x, scale)
    assert u.golden(x[0], scale[0]) == u(x, scale)[0].tolist()


def drawn(u: hw.Unit, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes of elements and scales and legal metadata, the least scale and zeros among them."""
    rng, f, more = np.random.default_rng(3), u.a, u.a.metadata
    x = rng.integers(0, 1 << f.bits, (count, u.n)).astype(np.uint8)
    scale = rng.integers(0, 1 << (f.scale.bits - f.scale.ignored_bits), count).astype(np.uint8)
    scale[: count // 8], x[: count // 16, 1] = 0, 0
    metadata = rng.integers(0, 1 << more.bits, (count, more.spans(u.n))).astype(np.uint8)
    if more.bits == 8:
        metadata &= 0xE7 if f.name.endswith("++") else 7
    return x, scale[:, None], metadata


@pytest.mark.parametrize(("a", "out"), few([(a, out) for a in MORE for out in OUTS], 17))
def test_metadata(a: str, out: str) -> None:
    """By the format's own decoder, and in hardware."""
    u = hw.unit(f"blockdecode:a=({a}),n=8,out={out}")
    x, scale, metadata = drawn(u, 5_000)
    words = u.a.words(scale, metadata)[:, 0]
    values = u.a.decode(x, scale, metadata=metadata)
    found = u(x, words)
    if out == "sig":
        sign, significand, exponent, invalid = found
        exponents = u.of_an_element["exponent"].decode(exponent).astype(int)
        got = np.ldexp(np.where(sign, -1.0, 1.0) * significand, exponents)
        finite = np.isfinite(values)
        assert (invalid == ~finite).all()
        assert (got[finite] == values[finite]).all()
        assert u.golden(x[0], words[0]) == tuple(part[0].tolist() for part in found)
    else:
        f = hw.format(out)
        expected = f.decode(f.encode(values, overflow="nosat")).astype(float)
        assert np.array_equal(f.decode(found).astype(float), expected, equal_nan=True)
        assert u.golden(x[0], words[0]) == found[0].tolist()
    compared(EXACT, x.size, u)
    assert_equal_on(u, x, words)


@pytest.mark.parametrize("a", ["mxfp6_e3m2", "mxfp4++", "m2xfp_a", "m2xfp_w", "razer_w"])
def test_quantized_numbers_come_back(a: str) -> None:
    x = np.random.default_rng(2).standard_normal((50, 64)).astype(np.float32)
    q = hw.quantize(x, a)
    u = hw.unit(f"blockdecode:a={a}")
    assert u.n == q.format.block
    y = u(q.codes.reshape(50, -1, u.n), q.words).view(np.float32).reshape(x.shape)
    scales = q.format.scale.decode(q.scale_codes).astype(float)
    assert (y == q.levels * np.repeat(scales, u.n, axis=1)).all()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("a=mxfp5", "parameter a: unknown format 'mxfp5'; did you mean 'mxfp4'"),
        ("a=fp16", "parameter a: must be a format of blocks, such as mxfp4, not fp16"),
        ("a=m2xfp_a,n=12", "parameter n: group of m2xfp_a must be a multiple of 8"),
        ("a=mxfp4+,n=33", "parameter n: group of mxfp4\\+ must be at most 32"),
    ],
)
def test_what_there_is_not(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(f"blockdecode:{spec}")


def test_words() -> None:
    """Scales with metadata above them, along any axis."""
    x = np.random.default_rng(5).standard_normal((64, 6))
    for name, bits in (("m2xfp_a", 16), ("razer_a", 8), ("mxfp4+", 16), ("mxfp4", 8)):
        along, across = hw.quantize(x.T, name), hw.quantize(x, name, axis=0)
        assert along.words.dtype.itemsize * 8 == bits
        assert (along.words == across.words.T).all()
        assert (along.words & 0x7F == along.scale_codes & 0x7F).all()
