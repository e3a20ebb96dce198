"""Energy per operation: sums that can be made by hand, and what users get wrong."""

from __future__ import annotations

import dataclasses
import re
from itertools import pairwise

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.energy import measure as module
from tests.flow.tabled import library as tabled_text
from tests.flow.test_activity import clocked, operands, settle

TINY = "mul:a=e2m1fn"


# -- one cell ------------------------------------------------------------------------------------

ONE_CELL = """
library (small) {
  time_unit : "1ns"; voltage_unit : "1V"; leakage_power_unit : "10pW"; nom_voltage : 1;
  capacitive_load_unit (1, ff);
  operating_conditions (typical) { voltage : 2; } default_operating_conditions : typical;
  power_lut_template (by_load) { variable_1 : total_output_net_capacitance; index_1 ("0, 100"); }
  cell (BUF) {
    pin (A) { direction : input; capacitance : 5; }
    pin (Y) { direction : output; function : "A"; internal_power () { power (scalar)
      { values ("0"); } } timing () { related_pin : "A"; timing_sense : positive_unate;
      cell_rise (scalar) { values ("1"); } rise_transition (scalar) { values ("1"); }
      cell_fall (scalar) { values ("1"); } fall_transition (scalar) { values ("1"); } } }
  }
  cell (NAND) {
    cell_leakage_power : 300;
    pin (A) { direction : input; capacitance : 3;
      internal_power () { when : "B"; power (scalar) { values ("1000"); } } }
    pin (B) { direction : input; capacitance : 7; }
    pin (Y) {
      direction : output; function : "!(A B)";
      internal_power () { related_pin : "A"; rise_power (by_load) { values ("0, 200"); }
        fall_power (by_load) { values ("0, 400"); } }
      internal_power () { related_pin : "B"; rise_power (scalar) { values ("6"); } }
    }
  }
}
"""


@pytest.fixture
def one_cell(tmp_path, monkeypatch):
    """A function that gives the energy of a NAND of the lowest bits of a and b."""

    def measure(a: list[int], b: list[int], text: str = ONE_CELL) -> module.Energy:
        path = tmp_path / "small.lib"
        path.write_text(text)
        made = hw.synthesize(TINY)
        ports = dict(made.module["ports"])
        ports["y"] = ports["y"] | {"bits": [99, "0", "0", "0"]}
        nets = {"A": ports["a"]["bits"][0], "B": ports["b"]["bits"][0], "Y": 99}
        mapped = dataclasses.replace(
            made, library=str(path), module={"ports": ports, "cells": [["NAND", nets]]}
        )
        monkeypatch.setattr(module, "synthesize", lambda *_: mapped)
        return hw.energy(TINY, a, b, library=str(path))

    return measure


def test_the_parts_of_the_energy_of_a_cell(one_cell):
    # The output falls with a, rises with b, and stays when a falls again: the latter without b.
    found = one_cell([0, 1, 1, 0], [1, 1, 0, 0])
    load = 4 * 5
    assert found.operations == 3
    assert found.switching == pytest.approx(2 * load * 2**2 / 2 / 3, rel=1e-5)
    assert found.inputs == pytest.approx((2 * 3 + 1 * 7) * 2**2 / 2 / 3, rel=1e-5)
    # A table of load 20 by a, one of a rise alone by b, and the input a once while b is 1.
    by_a, by_b, input_a = (40 + 80) / 2, (6 + 0) / 2, 1000
    assert found.internal == pytest.approx((by_a + by_b + input_a) / 3, rel=1e-5)
    assert found.energy == pytest.approx(found.switching + found.internal, rel=1e-5)
    assert (found.energy_unit, found.leakage, found.toggles) == ("fJ", 3.0, 0.667)
    assert (found.clock, found.clocks) == (None, None)
    assert found.by_type == {"NAND": {"cells": 1, "energy": found.energy, "leakage": 3.0}}


def test_one_input_at_a_time(one_cell):
    input_a = 1000
    assert one_cell([1, 0, 1], [1, 1, 1]).internal == pytest.approx(60 + input_a)
    assert one_cell([1, 1, 1], [0, 1, 0]).internal == pytest.approx(3)
    # Both at once: half each.
    assert one_cell([0, 1, 0], [0, 1, 0]).internal == pytest.approx((60 + 3) / 2 + input_a / 2)


def test_what_never_changes_gives_no_slew(one_cell):
    """Power that is its own slew, which comes from a quickly and from b slowly."""

    def way(pin: str, slew: int) -> str:
        kinds = ("cell_rise", "cell_fall", "rise_transition", "fall_transition")
        tables = "".join(f'{kind} (scalar) {{ values ("{slew}"); }} ' for kind in kinds)
        return f'timing () {{ related_pin : "{pin}"; timing_sense : negative_unate; {tables}}}'

    ways = way("A", 1) + way("B", 100)
    start, end = (
        ONE_CELL.index('internal_power () { related_pin : "A"'),
        ONE_CELL.rindex("    }\n  }\n}"),
    )
    power = 'internal_power () { power (by_slew) { values ("0, 1000"); } } '
    template = "power_lut_template (by_slew) { variable_1 : input_transition_time; "
    text = ONE_CELL[:start] + power + ways + ONE_CELL[end:].rstrip()[:-1]
    text += template + 'index_1 ("0, 1000"); } }'
    input_a = 1000
    assert one_cell([0, 1, 0], [1, 1, 1], text).internal == pytest.approx(1 + input_a)
    assert one_cell([0, 1, 1], [1, 1, 0], text).internal == pytest.approx(100 + input_a / 2)


def test_the_slew_is_the_mean_of_a_rise_and_a_fall(one_cell):
    """Power that is its own slew, of an output that rises quickly and falls slowly."""
    slews = {"cell_rise": 1, "cell_fall": 1, "rise_transition": 20, "fall_transition": 80}
    tables = "".join(f'{kind} (scalar) {{ values ("{slew}"); }} ' for kind, slew in slews.items())
    way = f'timing () {{ related_pin : "A"; timing_sense : negative_unate; {tables}}}'
    power = 'internal_power () { power (by_slew) { values ("0, 1000"); } } '
    template = "power_lut_template (by_slew) { variable_1 : input_transition_time; "
    start = ONE_CELL.index('internal_power () { related_pin : "A"')
    end = ONE_CELL.rindex("    }\n  }\n}")
    text = ONE_CELL[:start] + power + way + ONE_CELL[end:].rstrip()[:-1]
    text += template + 'index_1 ("0, 1000"); } }'
    input_a = 1000
    assert one_cell([0, 1, 0], [1, 1, 1], text).internal == pytest.approx((20 + 80) / 2 + input_a)


def test_no_changes_take_no_energy(one_cell):
    found = one_cell([1, 1, 1], [3, 3, 3])
    assert (found.energy, found.inputs, found.toggles, found.leakage) == (0, 0, 0, 3)


def test_a_library_without_internal_power(one_cell):
    text = ONE_CELL.replace("internal_power", "other").replace("cell_leakage_power", "other")
    found = one_cell([0, 1], [1, 1], text)
    assert (found.internal, found.leakage, found.energy) == (None, None, found.switching)


@pytest.mark.parametrize(
    ("old", "volts"), [("nom_voltage : 1;", 2), ("default_operating_conditions", 1)]
)
def test_the_supply_is_that_of_the_default_conditions(old, volts, one_cell):
    found = one_cell([0, 1], [1, 1], ONE_CELL.replace(old, "other : x;" if volts == 2 else "other"))
    assert found.switching == pytest.approx(20 * volts**2 / 2)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (r"nom_voltage : 1;|voltage : 2;", "", "library 'small' gives no supply voltage"),
        (r"voltage : 2;", "voltage : two;", "voltage must be a number, not 'two'"),
        (
            r"(?s)(cell \(NAND.*?)internal_power(.*?)internal_power(.*?)internal_power",
            r"\1other\2other\3other",
            "library 'small' has no internal power of NAND",
        ),
        (r'when : "B"', 'when : "C"', "cell NAND: 'C' is no function of its inputs A, B, Y"),
        (r'"10pW"', '"10 horses"', "a unit must be a number and one of w, mw, uw, nw, pw, fw"),
        (r"cell_rise", "other", "cell BUF: timing of pin Y from A has no cell_rise"),
        (r'function : "A"', 'function : "!A"', "library 'small' has no buffer with tables"),
        (r"(?s)cell \(NAND.*", "", "it ends inside a group"),
    ],
)
def test_a_library_that_will_not_do(old, new, message, one_cell):
    text = re.sub(old, new, ONE_CELL)
    assert text != ONE_CELL
    with pytest.raises(hw.InvalidInput, match=message):
        one_cell([0, 1], [1, 1], text)


# -- registers -----------------------------------------------------------------------------------

FLIP_FLOP = (
    ONE_CELL.rstrip()[:-1]
    + """
  power_lut_template (by_slew) { variable_1 : input_transition_time; index_1 ("0, 1"); }
  cell (FF) {
    cell_leakage_power : 100;
    ff (IQ, IQN) { next_state : "D"; clocked_on : "CK"; }
    pin (CK) {
      direction : input; capacitance : 2; clock : true;
      internal_power () { when : "!Q"; rise_power (by_slew) { values ("10, 1000"); }
        fall_power (by_slew) { values ("30, 1000"); } }
      internal_power () { when : "D & Q & !QN"; power (scalar) { values ("7"); } }
    }
    pin (D) {
      direction : input; capacitance : 3;
      internal_power () { when : "CK"; power (scalar) { values ("5"); } }
      internal_power () { when : "!CK"; power (scalar) { values ("1000"); } }
    }
    pin (Q) { direction : output; function : "IQ";
      internal_power () { related_pin : "CK"; rise_power (by_load) { values ("0, 200"); }
        fall_power (by_load) { values ("0, 400"); } } }
    pin (QN) { direction : output; function : "IQN";
      internal_power () { related_pin : "CK"; power (scalar) { values ("11"); } } }
  }
}
"""
)


@pytest.fixture
def flip_flops(tmp_path, monkeypatch):
    """A function that gives the energy of a register for the lowest bit of a, and of one for
    valid."""

    def measure(a: list[int], text: str = FLIP_FLOP) -> module.Energy:
        path = tmp_path / "small.lib"
        path.write_text(text)
        made = hw.synthesize(f"{TINY},stages=1")
        ports = dict(made.module["ports"])
        outputs = {"i_ready": ["1"], "o_valid": [98], "y": [99, "0", "0", "0"]}
        ports |= {name: ports[name] | {"bits": bits} for name, bits in outputs.items()}
        (clock,), (valid,) = (ports[name]["bits"] for name in ("clk", "i_valid"))
        inputs = {98: valid, 99: ports["a"]["bits"][0]}
        cells = [["FF", {"CK": clock, "D": d, "Q": q}] for q, d in inputs.items()]
        module_of = {"ports": ports, "cells": cells}
        mapped = dataclasses.replace(made, library=str(path), module=module_of)
        monkeypatch.setattr(module, "synthesize", lambda *_: mapped)
        return hw.energy(made.spec, a, 0, library=str(path))

    return measure


def test_the_parts_of_the_energy_of_a_register(flip_flops):
    # Over and over: the bit rises, stays, falls, stays; and what is held a clock later.
    found = flip_flops([0, 1, 1, 0])
    assert (found.operations, found.clocks, found.toggles) == (4, 1.0, (2 + 2) / 4)
    load, change = 4 * 5, 2**2 / 2
    assert found.switching == pytest.approx(2 * load * change / 4)
    assert found.inputs == pytest.approx(2 * 3 * change / 4)
    assert found.clock == pytest.approx(2 * 2 * 2 * change)
    # It holds 0 in two clocks; 1, and will hold 1, in one; the register of valid does in all.
    clock = 2 * (10 + 30) + (1 + 4) * (7 + 7)
    output, inverse = 2 * (40 + 80) / 2, 2 * 11
    assert found.internal == pytest.approx((clock + 2 * 5 + output + inverse) / 4)
    assert found.energy == pytest.approx(found.switching + found.internal + found.clock)
    assert found.leakage == 2.0
    assert found.by_type == {"FF": {"cells": 2, "energy": found.energy, "leakage": 2.0}}


def test_a_register_at_rest_takes_what_the_clock_takes(flip_flops):
    found = flip_flops([1, 1, 1])
    assert (found.switching, found.inputs, found.toggles) == (0, 0, 0)
    assert found.internal == pytest.approx(2 * (7 + 7))
    assert found.energy == pytest.approx(found.internal + found.clock)


def test_registers_without_internal_power(flip_flops):
    whole = flip_flops([0, 1], FLIP_FLOP.replace("internal_power", "other"))
    assert (whole.internal, whole.energy) == (None, pytest.approx(whole.switching + whole.clock))
    start = FLIP_FLOP.index("cell (FF)")
    without = FLIP_FLOP[:start] + FLIP_FLOP[start:].replace("internal_power", "other")
    with pytest.raises(hw.InvalidInput, match="library 'small' has no internal power of FF"):
        flip_flops([0, 1], without)


# -- whole units ---------------------------------------------------------------------------------

# Logical effort of each input, parasitic capacitance of the output and the inside, by the tables of
# synth/README.md.
EFFORT = {
    "INV": (1, 1),
    "BUF": (1, 3),
    "NAND2": (4 / 3, 2),
    "NAND3": (5 / 3, 3),
    "NAND4": (2, 4),
    "NOR2": (5 / 3, 2),
    "NOR3": (7 / 3, 3),
    "NOR4": (3, 4),
    "AND2": (4 / 3, 4),
    "OR2": (5 / 3, 4),
    "AOI22": (2, 4),
    "OAI22": (2, 4),
    "XOR2": (11 / 3, 6),
    "XNOR2": (10 / 3, 6),
    "AOI21": (2, 7 / 3),
    "OAI21": (2, 8 / 3),
    "MUX2": (2, 6),
}
OTHER_INPUTS = {("AOI21", "C"): 5 / 3, ("OAI21", "C"): 4 / 3, ("MUX2", "S"): 3}


@pytest.mark.parametrize("spec", [TINY, "add:a=e4m3fn"])
def test_the_generic_library_by_logical_effort(spec):
    codes = operands(100, spec)
    found, netlist = hw.energy(spec, *codes), hw.synthesize(spec).module
    load, total, inputs = dict.fromkeys(netlist["ports"]["y"]["bits"], 4.0), 0.0, 0.0
    pins = [net for name in "ab" for net in netlist["ports"][name]["bits"]]
    for kind, nets in netlist["cells"]:
        for pin in nets.keys() - {"Y"}:
            effort = OTHER_INPUTS.get((kind, pin), EFFORT[kind][0])
            load[nets[pin]] = load.get(nets[pin], 0) + effort
    vectors = zip(*(x.tolist() for x in codes), strict=True)
    for x, y in pairwise([settle(netlist, vector) for vector in vectors]):
        inputs += sum(load.get(net, 0) for net in pins if x[net] != y[net])
        for kind, nets in netlist["cells"]:
            if x[nets["Y"]] != y[nets["Y"]]:
                total += load.get(nets["Y"], 0) + EFFORT[kind][1]
            if kind == "MUX2" and x[nets["S"]] != y[nets["S"]]:
                total += 3
    nand = 2 + 2 * 4 / 3
    assert found.energy == pytest.approx(total / 99 / nand, rel=5e-4)
    assert found.inputs == pytest.approx(inputs / 99 / nand, rel=5e-4)
    assert (found.energy_unit, found.leakage) == ("NAND2", None)
    assert found.energy == pytest.approx(sum(x["energy"] for x in found.by_type.values()), rel=1e-3)


REGISTERS = {"DFF": 10, "DFFE": 15}
"""Inside and at the output."""


@pytest.mark.parametrize("stages", [1, 3])
def test_registers_of_the_generic_library_by_logical_effort(stages):
    spec, n = f"{TINY},stages={stages}", 60
    codes = operands(n, spec)
    found, netlist = hw.energy(spec, *codes), hw.synthesize(spec).module
    registers = [(kind, nets) for kind, nets in netlist["cells"] if kind in REGISTERS]
    transfers = list(zip(*(x.tolist() for x in codes), strict=True))
    states = clocked(netlist, transfers, 2 * n + 1)[n:]
    inside = dict.fromkeys(REGISTERS, 0.0)
    for x, y in pairwise(states):
        for kind, nets in registers:
            inside[kind] += 2 * (3 + 3) + REGISTERS[kind] * (x[nets["Q"]] != y[nets["Q"]])
    load = dict.fromkeys((*netlist["ports"]["y"]["bits"], *netlist["ports"]["o_valid"]["bits"]), 4)
    for kind, nets in netlist["cells"]:
        for pin in nets.keys() - {"Y", "Q", "CK"}:
            effort = OTHER_INPUTS.get((kind, pin), EFFORT.get(kind, (1,))[0])
            load[nets[pin]] = load.get(nets[pin], 0) + effort
    nand = 2 + 2 * 4 / 3
    assert found.clock == pytest.approx(2 * len(registers) / nand, rel=5e-4)
    for kind in inside:
        mine = [nets for name, nets in registers if name == kind]
        outputs = [nets["Q"] for nets in mine]
        charged = sum(load[q] for x, y in pairwise(states) for q in outputs if x[q] != y[q])
        expected = (inside[kind] + charged) / n + 2 * len(mine)
        if kind == "DFFE":
            assert len({x[nets["E"]] for x in states for nets in mine}) == 1
        assert found.by_type[kind]["energy"] == pytest.approx(expected / nand, rel=5e-4)


@pytest.mark.parametrize(
    ("spec", "shapes", "transfers"),
    [
        ("mul:a=bf16,stages=2", [(4096,), (4096,)], 4096),
        ("mac", [(128, 32), (128, 32)], 4096),
        ("mac:a=e2m1fn", [(8, 32), (8, 32)], 256),
        ("fpint:k=64", [(256, 16), (256, 16)], 4096),
        ("bitplane_dot:lanes=16,k=1024", [(64, 64), (64, 64)], 64 * 4 * 16),
        ("engine", [(56, 64, 8), (56, 8, 8), (56, 64, 8)], 56 * 72),
        ("bstile", [(512, 8, 32), (512, 8, 32), (512, 8, 2), (512, 8, 2)], 4096),
    ],
)
def test_operands_of_units_at_work(spec, shapes, transfers):
    u = hw.unit(spec)
    codes = module.operands(u)
    assert [x.shape for x in codes] == shapes
    assert len(u.transfers.of(u.check_operands(codes))[0]) == transfers


def test_operands_are_shuffled_and_the_same_each_time():
    u = hw.unit(TINY)
    (a, b), again = module.operands(u), module.operands(u)
    assert sorted(zip(a, b, strict=True)) == [(x, y) for x in range(16) for y in range(16)]
    assert (np.diff(a) != 0).mean() > 0.9
    assert (a == again[0]).all()
    assert hw.energy(TINY) == hw.energy(TINY, a, b)


def test_energy_as_data(tmp_path):
    path = tmp_path / "own.lib"
    path.write_text(tabled_text())
    found = hw.energy(TINY, library=str(path), delay_target=100.0)
    data = found.as_dict()
    assert (data["delay_target"], data["target"], data["recipe"]) == (100.0, "tabled", "asic")
    assert data["versions"]["yosys"]
    assert hw.energy(TINY, library=str(path), recipe="area").recipe == "area"


def test_rows_by_titles():
    found = hw.energy(TINY)
    row = found.row()
    assert (row["spec"], row["library"]) == (found.spec, "generic")
    assert (row["energy (NAND2)"], row["inputs (NAND2)"]) == (found.energy, found.inputs)
    assert row["clocks"] is row["clock (NAND2)"] is None
    rows = found.table_by_type()
    assert [row["cell"] for row in rows] == list(found.by_type)
    assert sum(row["energy (NAND2)"] for row in rows) == pytest.approx(found.energy, rel=1e-4)


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        (TINY, {"library": "xilinx"}, "energy needs a library of cells, not xilinx"),
        (TINY, {"recipe": "cmos"}, "energy needs a library of cells, not cmos"),
        (TINY, {"library": "genric"}, "unknown library 'genric'"),
    ],
)
def test_what_has_no_energy(spec, options, message):
    with pytest.raises(hw.InvalidInput, match=message):
        hw.energy(spec, **options)


def test_wrong_operands():
    with pytest.raises(hw.InvalidInput, match="two vectors or more, not 1"):
        hw.energy(TINY, [1], [1])
    with pytest.raises(hw.InvalidInput, match="operand b of mul"):
        hw.energy(TINY, [1, 2], [1, 200])
