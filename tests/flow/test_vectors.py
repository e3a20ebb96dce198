"""Conformance vectors: each class is what it says, each result is the exact one rounded."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.flow.stimuli.directed import CLASSES, directed
from hwarith.units.operations import PRODUCT, SUM
from tests import oracle
from tests.units.test_fma import exact_result

SPECS = (
    "mul:a=e4m3fn",
    "mul:a=e5m2,round=rup",
    "mul:a=fp16",
    "mul:a=bf16,out=fp32",
    "add:a=e4m3fn,round=rtz",
    "add:a=e5m2",
    "add:a=fp16,round=rdn",
    "add:a=bf16,b=fp32,out=fp32",
    "fma:a=e4m3fn",
    "fma:a=e5m2,round=rna",
    "fma:a=fp16,round=rto",
    "fma:a=e4m3fnuz",
    "fma:a=bf16,c=fp32,out=fp32",
    "fma:a=e4m3fn,b=e5m2,c=fp16,out=bf16",
    "fma:a=bf16",
)

Rows = list[tuple[int, ...]]


def parse(text: str) -> tuple[list[str], dict[str, Rows]]:
    """The header, and the rows of each class, read as any user would."""
    header, classes = [], {}
    for line in text.splitlines():
        if match := re.match(r"# class (\w+): ", line):
            rows = classes.setdefault(match[1], [])
        elif line.startswith("#"):
            header.append(line)
        else:
            rows.append(tuple(int(word, 16) for word in line.split(" ")))
    return header, classes


@pytest.fixture(scope="module", params=SPECS)
def case(request: pytest.FixtureRequest) -> tuple[hw.Unit, dict[str, Rows]]:
    unit = hw.unit(request.param)
    return unit, parse(str(hw.vectors(unit, 1500, seed=7)))[1]


def three(unit: hw.Unit, codes: tuple[int, ...]) -> tuple[list[hw.Format], tuple[int, ...]]:
    """A sum as the multiply-add a * 1 + b; others as they are."""
    formats = list(unit.operands.values())
    if unit.operation != SUM:
        return formats, codes
    one = int(formats[0].encode(1))
    return [formats[0], formats[0], formats[1]], (codes[0], one, codes[1])


def terms(unit: hw.Unit, codes: tuple[int, ...]) -> tuple[Fraction, Fraction] | None:
    """The exact product (of a sum: the first operand) and addend, if they are finite."""
    formats, codes = three(unit, codes)
    if not all(np.isfinite(f.decode(c)) for f, c in zip(formats, codes, strict=True)):
        return None
    a, b, *c = (f.fraction(code) for f, code in zip(formats, codes, strict=True))
    return a * b, sum(c, Fraction(0))


def finite_terms(unit: hw.Unit, codes: tuple[int, ...]) -> tuple[Fraction, Fraction]:
    found = terms(unit, codes)
    assert found is not None
    return found


def exact(unit: hw.Unit, codes: tuple[int, ...]) -> Fraction:
    return sum(finite_terms(unit, codes), Fraction(0))


def is_tie(unit: hw.Unit, codes: tuple[int, ...]) -> bool:
    if terms(unit, codes) is None or not 0 < abs(exact(unit, codes)) < unit.out.max:
        return False
    x = abs(exact(unit, codes))
    _, low, high = oracle.bracket(x, unit.out)
    return 2 * x == low + high


def neighbours(unit: hw.Unit, codes: tuple[int, ...]) -> Rows:
    found = []
    for i, f in enumerate(unit.operands.values()):
        for by in (-1, 1):
            code = (codes[i] + by) % (1 << f.bits)
            found.append((*codes[:i], code, *codes[i + 1 :]))
    return found


def lsb_exponent(f: hw.Format, code: int) -> int:
    field = code >> f.fraction_bits & ((1 << f.exponent_bits) - 1)
    return max(field, 1) - f.bias - f.fraction_bits


def test_results_are_exact_ones_rounded_once(case: tuple[hw.Unit, dict[str, Rows]]) -> None:
    unit, classes = case
    for name, rows in classes.items():
        for *operands, y in rows:
            formats, codes = three(unit, tuple(operands))
            same = SimpleNamespace(
                operands=dict(enumerate(formats)),
                out=unit.out,
                round=unit.round,
                overflow=unit.overflow,
            )
            assert y == exact_result(same, codes), (name, [hex(x) for x in operands])


def test_halfway(case: tuple[hw.Unit, dict[str, Rows]]) -> None:
    unit, classes = case
    assert classes["halfway"]
    assert all(is_tie(unit, row[:-1]) for row in classes["halfway"])
    for row in classes["near_halfway"]:
        assert not is_tie(unit, row[:-1])
        assert any(is_tie(unit, codes) for codes in neighbours(unit, row[:-1]))


def test_sticky(case: tuple[hw.Unit, dict[str, Rows]]) -> None:
    unit, classes = case
    assert classes["sticky"]
    for row in classes["sticky"]:
        x = abs(exact(unit, row[:-1]))
        _, low, high = oracle.bracket(x, unit.out)
        distance = min(abs(x - y) for y in (low, (low + high) / 2, high))
        assert 0 < distance <= (high - low) / 16


def test_sums_cancel(case: tuple[hw.Unit, dict[str, Rows]]) -> None:
    unit, classes = case
    if unit.operation == PRODUCT:
        assert "cancellation" not in classes
        return
    operands = [row[:-1] for row in classes["cancellation"]]
    lost = [(exact(unit, codes), finite_terms(unit, codes)[1]) for codes in operands]
    least = list(unit.operands.values())[-1].precision // 2
    assert all(abs(x) < abs(c) * Fraction(2) ** (1 - least) for x, c in lost)
    assert sum(x == 0 for x, _ in lost) > 3
    assert sum(x != 0 for x, _ in lost) > 3


def test_terms_of_sums_meet_at_every_distance(case: tuple[hw.Unit, dict[str, Rows]]) -> None:
    unit, classes = case
    if unit.operation == PRODUCT:
        assert "alignment" not in classes
        return
    *first, last = unit.operands.values()
    exponents = [
        [lsb_exponent(f, code) for f, code in zip((*first, last), row, strict=False)]
        for row in classes["alignment"]
    ]
    found = {c - sum(others) for *others, c in exponents}
    top = [lsb_exponent(f, f.numbers.max_mag) for f in (*first, last)]
    lsb = [f.numbers.lsb for f in (*first, last)]
    width = sum(f.precision for f in first)
    beyond = unit.out.precision + 3
    low = max(-last.precision - beyond, lsb[-1] - sum(top[:-1]))
    high = min(width + beyond, top[-1] - sum(lsb[:-1]))
    assert found == set(range(low, high + 1))


def test_subnormal_operands_with_all_leading_zeros(case: tuple[hw.Unit, dict[str, Rows]]) -> None:
    unit, classes = case
    for i, f in enumerate(unit.operands.values()):
        magnitudes = {row[i] & f.numbers.mag_mask for row in classes["normalization"]}
        subnormal = {x for x in magnitudes if 0 < x < 1 << f.fraction_bits}
        assert {x.bit_length() for x in subnormal} == set(range(1, f.fraction_bits + 1))


def test_ends_of_the_range(case: tuple[hw.Unit, dict[str, Rows]]) -> None:
    unit, classes = case
    f = unit.out
    of_class = {
        name: [abs(exact(unit, row[:-1])) for row in classes.get(name, [])]
        for name in ("subnormal", "subnormal_border", "overflow", "overflow_border")
    }
    if unit.spec.startswith("fma:a=e4m3fn,b=e5m2,c=fp16,out=bf16"):
        assert not any(of_class.values())  # these operands reach none of them
        return
    assert all(0 < x < f.smallest_normal for x in of_class["subnormal"])
    sums = unit.operation == SUM  # of which none is below the smallest step
    assert sums or any(x < f.smallest / 2 for x in of_class["subnormal"])
    assert min(map(len, of_class.values())) > 5
    assert all(x >= oracle.beyond(f) for x in of_class["overflow"])
    threshold = oracle.beyond(f) / 2 + f.max / 2
    above = [x >= threshold for x in of_class["overflow_border"]]
    assert True in above
    assert False in above
    assert all(threshold / 2 < x < threshold * 2 for x in of_class["overflow_border"])
    for border in (f.smallest_normal, f.smallest / 2)[: 1 if sums else 2]:
        close = [x for x in of_class["subnormal_border"] if border / 2 <= x <= border * 3 / 2]
        assert {x < border for x in close} == {True, False}


def test_special_operands(case: tuple[hw.Unit, dict[str, Rows]]) -> None:
    unit, classes = case
    values = unit.a.decode(np.array([row[0] for row in classes["special"]]))
    assert (values == 0).any()
    assert np.isnan(values).any()
    assert np.isinf(values).any() == unit.a.infinity
    assert (abs(values) == float(unit.a.max)).any()


ODD_SPECS = (
    "mul:a=int8",
    "add:a=int8,out=int8,overflow=saturate",
    "convert:a=fp32,out=int8",
    "convert:a=fp32,out=e4m3fn,round=sra,n=8",
    "cmp:a=bf16",
    "mul:a=e8m0fnu",
    "add:a=ue4m3",
    "fma:a=fp16,round=port,op=port,flags=after",
    "fma:a=fp16,b=int4,c=fp32,out=fp32",
    "lmul:format=fp16",
    "fma:a=bf16,subnormals=flush",
    "paexp2:format=bf16",
)


@cache
def classes_of(spec: str) -> dict[str, tuple[np.ndarray, ...]]:
    return directed(hw.unit(spec), 400, seed=3)


def operand_values(unit: hw.Unit, classes: dict[str, tuple], name: str) -> list[np.ndarray]:
    """Decoded operands of a class, of those operands that are numbers."""
    formats = unit.operands.items()
    columns = zip(formats, classes[name], strict=True)
    return [f.decode(x).astype(float) for (port, f), x in columns if port not in ("rm", "op", "r")]


@pytest.mark.parametrize("spec", [*SPECS, *ODD_SPECS])
def test_special_vectors_have_a_special_operand(spec: str) -> None:
    unit = hw.unit(spec)
    values = operand_values(unit, classes_of(spec), "special")
    special = np.array([(x == 0) | np.isnan(x) | np.isinf(x) for x in values])
    assert special.shape[1] > 10
    assert special.any(axis=0).all()


@pytest.mark.parametrize("spec", [*SPECS, *ODD_SPECS])
def test_vectors_at_the_ends_have_all_operands_there(spec: str) -> None:
    unit = hw.unit(spec)
    classes = classes_of(spec)
    formats = [f for name, f in unit.operands.items() if name not in ("rm", "op", "r")]
    for f, values in zip(formats, operand_values(unit, classes, "ends"), strict=True):
        ends = {float(f.max), float(-f.min), float(f.min)}
        if f.is_float:
            step = Fraction(2) ** f.numbers.lsb
            ends |= {float(f.smallest_normal), float(f.smallest)}
            ends.add(float(f.smallest if f.hidden_always else f.smallest_normal - step))
        found = set(values.tolist() if not f.is_float else abs(values).tolist())
        assert found <= ends - {0.0}
        assert float(f.max) in found


@pytest.mark.parametrize("spec", ["lmul:format=fp16", "fma:a=bf16,subnormals=flush"])
def test_classes_of_units_that_take_subnormals_as_zeros(spec: str) -> None:
    unit = hw.unit(spec)
    classes = directed(unit, 1500, seed=3)
    out = next(iter(unit.results.values()))
    for name in ("halfway", "sticky", "overflow", "subnormal"):
        rows = list(zip(*(x.tolist() for x in classes[name]), strict=True))
        assert len(rows) > 20
        for codes in rows:
            a, b, *c = (
                x if abs(x := f.fraction(code)) >= f.smallest_normal else Fraction(0)
                for f, code in zip(unit.operands.values(), codes, strict=True)
            )
            x = abs(a * b + sum(c, Fraction(0)))
            _, low, high = oracle.bracket(x, out)
            distance = min(abs(x - y) for y in (low, (low + high) / 2, high))
            assert {
                "halfway": 2 * x == low + high and x < out.max,
                "sticky": 0 < distance <= (high - low) / 16,
                "overflow": x >= oracle.beyond(out),
                "subnormal": 0 < x < out.smallest_normal,
            }[name], (name, [hex(code) for code in codes])


@pytest.mark.parametrize(
    "spec",
    [
        "convert:a=fp16,out=int8",
        "convert:a=bf16,out=uint4",
        "convert:a=fp32,out=mxint8_element",
        "convert:a=int16,out=int8",
        "add:a=int8,out=int8,overflow=saturate",
        "mul:a=int8,out=int8,overflow=saturate",
        "fma:a=int8,b=int8,c=int16,out=int16",
    ],
)
def test_classes_of_integer_results(spec: str) -> None:
    """Ties and what is beside them where operands are finer than the result; overflow at both
    ends, of which the lower one of signed integers is a step further away."""
    unit = hw.unit(spec)
    classes = directed(unit, 1500, seed=3)
    out = next(iter(unit.results.values()))
    step = Fraction(2) ** out.exponent
    rounds = next(iter(unit.operands.values())).is_float
    assert {"halfway", "sticky", "near_halfway"} & classes.keys() == (
        {"halfway", "sticky", "near_halfway"} if rounds else set()
    )
    assert not {"subnormal", "subnormal_border", "alignment"} & classes.keys()

    def steps(name: str) -> list[Fraction]:
        rows = zip(*(x.tolist() for x in classes[name]), strict=True)
        values = (
            [f.fraction(code) for f, code in zip(unit.operands.values(), row, strict=True)]
            for row in rows
        )
        exacts = (
            {"convert": lambda a: a, "add": lambda a, b: a + b, "mul": lambda a, b: a * b}.get(
                unit.family, lambda a, b, c: a * b + c
            )(*row)
            for row in values
        )
        return [x / step for x in exacts]

    low, high = out.min / step, out.max / step
    over = steps("overflow")
    assert len(over) > 50
    assert all(x >= high + 1 or x <= low - 1 for x in over)
    assert {x > 0 for x in over} == ({True, False} if out.signed else {True})
    if rounds:
        assert all(x % 1 == Fraction(1, 2) and low <= x <= high for x in steps("halfway"))
        assert all(
            0 < min(x % Fraction(1, 2), -x % Fraction(1, 2)) <= Fraction(1, 16)
            for x in steps("sticky")
        )
        assert len(steps("halfway")) > 50


def test_results_below_an_unsigned_range_are_of_no_class() -> None:
    """No tie, and no overflow: they all become the same code."""
    unit = hw.unit("fma:a=e4m3fn,out=ue4m3,c=e4m3fn")
    classes = directed(unit, 2000, seed=3)
    for name in ("halfway", "sticky", "subnormal", "subnormal_border", "overflow"):
        rows = list(zip(*(x.tolist() for x in classes[name]), strict=True))
        assert rows
        assert all(exact(unit, codes) > 0 for codes in rows)


@pytest.mark.parametrize("spec", [*SPECS[::3], *ODD_SPECS])
def test_every_class_has_a_vector_before_any_has_two(spec: str) -> None:
    unit = hw.unit(spec)
    every = [name for name, columns in classes_of(spec).items() if columns[0].size]
    few = hw.vectors(unit, 20, seed=3)
    assert set(every) - {"random"} == set(few.counts) - {"random"}
    assert sum(few.counts.values()) == 20
    first = few.classes[: len(few.counts)].tolist()
    assert len(set(first)) == len(first)
    three = hw.vectors(unit, 3, seed=3)
    assert three.classes.tolist() == every[:3]


# -- the text ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 10, 333])
@pytest.mark.parametrize("spec", ["fma:a=fp32", "mul:a=int8", "lmul:format=bf16", "mul:a=fp64"])
def test_as_many_as_asked_in_order_of_the_header(spec: str, n: int) -> None:
    text = str(hw.vectors(spec, n, seed=3))
    assert text == str(hw.vectors(spec, n, seed=3))
    header, classes = parse(text)
    assert sum(map(len, classes.values())) == n
    assert header[0] == f"# {hw.unit(spec).spec}"
    counts = dict(re.findall(r"^#   (\w+) (\d+): ", "\n".join(header), re.MULTILINE))
    assert {name: len(rows) for name, rows in classes.items()} == {
        name: int(count) for name, count in counts.items() if count != "0"
    }
    assert [name for name in CLASSES if name in counts] == list(counts)


def test_a_seed_changes_them() -> None:
    one, two = (str(hw.vectors("mul:a=bf16", 50, seed=seed)) for seed in (1, 2))
    assert one.splitlines()[-1] != two.splitlines()[-1]


def test_codes_have_a_fixed_width() -> None:
    lines = str(hw.vectors("fma:a=e2m1fn,b=e5m2,c=fp16,out=tf32", 100)).splitlines()
    rows = [x for x in lines if not x.startswith("#")]
    assert all(re.fullmatch("[0-9A-F] [0-9A-F]{2} [0-9A-F]{4} [0-9A-F]{5}", x) for x in rows)


def test_all_vectors_if_there_are_no_more() -> None:
    _, classes = parse(str(hw.vectors("mul:a=e2m1fn", 1000)))
    unit = hw.unit("mul:a=e2m1fn")
    assert list(classes) == ["all"]
    assert classes["all"] == [(a, b, unit(a, b)) for a in range(16) for b in range(16)]


def test_classes_that_cannot_be_met_leave_their_share_to_random_ones() -> None:
    """Products of e4m3fn are exact in fp32."""
    found = directed(hw.unit("mul:a=e4m3fn,out=fp32"), 1000)
    sizes = {name: columns[0].size for name, columns in found.items()}
    for name in ("halfway", "near_halfway", "sticky", "subnormal", "overflow"):
        assert sizes[name] == 0
    assert sizes["random"] > 500
    assert sum(sizes.values()) == 1000


def test_operands_beside_the_exact_result_are_random() -> None:
    unit = hw.unit("convert:a=fp32,out=e4m3fn,round=sra,n=8")
    a, bits = directed(unit, 1500)["halfway"]
    values = [abs(unit.a.fraction(int(code))) for code in a]
    brackets = [oracle.bracket(x, unit.out) for x in values]
    assert all(2 * x == low + high for x, (_, low, high) in zip(values, brackets, strict=True))
    assert len(set(bits.tolist())) > 50


def test_a_class_that_misses_its_condition_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above would fail: without its condition, half the candidates are no ties."""
    monkeypatch.setattr(
        "hwarith.flow.stimuli.candidates.Candidates.is_halfway", lambda self, codes: True
    )
    unit = hw.unit("fma:a=bf16")
    a, b, c = directed(unit, 1500)["halfway"]
    rows = zip(a.tolist(), b.tolist(), c.tolist(), strict=True)
    assert not all(is_tie(unit, row) for row in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mull:a=bf16",), "unknown unit 'mull'; did you mean 'mul'"),
        (("mul:a=bf16", 0), "vectors: n must be an integer, 1 to 10000000, not 0"),
        (("mul:a=bf16", 2.5), "vectors: n must be an integer, 1 to 10000000, not 2.5"),
        (("mul:a=bf16", 5, -1), "vectors: seed must be an integer, 0 to 4294967295, not -1"),
    ],
)
def test_mistakes(arguments: tuple, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        hw.vectors(*arguments)
