"""What users give that is no value, no code or far too long: one short message each."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest

import hwarith as hw
from hwarith.exceptions import listed, quoted, shown
from hwarith.units.bitplane import codes as bipolar
from hwarith.units.bitserial.weights import special_codes

MASKED = np.ma.MaskedArray([1, 2], mask=[False, True])
HUGE = 10**5000
"""More digits than Python writes."""


@pytest.mark.parametrize(
    "take",
    [
        hw.format("bf16").encode,
        hw.format("bf16").decode,
        hw.format("bf16").check,
        hw.unit("convert:a=fp16,out=bf16"),
        lambda x: hw.unit("mul:a=bf16")(3, x),
        lambda x: hw.unit("mac:a=int8")(x, [1, 2]),
        lambda x: hw.matmul("fma:a=bf16", [x], [[1], [2]]),
        lambda x: hw.matmul("fma:a=bf16", [[1, 2]], [[1], [2]], order=x),
        lambda x: hw.quantize([x], "int8"),
        lambda x: bipolar.encode(x, 4),
        lambda x: bipolar.decode(x, 4),
        special_codes,
    ],
)
@pytest.mark.parametrize(
    "masked", [MASKED, np.ma.masked_invalid([1.0, np.nan]), [MASKED[0], MASKED[1]], [[MASKED]]]
)
def test_masked_arrays_are_refused(take: Callable, masked: object) -> None:
    with pytest.raises(hw.InvalidInput, match="must not be a masked array; fill it first"):
        take(masked)


def test_an_array_that_was_filled_is_taken() -> None:
    np.testing.assert_array_equal(hw.format("bf16").encode(MASKED.filled(1)), [0x3F80, 0x3F80])


@pytest.mark.parametrize("empty", [[], np.array([]), np.array([], np.int64), [[]]])
@pytest.mark.parametrize("value", [300, -5, 2**70, HUGE], ids=range(4))
def test_no_code_beside_an_empty_array(empty: object, value: int) -> None:
    with pytest.raises(hw.InvalidInput, match=r"operand [ab] of mul"):
        hw.unit("mul:a=e4m3fn")(empty, value)
    with pytest.raises(hw.InvalidInput, match=r"operand b of mul: .* is not a code of e4m3fn"):
        hw.unit("mul:a=e4m3fn")([], value)


@pytest.mark.parametrize(
    "order", [["0"], [0.0], [True], 0, [[0]], [0, 0], [HUGE], None, {0}], ids=range(9)
)
def test_no_order_of_a_matrix_product(order: object) -> None:
    with pytest.raises(hw.InvalidInput, match="matmul: order must be ascending, descending or a p"):
        hw.matmul("fma:a=bf16", [[1]], [[1]], order=order)


TEXTS = ("x" * 5000, "9" * 5000, "(" * 5000, "\x1b" * 5000, "engine:pe=(" * 900)
OBJECTS = (HUGE, -HUGE, Decimal("1" * 5000), [HUGE] * 5000, {"x" * 5000: 1}, [[[HUGE]]])


def assert_short(take: Callable, given: object) -> None:
    """At most some 300 characters of it, beside what is allowed; nothing that a terminal obeys."""
    with pytest.raises(hw.InvalidInput) as caught:
        take(given)
    message = str(caught.value)
    assert message.isprintable()
    for part in ("x" * 120, "9" * 120, "(" * 120, "x1b" * 50, "engine" * 20):
        assert part not in message
    assert len(message) < 900


@pytest.mark.parametrize("given", TEXTS, ids=range(len(TEXTS)))
@pytest.mark.parametrize(
    "take",
    [
        hw.unit,
        hw.format,
        lambda x: hw.unit(f"mul:a={x}"),
        lambda x: hw.unit(f"mul:{x}=1"),
        lambda x: hw.unit(f"mul:stages={x}"),
        lambda x: hw.unit(f"powdecode:a={x}"),
        lambda x: hw.unit(f"anfma:norm={x}"),
        lambda x: hw.quantize(np.ones((1, 8)), x),
        lambda x: hw.quantize(np.ones((1, 8)), f"fp3:{x}"),
        lambda x: hw.matmul("mul:a=bf16", [[1]], [[1]], order=x),
    ],
)
def test_messages_show_a_part_of_long_texts(take: Callable, given: str) -> None:
    assert_short(take, given)


@pytest.mark.parametrize("given", OBJECTS, ids=range(len(OBJECTS)))
@pytest.mark.parametrize(
    "take",
    [
        hw.unit,
        hw.format,
        lambda x: hw.format("uint8").check(x, "codes"),
        lambda x: hw.format("uint8").encode([{1: x}]),
        lambda x: hw.unit("mul:a=e4m3fn")(x, 1),
        lambda x: type(hw.unit("mul"))(stages=x),
        lambda x: type(hw.unit("powdecode"))(a=x),
        lambda x: hw.quantize(np.ones((1, 8)), x),
        lambda x: hw.quantize(np.ones((1, 8)), "int8", x),
        special_codes,
    ],
)
def test_messages_show_a_part_of_long_objects(take: Callable, given: object) -> None:
    assert_short(take, given)


@pytest.mark.parametrize(
    "name", ["int" + "9" * 5000, "e" + "9" * 5000 + "m3", "binary" + "9" * 5000 + "p3se", "int08"]
)
def test_formats_of_too_many_digits(name: str) -> None:
    with pytest.raises(hw.InvalidInput, match=r"^(unknown )?format '\w+"):
        hw.format(name)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a'b\n", '"a\'b\\n"'),
        (12, "12"),
        (HUGE, "an integer of 16,610 bits"),
        ([1, "x", None], "[1, 'x', None]"),
        (1.5, "1.5"),
    ],
    ids=range(5),
)
def test_quoted(value: object, text: str) -> None:
    assert quoted(value) == text


def test_what_is_long_is_shown_by_its_ends() -> None:
    name = "begin" + "x" * 5000 + "end"
    assert re.fullmatch(r"'beginx+\.\.\.x+end'", quoted(name))
    assert len(quoted(name)) <= 102
    assert re.fullmatch(r"beginx+\.\.\.x+end", shown(name))
    assert len(shown(name)) <= 200
    assert len(listed(["name"] * 1000)) <= 200
    assert listed(["a", "b"]) == "a, b"
    assert shown("tab\t\x1b[2Jµ") == "tab\\t\\x1b[2Jµ"


def test_decimals_without_end() -> None:
    """They are clipped, or rounded to nothing, at once; texts are no values."""
    start = time.process_time()
    for name in ("e5m2", "fp64", "e15m112"):
        f = hw.format(name)
        top = f.encode(f.max)
        assert f.encode(Decimal("1e999999999")) == top
        assert f.encode([Decimal("1e-999999999"), Decimal("1.5")]).tolist() == [0, f.encode(1.5)]
        assert f.encode(Decimal("-1e999999999")) == f.encode(f.min)
        assert f.encode(Decimal("-0")) == f.encode(-0.0)
        assert f.encode(Decimal("Infinity")) == f.encode(float("inf"))
        assert f.encode(Decimal("sNaN")) == f.encode(float("nan"))
    for text in ("1.5", "1e999999999"):
        with pytest.raises(hw.InvalidInput, match="not a number"):
            hw.format("fp32").encode(np.array([text], object))
    assert time.process_time() - start < 2
