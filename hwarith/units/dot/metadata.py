"""Blocks that keep more than a scale, as operands of dot products: what there is, and limits."""

from __future__ import annotations

from typing import Any

from ...exceptions import InvalidInput
from ...formats import BLOCKS, BlockFormat
from ..blocks.readers import LargestReader, Reader, reader
from ..parameters import choice_parameter

META = {
    "mx+": ("mxfp4+", "mxfp4+"),
    "mx++": ("mxfp4++", "mxfp4++"),
    "m2xfp": ("m2xfp_a", "m2xfp_w"),
    "razer": ("razer_a", "razer_w"),
}
"""The values of `meta`, and the formats of the blocks of a and b: of activations and weights."""


def meta_parameter() -> Any:
    """A field that says what blocks keep beside a scale."""
    help = "what blocks keep beside a scale: metadata of MX+, MX++, M2XFP, RaZeR"
    return choice_parameter(help, ("none", *META), "none", quiet=True, in_name=_in_name)


def bm_parameter() -> Any:
    """A field that says where MX+ multiplies its largest elements."""
    help = "MX+: the largest elements in each lane, or in a unit of their own"
    return choice_parameter(help, ("lane", "unit"), "lane", quiet=True, in_name=_in_name)


def _in_name(name: str, value: str) -> str:
    return f"bm_{value}" if name == "bm" else value.replace("+", "p")


def kinds(meta: str) -> tuple[BlockFormat, BlockFormat]:
    """The formats of the blocks of both sides."""
    left, right = META[meta]
    return BLOCKS[left], BLOCKS[right]


def readers(meta: str, n: int) -> tuple[Reader, Reader]:
    """What reads them, of n elements."""
    left, right = kinds(meta)
    return reader(left, n), reader(right, n)


def fill(unit: Any) -> None:
    """Give the parameters of a dot product that follow from `meta`, where they were not given."""
    if unit.meta == "none":
        return
    left, right = kinds(unit.meta)
    n = left.block if unit.n is None else unit.n
    usual = {"a": left.element, "b": right.element, "scale": left.scale, "n": n, "block": n}
    for name, value in usual.items():
        if getattr(unit, name) is None:
            object.__setattr__(unit, name, value)


def check(unit: Any) -> None:
    """Raise `InvalidInput` for what does not go with `meta`."""
    if unit.bm != "lane" and unit.meta not in ("mx+", "mx++"):
        raise InvalidInput("dot: parameter bm: unit is for meta=mx+ and mx++")
    if unit.meta == "none":
        return
    left, right = kinds(unit.meta)
    for name, f in (("a", left.element), ("b", right.element), ("scale", left.scale)):
        if getattr(unit, name) != f:
            raise InvalidInput(f"dot: parameter {name}: with meta={unit.meta} it is {f.name}")
    if unit.block != unit.n or unit.acc.way != "exact" or unit.flags != "none":
        raise InvalidInput(
            f"dot: meta={unit.meta} is for a single block, block=n, with acc=exact and flags=none"
        )
    for kind in (left, right):
        assert kind.metadata is not None
        try:
            kind.metadata.check_block(unit.n, kind.name)
        except InvalidInput as error:
            raise InvalidInput(f"dot: parameter n: {error}") from None


def most(of: tuple[Reader, Reader]) -> int:
    """The greatest magnitude of the sum of the products of two blocks, in units of their lsb: of
    MX+ a single element of a block is larger than the others."""
    a, b = of
    if isinstance(a, LargestReader) and isinstance(b, LargestReader):
        return (a.n - 1) * a.others * b.others + a.most * b.most
    return a.n * a.most * b.most
