"""Hardware of tables of signed sums: built, read, and what is read added up."""

from __future__ import annotations

from typing import Protocol

from amaranth.hdl import Cat, Module, Mux, Value

from ... import rtl
from ...formats import Format
from ...rtl import Step, Values, wire
from ..applied import applied
from ..convert import Convert
from ..exact.add import Add
from .tables import MOST_ACTIVATIONS, half_table


class Table(Protocol):
    """What the hardware asks of the unit: see `hwarith.units.lut.LutDot`."""

    @property
    def a(self) -> Format: ...
    @property
    def k(self) -> int: ...
    @property
    def n(self) -> int: ...
    @property
    def planes(self) -> int: ...
    @property
    def patterns(self) -> int: ...
    @property
    def has_total(self) -> bool: ...
    @property
    def has_weight(self) -> bool: ...
    @property
    def sum(self) -> Format: ...
    @property
    def narrow(self) -> Add: ...
    @property
    def wide(self) -> Add: ...


class Tables:
    """What tables of integers and of floats have in common."""

    def __init__(self, u: Table):
        self.u = u

    def look_up(self) -> list[Step]:
        """Steps from the operands to what is added to the sums."""
        raise NotImplementedError

    def accumulate(self) -> list[Step]:
        """Steps from these and the sums so far to the next ones."""
        raise NotImplementedError

    def _entry(self, m: Module, name: str, x: Values, pattern: Value) -> tuple[Value, Value]:
        """What the table holds for a pattern of bits, and whether it counts negative: then it is
        read as if all of the pattern were inverted."""
        minus = wire(m, f"{name}_minus", ~pattern[-1])
        found = [x[f"entry{i}"] for i in range(1 << (self.u.k - 1))]
        for j in range(self.u.k - 1):
            odd = wire(m, f"{name}_bit{j}", pattern[j] ^ minus)
            found = [Mux(odd, y, z) for z, y in zip(found[::2], found[1::2], strict=True)]
        return wire(m, f"{name}_entry", found[0]), minus

    def _total(self, x: Values) -> Value:
        """The sum of the table's activations, with the lowest planes of their weights."""
        total = x[f"entry{(1 << (self.u.k - 1)) - 1}"]
        return Mux(x["weight"].any(), 0, total) if self.u.has_weight else total


class IntegerTables(Tables):
    """Tables of integers, exact."""

    def look_up(self) -> list[Step]:
        return [self._build, self._look_up]

    def accumulate(self) -> list[Step]:
        return [self._accumulate]

    def _build(self, m: Module, x: Values) -> Values:
        """Half of the table: the sums with a plus before the last activation."""
        bits = self.u.a.bits
        count = iter(range(1 << MOST_ACTIVATIONS))

        def named(value: Value) -> Value:
            return wire(m, f"partial{next(count)}", value)

        acts = [wire(m, f"a{j}", x["a"].word_select(j, bits).as_signed()) for j in range(self.u.k)]
        sums = half_table(acts, lambda p, r: named(p + r), lambda p, r: named(p - r))
        # The most negative sum is -k 2^(bits-1), the greatest one less than its negative
        width = bits + (self.u.k - 1).bit_length()
        entries = [wire(m, f"entry{i}", y[:width].as_signed()) for i, y in enumerate(sums)]
        return x | {f"entry{i}": y for i, y in enumerate(entries)}

    def _look_up(self, m: Module, x: Values) -> Values:
        """Of each output and plane an entry, moved to its weight; of a negative one the inverse,
        which lacks one at its lsb."""
        values: Values = {}
        for i in range(self.u.patterns):
            name = f"row{i}"
            entry, minus = self._entry(m, name, x, x["w"].word_select(i, self.u.k))
            if self.u.has_weight:
                entry = rtl.scaled(m, name, entry.as_signed(), x["weight"])
            values[name] = wire(m, name, entry.as_unsigned() ^ minus.replicate(len(entry)))
            values[f"minus{i}"] = minus
        if self.u.has_total:
            values["addend"] = wire(m, "addend", self._total(x))
        return values

    def _accumulate(self, m: Module, x: Values) -> Values:
        """What was looked up for an output, and its sum so far."""
        width, found = self.u.sum.bits, {}
        for o in range(self.u.n):
            if self.u.planes == 1:
                row = wire(m, f"addend{o}", x[f"row{o}"].as_signed(), width)
                total = rtl.add(m, f"total{o}", x[f"sum{o}"], row, x[f"minus{o}"])
                found[f"sum{o}"] = total[:width]
                continue
            columns = rtl.Columns(m, f"rows{o}", width)
            columns.add_integer(x[f"sum{o}"])
            for b in range(self.u.planes):
                i = o * self.u.planes + b
                columns.add_integer(x[f"row{i}"].as_signed(), b)
                columns.add(b, x[f"minus{i}"])
            low, high, _ = columns.compress()
            found[f"sum{o}"] = rtl.add(m, f"total{o}", low, high)[:width]
        if self.u.has_total:
            addend = wire(m, "addend_wide", x["addend"].as_signed(), width)
            found["total"] = rtl.add(m, "total_next", x["total"], addend)[:width]
        return found


class FloatTables(Tables):
    """Tables of floats, by rounding adders."""

    def look_up(self) -> list[Step]:
        convert = Convert(a=self.u.a, out=self.u.sum)
        named = [f"term{o}" for o in range(self.u.n)] + ["total_term"] * self.u.has_total
        steps = [*self._build(), self._look_up]
        for name in named:
            steps += applied(convert, name, f"{name}_narrow")
        return [*steps, self._scale] if self.u.has_weight else steps

    def accumulate(self) -> list[Step]:
        steps: list[Step] = []
        for o in range(self.u.n):
            steps += applied(self.u.wide, f"next{o}", f"sum{o}", f"term{o}")
        if self.u.has_total:
            steps += applied(self.u.wide, "next_total", "total", "total_term")
        return [*steps, self._keep]

    def _build(self) -> list[Step]:
        """Half of the table, by an adder for each sum."""
        steps: list[Step] = [self._take_apart]
        subtract = Add(a=self.u.a, op="sub")
        count = iter(range(1 << MOST_ACTIVATIONS))

        def one(u: Add, p: str, r: str) -> str:
            name = f"partial{next(count)}"
            steps.extend(applied(u, name, p, r))
            return name

        names = half_table(
            [f"a{j}" for j in range(self.u.k)],
            lambda p, r: one(self.u.narrow, p, r),
            lambda p, r: one(subtract, p, r),
        )
        return [*steps, rtl.renamed(**{name: f"entry{i}" for i, name in enumerate(names)})]

    def _take_apart(self, m: Module, x: Values) -> Values:
        return x | {f"a{j}": x["a"].word_select(j, self.u.a.bits) for j in range(self.u.k)}

    def _look_up(self, m: Module, x: Values) -> Values:
        """Of each output an entry; a negative one has the other sign."""
        values: Values = {}
        for o in range(self.u.n):
            entry, minus = self._entry(m, f"row{o}", x, x["w"].word_select(o, self.u.k))
            value = Cat(entry[:-1], entry[-1] ^ minus)
            values[f"term{o}_narrow"] = wire(m, f"term{o}_narrow", value)
        if self.u.has_total:
            values["total_term_narrow"] = wire(m, "total_term_narrow", self._total(x))
        return values | ({"weight": x["weight"]} if self.u.has_weight else {})

    def _scale(self, m: Module, x: Values) -> Values:
        """The weight of the plane added to the exponent of what is neither zero nor infinite."""
        found = {name: y for name, y in x.items() if name == "total_term"}
        low, high = self.u.sum.fraction_bits, self.u.sum.bits - 1
        for o in range(self.u.n):
            term = x[f"term{o}"]
            exponent = term[low:high]
            moved = wire(m, f"exponent{o}", exponent + x["weight"], len(exponent))
            kept = wire(m, f"kept{o}", ~exponent.any() | exponent.all())
            scaled = Cat(term[:low], Mux(kept, exponent, moved), term[high])
            found[f"term{o}"] = wire(m, f"term{o}_scaled", scaled)
        return found

    def _keep(self, m: Module, x: Values) -> Values:
        """What the adders give is kept."""
        names = {f"sum{o}": f"next{o}" for o in range(self.u.n)}
        names |= {"total": "next_total"} if self.u.has_total else {}
        return {name: x[y] for name, y in names.items()}
