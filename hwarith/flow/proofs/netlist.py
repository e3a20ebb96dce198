"""Emitted Verilog as terms, read by yosys: each output, and each named wire, of the inputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...exceptions import ToolFailure
from ...files import write_text
from ...temporary import temporary_folder
from ..tools import run_yosys
from .terms import Term, Terms

Bit = int | str

_READERS = (
    "read_verilog -sv unit.sv",
    "read_slang -j 1 --top {top} unit.sv",
    "read_slang -j 1 --allow-use-before-declare --top {top} unit.sv",
)
"""Commands of yosys, of which the first that takes a file will do."""

_WRAPPED = "dut."
"""Before the names of wires of the one module that a wrapper has."""


@dataclass(frozen=True)
class Circuit:
    """A module as terms of its inputs and registers: its outputs, its named wires, and what each
    register holds after the next edge of the clock."""

    inputs: dict[str, Term]
    outputs: dict[str, Term]
    wires: dict[str, Term]
    registers: dict[Term, Term]

    def substituted(self, terms: Terms, by: Mapping[Term, Term]) -> Circuit:
        """The circuit, without its registers, with other terms in place of some."""
        names = [*self.outputs, *self.wires]
        roots = [*self.outputs.values(), *self.wires.values()]
        made = terms.substituted(roots, by)
        outputs = len(self.outputs)
        return Circuit(
            self.inputs,
            dict(zip(names[:outputs], made[:outputs], strict=True)),
            dict(zip(names[outputs:], made[outputs:], strict=True)),
            {},
        )


def netlist(verilog: str, top: str) -> dict[str, Any]:
    """The module `top` as yosys writes it in JSON, of word-level cells.

    What its own reader does not take (packages, structures, ...) is read by slang. Raises
    `ToolFailure`.
    """
    with temporary_folder() as folder:
        write_text(folder / "unit.sv", verilog)
        for number, reader in enumerate(_READERS):
            try:
                run_yosys(
                    f"{reader.format(top=top)}\nhierarchy -check -top {top}\nproc\n"
                    "flatten -noscopeinfo\nopt_expr -keepdc\nopt_clean\nwrite_json unit.json\n",
                    folder,
                )
                break
            except ToolFailure:
                if number == len(_READERS) - 1:
                    raise
        return json.loads((folder / "unit.json").read_text())["modules"][top]


def circuit(
    module: dict[str, Any],
    terms: Terms,
    inputs: dict[str, Term],
    known: Mapping[str, Term] | None = None,
) -> Circuit:
    """The terms of a module's outputs and named wires for terms of its inputs, and of wires that
    are `known` by others."""
    reader = _Reader(module, terms, inputs, known or {})
    ports = module["ports"].items()
    return Circuit(
        inputs,
        {n: reader.word(p["bits"]) for n, p in ports if p["direction"] == "output"},
        {
            n.removeprefix(_WRAPPED): reader.word(w["bits"])
            for n, w in module["netnames"].items()
            if not w.get("hide_name") and all(b in reader.known for b in w["bits"])
        },
        {q: reader.word(bits) for q, bits in reader.registers.items()},
    )


class _Reader:
    """Reads the cells of a module in the order of their signals."""

    def __init__(
        self,
        module: dict[str, Any],
        terms: Terms,
        inputs: Mapping[str, Term],
        known: Mapping[str, Term],
    ) -> None:
        self.t = terms
        self.known: dict[Bit, tuple[Term, int]] = {
            "0": (terms.const(0, 1), 0),
            "1": (terms.const(1, 1), 0),
            "x": (terms.const(0, 1), 0),
        }
        for name, port in module["ports"].items():
            if port["direction"] == "input":
                self._drive(port["bits"], inputs[name])
        for name, term in known.items():
            names = module["netnames"]
            self._drive(names[name if name in names else _WRAPPED + name]["bits"], term)
        self.registers: dict[Term, list[Bit]] = {}
        registers = [c for c in module["cells"].values() if c["type"] == "$dff"]
        for cell in registers:
            q = cell["connections"]["Q"]
            register = terms.variable(_register_name(module, q), len(q))
            self._drive(q, register)
            self.registers[register] = cell["connections"]["D"]
        cells = [c for c in module["cells"].values() if c["type"] != "$dff"]
        driver = {b: c for c in cells for b in self._outputs(c)}
        state: dict[int, int] = {}
        for cell in cells:
            waiting = [cell]
            while waiting:
                now = waiting[-1]
                if state.get(id(now)) == 2:
                    waiting.pop()
                    continue
                missing = [
                    driver[b]
                    for b in self._inputs(now)
                    if b not in self.known and b in driver and state.get(id(driver[b])) != 2
                ]
                if missing and state.get(id(now)) == 1:
                    raise ToolFailure("a netlist with a loop of combinational cells")
                if missing:
                    state[id(now)] = 1
                    waiting.extend(missing)
                else:
                    self._cell(now)
                    state[id(now)] = 2
                    waiting.pop()

    @staticmethod
    def _outputs(cell: dict[str, Any]) -> list[Bit]:
        return [
            b
            for port, bits in cell["connections"].items()
            if cell["port_directions"][port] == "output"
            for b in bits
        ]

    @staticmethod
    def _inputs(cell: dict[str, Any]) -> list[Bit]:
        return [
            b
            for port, bits in cell["connections"].items()
            if cell["port_directions"][port] == "input"
            for b in bits
        ]

    def _drive(self, bits: list[Bit], term: Term) -> None:
        for place, bit in enumerate(bits):
            self.known.setdefault(bit, (term, place))

    def word(self, bits: list[Bit]) -> Term:
        """Bits, the lowest first, as a term."""
        parts = [self.t.extract(*self.known[b], 1) for b in reversed(bits)]
        return self.t.concat(*parts)

    def _cell(self, cell: dict[str, Any]) -> None:
        kind, wires = cell["type"], cell["connections"]
        if kind not in _CELLS:
            raise ToolFailure(f"no term for cells of type {kind}")
        parameters = {
            k: int(v, 2) if isinstance(v, str) else v for k, v in cell["parameters"].items()
        }
        operands = {
            port: self.word(bits)
            for port, bits in wires.items()
            if cell["port_directions"][port] == "input"
        }
        self._drive(wires["Y"], _CELLS[kind](self.t, operands, parameters))


def _register_name(module: dict[str, Any], bits: list[Bit]) -> str:
    """The name of a register in the Verilog, which is no port's, or else one of its bits."""
    for name, wire in module["netnames"].items():
        if wire["bits"] == bits and not wire.get("hide_name") and name not in module["ports"]:
            return name
    return f"register_{bits[0]}"


Operands = dict[str, Term]
Parameters = dict[str, int]


def _extended(t: Terms, x: Term, width: int, is_signed: int) -> Term:
    return t.sign_extended(x, width) if is_signed else t.zero_extended(x, width)


def _arithmetic(op: str) -> Callable[[Terms, Operands, Parameters], Term]:
    def made(t: Terms, x: Operands, p: Parameters) -> Term:
        both = p["A_SIGNED"] and p["B_SIGNED"]
        a, b = (_extended(t, x[n], p["Y_WIDTH"], both) for n in "AB")
        return t.apply(op, a, b)

    return made


def _divided(op: str) -> Callable[[Terms, Operands, Parameters], Term]:
    """Unsigned division, which unlike sums depends on all bits of its operands."""

    def made(t: Terms, x: Operands, p: Parameters) -> Term:
        if p["A_SIGNED"] and p["B_SIGNED"]:
            raise ToolFailure("no term for divisions of signed numbers")
        width = max(p["A_WIDTH"], p["B_WIDTH"], p["Y_WIDTH"])
        a, b = (t.zero_extended(x[n], width) for n in "AB")
        return t.extract(t.apply(op, a, b), 0, p["Y_WIDTH"])

    return made


def _unary(op: str) -> Callable[[Terms, Operands, Parameters], Term]:
    def made(t: Terms, x: Operands, p: Parameters) -> Term:
        return t.apply(op, _extended(t, x["A"], p["Y_WIDTH"], p["A_SIGNED"]))

    return made


def _compared(op: str, swap: bool, invert: bool) -> Callable[[Terms, Operands, Parameters], Term]:
    """=, or < and <= in either order, or their opposites."""

    def made(t: Terms, x: Operands, p: Parameters) -> Term:
        both = p["A_SIGNED"] and p["B_SIGNED"]
        width = max(p["A_WIDTH"], p["B_WIDTH"])
        a, b = (_extended(t, x[n], width, both) for n in "AB")
        if both and op != "=":  # the order of two's complement, with the msb inverted
            top = t.const(1 << (width - 1), width)
            a, b = t.apply("bvxor", a, top), t.apply("bvxor", b, top)
        a, b = (b, a) if swap else (a, b)
        bit = t.apply(op, a, b)
        return t.zero_extended(t.negation(bit) if invert else bit, p["Y_WIDTH"])

    return made


def _shift(op: str) -> Callable[[Terms, Operands, Parameters], Term]:
    def made(t: Terms, x: Operands, p: Parameters) -> Term:
        width = max(p["Y_WIDTH"], p["A_WIDTH"], x["B"].width)
        arithmetic = op == "bvashr" and not p["A_SIGNED"]
        a = _extended(t, x["A"], width, p["A_SIGNED"])
        shifted = t.apply("bvlshr" if arithmetic else op, a, t.zero_extended(x["B"], width))
        return t.extract(shifted, 0, p["Y_WIDTH"])

    return made


def _is_any(t: Terms, x: Term) -> Term:
    return t.negation(t.equal(x, t.const(0, x.width)))


def _reduced(made: Callable[[Terms, Term], Term]) -> Callable[[Terms, Operands, Parameters], Term]:
    return lambda t, x, p: t.zero_extended(made(t, x["A"]), p["Y_WIDTH"])


def _parity(t: Terms, x: Term) -> Term:
    total = t.extract(x, 0, 1)
    for place in range(1, x.width):
        total = t.apply("bvxor", total, t.extract(x, place, 1))
    return total


def _logic(op: str) -> Callable[[Terms, Operands, Parameters], Term]:
    return lambda t, x, p: t.zero_extended(
        t.apply(op, _is_any(t, x["A"]), _is_any(t, x["B"])), p["Y_WIDTH"]
    )


def _select(t: Terms, x: Operands, p: Parameters) -> Term:
    """One of the words of B by a bit of S, or A."""
    total = x["A"]
    for place in range(p["S_WIDTH"]):
        word = t.extract(x["B"], place * p["WIDTH"], p["WIDTH"])
        total = t.ite(t.extract(x["S"], place, 1), word, total)
    return total


def _table(t: Terms, x: Operands, p: Parameters) -> Term:
    """The word of A at S."""
    width = p["WIDTH"]
    words = [t.extract(x["A"], i * width, width) for i in range(1 << p["S_WIDTH"])]
    for place in range(p["S_WIDTH"]):
        bit = t.extract(x["S"], place, 1)
        words = [t.ite(bit, b, a) for a, b in zip(words[::2], words[1::2], strict=True)]
    return words[0]


_CELLS: dict[str, Callable[[Terms, Operands, Parameters], Term]] = {
    "$add": _arithmetic("bvadd"),
    "$sub": _arithmetic("bvsub"),
    "$mul": _arithmetic("bvmul"),
    "$div": _divided("bvudiv"),
    "$mod": _divided("bvurem"),
    "$and": _arithmetic("bvand"),
    "$or": _arithmetic("bvor"),
    "$xor": _arithmetic("bvxor"),
    "$xnor": lambda t, x, p: t.negation(_arithmetic("bvxor")(t, x, p)),
    "$not": _unary("bvnot"),
    "$neg": _unary("bvneg"),
    "$pos": lambda t, x, p: _extended(t, x["A"], p["Y_WIDTH"], p["A_SIGNED"]),
    "$buf": lambda t, x, p: x["A"],
    "$eq": _compared("=", False, False),
    "$eqx": _compared("=", False, False),
    "$ne": _compared("=", False, True),
    "$nex": _compared("=", False, True),
    "$lt": _compared("bvult", False, False),
    "$le": _compared("bvule", False, False),
    "$gt": _compared("bvult", True, False),
    "$ge": _compared("bvule", True, False),
    "$shl": _shift("bvshl"),
    "$sshl": _shift("bvshl"),
    "$shr": _shift("bvlshr"),
    "$sshr": _shift("bvashr"),
    "$reduce_or": _reduced(_is_any),
    "$reduce_bool": _reduced(_is_any),
    "$reduce_and": _reduced(lambda t, x: t.equal(x, t.const(-1, x.width))),
    "$reduce_xor": _reduced(_parity),
    "$reduce_xnor": _reduced(lambda t, x: t.negation(_parity(t, x))),
    "$logic_not": _reduced(lambda t, x: t.negation(_is_any(t, x))),
    "$logic_and": _logic("bvand"),
    "$logic_or": _logic("bvor"),
    "$mux": lambda t, x, p: t.ite(x["S"], x["B"], x["A"]),
    "$pmux": _select,
    "$bmux": _table,
}
"""What yosys' word-level cells compute (its manual, "Word-level cells")."""
