"""The codebook as a unit: parameters, contract and hardware."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...formats.lanes import vector
from ...golden import apply
from ...lazily import np
from ...rtl import Values, wire
from ...rtl.pipeline.datapath import pipelined
from ...rtl.pipeline.placement import Placement
from ...rtl.streams import rank_enables
from ..contract import Contract, Unit, stages_parameter
from ..conventions import of_integers
from ..operations import DECODING, Operation
from ..parameters import choice_parameter, integer_parameter
from ..transfers import Transfers
from . import definitions
from .transfers import WRITTEN, TableTransfers

SOURCE = "arXiv 2402.04396, arXiv 2401.06118"

MOST_BITS, MOST_WORDS, WIDEST = 8, 16, 16

MOST_TABLE = 1 << 15
"""Bits of the largest table."""


def _by_name(name: str, _: str) -> str:
    return name


@dataclass(frozen=True, kw_only=True, repr=False)
class Codebook(Unit):
    """Vectors of `dim` weights by codes of `bits` bits, from a table that is written beforehand.

    A transfer with ``load`` set writes the entry ``word``, `dim` integers side by side, at its
    ``address``; any other gives the weights of its ``code``. The table is of registers, zeros after
    a reset, and what is written counts from the next transfer on.

    With ``sum=2`` there are two tables, the second one behind the first, a code has an index of
    each, and weights are the sums of their entries, as in AQLM. With ``signs=on`` entries are read
    with other signs: ``sign`` has a bit for each weight but the last, of which the sign is such
    that an even number are negated; with ``shift=on`` the integer ``shift`` is added to all
    weights then, as in QuIP#, whose weights are the magnitudes of an entry with signs, and a
    quarter more or less.

    In software the operands are what is written, of shape (..., m, dim); codes, of shape (..., n),
    with ``sum=2`` (..., n, 2); signs and shifts, if there are any, of shape (..., n); and
    optionally the addresses of what is written, (..., m), where of several entries for one the last
    one counts. They must be all; without them it is the whole table. Weights are of shape
    (..., n, dim).

    Source: AQLM (arXiv 2401.06118) for sums of codebooks; QuIP# (arXiv 2402.04396) for signs and
    shifts; ports, widths and the order of both are decisions of this project.
    """

    family: ClassVar[str] = "codebook"
    summary: ClassVar[str] = "vectors of weights from a table that is written (AQLM, QuIP#)"
    operation: ClassVar[Operation] = DECODING
    meanings: ClassVar[dict[str, str]] = {
        "word": "an entry: its integers side by side, the first at the lsb; taken where load=1",
        "code": "address of the entry to read, the first table's at the lsb; taken where load=0",
        "sign": "1: the weight is negated; a bit for each but the last one",
        "shift": "what is added to all weights",
        "address": "of the entry that is written",
        "load": "1: the transfer writes an entry; 0: it reads",
        "y": "weights side by side, the first at the lsb",
    }

    bits: int = integer_parameter("bits of a code", 1, MOST_BITS, 8)
    dim: int = integer_parameter("weights of an entry", 1, MOST_WORDS, 8)
    width: int = integer_parameter("bits of a weight in the table", 2, WIDEST, 8)
    sum: int = integer_parameter("tables, of whose entries weights are sums", 1, 2, 1, True)
    signs: str = choice_parameter("signs beside a code", ("off", "on"), "off", True, _by_name)
    shift: str = choice_parameter(
        "an integer to be added to all weights", ("off", "on"), "off", True, _by_name
    )
    stages: int = stages_parameter("register ranks from a code to its weights", 1)

    def validate(self) -> None:
        super().validate()
        table = self.entries * self.dim * self.width
        if table > MOST_TABLE:
            raise InvalidInput(
                f"codebook: bits={self.bits}, dim={self.dim}, width={self.width}, sum={self.sum} "
                f"make a table of {table:,} bits; it has at most {MOST_TABLE:,}"
            )
        if self.has_signs and self.dim == 1:
            raise InvalidInput("codebook: parameter signs: must be off with dim=1, not on")

    def stages_for(self, target_delay: int) -> int:
        raise InvalidInput("codebook: parameter target_delay: a unit with a table has none")

    # -- ports ---------------------------------------------------------------------------------

    @property
    def entries(self) -> int:
        """Entries of all tables."""
        return self.sum << self.bits

    @property
    def has_signs(self) -> bool:
        return self.signs == "on"

    @property
    def has_shift(self) -> bool:
        return self.shift == "on"

    @property
    def _word(self) -> Format:
        return format(f"int{self.width}")

    @property
    def weight(self) -> Format:
        """The format of a weight."""
        return format(f"int{self.width + (self.sum - 1) + self.has_signs + self.has_shift}")

    @property
    def lanes(self) -> dict[str, tuple[Format, int]]:
        """Of operands and results whose codes have an axis of lanes, their format and number."""
        found = {"word": (self._word, self.dim), "y": (self.weight, self.dim)}
        return found | ({"code": (format(f"uint{self.bits}"), self.sum)} if self.sum > 1 else {})

    @property
    def operands(self) -> dict[str, Format]:
        ports = {"word": vector(self._word, self.dim), "code": format(f"uint{self.bits}")}
        if self.sum > 1:
            ports["code"] = vector(*self.lanes["code"])
        if self.has_signs:
            ports["sign"] = format(f"uint{self.dim - 1}")
        ports |= {"shift": self._word} if self.has_shift else {}
        return ports | {"address": format(f"uint{(self.entries - 1).bit_length()}")}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": vector(*self.lanes["y"])}

    @property
    def code_formats(self) -> dict[str, Format]:
        ports = self.operands | self.results
        return {name: self.lanes.get(name, (f, 1))[0] for name, f in ports.items()}

    @property
    def operand_axes(self) -> dict[str, int]:
        return {name: 1 + (name in self.lanes) for name in self.operands}

    @property
    def transfers(self) -> Transfers:
        return TableTransfers(self)

    @property
    def latency(self) -> str:
        clocks = f"{self.stages} clock{'s' if self.stages > 1 else ''}"
        return f"{clocks} after a code, one transfer a clock"

    @property
    def work(self) -> Fraction:
        return Fraction(self.dim)

    @property
    def contract(self) -> Contract:
        return Contract("exact integer", "exact", SOURCE)

    @property
    def conventions(self) -> dict[str, str]:
        return of_integers("none, a weight has room for every sum")

    # -- golden --------------------------------------------------------------------------------

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.weight, (self.width, self.weight.bits)

    @property
    def word_bits(self) -> int:
        return self.weight.bits + 1

    def golden(self, *codes: Any) -> list[list[int]]:
        """The definition on plain integers: an entry after the other, codes (pairs of them with
        ``sum=2``), signs and shifts; a list of weights for each code."""
        words, read, *others = (x.tolist() if hasattr(x, "tolist") else x for x in codes)
        address = others.pop() if len(codes) == len(self.operands) else range(self.entries)
        table = dict(zip(address, words, strict=True))
        signs = others.pop(0) if self.has_signs else [0] * len(read)
        shifts = others.pop(0) if self.has_shift else [0] * len(read)
        function, constants = self.definition()
        found = []
        for code, sign, shift in zip(read, signs, shifts, strict=True):
            minus = self._signs_of_one(sign)
            places = code if self.sum > 1 else [code]
            rows = [table[place + (t << self.bits)] for t, place in enumerate(places)]
            first, second = rows if self.sum > 1 else (rows[0], [0] * self.dim)
            words = zip(first, second, minus, strict=True)
            found.append([function(*lane, shift, *constants) for lane in words])
        return found

    def _signs_of_one(self, sign: int) -> list[int]:
        """A sign for each weight."""
        given = [sign >> i & 1 for i in range(self.dim - 1)]
        return [*given, sum(given) & 1]

    def check_operands(self, codes: tuple[Any, ...]) -> list[np.ndarray]:
        """Operand codes as arrays with the same axes in front. Raises `InvalidInput`."""
        names = tuple(self.operands)
        if not 0 <= len(names) - len(codes) <= 1:
            raise InvalidInput(
                f"codebook takes {', '.join(names[:-1])} and optionally address, not {len(codes)} "
                "operands"
            )
        formats = self.code_formats
        arrays = {
            name: formats[name].check(x, f"operand {name} of codebook")
            for name, x in zip(names, codes, strict=False)
        }
        own, code = self.operand_axes, arrays["code"]
        arrays.setdefault("address", np.arange(self.entries, dtype=formats["address"].dtype))
        reads = code.shape[-own["code"]] if code.ndim >= own["code"] else 0
        if not reads or code.shape[code.ndim - own["code"] + 1 :] != (self.sum,) * (self.sum > 1):
            raise InvalidInput(
                f"operand code of codebook must be of shape (..., n{', 2' * (self.sum > 1)}) with "
                f"n at least 1, not {code.shape}"
            )
        writes = arrays["address"].shape[-1:]
        shapes: dict[str, tuple[int, ...]] = dict.fromkeys(names, (reads,))
        shapes |= {"word": (*writes, self.dim), "address": writes}
        shapes["code"] = code.shape[-own["code"] :]
        for name, x in arrays.items():
            if not writes or x.shape[-own[name] :] != shapes[name]:
                last = ", ".join(map(str, ("...", *shapes[name])))
                raise InvalidInput(
                    f"operand {name} of codebook must be of shape ({last}) for {reads} codes, not "
                    f"{x.shape}"
                )
        written = np.sort(arrays["address"], axis=-1)
        if ((written[..., 1:] > written[..., :-1]).sum(axis=-1) + 1 < self.entries).any():
            raise InvalidInput(
                f"operand address of codebook must have all addresses from 0 to {self.entries - 1}"
            )
        try:
            front = np.broadcast_shapes(*(x.shape[: -own[n]] for n, x in arrays.items()))
        except ValueError:
            given = ", ".join(f"{name} {x.shape}" for name, x in arrays.items())
            raise InvalidInput(f"operands of codebook must fit together, not {given}") from None
        return [np.broadcast_to(x, front + shapes[name]) for name, x in arrays.items()]

    def call(self, *codes: Any) -> np.ndarray:
        """The weights of codes (see the class). Raises `InvalidInput`."""
        written, read, *others, address = self.check_operands(codes)
        table = np.zeros((*written.shape[:-2], self.entries, self.dim), written.dtype)
        for i in range(address.shape[-1]):
            at = address[..., i : i + 1, None].astype(np.int64)
            np.put_along_axis(table, at, written[..., i : i + 1, :], axis=-2)
        first, *second = np.moveaxis(read, -1, 0) if self.sum > 1 else [read]
        rows = [first, *(x.astype(np.int64) + (1 << self.bits) for x in second)]
        words = [np.take_along_axis(table, x[..., None].astype(np.int64), axis=-2) for x in rows]
        words += [np.zeros_like(words[0])] * (2 - self.sum)
        minus = np.zeros(words[0].shape, np.uint8)
        if self.has_signs:
            sign = others.pop(0)[..., None]
            minus[..., :-1] = sign >> np.arange(self.dim - 1, dtype=sign.dtype) & 1
            minus[..., -1] = minus[..., :-1].sum(axis=-1) & 1
        shift = others.pop(0) if self.has_shift else np.zeros(read.shape[: first.ndim], np.uint8)
        shift = np.broadcast_to(shift[..., None], minus.shape)
        function, constants = self.definition()
        f = self.weight
        return apply(function, [*words, minus, shift], constants, f.dtype, self.word_bits)

    # -- hardware ------------------------------------------------------------------------------

    def core(self, instances: bool) -> rtl.Core:
        """The table's registers, and behind them the datapath in its stages."""

        def build(m: Module, inputs: Values, valid: Value, o_ready: Value) -> rtl.Handshake:
            load = inputs["load"]
            reads = wire(m, "reads", valid & ~load)
            enables, valids = rank_enables(m, self.stages, reads, o_ready)
            table: Values = {
                f"entry{i}": Signal(len(inputs["word"]), name=f"entry{i}")
                for i in range(self.entries)
            }
            writes = wire(m, "writes", enables[0] & valid & load)
            address_is = rtl.one_hot(m, "address_is", inputs["address"], self.entries)
            for place, entry in zip(address_is, table.values(), strict=True):
                with m.If(writes & place):
                    m.d.sync += entry.eq(inputs["word"])
            taken = {name: inputs[name] for name in self.operands if name not in WRITTEN}
            plan = pipelined(self.datapath(), taken | table, self.stages, self.family, self.cuts)
            return enables[0], valids[-1], Placement(m, *plan).place(enables)

        return build

    def datapath(self) -> list[rtl.Step]:
        return [self._read, self._add]

    def _read(self, m: Module, x: Values) -> Values:
        """The entries of a code."""
        found: Values = {name: x[name] for name in ("sign", "shift") if name in x}
        for t in range(self.sum):
            rows = [x[f"entry{(t << self.bits) + i}"] for i in range(1 << self.bits)]
            for level, bit in enumerate(x["code"][t * self.bits : (t + 1) * self.bits]):
                pairs = zip(rows[::2], rows[1::2], strict=True)
                rows = [
                    wire(m, f"table{t}_level{level}_{i}", Mux(bit, high, low))
                    for i, (low, high) in enumerate(pairs)
                ]
            found[f"word{t}"] = rows[0]
        return found

    def _add(self, m: Module, x: Values) -> Values:
        """Each weight: its words added, its sign, and the shift."""
        weights = []
        if self.has_signs:
            minus = Cat(x["sign"], wire(m, "last_sign", x["sign"].xor()))
        for i in range(self.dim):
            words = [x[f"word{t}"].word_select(i, self.width).as_signed() for t in range(self.sum)]
            value = words[0] if self.sum == 1 else wire(m, f"sum{i}", words[0] + words[1])
            if self.has_signs:
                turned = value.as_unsigned() ^ minus[i].replicate(len(value))
                value = wire(m, f"turned{i}", turned).as_signed() + minus[i]
            if self.has_shift:
                value = value + x["shift"].as_signed()
            weights.append(wire(m, f"weight{i}", value, self.weight.bits))
        return {"y": wire(m, "weights", Cat(*weights))}
