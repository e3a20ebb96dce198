"""The sum of products of a column: multiply-adds that share an adder without a normalizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from ... import rtl
from ...formats import Format
from ...formats.lanes import vector
from ...golden.rows import over_rows
from ...lazily import np
from ..blocks.lanes import LaneUnit
from ..contract import Contract, Unit
from ..conventions import conventions
from ..operations import CHAINED_DOT_PRODUCT, Operation
from ..parameters import integer_parameter
from . import definitions, hardware
from .base import SOURCE, Multiplying, OfColumn
from .definitions import Frame
from .ends import AxNorm, AxSeed

MOST = 16
"""Most products that are added at once."""


@dataclass(frozen=True, kw_only=True, repr=False)
class AxDot(Multiplying, OfColumn, LaneUnit):
    """Sum of `n` products of `axmul` and a column's state, which is not normalized.

    The state that goes down a column is a sum in two's complement with `head` integer bits and two
    fraction bits more than the products have, in units of the greatest exponent that was met. In a
    step products and state are aligned to the greatest of their exponents, rounded down, and added.
    `axnorm` makes a code of the last state, `axseed` the first state of a code; between them
    `engine` and `hwarith.matmul` take the unit as an element that holds n weights.

    A column of `depth` terms (what it begins with is one) does not overflow: `head` is
    1 + log2(depth) if it is not given; with fewer the sum wraps around. Products that are zero are
    no terms; NaN and infinities set a flag of the state and add nothing.

    With ``profile=ae`` products are those of the authors' code, as are the sums: every product is a
    term with a hidden one, also zero, and of `head` there are exponent_bits - 1, 4 for fp16: of 16
    ones the sum is -0.

    Source: AxCore (MICRO 2025), and its artifact (github.com/CLab-HKUST-GZ/micro58-axcore-ae), to
    whose Verilog of adder and normalizer ``profile=ae`` is equal; `head` by depth, flags and
    excluded zeros are this project's.
    """

    family: ClassVar[str] = "axdot"
    summary: ClassVar[str] = "AxCore: products by one addition, and a sum that is not normalized"
    operation: ClassVar[Operation] = CHAINED_DOT_PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "a": "activations, lane 0 at the lsb",
        "w": "weights, lane 0 at the lsb",
        "c": "state of the column: sum at the lsb, exponent, sign, flags (docs/axcore.md)",
        "y": "state with the products added, coded as c is",
    }

    n: int = integer_parameter("products that share an adder", 1, MOST, 4)

    def validate(self) -> None:
        Multiplying.validate(self)
        OfColumn.validate(self)

    @property
    def lane_formats(self) -> dict[str, tuple[Format, int]]:
        return {"a": (self.a, self.n), "w": (self.w, self.n)}

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": vector(self.a, self.n), "w": vector(self.w, self.n), "c": self.state}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.state}

    @property
    def contract(self) -> Contract:
        bits = self.fields.frac
        bound = f"those of axmul, and below 2^-{bits} of the greatest exponent for each term"
        return Contract("approximate", bound, SOURCE)

    @property
    def conventions(self) -> dict[str, str]:
        if self.artifact:
            return conventions("down", "sums wrap around", "are numbers", "is a number")
        return conventions(
            f"down, to {self.fields.frac} bits behind that of the greatest exponent",
            f"products become the largest value; sums of more than {1 << (self.head - 1)} terms "
            "may wrap around",
            "activations count as zeros; products below the smallest normal value are zeros",
            "sets the flag of the state and adds nothing; so does infinity",
        )

    # -- golden --------------------------------------------------------------------------------

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return self.block_definition()

    def block_definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.column_step, (self._steps, *self._constants)

    @property
    def _steps(self) -> Frame:
        return self.frame._replace(n=self.n)

    @property
    def _constants(self) -> tuple[Any, ...]:
        return self.a.numbers, self.w.numbers, self.rules

    @property
    def word_bits(self) -> int:
        return max(self.state.bits, self.fields.head + self.fields.frac, self.a.bits) + 4

    def arguments(self, codes: list) -> list:
        """Those of a definition of rows: there are no scales."""
        a, w, c = codes
        none: Any = np.zeros((len(a), 0), np.uint8) if hasattr(a, "dtype") else []
        return [a, w, none, none, c]

    def compute(self, *codes: np.ndarray) -> list[np.ndarray]:
        shape = codes[2].shape
        rows = [x.reshape(-1, x.shape[-1]) if x.ndim > len(shape) else x.ravel() for x in codes]
        a, w, sa, sw, c = self.arguments(rows)
        found = over_rows(
            definitions.column_step,
            [a, w, sa, sw],
            c,
            self._steps,
            self._constants,
            self.state.dtype,
            self.word_bits,
        )
        return [found.reshape(shape)]

    # -- columns -------------------------------------------------------------------------------

    @cached_property
    def chain_start(self) -> Unit:
        """What makes the state that a column begins with, of a code."""
        return AxSeed(a=self.a, depth=self.depth, head=self.head, profile=self.profile)

    @cached_property
    def chain_end(self) -> Unit:
        """What makes a code, of a column's last state."""
        return AxNorm(a=self.a, depth=self.depth, head=self.head, profile=self.profile)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return hardware.column(self)
