"""Elements of blocks in hardware: taken apart as a datapath multiplies them, metadata included.

A reader has what `Operand` says of a format: the bits of a significand, the range of its exponent,
the weights of both. What the elements of a block share comes as one word: the code of the scale,
and above it the metadata, that of the first elements lowest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...formats import BlockFormat, Format
from ...formats.blocks.m2xfp import FINER, SUBGROUP, FinerScale, FinerTop
from ...formats.blocks.metadata import Found
from ...formats.blocks.mxplus import INDEX_BITS, LargestElement, OffsetScale, top
from ...formats.blocks.razer import SpecialValue, WeightSpecial
from ...lazily import np
from ...rtl import Operand, Raw, wire
from .reading import Reading, Way
from .shared import chosen, finite, first_greatest


@dataclass(frozen=True)
class Reader:
    """Elements of a format of blocks without metadata, `n` to a block."""

    kind: BlockFormat
    n: int

    @cached_property
    def element(self) -> Operand:
        """The format of an element's code."""
        return Operand(self.kind.element)

    @property
    def precision(self) -> int:
        """Bits of a significand."""
        return self.element.precision

    @property
    def exponents(self) -> tuple[int, int]:
        """Least and greatest exponent."""
        return self.element.exponents

    @property
    def bias(self) -> int:
        """What is to be taken from an exponent for the weight of the significand's msb."""
        return self.element.bias

    @property
    def lsb(self) -> int:
        """Weight of the significand's lsb in the lowest binade."""
        return self.exponents[0] - self.bias - self.precision + 1

    @property
    def most(self) -> int:
        """The greatest magnitude of an element, in units of that."""
        return int(self.kind.element.max / 2**self.lsb)

    @property
    def element_most(self) -> int:
        """The greatest magnitude of an element's code, in units of its own lsb."""
        return int(self.kind.element.max / 2**self.element.lsb)

    @property
    def word(self) -> Format:
        """The format of what a block shares: that of its scale, with the metadata in bits that
        mean nothing to it."""
        scale, more = self.kind.scale, self.kind.metadata
        if more is None or more.in_scale:
            return scale
        above = more.bits * more.spans(self.n)
        name = f"{scale.name}_m{above}"
        return replace(scale, name=name, bits=scale.bits + above, ignored_bits=above)

    @property
    def scale_bits(self) -> int:
        """Bits of the scale in that word."""
        return self.kind.scale.bits - self.kind.scale.ignored_bits

    def read(self, m: Module, name: str, codes: list[Value], word: Value) -> list[Raw]:
        """The elements of a block, in wires of this name with the element's index behind it."""
        return [self.element.unpack(m, f"{name}{i}", code) for i, code in enumerate(codes)]

    def scale(self, m: Module, name: str, word: Value) -> Raw:
        """The scale of a block."""
        return Operand(self.kind.scale).unpack(m, name, word)

    # -- golden --------------------------------------------------------------------------------

    @property
    def reading(self) -> Reading:
        """What golden definitions take (`reading`), of a format with metadata."""
        f = self.kind.element
        return Reading(
            way=0,
            f=f.numbers,
            finer=FINER.numbers,
            lsb=self.lsb,
            scale=self.kind.scale.numbers,
            scale_bits=self.scale_bits,
            top=top(f),
            places=0,
            code=-1,
            outlier=0,
            five=0,
            five_places=0,
            other=0,
            other_places=0,
        )

    def values(self, codes: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What elements of blocks (..., n) with metadata stand for before they are scaled, and
        their scales (...): float64."""
        more = self.kind.metadata
        assert more is not None
        places = self.scale_bits + more.bits * np.arange(more.spans(self.n))
        metadata = (words[..., None] >> places & ((1 << more.bits) - 1)).astype(np.uint8)
        scales = (words & ((1 << self.scale_bits) - 1)).astype(np.uint8)
        blocks = Found(codes.reshape(-1, self.n), scales.ravel(), metadata.reshape(-1, len(places)))
        levels = more.levels(self.kind.element, blocks).reshape(codes.shape)
        return levels, np.asarray(self.kind.scale.decode(scales)).astype(np.float64)

    def places(self, codes: np.ndarray) -> np.ndarray:
        """Where each element of blocks (..., n) stands, as `reading.places` says."""
        return np.broadcast_to(np.arange(self.n, dtype=np.uint8), codes.shape)


class LargestReader(Reader):
    """MX+: the largest element has all bits below its sign for its fraction."""

    @property
    def precision(self) -> int:
        return self.kind.element.bits

    @property
    def most(self) -> int:
        return int((2 - 2 ** (1 - self.precision)) * 2 ** (top(self.kind.element) - self.lsb))

    @property
    def others(self) -> int:
        """The greatest magnitude of the other elements, in the same units."""
        return super().most

    @property
    def reading(self) -> Reading:
        f = self.kind.element
        return super().reading._replace(way=int(Way.LARGEST), places=f.bits - f.precision)

    def read(self, m: Module, name: str, codes: list[Value], word: Value) -> list[Raw]:
        is_largest = self.index(m, name, word)
        found = []
        for i, code in enumerate(codes):
            raw = self.element.unpack(m, f"{name}{i}_ordinary", code)
            largest = self.largest(m, f"{name}{i}_largest", code, word)
            other = self.other(m, f"{name}{i}", raw, word)
            found.append(chosen(m, f"{name}{i}", is_largest[i], largest, other))
        return found

    def index(self, m: Module, name: str, word: Value) -> Value:
        """A bit for each element: whether it is the largest."""
        index = word[self.scale_bits :][:INDEX_BITS]
        return rtl.one_hot(m, f"{name}_is_largest", index, self.n)

    def largest(self, m: Module, name: str, code: Value, word: Value) -> Raw:
        """What a code stands for as the largest element."""
        f = self.kind.element
        none = wire(m, f"{name}_none", ~(word[: self.scale_bits].any() | code.any()))
        exponent = Const(top(f) + self.bias, self._exponent_bits)
        sign, x = code[-1], code[:-1]
        significand = wire(m, f"{name}_significand", Cat(x, ~none))
        return finite(sign, exponent, significand, none)

    def other(self, m: Module, name: str, raw: Raw, word: Value) -> Raw:
        """An element that is not the largest."""
        places = self.precision - self.element.precision
        exponent = wire(m, f"{name}_lowered", self.lowered(raw.exponent, word))
        significand = Cat(Const(0, places), raw.significand)
        return replace(raw, exponent=exponent, significand=significand)

    def lowered(self, exponent: Value, word: Value) -> Value:
        """The exponent of an element that is not the largest."""
        return exponent

    @property
    def _exponent_bits(self) -> int:
        return self.exponents[1].bit_length()


class OffsetReader(LargestReader):
    """MX++: the exponents of the other elements are lower by up to 7."""

    OFFSETS = 7

    @property
    def exponents(self) -> tuple[int, int]:
        low, high = self.element.exponents
        return low, high + self.OFFSETS

    @property
    def bias(self) -> int:
        return self.element.bias + self.OFFSETS

    @property
    def reading(self) -> Reading:
        return super().reading._replace(way=int(Way.OFFSET))

    def lowered(self, exponent: Value, word: Value) -> Value:
        return (exponent + ~word[self.scale_bits + INDEX_BITS :][:3])[: self._exponent_bits]


class TopReader(Reader):
    """M2XFP's activations: the first of the largest of eight has two more bits of fraction."""

    @property
    def precision(self) -> int:
        return FINER.precision

    @property
    def most(self) -> int:
        return int(FINER.fraction(4 * 7 - 1 + 3) / FINER.smallest)

    @property
    def reading(self) -> Reading:
        places = FINER.precision - self.kind.element.precision
        return super().reading._replace(way=int(Way.TOP), places=places)

    def read(self, m: Module, name: str, codes: list[Value], word: Value) -> list[Raw]:
        found = []
        for first in range(0, self.n, SUBGROUP):
            group = codes[first : first + SUBGROUP]
            metadata = word[self.scale_bits + first // SUBGROUP * 2 :][:2]
            found += self._group(m, name, first, group, metadata)
        return found

    def places(self, codes: np.ndarray) -> np.ndarray:
        groups = (codes & 7).reshape(*codes.shape[:-1], self.n // SUBGROUP, SUBGROUP)
        is_top = np.arange(SUBGROUP) == groups.argmax(axis=-1)[..., None]
        group = super().places(codes) // SUBGROUP
        return 2 * group + is_top.reshape(codes.shape)

    def _group(
        self, m: Module, name: str, first: int, codes: list[Value], metadata: Value
    ) -> list[Raw]:
        magnitude, is_top = first_greatest(m, f"{name}{first}", [code[:-1] for code in codes])
        # 4 i - 1 + metadata, from 0 on
        below = wire(m, f"{name}{first}_below", ~metadata.any())
        upper = wire(m, f"{name}{first}_upper", (magnitude - below)[: len(magnitude)])
        least = wire(m, f"{name}{first}_least", below & ~magnitude.any())
        finer = Cat(metadata[0] ^ 1, ~(metadata[0] ^ metadata[1]), upper)
        finer = wire(m, f"{name}{first}_finer", finer & (~least).replicate(len(finer)))
        raws = []
        for i, code in enumerate(codes, first):
            raw = self.element.unpack(m, f"{name}{i}_ordinary", code)
            other = replace(raw, significand=Cat(Const(0, 2), raw.significand))
            one = rtl.unpack(m, f"{name}{i}_top", Cat(finer, code[-1]), FINER)
            raws.append(chosen(m, f"{name}{i}", is_top[i - first], one, other))
        return raws


class FinerReader(Reader):
    """M2XFP's weights: eight have a factor of their scale, (4 + metadata) / 4, that is multiplied
    with each."""

    @property
    def precision(self) -> int:
        return self.element.precision + 3

    @property
    def bias(self) -> int:
        return self.element.bias - 1

    @property
    def most(self) -> int:
        return 7 * super().most // 4

    @property
    def reading(self) -> Reading:
        return super().reading._replace(way=int(Way.FINER))

    def places(self, codes: np.ndarray) -> np.ndarray:
        return super().places(codes) // np.uint8(SUBGROUP)

    def factor(self, word: Value, i: int) -> Value:
        """The factor of element i, in quarters."""
        return Cat(word[self.scale_bits + i // SUBGROUP * 2 :][:2], Const(1, 1))

    def read(self, m: Module, name: str, codes: list[Value], word: Value) -> list[Raw]:
        raws = super().read(m, name, codes, word)
        return [
            replace(
                raw,
                significand=rtl.product(
                    m, f"{name}{i}_product", raw.significand, self.factor(word, i)
                ),
            )
            for i, raw in enumerate(raws)
        ]


class SpecialReader(Reader):
    """RaZeR: a code stands for a special value, of which significand and exponent are constants.
    They are given in units of a half, and are not normalized."""

    @property
    def _special(self) -> SpecialValue:
        assert isinstance(self.kind.metadata, SpecialValue)
        return self.kind.metadata

    @cached_property
    def _values(self) -> list[tuple[int, int]]:
        """Significands and places of 5 and of the outlier, if there is one, in units of a half."""
        special = self._special
        outlier = [special.outlier] if isinstance(special, WeightSpecial) else []
        halves = [int(2 * value) for value in (5, *outlier)]
        places = [min((x & -x).bit_length() - 1, 2) for x in halves]
        return [(x >> p, p) for x, p in zip(halves, places, strict=True)]

    @property
    def precision(self) -> int:
        return max(significand.bit_length() for significand, _ in self._values)

    @property
    def bias(self) -> int:
        return self.element.bias + self.element.precision - self.precision

    @property
    def most(self) -> int:
        return max(super().most, *(significand << places for significand, places in self._values))

    @property
    def reading(self) -> Reading:
        five, *outlier = self._values
        other = outlier[0] if outlier else five
        return super().reading._replace(
            way=int(Way.SPECIAL),
            code=self._special.sv_code,
            outlier=len(outlier),
            five=five[0],
            five_places=five[1],
            other=other[0],
            other_places=other[1],
        )

    def read(self, m: Module, name: str, codes: list[Value], word: Value) -> list[Raw]:
        special = self._value(m, name, word)
        found = []
        for i, code in enumerate(codes):
            raw = self.element.unpack(m, f"{name}{i}_ordinary", code)
            significand = Cat(raw.significand, Const(0, self.precision - len(raw.significand)))
            other = replace(raw, sign=raw.sign & ~raw.zero, significand=significand)
            is_special = wire(m, f"{name}{i}_is_special", code == self._special.sv_code)
            found.append(chosen(m, f"{name}{i}", is_special, special, other))
        return found

    def _value(self, m: Module, name: str, word: Value) -> Raw:
        """The special value that a word chooses."""
        values = [(Const(x, self.precision), Const(p + 1, 2)) for x, p in self._values]
        significand, exponent = values[0]
        if len(values) > 1:
            outlier = word[-2]
            significand = wire(m, f"{name}_special", Mux(outlier, values[1][0], significand))
            exponent = wire(m, f"{name}_special_exponent", Mux(outlier, values[1][1], exponent))
        return finite(word[-1], exponent, significand, Const(0, 1))


READERS: dict[type, type[Reader]] = {
    LargestElement: LargestReader,
    OffsetScale: OffsetReader,
    FinerTop: TopReader,
    FinerScale: FinerReader,
}


def reader(kind: BlockFormat, n: int) -> Reader:
    """What reads blocks of n elements of a format."""
    if isinstance(kind.metadata, SpecialValue):
        return SpecialReader(kind, n)
    return READERS.get(type(kind.metadata), Reader)(kind, n)
