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
    piece : what `Unit.work` counts: what units of different widths do more or fewer of at a time.
    """

    name: str
    arity: int = 0
    exact: Callable[..., Any] | None = None
    formula: str = ""
    factors: int = 0
    role: Role | None = None
    noun: str = ""
    rank: int = 0
    piece: str = "result"

    @property
    def adds(self) -> bool:
        """Whether the exact result is a product of `factors` to which an operand is added."""
        return 0 < self.factors < self.arity

    def __str__(self) -> str:
        return self.name


MULTIPLY_ADDS, ELEMENTS = "multiply-add", "element"

PRODUCT = Operation(
    "product",
    2,
    lambda a, b: a * b,
    "a·b",
    factors=2,
    role=Role.MULTIPLIES,
    noun="multiplier",
    piece="product",
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
    piece=MULTIPLY_ADDS,
)
SUM = Operation("sum", 2, lambda a, b: a + b, "a + b", 1, Role.ADDS, "adder", rank=2, piece="sum")
CONVERSION = Operation("conversion", 1, lambda a: a, "a", 1, noun="converter", rank=11)
CHAINED_MULTIPLY_ADD = Operation(
    "chained multiply-add",
    role=Role.ACCUMULATES,
    noun="chained multiply-add",
    rank=4,
    piece=MULTIPLY_ADDS,
)
CHAINED_DOT_PRODUCT = Operation(
    "chained dot product",
    role=Role.ACCUMULATES,
    noun="chained dot product",
    rank=60,
    piece=MULTIPLY_ADDS,
)
DOT_PRODUCT_WITH_ADDEND = Operation(
    "dot product with addend",
    role=Role.ACCUMULATES,
    noun="dot product",
    rank=3,
    piece=MULTIPLY_ADDS,
)


def _summing(name: str, noun: str, rank: int) -> Operation:
    """What adds up products, but is no step of a sum that a network can run on."""
    return Operation(name, noun=noun, rank=rank, piece=MULTIPLY_ADDS)


DOT_PRODUCT = _summing("dot product", "processing element", 5)
BIPOLAR_DOT_PRODUCT = _summing("dot product of bipolar integers", "bit-plane element", 6)
BIT_SERIAL_DOT_PRODUCT = _summing("bit-serial dot product", "bit-serial element", 7)
INTEGER_DOT_PRODUCT = _summing("integer dot product", "integer element", 8)
DOT_PRODUCT_OF_PAIRS = _summing("dot product of pairs", "pair accumulator", 9)
LOOKUP_DOT_PRODUCT = _summing("dot product by lookup", "lookup element", 70)
MATRIX_PRODUCT = _summing("matrix product", "matrix array", 10)

QUANTIZATION = Operation("quantization of blocks", noun="quantizer", rank=12, piece=ELEMENTS)
DEQUANTIZATION = Operation("dequantization", noun="dequantizer", rank=13)
DECODING = Operation("decoding", noun="decoder", rank=14, piece=ELEMENTS)
ENCODING = Operation("encoding", noun="encoder", rank=61, piece=ELEMENTS)
RECODING = Operation("recoding", noun="recoder", rank=15, piece=ELEMENTS)
ALIGNMENT = Operation("alignment", noun="aligner", rank=16, piece=ELEMENTS)
TRANSFORM = Operation("transform of a block", noun="transform", rank=17, piece=ELEMENTS)
BEGINNING_OF_A_COLUMN = Operation("beginning of a column", noun="column beginning", rank=18)
END_OF_A_COLUMN = Operation("end of a column", noun="column end", rank=19)
COMPARISON = Operation("comparison", noun="comparator", rank=20)
SELECTION = Operation("selection", noun="selector", rank=21)
QUOTIENT = Operation("quotient", noun="divider", rank=22)
SQUARE_ROOT = Operation("square root", noun="square rooter", rank=23)
RECIPROCAL = Operation("reciprocal", noun="reciprocal unit", rank=24)
RECIPROCAL_ROOT = Operation(
    "reciprocal of the square root", noun="reciprocal square rooter", rank=25
)
QUOTIENT_OR_ROOT = Operation("quotient or root", noun="divider and square rooter", rank=36)
REMAINDER = Operation("remainder", noun="remainder unit", rank=34)
TRUNCATED_REMAINDER = Operation("truncated remainder", noun="fmod unit", rank=35)
ROUNDING = Operation("rounding to an integer", noun="rounder to integers", rank=29)
CLASSIFICATION = Operation("classification", noun="classifier", rank=30)
SIGN = Operation("change of the sign", noun="sign unit", rank=31)
EXPONENT = Operation("exponent", noun="exponent unit", rank=32)
SUM_OF_SCALED = Operation("sum of scaled integers", noun="scaled adder", rank=62, piece=ELEMENTS)
SCALING = Operation("scaling by a power of two", noun="scaler", rank=33)
LOGARITHM = Operation("logarithm", noun="logarithm unit", rank=26)
POWER_OF_TWO = Operation("power of two", noun="power unit", rank=27)
POWER_OF_E = Operation("power of e", noun="exponential unit", rank=37)
NATURAL_LOGARITHM = Operation("natural logarithm", noun="natural logarithm unit", rank=38)
LOGISTIC = Operation("logistic function", noun="sigmoid unit", rank=39)
HYPERBOLIC_TANGENT = Operation("hyperbolic tangent", noun="tanh unit", rank=40)
SILU = Operation("SiLU", noun="SiLU unit", rank=41)
SOFTPLUS = Operation("softplus", noun="softplus unit", rank=42)
GELU = Operation("GELU", noun="GELU unit", rank=43)
ERROR_FUNCTION = Operation("error function", noun="error function unit", rank=44)
NORMALIZATION = Operation("normalization of a row", noun="normalizer", rank=45, piece=ELEMENTS)
SOFTMAX = Operation("softmax", noun="softmax unit", rank=46, piece=ELEMENTS)
SLOPE = Operation("slope", noun="slope unit", rank=28)

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
