"""Static timing on netlists whose longest path is known."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from hwarith.exceptions import ToolFailure
from hwarith.flow import tools
from hwarith.flow.synthesis import liberty
from hwarith.flow.synthesis.timing import Path, loads_of_nets, longest_path, longest_path_by_load
from tests.flow import tabled

CELLS = liberty.read(tools.shipped("synth") / "generic.lib").cells


def module(inputs: str, outputs: str, *cells: str) -> dict[str, Any]:
    """A netlist in the form of yosys' JSON: cells as ``NAND2 A=a B=b Y=y``, nets by name.

    Nets ``0`` and ``1`` are constants.
    """
    numbers: dict[str, Any] = {"0": "0", "1": "1"}

    def net(name: str) -> Any:
        return numbers.setdefault(name, len(numbers))

    def instance(text: str) -> dict[str, Any]:
        kind, *pins = text.split()
        connections = {pin: [net(name)] for pin, name in (item.split("=") for item in pins)}
        return {"type": kind, "connections": connections}

    ports = {name: {"direction": "input", "bits": [net(name)]} for name in inputs.split()}
    ports |= {name: {"direction": "output", "bits": [net(name)]} for name in outputs.split()}
    instances = {f"u{i}": instance(text) for i, text in enumerate(cells)}
    names = {
        name: {"hide_name": 0, "bits": [n]} for name, n in numbers.items() if isinstance(n, int)
    }
    return {"ports": ports, "cells": instances, "netnames": names}


def test_an_output_is_loaded_as_four_buffers_are(tmp_path):
    """By hand, with the library's tables: of a net that is an output and an input of a cell."""
    path = tmp_path / "tabled.lib"
    path.write_text(tabled.library())
    library = liberty.read(path)
    netlist = module("a", "y z", "INV_X1 A=a Y=y", "INV_X1 A=y Y=z")
    inverter, buffer = (library.cells[f"{kind}_X1"] for kind in ("INV", "BUF"))
    rise, fall = inverter.capacitances["A"]
    output = 4 * max(buffer.capacitances["A"])
    assert 0.04 < output < 0.05
    instances = [
        (library.cells[cell["type"]], {pin: bits[0] for pin, bits in cell["connections"].items()})
        for cell in netlist["cells"].values()
    ]
    loads = loads_of_nets(netlist["ports"], instances, library)
    a, y, z = (netlist["ports"][name]["bits"][0] for name in "ayz")
    assert loads[a] == [rise, fall]
    assert loads[y] == pytest.approx([rise + output, fall + output])
    assert loads[z] == [output, output]

    def arc(cell, edge):
        return next(x for x in cell.arcs if x.edge == edge)

    delays = []
    for edge in (0, 1):  # of z, which follows a
        load = loads[a][edge]
        driver, first, second = arc(buffer, edge), arc(inverter, 1 - edge), arc(inverter, edge)
        time = driver.delay.at(0, load) - driver.delay.at(0, 0)
        slew = driver.slew.at(0, load)
        time += first.delay.at(slew, loads[y][1 - edge])
        slew = first.slew.at(slew, loads[y][1 - edge])
        delays.append(time + second.delay.at(slew, output))
    assert longest_path_by_load(netlist, library).delay == pytest.approx(max(delays), abs=1e-6)


@pytest.mark.parametrize("length", [1, 2, 1000])
def test_a_chain(length):
    names = ["a", *(f"n{i}" for i in range(1, length)), "y"]
    chain = [f"INV A={x} Y={y}" for x, y in pairwise(names)]
    expected = (pytest.approx(0.64 * length), length, "a", "y")
    assert longest_path(module("a", "y", *reversed(chain)), CELLS)[:4] == expected


def test_the_slowest_way_wins_over_the_one_with_more_cells():
    cells = ["INV A=a Y=p", "INV A=p Y=q", "NOR4 A=b B=0 C=0 D=0 Y=r", "NAND2 A=q B=r Y=y"]
    path = longest_path(module("a b", "y", *cells), CELLS)
    assert path[:4] == (2.14 + 1.0, 2, "b", "y")
    b, y, r = 3, 4, 7
    assert path.nets == {b: 0.0, r: 2.14, y: 1.0}


def test_a_cell_is_as_slow_as_the_pin_that_the_path_enters_by():
    fast, slow = (
        module("a", "y", "AOI21 A=0 B=0 C=a Y=y"),
        module("a", "y", "AOI21 A=a B=1 C=0 Y=y"),
    )
    assert longest_path(fast, CELLS).delay == 1.21
    assert longest_path(slow, CELLS).delay == 1.36


def test_from_register_to_register_with_its_own_delay_and_setup_time():
    cells = ["DFF CK=clk D=a Q=p", "XOR2 A=p B=a Y=q", "DFFE CK=clk D=q E=e Q=y"]
    path = longest_path(module("clk a e", "y", *cells), CELLS)
    assert path[:4] == (pytest.approx(2.57 + 2.0 + 2.36), 1, "p", "y")


def test_an_enable_ends_a_path():
    cells = ["INV A=e Y=p", "DFFE CK=clk D=a E=p Q=y"]
    path = longest_path(module("clk a e", "y", *cells), CELLS)
    assert path[:4] == (pytest.approx(0.64 + 3.0), 1, "e", "y")


def test_constants_and_wires_take_no_time():
    wire = module("a", "y")
    wire["ports"]["y"]["bits"] = wire["ports"]["a"]["bits"]
    assert longest_path(wire, CELLS) == Path(0.0, 0, "a", "y", {2: 0.0}, {"y": 0.0})
    constant = module("a", "y", "INV A=a Y=p")
    constant["ports"]["y"]["bits"] = ["1"]
    assert longest_path(constant, CELLS) == Path(0.0, 0, "", "", {}, {})


def test_a_combinational_loop_is_an_error():
    with pytest.raises(ToolFailure, match="combinational loop"):
        longest_path(module("a", "y", "NAND2 A=a B=q Y=p", "INV A=p Y=q", "BUF A=q Y=y"), CELLS)
