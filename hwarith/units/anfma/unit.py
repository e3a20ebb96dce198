"""The processing element: a multiply-add whose sums are normalized exactly or approximately."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal, overload

from amaranth.hdl import Cat, Const, Module, Mux, Value, signed

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format
from ...golden import code_dtype, fold, to_integers
from ...lazily import np
from ...rtl import Values, wire
from ..contract import Contract, Unit
from ..conventions import conventions
from ..operations import CHAINED_MULTIPLY_ADD, Operation
from ..parameters import choice_parameter, format_parameter, integer_parameter, text_parameter
from . import definitions
from .definitions import Frame
from .ends import ColumnEnd, Seed
from .state import NORMS, SOURCE, Chained, State, parse_norm

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, kw_only=True, repr=False)
class AnFma(Chained):
    """Multiply-add a*b + c of a chain whose partial sums c need not be normalized fully.

    The state that goes from one element to the next is (-1)^s * f * 2^(e - (w-1)), with a
    significand f of `w` bits without a hidden one, and flags of special values (its code:
    ``hwarith/units/anfma/definitions.py``). Product and state are aligned to the greater exponent;
    the other one loses what falls out below, and nothing is rounded before the column's end. A sum
    with a carry is shifted right by one place. Otherwise ``norm=an-K-L`` looks at its top K bits
    and the L bits behind: it shifts by 0 if the former are not all zero, by K if the latter are
    not, else by K+L. ``norm=exact`` counts the leading zeros. Both exist to be compared: what lies
    around the normalizer is the same.

    Subnormal factors are zeros, a zero sum is +0, a NaN or infinity sets its flag and adds
    nothing. ``guard`` bits are there while a sum is formed and normalized, and are then dropped;
    ``prodnorm=1`` shifts products without a leading one first.

    The element is one register deep or combinational as any unit; `column` runs a whole column,
    `hwarith.matmul` a matrix product, from seeds in the format `seed` to results in `out`.

    Source: Alexandridis et al., arXiv 2408.11997. Its abstract gives the idea and the figures; the
    details are decisions of this project (docs/anfma.md).
    """

    family: ClassVar[str] = "anfma"
    summary: ClassVar[str] = "multiply-add of a chain, with approximate normalization"
    operation: ClassVar[Operation] = CHAINED_MULTIPLY_ADD
    meanings: ClassVar[dict[str, str]] = {
        "a": "first factor",
        "b": "second factor",
        "y": "state a*b + c, coded as c is",
    }

    norm: str = text_parameter(
        "how sums are normalized",
        parse_norm,
        NORMS,
        "an-1-2",
        in_name=lambda _, value: value.replace("-", "_"),
    )
    guard: int = integer_parameter("bits below the significand in an addition", 0, 16, 0, True)
    prodnorm: str = choice_parameter("1: normalize products first", ("0", "1"), "0", True)
    out: Format = format_parameter("result at the end of a column", "fp32")
    seed: Format = format_parameter("what a column may begin with", "fp32", quiet=True)

    def validate(self) -> None:
        super().validate()
        if self.groups and sum(self.groups) >= self.w:
            raise InvalidInput(
                f"anfma: parameter norm: K + L must be below w={self.w}, not {sum(self.groups)}"
            )
        _ = self.chain_start, self.chain_end

    @property
    def groups(self) -> tuple[int, int] | None:
        """K and L, or None with exact normalization."""
        if self.norm == "exact":
            return None
        _, k, lam = self.norm.split("-")
        return int(k), int(lam)

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a, "b": self.b, "c": self.state}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.state}

    @property
    def contract(self) -> Contract:
        return Contract(
            "approximate",
            f"below 2^{1 - self.w - self.guard} of the greater term's binade is lost at each step, "
            "and rounding at the end of the column",
            SOURCE,
        )

    @property
    def frame(self) -> Frame:
        k, lam = self.groups or (0, 0)
        return Frame(self.w, self.exponent_bits, self.guard, int(self.prodnorm), k, lam)

    @property
    def conventions(self) -> dict[str, str]:
        return conventions(
            f"none, bits below the {self.w} of a state are dropped",
            "none, a state's exponent has room",
            "factors count as zeros; a zero sum is +0",
            "sets the flag of the state and adds nothing; so does infinity",
        )

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.multiply_add, (self.a.numbers, self.b.numbers, self.frame)

    @property
    def word_bits(self) -> int:
        return max(self.state.bits, self.w + self.guard + 2)

    # -- columns -------------------------------------------------------------------------------

    @cached_property
    def chain_start(self) -> Unit:
        """What makes the state that a column begins with, of a code in the format `seed`."""
        return Seed(a=self.a, b=self.b, w=self.w, seed=self.seed)

    @cached_property
    def chain_end(self) -> Unit:
        """What makes a code in the format `out`, of a column's last state."""
        return ColumnEnd(a=self.a, b=self.b, w=self.w, out=self.out)

    @overload
    def column(self, a: ArrayLike, b: ArrayLike, state: Literal[False] = False) -> np.ndarray: ...

    @overload
    def column(self, a: ArrayLike, b: ArrayLike, state: Literal[True]) -> State: ...

    def column(self, a: ArrayLike, b: ArrayLike, state: bool = False) -> np.ndarray | State:
        """Sums of products down columns of elements, from zero on.

        Parameters
        ----------
        a, b : codes of shape (..., n), which broadcast together; n elements follow each other.
        state : give the `State` of arrays (...) after the last element, not results.

        Returns codes of the format `out`, of shape (...). Raises `InvalidInput` for what are no
        codes of their formats and for shapes that do not fit together.
        """
        arrays = [
            f.check(x, f"operand {name} of a column of {self.family}")
            for (name, f), x in zip(self.operands.items(), (a, b), strict=False)
        ]
        try:
            left, right = np.broadcast_arrays(*arrays)
        except ValueError:
            raise InvalidInput(
                f"a and b of a column must broadcast to one shape, not {arrays[0].shape} and "
                f"{arrays[1].shape}"
            ) from None
        if left.ndim == 0 or left.shape[-1] == 0:
            raise InvalidInput(
                f"a and b of a column are arrays of shape (..., n) with n at least 1, "
                f"not {left.shape}"
            )
        _, constants = self.definition()
        dtype = code_dtype(self.state.bits)
        words = fold(definitions.step, [left, right], constants, dtype, self.word_bits)
        states = to_integers(words)
        return self.unpack_state(states) if state else self.chain_end(states)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._unpack, self._multiply, self._align, self._add, self._normalize]

    def _unpack(self, m: Module, x: Values) -> Values:
        """The fields of a, b and c; the product's exponent in the state's excess."""
        a = rtl.Operand(self.a, daz=True).unpack(m, "a", x["a"])
        b = rtl.Operand(self.b, daz=True).unpack(m, "b", x["b"])
        w, bits = self.w, self.exponent_bits
        c = x["c"]
        f, sign, flags = c[:w], c[w + bits], c[w + bits + 1 :]
        c_nonzero = wire(m, "c_nonzero", f.any())
        c_exponent = c[w : w + bits] & c_nonzero.replicate(bits)
        special = wire(m, "special", a.nan | a.inf | b.nan | b.inf)
        finite = wire(m, "product_counts", ~(special | a.zero | b.zero))
        p_sign = wire(m, "product_sign", a.sign ^ b.sign)
        infinite = (a.inf | b.inf) & ~(a.nan | b.nan)
        nan = a.nan | b.nan | (a.inf & b.zero) | (a.zero & b.inf)
        excess = 1 + (1 << (bits - 1)) - self.a.bias - self.b.bias
        p_exponent = (a.exponent + b.exponent + excess)[:bits] & finite.replicate(bits)
        new_flags = Cat(nan, infinite & ~nan & ~p_sign, infinite & ~nan & p_sign)
        return {
            "a": wire(m, "a_kept", a.significand & finite.replicate(len(a.significand))),
            "b": b.significand,
            "subtract": wire(m, "subtract", p_sign ^ sign),
            "p_sign": p_sign,
            "c_sign": sign,
            "f": f,
            "p_counts": finite,
            "c_nonzero": c_nonzero,
            "p_exponent": wire(m, "p_exponent", p_exponent),
            "c_exponent": wire(m, "c_exponent", c_exponent),
            "flags": wire(m, "flags", flags | new_flags),
        }

    def _multiply(self, m: Module, x: Values) -> Values:
        """The product, and beside it the difference of the exponents."""
        product = rtl.product(m, "product", x["a"], x["b"])
        exponent = x["p_exponent"]
        if self.prodnorm == "1":
            leads = product[-1]
            product = wire(m, "normalized_product", Mux(leads, product, Cat(0, product[:-1])))
            lower = exponent - (x["p_counts"] & ~leads)
            exponent = wire(m, "normalized_p_exponent", lower, self.exponent_bits)
        distance = wire(m, "distance", exponent - x["c_exponent"], signed(self.exponent_bits + 1))
        signs = ("subtract", "p_sign", "c_sign", "p_counts", "c_nonzero")
        return {name: x[name] for name in (*signs, "c_exponent", "f", "flags")} | {
            "distance": distance,
            "product": product,
            "p_exponent": exponent,
        }

    def _align(self, m: Module, x: Values) -> Values:
        """The term of the greater exponent as it is, the other one shifted right.

        A distance of -1 - n is n inverted: the product is then shifted by n and one place more.
        """
        width = self.w + self.guard
        distance = x["distance"]
        c_greater = wire(m, "c_greater", distance[-1])
        amount = wire(m, "amount", distance[:-1] ^ c_greater.replicate(len(distance) - 1))
        product = Cat(Const(0, width - self.product_bits), x["product"])
        c = Cat(Const(0, self.guard), x["f"])
        lower = wire(m, "lower", Mux(c_greater, product[1:], c), width)
        levels = (width - 1).bit_length()
        far = wire(m, "far", amount[levels:].any())
        aligned = rtl.move_right(m, "lower", lower, amount[:levels])
        return {name: x[name] for name in ("subtract", "flags")} | {
            "upper": wire(m, "upper", Mux(c_greater, c, product), width),
            "lower": wire(m, "aligned", aligned & ~far.replicate(width)),
            "sign": wire(m, "upper_sign", Mux(c_greater, x["c_sign"], x["p_sign"])),
            "both_zero": wire(m, "both_zero", ~(x["p_counts"] | x["c_nonzero"])),
            "exponent": wire(m, "exponent", Mux(c_greater, x["c_exponent"], x["p_exponent"])),
        }

    def _add(self, m: Module, x: Values) -> Values:
        """The magnitude of the sum or difference, which of both was the greater one, and whether
        nothing is left."""
        magnitude, negative, equal = rtl.add_magnitudes(
            m, "sum", x["upper"], x["lower"], x["subtract"]
        )
        return {
            "magnitude": magnitude,
            "exponent": x["exponent"],
            "flags": x["flags"],
            "zero": wire(m, "zero", Mux(x["subtract"], equal, x["both_zero"])),
            "sign": wire(m, "sign", x["sign"] ^ negative),
        }

    def _normalize(self, m: Module, x: Values) -> Values:
        """The significand shifted as far left as the normalization looks, and the new state."""
        normalize = self._count_zeros if self.groups is None else self._look_at_groups
        f, exponent = normalize(m, x["magnitude"], x["exponent"])
        f = f[self.guard :]
        zero = x["zero"] | ~f.any() if self.guard else x["zero"]
        nonzero = wire(m, "nonzero", ~zero)
        exponent = exponent & nonzero.replicate(self.exponent_bits)
        return {"y": wire(m, "state", Cat(f, exponent, x["sign"] & nonzero, x["flags"]))}

    def _count_zeros(self, m: Module, magnitude: Value, exponent: Value) -> tuple[Value, Value]:
        """The carry is a bit like the others here: the exponent is that of its place."""
        zeros = rtl.leading_zeros(m, "zeros", magnitude)
        kept, _ = rtl.shift_left(m, "normalized", magnitude, zeros, keep=len(magnitude) - 1)
        shifted = wire(m, "normalized_exponent", exponent + 1 - zeros, self.exponent_bits)
        return kept, shifted

    def _look_at_groups(self, m: Module, magnitude: Value, exponent: Value) -> tuple[Value, Value]:
        """One of four shifts. All four exponents are there before it is known which."""
        assert self.groups is not None
        k, lam = self.groups
        carry, sum_bits = magnitude[-1], magnitude[:-1]
        first = wire(m, "first_group", sum_bits[-k:].any())
        second = wire(m, "second_group", sum_bits[-k - lam : -k].any())
        chosen = {
            -1: carry,
            0: ~carry & first,
            k: ~carry & ~first & second,
            k + lam: ~carry & ~first & ~second,
        }
        f: Value = Const(0, len(sum_bits))
        e: Value = Const(0, self.exponent_bits)
        for shift, choice in chosen.items():
            name = f"by_{shift}" if shift >= 0 else "by_carry"
            choice = wire(m, name, choice)
            moved = magnitude[1:] if shift < 0 else sum_bits
            if shift > 0:
                moved = Cat(Const(0, shift), sum_bits[:-shift])
            f = f | (moved & choice.replicate(len(f)))
            at = wire(m, f"exponent_{name}", exponent - shift, self.exponent_bits)
            e = e | (at & choice.replicate(len(e)))
        return wire(m, "normalized", f), wire(m, "normalized_exponent", e)
