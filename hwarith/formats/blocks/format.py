"""Formats of blocks: elements of a scalar format, and a scale that each block of them shares."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

from ...exceptions import InvalidInput, quoted, unknown
from ...golden import code_dtype
from ...lazily import np
from ...tables import Tabled
from .. import scalar
from ..names import PATTERNS
from ..rounding import FormatNumbers
from ..scalar import NAMED, Format
from .axes import checked_axis
from .m2xfp import FinerScale, FinerTop
from .metadata import Found, Metadata
from .mxplus import LargestElement, OffsetScale
from .razer import ActivationSpecial, WeightSpecial

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

BlockName = Literal[
    "mxfp8_e4m3",
    "mxfp8_e5m2",
    "mxfp6_e2m3",
    "mxfp6_e3m2",
    "mxfp4",
    "mxint8",
    "mxint6",
    "mxint4",
    "nvfp4",
    "nvint4",
    "mxfp8_e4m3+",
    "mxfp8_e5m2+",
    "mxfp6_e2m3+",
    "mxfp6_e3m2+",
    "mxfp4+",
    "mxfp8_e4m3++",
    "mxfp8_e5m2++",
    "mxfp6_e2m3++",
    "mxfp6_e3m2++",
    "mxfp4++",
    "m2xfp_w",
    "m2xfp_a",
    "razer_w",
    "razer_a",
    "anda_m4",
    "anda_m5",
    "anda_m6",
    "anda_m7",
    "anda_m8",
    "anda_m11",
]
"""The names of the block formats."""


@dataclass(frozen=True)
class BlockFormat(Tabled):
    """A format of blocks: a value is an element times the scale of its block (times that of the
    whole tensor).

    Attributes
    ----------
    name : the canonical name.
    element : the `Format` of an element. Those of MXINT and NVINT are integers, ``intB``, of which
        the quantizer never gives the most negative one.
    block : elements that share a scale, unless the user says so otherwise.
    scale : the `Format` of a block's scale: ``e8m0fnu``, powers of two, or ``ue4m3``.
    tensor_scale : whether all blocks share one more scale, a number of fp32.
    source : where the format is defined.
    metadata : what blocks keep besides, which says what elements stand for: `Metadata`, or None.

    An MXINT element counts units of 1: a value is code * 2^(scale - 127). The OCP's MXINT8 counts
    units of 2^-6: its scale has a code greater by 6 for the same value. ``mxint6`` and ``mxint4``
    are no formats of the OCP.
    """

    name: str
    element: Format
    block: int
    scale: Format
    tensor_scale: bool
    source: str
    metadata: Metadata | None = None

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"hwarith.format({self.name!r})"

    @property
    def largest(self) -> Fraction:
        """The largest value of an element, to which that of a block is scaled."""
        return Fraction(self.quantized.max_mag) if self.is_integer else self.element.max

    @property
    def is_integer(self) -> bool:
        """Whether elements are integers."""
        return not self.element.is_float

    @property
    def bits(self) -> int:
        """Bits of an element."""
        return self.element.bits

    @property
    def group(self) -> int:
        """`block`, as weight types call it."""
        return self.block

    @property
    def bits_per_element(self) -> Fraction:
        """Bits of an element and its share of what its `block` keeps; not of the tensor scale."""
        return self.bits + Fraction(self.block_bits(self.block), self.block)

    def block_bits(self, size: int) -> int:
        """Bits of the scale and the metadata of a block of so many elements."""
        if self.metadata is None:
            return self.scale.bits
        free = self.scale.ignored_bits if self.metadata.in_scale else 0
        return self.scale.bits - free + self.metadata.bits * self.metadata.spans(size)

    @cached_property
    def quantized(self) -> FormatNumbers:
        """The element as integers for the quantizer: symmetric, as IVF (arXiv 2510.25602, 3.2) has
        it."""
        return self.element.numbers if self.element.is_float else _symmetric(self.element)

    def words(
        self, scale_codes: ArrayLike, metadata: ArrayLike | None = None, axis: int = -1
    ) -> np.ndarray:
        """Codes of scales with the metadata of their blocks above them: in the bits that a scale
        leaves free (RaZeR), or above its byte, those of the first elements lowest. Operands are
        those of `decode`; the words are of the scales' shape, unsigned integers.

        Raises `InvalidInput` for codes of other formats and for shapes that do not fit.
        """
        scales = self.scale.check(scale_codes, "scale codes")
        if self.metadata is None:
            return scales
        if metadata is None:
            raise InvalidInput(f"words of {self} take metadata: {self.metadata.meaning}")
        more, bits = checked_metadata(self, metadata), self.metadata.bits
        along = checked_axis(axis, scales.ndim)
        blocks = scales.shape[along]
        if more.ndim != scales.ndim or not blocks or more.shape[along] % blocks:
            raise _do_not_fit(more.shape, scales.shape, along)
        moved = np.moveaxis(more, along, -1)
        spans = np.moveaxis(
            moved.reshape(*moved.shape[:-1], blocks, moved.shape[-1] // blocks), -2, along - 1
        )
        at = self.scale.bits - (bits if self.metadata.in_scale else 0)
        places = at + bits * np.arange(spans.shape[-1], dtype=np.uint64)
        above = (spans.astype(np.uint64) << places).sum(axis=-1, dtype=np.uint64)
        return (scales | above).astype(code_dtype(int(places[-1]) + bits))

    def decode(
        self,
        codes: ArrayLike,
        scale_codes: ArrayLike,
        tensor_scale: float = 1.0,
        axis: int = -1,
        metadata: ArrayLike | None = None,
    ) -> np.ndarray:
        """Values of element codes, float64 of their shape.

        `scale_codes` has the same shape, but that `axis` counts blocks: what is left of the one
        divided by the other is the size of a block. So have the codes of the `metadata`, if the
        format has any, but that `axis` counts what shares one. All values of a block whose scale is
        NaN are NaN. Raises `InvalidInput` for codes of other formats and for shapes that do not
        fit.
        """
        elements = self.levels(codes, scale_codes, axis, metadata)
        if not isinstance(tensor_scale, int | float | np.number):
            raise InvalidInput(f"tensor_scale must be a number, not {quoted(tensor_scale)}")
        scales = np.asarray(self.scale.decode(scale_codes)) * np.float64(tensor_scale)
        return elements * repeated(scales, elements.shape, axis)

    def levels(
        self,
        codes: ArrayLike,
        scale_codes: ArrayLike,
        axis: int = -1,
        metadata: ArrayLike | None = None,
    ) -> np.ndarray:
        """What elements stand for before they are scaled, float64; operands are those of
        `decode`."""
        if self.metadata is None:
            if metadata is not None:
                raise InvalidInput(f"format {self} has no metadata")
            return np.asarray(self.element.decode(codes)).astype(np.float64)
        if metadata is None:
            raise InvalidInput(f"format {self} is decoded with metadata: {self.metadata.meaning}")
        elements = self.element.check(codes)
        along = checked_axis(axis, elements.ndim)
        scales = self.scale.check(scale_codes, "scale codes")
        more = checked_metadata(self, metadata)
        size = block_size(scales.shape, elements.shape, along)
        spans = self.metadata.spans(size)
        if elements.shape[along] // size * spans != block_count(more.shape, elements.shape, along):
            raise InvalidInput(
                f"metadata of blocks of {size} elements of {self} must be {spans} codes for each "
                f"block, not of shape {more.shape} for elements of shape {elements.shape}"
            )
        moved = [np.moveaxis(x, along, -1) for x in (elements, scales, more)]
        found = self.metadata.levels(
            self.element,
            Found(moved[0].reshape(-1, size), moved[1].ravel(), moved[2].reshape(-1, spans)),
        )
        return np.moveaxis(found.reshape(moved[0].shape), -1, along)


def checked_metadata(f: BlockFormat, metadata: ArrayLike) -> np.ndarray:
    """Codes of a format's metadata, uint8. Raises `InvalidInput` for what are none."""
    assert f.metadata is not None
    return scalar.format(f"uint{f.metadata.bits}").check(metadata, "metadata")


def repeated(scales: np.ndarray, shape: tuple[int, ...], axis: int) -> np.ndarray:
    """The scale of each element, for elements of this shape in blocks along an axis."""
    axis = checked_axis(axis, len(shape))
    return np.repeat(scales, block_size(scales.shape, shape, axis), axis)


def block_size(scales: tuple[int, ...], shape: tuple[int, ...], axis: int) -> int:
    """Elements that share a scale, of shapes of both. Raises `InvalidInput` if they do not fit."""
    blocks = block_count(scales, shape, axis)
    size = shape[axis] // blocks if blocks else 0
    if blocks * size != shape[axis]:
        raise _do_not_fit(scales, shape, axis)
    return size


def block_count(scales: tuple[int, ...], shape: tuple[int, ...], axis: int) -> int:
    """What is along the axis of scales of elements of this shape."""
    if len(scales) != len(shape):
        raise _do_not_fit(scales, shape, axis)
    expected = list(shape)
    expected[axis] = scales[axis]
    if list(scales) != expected:
        raise _do_not_fit(scales, shape, axis)
    return scales[axis]


def _do_not_fit(scales: tuple[int, ...], shape: tuple[int, ...], axis: int) -> InvalidInput:
    return InvalidInput(
        f"scales of elements of shape {shape} must have that shape, but for axis {axis}, where "
        f"they count blocks, not {scales}"
    )


def _symmetric(f: Format) -> FormatNumbers:
    return replace(f, symmetric=True).numbers


def _blocks() -> list[BlockFormat]:
    ocp, ivf = "OCP Microscaling Formats v1.0", "arXiv 2510.25602"
    e8m0, e4m3, fp4 = NAMED["e8m0fnu"], NAMED["ue4m3"], NAMED["e2m1fn"]
    floats = {
        "mxfp8_e4m3": NAMED["e4m3fn"],
        "mxfp8_e5m2": NAMED["e5m2"],
        "mxfp6_e2m3": NAMED["e2m3fn"],
        "mxfp6_e3m2": NAMED["e3m2fn"],
        "mxfp4": fp4,
    }
    plus, m2, razer = "arXiv 2510.14557", "arXiv 2601.19213", "arXiv 2501.04052"
    integers = {b: scalar.format(f"int{b}") for b in (8, 6, 4)}
    return [
        *(BlockFormat(name, f, 32, e8m0, False, ocp) for name, f in floats.items()),
        *(BlockFormat(f"mxint{b}", f, 32, e8m0, False, ivf) for b, f in integers.items()),
        BlockFormat("nvfp4", fp4, 16, e4m3, True, "arXiv 2509.25149"),
        BlockFormat("nvint4", integers[4], 16, e4m3, True, ivf),
        *(
            BlockFormat(f"{name}{sign}", f, 32, e8m0, False, plus, metadata)
            for sign, metadata in (("+", LargestElement()), ("++", OffsetScale()))
            for name, f in floats.items()
        ),
        BlockFormat("m2xfp_w", fp4, 32, e8m0, False, m2, FinerScale()),
        BlockFormat("m2xfp_a", fp4, 32, e8m0, False, m2, FinerTop()),
        BlockFormat("razer_w", fp4, 16, NAMED["ue3m3"], True, razer, WeightSpecial()),
        BlockFormat("razer_a", fp4, 16, e4m3, True, razer, ActivationSpecial()),
        *(_anda(bits) for bits in (4, 5, 6, 7, 8, 11)),
    ]


def _anda(bits: int) -> BlockFormat:
    """Of Anda: signs and mantissas of so many bits, of which the top one weighs 1; that is a float
    of one exponent bit, all of whose numbers are as far apart."""
    element = scalar.format(f"e1m{bits - 1}b1f")
    return BlockFormat(f"anda_m{bits}", element, 64, NAMED["ue5m0"], False, "arXiv 2411.15982")


BLOCKS = {f.name: f for f in _blocks()}
"""Every format of blocks by its name."""

assert tuple(BLOCKS) == get_args(BlockName)


ALIASES = {
    f"mxfp{plain}{sign}": f"mxfp{usual}{sign}"
    for plain, usual in (("8", "8_e4m3"), ("6", "6_e2m3"))
    for sign in ("+", "++")
}
"""Other names of formats of blocks."""


def named_block(text: str) -> BlockFormat | None:
    """The format of blocks of this name in lower case, with options behind a colon or without, if
    there is one. Raises `InvalidInput` for options that it does not have."""
    name, colon, options = text.partition(":")
    if match := re.fullmatch(r"anda_m([1-9]|1[0-6])", text):
        return BLOCKS.get(text) or _anda(int(match[1]))
    found = BLOCKS.get(ALIASES.get(name, name))
    if found is None or not colon:
        return found
    if found.metadata is None:
        raise InvalidInput(f"format {found} has no options, and {quoted(text)} gives some")
    metadata = found.metadata.with_options(options, found.name)
    chosen = metadata.options
    return replace(found, name=f"{found.name}:{chosen}", metadata=metadata) if chosen else found


def block_format(element: Format, scale: Format) -> BlockFormat:
    """The format of blocks with these elements and scales: the named one, or one like it, which has
    no source. With ``ue4m3`` all blocks share one more scale."""
    wanted = (element, scale, None)
    named = (f for f in BLOCKS.values() if (f.element, f.scale, f.metadata) == wanted)
    of_all = scale.name == "ue4m3"
    size = 16 if of_all else 32
    name = f"{element}, scales {scale}"
    return next(named, BlockFormat(name, element, size, scale, of_all, ""))


@overload
def format(name: BlockName | BlockFormat) -> BlockFormat: ...


@overload
def format(name: Any) -> Format: ...


def format(name: Any) -> Format | BlockFormat:
    """The format of this name (or a numpy or ml_dtypes dtype; a format is returned as it is).

    Names are those of ml_dtypes without the ``floatN_`` prefix, and ``fp64 fp32 tf32 fp16 bf16``;
    ``intN`` and ``uintN`` (N up to 1024); ``fixI.F`` and ``ufixI.F``, fixed point of I integer
    bits, the sign among them, and F of fraction (either may be negative); ``eXmY`` (X 2 to 15, Y 1
    to 112; IEEE-style, with
    ``fn``: no infinities and one NaN magnitude, all ones; with ``fnuz``: one NaN, in place
    of -0); ``eXmYf`` and ``eXmYbBf`` (X 1 to 15, Y 0 to 112), in which every code is a number, with
    the bias of IEEE 754 or B (``e3m0b-2f``); the formats of P3109 as ``binary8p4se``; and the
    formats of blocks: ``mxfp8_e4m3 mxfp8_e5m2 mxfp6_e2m3 mxfp6_e3m2 mxfp4 mxint8 mxint6 mxint4
    nvfp4 nvint4``; those of MX with ``+`` and ``++`` behind them (``mxfp4+``); ``m2xfp_w m2xfp_a
    razer_w razer_a``, of which some have options behind a colon (``mxfp4++:nbm=floor``,
    ``razer_w:outlier=7,sv_code=0``, ``razer_a:select=published``); and ``anda_mM`` (M 1 to 16): a
    `BlockFormat`.

    Raises `InvalidInput` for an unknown name, with the nearest known one.
    """
    if isinstance(name, BlockFormat):
        return name
    if isinstance(name, str):
        plain = name.strip().lower()
        if (found := named_block(plain)) is not None:
            return found
        of_blocks = plain.startswith(("mxfp", "mxint", "nvfp", "nvint", "m2xfp", "razer", "anda"))
        if of_blocks and plain not in NAMED:
            raise unknown("format", name, [*BLOCKS, *NAMED, *PATTERNS])
    return scalar.format(name)


def scalar_format(name: Any) -> Format:
    """The same of a scalar format. Raises `InvalidInput` for one of blocks, too."""
    found = format(name)
    if isinstance(found, BlockFormat):
        raise InvalidInput(
            f"format {found} is one of blocks; a scalar format is needed, such as that of its "
            f"elements, {found.element}"
        )
    return found
