"""What a block keeps beside its elements and its scale: a few bits that say how they are read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, NamedTuple

from ...exceptions import InvalidInput, quoted, unknown
from ...lazily import np
from ..scalar import Format


class Found(NamedTuple):
    """Codes of blocks: of elements (blocks, n), of scales (blocks,), and of the metadata (blocks,
    spans of a block), all uint8."""

    codes: np.ndarray
    scales: np.ndarray
    metadata: np.ndarray


@dataclass(frozen=True)
class Metadata(ABC):
    """Bits that each span of a block keeps, and what elements stand for with them.

    Its fields are options, which a format's name gives behind a colon (``mxfp4++:nbm=floor``).
    """

    bits: ClassVar[int]
    """Of a code."""
    span: ClassVar[int | None]
    """How many elements share a code; None: all of a block."""
    in_scale: ClassVar[bool] = False
    """Whether a code lies in the scale's byte, above the scale."""
    meaning: ClassVar[str]
    """What a code says, in a few words."""
    choices: ClassVar[dict[str, tuple[object, ...]]] = {}
    """Values of the options that are no numbers of any kind."""

    @property
    def options(self) -> str:
        """The options that are not the usual ones, as in a name."""
        given = [(f.name, getattr(self, f.name)) for f in fields(self)]
        usual = {f.name: f.default for f in fields(self)}
        return ",".join(f"{k}={_text(v)}" for k, v in given if v != usual[k])

    def with_options(self, text: str, of: str) -> Metadata:
        """The same with options as in a name, which is `of`. Raises `InvalidInput`."""
        allowed = [f.name for f in fields(self)]
        found: dict[str, Any] = {}
        for part in text.split(","):
            key, equals, value = (x.strip() for x in part.partition("="))
            if key not in allowed:
                raise unknown(f"option of format {of}", key, allowed)
            if key in found:
                raise InvalidInput(f"format {of}: option {key} is given twice")
            if not equals or not value:
                raise InvalidInput(f"format {of}: option {key} needs a value: {key}=...")
            found[key] = self._value(key, value, of)
        return replace(self, **found)

    def _value(self, key: str, text: str, of: str) -> Any:
        if key in self.choices:
            values = {_text(value): value for value in self.choices[key]}
            if text not in values:
                raise unknown(f"{key} of format {of}", text, values)
            return values[text]
        try:
            return float(text)
        except ValueError:
            raise InvalidInput(
                f"format {of}: option {key} must be a number, not {quoted(text)}"
            ) from None

    def check_block(self, size: int, of: str) -> None:
        """Raise `InvalidInput` for a size of blocks for which there are no such bits."""
        if self.span is not None and size % self.span:
            raise InvalidInput(
                f"group of {of} must be a multiple of {self.span}, whose elements share "
                f"{self.bits} bits, not {size}"
            )

    def spans(self, size: int) -> int:
        """How many codes a block of so many elements has."""
        return size // (self.span or size)

    def tensor_scale(self, largest: np.floating) -> np.float32 | None:
        """The scale of all blocks of numbers up to this magnitude, if there is one: where it is 0,
        all codes are 0, and the scale is 1 in its place."""
        return None

    @abstractmethod
    def levels(self, f: Format, found: Found) -> np.ndarray:
        """What elements of a format stand for, before they are scaled: float64 (blocks, n)."""

    @abstractmethod
    def quantize(self, f: Format, v: np.ndarray) -> Found:
        """The codes of finite numbers (blocks, n), fp32 or fp64, divided by the tensor's scale."""


def _text(value: object) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def floor_log2(x: np.ndarray) -> np.ndarray:
    """Of positive numbers; of 0 some integer."""
    return np.frexp(x)[1] - 1


def first_least(errors: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The least ones of arrays of one shape, and the place (uint8) of the first array that has
    them; faster than numpy's ``argmin`` for few arrays."""
    others = iter(errors)
    least = next(others)
    place = np.zeros(least.shape, np.uint8)
    for k, other in enumerate(others, 1):
        np.maximum(place, (other < least) * np.uint8(k), out=place)
        least = np.minimum(other, least)
    return least, place


def element_values(f: Format) -> np.ndarray:
    """The value of each code of an element, float64."""
    return np.asarray(f.decode(f.codes()), np.float64)
