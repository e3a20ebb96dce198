"""A module as a netlist of operations: what Amaranth makes of a component, folded.

An operation appears once, however often it is described, and only if something depends on it.
Constants are folded where that leaves no operation; the rest is a synthesizer's work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from amaranth.hdl import ClockDomain, Signal, Value, ValueCastable
from amaranth.hdl import _ir as ir
from amaranth.hdl import _nir as nir
from amaranth.hdl._ast import SignalKey
from amaranth.hdl._xfrm import DomainCollector
from amaranth.lib import wiring

from ...exceptions import InvalidInput
from ..wires import description_of_step
from .cells import Bits, Cells


@dataclass(frozen=True)
class Named:
    """A signal of the description.

    Members
    -------
    bits : what drives it, from bit `first` on; bits at its ends that nothing reads are left out.
    step : the step of a datapath that it is of.
    """

    name: str
    bits: Bits
    first: int = 0
    step: str = ""


@dataclass(frozen=True)
class Register:
    """Flip-flops of one signal.

    Members
    -------
    bits : what they hold.
    clock : its rising edge counts.
    initial : what they hold at the start, if there is no reset for it.
    reset : what resets them at any time, and to what; not there for a synchronous reset, which is
        one of the updates.
    updates : at a rising edge each of these in order: if the first bit is set, the bits from a
        place on become these.
    """

    bits: Bits
    clock: int
    updates: tuple[tuple[int, int, Bits], ...]
    initial: int | None = None
    reset: tuple[int, int] | None = None


@dataclass(frozen=True)
class Instance:
    """A module inside another: its module and own name, and what is at its ports."""

    module: str
    name: str
    inputs: dict[str, Bits]
    outputs: dict[str, Bits]


@dataclass
class Netlist:
    """A flat module.

    Members
    -------
    inputs, outputs : the bits of each port.
    ports : all of them, in the order of the component's signature behind clock and reset.
    signals : those of the description, in the order in which they were made.
    """

    cells: Cells
    inputs: dict[str, Bits] = field(default_factory=dict)
    outputs: dict[str, Bits] = field(default_factory=dict)
    ports: list[str] = field(default_factory=list)
    signals: list[Named] = field(default_factory=list)
    registers: list[Register] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)


@dataclass(frozen=True)
class Reset:
    """How registers are reset.

    Parameters
    ----------
    kind : ``sync``: at a rising edge of the clock; ``async``: at once; ``none``: there is no
        reset, and registers that need one have an initial value.
    active_low : whether the port is called ``rst_n``, and resets where it is low.
    """

    kind: str = "sync"
    active_low: bool = False

    @property
    def port(self) -> str:
        """The name of its port; empty if there is none."""
        return "" if self.kind == "none" else "rst_n" if self.active_low else "rst"


SYNCHRONOUS = Reset()


def netlist(component: wiring.Component, name: str, reset: Reset = SYNCHRONOUS) -> Netlist:
    """The netlist of a component, with its submodules in it; its instances are other modules.

    Raises `InvalidInput` for what no unit may have in it: memories, prints, bidirectional ports.
    """
    ports: dict[str, tuple[Value, ir.PortDirection]] = {}
    for path, member, value in component.signature.flatten(component):
        plain = value.as_value() if isinstance(value, ValueCastable) else value
        flow = ir.PortDirection.Input if member.flow == wiring.In else ir.PortDirection.Output
        ports["__".join(map(str, path))] = (plain, flow)
    fragment = ir.Fragment.get(component, None)
    domains = DomainCollector()
    domains(fragment)
    if "sync" in domains.used_domains:
        ports = _add_clock(fragment, reset) | ports
    made = ir.build_netlist(fragment, ports=ports, name=name)
    return _Reader(made, name, list(ports), reset).netlist


def _add_clock(fragment: ir.Fragment, reset: Reset) -> dict[str, tuple[Value, ir.PortDirection]]:
    """Give a fragment its clock domain; returns the ports that this takes."""
    domain = ClockDomain("sync", reset_less=not reset.port, async_reset=reset.kind == "async")
    fragment.add_domains(domain)
    ports: dict[str, tuple[Value, ir.PortDirection]] = {}
    ports["clk"] = (domain.clk, ir.PortDirection.Input)
    if domain.rst is not None:
        port = domain.rst
        if reset.active_low:
            port = Signal(name=reset.port)
            fragment.add_statements("comb", domain.rst.eq(~port))
        ports[reset.port] = (port, ir.PortDirection.Input)
    return ports


class _Reader:
    """Makes the cells that something depends on."""

    def __init__(self, made: nir.Netlist, name: str, ports: list[str], reset: Reset):
        self._made, self._name = made, name
        self._cells = Cells()
        self._done: dict[int, Bits] = {}
        self.netlist = Netlist(self._cells)
        top = made.top
        known = {**top.ports_i, **top.ports_o}
        self.netlist.ports = [x for x in ports if x in known]
        # Without a reset what would have one begins with a value
        self._initial = {
            net.cell
            for signal, nets in made.signals.items()
            if not reset.port and isinstance(signal, Signal) and not signal.reset_less
            for net in nets
            if net.is_cell
        }
        self._make_sources()
        self._read_sinks()
        self.netlist.signals = self._named()

    # -- what cells are made of -----------------------------------------------------------------

    def _make_sources(self) -> None:
        """Inputs, and what registers and instances give: they depend on nothing here."""
        found: dict[int, int] = {}
        top = self._made.top
        for name in self.netlist.ports:
            if name in top.ports_i:
                start, width = top.ports_i[name]
                self.netlist.inputs[name] = bits = self._cells.source(width)
                found |= {start + i: bit for i, bit in enumerate(bits)}
        self._done[0] = tuple(found.get(i, i) for i in range(max(found, default=1) + 1))
        for index, cell in enumerate(self._made.cells):
            if isinstance(cell, nir.FlipFlop):
                self._done[index] = self._cells.source(len(cell.data))
            elif isinstance(cell, nir.Instance):
                width = sum(width for _, width in cell.ports_o.values())
                self._done[index] = self._cells.source(width)

    def _read_sinks(self) -> None:
        outputs = self._made.top.ports_o
        for name in self.netlist.ports:
            if name in outputs:
                self.netlist.outputs[name] = self._bits(outputs[name])
        for index, cell in enumerate(self._made.cells):
            if isinstance(cell, nir.Instance):
                self.netlist.instances.append(self._instance(index, cell))
        # Registers that nothing depends on stay away: each may be what the next depends on
        waiting = {i: c for i, c in enumerate(self._made.cells) if isinstance(c, nir.FlipFlop)}
        while True:
            read = self._cells.read | {b for bits in self.netlist.outputs.values() for b in bits}
            read |= {b for x in self.netlist.instances for bits in x.inputs.values() for b in bits}
            read |= {
                bit
                for register in self.netlist.registers
                for condition, _, bits in register.updates
                for bit in (condition, *bits)
            }
            read |= {x.reset[0] for x in self.netlist.registers if x.reset}
            ready = [i for i in waiting if any(bit in read for bit in self._done[i])]
            if not ready:
                break
            for index in ready:
                self.netlist.registers.append(self._register(index, waiting.pop(index)))

    def _named(self) -> list[Named]:
        """Signals of which something is made; what lies between bits that are is made as well."""
        ports = self.netlist.inputs | self.netlist.outputs
        while True:
            count, named = len(self._cells.cells), []
            for signal in sorted(self._made.signals, key=SignalKey):
                value = self._made.signals[signal]
                made = [i for i, x in enumerate(value) if not x.is_cell or x.cell in self._done]
                if not made:
                    continue
                bits = self._bits(value[made[0] : made[-1] + 1])
                if ports.get(signal.name) != bits:
                    step = description_of_step(signal)
                    named.append(Named(signal.name, bits, made[0], step))
            if count == len(self._cells.cells):
                return named

    def _bit(self, net: nir.Net) -> int:
        return int(net) if net.is_const else self._done[net.cell][net.bit]

    def _bits(self, value: Iterable[nir.Net]) -> Bits:
        """The bits of a value; what they depend on is made first, without recursion."""
        nets = tuple(value)
        waiting = [net.cell for net in nets if net.is_cell]
        while waiting:
            index = waiting[-1]
            if index in self._done:
                waiting.pop()
                continue
            cell = self._made.cells[index]
            missing = [x.cell for x in cell.input_nets() if x.is_cell and x.cell not in self._done]
            if missing:
                waiting += missing
            else:
                self._done[index] = self._make(cell)
                waiting.pop()
        return tuple(map(self._bit, nets))

    def _instance(self, index: int, cell: nir.Instance) -> Instance:
        inputs = {name: self._bits(value) for name, value in cell.ports_i.items()}
        outputs = {
            name: self._done[index][start : start + width]
            for name, (start, width) in cell.ports_o.items()
        }
        return Instance(cell.type, cell.name, inputs, outputs)

    def _register(self, index: int, cell: nir.FlipFlop) -> Register:
        held = self._done[index]
        (clock,) = self._bits([cell.clk])
        reset = None
        if not (cell.arst.is_const and cell.arst.const == 0):
            reset = (self._bits([cell.arst])[0], cell.init)
        initial = cell.init if index in self._initial else None
        return Register(held, clock, tuple(self._updates(index, cell)), initial, reset)

    def _updates(self, index: int, cell: nir.FlipFlop) -> Iterator[tuple[int, int, Bits]]:
        """When a register takes new values: as its statements say, or at every edge."""
        drivers = {net.cell if net.is_cell else 0 for net in cell.data}
        driver = self._made.cells[number := drivers.pop()] if len(drivers) == 1 else None
        width = range(len(cell.data))
        if (
            isinstance(driver, nir.AssignmentList)
            and list(driver.default) == [nir.Net.from_cell(index, i) for i in width]
            and list(cell.data) == [nir.Net.from_cell(number, i) for i in width]
        ):
            for x in driver.assignments:
                yield self._bits([x.cond])[0], x.start, self._bits(x.value)
        else:
            yield 1, 0, self._bits(cell.data)

    # -- cells -----------------------------------------------------------------------------------

    def _make(self, cell: nir.Cell) -> Bits:
        """A cell whose inputs are made."""
        match cell:
            case nir.Operator():
                return self._operator(cell)
            case nir.Part():
                return self._part(cell)
            case nir.Matches():
                return (self._matches(cell),)
            case nir.PriorityMatch():
                return self._priority(cell)
            case nir.AssignmentList():
                return self._assignments(cell)
        raise InvalidInput(f"{self._name} has a {type(cell).__name__}, which no unit may have")

    def _values(self, values: Iterable[Iterable[nir.Net]]) -> list[Bits]:
        return [tuple(map(self._bit, value)) for value in values]

    def _operator(self, cell: nir.Operator) -> Bits:
        make, inputs = self._cells.make, self._values(cell.inputs)
        match cell.operator:
            case "b":
                return make("r|", *inputs)
            case "!=":
                return make("~", make("==", *inputs))
            case "u//" | "u%" | "s//" | "s%":
                return self._division(cell.operator, *inputs)
        return make(cell.operator, *inputs)

    def _division(self, operator: str, a: Bits, b: Bits) -> Bits:
        """As Amaranth defines it: rounded down, zero where the divisor is zero."""
        make, kind = self._cells.make, operator[0]
        quotient, rest = make(f"{kind}/", a, b), make(f"{kind}%", a, b)
        if kind == "s":
            lacks = make("&", make("^", rest[-1:], b[-1:]), make("r|", rest)) * len(a)
            quotient = make("+", quotient, lacks)
            rest = make("+", rest, make("&", b, lacks))
        result = quotient if operator.endswith("//") else rest
        return make("m", make("r|", b), result, (0,) * len(a))

    def _part(self, cell: nir.Part) -> Bits:
        make = self._cells.make
        value, offset = self._values([cell.value, cell.offset])
        width = max(len(value), cell.width)
        top = value[-1] if cell.value_signed and value else 0
        value += (top,) * (width - len(value))
        if cell.stride > 1:
            bits = len(offset) + cell.stride.bit_length()
            stride = tuple(cell.stride >> i & 1 for i in range(bits))
            offset = make("*", offset + (0,) * (bits - len(offset)), stride)
        return make("s>>" if cell.value_signed else "u>>", value, offset)[: cell.width]

    def _matches(self, cell: nir.Matches) -> int:
        (value,) = self._values([cell.value])
        found: Bits = (0,)
        for pattern in cell.patterns:
            places = [i for i, x in enumerate(reversed(pattern)) if x != "-"]
            wanted = tuple(int(pattern[-1 - i]) for i in places)
            bits = tuple(value[i] for i in places)
            found = self._cells.make("|", found, self._cells.equal(bits, wanted))
        return found[0]

    def _priority(self, cell: nir.PriorityMatch) -> Bits:
        make = self._cells.make
        may: Bits = (self._bit(cell.en),)
        outputs: list[int] = []
        for net in cell.inputs:
            here = (self._bit(net),)
            outputs += make("&", may, here)
            may = make("&", may, make("~", here))
        return tuple(outputs)

    def _assignments(self, cell: nir.AssignmentList) -> Bits:
        (value,) = self._values([cell.default])
        for assignment in cell.assignments:
            (new,) = self._values([assignment.value])
            ends = slice(assignment.start, assignment.start + len(new))
            chosen = self._cells.make("m", (self._bit(assignment.cond),), new, value[ends])
            value = value[: ends.start] + chosen + value[ends.stop :]
        return value
