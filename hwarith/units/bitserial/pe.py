"""The bit-serial processing element: activations times terms of weights, summed up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, overload

from ... import rtl
from ...exceptions import InvalidInput, quoted
from ...formats import Format, format
from ...lazily import np
from ..accumulator import Accumulator
from ..contract import Contract
from ..conventions import MODES, conventions
from ..operations import BIT_SERIAL_DOT_PRODUCT, Operation
from ..parameters import choice_parameter, integer_parameter
from . import definitions
from .base import BitSerial
from .definitions import Frame
from .pe_hardware import PeDatapath
from .weights import MIXED, SOURCE, WEIGHTS, Weights, special_codes, terms

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

ACTIVATION = format("fp16")

LANES = 4
"""Most lanes of a processing element."""


class Group(NamedTuple):
    """Sums of groups: (-1)^sign * magnitude * 2^(exponent - 25 - fx), unsigned arrays of one
    shape. For fp3 and fp4 this counts halves."""

    sign: np.ndarray
    magnitude: np.ndarray
    exponent: np.ndarray


@dataclass(frozen=True, kw_only=True, repr=False)
class BitSerialPe(Accumulator, BitSerial):
    """Sum of activations times weights, a term of each weight in each clock (BitMoD's PE).

    In a clock each lane takes an activation in fp16 and a term of a weight, (-1)^sign * man *
    2^(exp + bsig): ``a`` and ``terms`` hold those of all lanes, the first one at the lsb; bsig is
    the same for all. A weight takes as many clocks as it has terms, highest bsig first: two of
    fp3, fp4, int3 and int4, three of int5 and int6, four of int7 and int8. A product is the
    significand, shifted to the greatest exponent and rounded to `fx` bits below its lsb; a zero
    product has no exponent. The accumulator is a magnitude of 20 + fx bits with sign and `expw`
    bits of exponent, 6 of which hold sums below 2^58; its lsb weighs 2^(exponent - 25 - fx).

    An infinite or NaN activation adds nothing and sets `invalid`, which stays set. Subnormal
    activations are exact. With ``align=local`` the sum of the lanes is formed before it meets the
    accumulator, with registers between (`stages`); with ``joint`` the accumulator's exponent takes
    part in the common one. The error of a group is at most 1e-4 of the sum of |a * w| for fx=3.

    `type` restricts `bsig` to what one type needs; of several types (``mixed``) `group` is told.

    Source: BitMoD, section IV; what the paper leaves open are decisions of this project
    (docs/bitserial.md). The paper's authors have applied for a patent.
    """

    family: ClassVar[str] = "bspe"
    summary: ClassVar[str] = "bit-serial PE: fp16 activations times terms of weights (BitMoD)"
    operation: ClassVar[Operation] = BIT_SERIAL_DOT_PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "a": "activations of all lanes in fp16, lane 0 at the lsb",
        "terms": "terms of all lanes, 4 bits each, lane 0 at the lsb (see termgen)",
        "bsig": "weight of the terms: they count times 2^bsig",
    }

    type: str = choice_parameter("of the weights", (MIXED, *WEIGHTS), MIXED)
    lanes: int = integer_parameter("activations at a time", 1, LANES, LANES)
    align: str = choice_parameter(
        "what products are aligned to: the greatest of them (local), or of the accumulator too "
        "(joint)",
        ("local", "joint"),
        "local",
    )
    lane_round: str = choice_parameter(
        "what alignment shifts out: rounded to nearest even, or dropped",
        ("rne", "trunc"),
        "rne",
        quiet=True,
    )
    left_norm: str = choice_parameter(
        "1: sums are shifted left until they have no leading zeros", ("0", "1"), "1", quiet=True
    )

    @property
    def frame(self) -> Frame:
        return Frame(
            self.lanes,
            self.fx,
            self.aw,
            joint=int(self.align == "joint"),
            truncate=int(self.lane_round == "trunc"),
            left_norm=int(self.left_norm),
            exponent_bits=self.expw,
        )

    @property
    def operands(self) -> dict[str, Format]:
        most = max(w.most_bsig for w in self.types)
        return {
            "a": format(f"uint{ACTIVATION.bits * self.lanes}"),
            "terms": format(f"uint{4 * self.lanes}"),
            "bsig": format(f"uint{most.bit_length()}"),
        }

    @property
    def results(self) -> dict[str, Format]:
        return self.state

    @property
    def memory(self) -> dict[str, Format]:
        return self.state

    @property
    def types(self) -> tuple[Weights, ...]:
        """The types of weights that it takes."""
        return tuple(WEIGHTS.values()) if self.type == MIXED else (WEIGHTS[self.type],)

    @property
    def work(self) -> Fraction:
        """A weight takes a clock for each of its terms; of several types those with most count."""
        return Fraction(self.lanes, max(w.terms for w in self.types))

    @property
    def contract(self) -> Contract:
        bound = "1e-4 of the sum of |a w|" if self.fx == 3 else f"about 2^-{10 + self.fx} of |a w|"
        return Contract("approximate", f"an error of {bound}", SOURCE)

    @property
    def conventions(self) -> dict[str, str]:
        lost = f"rounded {MODES['rne']}" if self.lane_round == "rne" else "dropped"
        return conventions(
            f"what alignment shifts out of a product is {lost}",
            "sets overflow, which stays set to the end of the group",
            "exact",
            "an activation adds nothing and sets invalid, which stays set; so does infinity",
        )

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.step, (self.frame,)

    @property
    def word_bits(self) -> int:
        return self.state_bits

    # -- groups --------------------------------------------------------------------------------

    @overload
    def group(
        self,
        acts: ArrayLike,
        codes: ArrayLike,
        special: ArrayLike = 0,
        type: str | None = None,
        flags: Literal[False] = False,
    ) -> Group: ...

    @overload
    def group(
        self,
        acts: ArrayLike,
        codes: ArrayLike,
        special: ArrayLike = 0,
        type: str | None = None,
        flags: bool = False,
    ) -> Any: ...

    def group(
        self,
        acts: ArrayLike,
        codes: ArrayLike,
        special: ArrayLike = 0,
        type: str | None = None,
        flags: bool = False,
    ) -> Any:
        """Sums over groups of weights.

        Parameters
        ----------
        acts : fp16 codes of shape (..., n).
        codes : codes of the weights, of shape (..., n): two's complement, or codes of fp3 or fp4
            (`hwarith.quantize`).
        special : the value that -0 stands for in each group, in halves: integers (...). Of fp3
            and fp4 only.
        type : of the weights; needed where the unit takes several.
        flags : give `invalid` and `overflow` as well.

        Returns a `Group` of arrays (...), with `flags` all `results`. Raises `InvalidInput` for
        what is not as said here.
        """
        results = self(*self.steps(acts, codes, special, type))
        return results if flags else Group(results.sign, results.magnitude, results.exponent)

    def steps(
        self,
        acts: ArrayLike,
        codes: ArrayLike,
        special: ArrayLike = 0,
        type: str | None = None,
    ) -> list[np.ndarray]:
        """What enters clock by clock for `group`, of which it takes the arguments.

        Returns an array of shape (..., clocks) for each of the `operands`. Raises `InvalidInput`
        for what are no codes of their formats, and for shapes that do not fit together.
        """
        weights = self.weights_of(type)
        a = ACTIVATION.check(acts, f"activations of {self.family}")
        w = weight_codes(weights, codes, f"weights of {self.family}")
        minus_zero = special_codes(special)
        try:
            a, w = np.broadcast_arrays(a, w)
            if a.ndim == 0 or a.shape[-1] == 0:
                raise ValueError
            np.broadcast_shapes(a.shape[:-1], minus_zero.shape)
        except ValueError:
            raise InvalidInput(
                f"groups of {self.family} are activations and weights of shape (..., n) with n at "
                f"least 1, and special values (...), not {np.shape(acts)}, {np.shape(codes)} and "
                f"{minus_zero.shape}"
            ) from None
        return self.coded_steps(weights, a, w, minus_zero)

    def coded_steps(
        self, weights: Weights, a: np.ndarray, w: np.ndarray, special: np.ndarray
    ) -> list[np.ndarray]:
        """What enters clock by clock, as `steps` has it, without checks.

        Parameters
        ----------
        weights : the type of the weights.
        a, w : codes of activations and weights, of shapes that broadcast to (..., n).
        special : codes of the special values (`special_codes`), of a shape that broadcasts
            to (...).
        """
        a, w = np.broadcast_arrays(a, w)
        shape = np.broadcast_shapes(a.shape[:-1], special.shape)
        n = a.shape[-1]
        chunks = (*shape, -(-n // self.lanes), self.lanes)
        a, w = (
            _padded(np.broadcast_to(x, (*shape, n)), self.lanes).reshape(chunks) for x in (a, w)
        )
        bsig = np.arange(weights.terms, dtype=np.uint8)[::-1] * np.uint8(weights.step)
        operands = (pack_activations(a)[..., None], terms(weights, w, special), bsig)
        transfers = (*shape, chunks[-2] * weights.terms)
        return [
            np.broadcast_to(x, (*chunks[:-1], weights.terms)).reshape(transfers).astype(f.dtype)
            for x, f in zip(operands, self.operands.values(), strict=True)
        ]

    def sum_of(
        self, weights: Weights, acts: Sequence[int], codes: Sequence[int], special: int
    ) -> int:
        """The accumulator after a group, on plain integers: weight after weight, a term in each
        clock, the highest one first.

        Parameters
        ----------
        weights : the type of the weights.
        acts, codes : codes of the activations and weights, a multiple of `lanes` of each.
        special : the code of the special value (`special_codes`).
        """
        acc = 0
        for at in range(0, len(acts), self.lanes):
            lanes = range(at, at + self.lanes)
            a = sum(acts[i] << ACTIVATION.bits * (i - at) for i in lanes)
            for k in reversed(range(weights.terms)):
                terms = sum(weights.term(codes[i], special, k) << 4 * (i - at) for i in lanes)
                acc = definitions.step(acc, a, terms, weights.step * k, self.frame)
        return acc

    def weights_of(self, name: str | None) -> Weights:
        """The type of this name, or the only one. Raises `InvalidInput` for another one."""
        allowed = {w.name: w for w in self.types}
        if name is None and len(allowed) > 1:
            raise InvalidInput(f"{self.family}: of type=mixed, name the type: {', '.join(allowed)}")
        chosen = name or self.type
        if chosen not in allowed:
            raise InvalidInput(
                f"{self.spec} takes weights of {', '.join(allowed)}, not {quoted(chosen)}"
            )
        return allowed[chosen]

    def decode(self, group: Group, type: str | None = None) -> np.ndarray:
        """The values of sums, float64 of their shape. Of fp3 and fp4 they are halved.

        `group` is what the method `group` returns, with flags or without. `type` is that of the
        weights, as there. Raises `InvalidInput` for a type that the unit does not take.
        """
        half = self.weights_of(type).floating
        magnitude = np.asarray(group.magnitude).astype(np.float64)
        exponent = np.asarray(group.exponent).astype(np.int64) - 25 - self.fx - half
        return np.where(group.sign, -1.0, 1.0) * np.ldexp(magnitude, exponent)

    # -- hardware ------------------------------------------------------------------------------

    @property
    def _hardware(self) -> PeDatapath:
        return PeDatapath(self.frame, self.operands["bsig"].bits)

    def front_datapath(self) -> list[rtl.Step]:
        return [] if self.frame.joint else self._hardware.products_and_sum()

    def datapath(self) -> list[rtl.Step]:
        hardware = self._hardware
        steps: list[rtl.Step] = [hardware.accumulate_locally]
        if self.frame.joint:
            steps = [*hardware.products_and_sum(), hardware.accumulate_jointly]
        return [*rtl.handing_on(tuple(self.memory), steps), hardware.normalize]

    def output_datapath(self) -> list[rtl.Step]:
        return [rtl.renamed()]


def weight_codes(weights: Weights, codes: ArrayLike, what: str) -> np.ndarray:
    """Codes of weights as unsigned integers, of the same shape; codes of integer types may be
    given as negative numbers. Raises `InvalidInput`, which names `what`, for others."""
    f = format(f"{'u' if weights.floating else ''}int{weights.bits}")
    return f.check(codes, what)


def pack_activations(a: np.ndarray) -> np.ndarray:
    """Codes of activations (..., lanes) side by side, the first one at the lsb, as uint64."""
    words = np.zeros((*a.shape[:-1], LANES), "<u2")
    words[..., : a.shape[-1]] = a
    return words.view("<u8")[..., 0]


def _padded(x: np.ndarray, lanes: int) -> np.ndarray:
    """With zeros at the end of the last axis, to a multiple of `lanes`."""
    missing = -x.shape[-1] % lanes
    return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, missing)]) if missing else x
