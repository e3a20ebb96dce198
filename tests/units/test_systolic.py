"""Systolic arrays: the matrix product, the hardware on tiles, the stream, the parameters."""

from __future__ import annotations

import re

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.stimuli.families import stimuli_of, stimulus
from hwarith.formats.lanes import join, split, vector
from tests.tiers import few

SPECS = (
    "engine:rows=3,columns=2",
    "engine:pe=(anfma:w=24,norm=an-1-2),rows=4,columns=3",
    "engine:pe=(anfma:w=16,norm=exact,out=bf16),rows=2,columns=3",
    "engine:pe=(lmul:format=bf16),rows=3,columns=2",
    "engine:pe=(pam:format=e4m3fn),add=(add:a=e4m3fn,b=bf16,out=bf16),rows=2,columns=2",
    "engine:pe=(fma:a=int8,c=int32,out=int32),rows=4,columns=4",
    "engine:pe=(mul:a=e2m1fn,b=e2m1fn,out=e4m3fn),rows=1,columns=1",
    "engine:pe=(dot:a=e2m1fn,b=int4,n=4,acc=trunc-13,c=fp16),rows=2,columns=3",
    "engine:pe=(dot:a=e2m1fn,n=2,scale=e8m0fnu,c=bf16),rows=2,columns=2",
    "engine:pe=(dot:a=e2m1fn,b=int4,n=4,scale=ue4m3,block=2,acc=trunc-13),rows=2,columns=3",
)


@pytest.mark.parametrize("spec", few(SPECS, 8))
def test_the_definition_the_array_and_the_hardware_agree(spec: str) -> None:
    """Tile after tile, without a clock between weights and activations."""
    u = hw.unit(spec)
    operands = stimulus(u, 40, 3)
    y = u(*operands)
    for i in range(8):
        assert u.golden(*(x[i].tolist() for x in operands)) == y[i].tolist()
    sim = hw.simulate(u)
    np.testing.assert_array_equal(sim(*operands), y)
    assert sim.clocks == 40 * (u.rows + 1) + u.stages


def test_elements_that_are_dot_products() -> None:
    """Sums of n products a row, in the order of a matrix product by dot products."""
    u = hw.unit("engine:pe=(dot:a=e4m3fn,n=4,acc=trunc-13),rows=3,columns=2")
    assert u.depth == 12
    rng = np.random.default_rng(8)
    a, b = u.pe.a.encode(rng.standard_normal((5, 24))), u.pe.a.encode(rng.standard_normal((24, 5)))
    np.testing.assert_array_equal(u.matmul(a, b), hw.matmul(u.pe, a, b))
    with pytest.raises(hw.InvalidInput, match=r"\(\.\.\., 12, 2\), not \(3, 2\)"):
        u(a[:, :12], b[:3, :2])
    columns = u.transfers.of(u.check_operands((a[:, :12], b[:12, :2])))
    ((x, w, _),) = u.transfers.calls(columns)
    assert (x == a[:, :12]).all()
    assert (w == b[:12, :2]).all()
    small = hw.unit("engine:pe=(dot:a=e2m1fn,b=int4,n=2,c=e5m2),rows=2,columns=2")
    tiles = stimulus(small, 200, 3)
    np.testing.assert_array_equal(hw.simulate(small)(*tiles), small(*tiles))
    lanes = split(columns[1][:1], u.pe.b, 8)  # the last row's weights enter first
    assert (lanes == np.concatenate([b[8:12, 0], b[8:12, 1]])).all()


QUANTIZED = [
    ("mxfp4", "exact", 2, 18),
    ("mxfp4", "exact", 4, 20),
    ("nvfp4", "exact", 4, 20),
    ("nvfp4", "trunc-13", 4, 16),
    ("mxfp4", "trunc-13", 4, 16),
]


@pytest.mark.parametrize(("kind", "acc", "n", "k"), few(QUANTIZED, 3))
def test_quantized_blocks(kind: str, acc: str, n: int, k: int) -> None:
    """Scales go with their blocks: tiles that are filled up, in the order of a matrix product."""
    scale = hw.format(kind).scale
    u = hw.unit(f"engine:pe=(dot:a=e2m1fn,n={n},scale={scale},block=2,acc={acc}),rows=2,columns=3")
    rng = np.random.default_rng(9)
    a = hw.quantize(rng.standard_normal((5, k)) * 2.0 ** np.arange(-10, k - 10), kind, 2)
    b = hw.quantize(rng.standard_normal((k, 4)), kind, 2, axis=0)
    c = u.units.first.encode(rng.standard_normal((5, 4)))
    scales = a.scale_codes, b.scale_codes
    y = u.matmul(a.codes, b.codes, c, *scales)
    np.testing.assert_array_equal(
        y, hw.matmul(u.pe, a.codes, b.codes, c, sa=scales[0], sb=scales[1])
    )
    assert (y != u.matmul(a.codes, b.codes, c, scales[0], scales[1][::-1])).any()
    deep, blocks = u.depth, n // 2
    tile = (
        a.codes[:, :deep],
        b.codes[:deep, :3],
        scales[0][:, : deep // 2],
        scales[1][: deep // 2, :3],
    )
    columns = u.transfers.of(u.check_operands(tile))
    (found,) = u.transfers.calls(columns)
    for x, given in zip(found, tile, strict=False):
        np.testing.assert_array_equal(x, given)
    lanes = split(columns[3][:1], scale, 3 * blocks)  # the last row's scales enter first
    np.testing.assert_array_equal(lanes[0], scales[1][blocks : 2 * blocks, :3].T.ravel())


@pytest.mark.parametrize(
    ("sound", "broken"),
    few([("{sb[15:8], b[15:8]}", "{sb[7:0], b[15:8]}"), ("<= {sa[7:0],", "<= {sa[15:8],")], 2),
)
def test_a_scale_of_another_lane_is_found(sound: str, broken: str) -> None:
    u = hw.unit(SPECS[8])
    text = hw.verilog(u)
    assert text.count(sound) == 1
    tiles = stimuli_of(u).usual_call(stimulus(u, 256, 3))
    assert [len(x) for x in tiles] == [4] * 5
    np.testing.assert_array_equal(hw.simulate(u).stream(*tiles, idle=0.3, stall=0.4), u(*tiles))
    assert (hw.simulate(u, verilog=text.replace(sound, broken))(*tiles) != u(*tiles)).any()


def test_wrong_scales() -> None:
    u = hw.unit("engine:pe=(dot:a=e2m1fn,n=4,scale=e8m0fnu,block=2),rows=2,columns=3")
    a, b, sa, sb = (np.zeros(x, np.uint8) for x in ((5, 12), (12, 4), (5, 6), (6, 4)))
    cases: list[tuple[tuple, str]] = [
        ((a, b), "takes scales: give sa and sb"),
        ((a, b, None, sa), "takes scales: give sa and sb"),
        ((a[:, :11], b[:11], None, sa, sb), "k=11 must be a multiple of block=2 of dot:"),
        ((a, b, None, sa[:, :3], sb), "operand sa of engine must be of shape (5, 6), not (5, 3)"),
        ((a, b, None, sa, sb.T), "operand sb of engine must be of shape (6, 4), not (4, 6)"),
        ((a, b, None, sa, sb + 0.5), "sb of engine"),
    ]
    for operands, message in cases:
        with pytest.raises(hw.InvalidInput, match=re.escape(message)):
            u.matmul(*operands)
    with pytest.raises(hw.InvalidInput, match=r"fma:.* has no scales"):
        hw.unit("engine").matmul(a, b, None, sa, sb)
    with pytest.raises(hw.InvalidInput, match="takes a, b, sa, sb and optionally c, not 3"):
        u(a[:, :8], b[:8, :3], sa)
    with pytest.raises(hw.InvalidInput, match=r"operand sb of engine must be of shape \(\.\.\."):
        u(a[:, :8], b[:8, :3], sa[:, :4], sb)


@pytest.mark.parametrize("spec", few(SPECS[:4], 4))
def test_pauses_on_either_side_change_nothing(spec: str) -> None:
    u = hw.unit(spec)
    a, b, c = stimulus(u, 30, 4)
    rng = np.random.default_rng(5)
    tiles = (
        rng.choice(a.ravel(), (6, 17, u.rows)),
        b[:6],
        rng.choice(c.ravel(), (6, 17, u.columns)),
    )
    sim = hw.simulate(u)
    for idle, stall in ((0, 0.5), (0.5, 0), (0.3, 0.4)):
        np.testing.assert_array_equal(sim.stream(*tiles, idle=idle, stall=stall), u(*tiles))


def test_it_is_the_matrix_product() -> None:
    u = hw.unit("engine:pe=(anfma:norm=an-2-2),rows=4,columns=3")
    rng = np.random.default_rng(6)
    fa, fc = u.pe.a, u.units.first
    a, b = fa.encode(rng.standard_normal((7, 4))), fa.encode(rng.standard_normal((4, 3)))
    c = fc.encode(rng.standard_normal((7, 3)))
    np.testing.assert_array_equal(u(a, b, c), hw.matmul(u.pe, a, b, c))
    np.testing.assert_array_equal(u(a, b), hw.matmul(u.pe, a, b))


def test_matrices_of_any_size_are_cut_into_tiles() -> None:
    """Sums go on as codes where they leave the array: for an exact element that changes nothing."""
    rng = np.random.default_rng(7)
    u = hw.unit("engine:rows=4,columns=3")
    a = u.pe.a.encode(rng.standard_normal((5, 10)))
    b = u.pe.a.encode(rng.standard_normal((10, 7)))
    np.testing.assert_array_equal(u.matmul(a, b), hw.matmul(u.pe, a, b))
    chained = hw.unit("engine:pe=anfma,rows=4,columns=3")
    sums = np.zeros((5, 7), np.uint32)
    for k in (0, 4, 8):
        sums = hw.matmul(chained.pe, a[:, k : k + 4], b[k : k + 4], sums)
    np.testing.assert_array_equal(chained.matmul(a, b), sums)
    with pytest.raises(hw.InvalidInput, match="begin as fp32 and end as bf16"):
        hw.unit("engine:pe=(anfma:out=bf16),rows=4").matmul(a, b)
    with pytest.raises(hw.InvalidInput, match=re.escape("(m, k) and (k, n), not (5, 10) and (7,")):
        u.matmul(a, b.T)


@pytest.mark.long
def test_the_testbench_passes_it_and_finds_a_fault() -> None:
    u = hw.unit("engine:pe=(anfma:w=16),rows=2,columns=2")
    assert hw.regress(u, vectors=60).failed == 0
    text = hw.verilog(u)
    broken = text.replace("weight <= down_in[15:0];", "weight <= down_in[16:1];")
    assert broken != text
    assert hw.regress(u, vectors=60, verilog=broken).failed > 0


def test_verilog_has_each_part_once() -> None:
    text = hw.verilog("engine:pe=(anfma:w=16),rows=5,columns=4")
    modules = re.findall(r"^module (\w+) \(", text, re.MULTILINE)
    assert len(modules) == 4
    assert modules[0] == hw.unit("engine:pe=(anfma:w=16),rows=5,columns=4").name
    assert len(re.findall(rf"^  {modules[0]}_cell ", text, re.MULTILINE)) == 20
    assert len(re.findall(rf"^  {modules[0]}_end ", text, re.MULTILINE)) == 4


def test_the_amaranth_component_is_whole() -> None:
    from amaranth.back import rtlil

    u = hw.unit("engine:pe=(mul:a=e2m1fn,b=e2m1fn,out=e4m3fn),rows=2,columns=2")
    assert rtlil.convert(u.create()).count("cell_1_1") > 0


def test_synthesis_maps_each_part_once() -> None:
    small, large = (
        hw.synthesize(f"engine:pe=(fma:a=int4,c=int16,out=int16),rows=2,columns={n}")
        for n in (2, 4)
    )
    cell = hw.synthesize("fma:a=int4,c=int16,out=int16").cells
    assert 4 * cell < small.cells < 8 * cell
    assert 1.8 < large.cells / small.cells < 2.1
    # The same path of the same cell, behind an enable that more registers share
    assert (large.depth, large.path_end) == (small.depth, small.path_end)
    assert large.delay == pytest.approx(small.delay, rel=0.02)


@pytest.mark.long
@pytest.mark.parametrize("size", [8, 16, 32])
def test_large_arrays(size: int) -> None:
    u = hw.unit(f"engine:pe=(anfma:norm=an-1-2),rows={size},columns={size}")
    a, b, c = stimulus(u, 100, 1)
    np.testing.assert_array_equal(hw.simulate(u).stream(a, b, c, idle=0.2, stall=0.2), u(a, b, c))


def test_codes_side_by_side() -> None:
    f = hw.format("bf16")
    codes = np.arange(1, 25, dtype=np.uint16).reshape(4, 6)
    joined = join(codes, f)
    assert joined.shape == (4,)
    assert int(joined[0]) == sum(int(c) << (16 * i) for i, c in enumerate(codes[0]))
    np.testing.assert_array_equal(split(joined, f, 6), codes)
    assert vector(f, 6).bits == 96
    assert vector(f, 6).name == "6 x bf16"


# -- parameters ----------------------------------------------------------------------------------


def test_specs_make_the_same_unit() -> None:
    for spec in SPECS:
        u = hw.unit(spec)
        assert hw.unit(u.spec) == u
        assert re.fullmatch(r"\w+", u.name)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("engine:pe=(anfma:stages=1)", "parameter pe: must be combinational"),
        ("engine:pe=convert", "parameter pe: convert:"),
        ("engine:pe=(fma:a=bf16,c=fp32,out=bf16)", "must take bf16, bf16, bf16 and give bf16"),
        ("engine:add=(add:a=fp32)", "adds by itself; add is for product units"),
        (
            "engine:pe=(dot:a=e2m1fn,n=16,scale=ue4m3,c=fp16,out=fp32)",
            "must take 16 x e2m1fn, 16 x e2m1fn, 1 x ue4m3, 1 x ue4m3, fp32",
        ),
        ("engine:pe=(dot:a=e4m3fn,c=none)", "and give fp32 alone, not"),
        ("engine:rows=0", "parameter rows: must be 1 to 256, not 0"),
        ("engine:stages=3", "stages follow from rows and columns"),
        ("engine:pe=(anfma:w=1)", "parameter pe: anfma: parameter w: must be"),
        ("engine:target_delay=20", "parameter target_delay"),
        ("engine:pe=nothing", "unknown unit 'nothing'"),
    ],
)
def test_wrong_parameters(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit(spec)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((3, 5), (4, 3)), "operand a of engine must be of shape (..., m, 4)"),
        (((3, 4), (3, 4)), "operand b of engine must be of shape (..., 4, 3), not (3, 4)"),
        (((3, 4), (4, 3), (2, 3)), "operands of engine must fit together"),
        (((0, 4), (4, 3)), "with m at least 1"),
        (((3, 4),), "engine takes a, b and optionally c, not 1 operands"),
    ],
)
def test_wrong_tiles(shapes: tuple, message: str) -> None:
    u = hw.unit("engine:rows=4,columns=3")
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        u(*(np.zeros(shape, np.uint16) for shape in shapes))
