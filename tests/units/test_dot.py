"""Dot products: the exact sum against fractions, the hardware against the definition, the rest."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.flow.stimuli.families import stimulus
from hwarith.golden import rows
from hwarith.units.dot import PRESETS
from tests import flag_oracle
from tests.evidence import assert_rtl_equals_golden, compared
from tests.faults import faulty
from tests.flag_oracle import NV, NX, OF
from tests.oracle import infinity, nan, round_exact
from tests.tiers import few

EXACT_SPECS = [
    "dot:a=e4m3fn,n=4",
    "dot:a=e4m3fn,n=8,scale=e8m0fnu,block=4,out=bf16,c=bf16,round=rup",
    "dot:a=e2m1fn,n=8,scale=ue4m3,block=4,round=rdn",
    "dot:a=e5m2,n=4,scale=e8m0fnu,round=rtz",
    "dot:a=int8,b=e4m3fn,n=4,out=fp16,c=fp32",
    "dot:a=bf16,n=2,c=none,out=bf16",
    "dot:a=int4,n=4,scale=ue4m3",
    "dot:a=e3m2fn,b=e5m2fnuz,n=3,out=e5m2,c=fp16,round=rto",
]


def value(f: hw.Format, code: int) -> Fraction | float:
    """A code's value; an infinity or NaN as a float."""
    x = float(f.decode(np.array([code], f.dtype))[0])
    return f.fraction(code) if np.isfinite(x) else x


def expected(u: hw.Unit, row: list) -> int:
    """The code of one dot product, by fractions, float infinities and the rules for zeros."""
    a, b, *rest = row
    c = rest.pop() if u.addend else None
    scales = [[value(u.scale, x) for x in codes] for codes in rest]
    terms, signs, infinite = [], [], []
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        factors = [value(u.a, x), value(u.b, y), *(s[i // u.block] for s in scales)]
        sign = sum(code >> (f.bits - 1) & f.signed for code, f in ((x, u.a), (y, u.b))) % 2
        signs.append(sign)
        if all(isinstance(z, Fraction) for z in factors):
            product = Fraction(1)
            for z in factors:
                product *= z
            terms.append(product)
        elif any(isinstance(z, float) and np.isnan(z) for z in factors) or 0 in factors:
            return nan(u.out)
        else:
            infinite.append(sign)
    if c is not None:
        x, sign = value(u.addend, c), c >> (u.addend.bits - 1) & u.addend.signed
        signs.append(sign)
        if isinstance(x, Fraction):
            terms.append(x)
        elif np.isnan(x):
            return nan(u.out)
        else:
            infinite.append(sign)
    if infinite:
        return nan(u.out) if len(set(infinite)) == 2 else infinity(infinite[0], u.out)
    zero = signs[0] if len(set(signs)) == 1 else int(u.round == "rdn")
    return round_exact(sum(terms, Fraction(0)), u.out, u.round, u.overflow, zero)


@pytest.mark.parametrize("spec", few(EXACT_SPECS, 4))
def test_exact_sum_against_fractions(spec):
    u = hw.unit(spec)
    operands = stimulus(u, 400)
    results = u(*operands)
    for row, got in zip(zip(*(x.tolist() for x in operands), strict=True), results, strict=True):
        assert int(got) == expected(u, list(row)), row
    compared(EXACT, len(results), u)


def test_a_truncated_sum_that_is_too_large_is_no_zero():
    """The only NaN of a format without -0 is the code of one."""
    u = hw.unit("dot:a=e5m2,n=2,acc=trunc-9,c=e4m3fnuz,out=e4m3fnuz")
    big = u.a.encode(np.full(2, 1024.0))
    assert u(big, big, 0) == 0x80


def test_integers_are_aligned_by_the_msb_that_they_may_have():
    """The exponents are 0 and 3, whatever the integers are; two bits below are multiples of 2."""
    u = hw.unit("dot:a=e2m1fn,b=int4,n=2,acc=trunc-2,c=fp16")
    a, b = u.a.encode(np.array([1.5, 1.0])), np.array([7, 1], np.uint8)
    assert u.out.decode(u(a, b, 0)) == 10  # 10.5 is cut to 10, and 1 to 0
    assert u.out.decode(u(a, b, u.out.encode(1.5))) == 10


@pytest.mark.parametrize(
    ("spec", "hot"),
    [
        ("dot:preset=h100-fp16-fp32", False),
        pytest.param("dot:preset=cdna3-e5m2fnuz-fp32", False, marks=pytest.mark.long),
        ("dot:preset=b200-nvfp4", False),
        pytest.param(EXACT_SPECS[1], False, marks=pytest.mark.long),
        ("dot:preset=v100-fp16-fp16", True),
        pytest.param(EXACT_SPECS[0], True, marks=pytest.mark.long),
        pytest.param(EXACT_SPECS[2], True, marks=pytest.mark.long),
    ],
)
def test_interpreted_and_compiled_definitions_agree(spec, hot, monkeypatch):
    """In general, and for constants that are known; on corners, and on sums that are the greatest
    ones, one operand of which is the same for all rows."""
    monkeypatch.setattr(rows, "HOT", 0 if hot else 1 << 40)
    u = hw.unit(spec)
    operands = list(stimulus(u, 300))
    formats = [u.a, u.b, *([u.scale] * 2 if u.scale else []), u.addend]
    for i, (x, f) in enumerate(zip(operands, formats, strict=True)):
        greatest = f.encode(np.full(x[:100].shape, float(f.max)))
        operands[i] = np.concatenate((x, greatest))
    for given in (operands, [operands[0], operands[1][-1], *operands[2:]]):
        each = np.broadcast_arrays(given[0], given[1])
        each = zip(*(x.tolist() for x in (*each, *given[2:])), strict=True)
        assert u(*given).tolist() == [u.golden(*row) for row in each]


RTL_SPECS = [
    "dot:a=e4m3fn,n=4",
    "dot:a=e2m1fn,n=16,scale=ue4m3",
    "dot:a=e2m1fn,n=8,scale=ue4m3,block=4,c=none",
    "dot:a=e5m2,n=2,scale=e8m0fnu,round=rdn",
    "dot:a=e4m3fn,n=2,c=none,out=exact",
    "dot:a=int8,b=e4m3fn,n=3,c=fp16,out=fp16,overflow=saturate",
    "dot:a=int8,n=8,scale=e8m0fnu",
    "dot:a=int4,b=uint3,n=4,scale=ue4m3,block=2",
    "dot:a=int4,n=4,scale=ue4m3,c=none,out=bf16",
    "dot:a=int8,b=int3,n=3,c=fp32,out=fp32",
    "dot:preset=v100-fp16-fp16",
    "dot:a=bf16,n=4,acc=trunc-25,round=rtz,overflow=toinf,nan=ones",
    "dot:a=e2m1fn,n=8,scale=ue4m3,block=4,group=4,acc=trunc-35,floor=-139,round=rtz",
    "dot:a=e2m1fn,n=4,acc=halves-9,c=e5m2,out=e5m2,nan=ones",
    "dot:a=e4m3fn,n=3,acc=pairwise,c=e5m2,out=e5m2,subnormals=zero",
    "dot:a=e5m2fnuz,n=4,acc=floor2-24",
    "dot:a=bf16,n=2,acc=floor-24",
    "dot:a=e4m3fn,n=3,scale=e8m0fnu,acc=seq,c=bf16,out=bf16,subnormals=flush",
    "dot:a=e5m2,n=2,acc=trunc-9,c=e4m3fnuz,out=e4m3fnuz",
    "dot:a=e2m1fn,n=2,acc=trunc-9,c=binary8p4ue,out=binary8p4ue,round=rtz",
    "dot:a=e4m3fn,n=2,acc=seq,c=ue4m3,out=ue4m3,subnormals=zero",
    "dot:a=e4m3fn,n=2,c=binary8p4se,out=bf16",
    "dot:a=e2m1fn,n=2,acc=trunc-9,c=e4m3fn,out=e4m3fn,nan=ones",
    "dot:a=uint4,b=e2m1fn,n=2,acc=trunc-4,c=int8,out=fp16",
]


@pytest.mark.parametrize("spec", few(RTL_SPECS, 3))
def test_hardware_is_the_definition(spec):
    assert_rtl_equals_golden(spec, 1 << 15)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(PRESETS))
def test_hardware_of_presets_is_the_definition(name):
    assert_rtl_equals_golden(f"dot:preset={name}", 1 << 18)


@pytest.mark.parametrize("scale", ["", ",scale=e8m0fnu"])
def test_all_pairs_of_four_bit_elements(scale):
    """Two products, every code of every factor, scales of any code."""
    u = hw.unit(f"dot:a=e2m1fn,n=2,c=none,out=bf16{scale}")
    codes = np.stack(np.meshgrid(*[np.arange(16, dtype=np.uint8)] * 4, indexing="ij"), -1)
    codes = codes.reshape(-1, 4)
    operands = [codes[:, :2], codes[:, 2:]]
    if scale:
        rng = np.random.default_rng(3)
        operands += [rng.integers(0, 256, (len(codes), 1), np.uint8) for _ in range(2)]
    got, simulated = u(*operands), hw.simulate(u)(*operands)
    assert (got == simulated).all()
    a, b = (u.a.decode(x) for x in operands[:2])
    exact = (a * b).sum(axis=1)
    if scale:
        with np.errstate(over="ignore"):
            exact = exact * np.prod([u.scale.decode(x)[:, 0] for x in operands[2:]], axis=0)
    finite = np.isfinite(exact)
    assert (
        u.out.decode(got)[finite] == u.out.decode(u.out.encode(exact, overflow="nosat"))[finite]
    ).all()


def test_a_pipelined_dot_product_streams():
    u = hw.unit("dot:a=e2m1fn,n=2,c=none,out=e5m2,stages=2")
    operands = stimulus(u, 3000)
    sim = hw.simulate(u)
    assert (sim(*operands) == u(*operands)).all()
    assert (sim.stream(*operands, idle=0.3, stall=0.3) == u(*operands)).all()
    assert hw.regress(u).failed == 0


@pytest.mark.parametrize("spec", ["dot:a=e4m3fn,n=8", "dot:preset=h100-fp16-fp32"])
def test_order_of_lanes_does_not_matter_where_the_sum_is_one(spec):
    u = hw.unit(spec)
    a, b, c = stimulus(u, 2000)
    order = np.random.default_rng(1).permutation(u.n)
    assert (u(a, b, c) == u(a[:, order], b[:, order], c)).all()


def test_zero_lanes_change_nothing_in_truncated_sums():
    u, wide = hw.unit("dot:preset=a100-fp16-fp32"), hw.unit("dot:preset=h100-fp16-fp32")
    a, b, c = stimulus(wide, 2000)
    a[:, 8:], b[:, 8:] = 0, 0
    narrow = hw.unit("dot:a=fp16,n=8,acc=trunc-25,round=rtz,overflow=toinf,nan=ones")
    assert (wide(a, b, c) == narrow(a[:, :8], b[:, :8], c)).all()
    assert (wide(a, b, c) != u(a[:, :8], b[:, :8], c)).any()


def test_longer_products_go_on_from_what_came_before():
    u = hw.unit("dot:a=e2m1fn,n=16,scale=ue4m3")
    rng = np.random.default_rng(5)
    a, b = rng.integers(0, 16, (2, 6, 48), np.uint8)
    sa, sb = rng.integers(0, 126, (2, 6, 3), np.uint8)
    c = u.c.encode(rng.normal(size=6))
    acc = c
    for i in range(3):
        lanes = slice(16 * i, 16 * i + 16)
        acc = u(a[:, lanes], b[:, lanes], sa[:, i : i + 1], sb[:, i : i + 1], acc)
    assert (u.dot(a, b, c, sa, sb) == acc).all()


def test_exact_fixed_point_sum_just_fits():
    u = hw.unit("dot:a=e4m3fn,n=8,c=none,out=exact")
    f, most = u.results["y"], u.a.encode(448)
    ones = np.full((1, 8), most, np.uint8)
    got = u(ones, ones)
    exact = 8 * Fraction(448) ** 2
    assert f.fraction(int(got.y[0])) == exact
    assert int(f.max * 2 / f.smallest) > int(exact / f.smallest) >= int(f.max / f.smallest) // 2
    negative = u(ones, ones | 0x80)
    assert f.fraction(int(negative.y[0])) == -exact
    assert u(np.full((1, 8), 0x7F, np.uint8), ones).invalid[0] == 1


@pytest.mark.parametrize("acc", few(["exact", "trunc-25,floor=-133"], 2))
def test_fraction_bits_that_are_not_kept_are_zeros(acc):
    """As a narrower format rounds the sum, in the places of the wider one; NaN and infinity too."""
    given = f"dot:a=fp16,n=4,acc={acc},c=fp32"
    u, narrow = hw.unit(f"{given},out=fp32,keep=7"), hw.unit(f"{given},out=bf16")
    operands = stimulus(u, 2000)
    y = u(*operands)
    np.testing.assert_array_equal(y, narrow(*operands).astype(np.uint32) << 16)
    assert {0x7FC00000, 0x7F800000} <= set(y.tolist())
    np.testing.assert_array_equal(hw.simulate(u)(*operands), y)


@pytest.mark.parametrize(
    ("spec", "mode"),
    few(
        [
            ("dot:a=e5m2,n=2,c=fp16,out=fp16", "rne"),
            ("dot:a=e5m2,b=e4m3fn,n=3,c=none,out=e4m3fn", "rup"),
            ("dot:a=fp16,b=e3m4,n=2,c=bf16,out=e5m2,overflow=saturate", "rtz"),
            ("dot:a=e4m3,b=int4,n=4,scale=ue4m3,c=fp32,out=e4m3", "rdn"),
        ],
        2,
    ),
)
def test_flags_of_an_exact_sum(spec, mode):
    """Of the sum as one operation, worked out from fractions; the result is that without flags."""
    for before in (False, True):
        u = hw.unit(f"{spec},round={mode},flags={'before' if before else 'after'}")
        operands = stimulus(u, 500)
        found = u(*operands)
        np.testing.assert_array_equal(found.y, hw.unit(f"{spec},round={mode}")(*operands))
        given = dict(zip(u.operands, operands, strict=True))
        expected = []
        for row in range(len(found.y)):
            factors = [
                [(f, int(given[x][row, i * n // u.n])) for x, (f, n) in u.lane_formats.items()]
                for i in range(u.n)
            ]
            addends = [(u.addend, int(given["c"][row]))] if u.addend else []
            expected.append(flag_oracle.of_sum(u, factors, addends, mode, before))
        np.testing.assert_array_equal(found.flags, expected)
        assert set(expected) >= {0, NV, NX, OF | NX}
        compared(EXACT, len(expected), u)


@pytest.mark.parametrize(
    "spec",
    [
        "dot:a=fp16,n=1,c=fp32",
        "dot:a=fp16,n=3,c=fp16,out=fp16,acc=seq",
        "dot:a=e5m2,n=4,c=bf16,out=bf16,acc=seq,subnormals=flush,round=rup",
        "dot:a=e5m2,n=4,c=none,out=e5m2,acc=seq",
    ],
)
def test_flags_of_sums_in_order_are_those_of_all_multiply_adds(spec):
    u = hw.unit(f"{spec},flags=after")
    options = f"round={u.round},flags=after,subnormals={u.subnormals}"
    operands = stimulus(u, 3000)
    a, b = operands[:2]
    first = hw.unit(f"fma:a={u.a},b={u.b},c={u.addend or u.out},out={u.out},{options}")
    step = hw.unit(f"fma:a={u.a},b={u.b},c={u.out},out={u.out},{options}")
    if u.addend:
        y, flags = first(a[:, 0], b[:, 0], operands[2])
    else:
        y, flags = hw.unit(f"mul:a={u.a},b={u.b},out={u.out},{options}")(a[:, 0], b[:, 0])
    for i in range(1, u.n):
        y, more = step(a[:, i], b[:, i], y)
        flags |= more
    found = u(*operands)
    np.testing.assert_array_equal(found.y, y)
    np.testing.assert_array_equal(found.flags, flags)
    assert len(set(flags.tolist())) >= 3


def test_flags_of_a_tree_are_those_of_all_its_roundings():
    u = hw.unit("dot:a=e5m2,n=3,c=fp32,out=e5m2,acc=pairwise,flags=after")
    a, b, c = stimulus(u, 3000)
    mul = hw.unit("mul:a=e5m2,flags=after")
    p, q, r = (mul(a[:, i], b[:, i]) for i in range(3))
    pq = hw.unit("add:a=e5m2,flags=after")(p.y, q.y)
    pqr = hw.unit("add:a=e5m2,flags=after")(pq.y, r.y)
    y = hw.unit("add:a=e5m2,b=fp32,out=e5m2,flags=after")(pqr.y, c)
    found = u(a, b, c)
    np.testing.assert_array_equal(found.y, y.y)
    flags = p.flags | q.flags | r.flags | pq.flags | pqr.flags | y.flags
    np.testing.assert_array_equal(found.flags, flags)


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "dot:a=e5m2,n=2,c=fp16,out=fp16,flags=after",
            "dot:a=fp16,n=3,c=fp16,out=fp16,acc=seq,flags=after",
            "dot:a=e4m3,b=int4,n=4,scale=ue4m3,c=none,out=e4m3,flags=before,round=rup",
            "dot:a=e5m2,n=4,c=fp16,out=fp16,acc=pairwise,flags=before",
            "dot:a=fp16,n=2,c=int8,out=int8,flags=after",
            "dot:a=fp16,n=2,keep=10,flags=after,stages=3",
            "dot:a=bf16,n=2,scale=e8m0fnu,block=1,c=none,flags=after",
        ],
        4,
    ),
)
def test_flags_of_the_hardware(spec):
    assert_rtl_equals_golden(spec, 20_000)


def test_a_fault_in_the_hardware_is_seen():
    u = hw.unit("dot:preset=v100-fp16-fp32")
    operands = stimulus(u, 4000)
    wrong = hw.simulate(u, faulty(u, r"a1_sign = a\[31\]", "a1_sign = a[30]"))
    assert (wrong(*operands) != u(*operands)).any()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("dot:n=65", "must be 1 to 64"),
        ("dot:n=12,scale=e8m0fnu,block=8", "block: must divide n=12, not 8"),
        ("dot:block=4", "there are no scales"),
        ("dot:scale=fp8", "e8m0fnu"),
        ("dot:scale=bf16", "must be e8m0fnu or ue4m3 or none, not bf16"),
        ("dot:acc=trunc", "trunc-F"),
        ("dot:acc=trunc-61", "from 1 to 60"),
        ("dot:floor=-100", "acc=exact has none"),
        ("dot:group=4", "for acc=trunc-F with scales"),
        ("dot:out=int32,c=fp32,acc=trunc-13", "rounds to a float, not to int32"),
        ("dot:a=fp64", "up to 32 bits"),
        ("dot:acc=halves-25,n=6", "multiple of 4"),
        ("dot:acc=trunc-25,subnormals=flush", "is for acc=exact or seq"),
        ("dot:acc=floor-24,c=fp16", "for c and out in fp32 alone"),
        ("dot:acc=floor-23", "F of at least 24"),
        ("dot:keep=30", "fewer fraction bits"),
        (
            "dot:flags=after,acc=trunc-13",
            "there are none with acc=trunc-13; allowed: sums of floats",
        ),
        ("dot:a=int8,flags=after", "there are none with integers alone"),
        ("dot:out=exact,flags=after", "there are none with out=exact"),
        ("dot:preset=v100-fp16-fp32,flags=after", "preset v100-fp16-fp32 says what flags is"),
        ("dot:keep=2,out=e4m3fn", "IEEE's infinities and NaN"),
        ("dot:keep=10,acc=halves-25", "with acc=exact or trunc-F"),
        ("dot:preset=h100-fp16-fp23", "h100-fp16-fp32"),
        ("dot:preset=h100-fp16-fp32,n=4", "preset h100-fp16-fp32 says what n is"),
        ("dot:out=exact,c=fp32", "out=exact is the sum of products alone"),
        ("dot:c=e8m0fnu", "with a zero"),
    ],
)
def test_wrong_parameters(spec, words):
    with pytest.raises(hw.InvalidInput, match=words) as caught:
        hw.unit(spec)
    assert "\n" not in str(caught.value)


def test_wrong_operands():
    u = hw.unit("dot:a=e4m3fn,n=8,scale=e8m0fnu")
    a, s, c = np.zeros((3, 8), np.uint8), np.zeros((3, 1), np.uint8), np.zeros(3, np.uint32)
    wrong = [
        ((a, a, s, s), "takes 5 operands"),
        ((a[:, :7], a, s, s, c), r"a of dot must be of shape \(..., 8\), not \(3, 7\)"),
        ((a, a, a, s, c), r"sa of dot must be of shape \(..., 1\)"),
        ((a, a, s, s, np.zeros(4, np.uint32)), "must fit together"),
        ((a.astype(float), a, s, s, c), "must be codes of e4m3fn"),
    ]
    for operands, words in wrong:
        with pytest.raises(hw.InvalidInput, match=words):
            u(*operands)
    with pytest.raises(hw.InvalidInput, match="K a multiple of n=8, not"):
        u.dot(np.zeros((2, 12), np.uint8), np.zeros((2, 12), np.uint8), sa=s, sb=s)
    with pytest.raises(hw.InvalidInput, match="takes scales: give sa and sb"):
        u.dot(a, a)
    zeros = np.zeros(32, np.uint8)
    for other in ("c=fp32,out=bf16", "flags=after"):
        u = hw.unit(f"dot:{other}")
        with pytest.raises(hw.InvalidInput, match="go on only where c is of the format of out"):
            u.dot(zeros, zeros)
        with pytest.raises(hw.InvalidInput, match="sums go on where c is of the format of out"):
            hw.matmul(u, zeros[None], zeros[:, None])


def test_a_spec_says_what_becomes_of_integers_beyond_the_range():
    u = hw.unit("dot:a=int8,n=2,c=int16,out=int16,overflow=saturate")
    assert hw.unit(u.spec) == u != hw.unit("dot:a=int8,n=2,c=int16,out=int16")
    assert u.name.endswith("_saturate")
    assert u([127, 127], [127, 127], 32767) == 32767
