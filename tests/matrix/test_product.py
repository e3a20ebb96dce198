"""The matrix product: bit for bit a plain loop over the unit, however it is computed."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.flow.stimuli.corner_weighted import corner_codes
from hwarith.matrix import float64, kernels, loops, roundings
from hwarith.matrix.product import float_roundings
from hwarith.units.chain import accumulating_adder
from hwarith.units.operations import MULTIPLY_ADD, PRODUCT
from tests.units.test_fma import exact_result

FLOATS = (
    "fma:a=bf16",
    "fma:a=bf16,c=fp32,out=fp32",
    "fma:a=fp32",
    "fma:a=fp16",
    "fma:a=e4m3fn,b=e5m2,c=bf16,out=bf16",
    "fma:a=e4m3fn",
    "fma:a=e5m2,overflow=saturate",
    "fma:a=e4m3fnuz",
    "fma:a=e2m1fn",
    "fma:a=e4m3fn,c=fp32,out=fp32",
    "fma:a=e8m0fnu,b=e2m1fn,out=bf16",
    "mul:a=bf16",
    "mul:a=fp16",
    "mul:a=e4m3fnuz",
    "mul:a=e4m3fn,out=bf16",
    "mul:a=e2m1fn",
    "mul:a=fp16,overflow=saturate",
)
"""Units for which products and sums in float64, rounded to odd, do."""

OTHERS = (
    "fma:a=bf16,round=rtz",
    "fma:a=fp16,overflow=satprop",
    "fma:a=e5m2,out=e2m1fn",
    "fma:a=int8,out=int32",
    "fma:a=int8,out=int16,overflow=saturate",
    "mul:a=int8,out=int16",
    "mul:a=bf16,round=rto",
    "lmul:format=bf16,k=3",
    "lmul:format=e4m3fn",
)


def by_loop(
    spec: str, a: np.ndarray, b: np.ndarray, acc: np.ndarray, add: hw.Unit | None = None
) -> np.ndarray:
    """One call of the units for each k: their own engine, which is tested elsewhere."""
    u = hw.unit(spec)
    for a_k, b_k in zip(a.T[:, :, None], b[:, None, :], strict=True):
        acc = u(a_k, b_k, acc) if u.operation == MULTIPLY_ADD else add(u(a_k, b_k), acc)
    return acc


def cornered(f: hw.Format, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Codes of which some are corners, others anything, and most have magnitudes around 1."""
    near_one = f.encode(rng.choice([-2, -1, 0.5, 1, 3], shape) + rng.standard_normal(shape) / 8)
    corners = rng.choice(corner_codes(f), shape)
    anything = rng.integers(0, (1 << f.bits) - 1, shape, f.dtype, endpoint=True)
    kind = rng.integers(8, size=shape)
    return np.where(kind == 0, corners, np.where(kind == 1, anything, near_one)).astype(f.dtype)


def operands(spec: str, m: int, k: int, n: int, seed: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    u = hw.unit(spec)
    a, b = list(u.operands.values())[:2]
    acc = adder_of(u).out if u.operation == PRODUCT else u.out
    shapes = ((m, k), (k, n), (m, n))
    return tuple(cornered(f, shape, rng) for f, shape in zip((a, b, acc), shapes, strict=True))


def adder_of(u: hw.Unit) -> Any:
    return accumulating_adder(next(iter(u.results.values())))


def check(spec: str, m: int, k: int, n: int, seed: int = 0) -> np.ndarray:
    a, b, c = operands(spec, m, k, n, seed)
    add = None if spec.startswith("fma") else adder_of(hw.unit(spec))
    found = hw.matmul(spec, a, b, c)
    assert found.dtype == c.dtype
    np.testing.assert_array_equal(found, by_loop(spec, a, b, c, add))
    return found


@pytest.fixture
def no_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """What kernels take is tested by itself (test_kernels.py)."""
    monkeypatch.setattr(kernels, "accumulate", lambda *_: None)


@pytest.mark.usefixtures("no_kernels")
@pytest.mark.parametrize("spec", FLOATS)
def test_in_float64_it_is_the_definition(spec: str) -> None:
    """Few steps, so that NaN does not swallow all; and many, with roundings upon roundings."""
    units = [hw.unit(spec)]
    if units[0].operation == PRODUCT:
        units.append(adder_of(units[0]))
    assert float_roundings(units)
    for k in (1, 2, 3):
        check(spec, 150, k, 300, seed=k)
    check(spec, 20, 150, 20)


@pytest.mark.usefixtures("no_kernels")
@pytest.mark.parametrize("spec", OTHERS)
def test_compiled_definitions(spec: str) -> None:
    units = [hw.unit(spec)]
    assert not float_roundings(units)
    check(spec, 40, 3, 50)
    check(spec, 10, 140, 20)


@pytest.mark.usefixtures("no_kernels")
@pytest.mark.parametrize("spec", ["fma:a=fp16,round=rup", "fma:a=int8,out=int32", "mul:a=int33"])
def test_definitions_compiled_for_their_constants(
    spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for large matrices; 64-bit codes among them."""
    monkeypatch.setattr(loops, "HOT", 0)
    check(spec, 20, 3, 300)
    check(spec, 7, 140, 33)


@pytest.mark.usefixtures("no_kernels")
@pytest.mark.parametrize("spec", ["fma:a=bf16", "fma:a=fp16", "fma:a=fp32", "mul:a=bf16"])
def test_close_calls(spec: str) -> None:
    """Ties of sums, broken by products far below them, and sums that cancel into subnormals."""
    u = hw.unit(spec)
    add = adder_of(u) if spec.startswith("mul") else None
    acc = add.out if add else u.out
    half_ulp = 2.0 ** -(acc.fraction_bits + 1)
    small = float(acc.smallest)
    tiny = [0.0, 1.0, -1.0, float(u.a.smallest), -float(u.a.smallest)]
    for first, scale in product((1.0, 1 + 2 * half_ulp, -1.0), (1.0, small, 4 * small)):
        a = u.a.encode([[first, half_ulp * 2**i, t] for i in (-1, 0, 1) for t in tiny])
        b = u.b.encode(scale * np.array([[1.0, -1.0, 1.5]] * 3))
        c = np.zeros((len(a), 3), acc.dtype)
        np.testing.assert_array_equal(hw.matmul(u, a, b), by_loop(spec, a, b, c, add))


@pytest.mark.parametrize("spec", ["fma:a=bf16", "fma:a=bf16,c=fp32,out=fp32", "fma:a=e4m3fn"])
def test_one_step_against_fractions(spec: str) -> None:
    u = hw.unit(spec)
    a, b, c = operands(spec, 30, 1, 40, seed=5)
    found = hw.matmul(u, a, b, c)
    for i, j in product(range(30), range(40)):
        codes = (int(a[i, 0]), int(b[0, j]), int(c[i, j]))
        assert found[i, j] == exact_result(u, codes), [hex(x) for x in codes]


@pytest.mark.parametrize("name", ["bf16", "fp32", "fp16", "e5m2"])
def test_products_and_sums_are_those_of_apytypes(name: str) -> None:
    """It rounds each product, and each sum, to the accumulator's format."""
    apytypes = pytest.importorskip("apytypes")
    rng = np.random.default_rng(9)
    f, acc = hw.format("bf16"), hw.format(name)
    a, b = f.encode(rng.standard_normal((30, 50))), f.encode(rng.standard_normal((50, 40)))
    x, y = (
        apytypes.APyFloatArray.from_float(f.decode(v), f.exponent_bits, f.fraction_bits)
        for v in (a, b)
    )
    with apytypes.APyFloatAccumulatorContext(acc.exponent_bits, acc.fraction_bits):
        theirs = (x @ y).to_numpy()
    ours = hw.matmul(f"mul:a=bf16,out={acc}", a, b, add=f"add:a={acc}")
    np.testing.assert_array_equal(acc.decode(ours), theirs)


def test_interpreter_for_wide_codes_and_few() -> None:
    check("fma:a=fp64", 3, 4, 5)
    rng = np.random.default_rng(2)
    x, y = (rng.integers(-(2**39), 2**39, shape) for shape in ((3, 4), (4, 5)))
    found = hw.format("int80").decode(hw.matmul("mul:a=int40,out=int80", x, y))
    np.testing.assert_array_equal(found, x.astype(object) @ y.astype(object))
    a, b, c = operands("fma:a=bf16", 20, 6, 30, seed=1)
    whole = hw.matmul("fma:a=bf16", a, b, c)
    np.testing.assert_array_equal(
        hw.matmul("fma:a=bf16", a[:2], b[:, :3], c[:2, :3]), whole[:2, :3]
    )


def test_all_cores_share_the_rows() -> None:
    """A matrix larger than the part that one core takes, and than a tile."""
    rng = np.random.default_rng(3)
    u = hw.unit("fma:a=bf16")
    a = u.a.encode(rng.standard_normal((40, 300)))
    b = u.b.encode(rng.standard_normal((300, 700)))
    found = hw.matmul(u, a, b)
    assert found.size * len(b) > 2 * loops.LEAST_WORK
    np.testing.assert_array_equal(found, by_loop(u.spec, a, b, np.zeros((40, 700), np.uint16)))


def test_orders() -> None:
    u = hw.unit("fma:a=bf16")
    rng = np.random.default_rng(4)
    a, b = u.a.encode(rng.standard_normal((9, 50))), u.b.encode(rng.standard_normal((50, 11)))
    up, down = hw.matmul(u, a, b), hw.matmul(u, a, b, order="descending")
    assert (up != down).any()
    np.testing.assert_array_equal(down, hw.matmul(u, a[:, ::-1], b[::-1]))
    mixed = rng.permutation(50)
    np.testing.assert_array_equal(
        hw.matmul(u, a, b, order=mixed), hw.matmul(u, a[:, mixed], b[mixed])
    )


def test_where_it_begins() -> None:
    """At +0, or at c, which broadcasts; without steps it is the result."""
    u = hw.unit("fma:a=fp16")
    c = u.c.encode([1.0, -2.0, 3.0])
    none = np.zeros((2, 0), np.uint16)
    np.testing.assert_array_equal(hw.matmul(u, none, none.T[:, [0, 0, 0]], c), [c, c])
    assert (hw.matmul(u, none, none.T) == 0).all()
    minus = u.a.encode([[-0.0]])
    assert hw.matmul(u, minus, u.a.encode([[1.0]])) == 0x0000
    assert hw.matmul(u, minus, u.a.encode([[1.0]]), minus) == 0x8000
    assert hw.matmul(u, np.zeros((0, 3), np.uint16), np.zeros((3, 4), np.uint16)).shape == (0, 4)


def test_a_product_without_negative_zero_makes_the_sum_positive() -> None:
    """0 * -1 is +0 in e4m3fnuz, and +0 + -0 is +0."""
    u = hw.unit("mul:a=e4m3fnuz")
    a, b = u.a.encode(np.zeros((10, 1))), u.b.encode(-np.ones((1, 10)))
    minus = hw.format("fp32").encode(np.full((10, 10), -0.0))
    assert (minus == 1 << 31).all()
    assert (hw.matmul(u, a, b, minus) == 0).all()


def test_adders_for_products() -> None:
    a, b, _ = operands("mul:a=e4m3fn,out=bf16", 10, 9, 20, seed=8)
    narrow = hw.unit("add:a=bf16,b=fp16,out=fp16")
    start = narrow.b.encode(np.ones((10, 20)))
    found = hw.matmul("mul:a=e4m3fn,out=bf16", a, b, start, add=narrow)
    np.testing.assert_array_equal(found, by_loop("mul:a=e4m3fn,out=bf16", a, b, start, narrow))
    assert accumulating_adder(hw.format("int8")).spec == "add:a=int8,b=int32,out=int32"
    assert accumulating_adder(hw.format("fp64")).spec == "add:a=fp64,b=fp64,out=fp64,round=rne"


def test_a_sum_rounded_to_nearest_first_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    u = hw.unit("fma:a=bf16")
    a = u.a.encode(np.full((1, 1), 1.5))
    b = u.a.encode(np.full((1, 100), 1 + 3 * 2.0**-7))
    c = u.a.encode(np.full((1, 100), 2.0**-100))
    np.testing.assert_array_equal(hw.matmul(u, a, b, c), u(a, b, c))
    rounding = roundings.rounding_of(u.out, 2)
    total = 1.5 * (1 + 3 * 2.0**-7) + 2.0**-100
    once = u.out.decode(hw.matmul(u, a, b, c)[0, 0])
    assert float64.to_nearest(total, rounding) < once
    assert float64.multiply_add(1.5, 1 + 3 * 2.0**-7, 2.0**-100, rounding) == once


@pytest.mark.parametrize(
    ("spec", "arguments", "message"),
    [
        ("add:a=bf16", {}, "computes a sum; allowed: a multiply-add, dot product or product"),
        (
            "fma:a=bf16,c=fp32",
            {},
            "must take bf16, bf16, bf16 and give bf16 alone, not a bf16, b bf16, c fp32, y bf16",
        ),
        ("fma:a=bf16", {"add": "add:a=bf16"}, "adds by itself; add is for product units"),
        ("mul:a=bf16", {"add": "mul:a=bf16"}, "add must be an adder, not mul:a=bf16"),
        (
            "mul:a=bf16",
            {"add": "add:a=fp16,b=fp32,out=fp32"},
            "must take bf16, fp32 and give fp32 alone, not a fp16, b fp32, y fp32",
        ),
        ("mul:a=bf16", {"add": "add:a=bf16,out=fp32"}, "must take bf16, fp32 and give fp32"),
        ("mull:a=bf16", {}, "unknown unit 'mull'"),
        ("fma:a=bf16", {"a": [1, 2]}, r"matmul: a must be a matrix, not of shape \(2,\)"),
        ("fma:a=bf16", {"b": [[1, 2]]}, "a has 2 columns and b 1 rows; they must be as many"),
        ("fma:a=bf16", {"a": [[1.0, 2.0]]}, "matmul: a must be codes of bf16"),
        ("fma:a=e4m3fn", {"b": [[1], [256]]}, "matmul: b: 256 is not a code of e4m3fn"),
        (
            "fma:a=bf16",
            {"c": [1, 2]},
            r"c must be of shape \(1, 1\) or broadcast to it, not \(2,\)",
        ),
        ("fma:a=bf16", {"order": "descent"}, "unknown order 'descent'; did you mean 'descending'"),
        ("fma:a=bf16", {"order": [0, 0]}, "order must be ascending, descending or a permutation"),
        ("fma:a=bf16", {"order": 3}, "order must be ascending, descending or a permutation of 0"),
        ("fma:a=bf16,out=e8m0fnu", {}, "c must be given, for e8m0fnu has no zero"),
    ],
)
def test_mistakes(spec: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        hw.matmul(spec, **({"a": [[1, 2]], "b": [[3], [4]]} | arguments))
