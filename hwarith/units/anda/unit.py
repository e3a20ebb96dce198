"""Anda's processing element: mantissas bit by bit, weights at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

from amaranth.hdl import Cat, Const, Module

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...formats.lanes import join, vector
from ...lazily import np
from ...rtl import Values, wire
from ..accumulator import Accumulator
from ..contract import Contract
from ..conventions import of_integers
from ..operations import BIT_SERIAL_DOT_PRODUCT, Operation
from ..parameters import choice_parameter, integer_parameter
from . import definitions

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

WEIGHTS = tuple(f"int{bits}" for bits in range(2, 9))

MOST_MANTISSA, MOST_LANES = 16, 64


@dataclass(frozen=True, kw_only=True, repr=False)
class AndaPe(Accumulator):
    """Sum of activations of a shared exponent times integer weights, mantissas bit by bit.

    The activations of a group have signs ``s`` and mantissas of M bits (`hwarith.quantize` to
    ``anda_mM``). Each transfer brings one bit of every mantissa, the most significant ones first,
    and signs and weights, which stay: acc = 2 acc + the weights where the bit is one, with the
    signs of the activations. So a group takes M clocks, and any M up to `m` will do: the result is
    the sum of products of integers, in units of 2^(E - 15 - (M - 1)) where E is the shared
    exponent. Lanes without an activation have zeros.

    Source: Fang et al., Anda, HPCA 2025 (arXiv 2411.15982); widths are decisions of this project,
    made from a description of the paper.
    """

    family: ClassVar[str] = "andape"
    summary: ClassVar[str] = "Anda's PE: mantissas bit by bit, integer weights at once"
    operation: ClassVar[Operation] = BIT_SERIAL_DOT_PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "m": "a bit of each mantissa, the most significant ones in the first transfer of a group",
        "s": "signs of the activations, the same in all transfers of a group",
        "w": "weights, the same in all transfers of a group, the first one at the lsb",
        "y": "sum of the products of the group",
    }

    w: str = choice_parameter("of the weights", WEIGHTS, "int4")
    lanes: int = integer_parameter("activations of a group", 1, MOST_LANES, 64)
    m: int = integer_parameter("most bits of a mantissa", 1, MOST_MANTISSA, 8)

    @property
    def _w(self) -> Format:
        return format(self.w)

    @property
    def operands(self) -> dict[str, Format]:
        bits = format(f"uint{self.lanes}")
        return {"m": bits, "s": bits, "w": vector(self._w, self.lanes)}

    @property
    def _sum(self) -> Format:
        most = self.lanes * ((1 << self.m) - 1) << (self._w.bits - 1)
        return format(f"int{most.bit_length() + 1}")

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self._sum}

    @property
    def memory(self) -> dict[str, Format]:
        return {"sum": self._sum}

    @property
    def work(self) -> Fraction:
        return Fraction(self.lanes, self.m)

    @property
    def contract(self) -> Contract:
        bound = f"exact for mantissas of up to {self.m} bits"
        return Contract("exact integer", bound, "arXiv 2411.15982")

    @property
    def conventions(self) -> dict[str, str]:
        return of_integers(f"none for mantissas of up to {self.m} bits; then it wraps")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.plane, (self.lanes, self._w.bits, self._sum.bits)

    @property
    def word_bits(self) -> int:
        return max(self._sum.bits + 2, *(f.bits for f in self.operands.values()))

    def group(self, codes: ArrayLike, weights: ArrayLike, bits: int | None = None) -> np.ndarray:
        """Sums of groups, int64 of shape (...), of codes and weights as `steps` takes them."""
        mantissas, signs, w = self._of_codes(codes, weights, bits)
        products = np.where(signs != 0, -mantissas, mantissas) * self._w.decode(w).astype(np.int64)
        return products.sum(axis=-1)

    def steps(
        self, codes: ArrayLike, weights: ArrayLike, bits: int | None = None
    ) -> list[np.ndarray]:
        """What enters transfer by transfer: an array (..., bits) for each operand.

        Parameters
        ----------
        codes : activations of shape (..., n), n at most `lanes`: mantissas of `bits` bits with a
            sign above them, as ``hwarith.quantize(x, "anda_mM").codes`` has them.
        weights : integers, or codes in two's complement, of the same shape.
        bits : of a mantissa; None: `m`.

        Raises `InvalidInput` for what is not as said here.
        """
        found = self._of_codes(codes, weights, bits)
        missing = self.lanes - found[0].shape[-1]
        pad = [(0, 0)] * (found[0].ndim - 1) + [(0, missing)]
        mantissas, signs, w = (np.pad(x, pad) for x in found)
        count = self.m if bits is None else bits
        places = np.arange(count - 1, -1, -1)
        planes = mantissas[..., None, :] >> places[:, None] & 1
        m = join(planes, format("uint1"))
        s, by = join(signs, format("uint1")), join(w, self._w)
        return [m, *(np.broadcast_to(x[..., None], m.shape) for x in (s, by))]

    def _of_codes(
        self, codes: ArrayLike, weights: ArrayLike, bits: int | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mantissas and signs, int64, and codes of weights, of one shape."""
        count = self.m if bits is None else bits
        if not 1 <= count <= self.m:
            raise InvalidInput(f"mantissas of andape have 1 to m={self.m} bits, not {count}")
        x = format(f"uint{count + 1}").check(codes, "activations of andape").astype(np.int64)
        w = self._w.check(weights, "weights of andape")
        if x.ndim == 0 or x.shape != w.shape or not 1 <= x.shape[-1] <= self.lanes:
            raise InvalidInput(
                f"groups of andape are activations and weights of one shape (..., n), n from 1 "
                f"to lanes={self.lanes}, not {x.shape} and {w.shape}"
            )
        return x & ((1 << count) - 1), x >> count, w

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._accumulate]

    def _accumulate(self, m: Module, x: Values) -> Values:
        """Twice the sum, and the weights of this plane, inverted where they are subtracted."""
        columns, bits = rtl.Columns(m, "rows", self._sum.bits), self._w.bits
        columns.add_integer(Cat(Const(0, 1), x["sum"]))
        for i in range(self.lanes):
            one, sign = x["m"][i], x["s"][i]
            row = (x["w"].word_select(i, bits) ^ sign.replicate(bits)) & one.replicate(bits)
            columns.add_integer(wire(m, f"product{i}", row).as_signed())
            columns.add(0, wire(m, f"minus{i}", one & sign))
        low, high, _ = columns.compress()
        return {"sum": rtl.add(m, "total", low, high)[: self._sum.bits]}

    def output_datapath(self) -> list[rtl.Step]:
        return [rtl.renamed(sum="y")]
