"""Decoders of blocks: published digests, the multiplier, hardware against golden models."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.units.blocks.blockdecode import NAMES
from tests.digests import digest
from tests.evidence import assert_equal_on, compared
from tests.tiers import few

OUTS = ("fp32", "bf16", "fp16", "sig")

SCALES = [0, 1, 100, 127, 200, 253, 254, 255]


def all_pairs(u: hw.Unit, scales: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Every element code under each scale, scales outermost."""
    of_scale, element = u.operands["scale"], u.kind.element
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


@pytest.mark.parametrize(("a", "out"), few([(a, out) for a in NAMES for out in OUTS[:3]], 10))
def test_is_the_product(a: str, out: str) -> None:
    u = hw.unit(f"blockdecode:a={a},n=1,out={out}")
    x, scale = all_pairs(u)
    expected = hw.unit(f"mul:a={u.kind.element},b={u.kind.scale},out={out}")(x, scale)
    assert (u(x[:, None], scale)[:, 0] == expected).all()
    compared(EXACT, x.size, u)


@pytest.mark.parametrize("a", few(list(NAMES), 4))
def test_parts_are_the_value(a: str) -> None:
    u = hw.unit(f"blockdecode:a={a},n=1,out=sig")
    x, scale = all_pairs(u)
    sign, significand, exponent, invalid = (part[:, 0] for part in u(x[:, None], scale))
    signed = u.of_an_element["exponent"].decode(exponent).astype(int)
    value = np.ldexp(np.where(sign, -1.0, 1.0) * significand, signed)
    expected = u.kind.decode(x[:, None], scale[:, None])[:, 0]
    finite = np.isfinite(expected)
    assert (invalid == ~finite).all()
    assert (value[finite] == expected[finite]).all()
    assert not sign[finite & (expected == 0)].any()
    assert u.golden(x[-1:], scale[-1]) == tuple(
        [y[-1]] for y in (sign, significand, exponent, invalid)
    )
    compared(EXACT, x.size, u)


@pytest.mark.parametrize(("a", "out"), few([(a, out) for a in NAMES for out in OUTS], 9))
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


def test_quantized_numbers_come_back() -> None:
    x = np.random.default_rng(2).standard_normal((50, 64))
    q = hw.quantize(x, "mxfp6_e3m2")
    u = hw.unit("blockdecode:a=mxfp6_e3m2,out=fp32")
    y = u(q.codes.reshape(50, 2, 32), q.scale_codes)
    assert (u.results["y"].bits, y.dtype) == (32 * 32, np.uint32)
    assert (y.view(np.float32).reshape(50, 64) == q.values()).all()


def test_an_unknown_format_of_blocks() -> None:
    with pytest.raises(hw.InvalidInput, match="did you mean 'mxfp4'"):
        hw.unit("blockdecode:a=mxfp5")
