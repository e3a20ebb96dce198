"""Banks of special values, and widths of exponents and scales, of bit-serial units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.units.bitserial import definitions
from hwarith.units.bitserial.weights import special_codes
from tests.tiers import few
from tests.units.test_bitserial import FP16, random_groups
from tests.units.test_bitserial_tile import tile_operands

HALVES = [10, -10, 16, -16]


def bank_of(codes: np.ndarray) -> int:
    return sum(int(code) << 6 * i for i, code in enumerate(codes))


@pytest.mark.parametrize("type", few(["fp4", "fp3", "mixed"], 1))
def test_terms_by_selector_are_those_of_the_value(type: str) -> None:
    banked, plain = (hw.unit(f"termgen:type={type},specials={s}") for s in ("bank", "port"))
    four = special_codes(HALVES)
    shape = tuple(1 << f.bits for n, f in plain.operands.items() if n != "special")
    code, *others = (x.ravel() for x in np.indices(shape))
    for selector, special in enumerate(four):
        x, y = banked(code, selector, bank_of(four), *others), plain(code, special, *others)
        np.testing.assert_array_equal(x.term, y.term)
        np.testing.assert_array_equal(x.bsig, y.bsig)


@pytest.mark.parametrize(("pe", "name"), [("bspe:type=fp4", None), ("bspe", "fp4")])
def test_a_tile_with_a_bank_is_the_same(pe: str, name: str | None) -> None:
    plain, banked = (
        hw.unit(f"bstile:pe=({pe}),rows=3,columns=2,specials={s}") for s in ("port", "bank")
    )
    a, w, scale, _, *mode = tile_operands(plain, 5, 32, 2, name)
    four = special_codes(HALVES)
    selector = np.random.default_rng(0).integers(0, 4, scale.shape)
    expected = plain(a, w, scale, four[selector], *mode)
    bank = np.full(5, bank_of(four))
    operands = [a, w, scale, selector, bank, *mode]
    np.testing.assert_array_equal(banked(*operands), expected)
    assert banked.golden(*(x[0].tolist() for x in operands)) == expected[0].tolist()
    assert banked.transfers.calls(banked.transfers.of(banked.check_operands(tuple(operands))))


def products(u: Any, scale_bits: int) -> tuple[np.ndarray, np.ndarray]:
    """What a tile makes of normal numbers, and the product."""
    rng = np.random.default_rng(3)
    w, x = rng.standard_normal((5, 256)), FP16.encode(rng.standard_normal((4, 256)))
    q = hw.quantize(w, "bitmod4", group=64, scale_bits=scale_bits)
    return FP16.decode(u.matmul(x, q)).astype(float), FP16.decode(x).astype(float) @ q.values().T


def test_matrix_products_with_a_bank() -> None:
    plain, banked = (hw.unit(f"bstile:rows=3,columns=2,specials={s}") for s in ("port", "bank"))
    np.testing.assert_array_equal(products(banked, 8)[0], products(plain, 8)[0])
    q = hw.quantize(np.random.default_rng(0).standard_normal((8, 64)), "fp4:5/-5/8/-8/10", 4, 8)
    assert len(np.unique(q.specials)) == 5
    with pytest.raises(hw.InvalidInput, match="a bank holds 4 special values"):
        banked.matmul(np.zeros((1, 64), np.uint16), q)


@pytest.mark.parametrize("bits", [3, 4, 6])
def test_matrix_products_with_scales_of_other_widths(bits: int) -> None:
    found, exact = products(hw.unit(f"bstile:rows=3,columns=2,sfw={bits}"), bits)
    assert np.abs(found - exact).max() < 2e-3 * np.abs(exact).max()


@pytest.mark.parametrize("bits", [2, 5, 8, 12])
def test_scales_of_every_width(bits: int) -> None:
    u = hw.unit(f"bsdequant:sfw={bits}")
    m, e = 0x2ABC, 20
    scale = np.arange(1 << bits)
    found = u(m | e << u.aw, scale, 0)
    assert (found.magnitude == m * scale).all()
    assert u.latency == f"{bits} clocks, one result every {bits} clocks"
    values = hw.format("fp32").decode(u.as_float(found)).astype(float)
    np.testing.assert_allclose(values, m * scale * 2.0 ** (e - 25 - u.fx))


def test_wider_exponents_hold_the_same_sums() -> None:
    acts, codes, special = random_groups("fp4", False, 300, 32)
    narrow, wide = (hw.unit(f"bspe:type=fp4,expw={n}") for n in (6, 8))
    for x, y in zip(*(u.group(acts, codes, special) for u in (narrow, wide)), strict=True):
        np.testing.assert_array_equal(x, y)
    assert wide.state_bits == narrow.state_bits + 2
    total = 3 << narrow.aw
    for u, overflows in ((narrow, True), (wide, False)):
        _, e, _, flags = definitions.unpack_accumulator(
            definitions.normalized(total, 63, 0, u.frame), u.frame
        )
        assert (flags != 0) == overflows
        assert e == (63 if overflows else 65)


@pytest.mark.long
@pytest.mark.parametrize(
    "spec",
    [
        "termgen:specials=bank",
        "termgen:type=fp3,specials=bank,t0=signed",
        "bspe:type=fp4,expw=7",
        "bspe:align=joint,expw=8,left_norm=0",
        "bsdequant:sfw=4,expw=8",
        "bsdequant:sfw=11",
        "bstile:rows=2,columns=2,specials=bank",
        "bstile:pe=(bspe),rows=2,columns=2,specials=bank,sfw=5",
        "bstile:pe=(bspe:type=fp4,expw=7),rows=3,columns=1,sfw=12",
    ],
)
def test_hardware(spec: str) -> None:
    assert hw.regress(spec, 60).failed == 0


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("bspe:expw=5", "parameter expw: must be 6 to 8, not 5"),
        ("bsdequant:sfw=17", "parameter sfw: must be 2 to 16, not 17"),
        ("bsdequant:sfw=4,stages=8", "parameter stages: must be 4, the bits of a scale"),
        ("bstile:pe=(bspe:type=int8),specials=bank", "parameter specials: must be port for"),
    ],
)
def test_messages(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(spec)
