"""Synthesis: figures that can be counted by hand, the mapped netlist, and what users get wrong."""

from __future__ import annotations

import gzip
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

import hwarith as hw
from hwarith import caching
from hwarith.exceptions import ToolFailure
from hwarith.flow import tools
from hwarith.flow.synthesis import scripts
from hwarith.flow.synthesis import synthesize as module
from tests.flow import tabled as tabled_library
from tests.tiers import few

MUL = "mul:a=e4m3fn"
TINY = "mul:a=e2m1fn"
GENERIC = (tools.shipped("synth") / "generic.lib").read_text()


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch):
    """An empty cache folder."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("HWARITH_CACHE", str(folder))
    return folder


@pytest.fixture
def circuit(monkeypatch, fresh_cache):
    """Give every unit the Verilog of a circuit whose gates can be counted by hand."""

    def replace(text: str) -> None:
        monkeypatch.setattr(module, "verilog", lambda _: text)

    return replace


# -- figures -------------------------------------------------------------------------------------

AND_OR = "module m(input a, input b, input c, output y); assign y = a & b | c; endmodule"

FULL_ADDER = """
module m(input a, input b, input c, output s, output y);
  assign s = a ^ b ^ c;
  assign y = (a & b) | (c & (a ^ b));
endmodule
"""

REGISTERS = """
module m(input clk, input e, input a, output reg p, output reg q);
  always @(posedge clk) begin
    p <= ~a;
    if (e) q <= p;
  end
endmodule
"""


def test_cmos_counts_gates_transistors_and_the_longest_path(circuit):
    circuit(AND_OR)
    result = hw.synthesize(TINY, recipe="cmos")
    # NAND(NAND(a, b), NOT(c))
    assert result.cells_by_type == {"$_NAND_": 2, "$_NOT_": 1}
    assert (result.cells, result.transistors, result.depth) == (3, 10, 2)
    assert (result.area, result.delay, result.luts) == (None, None, None)


def test_generic_counts_area_and_delay(circuit):
    circuit(FULL_ADDER)
    result = hw.synthesize(TINY)
    # s = XNOR(c, x) with x = XNOR(a, b); y = OAI21(x, INV(c); NAND(a, b))
    assert result.cells_by_type == {"INV": 1, "NAND2": 1, "OAI21": 1, "XNOR2": 2}
    assert (result.cells, result.depth, result.delay) == (5, 2, 2 * 1.86)
    assert (result.area, result.area_unit, result.delay_unit) == (7.0, "GE", "NAND2")
    assert (result.path_start in ("a", "b"), result.path_end) == (True, "s")


@pytest.mark.parametrize(
    ("library", "tables"),
    few([("xc7", {"3": 2}), ("xilinx", {"3": 2}), ("ice40", {"4": 2}), ("ecp5", {"4": 2})], 2),
)
def test_fpgas_count_look_up_tables(circuit, library, tables):
    circuit(FULL_ADDER)
    result = hw.synthesize(TINY, library=library)
    assert result.luts_by_inputs == tables
    assert (result.luts, result.lut4, result.depth) == (2, 2, 1)
    assert (result.carries, result.flip_flops, result.netlist) == (0, 0, None)


@pytest.mark.long
@pytest.mark.parametrize(
    "library", ["ecp5", *(pytest.param(name, marks=pytest.mark.long) for name in ("xc7", "ice40"))]
)
def test_multiplier_blocks_are_used_where_they_are_allowed(library):
    spec = "mul:a=int16,out=int32"
    with_blocks, without = hw.synthesize(spec, library, "dsp"), hw.synthesize(spec, library)
    assert (with_blocks.dsps, with_blocks.luts, without.dsps) == (1, 0, 0)
    assert without.luts > 300
    assert (with_blocks.recipe, without.recipe) == ("dsp", "fpga")


def test_plain_products_are_equal_to_those_made_of_partial_products():
    for spec in ("mul:a=int4,out=int8", "mul:a=e4m3fn", "mul:a=uint4,out=uint8"):
        u = hw.unit(spec)
        text = hw.verilog(u, dsp=True)
        assert re.search(r"= .* \* ", text)
        assert not re.search(r"= .* \* ", hw.verilog(u))
        n = 1 << next(iter(u.operands.values())).bits
        a, b = np.repeat(np.arange(n), n), np.tile(np.arange(n), n)
        assert (hw.simulate(u, verilog=text)(a, b) == u(a, b)).all()


def test_wide_tables_and_carry_cells_count_as_several_small_tables(circuit):
    table = "wire [63:0] t = 64'h0123_6789_f00d_cafe; assign y = t[a];"
    circuit(f"module m(input [5:0] a, output y); {table} endmodule")
    xilinx = hw.synthesize(TINY, "xilinx")
    assert (xilinx.luts_by_inputs, xilinx.luts, xilinx.lut4) == ({"6": 1}, 1, 4)
    circuit("module m(input [7:0] a, b, output [7:0] y); assign y = a + b; endmodule")
    ecp5 = hw.synthesize(TINY, "ecp5")
    assert ecp5.cells_by_type == {"CCU2C": 4}
    assert (ecp5.carries, ecp5.luts, ecp5.lut4) == (4, 8, 8)


def test_registers_are_counted_apart(circuit):
    circuit(REGISTERS)
    result = hw.synthesize(TINY)
    assert result.cells_by_type == {"DFF": 1, "DFFE": 1, "INV": 1}
    assert (result.cells, result.flip_flops) == (1, 2)
    assert (result.combinational_area, result.sequential_area) == (0.67, 5.67 + 7.33)
    assert (result.delay, result.path_start, result.path_end) == (2.57 + 2.36, "p", "q")
    for library, recipe in (("generic", "cmos"), ("xilinx", None), ("ice40", None), ("ecp5", None)):
        assert hw.synthesize(TINY, library, recipe).flip_flops == 2, library


def test_a_record_says_what_it_is_of():
    result = hw.synthesize(TINY, recipe="cmos")
    figures = json.loads(json.dumps(result.as_dict()))
    assert figures["spec"] == hw.unit(TINY).spec
    assert (figures["library"], figures["recipe"]) == ("generic", "cmos")
    assert figures["target"] == "NAND, NOR and NOT"
    assert figures["versions"]["yosys"] == tools.versions()["yosys"]
    assert "netlist" not in figures


def test_row_of_figures_by_titles():
    row = hw.synthesize(TINY).row()
    assert list(row)[:5] == ["spec", "library", "area (GE)", "delay (NAND2)", "delay target"]
    assert row["library"] == "generic"
    assert row["LUTs"] is row["delay target"] is None
    assert hw.synthesize(TINY, "ecp5").row()["LUTs"] == hw.synthesize(TINY, "ecp5").luts


def test_figures_are_the_same_without_the_cache(fresh_cache):
    first = hw.synthesize(MUL)
    (entry,) = fresh_cache.glob("synthesize/*.json")
    entry.unlink()
    assert hw.synthesize(MUL) == first


def test_figures_come_from_the_cache(fresh_cache):
    hw.synthesize(TINY)
    (entry,) = fresh_cache.glob("synthesize/*.json")
    figures = json.loads(caching.load("synthesize", entry.name))
    caching.save("synthesize", entry.name, json.dumps(figures | {"cells": -1}).encode())
    assert hw.synthesize(TINY).cells == -1
    assert hw.synthesize(TINY, recipe="cmos").cells > 0


def test_damaged_figures_are_found_again(fresh_cache):
    """Whatever is not what was written, valid as it may look: cut off, edited, of another unit."""
    first = hw.synthesize(TINY)
    (entry,) = fresh_cache.glob("synthesize/*.json")
    whole = entry.read_bytes()
    hw.synthesize(TINY, recipe="cmos")
    (other,) = set(fresh_cache.glob("synthesize/*.json")) - {entry}
    edited = re.sub(rb'"area": [\d.]+', b'"area": 1.5', whole, count=1)
    assert edited != whole
    for damaged in (b"", b"{}", b"3", whole[:-1], whole[: len(whole) // 2], edited):
        entry.write_bytes(damaged)
        assert hw.synthesize(TINY) == first, damaged[:40]
    entry.write_bytes(other.read_bytes())
    assert hw.synthesize(TINY) == first
    assert entry.read_bytes() == whole


# -- the mapped netlist --------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", ["asic", "cmos"])
@pytest.mark.parametrize("stages", [0, 2])
def test_the_mapped_netlist_equals_golden_for_all_operands(recipe, stages):
    unit = hw.unit(f"{MUL},stages={stages}")
    netlist = hw.synthesize(unit, recipe=recipe).netlist
    codes = np.arange(256, dtype=np.uint8)
    a, b = np.repeat(codes, 256), np.tile(codes, 256)
    assert (hw.simulate(unit, verilog=netlist)(a, b) == unit(a, b)).all()


def test_a_fault_in_the_netlist_is_seen():
    unit = hw.unit(TINY)
    netlist = hw.synthesize(unit).netlist
    gate = re.search(r"NAND2 (\w+) \(", netlist)
    faulty = netlist.replace(gate[0], f"NOR2 {gate[1]} (", 1)
    a, b = np.repeat(np.arange(16), 16), np.tile(np.arange(16), 16)
    assert (hw.simulate(unit, verilog=faulty)(a, b) != unit(a, b)).any()


# -- Liberty files -------------------------------------------------------------------------------


def without(*names: str) -> str:
    """The generic library without some of its cells."""
    return re.sub(
        rf"\n  cell \(({'|'.join(names)})\) {{.*?\n  }}\n", "\n", GENERIC, flags=re.DOTALL
    )


@pytest.fixture
def liberty_file(tmp_path):
    path = tmp_path / "own.lib"
    path.write_text(GENERIC)
    return path


def test_a_liberty_file(liberty_file):
    own, generic = hw.synthesize(TINY, liberty_file), hw.synthesize(TINY)
    assert (own.area, own.delay) == (generic.area, generic.delay)
    assert own.cells_by_type == generic.cells_by_type
    assert (own.area_unit, own.delay_unit) == ("library area", "1ns")
    assert (own.library, own.target) == (str(liberty_file), "hwarith_generic")
    assert "module INV" not in own.netlist


def test_a_packed_liberty_file(liberty_file):
    packed = liberty_file.with_suffix(".lib.gz")
    packed.write_bytes(gzip.compress(liberty_file.read_bytes()))
    own, other = hw.synthesize(TINY, packed), hw.synthesize(TINY, liberty_file)
    assert (own.area, own.delay, own.library) == (other.area, other.delay, str(packed))


def test_a_cell_without_function_is_not_used(liberty_file):
    """As antenna and filler cells have none, this is no mistake."""
    whole = hw.synthesize(TINY, liberty_file)
    assert whole.cells_by_type["NOR2"]
    liberty_file.write_text(GENERIC.replace('function : "!(A + B)";', "", 1))
    result = hw.synthesize(TINY, liberty_file)
    assert "NOR2" not in result.cells_by_type


def test_a_liberty_file_without_delays(liberty_file):
    liberty_file.write_text(re.sub(r"timing \(\) {.*?\n      }", "", GENERIC, flags=re.DOTALL))
    result = hw.synthesize(TINY, liberty_file)
    assert result.area > 0
    assert (result.delay, result.delay_unit, result.depth) == (None, None, None)


@pytest.mark.parametrize(
    ("spec", "content", "message"),
    [
        (TINY, "PK", r"Liberty file .*own\.lib: line 1: it ends inside a group or statement"),
        (TINY, without("BUF"), r"Liberty file .*own\.lib: it has no buffer, which mapping mul:"),
        (TINY, without("INV"), r"Liberty file .*own\.lib: it has no inverter, which mapping mul:"),
        (
            f"{TINY},stages=1",
            without("DFF", "DFFE"),
            r"Liberty file .*own\.lib: it has no D flip-flop, which mapping mul:",
        ),
    ],
)
def test_a_liberty_file_that_will_not_do(spec, content, message, liberty_file):
    liberty_file.write_text(content)
    with pytest.raises(hw.InvalidInput, match=message):
        hw.synthesize(spec, liberty_file)


def test_a_liberty_file_that_yosys_refuses(liberty_file):
    liberty_file.write_text(GENERIC.replace("!(A * B)", "!(A * nowhere)"))
    with pytest.raises(hw.ToolFailure, match=r"yosys failed: .* \(mapping mul:.*own\.lib\)"):
        hw.synthesize(TINY, liberty_file)


@pytest.mark.parametrize(
    ("library", "recipe", "message"),
    [
        (
            "genric",
            None,
            "unknown library 'genric'; did you mean 'generic'? "
            "allowed: generic, xc7, ice40, ecp5, osu018, osu035, osu050, the path of a Liberty "
            "file",
        ),
        ("no/such.lib", None, "Liberty file no/such.lib is not there, or is no file"),
        (
            "generic",
            "cmo",
            "unknown recipe for library 'generic' 'cmo'; did you mean 'cmos'? "
            "allowed: asic, area, cmos",
        ),
        ("ice40", "cmos", "unknown recipe for library 'ice40' 'cmos'; allowed: fpga, dsp"),
    ],
)
def test_an_unknown_library_or_recipe(library, recipe, message):
    with pytest.raises(hw.InvalidInput) as caught:
        hw.synthesize(TINY, library, recipe)
    assert str(caught.value) == message


def test_a_script_that_ends_early_is_a_failure(monkeypatch, fresh_cache):
    monkeypatch.setattr(tools, "run_yosys", lambda _, folder: (folder / "yosys.log").touch())
    with pytest.raises(hw.ToolFailure, match=r"yosys wrote no stat\.json"):
        hw.synthesize(TINY)


# -- gate sizing ---------------------------------------------------------------------------------


@pytest.fixture
def tabled(tmp_path):
    path = tmp_path / "tabled.lib"
    path.write_text(tabled_library.library())
    return path


def test_a_delay_target_trades_area_for_delay(tabled):
    loose = hw.synthesize(MUL, tabled, delay_target=1000)
    tight = hw.synthesize(MUL, tabled, delay_target=loose.delay / 1.5)
    assert tight.delay <= tight.delay_target < loose.delay <= loose.delay_target
    assert loose.area < tight.area
    assert loose.area < hw.synthesize(MUL, tabled).area
    assert any(name.endswith("_X4") for name in tight.cells_by_type)


@pytest.mark.long
def test_a_target_out_of_reach_gives_the_fastest(tabled):
    loose = hw.synthesize(MUL, tabled, delay_target=1000)
    fastest = hw.synthesize(MUL, tabled, delay_target=0.001)
    assert fastest.delay_target < fastest.delay < loose.delay
    assert fastest.as_dict()["mapping"] in scripts.mappings()


def test_a_sized_netlist_equals_golden(tabled):
    unit = hw.unit(MUL)
    models = tools.shipped("synth") / "generic_cells.v"
    netlist = hw.synthesize(unit, tabled, delay_target=0.001).netlist
    netlist = re.sub(r"\b([A-Z]+\d*)_X[14]\b", r"\1", netlist) + models.read_text()
    a, b = np.repeat(np.arange(256), 256), np.tile(np.arange(256), 256)
    assert (hw.simulate(unit, verilog=netlist)(a, b) == unit(a, b)).all()


def test_gates_are_sized_for_what_drives_inputs_and_loads_outputs(tabled, fresh_cache, monkeypatch):
    seen = []
    run_yosys = tools.run_yosys

    def mapped(script: str, folder: Path) -> None:
        if not (folder / "abc.constr").exists():  # the Verilog is made
            return run_yosys(script, folder)
        seen.append((folder / "abc.constr").read_text())
        raise ToolFailure("enough seen")

    monkeypatch.setattr(tools, "run_yosys", mapped)
    with pytest.raises(ToolFailure, match="enough seen"):
        hw.synthesize(TINY, tabled, delay_target=1000)
    # Four inputs of the smallest buffer, of 0.012 pF each where they rise, in femtofarads.
    driver, load = re.fullmatch(r"set_driving_cell (\w+)\nset_load ([\d.]+)\n", seen[0]).groups()
    assert (driver, float(load)) == ("BUF_X1", pytest.approx(48))


def test_registers_stay_when_gates_are_sized(tabled):
    staged = hw.synthesize(f"{TINY},stages=1", tabled, delay_target=1000)
    assert staged.flip_flops == hw.synthesize(f"{TINY},stages=1", tabled).flip_flops > 0


def test_targets_have_entries_of_their_own_in_the_cache(tabled, fresh_cache):
    for target in (None, 1000, 0.001):
        hw.synthesize(TINY, tabled, delay_target=target)
    assert len(list(fresh_cache.glob("synthesize/*.json"))) == 3


@pytest.mark.parametrize("target", [0, -1, math.inf, math.nan, "1ns", True])
def test_a_delay_target_that_is_none(target, tabled):
    message = f"delay target must be a positive number, not {target!r}"
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.synthesize(TINY, tabled, delay_target=target)


def test_a_delay_target_needs_tables(liberty_file):
    with pytest.raises(hw.InvalidInput, match="a delay target needs a Liberty file"):
        hw.synthesize(TINY, delay_target=1)
    with pytest.raises(hw.InvalidInput, match=r"own\.lib: it has no tables of delay and slew"):
        hw.synthesize(TINY, liberty_file, delay_target=1)
