"""Switching activity: counts that can be made by hand, and outputs against the golden model."""

from __future__ import annotations

import dataclasses
import re
from itertools import pairwise

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.energy import activity as module
from hwarith.flow.energy.activity import Watch, activity
from hwarith.flow.energy.gates import Gate
from hwarith.flow.energy.measure import operands as operands_at_work
from hwarith.flow.synthesis.functions import function_of
from tests.flow.tabled import library

UNIT = "mul:a=e4m3fn"
TINY = "mul:a=e2m1fn"


@pytest.fixture
def tabled(tmp_path):
    path = tmp_path / "own.lib"
    path.write_text(library())
    return path


def operands(n: int, spec: str = UNIT) -> list[np.ndarray]:
    rng = np.random.default_rng(n)
    return [
        rng.integers(0, 1 << f.bits, n).astype(f.dtype) for f in hw.unit(spec).operands.values()
    ]


@pytest.mark.parametrize("recipe", ["asic", "cmos"])
@pytest.mark.parametrize("n", [2, 63, 64, 65, 1000])
def test_outputs_are_the_golden_models(recipe, n):
    u = hw.unit(UNIT)
    a, b = operands(n)
    found = activity(hw.synthesize(u, recipe=recipe), a, b)
    assert (found.results == u(a, b)).all()
    assert found.results.dtype == u(a, b).dtype
    assert found.operations == n - 1


def test_outputs_of_a_unit_wider_than_a_word_and_with_two_results():
    wide = hw.unit("add:a=int40,out=int66")
    a, b = operands(300, wide.spec)
    assert (activity(hw.synthesize(wide), a, b).results == wide(a, b)).all()
    two = hw.unit("mul:a=e4m3fn,flags=after")
    found, expected = activity(hw.synthesize(two), *operands(300)).results, two(*operands(300))
    for x, y in zip(found, expected, strict=True):
        assert (x == y).all()


def test_toggles_are_those_that_counting_vector_by_vector_finds(tabled):
    """One vector at a time, on Python's integers."""
    result = hw.synthesize(TINY, tabled)
    vectors = list(zip(*(x.tolist() for x in operands(200, TINY)), strict=True))
    cells = result.module["cells"]
    outputs = {nets["Y"] for _, nets in cells}
    states = [settle(result.module, vector) for vector in vectors]
    changes = {net: sum(x[net] != y[net] for x, y in pairwise(states)) for net in states[0]}
    watched = [
        Watch(3, 4),
        Watch(3, None, Gate(lambda x: ~x, (4,))),
    ]
    found = activity(result, *operands(200, TINY), watch=watched)
    assert {net: found.changes[net] for net in changes} == changes
    assert {net: found.ones[net] for net in changes} == {
        net: sum(state[net] for state in states) for net in changes
    }
    assert found.toggles == pytest.approx(sum(changes[net] for net in outputs) / 199)
    assert found.watched == [
        sum(x[3] != y[3] and x[4] != y[4] for x, y in pairwise(states)),
        sum(x[3] != y[3] and not y[4] for x, y in pairwise(states)),
    ]


GATES = {
    "INV": "not A",
    "BUF": "A",
    "NAND2": "not (A and B)",
    "NAND3": "not (A and B and C)",
    "NAND4": "not (A and B and C and D)",
    "NOR2": "not (A or B)",
    "NOR3": "not (A or B or C)",
    "NOR4": "not (A or B or C or D)",
    "AND2": "A and B",
    "OR2": "A or B",
    "AOI21": "not (A and B or C)",
    "AOI22": "not (A and B or C and D)",
    "OAI21": "not ((A or B) and C)",
    "OAI22": "not ((A or B) and (C or D))",
    "XOR2": "A != B",
    "XNOR2": "A == B",
    "MUX2": "B if S else A",
}


def settle(
    netlist: dict, vector: tuple[int, ...], stored: dict[int, bool] | None = None
) -> dict[int, bool]:
    values = {"0": False, "1": True} | (stored or {})
    inputs = [p for p in netlist["ports"].values() if p["direction"] == "input"]
    for port, code in zip(inputs, vector, strict=True):
        values |= {net: bool(code >> i & 1) for i, net in enumerate(port["bits"])}
    waiting = [(kind, nets) for kind, nets in netlist["cells"] if not kind.startswith("DFF")]
    while waiting:
        for kind, nets in waiting:
            pins = {pin: values.get(net) for pin, net in nets.items() if pin != "Y"}
            if None not in pins.values():
                values[nets["Y"]] = bool(eval(GATES[kind.partition("_X")[0]], {}, pins))
        waiting = [(kind, nets) for kind, nets in waiting if nets["Y"] not in values]
    return {net: value for net, value in values.items() if isinstance(net, int)}


def test_vectors_at_the_border_of_chunks(monkeypatch):
    result = hw.synthesize(UNIT)
    whole = activity(result, *operands(1000))
    monkeypatch.setattr(module, "_CHUNK", 64)
    parts = activity(result, *operands(1000))
    assert (parts.toggles, parts.changes, parts.ones) == (whole.toggles, whole.changes, whole.ones)
    assert (parts.results == whole.results).all()


def test_constant_operands_toggle_nothing():
    found = activity(hw.synthesize(UNIT), np.full(100, 7, np.uint8), 3)
    assert found.toggles == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!A", lambda a, b, c: ~a),
        ("A'", lambda a, b, c: ~a),
        ("!(A B)", lambda a, b, c: ~(a & b)),
        ("A + B * C", lambda a, b, c: a | (b & c)),
        ("A | B&C", lambda a, b, c: a | (b & c)),
        ("A ^ B C", lambda a, b, c: (a ^ b) & c),
        ("(A+B)'C", lambda a, b, c: ~(a | b) & c),
        ("(A B)(!C)", lambda a, b, c: a & b & ~c),
    ],
)
def test_functions(text, expected):
    values = {"A": np.uint64(0b11110000), "B": np.uint64(0b11001100), "C": np.uint64(0b10101010)}
    function, pins = function_of(text, ("A", "B", "C"), "cell X")
    assert function(*(values[p] for p in pins)) == expected(*values.values())


@pytest.mark.parametrize("text", ["", "A +", "A Z", "(A", "A)", "A % B", "__import__", "A ! "])
def test_what_is_no_function(text):
    message = re.escape(f"cell X: {text!r} is no function of its inputs A, B")
    with pytest.raises(hw.InvalidInput, match=message):
        function_of(text, ("A", "B"), "cell X")


def test_what_has_no_activity():
    with pytest.raises(hw.InvalidInput, match="activity needs a netlist of cells, not of ice40"):
        activity(hw.synthesize(TINY, "ice40"), [1, 2], [1, 2])
    with pytest.raises(
        hw.InvalidInput, match=r"registers needs a library's, and mul:.* is of cmos"
    ):
        activity(hw.synthesize(f"{TINY},stages=1", recipe="cmos"), [1, 2], [1, 2])
    with pytest.raises(hw.InvalidInput, match="activity needs two vectors or more, not 1"):
        activity(hw.synthesize(TINY), [1], [1])
    with pytest.raises(hw.InvalidInput, match="operand b of mul"):
        activity(hw.synthesize(TINY), [1, 2], [1, 200])


# -- registers -----------------------------------------------------------------------------------

WITH_REGISTERS = [
    "mul:a=e4m3fn,stages=2",
    "fma:a=e2m1fn,stages=5",
    "add:a=int64,out=int65,stages=1",
    "mac:a=e2m1fn,acc=e4m3",
    "dfpmac:p=8",
    "fpint:lanes=2",
    "bspe:type=fp4,lanes=2",
    "bitplane_dot:lanes=16",
    "bsdequant",
    "engine:pe=(fma:a=e2m1fn,c=e4m3fn,out=e4m3fn),rows=2,columns=2",
    pytest.param("engine:pe=(anfma:a=e4m3fn,w=12),rows=2,columns=2", marks=pytest.mark.long),
]


@pytest.mark.parametrize("spec", WITH_REGISTERS)
def test_results_with_registers_are_the_golden_models(spec, monkeypatch):
    monkeypatch.setattr("hwarith.flow.energy.measure.VECTORS", 300)
    monkeypatch.setattr(module, "_CHUNK", 128)
    u = hw.unit(spec)
    codes = operands_at_work(u)
    found, expected = activity(hw.synthesize(u), *codes), u(*codes)
    if len(u.results) == 1:
        assert (found.results == expected).all()
    else:
        for x, y in zip(found.results, expected, strict=True):
            assert (x == y).all()
    assert found.clocks == found.operations * u.transfers.clocks
    assert found.toggles > 10


def test_an_array_that_waits_for_its_own_parts():
    """The multiplication with a group's scale takes longer than these groups."""
    u = hw.unit("bstile:pe=(bspe:type=int4),rows=1,columns=1")
    rng = np.random.default_rng(0)
    a = rng.integers(0, 1 << 14, (20, 1, 8), np.uint16)
    w, scale = (rng.integers(0, top, (20, 1, n), np.uint8) for top, n in ((16, 8), (256, 2)))
    found = activity(hw.synthesize(u), a, w, scale)
    assert (found.results == u(a, w, scale)).all()
    assert found.operations == 40
    assert found.clocks > found.operations * u.transfers.clocks


def clocked(netlist: dict, transfers: list[tuple[int, ...]], clocks: int) -> list[dict[int, bool]]:
    """The nets in each clock after a reset: valid operands, one transfer after the other."""
    states = []
    registers = [nets for kind, nets in netlist["cells"] if kind.startswith("DFF")]
    stored = {nets["Q"]: False for nets in registers}
    for clock in range(-2, clocks):
        offered = transfers[max(clock, 0) % len(transfers)]
        control = (1, int(clock < 0), int(clock >= 0))  # clk, rst, i_valid
        states.append(settle(netlist, (*control, *offered, 1), stored))
        now = states[-1] | {"0": False, "1": True}
        stored = {
            nets["Q"]: now[nets["D" if now[nets.get("E", "1")] else "Q"]] for nets in registers
        }
    return states[2:]


@pytest.mark.parametrize(("stages", "n"), [(1, 30), (2, 70), (4, 3)])
def test_toggles_with_registers_are_those_that_counting_clock_by_clock_finds(stages, n, tabled):
    """Clock by clock, on Python's integers, from when all ranks are full."""
    spec = f"{TINY},stages={stages}"
    result, codes = hw.synthesize(spec, tabled), operands(n, spec)
    transfers = list(zip(*(x.tolist() for x in codes), strict=True))
    full = 10 * n
    states = clocked(result.module, transfers, full + n + 1)[full:]
    ports = {name: port["bits"][0] for name, port in result.module["ports"].items()}
    changes = {net: sum(x[net] != y[net] for x, y in pairwise(states)) for net in states[0]}
    changes[ports["clk"]] = 2 * n
    q, d = next(
        (nets["Q"], nets["D"]) for kind, nets in result.module["cells"] if kind == "DFFE_X1"
    )
    clock = ports["clk"]
    watch = [
        Watch(q, clock),
        Watch(clock, None, Gate(lambda x: x, (d,))),
        Watch(q, None, Gate(lambda x: ~x, (clock,))),
    ]
    found = activity(result, *codes, watch=watch)
    assert {net: found.changes[net] for net in changes} == changes
    assert {net: found.ones[net] for net in changes} == {
        net: sum(state[net] for state in states[1:]) for net in changes
    }
    assert (found.operations, found.clocks) == (n, n)
    outputs = [nets.get("Y", nets.get("Q")) for _, nets in result.module["cells"]]
    assert found.toggles == pytest.approx(sum(changes[net] for net in outputs) / n)
    assert found.watched == [changes[q], 2 * sum(state[d] for state in states[1:]), 0]
    assert (found.results == hw.unit(spec)(*codes)).all()


def with_flip_flop(text: str, old: str, new: str) -> str:
    """The tests' library without DFFE, with another DFF."""
    text = re.sub(r"(?s)  cell \(DFFE_X1\).*?\n  \}\n", "", text)
    assert text.count(old) == 1
    return text.replace(old, new)


CLEARED = """clocked_on : "CK"; next_state : "D"; clear : "!R"; preset : "!S"; }
    pin (R) { direction : input; } pin (S) { direction : input; }"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('clocked_on : "CK"; next_state : "D"', 'clocked_on : "!CK"; next_state : "D"'),
        ('clocked_on : "CK"; next_state : "D"; }', CLEARED),
    ],
)
def test_other_flip_flops(old, new, tmp_path):
    """One at the falling edge, behind an inverter; one that could be cleared and preset."""
    path = tmp_path / "other.lib"
    path.write_text(with_flip_flop(library(), old, new))
    u = hw.unit(f"{TINY},stages=2")
    result, codes = hw.synthesize(u, path), operands(50, u.spec)
    found = activity(result, *codes)
    assert (found.results == u(*codes)).all()
    flip_flops = [nets for kind, nets in result.module["cells"] if kind == "DFF_X1"]
    pins = {pin: nets[pin] for nets in flip_flops for pin in nets.keys() & {"CK", "R", "S"}}
    assert found.changes[pins["CK"]] == 100
    assert (pins["CK"] == result.module["ports"]["clk"]["bits"][0]) == ("R" in pins)
    assert pins.get("R", "1") == pins.get("S", "1") == "1"


def rewired(result: hw.flow.synthesize.Synthesis, kind: str, pin: str, net: str) -> dict:
    cells = [
        [name, nets | {pin: net} if name == kind else nets] for name, nets in result.module["cells"]
    ]
    return dataclasses.replace(result, module=result.module | {"cells": cells})


def test_registers_that_are_used_as_something_else(tabled, tmp_path):
    result = hw.synthesize(f"{TINY},stages=1", tabled)
    message = (
        "takes flip-flops at the rising edge of clk, neither cleared nor preset, and cell {} is"
    )
    for net in ("1", result.module["ports"]["a"]["bits"][0]):
        with pytest.raises(hw.InvalidInput, match=message.format("DFFE_X1")):
            activity(rewired(result, "DFFE_X1", "CK", net), [1, 2], [1, 2])
    path = tmp_path / "latch.lib"
    flip_flop, latch = 'clocked_on : "CK"; next_state : "D";', 'enable : "CK"; data_in : "D";'
    path.write_text(
        library().replace(f"ff (IQ, IQN) {{ {flip_flop}", f"latch (IQ, IQN) {{ {latch}")
    )
    latched = dataclasses.replace(result, library=str(path))
    with pytest.raises(hw.InvalidInput, match=message.format("DFF_X1")):
        activity(latched, [1, 2], [1, 2])


@pytest.mark.parametrize(
    ("port", "value", "message"),
    [
        ("i_ready", "0", "takes no operands after 0 transfers"),
        ("o_valid", "0", "gives 0 results for 3 transfers, instead of 3"),
    ],
)
def test_a_netlist_that_blocks(port, value, message):
    result = hw.synthesize(f"{TINY},stages=2")
    ports = result.module["ports"]
    ports = ports | {port: ports[port] | {"bits": [value]}}
    wrong = dataclasses.replace(result, module=result.module | {"ports": ports})
    with pytest.raises(hw.ToolFailure, match=message):
        activity(wrong, [1, 2, 3], [1, 2, 3])


def test_a_wrong_register_shows_in_the_results():
    u = hw.unit(f"{TINY},stages=2")
    result, codes = hw.synthesize(u), operands(200, TINY)
    assert (activity(result, *codes).results == u(*codes)).all()
    wrong = rewired(result, "DFFE", "E", "0")
    assert (activity(wrong, *codes).results != u(*codes)).any()
