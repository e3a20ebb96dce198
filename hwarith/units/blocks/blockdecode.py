"""The decoder of blocks: elements and the scale that they share become numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from amaranth.hdl import Module

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import BlockFormat, Format, format
from ...formats.lanes import vector
from ...golden import apply
from ...lazily import np
from ...rtl import Operand, Values, wire
from ...rtl.floats import signed_exponent
from ..contract import Contract
from ..conventions import (
    EXACT,
    SUBNORMALS,
    conventions,
    nan_words,
    overflow_words,
    rounding_bound,
    rounding_words,
)
from ..operations import DECODING, Operation
from ..parameters import choice_parameter, integer_parameter
from ..results import packed_dtype, split
from . import definitions, reading
from .blockquant import MOST
from .lanes import LaneUnit, each_lane, of_lane, side_by_side
from .readers import Reader, reader
from .shared import block_parameter

PARTS = ("sign", "significand", "exponent", "invalid")


@dataclass(frozen=True, kw_only=True, repr=False)
class BlockDecode(LaneUnit):
    """The numbers that a block stands for: each element times the block's scale.

    In software x is an array of element codes of shape (..., n) and scale one of scale codes of
    shape (...); the results are of the shape of x. In hardware a transfer brings a whole block, its
    codes side by side, the first one at the lsb.

    With ``out=fp32``, ``bf16`` or ``fp16`` each product is rounded once, to nearest even, and y is
    its code: subnormals are kept, what is too large becomes infinity, as an infinity of e5m2 does;
    a NaN element, and every element of a block whose scale is NaN, becomes the canonical NaN. It is
    what ``mul:a=ELEMENT,b=SCALE,out=fp32`` gives for one element.

    With ``out=sig`` the number is (-1)^sign * significand * 2^exponent, as a multiplier takes it:
    the product of the significands, the sum of the exponents, no normalizer and nothing rounded.
    Zero has sign 0. `invalid` is 1 for NaN and infinities, which are given as if their exponents
    were ones like all others.

    Elements of MXINT and NVINT count units of 1: of the OCP's MXINT8, which counts units of 2^-6,
    the scale code is greater by 6. A scale of the whole tensor is left to what follows.

    Source: OCP Microscaling Formats v1.0, 5 and 6; arXiv 2509.25149 for NVFP4.
    """

    family: ClassVar[str] = "blockdecode"
    summary: ClassVar[str] = "elements of a block times their scale, as numbers or in parts"
    operation: ClassVar[Operation] = DECODING
    meanings: ClassVar[dict[str, str]] = {
        "x": "elements of a block, the first one at the lsb",
        "scale": "of the block",
        "y": "numbers, the first one at the lsb",
        "sign": "1: negative; a bit for each element",
        "significand": "of each element, a magnitude in units of 2^exponent",
        "exponent": "of each significand's lsb",
        "invalid": "1: the element has no finite value",
    }

    a: BlockFormat = block_parameter("format of blocks", "mxfp8_e4m3")
    n: int = integer_parameter("elements of a block (default: the format's)", 1, MOST, None)
    out: str = choice_parameter(
        "results: floats, or their parts", ("fp32", "bf16", "fp16", "sig"), "fp32"
    )

    def validate(self) -> None:
        if self.n is None:
            object.__setattr__(self, "n", self.a.block)
        if self.a.metadata is not None:
            try:
                self.a.metadata.check_block(self.n, self.a.name)
            except InvalidInput as error:
                raise InvalidInput(f"blockdecode: parameter n: {error}") from None

    @cached_property
    def reader(self) -> Reader:
        """What takes the elements apart."""
        return reader(self.a, self.n)

    @property
    def lane_formats(self) -> dict[str, tuple[Format, int]]:
        return {"x": (self.a.element, self.n)} | {
            name: (f, self.n) for name, f in self.of_an_element.items()
        }

    @property
    def operands(self) -> dict[str, Format]:
        return {"x": vector(self.a.element, self.n), "scale": self.reader.word}

    @property
    def of_an_element(self) -> dict[str, Format]:
        """What there is of each element: the results' names and formats."""
        if self.out != "sig":
            return {"y": format(self.out)}
        bit, exponent = format("uint1"), signed_exponent(*self._lsbs).width
        widths = bit, format(f"uint{self._product_bits}"), format(f"int{exponent}"), bit
        return dict(zip(PARTS, widths, strict=True))

    @property
    def results(self) -> dict[str, Format]:
        return {name: vector(f, self.n) for name, f in self.of_an_element.items()}

    @property
    def contract(self) -> Contract:
        if self.out == "sig":
            return Contract("exact", "exact", self.a.source)
        return Contract("correctly rounded", rounding_bound("rne", "ulp"), self.a.source)

    @property
    def conventions(self) -> dict[str, str]:
        if self.out == "sig":
            return conventions(EXACT, "none, every value has a code", "", "sets invalid")
        out = format(self.out)
        return conventions(
            f"once, {rounding_words('rne')}",
            overflow_words("nosat", out),
            SUBNORMALS["keep"],
            nan_words(out),
        )

    # -- golden --------------------------------------------------------------------------------

    def definition(self) -> tuple[Callable[..., int], tuple]:
        """That of one element and the word of its block; parts lie side by side."""
        of_parts, plain = self.out == "sig", self.a.metadata is None
        module = definitions if plain else reading
        definition = module.scaled_parts if of_parts else module.scaled
        f, scale = self.a.element.numbers, self.a.scale.numbers
        read: tuple[Any, ...] = (f, scale) if plain else (self.reader.reading,)
        of = self.of_an_element
        last = [of[x].bits for x in PARTS[1:3]] if of_parts else [format(self.out).numbers]
        return definition, (*read, *last)

    def block_definition(self) -> tuple[Callable[..., Any], tuple]:
        module = definitions if self.a.metadata is None else reading
        of_parts = self.out == "sig"
        definition = module.scaled_parts_block if of_parts else module.scaled_block
        return definition, (self.definition()[1],)

    @property
    def word_bits(self) -> int:
        results = sum(f.bits for f in self.of_an_element.values())
        return max(results, self.reader.precision + self.a.scale.precision) + 20

    def compute(self, *codes: np.ndarray) -> list[np.ndarray]:
        x, scale = codes
        element, constants = self.definition()
        formats = self.of_an_element.values()
        operands = [x, np.broadcast_to(scale[..., None], x.shape)]
        if self.a.metadata is not None:
            operands.insert(1, self.reader.places(x))
        packed = apply(element, operands, constants, packed_dtype(formats), self.word_bits)
        found = zip(split(packed, formats), formats, strict=True)
        return [np.asarray(y).astype(f.dtype, copy=False) for y, f in found]

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        steps: list[rtl.Step] = [self._parts]
        if self.out != "sig":
            rounder = rtl.Rounder(format(self.out), "rne", "nosat")
            steps = [self._biased, *rounder.steps(self._msbs)]
        return [
            self._unpack,
            each_lane(self.n, self._multiply),
            *(each_lane(self.n, step) for step in steps),
            self._join,
        ]

    @property
    def _scale(self) -> Operand:
        return Operand(self.a.scale)

    @property
    def _lsbs(self) -> tuple[int, int]:
        """Least and greatest exponent of the lsb of a product of significands."""
        low, high = (
            sum(o.exponents[end] - o.bias - o.precision + 1 for o in (self.reader, self._scale))
            for end in (0, 1)
        )
        return low, high

    @property
    def _product_bits(self) -> int:
        """Bits of a product of significands; a power of two has none of its own."""
        scale = self._scale.precision
        return self.reader.precision + (scale if scale > 1 else 0)

    @property
    def _to_msb(self) -> int:
        """From the exponent of a product's lsb to that of its msb, biased as that of the result."""
        return self._product_bits - 1 + format(self.out).bias

    @property
    def _msbs(self) -> tuple[int, int]:
        """Least and greatest of the latter."""
        low, high = self._lsbs
        return low + self._to_msb, high + self._to_msb

    def _unpack(self, m: Module, x: Values) -> Values:
        """The fields of the scale, and those of each element, as its metadata say."""
        scale = self.reader.scale(m, "scale", x["scale"])
        bits = self.a.element.bits
        codes = [x["x"][i * bits :][:bits] for i in range(self.n)]
        found: Values = {
            "scale_significand": scale.significand,
            "scale_exponent": scale.exponent,
        }
        for i, raw in enumerate(self.reader.read(m, "x", codes, x["scale"])):
            lane = {
                "sign": raw.sign,
                "element": raw.significand,
                "element_exponent": raw.exponent,
                "nan": wire(m, f"nan{i}", raw.nan | scale.nan),
                "inf": raw.inf,
            }
            found |= {of_lane(i, name): value for name, value in lane.items()}
        return found

    def _multiply(self, m: Module, x: Values) -> Values:
        """The product of the significands, and the sum of the exponents: that of the lsb."""
        product = x["element"]
        if self._scale.precision > 1:
            product = rtl.product(m, "product", product, x["scale_significand"])
        least = self._lsbs[0] - self.reader.exponents[0] - self._scale.exponents[0]
        exponent = x["element_exponent"] + x["scale_exponent"] + least
        found = {name: x[name] for name in ("sign", "nan", "inf")}
        return found | {
            "significand": product,
            "exponent": wire(m, "exponent", exponent, signed_exponent(*self._lsbs)),
        }

    def _parts(self, m: Module, x: Values) -> Values:
        """What a multiplier takes."""
        return {
            "sign": wire(m, "signed", x["sign"] & x["significand"].any()),
            "significand": x["significand"],
            "exponent": x["exponent"],
            "invalid": wire(m, "invalid", x["nan"] | x["inf"]),
        }

    def _biased(self, m: Module, x: Values) -> Values:
        """The exponent of the msb, biased as that of the result."""
        exponent = x["exponent"] + self._to_msb
        return x | {"exponent": wire(m, "biased", exponent, signed_exponent(*self._msbs))}

    def _join(self, m: Module, x: Values) -> Values:
        return {name: side_by_side(x, self.n, name) for name in self.results}
