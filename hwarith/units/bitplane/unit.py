"""The bit-plane dot product: equal bits of two planes counted, shifted and accumulated."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

from amaranth.hdl import Cat, Module

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...formats.lanes import join, split
from ...lazily import np
from ...rtl import Values, wire
from ..accumulator import Accumulator, GroupTransfers, check_lengths
from ..contract import Contract, Unit
from ..conventions import of_integers
from ..operations import BIPOLAR_DOT_PRODUCT, Operation
from ..parameters import integer_parameter
from ..transfers import Transfers
from . import definitions
from .codes import MOST_BITS, planes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

MOST_LANES = 1024
"""Most bits of a port of planes."""


@dataclass(frozen=True, kw_only=True, repr=False)
class BitplaneDot(Accumulator):
    """Dot product of bipolar integers of n and m bits: sum of a*b over a group of up to k elements.

    An n-bit code u is the odd integer 2u - (2^n - 1); `hwarith.units.bitplane` makes codes of
    values and of signed integers. In software a group is the last axis: codes of shape (..., K),
    with K from 0 to `k`, give the dot products, two's complement codes of shape (...).

    The hardware multiplies nothing. A transfer brings, of up to `lanes` elements, `pi` neighbouring
    bit planes of a and `pj` of b (plane by plane, the lowest at the lsb of the port), how many
    lanes hold elements (``count``, 0 to `lanes`, from lane 0 on), and the ``weight`` i + j of its
    lowest planes (ignored where all planes come at once). Equal bits of two planes are counted;
    twice that less ``count`` is their dot product, which is added with the weight of the planes.
    So after all pairs of planes of all elements, in any order, the sum is the dot product, with no
    correction left to do.

    Source: arXiv 2409.17870 and 2508.19087 for the format and the idea; the sum over planes is
    derived from the format (`definitions.dot`), and the hardware is this project's.
    """

    family: ClassVar[str] = "bitplane_dot"
    summary: ClassVar[str] = "dot product of bipolar integers, a pair of bit planes at a time"
    operation: ClassVar[Operation] = BIPOLAR_DOT_PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "a": "planes of a, a bit for each lane, the lowest plane at the lsb",
        "b": "planes of b, a bit for each lane, the lowest plane at the lsb",
        "count": "lanes that hold elements, from lane 0 on",
        "weight": "i + j of the lowest planes: their products count times 2^weight",
        "y": "dot product of the group",
    }

    n: int = integer_parameter("bits of a code of a", 1, MOST_BITS, 4)
    m: int = integer_parameter("bits of a code of b", 1, MOST_BITS, 4)
    lanes: int = integer_parameter("elements in a transfer", 1, MOST_LANES, 64)
    pi: int = integer_parameter("planes of a in a transfer; divides n", 1, MOST_BITS, 1)
    pj: int = integer_parameter("planes of b in a transfer; divides m", 1, MOST_BITS, 1)
    k: int = integer_parameter("most elements of a group", 1, 1 << 32, 4096)

    def validate(self) -> None:
        super().validate()
        for part, whole in (("pi", "n"), ("pj", "m")):
            few, all_of_them = getattr(self, part), getattr(self, whole)
            if all_of_them % few:
                raise InvalidInput(
                    f"bitplane_dot: parameter {part}: must divide {whole}={all_of_them}, not {few}"
                )
            if few * self.lanes > MOST_LANES:
                raise InvalidInput(
                    f"bitplane_dot: lanes * {part} must be {MOST_LANES} or less, "
                    f"not {few * self.lanes}"
                )

    # -- ports ---------------------------------------------------------------------------------

    @property
    def operands(self) -> dict[str, Format]:
        """The codes that a call takes; the ports have planes of them (`inputs`)."""
        return {"a": format(f"uint{self.n}"), "b": format(f"uint{self.m}")}

    @property
    def transfers(self) -> Transfers:
        return PlaneTransfers(self)

    @property
    def greatest_weight(self) -> int:
        """The weight of the last pair of slices of planes."""
        return self.n - self.pi + self.m - self.pj

    @property
    def bits(self) -> int:
        """Of the accumulator and the result: enough for `k` products of the greatest magnitude."""
        return self.n + self.m + (self.k - 1).bit_length() + 1

    @property
    def results(self) -> dict[str, Format]:
        return {"y": format(f"int{self.bits}")}

    @property
    def memory(self) -> dict[str, Format]:
        return {"acc": format(f"int{self.bits}")}

    @property
    def work(self) -> Fraction:
        return Fraction(self.lanes * self.pi * self.pj, self.n * self.m)

    @property
    def contract(self) -> Contract:
        bound = f"exact for groups of up to {self.k} elements"
        return Contract("exact integer", bound, "arXiv 2409.17870, arXiv 2508.19087")

    def cycles(self, length: int) -> int:
        """Transfers of a group of so many elements: ceil(length / lanes) * n * m / (pi * pj).

        A group of none takes those of one, for only a transfer brings a result.
        """
        return max(1, -(-length // self.lanes)) * (self.n // self.pi) * (self.m // self.pj)

    # -- the dot product -----------------------------------------------------------------------

    def golden(self, *codes: Sequence[int]) -> int:
        """The definition on plain integers: sequences of codes of a and of b; a code back."""
        a, b = codes
        check_lengths(self.family, codes)
        left, right = definitions.split_planes(a, self.n), definitions.split_planes(b, self.m)
        return definitions.dot(left, right, len(a)) % (1 << self.bits)

    @property
    def conventions(self) -> dict[str, str]:
        return of_integers(f"none for up to {self.k} elements of a group; then it wraps")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        """The same element by element in integers, which is what runs on arrays."""
        return definitions.multiply_add, (self.n, self.m, self.bits)

    @property
    def word_bits(self) -> int:
        return self.bits + 1

    def check_operands(self, codes: tuple[ArrayLike, ...]) -> list[np.ndarray]:
        """Codes as arrays of one shape (..., K), K from 0 to `k`. Raises `InvalidInput`."""
        arrays = Unit.check_operands(self, codes)
        shape = arrays[0].shape
        if not shape or shape[-1] > self.k:
            raise InvalidInput(
                f"operands of {self.family} are groups, arrays of shape (..., K) with K at most "
                f"k={self.k}, not {shape}"
            )
        return arrays

    # -- hardware ------------------------------------------------------------------------------

    def front_datapath(self) -> list[rtl.Step]:
        return [self._multiply, self._shift]

    def datapath(self) -> list[rtl.Step]:
        return [self._accumulate]

    def _multiply(self, m: Module, x: Values) -> Values:
        """The dot product of the slices: twice the equal bits in lanes with elements, by the
        weights of their planes, less what all lanes together would take away."""
        lanes, count = self.lanes, x["count"]
        filled = wire(m, "filled", Cat(*(count > lane for lane in range(lanes))))
        every = ((1 << self.pi) - 1) * ((1 << self.pj) - 1)
        width = (lanes * every).bit_length() + 1
        columns = rtl.Columns(m, "equal", width)
        for i in range(self.pi):
            for j in range(self.pj):
                a, b = x["a"][i * lanes :][:lanes], x["b"][j * lanes :][:lanes]
                for bit in wire(m, f"equal_{i}_{j}", ~(a ^ b) & filled):
                    columns.add(1 + i + j, bit)
        taken = wire(m, "taken", count * every)
        columns.add_integer(~taken)
        columns.add_constant(1 - (1 << len(taken)))
        low, high, _ = columns.compress()
        product = wire(m, "product", (low + high)[:width])
        return {"product": product.as_signed(), "weight": x["weight"]}

    def _shift(self, m: Module, x: Values) -> Values:
        weight = x["weight"][: self.greatest_weight.bit_length()]
        return {"shifted": rtl.scaled(m, "product", x["product"], weight)}

    def _accumulate(self, m: Module, x: Values) -> Values:
        """The shifted count of this pair of planes added to the sum so far."""
        addend = wire(m, "addend", x["shifted"], self.bits)
        return {"acc": rtl.add(m, "total", x["acc"], addend)[: self.bits]}

    def output_datapath(self) -> list[rtl.Step]:
        return [rtl.renamed(acc="y")]


class PlaneTransfers(GroupTransfers[BitplaneDot]):
    """A chunk of `lanes` elements after the other, all pairs of planes of each."""

    @property
    def inputs(self) -> dict[str, Format]:
        u = self.unit
        bits = {
            "a": u.lanes * u.pi,
            "b": u.lanes * u.pj,
            "count": u.lanes.bit_length(),
            "weight": max(1, u.greatest_weight.bit_length()),
        }
        return {name: format(f"uint{width}") for name, width in bits.items()} | self.controls

    def of(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        u = self.unit
        length = arrays[0].shape[-1]
        a, b = self._slices(arrays[0], u.n, u.pi), self._slices(arrays[1], u.m, u.pj)
        groups, chunks, rows = a.shape
        shape = (groups, chunks, rows, b.shape[-1])
        count = np.clip(length - u.lanes * np.arange(chunks), 0, u.lanes)
        weight = u.pi * np.arange(rows)[:, None] + u.pj * np.arange(b.shape[-1])
        first, last = np.zeros((2, *shape), np.uint8)
        first[:, 0, 0, 0] = last[:, -1, -1, -1] = 1
        columns = (a[..., None], b[:, :, None, :], count[:, None, None], weight, first, last)
        return [
            np.broadcast_to(x, shape).ravel().astype(f.dtype)
            for x, f in zip(columns, self.inputs.values(), strict=True)
        ]

    def _slices(self, codes: np.ndarray, bits: int, width: int) -> np.ndarray:
        """What a port of planes gets, as an array (groups, chunks, slices of `width` planes)."""
        lanes, length = self.unit.lanes, codes.shape[-1]
        if length == 0:
            codes, length = np.zeros((*codes.shape[:-1], 1), codes.dtype), 1
        words = planes(codes.reshape(-1, length), bits, lanes)
        groups, chunks, _ = words.shape
        by_slice = words.reshape(groups, chunks, bits // width, width)
        return join(by_slice, format(f"uint{lanes}"))

    def calls(self, columns: list[np.ndarray]) -> list[list[np.ndarray]]:
        u = self.unit
        shape = (-1, u.n // u.pi, u.m // u.pj)
        found, at = [], 0
        for group in super().calls(columns):
            size = len(group[0])
            part = slice(at, at + size)
            whole = size % (shape[1] * shape[2]) == 0
            if whole:
                a, b, count, _ = (x.reshape(shape) for x in group)
                length = int(count[:, 0, 0].sum())
                call = [
                    self._codes(a[:, :, 0], u.pi)[:length],
                    self._codes(b[:, 0], u.pj)[:length],
                ]
                again = self.of(call)
                whole = all(np.array_equal(x[part], y) for x, y in zip(columns, again, strict=True))
            if not whole:
                raise InvalidInput(
                    f"transfers {at + 1} to {part.stop}, a group, are not all pairs of planes, "
                    "with their weights, of one chunk of elements after the other"
                )
            found.append(call)
            at = part.stop
        return found

    def _codes(self, words: np.ndarray, width: int) -> np.ndarray:
        """The elements of words (chunks, slices of `width` planes): the inverse of `_slices`."""
        lanes = self.unit.lanes
        by_plane = split(words, format(f"uint{lanes}"), width).reshape(len(words), -1)
        digits = split(by_plane, format("uint1"), lanes).swapaxes(1, 2)
        return join(digits, format("uint1")).ravel()

    def per_result(self, arrays: list[np.ndarray]) -> list[int]:
        *shape, length = arrays[0].shape
        return [self.unit.cycles(length)] * math.prod(shape)
