"""FP-INT arithmetic against fractions, and its hardware against the golden models."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.flow.stimuli.families import stimulus
from hwarith.units.fpint import FpIntPe, align, shared_exponent
from hwarith.units.fpint.prealign import MOST_BITS
from tests.evidence import compared
from tests.faults import faulty
from tests.tiers import few

FP16 = hw.format("fp16")

CODES = np.arange(1 << 16, dtype=np.uint16)

ALIGNERS = (
    "prealign:p=14",
    "prealign:p=14,round=rtz",
    "prealign:p=11",
    "prealign:p=13,round=rtz",
    "prealign:p=21",
    "prealign:p=40",
)

HARDWARE = (
    "fpint:w=int4,p=14,lanes=1",
    "fpint:w=int8,p=14,lanes=1,acc=32",
    "fpint:w=int4,p=14,lanes=4",
    "fpint:w=int8,p=14,lanes=4",
    "fpint:w=int2,p=11,lanes=3,k=20",
    "fpint:w=int5,p=17,lanes=2,k=1",
    "fpint:w=int8,p=40,lanes=1,k=100",
    "fpint:w=int7,p=12,lanes=8,k=20",
)


def blocks(rows: int, n: int, seed: int = 5) -> np.ndarray:
    """Activations of any kind: near each other, uniform codes, all as large as they get, corners
    (infinities, NaN, subnormals, zeros), zeros of both signs."""
    rng = np.random.default_rng(seed)
    a = FP16.encode(rng.standard_normal((rows, n)))
    a[1::5] = rng.integers(0, 1 << 16, a[1::5].shape)
    a[2::5] = 0xFBFF
    a[3::5] = rng.choice(
        [0, 0x8000, 1, 0x83FF, 0x400, 0x3C00, 0x7BFF, 0x7C00, 0xFE00], a[3::5].shape
    )
    a[4::5] = rng.integers(0, 2, a[4::5].shape) << 15
    return a


def weights(u: FpIntPe, shape: tuple[int, ...], seed: int = 6) -> np.ndarray:
    """Random weights; where activations are largest the most negative ones."""
    low = -(1 << (int(u.w[3:]) - 1))
    w = np.random.default_rng(seed).integers(low, -low, shape)
    w[2::5] = low
    return w


def finite(a: np.ndarray) -> np.ndarray:
    """Activations with zeros for infinities and NaN."""
    return np.where(a & 0x7C00 == 0x7C00, 0, a).astype(np.uint16)


def exponents(a: np.ndarray) -> list[int]:
    """Of rows: the greatest binade, from the values."""
    largest = np.abs(FP16.decode(finite(a))).max(-1)
    return np.where(largest < 2.0**-14, 1, np.frexp(largest)[1] + 14).tolist()


# -- the aligner ---------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", ALIGNERS)
def test_every_activation_at_every_exponent(spec: str) -> None:
    """By float64, in which all of it is exact: a value over the weight of the lsb, rounded."""
    u = hw.unit(spec)
    value = FP16.decode(finite(CODES))
    special = CODES & 0x7C00 == 0x7C00
    for exponent in range(1, 31):
        codes, invalid = u(CODES, exponent)
        scaled = np.ldexp(value, 14 + u.p - exponent)
        expected = np.rint(scaled) if u.round == "rne" else np.trunc(scaled)
        shared = np.abs(value) < 2.0 ** (exponent - 14)
        np.testing.assert_array_equal(u.results["mantissa"].decode(codes)[shared], expected[shared])
        assert (np.abs(expected[shared]) <= 2047 * 2 ** (u.p - 11)).all()
        np.testing.assert_array_equal(invalid, special)
        assert not codes[special].any()
        if u.p == MOST_BITS:
            np.testing.assert_array_equal(expected[shared], scaled[shared])
        compared(EXACT, int(shared.sum()), u)


@pytest.mark.parametrize("spec", ALIGNERS)
def test_interpreted_and_compiled(spec: str) -> None:
    u = hw.unit(spec)
    a, exponent = stimulus(u, 3000)
    y = u(a, exponent)
    for i in range(3000):
        assert tuple(u.golden(int(a[i]), int(exponent[i]))) == (y.mantissa[i], y.invalid[i])


@pytest.mark.parametrize("spec", ALIGNERS)
def test_the_aligner_s_hardware_on_all_operands(spec: str) -> None:
    """Exponents that no block has among them."""
    u = hw.unit(spec)
    exponent = np.arange(32, dtype=np.uint8)[:, None]
    for got, expected in zip(hw.simulate(u)(CODES, exponent), u(CODES, exponent), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_the_pipelined_aligner() -> None:
    u = hw.unit("prealign:p=14,stages=2")
    a, exponent = stimulus(u, 20_000)
    got = hw.simulate(u).stream(a, exponent, idle=0.3, stall=0.4)
    np.testing.assert_array_equal(np.stack(got), np.stack(u(a, exponent)))


def test_shared_exponent() -> None:
    a = blocks(200, 9)
    np.testing.assert_array_equal(shared_exponent(a), exponents(a))
    assert shared_exponent([0x7C00, 0xFE00]) == shared_exponent([0]) == shared_exponent([1]) == 1
    assert shared_exponent([0x7BFF, 0x7C00]) == 30
    assert shared_exponent(np.zeros((2, 3, 4), np.uint16)).shape == (2, 3)


@pytest.mark.parametrize("rounding", ["rne", "rtz"])
def test_aligned_blocks(rounding: str) -> None:
    a = blocks(100, 7)
    mantissa, exponent, invalid = align(a, 15, rounding)
    assert (mantissa.dtype, mantissa.shape, exponent.shape) == (np.int64, (100, 7), (100,))
    assert exponent.tolist() == exponents(a)
    np.testing.assert_array_equal(invalid, (a & 0x7C00 == 0x7C00).any(-1))
    for row, got, e in zip(FP16.decode(finite(a)), mantissa, exponent, strict=True):
        units = [Fraction(x) / Fraction(2) ** (int(e) - 29) for x in row]
        assert got.tolist() == [round(x) if rounding == "rne" else int(x) for x in units]


# -- groups --------------------------------------------------------------------------------------


def exact_sums(a: np.ndarray, w: np.ndarray) -> list[Fraction]:
    return [
        sum((Fraction(x) * int(y) for x, y in zip(row, by, strict=True)), Fraction(0))
        for row, by in zip(FP16.decode(finite(a)), w, strict=True)
    ]


def sums(group: tuple) -> list[Fraction]:
    scale = [Fraction(2) ** int(e) for e in group.exponent]
    return [int(t) * s for t, s in zip(group.total, scale, strict=True)]


@pytest.mark.parametrize("w", ["int2", "int4", "int8"])
def test_with_all_bits_sums_are_exact(w: str) -> None:
    """Of fp16's whole range in one group; no order of additions matters."""
    u = hw.unit(f"fpint:w={w},p={MOST_BITS},k=128")
    a, by = blocks(300, 128), weights(u, (300, 128))
    assert sums(u.group(a, by)) == exact_sums(a, by)
    compared(EXACT, len(a), u)


@pytest.mark.parametrize(("rounding", "units"), [("rne", Fraction(1, 2)), ("rtz", Fraction(1))])
@pytest.mark.parametrize("p", [11, 14, 18])
def test_error_bound(p: int, rounding: str, units: Fraction) -> None:
    """Half a unit of a mantissa for each weight's magnitude; a fraction of it is reached."""
    u = hw.unit(f"fpint:w=int8,p={p}")
    a, by = blocks(500, 64), weights(u, (500, 64))
    group = u.group(a, by, round=rounding)
    largest = Fraction(0)
    for got, exact, e, row in zip(
        sums(group), exact_sums(a, by), exponents(a), np.abs(by).sum(-1), strict=True
    ):
        bound = units * Fraction(2) ** (e - 14 - p) * int(row)
        assert abs(got - exact) <= bound
        largest = max(largest, abs(got - exact) / bound if bound else Fraction(0))
    assert largest > Fraction(1, 20)


def test_activations_of_one_binade_are_exact_with_11_bits() -> None:
    u = hw.unit("fpint:w=int8,p=11")
    rng = np.random.default_rng(8)
    a = (rng.integers(0, 2, (50, 30)) << 15 | 17 << 10 | rng.integers(0, 1024, (50, 30))).astype(
        np.uint16
    )
    by = weights(u, a.shape)
    assert sums(u.group(a, by)) == exact_sums(a, by)


@pytest.mark.parametrize("rounding", ["rne", "rtz"])
@pytest.mark.parametrize("spec", HARDWARE)
def test_groups_are_what_the_transfers_give(spec: str, rounding: str) -> None:
    """The sum at array speed, the definition compiled, and interpreted; at all lengths."""
    u = hw.unit(spec)
    for n in sorted({1, min(u.lanes, u.k), min(u.lanes + 1, u.k), u.k}):
        a, by = blocks(80, n, seed=n), weights(u, (80, n))
        group = u.group(a, by, round=rounding)
        steps = u.steps(a, by, round=rounding)
        assert steps[0].shape == (80, -(-n // u.lanes))
        y = u(*steps)
        np.testing.assert_array_equal(u.results["y"].decode(y), group.total)
        for i in range(6):
            assert u.golden(*(x[i].tolist() for x in steps)) == y[i]


def test_transfers_hold_the_first_lane_at_the_lsb_and_zeros_behind_the_last() -> None:
    """1, 2, 4, -4 at exponent 17, in lanes of 12 bits; weights in lanes of 4."""
    a, w = hw.unit("fpint:w=int4,p=11,lanes=3").steps(
        [0x3C00, 0x4000, 0x4400, 0xC400], [1, 2, 3, -1]
    )
    assert a.tolist() == [1024 << 24 | 512 << 12 | 256, 0xC00]
    assert w.tolist() == [0x321, 0xF]


def test_contracts() -> None:
    bounds = {mode: hw.unit(f"prealign:round={mode}").contract.bound for mode in ("rne", "rtz")}
    assert bounds["rne"] == "1/2 of 2^(exponent - 28); exact with p=40"
    assert bounds["rtz"].startswith("less than 1 of 2^(exponent - 28)")
    assert "of up to 256 mantissas" in hw.unit("fpint").contract.bound


def test_the_accumulator_is_as_wide_as_the_sum_needs() -> None:
    for spec in HARDWARE:
        u = hw.unit(spec)
        length = u.most_transfers * u.lanes
        without_acc = spec.partition(",acc")[0]
        longer = re.sub("k=[0-9]+", f"k={length}", without_acc)
        whole = hw.unit(longer if ",k=" in spec else f"{without_acc},k={length}")
        low = -(1 << (int(u.w[3:]) - 1))
        total = whole.group(np.full(length, 0xFBFF, np.uint16), np.full(length, low)).total
        assert total == length * -low * (2047 << (u.p - 11))
        assert int(total).bit_length() + 1 == whole.acc <= u.acc
        # Nothing else is larger.
        smaller = whole.group(np.full(length, 0x7BFF, np.uint16), np.full(length, low)).total
        assert smaller == -total
    assert [hw.unit(f"fpint:w={w}").acc for w in ("int4", "int8")] == [26, 30]
    assert hw.unit("fpint:acc=32").results["y"].bits == 32


def test_infinities_and_nan_count_as_zero() -> None:
    u = hw.unit("fpint:w=int4")
    a = np.array([[0x3C00, 0x7C00, 0x4000], [0xFE00, 0xFC00, 0x7C01], [1, 0x83FF, 0x8000]])
    _, exponent, invalid = u.group(a, [3, -5, 7], flags=True)
    assert invalid.tolist() == [True, True, False]
    assert sums(u.group(a, [[3, -5, 7]] * 3)) == [17, 0, (3 + 5 * 1023) * Fraction(1, 1 << 24)]
    np.testing.assert_array_equal(exponent, [16 - 28, 1 - 28, 1 - 28])
    assert u.group(a, [3, -5, 7])._fields == ("total", "exponent")


def test_values_and_shapes() -> None:
    u = hw.unit("fpint:w=int8")
    a, by = blocks(6, 40).reshape(2, 3, 1, 40), weights(u, (5, 40))
    group = u.group(a, by, flags=True)
    assert all(x.shape == (2, 3, 5) for x in group)
    values = u.decode(group)
    np.testing.assert_array_equal(u.group(a, by & 0xFF).total, group.total)
    for i in np.ndindex(2, 3, 5):
        one = u.group(a[i[0], i[1], 0], by[i[2]])
        assert (one.total, one.exponent) == (group.total[i], group.exponent[i])
        assert u.decode(one) == values[i] == one.total * 2.0**one.exponent


# -- hardware ------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", few(HARDWARE, 3))
def test_hardware_with_and_without_pauses(spec: str) -> None:
    """Mantissas at the ends of the port, too, where the narrowest accumulators wrap."""
    u = hw.unit(spec)
    sim = hw.simulate(u)
    for length in sorted({1, min(3, u.most_transfers), min(u.most_transfers, 70)}):
        rows = 6000 // length
        operands = [x.reshape(rows, length) for x in stimulus(u, rows * length, length)]
        expected = u(*operands)
        np.testing.assert_array_equal(sim(*operands), expected)
        assert sim.clocks == rows * length + 1
        paused = sim.stream(*operands, idle=0.3, stall=0.5, seed=length)
        np.testing.assert_array_equal(paused, expected)


@pytest.mark.parametrize("spec", HARDWARE)
def test_hardware_on_groups(spec: str) -> None:
    u = hw.unit(spec)
    a, by = blocks(100, u.k), weights(u, (100, u.k))
    y = hw.simulate(u)(*u.steps(a, by))
    np.testing.assert_array_equal(u.results["y"].decode(y), u.group(a, by).total)


@pytest.mark.long
def test_regression() -> None:
    for spec in ("fpint:w=int3,p=11,lanes=2,k=20", "prealign:p=12,stages=1"):
        result = hw.regress(spec, vectors=400)
        assert (result.failed, len(result.phases)) == (0, 12), result.message


FAULTS = (
    # Subnormals are shifted by one more; and have a hidden one. Infinities count; and are not told.
    # Few bits below the half; ties go up; -x is ~x.
    ("prealign:p=14", r"a\[10\] \| ~hidden", "a[10]"),
    ("prealign:p=14", r"hidden = .*;", "hidden = 1'b1;"),
    ("prealign:p=14", r"(significand = \{hidden, a\[9:0\]\}).*;", r"\1;"),
    ("prealign:p=14", r"invalid = .*;", "invalid = 1'b0;"),
    ("prealign:p=14", r"(by_some8 = )by_some4 \| .*;", r"\g<1>by_some4;"),
    ("prealign:p=14", r"(up = by_right16\[0\]) & .*;", r"\1;"),
    ("prealign:p=14", r"one = .*;", "one = up;"),
    # The sum is not cleared; a lane's mantissa has no sign; the top bit of the sum is lost; the
    # next group does not wait.
    ("fpint:w=int4,lanes=2", r"(sum_so_far = )first \? .* : (.*);", r"\1\2;"),
    ("fpint:w=int4,lanes=2", r"a\[29\]", "1'b0"),
    ("fpint:w=int4,lanes=2", r"sum <= total_rows;", "sum <= {1'b0, total_rows[24:0]};"),
    ("fpint:w=int4,lanes=2", r"assign i_ready = .*;", "assign i_ready = 1'b1;"),
)


@pytest.mark.parametrize(("spec", "pattern", "new"), few(FAULTS, 4))
def test_injected_faults_are_found(spec: str, pattern: str, new: str) -> None:
    u = hw.unit(spec)
    text = faulty(u, rf"\b{pattern}", new, most=2)
    operands = stimulus(u, 20_000)
    if u.stages:
        operands = tuple(x.reshape(-1, 20) for x in operands)
    sim = hw.simulate(u, verilog=text)
    try:
        got = sim.stream(*operands, stall=0.5) if u.stages else sim(*operands)
    except hw.ToolFailure as error:
        assert "result" in str(error)  # noqa: PT017 (either way the fault is found)
    else:
        assert (np.asarray(got) != np.asarray(u(*operands))).any()


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda u: u(1, 2), "arrays of shape (..., n) with n at least 1, not ()"),
        (lambda u: u([1] * 4, 2), "groups of fpint with k=5 have at most 3 transfers, not 4"),
        (lambda u: u([1], [256]), "operand w of fpint: 256 is not a code of uint8"),
        (lambda u: u([1]), "fpint takes 2 operands (a, w), not 1"),
        (lambda u: u.group([1] * 6, [1] * 6), "with n from 1 to k=5, not (6,) and (6,)"),
        (lambda u: u.group([1, 2], [1, 2, 3]), "with n from 1 to k=5, not (2,) and (3,)"),
        (lambda u: u.group([[1, 2]] * 2, [[1, 2]] * 3), "not (2, 2) and (3, 2)"),
        (lambda u: u.group([1, 2], 1), "not (2,) and ()"),
        (lambda u: u.group([], []), "(..., n) with n at least 1, not (0,)"),
        (lambda u: u.group(np.zeros((3, 0), np.uint16), []), "n at least 1, not (3, 0)"),
        (lambda u: u.group([1.5], [1]), "activations must be codes of fp16"),
        (lambda u: u.group([1], [-9]), "weights of fpint: -9 is not a code of int4"),
        (lambda u: u.group([1], [1], round="up"), "prealign: parameter round: unknown value 'up'"),
        (lambda u: align([1], 41), "prealign: parameter p: must be 11 to 40, not 41"),
        (lambda u: shared_exponent(3), "the shape (..., n) with n at least 1, not ()"),
        (lambda u: hw.unit("prealign")(3, 32), "operand exponent of prealign: 32 is not a code"),
    ],
)
def test_wrong_operands(call, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        call(hw.unit("fpint:w=int4,lanes=2,k=5"))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("fpint:w=int9", "fpint: parameter w: unknown value 'int9'"),
        ("fpint:p=10", "fpint: parameter p: must be 11 to 40, not 10"),
        ("fpint:lanes=17", "fpint: parameter lanes: must be 1 to 16, not 17"),
        ("fpint:k=0", "fpint: parameter k: must be 1 to 4294967296, not 0"),
        ("fpint:w=int8,acc=29", "parameter acc: must be 30 or more with k=256, not 29"),
        ("fpint:acc=65", "fpint: parameter acc: must be 1 to 64, not 65"),
        ("fpint:w=int8,p=40,k=70000", "need an accumulator of 65 bits; it has at most 64"),
        ("fpint:stages=2", "fpint: parameter stages: must be 1, the memory itself, not 2"),
        ("prealign:round=rna", "prealign: parameter round: unknown value 'rna'"),
    ],
)
def test_wrong_specs(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit(spec)


def test_specs_make_the_same_unit() -> None:
    for spec in (*ALIGNERS, *HARDWARE):
        u = hw.unit(spec)
        assert hw.unit(u.spec) == u
    assert hw.unit("fpint").spec == "fpint:w=int4,p=14,lanes=4,k=256"
    assert hw.unit("fpint:acc=32").name == "fpint_int4_p14_lanes4_k256_acc32"
