"""The decoder of packed words, whose type is chosen by a port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...exceptions import InvalidInput, quoted, unknown
from ...formats import Format, format
from ...formats.lanes import join, vector
from ...golden import apply
from ...lazily import np
from ...rtl import Values, wire
from ...rtl.floats import Specials
from ...rtl.integers import negated_if
from ..blocks.lanes import LaneUnit, each_lane, of_lane, side_by_side
from ..contract import Contract
from ..conventions import EXACT, SUBNORMALS, conventions
from ..operations import DECODING, Operation
from ..parameters import choice_parameter, integer_parameter, text_parameter
from . import definitions
from .tilus import RESERVED, TYPES

MOST_TYPES, MOST_LANES = 8, 32


def _types(value: Any) -> tuple[str, ...]:
    """The types of a text, with plus signs between them. Raises `InvalidInput`."""
    names = tuple(value) if isinstance(value, list | tuple) else tuple(str(value).split("+"))
    for name in names:
        if name not in TYPES:
            raise unknown("type", name, TYPES)
    if not 2 <= len(set(names)) == len(names) <= MOST_TYPES:
        raise InvalidInput(f"must be 2 to {MOST_TYPES} types, each once, not {quoted(value)}")
    return names


@dataclass(frozen=True, kw_only=True, repr=False)
class DecodeMulti(LaneUnit):
    """The values of `n` codes that are packed into a word, of the type that `fmt` chooses.

    `fmt` is the place of the type among `types`, from 0 up; numbers beyond the last one are the
    last one. Codes lie side by side without gaps, the first at the lsb, as Tilus packs them: code i
    of a type of b bits in bits i*b and above, so that eight of them fill b bytes. A word has room
    for `n` codes of the widest type; what is above those of a narrower one is ignored.

    Each result is that of `decode`, of the same type: exact, -0 stays -0, and a bit of `invalid`
    for each code says whether it has no finite value. The types share what normalizes and packs.

    Source: Tilus, arXiv 2504.12984 (types and packing); the port is this project's.
    """

    family: ClassVar[str] = "decodemulti"
    summary: ClassVar[str] = "packed sub-byte codes of a type chosen by a port, as fp16 or bf16"
    operation: ClassVar[Operation] = DECODING
    meanings: ClassVar[dict[str, str]] = {
        "word": "codes side by side, the first at the lsb",
        "fmt": "type, by its place among types",
        "y": "values, that of the first code at the lsb",
        "invalid": "1: the code has no finite value; a bit for each code",
    }

    types: tuple[str, ...] = text_parameter(
        "the types, by their names in Tilus, with + between them",
        _types,
        f"2 to {MOST_TYPES} types with + between them",
        ("e2m1", "e3m2", "int4b", "uint3b"),
        in_name=lambda _, names: "_".join(names),
        in_spec="+".join,
    )
    n: int = integer_parameter("codes of a word", 1, MOST_LANES, 8)
    out: str = choice_parameter("results", ("fp16", "bf16"), "fp16")

    @property
    def formats(self) -> tuple[Format, ...]:
        """The types as formats."""
        return tuple(TYPES[name] for name in self.types)

    @property
    def result(self) -> Format:
        """The format of a result."""
        return format(self.out)

    @property
    def lane_formats(self) -> dict[str, tuple[Format, int]]:
        return {"y": (self.result, self.n), "invalid": (format("uint1"), self.n)}

    @property
    def operands(self) -> dict[str, Format]:
        widest = max(f.bits for f in self.formats)
        fmt = format(f"uint{(len(self.types) - 1).bit_length()}")
        return {"word": format(f"uint{self.n * widest}"), "fmt": fmt}

    @property
    def results(self) -> dict[str, Format]:
        return {name: vector(*lanes) for name, lanes in self.lane_formats.items()}

    @property
    def contract(self) -> Contract:
        return Contract("exact", "exact", "arXiv 2504.12984")

    @property
    def conventions(self) -> dict[str, str]:
        return conventions(
            EXACT,
            "none, every value has a code",
            SUBNORMALS["keep"],
            "sets invalid, as infinity does",
        )

    def pack(self, codes: Any, type: str) -> np.ndarray:
        """Words of codes.

        Parameters
        ----------
        codes : of the type, of shape (..., n).
        type : one of `types`.

        Returns words of the operand's format, of shape (...). Raises `InvalidInput` for another
        type, and for what are no such codes.
        """
        if type not in self.types:
            raise unknown("type", type, self.types)
        f = TYPES[type]
        array = f.check(codes, f"codes of {self.family}")
        if array.shape[-1:] != (self.n,):
            raise InvalidInput(
                f"codes of {self.family} must be of shape (..., {self.n}), not {array.shape}"
            )
        return join(array, f).astype(self.operands["word"].dtype)[()]

    # -- golden --------------------------------------------------------------------------------

    def definition(self) -> tuple[Callable[..., Any], tuple]:
        return self.block_definition()

    def block_definition(self) -> tuple[Callable[..., Any], tuple]:
        formats = tuple(f.numbers for f in self.formats)
        reserved = tuple(int(name == RESERVED) for name in self.types)
        return definitions.unpacked, (self.n, self.result.numbers, formats, reserved)

    @property
    def word_bits(self) -> int:
        return max(self.operands["word"].bits, self.result.bits + 1)

    def compute(self, *codes: np.ndarray) -> list[np.ndarray]:
        word, fmt = codes
        out, last = self.result, len(self.types) - 1
        found = np.zeros((*word.shape, self.n), np.uint32)
        for place, (name, f) in enumerate(zip(self.types, self.formats, strict=True)):
            rows = np.minimum(fmt, last) == place
            kind = int if word.dtype.hasobject else word.dtype.type
            mask = kind((1 << f.bits) - 1)
            lanes = [word[rows] >> kind(i * f.bits) & mask for i in range(self.n)]
            constants = (f.numbers, out.numbers, int(name == RESERVED))
            a = np.stack([lane.astype(f.dtype) for lane in lanes], axis=-1)
            found[rows] = apply(
                definitions.decode, [a], constants, np.dtype(np.uint32), out.bits + 1
            )
        y = (found & np.uint32((1 << out.bits) - 1)).astype(out.dtype)
        return [y, (found >> np.uint32(out.bits)).astype(np.uint8)]

    # -- hardware ------------------------------------------------------------------------------

    @property
    def _width(self) -> int:
        """Bits of the significand of any type, at least two."""
        return max(2, *(f.precision if f.is_float else f.bits for f in self.formats))

    @property
    def _has_subnormals(self) -> bool:
        """Whether subnormals of a type are such of the result's format."""
        return any(f.is_float and f.bias == self.result.bias for f in self.formats)

    def datapath(self) -> list[rtl.Step]:
        lanes = [each_lane(self.n, step) for step in (self._choose, self._normalize, self._pack)]
        return [self._take_apart, *lanes, self._join]

    def _take_apart(self, m: Module, x: Values) -> Values:
        """The codes of each width, and which type they are of."""
        count = len(self.types)
        chosen = rtl.one_hot(m, "is_type", x["fmt"], 1 << len(x["fmt"]))
        types = [*chosen[: count - 1], Cat(*chosen[count - 1 :]).any()]
        found = {
            f"is_{name}": wire(m, f"is_{name}", t)
            for name, t in zip(self.types, types, strict=True)
        }
        for i in range(self.n):
            for bits in {f.bits for f in self.formats}:
                found[of_lane(i, f"bits{bits}")] = x["word"][i * bits : (i + 1) * bits]
        return found

    def _choose(self, m: Module, x: Values) -> Values:
        """Sign, significand and exponent of the code, by the type: the significand's msb has the
        weight that the result's format gives the exponent."""
        values: dict[str, Value] = {}
        for name, f in zip(self.types, self.formats, strict=True):
            parts = self._parts(m, name, f, x[f"bits{f.bits}"])
            for part, value in parts.items():
                gated = value & x[f"is_{name}"].replicate(len(value))
                values[part] = values[part] | gated if part in values else gated
        return {part: wire(m, part, value) for part, value in values.items()}

    def _parts(self, m: Module, name: str, f: Format, code: Value) -> Values:
        """The same of a code of one type."""
        out, width = self.result, self._width
        if not f.is_float:
            sign = code[-1] if f.signed else Const(0, 1)
            magnitude = negated_if(code, sign)[: f.bits] if f.bits > 1 else code
            exponent = Const(out.bias + f.bits - 1, out.exponent_bits)
            aligned = Cat(Const(0, width - f.bits), magnitude)
            return {"sign": sign, "significand": aligned, "exponent": exponent}
        t, e = code[: f.fraction_bits], code[f.fraction_bits : -1]
        normal = wire(m, f"{name}_normal", e.any())
        field = Cat(e[0] | ~normal, e[1:]) if len(e) > 1 else Const(1, 1)
        exponent = wire(m, f"{name}_exponent", field + (out.bias - f.bias), out.exponent_bits)
        found = {
            "sign": code[-1],
            "significand": Cat(Const(0, width - f.precision), t, normal),
            "exponent": exponent,
        }
        if name == RESERVED:
            found["inf"] = e.all()
        elif f.nan == "ieee":
            found |= {"inf": e.all() & ~t.any(), "nan": e.all() & t.any()}
        elif f.nan == "all_ones":
            found["nan"] = code[:-1].all()
        return found

    def _normalize(self, m: Module, x: Values) -> Values:
        """The leading one to the top, or as far as the result's exponents reach, and the exponent
        by as much less."""
        significand, exponent = x["significand"], x["exponent"]
        zeros = rtl.leading_zeros(m, "zeros", significand)
        if self._has_subnormals:
            limit = wire(m, "limit", exponent - 1, len(exponent))
            zeros = rtl.least(m, "shift", zeros, limit)
        top, _ = rtl.shift_left(m, "normalized", significand, zeros, len(significand))
        moved = wire(m, "moved", exponent - zeros, len(exponent))
        return {name: x[name] for name in ("sign", "inf", "nan") if name in x} | {
            "fraction": top[:-1],
            "field": wire(m, "field", moved & top[-1].replicate(len(moved))),
        }

    def _pack(self, m: Module, x: Values) -> Values:
        """Sign and magnitude, or the code of an infinity or NaN."""
        out = self.result
        codes, none = Specials(out), Const(0, 1)
        inf, nan = x.get("inf", none), x.get("nan", none)
        fraction = Cat(Const(0, out.fraction_bits - len(x["fraction"])), x["fraction"])
        magnitude = Mux(inf, Const(codes.infinity, out.bits - 1), Cat(fraction, x["field"]))
        code = Mux(nan, Const(codes.nan, out.bits), Cat(magnitude, x["sign"]))
        return {"y": wire(m, "code", code), "invalid": wire(m, "no_value", inf | nan)}

    def _join(self, m: Module, x: Values) -> Values:
        return {name: side_by_side(x, self.n, name) for name in self.results}
