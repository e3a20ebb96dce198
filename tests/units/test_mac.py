"""Multiply-accumulators against exact arithmetic, and their hardware against the golden model."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest
from amaranth.sim import Simulator

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.flow.stimuli.families import stimulus
from hwarith.units.mac.pair import chain_limit
from tests import oracle
from tests.evidence import assert_equal_on, compared
from tests.faults import RESET_OF_VALID, faulty
from tests.tiers import few


def operands_of(u: hw.Unit, rows: int, length: int, seed: int = 3) -> list[np.ndarray]:
    """Corner-weighted groups; floats with small exponents in every other row, to stay finite."""
    columns = [np.resize(x, (rows, length)) for x in stimulus(u, rows * length, seed)]
    rng = np.random.default_rng(seed)
    for x, f in zip(columns, u.operands.values(), strict=True):
        if f.is_float:
            x[::2] = f.encode(rng.standard_normal(x[::2].shape))
    return columns


def stacked(y: object) -> np.ndarray:
    """One or several results in one array."""
    return np.stack([np.asarray(x) for x in y]) if isinstance(y, tuple) else np.asarray(y)


# -- mac -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["rne", "rtz", "rdn"])
@pytest.mark.parametrize(("a", "b", "acc"), [("bf16", "bf16", "fp32"), ("e4m3fn", "e5m2", "fp16")])
def test_each_step_is_rounded_once(a: str, b: str, acc: str, mode: str) -> None:
    u = hw.unit(f"mac:a={a},b={b},acc={acc},round={mode},overflow=saturate")
    rng = np.random.default_rng(1)
    codes = [f.encode(rng.standard_normal((15, 12)) * 4) for f in u.operands.values()]
    for x, y, got in zip(*codes, u(*codes), strict=True):
        expected = 0
        for i, j in zip(x, y, strict=True):
            product = u.a.fraction(i) * u.b.fraction(j)
            exact = u.acc.fraction(expected) + product
            negative_zero = expected == 0x80 << (u.acc.bits - 8) and np.signbit(
                u.a.decode(i)
            ) != np.signbit(u.b.decode(j))
            zero_sign = int(negative_zero if product == 0 else mode == "rdn")
            expected = oracle.round_exact(exact, u.acc, mode, "saturate", zero_sign)
        assert got == expected
    compared(EXACT, len(codes[0]), u)


@pytest.mark.parametrize(
    "spec",
    ["mac:a=bf16", "mac:a=e5m2,acc=fp32,round=rup", "mac:a=fp16,acc=fp16", "mac:a=fp64,acc=fp64"],
)
def test_the_same_as_repeated_multiply_adds(spec: str) -> None:
    """With infinities, NaN and zeros of both signs; by the interpreter and compiled."""
    u = hw.unit(spec)
    step = hw.unit(f"fma:a={u.a},b={u.b},c={u.acc},out={u.acc},round={u.round}")
    a, b = operands_of(u, 500, 12)
    acc = np.zeros(500, u.acc.dtype)
    for k in range(12):
        acc = step(a[:, k], b[:, k], acc)
    np.testing.assert_array_equal(u(a, b), acc)
    np.testing.assert_array_equal([u(x, y) for x, y in zip(a[:20], b[:20], strict=True)], acc[:20])
    assert u.golden(a[0].tolist(), b[0].tolist()) == acc[0]


@pytest.mark.parametrize(
    "spec",
    [
        "mac:a=bf16,flags=after",
        "mac:a=e5m2,acc=fp16,out=e4m3fn,flags=before,round=rup",
        "mac:a=fp16,acc=fp16,out=int8,flags=after,overflow=saturate",
        "mac:a=fp64,acc=fp64,flags=after",
        "mac:a=e4m3,acc=fp16,flags=after,optimize=delay",
    ],
)
def test_flags_are_those_of_all_steps_and_the_conversion(spec: str) -> None:
    u = hw.unit(spec)
    options = f"round={u.round},flags={u.flags},overflow={u.overflow}"
    step = hw.unit(f"fma:a={u.a},b={u.b},c={u.acc},out={u.acc},{options}")
    a, b = operands_of(u, 500, 7)
    acc, flags = np.zeros(500, u.acc.dtype), np.zeros(500, np.uint8)
    for k in range(7):
        acc, more = step(a[:, k], b[:, k], acc)
        flags |= more
    if u.out != u.acc:
        acc, more = hw.unit(f"convert:a={u.acc},out={u.out},{options}")(acc)
        flags |= more
    found = u(a, b)
    np.testing.assert_array_equal(found.y, acc)
    np.testing.assert_array_equal(found.flags, flags)
    assert len(set(flags.tolist())) >= 4
    assert u.golden(a[9].tolist(), b[9].tolist()) == (acc[9], flags[9])
    if u.a.bits <= 16:
        assert_equal_on(u, a, b)


@pytest.mark.parametrize(
    "spec",
    [
        "mac:a=int8",
        "mac:a=int8,acc=int18",
        "mac:a=int8,acc=int16,overflow=saturate",
        "mac:a=int8,b=uint4,acc=int20,out=int8",
        "mac:a=uint8,acc=uint17,overflow=saturate",
        "mac:a=int8,acc=int32,out=int8,overflow=saturate",
        "mac:a=int40,acc=int90",
    ],
)
def test_integers(spec: str) -> None:
    u = hw.unit(spec)

    def fit(x: int, f: hw.Format) -> int:
        if u.overflow == "saturate":
            return min(max(x, int(f.min)), int(f.max))
        return int(f.fraction(x % (1 << f.bits)))

    a, b = operands_of(u, 200, 9)
    for x, y, got in zip(a, b, u(a, b), strict=True):
        acc = 0
        for i, j in zip(x, y, strict=True):
            acc = fit(acc + int(u.a.fraction(i)) * int(u.b.fraction(j)), u.acc)
        assert int(u.out.fraction(got)) == fit(acc, u.out)


def test_result_is_the_converted_accumulator() -> None:
    wide, narrow = hw.unit("mac:a=bf16"), hw.unit("mac:a=bf16,out=e4m3fn,round=rtz")
    a, b = operands_of(narrow, 300, 5)
    acc = hw.unit("mac:a=bf16,round=rtz")(a, b)
    convert = hw.unit("convert:a=fp32,out=e4m3fn,round=rtz,overflow=nosat")
    np.testing.assert_array_equal(narrow(a, b), convert(acc))
    integers = hw.unit("mac:a=uint8")
    assert [f.name for f in (wide.acc, wide.out, integers.acc)] == ["fp32", "fp32", "int32"]


def test_shapes() -> None:
    u = hw.unit("mac:a=int8")
    a, b = np.ones((3, 1, 4), np.uint8), np.ones((5, 4), np.uint8)
    np.testing.assert_array_equal(u(a, b), np.full((3, 5), 4))
    assert isinstance(u([1, 2], [3, 4]), np.uint32)
    assert u(np.zeros((0, 4), np.uint8), 1).shape == (0,)
    many = np.full((300_000, 3), 2, np.uint8)
    np.testing.assert_array_equal(u(many, 3), 18)


@pytest.mark.parametrize(
    ("operands", "message"),
    [
        ((1, 2), "operands of mac are groups, arrays of shape (..., n) with n at least 1, not ()"),
        ((np.zeros((3, 0), np.uint8),) * 2, "not (3, 0)"),
        (([1, 2], [1, 2, 3]), "must be of one shape or broadcast to one"),
        (([1], [300]), "operand b of mac: 300 is not a code of int8"),
    ],
)
def test_wrong_operands(operands: tuple, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit("mac:a=int8")(*operands)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mac:a=bf16,acc=e8m0fnu", "mac: parameter acc: e8m0fnu has no zero to begin with"),
        (
            "mac:a=bf16,acc=int32,overflow=wrap",
            "mac: acc=int32, out=int32: fma: parameter overflow: must be saturate or indefinite",
        ),
        ("mac:a=int8,overflow=nosat", "must be wrap or saturate for int32, not 'nosat'"),
        ("mac:a=int8,round=rtz", "integer arithmetic is exact and takes none"),
        ("mac:a=bf16,stages=2", "mac: parameter stages: must be 1, the memory itself, not 2"),
        ("dfpmac:p=17", "dfpmac: parameter p: must be 2 to 16, not 17"),
        ("dfpmac:acc=49", "dfpmac: parameter acc: must be 32 to 48, not 49"),
        ("dfpmac:spill=3", "dfpmac: parameter spill: must be an even number, not 3"),
        ("dfpmac:stages=2", "dfpmac: parameter stages: must be 1, the memory itself, not 2"),
    ],
)
def test_wrong_specs(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit(spec)


# -- dynamic fixed point -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "products"),
    [(16, 2), (15, 8), (14, 32), (13, 128), (12, 512), (11, 2052), (10, 8224), (9, 33025)],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_chain_rule(p: int, products: int, sign: int) -> None:
    """As many products of the largest magnitude never overflow, and one more does."""
    assert chain_limit(p) == products
    assert chain_limit(16, 48) == 131_080
    u = hw.unit(f"dfpmac:p={p}")
    largest = (1 << (p - 1)) - 1

    def chain(n: int) -> tuple[int, int]:
        x = np.zeros(n + n % 2, np.int64)
        x[:n] = largest
        y = sign * x
        result = u(x[::2], y[::2], x[1::2], y[1::2])
        return int(hw.format("int32").decode(result.y)), int(result.ovf)

    assert chain(products) == (sign * products * largest**2, 0)
    total, overflow = chain(products + 1)
    # -2^31 is a 32-bit integer: a negative chain may have room for what a positive one has not.
    exact = sign * (products + 1) * largest**2
    assert overflow == int(not -(2**31) <= exact < 2**31) == 1
    assert total == (exact + 2**31) % 2**32 - 2**31


@pytest.mark.parametrize("p", [16, 12, 3])
def test_pairs_wrap_and_the_flag_stays(p: int) -> None:
    u = hw.unit(f"dfpmac:p={p}")
    columns = operands_of(u, 400, 6)
    y, ovf = u(*columns)
    values = [f.decode(x).tolist() for x, f in zip(columns, u.operands.values(), strict=True)]
    for group, got, flag in zip(zip(*values, strict=True), y, ovf, strict=True):
        acc, lost = 0, 0
        for a0, b0, a1, b1 in zip(*group, strict=True):
            exact = acc + a0 * b0 + a1 * b1
            acc = (exact + 2**31) % 2**32 - 2**31
            lost |= acc != exact
        assert (int(got), int(flag)) == (acc % 2**32, lost)
    assert ovf.any() == (p == 16)


@pytest.mark.parametrize("acc", [32, 40])
def test_sums_of_chains_by_fractions(acc: int) -> None:
    """Rounded to fp32, and added up in fp32, of chains of 6 products and shorter last ones."""
    spec, fp32 = f"dfpmac:p=16,spill=6,acc={acc}", hw.format("fp32")
    rng = np.random.default_rng(1)
    columns = rng.choice(np.array([0x8000, 0x7FFF, 0xFFFF], np.uint16), (4, 60, 10))
    columns[:, ::2] = rng.integers(1 << 16, size=(4, 30, 10))
    y, ovf = hw.unit(spec)(*columns)
    values = [hw.format("int16").decode(x).astype(int) for x in columns]
    products = values[0] * values[1] + values[2] * values[3]
    for group, got, flag in zip(products.tolist(), y, ovf, strict=True):
        total, lost = 0, False
        for k in range(0, 10, 3):
            sums = np.cumsum(group[k : k + 3]).tolist()
            wrapped = (sums[-1] + 2 ** (acc - 1)) % 2**acc - 2 ** (acc - 1)
            part = fp32.encode_one(Fraction(wrapped))
            total = fp32.encode_one(fp32.decode_one(total) + fp32.decode_one(part))
            lost |= any(not -(2 ** (acc - 1)) <= x < 2 ** (acc - 1) for x in sums)
        assert (int(got), bool(flag)) == (total, lost)
    assert ovf.any() == (acc == 32)
    one = [x[0].tolist() for x in columns]
    assert tuple(hw.unit(spec).golden(*one)) == (y[0], ovf[0])


LOW, HIGH = -(1 << 15), (1 << 15) - 1
ENDS = {
    "four most negative operands make 2^31, one too many": ([(LOW,) * 4], -(2**31), 1),
    "an accumulator of -1 has room for them": ([(1, -1, 0, 0), (LOW,) * 4], 2**31 - 1, 0),
    "-2^31 is a number": ([(LOW, HIGH, LOW, HIGH), (LOW, 1, LOW, 1)], -(2**31), 0),
    "one less is none": ([(LOW, HIGH, LOW, HIGH), (LOW, 1, LOW, 1), (-1, 1, 0, 0)], 2**31 - 1, 1),
    "as much again": ([(LOW,) * 4, (LOW,) * 4], 0, 1),
}


@pytest.mark.parametrize(("group", "y", "ovf"), ENDS.values(), ids=ENDS)
def test_ends_of_the_accumulator(group: list[tuple[int, ...]], y: int, ovf: int) -> None:
    """By hand, in the definition and in the hardware."""
    u = hw.unit("dfpmac:p=16")
    columns = [np.array(x, np.int64).astype(np.uint16) for x in zip(*group, strict=True)]
    expected = (y % 2**32, ovf)
    assert tuple(u(*columns)) == expected
    assert tuple(u.golden(*(x.tolist() for x in columns))) == expected
    assert tuple(hw.simulate(u)(*columns)) == expected


# -- hardware ------------------------------------------------------------------------------------

HARDWARE = (
    "mac:a=int8",
    "mac:a=int8,acc=int18,out=int8,overflow=saturate",
    "mac:a=bf16",
    "mac:a=e4m3fn,b=e5m2,acc=fp16,out=e4m3fn,round=rtz",
    "dfpmac:p=16",
    "dfpmac:p=16,spill=4",
    "dfpmac:p=16,acc=48,spill=2,stages=3",
    "dfpmac:p=9",
)


@pytest.mark.parametrize("spec", few(HARDWARE, 3))
def test_hardware_with_and_without_pauses(spec: str) -> None:
    u = hw.unit(spec)
    sim = hw.simulate(u)
    for rows, length in ((20_000, 1), (4_000, 7)):
        operands = operands_of(u, rows, length)
        expected = stacked(u(*operands))
        np.testing.assert_array_equal(stacked(sim(*operands)), expected)
        assert sim.clocks == rows * length + u.stages
        paused = sim.stream(*operands, idle=0.3, stall=0.5, seed=rows)
        np.testing.assert_array_equal(stacked(paused), expected)


@pytest.mark.long
@pytest.mark.parametrize("spec", [*HARDWARE, "mac:a=fp16,acc=fp32", "mac:a=fp32"])
def test_hardware_at_length(spec: str) -> None:
    u = hw.unit(spec)
    operands = operands_of(u, 100_000, 20)
    assert_equal_on(u, *operands)


def test_regression() -> None:
    for spec in ("mac:a=int4,acc=int9,overflow=saturate", "dfpmac:p=6"):
        result = hw.regress(spec, vectors=400)
        assert (result.failed, len(result.phases)) == (0, 12)


@pytest.mark.parametrize(
    ("spec", "pattern", "new"),
    few(
        [
            # The memory is not cleared; a waiting result is lost; every operand gives a result; the
            # flag forgets.
            ("mac:a=int8,acc=int18", r"(acc_so_far = )first \? .* : (.*);", r"\1\2;"),
            ("mac:a=int8,acc=int18", r"(wire ready_1 =) .*;", r"\1 1'b1;"),
            ("mac:a=int8,acc=int18", r"(valid_1 <= \w+) & last;", r"\1;"),
            ("dfpmac:p=16", r"overflow_so_far \| lost", "lost"),
            pytest.param(
                "dfpmac:p=16,spill=4",
                r"total_so_far = chain_is_first \?",
                "total_so_far = 1'b0 ?",
                marks=pytest.mark.long,
            ),
        ],
        2,
    ),
)
def test_injected_faults_are_found(spec: str, pattern: str, new: str) -> None:
    u = hw.unit(spec)
    operands = operands_of(u, 2000, 7)
    sim = hw.simulate(u, verilog=faulty(spec, pattern, new))
    try:
        got = sim.stream(*operands, stall=0.5)
    except hw.ToolFailure as error:
        assert "result" in str(error)  # noqa: PT017 (either way the fault is found)
    else:
        assert (stacked(got) != stacked(u(*operands))).any()


def test_a_result_that_survives_a_reset_is_found() -> None:
    spec = "mac:a=int8,acc=int18"
    fault = faulty(spec, RESET_OF_VALID, "if")
    failed = [phase.name for phase in hw.regress(spec, 200, verilog=fault).phases if phase.failed]
    assert "reset in flight" in failed


def test_a_group_without_first_goes_on() -> None:
    """The stream component, as an Amaranth user connects it."""
    u = hw.unit("mac:a=int8")
    component = u.create()
    transfers = [(3, 5, 1, 0), (2, 2, 0, 1), (10, 10, 0, 1), (1, 7, 1, 1)]
    names = (*u.operands, *u.transfers.controls)
    received = []

    async def source(ctx):
        for transfer in transfers:
            ctx.set(component.i.payload, dict(zip(names, transfer, strict=True)))
            ctx.set(component.i.valid, 1)
            await ctx.tick().until(component.i.ready)
        ctx.set(component.i.valid, 0)

    async def sink(ctx):
        ctx.set(component.o.ready, 1)
        while len(received) < 3:
            _, _, valid, payload = await ctx.tick().sample(component.o.valid, component.o.payload)
            if valid:
                received.append(payload.y)

    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(source, background=True)
    simulator.add_testbench(sink)
    simulator.run()
    assert received == [19, 119, 7]


def test_synthesis_counts_the_accumulator_and_the_valid_bit() -> None:
    assert hw.synthesize("mac:a=int8,acc=int18", recipe="cmos").flip_flops == 19
