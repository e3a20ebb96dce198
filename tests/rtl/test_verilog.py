"""The Verilog writer: legal names, short expressions, the same text in every run, no tool."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Cat, Module, Mux
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

import hwarith as hw
from hwarith import rtl
from hwarith.exceptions import InvalidInput, ToolFailure
from hwarith.flow import tools
from hwarith.rtl import KEYWORDS, verilog_module
from hwarith.rtl.verilog.expressions import constant
from hwarith.temporary import temporary_folder
from hwarith.units import Unit
from hwarith.units.catalogue import CATALOGUE
from tests.tiers import few

SMALL = ["mul:a=e4m3fn", "fma:a=e5m2,stages=2", "lmul:format=bf16", "cmp:a=bf16,op=lt"]


class Of(wiring.Component):
    """A component of inputs a, b, c of four bits, and one output, made by a function."""

    def __init__(self, make) -> None:
        self._make = make
        super().__init__({"a": In(4), "b": In(4), "c": In(1), "y": Out(8)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.y.eq(self._make(m, self.a, self.b, self.c))
        return m


def body(make) -> str:
    """What stands between the ports and the end of a module."""
    text = verilog_module(Of(make), "of")
    return text.partition(");\n")[2].removesuffix("endmodule\n")


def test_a_wire_has_one_expression() -> None:
    def make(m, a, b, c):
        total = rtl.wire(m, "total", a + b)
        return rtl.wire(m, "chosen", Mux(c, total[:4], ~b))

    assert body(make) == (
        "  wire [4:0] total = {1'b0, a} + {1'b0, b};\n"
        "  wire [3:0] chosen = c ? total[3:0] : ~b;\n"
        "  assign y = {4'd0, chosen};\n"
    )


def test_what_is_read_twice_is_written_once() -> None:
    def make(m, a, b, c):
        product = (a + 1) & b
        return Cat(product.any(), product.all())

    text = body(make)
    assert text.count("+") == 1
    (name,) = re.findall(r"wire \[4:0\] (\w+) = .*\+", text)
    assert f"&{name}, |{name}}}" in text


def test_what_nothing_reads_is_left_out() -> None:
    def make(m, a, b, c):
        rtl.wire(m, "unread", a ^ b)
        return rtl.wire(m, "read", a & b)

    assert "unread" not in body(make)


def test_constants_are_folded() -> None:
    def make(m, a, b, c):
        zero = rtl.wire(m, "zero", a & 0)
        return Mux(zero.any(), a, b) | zero

    assert body(make) == "  assign y = {4'd0, b};\n"


def test_a_wire_of_which_one_bit_is_made_of_another_is_no_loop() -> None:
    def make(m, a, b, c):
        bits = [a[0] & c]
        for i in range(1, 4):
            bits.append((a[i] & b[i]) ^ bits[-1])
        return rtl.wire(m, "chain", Cat(*bits))

    text = body(make)
    assert "wire [3:0] chain = {chain_3, chain_2, chain_1, chain_0};" in text
    defined = [re.match(r"  wire (?:\[.*?\] )?(\w+) = (.*);", x) for x in text.splitlines()]
    for i, line in enumerate(defined):
        later = {x[1] for x in defined[i:] if x}
        assert line is None or not later & set(re.findall(r"\w+", line[2]))


@pytest.mark.parametrize("name", ["signed", "reg", "logic", "final", "interface"])
def test_a_keyword_is_no_name(name: str) -> None:
    def make(m, a, b, c):
        return rtl.wire(m, name, a ^ b)

    assert f"wire [3:0] {name}_2 = a ^ b;" in body(make)


@pytest.mark.parametrize("spec", few(CATALOGUE.values(), 2))
def test_names_and_lines_of_the_catalogue(spec: str) -> None:
    """No escaped name, no keyword, no number for a name, no line that is too long."""
    text = hw.verilog(spec)
    assert "\\" not in text
    assert max(map(len, text.splitlines())) <= 120
    code = re.sub(r"//.*|/\*.*?\*/", "", text)
    declared = re.findall(r"\b(?:wire|reg) (?:\[.*?\] *)?(\w+)(?= =|;|,|\n)", code)
    assert declared
    assert not KEYWORDS & set(declared)
    assert not [name for name in declared if re.fullmatch(r"_*\d*_*", name)]


@pytest.mark.parametrize("width", [256, 257, 512, 700])
def test_long_constants_are_written_in_pieces(width: int) -> None:
    value = (0x5A3C << (width - 16)) + 7
    text = constant(value, width)
    pieces = [x.split("'h") for x in text.strip("{}").split(", ")]
    assert sum(int(bits) for bits, _ in pieces) == width
    assert all(int(digits, 16) < 1 << int(bits) for bits, digits in pieces)
    assert max(map(len, text.split(", "))) < 80
    found = 0
    for bits, digits in pieces:
        found = found << int(bits) | int(digits, 16)
    assert found == value


@pytest.mark.parametrize("spec", SMALL)
def test_the_text_is_the_same_in_every_process(spec: str) -> None:
    program = f"import hwarith, sys; sys.stdout.write(hwarith.verilog({spec!r}))"
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert texts == {hw.verilog(spec)}


def test_no_tool_is_run(monkeypatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert "module mul_e3m2fn" in hw.verilog("mul:a=e3m2fn,stages=1")


def test_a_comment_gives_no_order_to_a_tool() -> None:
    text = f"Verilator {'x' * 80} synthesis translate_off"
    first, second = rtl.verilog.comment(text, "  ")
    assert first == f"  // * Verilator {'x' * 80}"
    assert second == "  // * synthesis translate_off"


def test_what_no_unit_may_have_is_refused() -> None:
    def make(m, a, b, c):
        m.submodules.memory = memory = Memory(shape=4, depth=16, init=[])
        port = memory.read_port(domain="comb")
        m.d.comb += port.addr.eq(a)
        return port.data

    with pytest.raises(InvalidInput, match="of has"):
        body(make)


# -- against Amaranth's own back end -------------------------------------------------------------

PROOF = """
read_rtlil amaranth.il
hierarchy -top {name}
proc
flatten
rename {name} gold
read_verilog own.v
rename {name} gate
proc
setattr -unset init w:*
equiv_make gold gate equiv
hierarchy -top equiv
opt_clean
equiv_simple
equiv_induct
equiv_status -assert
"""


def prove(name: str, component: wiring.Component, text: str) -> None:
    """Prove that Verilog is what Amaranth's back end makes of a component. Raises `ToolFailure`."""
    with temporary_folder() as folder:
        (folder / "amaranth.il").write_text(rtlil.convert(component, name=name, emit_src=False))
        (folder / "own.v").write_text(text)
        tools.run_yosys(PROOF.format(name=name), folder)


def modules(u: Unit) -> dict:
    return {u.name: u.create_ports} | u.parts


@pytest.mark.parametrize("spec", [*SMALL, "decode:type=int4b,out=fp16"])
def test_it_is_what_amaranth_says(spec: str) -> None:
    for name, create in modules(hw.unit(spec)).items():
        prove(name, create(), verilog_module(create(), name))


def test_a_difference_is_found() -> None:
    u = hw.unit("mul:a=e3m2fn")
    text = verilog_module(u.create_ports(), u.name)
    prove(u.name, u.create_ports(), text)
    with pytest.raises(ToolFailure):
        prove(u.name, u.create_ports(), text.replace("^", "|", 1))


PROVABLE = [
    spec
    for spec in CATALOGUE.values()
    if not re.search(r"fp32|fp16|p14|dfpmac|bitplane|w=24|bstile|mixed", spec)
]


@pytest.mark.long
@pytest.mark.parametrize("spec", PROVABLE)
def test_the_catalogue_is_what_amaranth_says(spec: str) -> None:
    """Those of the catalogue that yosys proves in a minute; the simulation of every unit against
    its golden model says it of the others."""
    for name, create in modules(hw.unit(spec)).items():
        prove(name, create(), verilog_module(create(), name))
