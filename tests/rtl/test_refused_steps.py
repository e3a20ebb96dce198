"""What a step of a pipelined datapath cannot have, and the message for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from amaranth.hdl import (
    Array,
    ClockSignal,
    Format,
    Fragment,
    Instance,
    Module,
    Mux,
    Print,
    ResetSignal,
    Signal,
    Value,
)
from amaranth.hdl._ast import AnyConst, AnySeq, Initial, Operator
from amaranth.lib.memory import MemoryData

import hwarith as hw
from hwarith import rtl
from hwarith.rtl import Values, wire
from hwarith.rtl.pipeline.recording import Recording
from tests.rtl.steps_in_stages import InStages, component, ports, simulate

ALLOWED = (
    "allowed: the inputs of the step, constants, signals made with wire(m, name, value), slices, "
    "Cat, Mux, Array, bit_select, word_select, and the operators "
    "~ - + * // % << >> & | ^ == != < <= > >="
)
MEMORY = MemoryData(shape=8, depth=4, init=[])


def refusal(make: Callable[[Module, Value, Value], Any], stages: int = 2) -> str:
    """The message for a step ``add``, in a unit ``average``."""

    def _add(m: Module, x: Values) -> Values:
        return {"total": make(m, x["a"], x["b"])}

    def halve(m: Module, x: Values) -> Values:
        return {"y": wire(m, "half", x["total"], 8)}

    inputs, results = ports(a="uint8", b="uint8"), ports(y="uint8")
    top = component(InStages(inputs, results, [_add, halve], stages, "average"))
    with pytest.raises(hw.InvalidInput) as error:
        Fragment.get(top, None)
    return str(error.value)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda m, a, b: a + ResetSignal(), "ResetSignal (rst sync)"),
        (lambda m, a, b: Mux(ClockSignal("fast"), a, b), "ClockSignal (clk fast)"),
        (lambda m, a, b: a ^ AnyConst(8), "AnyValue (anyconst 8')"),
        (lambda m, a, b: a ^ AnySeq(8), "AnyValue (anyseq 8')"),
        (lambda m, a, b: a[:4] * Initial(), "Initial (initial)"),
        (lambda m, a, b: Array([a, ResetSignal()])[b[0]], "ResetSignal (rst sync)"),
        (lambda m, a, b: wire(m, "named", ResetSignal()), "ResetSignal (rst sync)"),
        (lambda m, a, b: MEMORY[1] + a, f"_Row {MEMORY[1]!r}"),
        (
            lambda m, a, b: a + Signal(3, name="mine"),
            "the signal 'mine', which is not made with wire",
        ),
        (lambda m, a, b: wire(m, "new", Operator("<=>", [a, b]), 2), "the operator <=>"),
        (lambda m, a, b: wire(m, "new", Operator("!", [a]), 1), "the operator !"),
        (
            lambda m, a, b: a.as_signed().bit_select(b, 1),
            "bit_select or word_select that reaches beyond the sign of a signed value (Amaranth's "
            "simulator and its Verilog differ there; >> shifts the sign in)",
        ),
        (
            lambda m, a, b: a.as_signed().word_select(b[:2], 3),
            "bit_select or word_select that reaches beyond the sign of a signed value (Amaranth's "
            "simulator and its Verilog differ there; >> shifts the sign in)",
        ),
    ],
)
def test_an_expression_that_is_refused(make: Callable[..., Any], what: str) -> None:
    assert refusal(make) == (
        f"average: step add: a pipelined datapath cannot have {what}; {ALLOWED}"
    )


def assigned(m: Module, a: Value, b: Value) -> Value:
    total = Signal(8)
    m.d.comb += total.eq(a + b)
    return total


def in_domain(m: Module, a: Value, b: Value) -> Value:
    m.domain.comb += Signal(8).eq(a)
    return a


def under_condition(m: Module, a: Value, b: Value) -> Value:
    with m.If(a[0]):
        return b
    return a


def in_switch(m: Module, a: Value, b: Value) -> Value:
    with m.Switch(a), m.Case(1):
        return b


def in_states(m: Module, a: Value, b: Value) -> Value:
    with m.FSM():
        return b


def in_submodule(m: Module, a: Value, b: Value) -> Value:
    m.submodules.part = Instance("part", i_a=a)
    return a


def in_anonymous_submodule(m: Module, a: Value, b: Value) -> Value:
    m.submodules += Instance("part", i_a=a)
    return a


def printed(m: Module, a: Value, b: Value) -> Value:
    m.d.sync += Print(Format("{}", a))
    return a


def in_new_domain(m: Module, a: Value, b: Value) -> Value:
    m.domains.fast = None
    return a


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (assigned, "d"),
        (in_domain, "domain"),
        (under_condition, "If"),
        (in_switch, "Switch"),
        (in_states, "FSM"),
        (in_submodule, "submodules"),
        (in_anonymous_submodule, "submodules"),
        (printed, "d"),
        (in_new_domain, "domains"),
    ],
)
def test_what_is_refused_of_a_module(make: Callable[..., Any], what: str) -> None:
    assert refusal(make) == (
        f"average: step add: a pipelined datapath cannot have m.{what}; make its signals with "
        "wire(m, name, value), and choose between values with Mux"
    )


def test_without_registers_a_step_may_have_what_amaranth_has() -> None:
    def add(m: Module, x: Values) -> Values:
        with m.If(x["a"] > 3):
            m.d.comb += (total := Signal(8)).eq(x["a"].as_signed().bit_select(x["b"][:2], 3))
        return {"y": total}

    thing = InStages(ports(a="uint4", b="uint4"), ports(y="uint8"), [add])
    assert simulate(thing, [(2, 0), (7, 1)]) == [(0,), (3,)]


def test_an_attribute_that_modules_do_not_have() -> None:
    def add(m: Module, x: Values) -> Values:
        return {"y": m.comb}

    with pytest.raises(AttributeError, match="has no attribute 'comb'"):
        Recording([add], {"a": Signal(8)})


def test_the_step_is_named_that_makes_the_expression_not_the_one_that_reads_it() -> None:
    """It is handed on as it is, to a step that gives it a name."""
    assert refusal(lambda m, a, b: a + ResetSignal()).startswith("average: step add: ")


def test_stages_for_a_delay_names_the_step() -> None:
    def _add(m: Module, x: Values) -> Values:
        return {"y": x["a"] + ResetSignal()}

    with pytest.raises(hw.InvalidInput, match=r"^step add: a pipelined datapath cannot have Reset"):
        rtl.stages_for([_add], {"a": 8}, target=9, most=8)


def test_no_warning_follows_a_refusal(recwarn: pytest.WarningsRecorder) -> None:
    """Of the module that was being made, which is of no use then."""
    simulate(InStages(ports(a="uint4"), ports(y="uint4"), [lambda m, x: {"y": x["a"]}]), [(1,)])
    refusal(assigned)
    refusal(lambda m, a, b: a + ResetSignal(), stages=1)
    assert not recwarn.list
