"""What the result of a unit stands for: a product, a sum, a comparison, ...

An operation is one object, of which everything is asked that depends on it: what an exact unit
would return, whether a network can run on it, what reports call a unit that does it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, runtime_checkable


class Role(Enum):
    """How a unit takes part in a sum of products, acc = a·b + acc."""

    MULTIPLIES = "makes the products"
    ADDS = "adds products to the sum"
    ACCUMULATES = "multiplies and adds by itself"


@dataclass(frozen=True)
class Operation:
    """What a unit computes, whatever its formats and however exactly.

    Attributes
    ----------
    name : what messages and files call it.
    arity : the number of operands that it is a function of; 0 where `exact` is not known.
    exact : the result on rational numbers, by which errors are measured; None: not known.
    formula : the same for readers, such as ``a·b + c``.
    factors : how many operands are multiplied first, where the exact result is their product, to
        which the operand behind them is added if there is one; 0: it is something else.
    role : how a network uses a unit that does this, and a sweep compares it; None: neither can.
    noun : what reports call a unit that does this.
    rank : its place among the operations of a report.
    """

    name: str
    arity: int = 0
    exact: Callable[..., Any] | None = None
    formula: str = ""
    factors: int = 0
    role: Role | None = None
    noun: str = ""
    rank: int = 0

    @property
    def adds(self) -> bool:
        """Whether the exact result is a product of `factors` to which an operand is added."""
        return 0 < self.factors < self.arity

    def __str__(self) -> str:
        return self.name


PRODUCT = Operation(
    "product", 2, lambda a, b: a * b, "a·b", factors=2, role=Role.MULTIPLIES, noun="multiplier"
)
MULTIPLY_ADD = Operation(
    "multiply-add",
    3,
    lambda a, b, c: a * b + c,
    "a·b + c",
    factors=2,
    role=Role.ACCUMULATES,
    noun="multiply-add",
    rank=1,
)
SUM = Operation("sum", 2, lambda a, b: a + b, "a + b", 1, Role.ADDS, "adder", rank=2)
CONVERSION = Operation("conversion", 1, lambda a: a, "a", factors=1)
CHAINED_MULTIPLY_ADD = Operation("chained multiply-add", role=Role.ACCUMULATES)
DOT_PRODUCT_WITH_ADDEND = Operation(
    "dot product with addend", role=Role.ACCUMULATES, noun="dot product", rank=3
)
DOT_PRODUCT = Operation("dot product", noun="processing element", rank=4)

ALIGNMENT = Operation("alignment")
BEGINNING_OF_A_COLUMN = Operation("beginning of a column")
BIT_SERIAL_DOT_PRODUCT = Operation("bit-serial dot product")
COMPARISON = Operation("comparison")
DECODING = Operation("decoding")
DEQUANTIZATION = Operation("dequantization")
DOT_PRODUCT_OF_PAIRS = Operation("dot product of pairs")
END_OF_A_COLUMN = Operation("end of a column")
INTEGER_DOT_PRODUCT = Operation("integer dot product")
LOGARITHM = Operation("logarithm")
MATRIX_PRODUCT = Operation("matrix product")
POWER_OF_TWO = Operation("power of two")
QUANTIZATION = Operation("quantization of blocks")
QUOTIENT = Operation("quotient")
RECODING = Operation("recoding")
SELECTION = Operation("selection")
SLOPE = Operation("slope")
SQUARE_ROOT = Operation("square root")
TRANSFORM = Operation("transform of a block")

MEASURED = (PRODUCT, SUM, MULTIPLY_ADD, CONVERSION)
"""The operations whose exact result is known."""


@runtime_checkable
class Negating(Protocol):
    """A unit that may negate operands before its operation."""

    @property
    def negated(self) -> dict[int, tuple[str, ...]]:
        """The names of the negated operands, for each code of the operand ``op`` (for 0, if there
        is no such operand)."""
        ...


def negated_operands(unit: Any) -> dict[int, tuple[str, ...]]:
    """What `Negating.negated` says of a unit; of one that negates nothing ``{0: ()}``."""
    return unit.negated if isinstance(unit, Negating) else {0: ()}
