"""The tile's parts and how they work together.

A transfer stays until its last term has gone to all elements. In the clock after a group's last
term its sum is in the element's registers, where the dequantizer takes it from, with the first bit
of the scale; after the others it goes to an output register, and the registers of a column move it
row by row to the column's adder. Each of these places is free for the next group in the clock in
which it hands its own on. Where that takes too long the elements wait; while a result is not
accepted, everything stands still.
"""

from __future__ import annotations

from typing import Protocol

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ... import rtl
from ...formats import format
from ...rtl import Values, run_steps, wire
from ..contract import Unit
from ..parts import Grid
from .dequant import BsDequant, multiply, round_state
from .pe import BitSerialPe
from .terms import TermGen

SUM = format("fp32")


class Tiled(Grid, Protocol):
    """What the hardware takes of a tile.

    Members
    -------
    pe, encoder, dequant, adder : the units of its elements and columns.
    is_mixed : whether it takes weights of all types, told apart by the port ``mode``.
    """

    @property
    def pe(self) -> BitSerialPe: ...

    @property
    def encoder(self) -> TermGen: ...

    @property
    def dequant(self) -> BsDequant: ...

    @property
    def adder(self) -> Unit: ...

    @property
    def is_mixed(self) -> bool: ...


class Encoder(wiring.Component):
    """The terms of the weights of all lanes of a column; combinational."""

    def __init__(self, generator: TermGen, pe: BitSerialPe):
        self.generator, self.pe = generator, pe
        ports = {name: In(f.bits) for name, f in generator.operands.items() if name != "code"}
        super().__init__(
            {
                "codes": In(generator.bits * pe.lanes),
                **ports,
                "terms": Out(4 * pe.lanes),
                "bsig": Out(pe.operands["bsig"].bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits = self.generator.bits
        shared = {n: getattr(self, n) for n in self.generator.operands if n != "code"}
        lanes = []
        for i in range(self.pe.lanes):
            code = self.codes[bits * i : bits * (i + 1)]
            lanes.append(run_steps(m, self.generator.datapath(), {"code": code} | shared))
        m.d.comb += self.terms.eq(Cat(*(x["term"] for x in lanes)))
        m.d.comb += self.bsig.eq(lanes[0]["bsig"])
        return m


class Cell(wiring.Component):
    """A processing element and its dequantizer.

    Members
    -------
    step, first : take activations and terms in this clock; begin with them.
    load, half : take over the group's sum, and count it in halves.
    multiply, scale_bit : the bit of the scale for this clock (with `load` the msb).
    leave, move : hand the product, or what comes from the row above, on to the row below.
    """

    def __init__(self, pe: BitSerialPe, dequant: BsDequant):
        self.pe, self.dequant = pe, dequant
        bits = sum(f.bits for f in dequant.results.values())
        controls = ("step", "first", "load", "half", "multiply", "scale_bit", "leave", "move")
        widths = {name: 1 for name in controls}
        widths |= {name: f.bits for name, f in pe.operands.items()}
        ports = {name: In(width) for name, width in widths.items()}
        super().__init__(ports | {"above": In(bits), "below": Out(bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        state: Values = {
            name: Signal(f.bits, name=name, reset_less=True) for name, f in self.pe.state.items()
        }
        begun: Values = {
            name: wire(m, f"{name}_so_far", Mux(self.first, 0, register), len(register))
            for name, register in state.items()
        }
        operands = {name: getattr(self, name) for name in self.pe.operands}
        front = run_steps(m, self.pe.front_datapath(), operands)
        following = run_steps(m, self.pe.datapath(), front | begun)
        with m.If(self.step):
            m.d.sync += [register.eq(following[name]) for name, register in state.items()]
        entering = round_state(m, self.dequant, state, self.half)
        results = multiply(m, self.dequant, entering, self.load, self.multiply, self.scale_bit)
        product = Cat(*results.values())
        below = Signal(len(self.below), name="below_register", reset_less=True)
        with m.If(self.leave):
            m.d.sync += below.eq(product)
        with m.Elif(self.move):
            m.d.sync += below.eq(self.above)
        m.d.comb += self.below.eq(below)
        return m


class ColumnSum(wiring.Component):
    """What adds the products of a column's rows to their outputs, one row in a clock.

    Members
    -------
    enable : everything moves on in this clock.
    product : of the row whose turn it is.
    add, first : a clock later: it is to be added; to zero.
    y : the outputs of all rows.
    """

    def __init__(self, unit: Tiled):
        self.unit = unit
        product = In(sum(f.bits for f in unit.dequant.results.values()))
        y = Out(SUM.bits * unit.rows)
        super().__init__(
            {"enable": In(1), "product": product, "add": In(1), "first": In(1), "y": y}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        addend = Signal(SUM.bits, name="addend", reset_less=True)
        rows = range(self.unit.rows)
        outputs = [Signal(SUM.bits, name=f"y_{r}", reset_less=True) for r in rows]
        with m.If(self.enable):
            m.d.sync += addend.eq(rtl.make_part(m, "convert", self._as_float))
        so_far = wire(m, "so_far", outputs[0] & ~self.first.replicate(SUM.bits))
        adder = self.unit.adder
        terms: Values = {"a": so_far, "b": addend}
        total = rtl.make_part(m, adder.family, run_steps, adder.datapath(), terms)["y"]
        with m.If(self.enable & self.add):
            following = [*outputs[1:], total]
            m.d.sync += [y.eq(x) for y, x in zip(outputs, following, strict=True)]
        m.d.comb += self.y.eq(Cat(*outputs))
        return m

    def _as_float(self, m: Module) -> Value:
        """The product as a code of fp32: exact but for magnitudes of more than 24 bits."""
        bits = self.unit.dequant.magnitude_bits
        exponent_bits = self.unit.dequant.exponent_format.bits
        least = -(1 << (exponent_bits - 1))
        bias = bits - 1 + SUM.bias
        exponent = self.product[bits : bits + exponent_bits].as_signed()
        sign, invalid = self.product[bits + exponent_bits :]
        values: Values = {
            "nan": invalid,
            "inf": Const(0, 1),
            "sign": sign,
            "exponent": wire(m, "exponent", exponent + bias),
            "significand": wire(m, "significand", self.product[:bits]),
        }
        steps = rtl.Rounder(SUM, "rne", "nosat").steps((least + bias, -least - 1 + bias))
        return run_steps(m, steps, values)["y"]


class Tile:
    """The tile between two streams, in a module; its parts are submodules, or where `instances` is
    set references to modules of their names."""

    def __init__(self, unit: Tiled, instances: bool):
        self.unit, self.instances = unit, instances

    def build(
        self, m: Module, inputs: Values, valid: Value, o_ready: Value
    ) -> tuple[Value, Value, Values]:
        """Ready for inputs, valid results, results."""
        o_valid = Signal(name="y_valid")
        enable = wire(m, "enable", ~o_valid | o_ready)
        control = self._control(m, inputs, valid, enable, o_valid)
        sums = [self._column(m, c, inputs, control, enable) for c in range(self.unit.columns)]
        return control["ready"], o_valid, {"y": wire(m, "sums", Cat(*sums))}

    def _column(self, m: Module, c: int, inputs: Values, control: Values, enable: Value) -> Value:
        """A column: its encoder, its elements from the last row up, and its outputs."""
        u = self.unit
        a_bits, w_bits = 16 * u.pe.lanes, u.encoder.bits * u.pe.lanes
        codes = inputs["w"][w_bits * c : w_bits * (c + 1)]
        shared: Values = {"codes": codes, "k": control["k"]}
        if u.encoder.has_bank:
            shared |= {"selector": inputs["selector"][2 * c : 2 * (c + 1)], "bank": inputs["bank"]}
        elif u.encoder.takes_floats:
            shared["special"] = inputs["special"][6 * c : 6 * (c + 1)]
        if u.is_mixed:
            shared["floating"] = inputs["mode"][2]
        terms = Signal(4 * u.pe.lanes, name=f"terms_{c}")
        bsig = Signal(u.pe.operands["bsig"].bits, name=f"bsig_{c}")
        encoded: Values = {"terms": terms, "bsig": bsig}
        u.place(m, "encoder", f"encoder_{c}", shared, encoded, self.instances)
        bit = self._scale_bit(m, c, inputs["scale"], control, enable)
        above: Value = Const(0, sum(f.bits for f in u.dequant.results.values()))
        for r in reversed(range(u.rows)):
            a = inputs["a"][a_bits * r : a_bits * (r + 1)]
            below = Signal(len(above), name=f"product_{r}_{c}")
            names = ("step", "first", "load", "half", "multiply", "leave", "move")
            ports = {name: control[name] for name in names}
            ports |= {"a": a, "terms": terms, "bsig": bsig, "scale_bit": bit, "above": above}
            u.place(m, "cell", f"cell_{r}_{c}", ports, {"below": below}, self.instances)
            above = below
        y = Signal(SUM.bits * u.rows, name=f"y_{c}")
        ports = {"enable": enable, "product": above}
        ports |= {"add": control["add"], "first": control["add_first"]}
        u.place(m, "column", f"column_{c}", ports, {"y": y}, self.instances)
        return y

    def _control(
        self, m: Module, inputs: Values, valid: Value, enable: Value, o_valid: Signal
    ) -> Values:
        """All that is the same in the whole tile: the counters of terms, bits of the scale, and
        rows, each with the flags of its group: the sum's first one, and its last one."""
        u = self.unit
        most = inputs["mode"][:2] if u.is_mixed else Const(u.encoder.most_terms - 1)
        done_terms = Signal(len(most), name="done_terms")
        begin, fresh = Signal(init=1, name="begin"), Signal(init=1, name="fresh")
        group, dequant = _Place(m, "group"), _Place(m, "dequant")
        bits_left = Signal(range(u.dequant.sfw), name="bits_left", reset_less=True)
        rows_left = Signal(range(u.rows + 1), name="rows_left")
        moving, adding = _Place(m, "moving"), _Place(m, "adding")
        half = Signal(name="half", reset_less=True)

        leave = wire(m, "leave", dequant.full & ~bits_left.any() & (rows_left <= 1))
        load = wire(m, "load", group.full & (~dequant.full | leave))
        step = wire(m, "step", valid & enable & (~group.full | load))
        last_term = wire(m, "last_term", done_terms == most)
        finish = wire(m, "finish", step & last_term & inputs["last"])
        with m.If(step):
            m.d.sync += [done_terms.eq(Mux(last_term, 0, done_terms + 1)), begin.eq(finish)]
        with m.If(finish):
            m.d.sync += fresh.eq(inputs["last_of_sum"])
            m.d.sync += half.eq(inputs["mode"][2] if u.is_mixed else int(u.encoder.takes_floats))
        with m.If(enable):
            group.follows(finish, load, fresh, inputs["last_of_sum"])
            dequant.follows(load, leave, group.first, group.end)
            m.d.sync += [
                bits_left.eq(Mux(load, u.dequant.sfw - 1, Mux(bits_left.any(), bits_left - 1, 0))),
                rows_left.eq(Mux(leave, u.rows, Mux(rows_left.any(), rows_left - 1, 0))),
                adding.full.eq(rows_left.any()),
                adding.first.eq(moving.first),
                adding.end.eq(moving.end & (rows_left == 1)),
                o_valid.eq(adding.full & adding.end),
            ]
            with m.If(leave):
                m.d.sync += [moving.first.eq(dequant.first), moving.end.eq(dequant.end)]
        return {
            "ready": wire(m, "taken", enable & (~group.full | load) & last_term),
            "k": wire(m, "k", most - done_terms, len(most)),
            "step": step,
            "first": begin,
            "load": wire(m, "load_now", load & enable),
            "half": half,
            "finish": finish,
            "multiply": enable & bits_left.any(),
            "leave": wire(m, "leave_now", leave & enable),
            "move": enable,
            "add": adding.full,
            "add_first": adding.first,
        }

    def _scale_bit(self, m: Module, c: int, scales: Value, control: Values, enable: Value) -> Value:
        """The scale of a column: kept at the end of its group, and then shifted out."""
        sfw = self.unit.dequant.sfw
        waiting = Signal(sfw, name=f"scale_{c}", reset_less=True)
        left = Signal(sfw - 1, name=f"scale_{c}_left", reset_less=True)
        with m.If(control["finish"]):
            m.d.sync += waiting.eq(scales[sfw * c : sfw * (c + 1)])
        with m.If(control["load"]):
            m.d.sync += left.eq(waiting[:-1])
        with m.Elif(enable):
            m.d.sync += left.eq(Cat(Const(0, 1), left[:-1]))
        return wire(m, f"scale_bit_{c}", Mux(control["load"], waiting[-1], left[-1]))


class _Place:
    """Where a group may be, and whether it is the first or the last one of its sum."""

    def __init__(self, m: Module, name: str):
        self._m = m
        self.full = Signal(name=f"{name}_full")
        self.first = Signal(name=f"{name}_first", reset_less=True)
        self.end = Signal(name=f"{name}_end", reset_less=True)

    def follows(self, enters: Value, leaves: Value, first: Value, end: Value) -> None:
        """In this clock a group may enter, and the one that was there may leave."""
        with self._m.If(enters):
            self._m.d.sync += [self.full.eq(1), self.first.eq(first), self.end.eq(end)]
        with self._m.Elif(leaves):
            self._m.d.sync += self.full.eq(0)
