"""The dot product by lookup: a table of a few activations, read by the bits of many weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from amaranth.hdl import Cat, Module

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...formats.lanes import join, split, vector
from ...golden import reduce
from ...lazily import np
from ...rtl import Values, wire
from .. import evaluation
from ..accumulator import Accumulator
from ..contract import Contract
from ..conventions import conventions, of_integers
from ..exact.add import Add
from ..operations import LOOKUP_DOT_PRODUCT, Operation
from ..parameters import choice_parameter, format_parameter, integer_parameter
from ..results import split as split_memory
from . import definitions
from .hardware import FloatTables, IntegerTables, Tables
from .tables import MOST_ACTIVATIONS, half_table, pattern_words, read

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

SOURCE = "arXiv 2408.06003, arXiv 2503.06862"

MOST_OUTPUTS, MOST_PLANES, WIDEST_ACTIVATION, WIDEST_SUM = 64, 8, 41, 62

SUM = format("fp32")
"""What sums of floats are kept in."""


class Sums(NamedTuple):
    """Dot products (..., n) of all outputs, and the sum of the activations (...)."""

    y: np.ndarray
    total: np.ndarray


@dataclass(frozen=True, kw_only=True, repr=False)
class LutDot(Accumulator):
    """Dot products of activations with weights of q bits, by tables in place of multipliers.

    A table has the signed sums of `k` activations; half of it is made, the others are its
    negatives. `n` outputs share it: each reads an entry for each bit plane of its k weights, and
    adds it, times the weight of the plane, to its sum. So a group takes, for each k activations,
    q / `planes` transfers, each of which brings these activations and `planes` neighbouring planes
    of the weights of all outputs; where they are not all of them, ``weight`` says which the lowest
    one is. The activations stay for these transfers, and the table with them.

    Weights are bipolar, codes u of the odd integers 2u - (2^q - 1); of two's complement codes
    these are the ones with the msb inverted. With ``weights=affine`` the sum of the activations is
    a second result, from which `hwarith.units.bitplane.affine` makes the dot product with weights
    of any scale and zero. With ``weights=int`` the unit does that for the integers of two's
    complement: (y - total) / 2.

    Integer activations (also mantissas of ``prealign``, ``a=int15`` with its p=14) give exact sums.
    Of fp16 each entry is rounded to nearest even at every addition of its tree, upper
    half plus lower half; an entry times a power of two, which is exact, is added to a sum in fp32
    and rounded. `n`, `k` and `length` are no bound on accuracy there.

    Source: LUT Tensor Core (arXiv 2408.06003) and FIGLUT (HPCA 2025, arXiv 2503.06862) for tables,
    their mirrored halves and bit planes of weights; widths, order and both kinds of integers are
    decisions of this project.
    """

    family: ClassVar[str] = "lutdot"
    summary: ClassVar[str] = (
        "dot products by tables of sums of activations, read by bits of weights"
    )
    operation: ClassVar[Operation] = LOOKUP_DOT_PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "a": "activations of a table, the first one at the lsb",
        "w": "planes of weights: of each output those of the transfer, the lowest one first, with "
        "a bit for each activation",
        "weight": "the lowest plane of the transfer: it counts 2^weight",
        "y": "dot products of all outputs, the first one at the lsb",
        "total": "sum of the activations of the group",
    }

    a: Format = format_parameter("activations: intB or fp16", "int8")
    k: int = integer_parameter("activations of a table", 1, MOST_ACTIVATIONS, 4)
    q: int = integer_parameter("bits of a weight", 1, MOST_PLANES, 4)
    planes: int = integer_parameter("planes of weights in a transfer; divides q", 1, MOST_PLANES, 1)
    weights: str = choice_parameter(
        "bipolar; affine: with the sum of the activations; int: two's complement",
        ("bipolar", "affine", "int"),
        "bipolar",
    )
    n: int = integer_parameter("outputs that share a table", 1, MOST_OUTPUTS, 1)
    length: int = integer_parameter("most activations of a group", 1, 1 << 32, 256)

    def validate(self) -> None:
        super().validate()
        a = self.a
        integer = a.kind == "int" and a.signed and not a.exponent
        if not (integer and 2 <= a.bits <= WIDEST_ACTIVATION) and a.name != "fp16":
            raise InvalidInput(
                f"lutdot: parameter a: must be int2 to int{WIDEST_ACTIVATION} or fp16, not {a.name}"
            )
        if self.q % self.planes:
            raise InvalidInput(
                f"lutdot: parameter planes: must divide q={self.q}, not {self.planes}"
            )
        if self.is_float and self.planes > 1:
            raise InvalidInput(
                f"lutdot: parameter planes: must be 1 with a={a.name}, not {self.planes}"
            )
        if self.is_float and self.weights == "int":
            raise InvalidInput(
                f"lutdot: parameter weights: must be bipolar or affine with a={a.name}, not int"
            )
        if not self.is_float and self.sum.bits > WIDEST_SUM:
            raise InvalidInput(
                f"lutdot: length={self.length} of a={a.name} and q={self.q} needs sums of "
                f"{self.sum.bits} bits; they have at most {WIDEST_SUM}"
            )

    @property
    def is_float(self) -> bool:
        return self.a.is_float

    @property
    def has_total(self) -> bool:
        """Whether the activations are summed up, too."""
        return self.weights != "bipolar"

    @property
    def has_weight(self) -> bool:
        """Whether a transfer may bring other planes than all."""
        return self.planes < self.q

    # -- ports ---------------------------------------------------------------------------------

    @property
    def patterns(self) -> int:
        """Entries that are read in a transfer."""
        return self.n * self.planes

    @property
    def operands(self) -> dict[str, Format]:
        ports = {
            "a": vector(self.a, self.k),
            "w": vector(format(f"uint{self.k}"), self.patterns),
        }
        if self.has_weight:
            ports["weight"] = format(f"uint{(self.q - self.planes).bit_length()}")
        return ports

    @property
    def _largest(self) -> int:
        """Magnitude of the sum of a group of the most negative activations."""
        return -(-self.length // self.k) * self.k << (self.a.bits - 1)

    @property
    def y(self) -> Format:
        """The format of one dot product."""
        if self.is_float:
            return SUM
        weight = 1 << (self.q - 1) if self.weights == "int" else (1 << self.q) - 1
        return format(f"int{(self._largest * weight).bit_length() + 1}")

    @property
    def sum(self) -> Format:
        """The format of a sum in the memory."""
        return format(f"int{self.y.bits + 1}") if self.weights == "int" else self.y

    @property
    def results(self) -> dict[str, Format]:
        found = {"y": vector(self.y, self.n) if self.n > 1 else self.y}
        if self.weights == "affine":
            found["total"] = self.y
        return found

    @property
    def memory(self) -> dict[str, Format]:
        names = [f"sum{o}" for o in range(self.n)] + ["total"] * self.has_total
        return dict.fromkeys(names, self.sum)

    @property
    def work(self) -> Fraction:
        return Fraction(self.k * self.patterns, self.q)

    @property
    def contract(self) -> Contract:
        if self.is_float:
            bound = "entries rounded at each addition of their tree, sums in fp32 at each entry"
            return Contract("approximate", bound, SOURCE)
        return Contract("exact integer", f"exact for groups of up to {self.length}", SOURCE)

    @property
    def conventions(self) -> dict[str, str]:
        if self.is_float:
            return conventions(
                "to nearest, ties to even, at each addition",
                "infinity, of entries in their format, of sums in fp32",
                "kept",
                "a NaN among the activations makes all sums NaN",
            )
        return of_integers(f"none for up to {self.length} activations of a group; then it wraps")

    def cycles(self, length: int) -> int:
        """Transfers of a group of so many activations."""
        return -(-length // self.k) * (self.q // self.planes)

    # -- golden --------------------------------------------------------------------------------

    @cached_property
    def narrow(self) -> Add:
        """What adds activations."""
        return Add(a=self.a)

    @cached_property
    def wide(self) -> Add:
        """What adds an entry to a sum."""
        return Add(a=SUM)

    def definition(self) -> tuple[Callable[..., int], tuple]:
        sizes = (self.n, int(self.has_total))
        constants: tuple[Any, ...]
        if self.is_float:
            adders = (self.narrow.definition()[1], self.wide.definition()[1])
            constants = (self.k, *sizes, self.a.numbers, SUM.numbers, *adders)
            if self.has_weight:
                return definitions.look_up_floats, constants
            return definitions.look_up_floats_at_once, constants
        constants = (self.k, self.a.bits, self.planes, *sizes, self.sum.bits)
        if self.has_weight:
            return definitions.look_up_integers, constants
        return definitions.look_up_integers_at_once, constants

    @property
    def word_bits(self) -> int:
        memory = sum(f.bits for f in self.memory.values())
        inputs = max(f.bits for f in self.operands.values())
        widest = self.wide.word_bits if self.is_float else self.sum.bits + self.q
        return max(memory, inputs, widest + 8)

    def accumulate(self, *codes: ArrayLike) -> np.ndarray:
        """The memories after groups, by tables of arrays in place of `definition`."""
        a, w, *weight = self.check_operands(codes)
        shift = weight[0].astype(np.int64) if weight else np.zeros(a.shape, np.int64)
        patterns = split(w, format(f"uint{self.k}"), self.patterns).astype(np.int64)
        if self.has_total:
            ones = np.full((*w.shape, self.planes), (1 << self.k) - 1)
            patterns = np.concatenate([patterns, ones], axis=-1)
        acts = np.moveaxis(split(a, self.a, self.k), -1, 0)
        sums = self._floats if self.is_float else self._integers
        return join(sums(acts, patterns, shift), self.sum)

    def _integers(self, acts: np.ndarray, patterns: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """Sums (..., outputs) modulo 2^64 and then of their own bits."""
        numbers = list(self.a.decode(acts).astype(np.int64))
        table = np.stack(half_table(numbers, np.add, np.subtract), axis=-1)
        entries = read(table, patterns, np.negative)
        entries = entries.reshape(*shift.shape, patterns.shape[-1] // self.planes, self.planes)
        if self.has_total:
            entries[..., -1, :] *= (shift == 0)[..., None]
            entries[..., -1, 1:] = 0
        total = (entries << np.arange(self.planes) << shift[..., None, None]).sum(axis=(-3, -1))
        return total.astype(np.uint64) & np.uint64((1 << self.sum.bits) - 1)

    def _floats(self, acts: np.ndarray, patterns: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """Sums (..., outputs), entry by entry."""
        table = np.stack(half_table(list(acts), self.narrow, Add(a=self.a, op="sub")), axis=-1)
        negative = self.a.dtype.type(1 << (self.a.bits - 1))
        found = read(table, patterns, lambda x: x ^ negative)
        scaled = SUM.encode(np.ldexp(self.a.decode(found), shift[..., None]))
        if self.has_total:
            scaled[..., -1] = np.where(shift == 0, scaled[..., -1], 0)
        add, constants = self.wide.definition()
        terms = np.moveaxis(scaled, -2, -1)
        return reduce(add, [terms], constants, SUM.dtype, evaluation.word_bits(self.wide), 0)

    def outputs(self, memory: np.ndarray) -> list[np.ndarray]:
        sums = [np.asarray(x).astype(np.int64) for x in split_memory(memory, self.memory.values())]
        total = sums.pop() if self.has_total else np.int64(0)
        if self.weights == "int":
            sums = [(x - total & ((1 << self.sum.bits) - 1)) >> 1 for x in sums]
        codes = [x.astype(self.y.dtype) for x in sums]
        found = [join(np.stack(codes, axis=-1), self.y) if self.n > 1 else codes[0]]
        if self.weights == "affine":
            found.append(total.astype(self.y.dtype))
        return found

    def outputs_of_one(self, memory: int) -> list[int]:
        sums = split_memory(memory, self.memory.values())
        total = sums.pop() if self.has_total else 0
        if self.weights == "int":
            sums = [(x - total) % (1 << self.sum.bits) >> 1 for x in sums]
        y = sum(x << (o * self.y.bits) for o, x in enumerate(sums))
        return [y, total] if self.weights == "affine" else [y]

    # -- groups --------------------------------------------------------------------------------

    def group(self, acts: ArrayLike, codes: ArrayLike) -> Any:
        """Dot products of groups of activations with the weights of all outputs.

        Parameters
        ----------
        acts : activations of shape (..., m), m at most `length`: integers or codes.
        codes : weights of shape (..., n, m): codes of q bits, two's complement with
            ``weights=int`` (or the integers).

        Returns codes of the dot products (..., n) in the format `y`; with ``weights=affine``
        `Sums`. Raises `InvalidInput` for what is not as said here.
        """
        affine = self.weights == "affine"
        if self.is_float:
            found = self(*self.steps(acts, codes))
            y, total = found if affine else (found, found)
            y = split(np.asarray(y), self.y, self.n)
        else:
            x, u = self._checked(acts, codes)
            x, bipolar = self.a.decode(x), 2 * u.astype(np.int64) - ((1 << self.q) - 1)
            exact, total = np.einsum("...i,...oi->...o", x, bipolar), x.sum(axis=-1)
            if self.weights == "int":
                exact = (exact - total[..., None]) >> 1
            y = self.y.check(exact)
            total = np.broadcast_to(self.y.check(total), y.shape[:-1])[()]
        return Sums(y, total) if affine else y

    def steps(self, acts: ArrayLike, codes: ArrayLike) -> list[np.ndarray]:
        """What enters transfer by transfer for `group`, of which it takes the arguments.

        Returns an array of shape (..., transfers) for each of the `operands`. Activations that
        are missing from the last table are 0. Raises `InvalidInput`.
        """
        x, u = self._checked(acts, codes)
        front, m = np.broadcast_shapes(x.shape[:-1], u.shape[:-2]), x.shape[-1]
        tables, slices = -(-m // self.k), self.q // self.planes
        x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, tables * self.k - m)])
        a = join(x.reshape(*x.shape[:-1], tables, self.k), self.a)
        words = pattern_words(u, self.k, self.q, self.planes)
        found = [
            np.broadcast_to(a[..., None], (*front, tables, slices)),
            np.broadcast_to(words, (*front, tables, slices)),
        ]
        if self.has_weight:
            weight = np.arange(slices, dtype=np.uint8) * self.planes
            found.append(np.broadcast_to(weight, (*front, tables, slices)))
        return [y.reshape(*front, tables * slices) for y in found]

    def _checked(self, acts: ArrayLike, codes: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Codes of activations (..., m), and of weights (..., n, m) as bipolar ones."""
        x = self.a.check(acts, "activations of lutdot")
        port = format(f"int{self.q}" if self.weights == "int" else f"uint{self.q}")
        u = port.check(codes, "weights of lutdot")
        if self.weights == "int":
            u = u ^ u.dtype.type(1 << (self.q - 1))
        m = x.shape[-1] if x.ndim else 0
        if not 1 <= m <= self.length or u.shape[-2:] != (self.n, m):
            raise InvalidInput(
                f"groups of lutdot are activations (..., m) and weights (..., n={self.n}, m) with "
                f"m from 1 to length={self.length}, not {x.shape} and {u.shape}"
            )
        try:
            np.broadcast_shapes(x.shape[:-1], u.shape[:-2])
        except ValueError:
            raise InvalidInput(
                f"groups of lutdot must fit together, not {x.shape} and {u.shape}"
            ) from None
        return x, u

    # -- hardware ------------------------------------------------------------------------------

    @property
    def _tables(self) -> Tables:
        return FloatTables(self) if self.is_float else IntegerTables(self)

    def front_datapath(self) -> list[rtl.Step]:
        return self._tables.look_up()

    def datapath(self) -> list[rtl.Step]:
        return self._tables.accumulate()

    def output_datapath(self) -> list[rtl.Step]:
        return [self._give]

    def _give(self, m: Module, x: Values) -> Values:
        """The sums side by side; of two's complement weights half of what they are more than the
        sum of the activations."""
        sums = [x[f"sum{o}"] for o in range(self.n)]
        if self.weights == "int":
            sums = [
                rtl.add(m, f"twice{o}", y, ~x["total"], 1)[1 : self.sum.bits]
                for o, y in enumerate(sums)
            ]
        found = {"y": wire(m, "products", Cat(*sums))}
        return found | ({"total": x["total"]} if self.weights == "affine" else {})
