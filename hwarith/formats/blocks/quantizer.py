"""Numbers into a format of blocks: scales of blocks by a rule, elements rounded once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ...exceptions import InvalidInput, name_of, quoted, shown, unknown
from ...golden import apply
from ...lazily import np
from .. import rounding as r
from ..codec import array_of, convert, encode_one
from ..descriptor import Descriptor
from ..names import NAMED, bit_patterns, is_ml_dtype, of_dtype
from . import definitions as d
from .axes import checked_axis, is_integer
from .format import BlockFormat, format
from .hadamard import Hadamard
from .values import Blocks
from .with_metadata import quantize_with_metadata

QUARTET = ("quartet", "quest")
"""Rules of Quartet's backward and forward pass."""

MX_RULES = (*(rule.name.lower() for rule in d.ScaleRule), *QUARTET)
"""Rules for scales that are powers of two; the first one is the default."""

NV_RULES = ("te", "hw")
"""Rules for scales in ue4m3: in the order of TransformerEngine, and without division."""

QUEST = 2.92247856
"""To how many standard deviations of a normal distribution the largest element is brought."""

FP16, FP32, UE4M3 = NAMED["fp16"], NAMED["fp32"], NAMED["ue4m3"]


@dataclass(frozen=True, eq=False)
class _Elements:
    """What is quantized: rows of blocks of `size`, how many rows share a scale, how to round: in a
    mode, or by a variant of stochastic rounding (else -1) with random bits."""

    kind: BlockFormat
    x: np.ndarray
    size: int
    rows: int
    mode: int
    variant: int
    random: np.ndarray
    random_bits: int

    @property
    def codes(self) -> np.dtype:
        """The type of codes of elements."""
        return self.kind.element.dtype

    def of_blocks(self, of_elements: np.ndarray, reduce: Any) -> np.ndarray:
        """What `reduce` makes of the elements of each block, repeated for rows that share it."""
        *outer, m, n = (1, *of_elements.shape)
        found = reduce(of_elements.reshape(*outer, m, n // self.size, self.size), axis=-1)
        if self.rows > 1:
            tiles = found.reshape(*outer, m // self.rows, self.rows, n // self.size)
            found = np.repeat(reduce(tiles, axis=-2), self.rows, axis=-2)
        return found.reshape(*of_elements.shape[:-1], n // self.size)

    def each(self, of_blocks: np.ndarray) -> np.ndarray:
        """What each block has, for each of its elements."""
        return np.repeat(of_blocks, self.size, axis=-1)

    def largest(self, magnitudes: np.ndarray) -> np.ndarray:
        return self.of_blocks(magnitudes, np.max)


def quantize_blocks(
    x: Any,
    type: Any,
    group: Any = None,
    *,
    axis: int = -1,
    scale_rule: str | None = None,
    round: str | None = None,
    random: Any = None,
    random_bits: int | None = None,
    hadamard: Hadamard | int | None = None,
) -> Blocks:
    """Quantize to a format of blocks; `hwarith.quantize` says what the options are."""
    kind = format(type)
    assert isinstance(kind, BlockFormat)
    array = _numbers(x)
    axis = checked_axis(axis, array.ndim)
    size, rows = _sizes(kind, group, array.shape, axis)
    transform = Hadamard(hadamard) if isinstance(hadamard, int) else hadamard
    if transform is not None:
        if not isinstance(transform, Hadamard):
            raise InvalidInput(f"hadamard must be 16, 32 or a Hadamard, not {quoted(hadamard)}")
        array = transform(array, axis)
    if kind.metadata is not None:
        given = {
            "scale_rule": scale_rule is not None,
            "rounding other than rne": round is not None and name_of(round) != "rne",
            "random bits": random is not None or random_bits is not None,
            "blocks of two dimensions": rows > 1,
        }
        for option in (name for name, is_given in given.items() if is_given):
            raise InvalidInput(f"{kind} has no {option}; it has group, axis, hadamard")
        return replace(quantize_with_metadata(kind, array, size, axis), hadamard=transform)
    mode, variant, n, draws = _rounding(kind, round, random, random_bits, array.shape)
    rows_of = np.ascontiguousarray(np.moveaxis(array, axis, -1))
    draws = np.ascontiguousarray(np.moveaxis(draws, axis, -1))
    elements = _Elements(kind, rows_of, size, rows, mode, variant, draws, n)
    made = _ways(kind)
    rule = next(iter(made)) if scale_rule is None else name_of(scale_rule)
    if rule not in made:
        raise unknown(f"scale rule of {kind}", scale_rule, made)
    if rule in QUARTET and kind.name != "mxfp4":
        raise InvalidInput(f"scale rule {rule} is one of mxfp4, not of {kind}")
    codes, scales, tensor, inside = made[rule](elements, rule)
    return Blocks(
        format=kind,
        axis=axis,
        group=size,
        codes=np.moveaxis(codes, -1, axis),
        scale_codes=np.moveaxis(scales, -1, axis),
        tensor_scale=tensor,
        rows=rows,
        factor=4 / 3 if rule == "quartet" else 1.0,
        inside=None if inside is None else np.moveaxis(inside, -1, axis),
        hadamard=transform,
    )


def _ways(kind: BlockFormat) -> dict[str, Callable[[_Elements, str], Made]]:
    """What quantizes, by the rules of the format's scales; the first one is the default."""
    if kind.scale.name == "ue5m0":
        return {"greatest": _anda}
    if kind.tensor_scale:
        return {"te": _nv_te, "hw": _nv_hw}
    return dict.fromkeys(MX_RULES, _mx)


Made: TypeAlias = "tuple[np.ndarray, np.ndarray, np.float32 | None, np.ndarray | None]"
"""Codes of elements and scales, the tensor's scale, and the mask of Quartet's forward pass."""


# -- MX ------------------------------------------------------------------------------------------


def _mx(e: _Elements, rule: str) -> Made:
    f, bits = of_dtype(e.x.dtype), bit_patterns(e.x)
    inside = None
    if rule == "quest":
        scales, inside = _quest(e)
    else:
        largest = e.largest(bits & bits.dtype.type(f.numbers.mag_mask))
        number = d.FLOOR if rule == "quartet" else int(d.ScaleRule[rule.upper()])
        scales = mx_scales(largest, f, e.kind, number)
    codes = _mx_codes(e, f, bits, scales, 3 if rule == "quartet" else 4)
    return codes, scales, None, inside


def _mx_codes(
    e: _Elements, f: Descriptor, bits: np.ndarray, scales: np.ndarray, quarters: int = 4
) -> np.ndarray:
    """Codes of elements, from codes of numbers and of scales, which are powers of two."""
    constants = f.numbers, e.kind.quantized, quarters
    operands = [bits, e.each(scales)]
    word_bits = f.precision + 8
    if e.variant < 0:
        return apply(d.mx_element, operands, (*constants, e.mode), e.codes, word_bits)
    draws = (*constants, e.variant, e.random_bits)
    word_bits += e.random_bits
    return apply(d.mx_element_stochastic, [*operands, e.random], draws, e.codes, word_bits)


def mx_scales(largest: np.ndarray, f: Descriptor, kind: BlockFormat, rule: int) -> np.ndarray:
    """Codes of the scales of blocks whose largest magnitudes have these codes of a format."""
    word_bits = f.precision + (26 if rule == d.RCEIL else 8)
    return apply(d.mx_scale, [largest], mx_constants(f, kind, rule), kind.scale.dtype, word_bits)


def mx_constants(f: Descriptor, kind: BlockFormat, rule: int) -> tuple:
    """What `definitions.mx_scale` takes behind the largest magnitude."""
    precision = kind.element.precision - kind.is_integer
    inverse = encode_one(FP32, 1 / kind.largest, "rne", "nosat")
    return f.numbers, kind.quantized, precision, rule, inverse, FP32.numbers


def _quest(e: _Elements) -> tuple[np.ndarray, np.ndarray]:
    """Of blocks of normal numbers the scale with the least error, but for the power of two that is
    nearest to it (on a logarithmic scale); and what is within its range."""
    x = e.x.astype(np.float64)
    most = float(e.kind.largest)
    with np.errstate(all="ignore"):
        sigma = np.sqrt(e.of_blocks(x * x, np.mean))
        exponent = np.rint(np.log2(QUEST / most * sigma))
        finite = np.isfinite(e.of_blocks(np.abs(x), np.max))
        exponent = np.clip(np.where(finite & (sigma > 0), exponent, -d.BIAS), -d.BIAS, d.BIAS)
        scales = np.where(finite, exponent + d.BIAS, d.NAN_SCALE).astype(e.kind.scale.dtype)
        inside = np.abs(x) < e.each(np.ldexp(most, exponent.astype(int)))
    return scales, inside


# -- Anda ----------------------------------------------------------------------------------------


def _anda(e: _Elements, rule: str) -> Made:
    """Of numbers rounded to fp16: their greatest exponent, that of subnormal ones and of zeros 1;
    mantissas aligned to it."""
    bits = convert(bit_patterns(e.x), of_dtype(e.x.dtype), FP16, r.RNE, r.NOSAT)
    powers = mx_scales(e.largest(bits & FP16.numbers.mag_mask), FP16, e.kind, d.FLOOR)
    least = d.BIAS - FP16.bias + 1
    codes = _mx_codes(e, FP16, bits, np.maximum(powers, least))
    exponents = np.maximum(powers, least) - np.uint8(least - 1)
    nan = e.kind.scale.numbers.nan_code
    return codes, np.where(powers == d.NAN_SCALE, np.uint8(nan), exponents), None, None


# -- NVFP4 and NVINT4 ----------------------------------------------------------------------------


def _nv_te(e: _Elements, rule: str) -> Made:
    """In fp32, each operation rounded to nearest even, in the order of TransformerEngine."""
    f32, greatest = np.float32, np.finfo(np.float32).max
    most, most_scale = f32(e.kind.largest), f32(448)
    x, largest_codes, invalid = _fp32(e)
    largest = largest_codes.view(np.float32)
    with np.errstate(all="ignore"):
        of_tensor = largest.max()
        encode = np.minimum(most * most_scale / of_tensor, greatest)
        if of_tensor == 0 or encode == 0:
            encode = f32(1)
        decode = f32(1) / encode
        per_block = np.minimum(largest * (encode * (f32(1) / most)), most_scale)
        scales = convert(bit_patterns(per_block), FP32, UE4M3, r.RNE, r.SATURATE)
        of_scale = convert(scales, UE4M3, FP32, r.RNE, r.SATURATE).view(np.float32)
        factors = np.minimum(f32(1) / (of_scale * decode), greatest)
        scaled = x * e.each(factors)
        np.clip(scaled, -most, most, out=scaled)
    codes = _rounded(e, scaled)
    return _without_invalid(e, codes, scales, invalid), _nan_scales(scales, invalid), decode, None


def nv_scales(
    largest: np.ndarray, tensor: np.ndarray, f: Descriptor, kind: BlockFormat
) -> np.ndarray:
    """Codes of the scales of blocks by the rule ``hw``: of the codes of their largest magnitudes
    and of the scales of their tensors."""
    numbers = f.numbers, kind.quantized, UE4M3.numbers
    return apply(
        d.nv_scale, [largest, tensor], numbers, kind.scale.dtype, f.precision + d.BELOW + 8
    )


def _nv_hw(e: _Elements, rule: str) -> Made:
    """The tensor's scale a power of two, elements by comparison: `definitions.nv_element`."""
    if e.variant >= 0 or e.mode != r.RNE:
        raise InvalidInput(f"scale rule hw of {e.kind} rounds to nearest even only")
    x, largest, invalid = _fp32(e)
    bits = bit_patterns(x)
    numbers = FP32.numbers, e.kind.quantized, UE4M3.numbers
    tensor = int(d.nv_tensor(int(largest.max()), *numbers))
    of_blocks = np.full(largest.shape, tensor, NAMED["e8m0fnu"].dtype)
    scales = nv_scales(largest, of_blocks, FP32, e.kind)
    operands = [bits, e.each(scales), e.each(of_blocks)]
    codes = apply(d.nv_element, operands, numbers, e.codes, FP32.precision + d.BELOW + 8)
    decode = np.float32(2.0 ** (tensor - d.BIAS))
    return _without_invalid(e, codes, scales, invalid), _nan_scales(scales, invalid), decode, None


def _fp32(e: _Elements) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The numbers in fp32, zero for those that are none; of each block the code of the largest
    magnitude, and whether there are such."""
    with np.errstate(over="ignore"):
        x = e.x.astype(np.float32, copy=False)
    magnitudes = bit_patterns(x) & np.uint32(FP32.numbers.mag_mask)
    largest = e.largest(magnitudes)
    invalid = largest >= FP32.numbers.inf_mag
    if invalid.any():
        finite = magnitudes < FP32.numbers.inf_mag
        x = np.where(finite, x, np.float32(0))
        largest = e.largest(np.where(finite, magnitudes, np.uint32(0)))
    return x, largest, invalid


def _rounded(e: _Elements, scaled: np.ndarray) -> np.ndarray:
    """Element codes of fp32 numbers within range."""
    to = e.kind.quantized
    bits = bit_patterns(scaled)
    if e.variant < 0:
        return convert(bits, FP32, e.kind.element, e.mode, r.SATURATE)
    constants = FP32.numbers, to, e.variant, e.random_bits, r.SATURATE
    word_bits = FP32.precision + 8 + e.random_bits
    return apply(r.convert_stochastic, [bits, e.random], constants, e.codes, word_bits)


def _without_invalid(
    e: _Elements, codes: np.ndarray, scales: np.ndarray, invalid: np.ndarray
) -> np.ndarray:
    return np.where(e.each(invalid), codes.dtype.type(0), codes) if invalid.any() else codes


def _nan_scales(scales: np.ndarray, invalid: np.ndarray) -> np.ndarray:
    return np.where(invalid, scales.dtype.type(UE4M3.numbers.nan_code), scales)


# -- what is given -------------------------------------------------------------------------------


def _numbers(x: Any) -> np.ndarray:
    """The numbers in fp64, fp32, fp16 or bf16, exactly but for fp80 and large integers."""
    array = array_of(x, "what is quantized")
    if array.dtype.kind not in "fiu" and not is_ml_dtype(array.dtype):
        raise InvalidInput(
            f"what is quantized must be numbers, not an array of {shown(array.dtype)}"
        )
    if array.ndim == 0 or array.size == 0:
        raise InvalidInput(
            f"what is quantized must be of shape (..., n), and not empty, not {array.shape}"
        )
    if array.dtype.name in ("float64", "float32", "float16", "bfloat16"):
        return array
    wide = array.dtype.kind in "iuf"
    return array.astype(np.float64 if wide else np.float32)


def _sizes(kind: BlockFormat, group: Any, shape: tuple[int, ...], axis: int) -> tuple[int, int]:
    """Elements along the axis, and rows, that share a scale."""
    rows, size = group if isinstance(group, tuple) and len(group) == 2 else (1, group)
    size = kind.block if size is None else size
    for number in (rows, size):
        if not is_integer(number) or number < 1:
            raise InvalidInput(
                "group must be an integer of at least 1, or a pair (rows, elements) of them, not "
                f"{quoted(group)}"
            )
    if shape[axis] % size:
        raise InvalidInput(
            f"group must divide the axis that blocks run along, {shape[axis]}; {quoted(size)} does "
            "not"
        )
    if rows > 1 and (len(shape) < 2 or axis < -2):
        raise InvalidInput(
            "blocks of two dimensions go along the last two axes, and axis is one of them; "
            f"axis {axis} of shape {shape} is not"
        )
    if rows > 1 and shape[-3 - axis] % rows:
        raise InvalidInput(
            f"the rows of a block must divide the other axis, {shape[-3 - axis]}; {quoted(rows)} "
            "does not"
        )
    return int(size), int(rows)


def _rounding(
    kind: BlockFormat, round: Any, random: Any, random_bits: Any, shape: tuple[int, ...]
) -> tuple[int, int, int, np.ndarray]:
    """Mode, variant and number of bits of stochastic rounding, and the random bits for each."""
    usual = "rtz" if kind.scale.name == "ue5m0" else "rne"
    name = usual if round is None else name_of(round)
    if name not in r.STOCHASTIC:
        if name not in r.ROUNDINGS:
            raise unknown("rounding mode", round, (*r.ROUNDINGS, *r.STOCHASTIC))
        if random is not None or random_bits is not None:
            raise InvalidInput(f"rounding {name} takes no random bits; sra, srb and src do")
        return int(r.rounding(name)), -1, 0, np.zeros(shape, np.uint8)
    n = (12 if kind.name.endswith("fp4") else 16) if random_bits is None else random_bits
    if not is_integer(n) or not 1 <= n <= 32:
        raise InvalidInput(
            f"random_bits must be an integer from 1 to 32, not {quoted(random_bits)}"
        )
    draws = array_of(random, "random")
    if draws.dtype.kind not in "iu" or draws.shape != shape:
        raise InvalidInput(
            f"rounding {name} takes random bits for each number: random must be integers below "
            f"2^{n} of shape {shape}, not {draws.shape} of {shown(draws.dtype)}"
        )
    if draws.min() < 0 or int(draws.max()) >> int(n):
        raise InvalidInput(f"random must be integers from 0 to {(1 << int(n)) - 1}")
    return r.RNE, int(r.Stochastic[name.upper()]), int(n), draws.astype(np.uint32)
