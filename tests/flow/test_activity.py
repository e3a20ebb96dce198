"""Switching activity: counts that can be made by hand, and outputs against the golden model."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow import activity as module
from hwarith.flow.activity import Gate, Watch, activity, function_of
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
    wide = hw.unit("mul:a=int40,out=int80")
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
    "INV": "not A", "BUF": "A", "NAND2": "not (A and B)", "NAND3": "not (A and B and C)",
    "NAND4": "not (A and B and C and D)", "NOR2": "not (A or B)", "NOR3": "not (A or B or C)",
    "NOR4": "not (A or B or C or D)", "AND2": "A and B", "OR2": "A or B",
    "AOI21": "not (A and B or C)", "AOI22": "not (A and B or C and D)",
    "OAI21": "not ((A or B) and C)", "OAI22": "not ((A or B) and (C or D))",
    "XOR2": "A != B", "XNOR2": "A == B", "MUX2": "B if S else A",
}  # fmt: skip


def settle(netlist: dict, vector: tuple[int, ...]) -> dict[int, bool]:
    values = {"0": False, "1": True}
    inputs = [p for p in netlist["ports"].values() if p["direction"] == "input"]
    for port, code in zip(inputs, vector, strict=True):
        values |= {net: bool(code >> i & 1) for i, net in enumerate(port["bits"])}
    waiting = netlist["cells"]
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
    with pytest.raises(hw.InvalidInput, match=r"activity takes combinational units, and mul:.*"):
        activity(hw.synthesize(f"{TINY},stages=1"), [1, 2], [1, 2])
    with pytest.raises(hw.InvalidInput, match="activity needs two vectors or more, not 1"):
        activity(hw.synthesize(TINY), [1], [1])
    with pytest.raises(hw.InvalidInput, match="operand b of mul"):
        activity(hw.synthesize(TINY), [1, 2], [1, 200])
