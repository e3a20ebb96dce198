"""The Liberty reader, and the generic library: its figures, and its cells against their Verilog."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from hwarith.exceptions import InvalidInput, ToolFailure
from hwarith.flow import tools
from hwarith.flow.synthesis import liberty, liberty_text
from hwarith.flow.synthesis.cells import Table
from hwarith.flow.synthesis.functions import sense_of
from tests.flow import tabled as tabled_library

SYNTH = tools.shipped("synth")
MODELS = (SYNTH / "generic_cells.v").read_text()
GENERIC = liberty.read(SYNTH / "generic.lib")

TABLES = """
library (small) { /* a comment */
  time_unit : "1ps";
  cell (NAND) {
    area : 3.5
    pin (A, B) { direction : input; } // another
    pin (Y) {
      direction : output; function : "!(A B)";
      timing () {
        related_pin : "A B";
        cell_rise (t) { index_1 ("1, 2, 3"); values ("1, 2, 3", \\
          "4, 5, 6", "7, 8, 9"); }
        cell_fall (t) { values ("1, 2, 3", "4, 5.5, 6", "7, 8, 9"); }
      }
    }
  }
  cell (TIE) { area : 1; pin (Y) { direction : output; function : "1"; } }
}
"""


def test_a_cell_with_tables():
    group = liberty_text.parse(TABLES)
    assert (group.kind, group.arguments) == ("library", ["small"])
    assert [cell.arguments for cell in group.named("cell")] == [["NAND"], ["TIE"]]


def test_a_delay_is_the_middle_entry_of_the_slower_table(tmp_path):
    path = tmp_path / "small.lib"
    path.write_text(TABLES)
    library = liberty.read(path)
    nand = library.cells["NAND"]
    assert (library.name, library.time_unit, library.has_delays) == ("small", "1ps", True)
    assert (nand.area, nand.inputs, nand.functions) == (3.5, ("A", "B"), {"Y": "!(A B)"})
    assert nand.delays == {("A", "Y"): 5.5, ("B", "Y"): 5.5}


def test_a_library_without_timing_has_no_delays(tmp_path):
    path = tmp_path / "small.lib"
    path.write_text(re.sub(r"cell_(rise|fall)", "other", TABLES))
    assert not liberty.read(path).has_delays


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is not a Liberty file, which is one group library (name) { ... }"),
        ("module x; endmodule", "line 1: expected : or (, not x"),
        ("lib (x) { }", "it begins with 'lib' instead of a library group"),
        ("library (x) { }", "its library has no cells"),
        (TABLES[: TABLES.index("timing")], "line 9: it ends inside a group or statement"),
        (TABLES + "}", "line 19: it ends inside a group or statement"),
        (TABLES.replace("3.5", "large"), "cell NAND: area must be a number, not 'large'"),
        (TABLES.replace("5.5", "x"), "cell NAND: cell_fall must be a number, not 'x'"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "broken.lib"
    path.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        liberty.read(path)
    assert str(caught.value) == f"Liberty file {path}: {message}"


def test_a_packed_file(tmp_path):
    path = tmp_path / "small.lib.gz"
    path.write_bytes(gzip.compress(TABLES.encode()))
    assert liberty.read(path).cells.keys() == {"NAND", "TIE"}
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InvalidInput, match=r"small\.lib\.gz: it is no text or packed text"):
        liberty.read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidInput, match=r"absent\.lib cannot be read: No such file"):
        liberty.read(tmp_path / "absent.lib")


# -- the generic library -------------------------------------------------------------------------


def columns_of_transistors() -> dict[str, int]:
    """Cells and their columns, from the table of areas in synth/README.md."""
    text = (SYNTH / "README.md").read_text().partition("**Delay**")[0]
    return {
        cell: int(columns)
        for cells, columns in re.findall(r"^\| ([A-Z0-9, ]+) \| (\d+) \|", text, re.MULTILINE)
        for cell in cells.split(", ")
    }


def test_generic_areas_follow_their_rule():
    columns = columns_of_transistors()
    assert GENERIC.cells.keys() == columns.keys()
    for name, cell in GENERIC.cells.items():
        assert cell.area == round((columns[name] + 1) / 3, 2), name


def test_generic_cells_have_a_delay_for_every_way_through_them():
    assert GENERIC.cells["NAND2"].delays == {("A", "Y"): 1.0, ("B", "Y"): 1.0}
    for cell in GENERIC.cells.values():
        sources = ("CK",) if cell.register else cell.inputs
        assert cell.delays.keys() == {(a, y) for a in sources for y in cell.functions}, cell.name
        timed = set(cell.inputs) - {"CK"} if cell.register else set()
        assert cell.setups.keys() == timed, cell.name


def prove_equal(
    models: str, folder: Path, file: Path = SYNTH / "generic.lib", cells: Iterable[str] = ()
) -> None:
    """Prove that each cell of the library (or these) does what its Verilog does, registers
    included, by what yosys reads of the library."""
    (folder / "library.lib").write_bytes(file.read_bytes())
    (folder / "models.v").write_text(models)
    script = ["read_liberty library.lib", "design -stash library"]
    script += ["read_verilog models.v", "design -stash models"]
    for name in cells or GENERIC.cells:
        script += [
            f"design -copy-from library -as in_library {name}",
            f"design -copy-from models -as in_verilog {name}",
            "proc",
            "clk2fflogic",
            "equiv_make in_library in_verilog both",
            "equiv_simple -undef both",
            "equiv_induct -undef both",
            "equiv_status -assert both",
            "design -reset",
        ]
    tools.run_yosys("\n".join(script), folder)


def test_generic_cells_do_what_their_verilog_does(tmp_path):
    assert set(re.findall(r"module (\w+)", MODELS)) == GENERIC.cells.keys()
    prove_equal(MODELS, tmp_path)


FAULTS = {
    "NAND2": ("~(A & B)", "A & B"),
    "AOI21": ("(A & B) | C", "(A & C) | B"),
    "XNOR2": ("~(A ^ B)", "A ^ B"),
    "MUX2": ("S ? B : A", "S ? A : B"),
    "DFF": ("posedge", "negedge"),
    "DFFE": ("if (E)", "if (~E)"),
}


@pytest.mark.parametrize("cell", FAULTS)
def test_a_fault_in_a_cell_is_found(cell, tmp_path):
    model = re.search(rf"module {cell}\(.*?endmodule", MODELS, re.DOTALL)[0]
    right, wrong = FAULTS[cell]
    assert right in model
    with pytest.raises(ToolFailure, match=r"unproven \$equiv cells"):
        prove_equal(MODELS.replace(model, model.replace(right, wrong)), tmp_path)


# -- tables --------------------------------------------------------------------------------------


@pytest.fixture
def tabled(tmp_path):
    path = tmp_path / "tabled.lib"
    path.write_text(tabled_library.library())
    return liberty.read(path)


def test_a_table_is_bilinear_and_goes_on_beyond_its_ends():
    table = Table((1.0, 3.0), (0.0, 10.0), ((5.0, 25.0), (9.0, 49.0)))
    assert [table.at(*at) for at in ((1, 0), (3, 10), (2, 0), (1, 5), (2, 5))] == [5, 49, 7, 15, 22]
    assert (table.at(5, 0), table.at(1, -5), table.at(1, 20)) == (13, -5, 45)
    assert Table((0.0,), (0.0,), ((7.0,),)).at(3, 4) == 7


def test_tables_are_read_with_their_axes_in_either_order(tabled):
    (inverter,) = (a for a in tabled.cells["INV_X1"].arcs if a.edge == 0)
    nand = next(a for a in tabled.cells["NAND2_X1"].arcs if a.edge == 0)
    for arc in (inverter, nand):
        assert (arc.delay.rows, arc.delay.columns) == (tabled_library.SLEWS, tabled_library.LOADS)
        assert arc.sources == (1,)
    assert nand.delay.at(0.2, 0.4) == pytest.approx(0.02 + 0.1 * 0.2**0.8 + 3 * 0.4**0.9, abs=1e-6)
    assert {a.sources for a in tabled.cells["XOR2_X1"].arcs} == {(0, 1)}


def test_related_pins_one_by_one(tmp_path):
    joined = tabled_library.library()
    single = liberty_text.with_single_pins(joined)
    assert 'related_pin : "A B"' in joined
    for path, text in ((tmp_path / "joined.lib", joined), (tmp_path / "single.lib", single)):
        path.write_text(text)
    cells, others = (liberty.read(tmp_path / f"{x}.lib").cells for x in ("joined", "single"))
    for name, cell in cells.items():
        assert sorted(map(repr, cell.arcs)) == sorted(map(repr, others[name].arcs))
    assert not re.search(r'related_pin : "\w+ ', single)
    assert liberty_text.with_single_pins(single) == single


def test_loads_and_units(tabled):
    assert tabled.cells["INV_X4"].capacitances == {"A": (0.048, 0.04)}
    assert (tabled.driver.name, tabled.output_load) == ("BUF_X1", 4 * 0.012)
    assert (tabled.picoseconds, tabled.femtofarads) == (1000, 1000)
    assert (tabled.has_tables, GENERIC.has_tables) == (True, False)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"1ns"', '"1 day"', "a unit must be a number and one of s, ms, us, ns, ps, fs, not"),
        ("variable_1 : input_net_transition", "variable_1 : humidity", "a table by humidity, "),
        ('index_2 ("0.01, 0.05, 0.4")', 'index_2 ("0.01, 0.05")', "has 9 values instead of 3 x 2"),
        ("fall_transition", "other", "cell INV_X1: timing of pin Y from A has no fall_transition"),
        ("cell_rise", "other", "cell INV_X1: timing of pin Y from A has no cell_rise"),
        (
            "internal_power () {",
            "internal_power () { } other () {",
            "cell INV_X1: internal power of pin Y has no table",
        ),
        (
            "pin (Y) {",
            'pin (Z) { direction : output; function : "A"; timing () { related_pin : "A";'
            'timing_type : combinational_rise; cell_rise (scalar) { values ("1"); }'
            'rise_transition (scalar) { values ("1"); } } } pin (Y) {',
            "cell INV_X1: it has no table for a falling Z",
        ),
    ],
)
def test_a_broken_table_is_named(tmp_path, old, new, message):
    path = tmp_path / "broken.lib"
    path.write_text(tabled_library.library().replace(old, new, 1))
    with pytest.raises(InvalidInput, match=message):
        liberty.read(path)


@pytest.mark.parametrize(
    ("function", "source", "sense"),
    [
        ("A * !S + B * S", "A", "positive_unate"),
        ("A * !S + B * S", "S", "non_unate"),
        ("!((A + B) * C)", "B", "negative_unate"),
        ("A ^ B", "A", "non_unate"),
        ("A", "B", "non_unate"),
    ],
)
def test_the_sense_of_a_function(function: str, source: str, sense: str) -> None:
    """What a ``timing`` group that does not state it means (Liberty, "timing_sense")."""
    assert sense_of(function, ("A", "B", "C", "S"), source, "pin Y") == sense
