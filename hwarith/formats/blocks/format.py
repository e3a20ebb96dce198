"""Formats of blocks: elements of a scalar format, and a scale that each block of them shares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

from ...exceptions import InvalidInput, quoted, unknown
from ...lazily import np
from ...tables import Tabled
from .. import scalar
from ..names import PATTERNS
from ..rounding import FormatNumbers
from ..scalar import NAMED, Format
from .axes import checked_axis

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
        """Bits of an element and its share of the scale of its `block` (not of the tensor's)."""
        return self.bits + Fraction(self.scale.bits, self.block)

    @cached_property
    def quantized(self) -> FormatNumbers:
        """The element as integers for the quantizer: symmetric, as IVF (arXiv 2510.25602, 3.2) has
        it."""
        return self.element.numbers if self.element.is_float else _symmetric(self.element)

    def decode(
        self, codes: ArrayLike, scale_codes: ArrayLike, tensor_scale: float = 1.0, axis: int = -1
    ) -> np.ndarray:
        """Values of element codes, float64 of their shape.

        `scale_codes` has the same shape, but that `axis` counts blocks: what is left of the one
        divided by the other is the size of a block. All values of a block whose scale is NaN are
        NaN. Raises `InvalidInput` for codes of other formats and for shapes that do not fit.
        """
        elements = np.asarray(self.element.decode(codes)).astype(np.float64)
        if not isinstance(tensor_scale, int | float | np.number):
            raise InvalidInput(f"tensor_scale must be a number, not {quoted(tensor_scale)}")
        scales = np.asarray(self.scale.decode(scale_codes)) * np.float64(tensor_scale)
        return elements * repeated(scales, elements.shape, axis)


def repeated(scales: np.ndarray, shape: tuple[int, ...], axis: int) -> np.ndarray:
    """The scale of each element, for elements of this shape in blocks along an axis."""
    axis = checked_axis(axis, len(shape))
    blocks = scales.shape[axis] if scales.ndim == len(shape) else 0
    size = shape[axis] // blocks if blocks else 0
    expected = list(shape)
    expected[axis] = blocks
    if list(scales.shape) != expected or blocks * size != shape[axis]:
        raise InvalidInput(
            f"scales of elements of shape {shape} must have that shape, but for axis {axis}, where "
            f"they count blocks, not {scales.shape}"
        )
    return np.repeat(scales, size, axis)


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
    integers = {b: scalar.format(f"int{b}") for b in (8, 6, 4)}
    return [
        *(BlockFormat(name, f, 32, e8m0, False, ocp) for name, f in floats.items()),
        *(BlockFormat(f"mxint{b}", f, 32, e8m0, False, ivf) for b, f in integers.items()),
        BlockFormat("nvfp4", fp4, 16, e4m3, True, "arXiv 2509.25149"),
        BlockFormat("nvint4", integers[4], 16, e4m3, True, ivf),
    ]


BLOCKS = {f.name: f for f in _blocks()}
"""Every format of blocks by its name."""

assert tuple(BLOCKS) == get_args(BlockName)


def block_format(element: Format, scale: Format) -> BlockFormat:
    """The format of blocks with these elements and scales: the named one, or one like it, which has
    no source. With ``ue4m3`` all blocks share one more scale."""
    named = (f for f in BLOCKS.values() if (f.element, f.scale) == (element, scale))
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
    nvfp4 nvint4``, a `BlockFormat`.

    Raises `InvalidInput` for an unknown name, with the nearest known one.
    """
    if isinstance(name, BlockFormat):
        return name
    if isinstance(name, str):
        plain = name.strip().lower()
        if plain in BLOCKS:
            return BLOCKS[plain]
        if plain.startswith(("mxfp", "mxint", "nvfp", "nvint")) and plain not in NAMED:
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
