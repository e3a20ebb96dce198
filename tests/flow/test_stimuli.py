"""The vectors that other tests rely on reach the cases that they are for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.energy.measure import operands as usual_operands
from hwarith.flow.stimuli.calls import GROUP_CLASSES, calls_by_class
from hwarith.flow.stimuli.corner_weighted import corner_codes
from hwarith.flow.stimuli.default import GroupStimuli, Stimuli
from hwarith.flow.stimuli.directed import directed
from hwarith.flow.stimuli.families import stimuli_of, stimulus
from hwarith.formats import rounding as r
from hwarith.units.exact.mul import Mul

FLOATS = "fp64 fp32 fp16 bf16 e5m2 e4m3fn e5m2fnuz e2m1fn e8m0fnu ue4m3 binary8p4se e15m112"
INTEGERS = "int1 uint1 int8 uint16 int256"
FORMATS = [*FLOATS.split(), *INTEGERS.split()]


def classes(name: str, codes: np.ndarray) -> set[tuple[int, int]]:
    """The (class, sign) pairs among codes: zero is class 3, a subnormal class 4."""
    f = hw.format(name)
    found = set()
    for code in codes:
        kind, sign, _, significand = r.unpack(int(code), f.numbers)
        if kind == r.FINITE and significand == 0:
            kind = 3
        elif kind == r.FINITE and significand < 1 << f.fraction_bits:
            kind = 4
        found.add((kind, sign))
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_corners_are_codes_each_once(name):
    f = hw.format(name)
    codes = corner_codes(f)
    assert codes.dtype == f.dtype
    assert len(set(codes.tolist())) == codes.size >= 2
    assert f.check(codes).size == codes.size


@pytest.mark.parametrize("name", ["fp64", "fp32", "bf16", "e5m2", "e4m3fn", "e5m2fnuz", "e2m1fn"])
def test_corners_hold_every_class_and_the_ends(name):
    f = hw.format(name)
    everything = f.codes() if f.bits <= 16 else corner_codes(f)
    assert classes(name, corner_codes(f)) == classes(name, everything)
    ends = {f.max, f.min, f.smallest, f.smallest_normal}
    finite = [c for c in corner_codes(f) if r.unpack(int(c), f.numbers)[0] == r.FINITE]
    assert ends <= {f.fraction(c) for c in finite}


def test_few_vectors_are_all_of_them_in_order():
    a, b = stimulus(hw.unit("mul:a=e3m2fn,b=e2m1fn"), 1 << 10)
    assert a.size == 1 << 10
    assert ((a.astype(int) << 4) | b == np.arange(1 << 10)).all()


@pytest.mark.parametrize("name", ["fp64", "bf16", "int32", "e15m112", "int256"])
def test_as_many_vectors_as_asked_the_same_for_a_seed(name):
    unit = hw.unit(f"mul:a={name}")
    first, again, other = stimulus(unit, 500, 1), stimulus(unit, 500, 1), stimulus(unit, 500, 2)
    for x, same, different in zip(first, again, other, strict=True):
        assert x.shape == (500,)
        assert x.dtype == hw.format(name).dtype
        assert (x == same).all()
        assert (x != different).any()


@pytest.mark.parametrize("name", ["fp16", "bf16", "fp32"])
def test_products_reach_every_class(name):
    unit = hw.unit(f"mul:a={name}")
    products = unit(*stimulus(unit, 20_000))
    assert classes(name, products) >= classes(name, corner_codes(hw.format(name))) - {(r.NAN, 1)}


@pytest.mark.parametrize("name", ["fp64", "fp32", "e11m20", "uint64"])
def test_a_quarter_of_the_operands_are_corners(name):
    """In wide formats the uniform quarter has hardly any; and no corner is left out."""
    unit = hw.unit(f"add:a={name}")
    corners = corner_codes(hw.format(name))
    operand = stimulus(unit, 20_000)[0]
    share = np.isin(operand, corners).mean()
    assert 0.23 < share < 0.35, share
    assert set(corners.tolist()) <= set(operand.tolist())


@pytest.mark.parametrize("spec", ["mul:a=fp64", "fma:a=fp32", "add:a=e5m10"])
def test_special_vectors_are_corners(spec):
    for f, column in zip(
        hw.unit(spec).operands.values(), directed(hw.unit(spec), 4000)["special"], strict=True
    ):
        assert column.size > 200
        assert np.isin(column, corner_codes(f)).all()
        assert set(corner_codes(f).tolist()) <= set(column.tolist())


def test_sums_cancel():
    f = hw.format("fp32")
    a, b = (f.decode(x) for x in stimulus(hw.unit("mul:a=fp32"), 20_000))
    finite = np.isfinite(a) & np.isfinite(b) & (a != 0)
    a, b = a[finite], b[finite]
    assert (a + b == 0).sum() > 100
    nearly = (np.abs(a + b) < np.abs(a) * 2.0**-20) & (a + b != 0)
    assert nearly.sum() > 100


# -- stimuli by unit -----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, repr=False)
class Square(Mul):
    """Somebody's own unit, which is only ever given equal factors."""

    family: ClassVar[str] = "square"


@dataclass(frozen=True, kw_only=True, repr=False)
class NarrowSquare(Square):
    """One derived from it."""

    family: ClassVar[str] = "narrow_square"


def test_an_own_unit_has_the_default_until_it_registers_its_own():
    u, derived = Square(a="bf16"), NarrowSquare(a="bf16")
    a, b = stimulus(u, 2000)
    assert type(stimuli_of(u)) is Stimuli
    assert (a != b).any()
    plain = stimulus(hw.unit("mul:a=bf16"), 2000)
    assert all((x == y).all() for x, y in zip((a, b), plain, strict=True))

    @stimuli_of.register(Square)
    class SquareStimuli(Stimuli):
        def refined(self, codes, rng):
            return [codes[0], codes[0]]

        def usual_call(self, operands):
            return tuple(np.sort(x) for x in operands)

    for own in (u, derived):
        factors = stimulus(own, 2000)
        assert all((x == a).all() for x in factors)
    assert type(stimuli_of(hw.unit("mul"))) is Stimuli
    first, second = usual_operands(derived)
    assert (first == second).all()
    assert (np.diff(first.astype(int)) >= 0).all()


def test_families_have_theirs_and_what_they_do_not_change_from_their_bases():
    pe = stimuli_of(hw.unit("fpint:lanes=4,k=24"))
    assert isinstance(pe, GroupStimuli)
    assert (pe.longest_group, pe.usual_group) == (6, 6)
    sums = stimuli_of(hw.unit("mac"))
    assert type(sums) is GroupStimuli
    assert (sums.longest_group, sums.usual_group) == (8, 32)


def test_groups_of_every_length_are_calls_of_a_unit_with_a_memory():
    u = hw.unit("mac:a=bf16")
    classes = calls_by_class(u, 500, seed=3)
    assert {name: len(calls) for name, calls in classes.items()} == dict.fromkeys(
        GROUP_CLASSES, 100
    )
    assert {len(a) for a, _ in classes["random"]} == set(range(1, 9))
    assert {len(a) for a, _ in classes["single"]} == {1}
    assert {len(a) for a, _ in classes["longest"]} == {8}
    operands = stimuli_of(u).operands(2000)
    assert [x.shape for x in stimuli_of(u).usual_call(operands)] == [(62, 32)] * 2


@pytest.mark.parametrize(
    "spec", ["mac:a=bf16", "engine:rows=2,columns=2", "bstile:rows=2,columns=2"]
)
def test_groups_and_tiles_with_and_without_special_operands(spec):
    u = hw.unit(spec)
    classes = calls_by_class(u, 60, seed=3)
    formats = u.units.operand_formats if u.family == "engine" else list(u.operands.values())[:1]
    for name in ("special", "ordinary"):
        assert len(classes[name]) >= 12
        found = []
        for call in classes[name]:
            values = [f.decode(x) for f, x in zip(formats, call, strict=False)]
            if u.family in ("engine", "mac"):
                rest = hw.format("fp32" if u.family == "engine" else "bf16")
                values.append(rest.decode(call[-1]))
            found.append(any(((x == 0) | ~np.isfinite(x)).any() for x in values))
        assert set(found) == {name == "special"}
