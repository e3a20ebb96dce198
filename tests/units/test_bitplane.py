"""Bit-plane dot products against plain integers, and their hardware against the golden model."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest

import hwarith as hw
from hwarith.units.bitplane import BitplaneDot, affine, decode, encode, from_signed, planes
from hwarith.units.bitplane.definitions import dot, split_planes
from hwarith.units.bitplane.unit import PlaneTransfers
from tests.evidence import assert_equal_on
from tests.faults import faulty
from tests.tiers import few

WIDTHS = range(1, 9)

HARDWARE = (
    "bitplane_dot:n=4,m=4,lanes=64,k=4096",
    "bitplane_dot:n=3,m=5,lanes=7,k=300,stages=3",
    "bitplane_dot:n=8,m=8,lanes=32,pi=2,pj=2,k=1000",
    "bitplane_dot:n=6,m=4,lanes=8,pi=3,pj=2,k=99",
    "bitplane_dot:n=1,m=1,lanes=5,k=20",
    "bitplane_dot:n=2,m=8,lanes=16,pi=2,pj=8,k=256",
    "bitplane_dot:n=1,m=4,lanes=100,pj=4,k=256",
    "bitplane_dot:n=2,m=3,lanes=1,k=1",
)


def random_codes(u: BitplaneDot, rows: int, length: int, seed: int = 1) -> list[np.ndarray]:
    """Random codes; the first rows are of the largest magnitude, in all signs."""
    rng = np.random.default_rng(seed)
    columns = []
    for i, f in enumerate(u.operands.values()):
        x = rng.integers(0, 1 << f.bits, (rows, length), f.dtype)
        ends = [0, (1 << f.bits) - 1]
        x[:4] = np.tile(np.repeat(ends, 2) if i else np.tile(ends, 2), (length, 1)).T
        columns.append(x)
    return columns


def exact(u: BitplaneDot, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The dot products of the values, from the definition of a bit: -1 or +1 by its weight."""

    def values(codes: np.ndarray, bits: int) -> np.ndarray:
        digits = codes[..., None].astype(np.int64) >> np.arange(bits) & 1
        return ((2 * digits - 1) << np.arange(bits)).sum(-1)

    return (values(a, u.n) * values(b, u.m)).sum(-1)


def dots(u: BitplaneDot, codes: np.ndarray) -> np.ndarray:
    return u.results["y"].decode(codes)


# -- the definition ------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "m"), list(product(WIDTHS, WIDTHS)))
def test_the_sum_over_planes_is_the_dot_product(n: int, m: int) -> None:
    """For each pair of widths, of 77 elements; and so are the integers that arrays are made of."""
    u = hw.unit(f"bitplane_dot:n={n},m={m},k=77")
    a, b = random_codes(u, 6, 77, seed=10 * n + m)
    expected = exact(u, a, b)
    for x, y, total in zip(a.tolist(), b.tolist(), expected, strict=True):
        assert dot(split_planes(x, n), split_planes(y, m), 77) == total
        assert dots(u, u.golden(x, y)) == total
    np.testing.assert_array_equal(dots(u, u(a, b)), expected)
    largest = 77 * ((1 << n) - 1) * ((1 << m) - 1)
    assert expected[:4].tolist() == [largest, -largest, -largest, largest]


@pytest.mark.parametrize("spec", HARDWARE)
def test_interpreted_compiled_and_by_planes(spec: str) -> None:
    u = hw.unit(spec)
    for length in {0, 1, min(u.k, 2 * u.lanes), u.k}:
        a, b = random_codes(u, 70, length)
        y = u(a, b)
        np.testing.assert_array_equal(dots(u, y), exact(u, a, b))
        for i in (0, 1, 5):
            assert u.golden(a[i].tolist(), b[i].tolist()) == y[i] == u(a[i], b[i])


def test_the_accumulator_is_as_wide_as_the_sum_needs() -> None:
    assert hw.unit("bitplane_dot:n=8,m=8,k=256").bits == 25
    assert hw.unit("bitplane_dot:n=8,m=8,k=32768").bits == 32
    assert hw.unit("bitplane_dot:n=8,m=8,k=32769").bits == 33
    assert hw.unit("bitplane_dot:n=1,m=1,k=1").bits == 3


def test_shapes() -> None:
    u = hw.unit("bitplane_dot:n=2,m=3")
    a, b = np.zeros((3, 1, 4), np.uint8), np.full((5, 4), 7, np.uint8)
    np.testing.assert_array_equal(dots(u, u(a, b)), np.full((3, 5), 4 * -3 * 7))
    np.testing.assert_array_equal(u(a[..., :0], b[..., :0]), np.zeros((3, 5)))
    assert u(np.zeros((0, 4), np.uint8), 1).shape == (0,)
    assert isinstance(u([1, 2], [3, 4]), np.uint32)
    assert u.golden([], []) == 0


# -- values, codes, planes -----------------------------------------------------------------------


@pytest.mark.parametrize("bits", WIDTHS)
def test_codes_are_the_odd_integers(bits: int) -> None:
    largest = (1 << bits) - 1
    odd = np.arange(-largest, largest + 1, 2)
    np.testing.assert_array_equal(encode(odd, bits), np.arange(1 << bits))
    np.testing.assert_array_equal(decode(np.arange(1 << bits), bits), odd)
    assert (encode(largest, bits), decode(0, bits)) == (largest, -largest)
    for wrong in (0, 2, largest + 2, -largest - 2):
        with pytest.raises(hw.InvalidInput, match=f"^{wrong} is no bipolar value of {bits} bits"):
            encode([1, wrong], bits)


@pytest.mark.parametrize("bits", WIDTHS)
def test_signed_integers_become_twice_as_much_and_one(bits: int) -> None:
    x = np.arange(-(1 << (bits - 1)), 1 << (bits - 1))
    np.testing.assert_array_equal(decode(from_signed(x, bits), bits), 2 * x + 1)
    twos_complement = x & ((1 << bits) - 1)
    np.testing.assert_array_equal(from_signed(twos_complement, bits), from_signed(x, bits))


def test_dot_product_of_signed_integers() -> None:
    """Both operands are affine in their bipolar values: x = value / 2 - 1 / 2."""
    rng = np.random.default_rng(2)
    x, y = rng.integers(-8, 8, (50, 33)), rng.integers(-4, 4, (50, 33))
    u = hw.unit("bitplane_dot:n=4,m=3")
    a = from_signed(x, 4)
    bipolar = dots(u, u(a, from_signed(y, 3)))
    with_y = affine(bipolar, decode(a, 4).sum(-1), 1 / 2, -1 / 2)
    np.testing.assert_array_equal(affine(with_y, y.sum(-1), 1 / 2, -1 / 2), (x * y).sum(-1))


@pytest.mark.parametrize(
    ("bits", "lanes", "k"), [(3, 8, 20), (8, 64, 64), (1, 100, 250), (4, 5, 0)]
)
def test_planes(bits: int, lanes: int, k: int) -> None:
    codes = np.random.default_rng(3).integers(0, 1 << bits, (2, 3, k), np.uint8)
    packed = planes(codes, bits, lanes)
    assert packed.shape == (2, 3, -(-k // lanes), bits)
    for row in np.ndindex(2, 3):
        whole = split_planes(codes[row].tolist(), bits)
        for c, i in np.ndindex(packed.shape[2:]):
            assert packed[row][c, i] == whole[i] >> (c * lanes) & ((1 << lanes) - 1)


# -- hardware ------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", few(HARDWARE, 3))
def test_hardware_with_and_without_pauses(spec: str) -> None:
    """A transfer a clock and no more of them than `cycles` says; with a last chunk of any size."""
    u = hw.unit(spec)
    sim = hw.simulate(u)
    lengths = {0, 1, u.lanes - 1, u.lanes, u.lanes + 1, 2 * u.lanes + u.lanes // 3, u.k}
    for length in sorted(x for x in lengths if x <= u.k):
        a, b = random_codes(u, 40, length, seed=length)
        expected = u(a, b)
        np.testing.assert_array_equal(sim(a, b), expected)
        assert sim.clocks == 40 * u.cycles(length) + u.stages
        paused = sim.stream(a, b, idle=0.3, stall=0.5, seed=length)
        np.testing.assert_array_equal(paused, expected)


def test_cycles() -> None:
    u = hw.unit("bitplane_dot:n=4,m=6,lanes=64,pi=2,pj=3")
    assert [u.cycles(x) for x in (1, 64, 65, 640)] == [4, 4, 8, 40]
    assert hw.unit("bitplane_dot:n=4,m=6").cycles(640) == 240
    assert u.cycles(0) == u.cycles(1)


@pytest.mark.long
@pytest.mark.parametrize(("n", "m"), list(product(WIDTHS, WIDTHS)))
def test_hardware_of_every_width(n: int, m: int) -> None:
    pi, pj = n if n % 2 else 2, 2 if m % 2 == 0 else 1
    u = hw.unit(f"bitplane_dot:n={n},m={m},lanes=16,pi={pi},pj={pj},k=77")
    a, b = random_codes(u, 2000, 77)
    assert_equal_on(u, a, b)


class DirtyTransfers(PlaneTransfers):
    """The same with ones in the lanes that hold no elements."""

    def of(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        a, b, count, *rest = super().of(arrays)
        empty = ((1 << self.unit.lanes) - 1) & ~((1 << count.astype(np.int64)) - 1)
        return [a | empty.astype(a.dtype), b, count, *rest]


class Dirty(BitplaneDot):
    @property
    def transfers(self) -> PlaneTransfers:
        return DirtyTransfers(self)


def test_lanes_without_elements_do_not_count() -> None:
    u = Dirty(n=3, m=3, lanes=16, k=100)
    for length in (0, 1, 15, 33):
        a, b = random_codes(u, 50, length)
        sent, clean = (cls(u).of([a, b])[0] for cls in (DirtyTransfers, PlaneTransfers))
        assert (sent != clean).any()
        assert_equal_on(u, a, b)


def test_chunks_and_planes_in_any_order() -> None:
    class ShuffledTransfers(PlaneTransfers):
        def of(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
            *columns, first, last = super().of(arrays)
            order = np.random.default_rng(4).permutation(self.unit.cycles(arrays[0].shape[-1]))
            rows = (x.reshape(-1, order.size)[:, order].ravel() for x in columns)
            return [*rows, first, last]

    class Shuffled(BitplaneDot):
        @property
        def transfers(self) -> PlaneTransfers:
            return ShuffledTransfers(self)

    u = Shuffled(n=4, m=2, lanes=8, pi=2, k=100)
    a, b = random_codes(u, 50, 29)
    assert_equal_on(u, a, b)


@pytest.mark.long
def test_regression() -> None:
    for spec in ("bitplane_dot:n=2,m=3,lanes=12,k=100", "bitplane_dot:lanes=8,pi=2,pj=4,k=3"):
        result = hw.regress(spec, vectors=400)
        assert (result.failed, len(result.phases)) == (0, 12), result.message


FAULTS = (
    # Empty lanes count; a bit is compared wrongly; planes get a wrong weight; the correction is
    # left out; the sum is not cleared.
    (r"count > 4'd9", "1'b1"),
    (r"count > 4'd11", "1'b0"),
    (r"weight\[2\]", "1'b0"),
    (r"(taken = ).*;", r"\g<1>5'd0;"),
    (r"(acc_so_far = )first \? .* : (.*);", r"\1\2;"),
)


@pytest.mark.parametrize(("pattern", "new"), few(FAULTS, 5))
def test_injected_faults_are_found(pattern: str, new: str) -> None:
    u = hw.unit("bitplane_dot:n=3,m=3,lanes=12,k=100")
    text = faulty(u, pattern, new)
    a, b = random_codes(u, 100, 21)
    assert (hw.simulate(u, verilog=text)(a, b) != u(a, b)).any()
    assert hw.regress(u, vectors=300, verilog=text).failed


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operands", "message"),
    [
        ((1, 2), "arrays of shape (..., K) with K at most k=5, not ()"),
        (([1] * 6, [2] * 6), "with K at most k=5, not (6,)"),
        (([1, 2], [1, 2, 3]), "must be of one shape or broadcast to one"),
        (([8], [1]), "operand a of bitplane_dot: 8 is not a code of uint3"),
        (([1.0], [1]), "operand a of bitplane_dot"),
        (([1],), "bitplane_dot takes 2 operands (a, b), not 1"),
    ],
)
def test_wrong_operands(operands: tuple, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit("bitplane_dot:n=3,m=2,k=5")(*operands)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("n=9", "bitplane_dot: parameter n: must be 1 to 8, not 9"),
        ("m=0", "bitplane_dot: parameter m: must be 1 to 8, not 0"),
        ("lanes=0", "bitplane_dot: parameter lanes: must be 1 to 1024, not 0"),
        ("pi=3", "bitplane_dot: parameter pi: must divide n=4, not 3"),
        ("m=6,pj=4", "bitplane_dot: parameter pj: must divide m=6, not 4"),
        ("lanes=513,pj=2", "bitplane_dot: lanes * pj must be 1024 or less, not 1026"),
        ("k=0", "bitplane_dot: parameter k: must be 1 to 4294967296, not 0"),
        ("stages=9", "bitplane_dot: parameter stages: must be 1 to 8, not 9"),
        ("target_delay=9", "bitplane_dot: parameter target_delay: a unit with a memory has none"),
    ],
)
def test_wrong_specs(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit(f"bitplane_dot:{spec}")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: encode([1.0], 4), "bipolar values must be integers, not float64"),
        (lambda: encode([1], 9), "bipolar codes have 1 to 8 bits, not 9"),
        (lambda: decode([16], 4), "bipolar codes: 16 is not a code of uint4"),
        (lambda: from_signed([-9], 4), "signed integers: -9 is not a code of int4"),
        (lambda: planes(3, 4), "must be an array of shape (..., K), not a number"),
        (lambda: planes([3], 4, 0), "the width must be 1 to 1024, not 0"),
        (lambda: hw.unit("bitplane_dot").golden([1], [1, 2]), "groups of one length, not 1 and 2"),
    ],
)
def test_wrong_calls_of_helpers(call, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        call()


def test_specs_make_the_same_unit() -> None:
    for spec in HARDWARE:
        u = hw.unit(spec)
        assert hw.unit(u.spec) == u
        assert re.fullmatch(r"bitplane_dot_\w+", u.name)
