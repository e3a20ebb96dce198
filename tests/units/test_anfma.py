"""The chained multiply-add against published states, an independent model and its properties."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.units.anfma.state import State

NORMS = ("exact", "an-1-1", "an-1-2", "an-2-2")

COLUMNS, LENGTH = 4096, 16


def published_pairs() -> tuple[np.ndarray, np.ndarray]:
    """Columns of bf16 codes from a linear congruential generator: moderate exponents, any sign."""
    state, words = 1, []
    for _ in range(2 * COLUMNS * LENGTH):
        state = (6364136223846793005 * state + 1442695040888963407) % 2**64
        words.append(state >> 53)
    u = np.array(words)
    codes = ((u >> 10) << 15 | (120 + ((u >> 7) & 7)) << 7 | (u & 127)).astype(np.uint16)
    return codes[0::2].reshape(COLUMNS, LENGTH), codes[1::2].reshape(COLUMNS, LENGTH)


A, B = published_pairs()


@dataclass
class Model:
    """Columns step by step in numpy, written apart from the definition: finite bf16 only."""

    width: int
    norm: str

    def __post_init__(self) -> None:
        self.shifts: list[np.ndarray] = []
        self.lost = np.zeros(0, bool)  # whether a nonzero bit was dropped so far
        self.zeros: list[tuple[np.ndarray, np.ndarray]] = []  # leading zeros before and after
        self.errors: list[np.ndarray] = []  # in units of the frame's lsb

    def run(self, a: np.ndarray, b: np.ndarray) -> State:
        e, v = np.full(len(a), -512), np.zeros(len(a), np.int64)  # v: significand with its sign
        self.lost = np.zeros(len(a), bool)
        for x, y in zip(a.T.astype(np.int64), b.T.astype(np.int64), strict=True):
            e, v = self.step(x, y, e, v)
        return State((v < 0).astype(int), e, np.abs(v), 0 * v)

    def step(
        self, x: np.ndarray, y: np.ndarray, e: np.ndarray, v: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        w = self.width
        ex, ey = x >> 7 & 255, y >> 7 & 255
        counts = (ex > 0) & (ey > 0)
        p = np.where(counts, (128 + (x & 127)) * (128 + (y & 127)) << (w - 16), 0)
        p = np.where((x ^ y) >> 15 & 1, -p, p)
        ep = np.where(counts, ex + ey - 253, -512)
        top = np.maximum(e, ep)
        terms = []
        for term, own in ((p, ep), (v, e)):
            right = np.minimum(top - own, 62)
            kept = np.sign(term) * (np.abs(term) >> right)
            self.lost |= kept << right != term
            terms.append((kept, term / 2.0**right))
        total = terms[0][0] + terms[1][0]
        self.errors.append(np.abs(total - (terms[0][1] + terms[1][1])))
        m = np.abs(total)
        lead = w - np.frexp(m.astype(float))[1]  # leading zeros; -1 with a carry
        if self.norm == "exact":
            shift = lead
        else:
            k, more = (int(x) for x in self.norm[3:].split("-"))
            shift = np.where(lead < k, 0, np.where(lead < k + more, k, k + more))
        shift = np.where(lead < 0, -1, np.where(m == 0, 0, shift))
        self.shifts.append(shift[m > 0])
        self.lost |= (shift < 0) & (m & 1 == 1)
        m = np.where(shift < 0, m >> 1, m << np.maximum(shift, 0))
        after = w - np.frexp(m.astype(float))[1]
        self.zeros.append((lead[m > 0], after[m > 0]))
        return np.where(m == 0, -512, top - shift), np.sign(total) * m


def digest(*columns: np.ndarray) -> str:
    """SHA-256 of columns of little-endian words, row by row."""
    rows = zip(*(x.tolist() for x in columns), strict=True)
    sizes = [x.dtype.itemsize for x in columns]
    text = b"".join(
        x.to_bytes(size, "little", signed=x < 0)
        for row in rows
        for x, size in zip(row, sizes, strict=True)
    )
    return hashlib.sha256(text).hexdigest()[:16]


# -- published states and figures ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("norm", "states", "results"),
    [
        ("exact", "4c17e31b7e6c86f2", "696b02ab4fdac2b5"),
        ("an-1-2", "6718f1ca0ede3f61", "1ff70855f35ba154"),
    ],
)
def test_published_digests(norm: str, states: str, results: str) -> None:
    u = hw.unit(f"anfma:norm={norm}")
    s = u.column(A, B, state=True)
    fields = (s.sign.astype(np.int8), s.exponent.astype(np.int16), s.significand.astype(np.int32))
    assert digest(*fields) == states
    assert digest(u.column(A, B)) == results


@pytest.mark.parametrize("norm", NORMS)
def test_published_digest_of_bf16_results(norm: str) -> None:
    assert digest(hw.unit(f"anfma:norm={norm},out=bf16").column(A, B)) == "dd17c0d621a1e5f4"


def test_published_trace() -> None:
    pairs = [
        (0x3FC0, 0x3FC0),
        (0x3F80, 0x3E80),
        (0xBFC0, 0x3FD5),
        (0x3F80, 0x3B00),
        (0x3F80, 0x3F80),
    ]
    traces = {
        "exact": [(1, 0x900000), (1, 0xA00000), (-8, 0x800000), (-8, 0xC00000), (0, 0x80C000)],
        "an-1-1": [(1, 0x900000), (1, 0xA00000), (-1, 0x010000), (-3, 0x060000), (0, 0x80C000)],
        "an-1-2": [(1, 0x900000), (1, 0xA00000), (-2, 0x020000), (-5, 0x180000), (0, 0x80C000)],
        "an-2-2": [(1, 0x900000), (1, 0xA00000), (-3, 0x040000), (-7, 0x600000), (1, 0x406000)],
    }
    for norm, expected in traces.items():
        u = hw.unit(f"anfma:norm={norm}")
        state = 0
        for (a, b), (e, f) in zip(pairs, expected, strict=True):
            state = u.golden(a, b, state)
            got = u.unpack_state(np.array([state], np.uint64))
            assert (int(got.exponent[0]), int(got.significand[0])) == (e, f), norm


@pytest.mark.parametrize(
    ("norm", "shares"),
    [
        ("exact", {-1: 7.22, 0: 75.54, 1: 12.85, 2: 2.47, 3: 1.01}),
        ("an-1-1", {-1: 7.04, 0: 74.99, 1: 13.19, 2: 4.79}),
        ("an-1-2", {-1: 6.91, 0: 74.42, 1: 16.63, 3: 2.04}),
        ("an-2-2", {-1: 4.36, 0: 89.87, 2: 4.72, 4: 1.05}),
    ],
)
def test_published_shifts(norm: str, shares: dict[int, float]) -> None:
    model = Model(24, norm)
    state = model.run(A, B)
    for x, y in zip(state, hw.unit(f"anfma:norm={norm}").column(A, B, state=True), strict=True):
        np.testing.assert_array_equal(x, y)
    shifts = np.concatenate(model.shifts)
    for shift, share in shares.items():
        assert abs(100 * np.mean(shifts == shift) - share) <= 0.01
    if norm != "exact":
        assert set(np.unique(shifts)) == set(shares)


@pytest.mark.parametrize(
    ("w", "fp32", "bf16"),
    [(24, (0.15, 0.42, 10.89), (0, 0, 0)), (16, (2.22, 4.59, 32.50), (0.02, 0.10, 0.49))],
)
def test_published_mismatches(w: int, fp32: tuple, bf16: tuple) -> None:
    for out, shares in (("fp32", fp32), ("bf16", bf16)):
        exact, *others = (hw.unit(f"anfma:w={w},norm={n},out={out}").column(A, B) for n in NORMS)
        found = tuple(round(100 * np.mean(y != exact), 2) for y in others)
        assert found == shares


@pytest.mark.parametrize(
    ("w", "errors"),
    [
        (16, (3.641e-5, 3.640e-5, 3.641e-5, 3.986e-5)),
        (24, (7.342e-8, 7.341e-8, 7.341e-8, 7.725e-8)),
    ],
)
def test_published_errors(w: int, errors: tuple) -> None:
    u = hw.unit("anfma")
    exact = (u.a.decode(A).astype(float) * u.b.decode(B).astype(float)).sum(axis=1)
    for norm, expected in zip(NORMS, errors, strict=True):
        y = hw.unit(f"anfma:w={w},norm={norm}").column(A, B)
        deviation = hw.format("fp32").decode(y).astype(float) - exact
        found = np.sqrt(np.mean(deviation**2)) / np.sqrt(np.mean(exact**2))
        assert abs(found / expected - 1) < 0.01


# -- properties ----------------------------------------------------------------------------------


@pytest.mark.parametrize("w", [16, 24])
def test_sums_of_one_sign_are_normalized_enough_by_an_1(w: int) -> None:
    """Without cancellation there is at most one leading zero, which the first group finds."""
    positive = A & 0x7FFF, B & 0x7FFF
    exact, one, two, other = (
        hw.unit(f"anfma:w={w},norm={norm}").column(*positive, state=True) for norm in NORMS
    )
    for state in (one, two):
        for x, y in zip(exact, state, strict=True):
            np.testing.assert_array_equal(x, y)
    assert np.any(other.significand != exact.significand)


@pytest.mark.parametrize(
    ("norm", "left"),
    [
        ("an-1-1", [0, 0, 0, 1, 2, 3, 4]),
        ("an-1-2", [0, 0, 1, 0, 1, 2, 3]),
        ("an-2-2", [0, 1, 0, 1, 0, 1, 2]),
    ],
)
def test_leading_zeros_that_are_left(norm: str, left: list[int]) -> None:
    model = Model(24, norm)
    model.run(A, B)
    before, after = (np.concatenate(x) for x in zip(*model.zeros, strict=True))
    for zeros, expected in enumerate(left):
        assert set(after[before == zeros]) == {expected}


def test_nothing_dropped_means_the_exact_result() -> None:
    rng = np.random.default_rng(1)
    few_bits = A & 0xFF80 | rng.integers(0, 4, A.shape).astype(np.uint16) << 5
    exact = Model(24, "exact")
    exact.run(few_bits[:, :4], B[:, :4] & 0xFFE0)
    expected = hw.unit("anfma:norm=exact").column(few_bits[:, :4], B[:, :4] & 0xFFE0)
    for norm in NORMS[1:]:
        model = Model(24, norm)
        model.run(few_bits[:, :4], B[:, :4] & 0xFFE0)
        got = hw.unit(f"anfma:norm={norm}").column(few_bits[:, :4], B[:, :4] & 0xFFE0)
        kept = ~(model.lost | exact.lost)
        assert kept.mean() > 0.5
        np.testing.assert_array_equal(got[kept], expected[kept])


@pytest.mark.parametrize("norm", NORMS)
def test_error_of_a_step(norm: str) -> None:
    model = Model(16, norm)
    model.run(A, B)
    assert 0.5 < max(x.max() for x in model.errors) < 2


def values(u: hw.Unit, codes: np.ndarray) -> list[Fraction]:
    s = u.unpack_state(codes)
    return [
        (-1) ** sign * f * Fraction(2) ** (e - u.w + 1)
        for sign, e, f in zip(*(x.tolist() for x in s[:3]), strict=True)
    ]


def test_guard_bits_keep_what_alignment_would_drop() -> None:
    """Up to so many places the sum is exact, and cut to the significand's width once."""
    guard = 6
    u = hw.unit(f"anfma:w=16,norm=exact,guard={guard}")
    a, b = A[:, 0], B[:, 0]
    c = u(A[:, 1], B[:, 1], np.zeros(COLUMNS, u.state.dtype))
    product = u.column(a[:, None], b[:, None], state=True)
    apart = np.abs(product.exponent - u.unpack_state(c).exponent)
    near = np.flatnonzero(apart < guard)
    assert near.size > 1000
    got, before = values(u, u(a, b, c)), values(u, c)
    for i in near:
        exact = u.a.fraction(int(a[i])) * u.b.fraction(int(b[i])) + before[i]
        lsb = abs(got[i]) / (1 << 15) if got[i] else Fraction(2) ** -60
        assert 0 <= abs(exact) - abs(got[i]) < lsb
        assert (exact > 0) == (got[i] > 0)


def test_normalized_products_lose_less() -> None:
    u = hw.unit("anfma")
    exact = (u.a.decode(A).astype(float) * u.b.decode(B).astype(float)).sum(axis=1)

    def error(options: str) -> float:
        y = hw.unit(f"anfma:w=16,norm=exact,{options}").column(A, B)
        return float(np.mean((hw.format("fp32").decode(y) - exact) ** 2))

    assert error("prodnorm=1") < error("prodnorm=0")


# -- in other shapes -----------------------------------------------------------------------------


def test_columns_matrix_products_and_repeated_units_agree() -> None:
    u = hw.unit("anfma:w=16,norm=an-2-2")
    a, b = A[:5], B[:7].T
    columns = u.column(a[:, None], b.T[None])
    np.testing.assert_array_equal(hw.matmul(u, a, b), columns)
    state = u.chain_start(np.zeros((5, 7), np.uint32))
    for k in range(LENGTH):
        state = u(a[:, k : k + 1], b[k : k + 1], state)
    np.testing.assert_array_equal(u.chain_end(state), columns)
    seeded = hw.matmul(u, a, b, c=hw.format("fp32").encode([2.25]))
    one = hw.format("bf16").encode([1.5, 1.5])  # a product without a leading zero
    extended = hw.matmul(
        u, np.hstack([np.full((5, 1), one[0]), a]), np.vstack([np.full((1, 7), one[1]), b])
    )
    np.testing.assert_array_equal(seeded, extended)


def test_a_network_runs_on_it() -> None:
    from hwarith.explore.metrics import evaluate
    from hwarith.explore.workloads import workload
    from hwarith.units.chain import rounded_accumulators

    u = hw.unit("anfma")
    outcome = workload("digits").run(u)
    fma = workload("digits").run(hw.unit("fma:a=bf16,c=fp32,out=fp32"))
    assert outcome.accuracy == fma.accuracy
    figures = evaluate(u, rounded_accumulators(u, outcome.operands))
    assert 0 < figures.metrics["mred"] < 1e-6
    assert figures.counts["counted"] > 0.9 * figures.counts["operand_sets"]


# -- parameters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("anfma:norm=an-0-1", "must be exact, or an-K-L with K and L at least 1, not 'an-0-1'"),
        ("anfma:w=15", "must be 16 to 64 for products of bf16 and bf16, not 15"),
        ("anfma:w=16,norm=an-8-8", "K + L must be below w=16, not 16"),
        ("anfma:a=int8", "must be a signed float with a fraction, not int8"),
        ("anfma:out=uint8", "parameter out: must be a signed float with a fraction, not uint8"),
        ("anfma:seed=e8m0fnu", "parameter seed: must be a signed float with a fraction"),
        ("anfma:guard=17", "parameter guard: must be 0 to 16, not 17"),
    ],
)
def test_wrong_parameters(spec: str, message: str) -> None:
    with pytest.raises(hw.HwarithError, match=re.escape(message)):
        hw.unit(spec)


def test_wrong_columns() -> None:
    u = hw.unit("anfma")
    with pytest.raises(ValueError, match="n at least 1, not \\(\\)"):
        u.column(np.uint16(1), np.uint16(1))
    with pytest.raises(ValueError, match="must broadcast to one shape, not \\(2,\\) and \\(3,\\)"):
        u.column(np.zeros(2, np.uint16), np.zeros(3, np.uint16))
    with pytest.raises(ValueError, match="operand b of a column of anfma"):
        u.column(np.zeros(2, np.uint16), np.zeros(2, float))


def test_names_make_the_same_unit() -> None:
    for spec in ("anfma:norm=an-2-2,w=16,guard=1", "anend:out=bf16", "anseed"):
        u = hw.unit(spec)
        assert hw.unit(u.spec) == u
        assert re.fullmatch(r"\w+", u.name)
