"""Colours, shapes and lines that the pictures share, the same in every report.

A format's mark and a family's shape follow from their names alone, so that two reports can be laid
side by side. The colours are those of Okabe and Ito, safe for colour-blindness; as eight are not
enough, marks are filled, rings, or rings with a dot, which also tells them apart in grey. Names
that are not listed here get theirs by a checksum, and may share it with another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from zlib import crc32

from ...units.operations import Operation

_BLUE, _ORANGE, _GREEN, _RED, _PINK, _SKY, _BROWN, _GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#8C6D31",
    "#7F7F7F",
)
_COLOURS = (_BLUE, _ORANGE, _GREEN, _RED, _PINK, _SKY, _BROWN, _GREY)


class Mark(NamedTuple):
    """How a format is coloured, and how it is filled: the sizes of what lies in the marker, as
    shares of it: paper, then colour again, and so on."""

    colour: str
    holes: tuple[float, ...] = ()


FULL, RING, DOTTED = (), (0.5,), (0.7, 0.38)
_FILLS = (FULL, RING, DOTTED)

_MARKS = {
    "fp32": Mark(_BLUE),
    "bf16": Mark(_ORANGE),
    "fp16": Mark(_GREEN),
    "e4m3fn": Mark(_RED),
    "e5m2": Mark(_PINK),
    "e2m1fn": Mark(_SKY),
    "tf32": Mark(_BROWN),
    "fp64": Mark(_GREY),
    "int8": Mark(_BLUE, RING),
    "e4m3": Mark(_ORANGE, RING),
    "int4": Mark(_GREEN, RING),
    "e3m2fn": Mark(_RED, RING),
    "e2m3fn": Mark(_PINK, RING),
    "uint8": Mark(_SKY, RING),
    "int16": Mark(_BROWN, RING),
    "int32": Mark(_GREY, RING),
    "mxfp8_e4m3": Mark(_RED, DOTTED),
    "mxfp8_e5m2": Mark(_PINK, DOTTED),
    "mxfp6_e3m2": Mark(_ORANGE, DOTTED),
    "mxfp6_e2m3": Mark(_BROWN, DOTTED),
    "mxfp4": Mark(_SKY, DOTTED),
    "nvfp4": Mark(_GREEN, DOTTED),
    "mxint8": Mark(_BLUE, DOTTED),
    "codes": Mark(_GREY, DOTTED),
    "16 bits": Mark(_GREEN),
    "12 bits": Mark(_ORANGE, RING),
    "9 bits": Mark(_BLUE, RING),
    "8 bits": Mark(_RED),
    "7 bits": Mark(_GREY),
    "6 bits": Mark(_ORANGE),
    "5 bits": Mark(_BROWN),
    "4 bits": Mark(_SKY),
    "3 bits": Mark(_BLUE),
    "2 bits": Mark(_PINK),
    "layercast": Mark(_PINK),
    "exact": Mark(_SKY),
}
"""Of formats, of bits of a code, and of accumulators that are no formats. No two that can meet in a
report share a mark."""


class Shape(NamedTuple):
    """A marker: its name in matplotlib, its outline as an SVG path of about radius 1."""

    matplotlib: str
    path: str


class Line(NamedTuple):
    """A line: its style in matplotlib, its dashes in SVG."""

    matplotlib: str
    dashes: str


DISC = "M-.9 0a.9 .9 0 1 0 1.8 0a.9 .9 0 1 0 -1.8 0Z"

_STAR = "M0 -1.2L.32 -.42L1.16 -.37L.5 .16L.72 .97L0 .52L-.72 .97L-.5 .16L-1.16 -.37L-.32 -.42Z"
_PLUS = "M-.35 -1H.35V-.35H1V.35H.35V1H-.35V.35H-1V-.35H-.35Z"
_CROSS = "M-1 -.5L-.5 -1L0 -.5L.5 -1L1 -.5L.5 0L1 .5L.5 1L0 .5L-.5 1L-1 .5L-.5 0Z"

_SHAPES = (
    Shape("o", DISC),
    Shape("D", "M0 -1.1L1.1 0L0 1.1L-1.1 0Z"),
    Shape("s", "M-.8 -.8H.8V.8H-.8Z"),
    Shape("^", "M0 -1.05L1.05 .8H-1.05Z"),
    Shape("v", "M0 1.05L1.05 -.8H-1.05Z"),
    Shape("*", _STAR),
    Shape("P", _PLUS),
    Shape("X", _CROSS),
    Shape("<", "M-1.05 0L.8 -1.05V1.05Z"),
    Shape(">", "M1.05 0L-.8 -1.05V1.05Z"),
    Shape("p", "M0 -1.05L1 -.32L.62 .85H-.62L-1 -.32Z"),
    Shape("h", "M0 -1.05L.91 -.52V.52L0 1.05L-.91 .52V-.52Z"),
)

_TURNS = (
    # What adds up or makes products, which are compared most often.
    (
        "mul",
        "lmul",
        "pam",
        "fma",
        "anfma",
        "dot",
        "add",
        "mac",
        "kulisch",
        "dotmulti",
        "fpint",
        "bspe",
    ),
    (
        "engine",
        "bstile",
        "dfpmac",
        "bitplane_dot",
        "convert",
        "blockquant",
        "nvfp4quant",
        "hadamard",
        "roundint",
        "class",
        "sgnj",
        "logb",
    ),
    (
        "decode",
        "blockdecode",
        "powdecode",
        "prealign",
        "termgen",
        "bsdequant",
        "anseed",
        "anend",
        "cmp",
        "minmax",
        "multi",
    ),
    (
        "axnorm",
        "axseed",
        "axdot",
        "axmul",
        "axscale",
        "decodemulti",
        "powencode",
    ),
    (
        "pad",
        "pasqrt",
        "palog2",
        "paexp2",
        "paslope",
        "div",
        "sqrt",
        "recip",
        "rsqrt",
        "rem",
        "fmod",
        "divsqrt",
    ),
    (
        "requant",
        "softmax",
        "layernorm",
        "rmsnorm",
        "rope",
        "scalb",
        "cast",
        "codebook",
        "shiftexp",
        "shiftmax",
        "shiftgelu",
        "ilayernorm",
    ),
    (
        "exp2",
        "exp",
        "ln",
        "log2",
        "sigmoid",
        "tanh",
        "silu",
        "softplus",
        "gelu",
        "erf",
    ),
    (
        "lutdot",
        "andaquant",
        "andape",
        "flintdecode",
        "olivedecode",
        "ternary",
        "scaledsum",
    ),
    # Kinds of weight types.
    (
        "integer",
        "float",
        "float with special values",
        "integer with zero point",
        "flint, ANT",
        "power exponent",
        "blocks of floats",
        "blocks of integers",
    ),
)
"""Families whose shapes differ from each other: those of a line."""

_SHAPE_OF = {name: shape for turn in _TURNS for name, shape in zip(turn, _SHAPES, strict=False)}

_LINES = (
    Line("-", "none"),
    Line("--", "8 5"),
    Line(":", "2 4"),
    Line("-.", "8 4 2 4"),
)


def mark(name: str) -> Mark:
    """The mark of a format."""
    number = crc32(name.encode())
    by_name = Mark(_COLOURS[number % len(_COLOURS)], _FILLS[number // len(_COLOURS) % len(_FILLS)])
    return _MARKS.get(name, by_name)


def shape(name: str) -> Shape:
    """The marker of a family of units."""
    return _SHAPE_OF.get(name, _SHAPES[crc32(name.encode()) % len(_SHAPES)])


def marks(formats: Iterable[str]) -> dict[str, Mark]:
    """The mark of each format."""
    return {name: mark(name) for name in formats}


def shapes(families: Iterable[str]) -> dict[str, Shape]:
    """The marker of each family."""
    return {name: shape(name) for name in families}


def front_line(operation: Operation) -> Line:
    """The line of an operation's front, by its rank; they repeat after four."""
    return _LINES[operation.rank % len(_LINES)]
