"""Golden definitions of blocks: quantized, transformed, aligned to a block, and decoded."""

from __future__ import annotations

from ...formats.blocks.definitions import (
    mx_element,
    mx_element_stochastic,
    mx_scale,
    nv_element,
    nv_scale,
)
from ...formats.rounding import (
    FINITE,
    INF,
    NAN,
    NOSAT,
    RNE,
    align,
    pack_infinity,
    pack_nan,
    round_pack,
    unpack,
)
from ...golden import golden


@golden
def aligned(code, greatest, span, f):
    """The magnitude of a number in units of `span` bits less than the significands' lsb at the
    biased exponent `greatest`; what lies below is ORed into the lsb (sticky)."""
    _, _, e, g = unpack(code, f)
    return align(0, e, g, greatest - f.bias - f.fraction_bits - span)


@golden
def rounded(sign, magnitude, greatest, below, f):
    """The code nearest to an integer in units of `below` bits less than that lsb."""
    return round_pack(sign, greatest - f.bias - f.fraction_bits - below, magnitude, f, RNE, NOSAT)


@golden
def mx_block(x, of_scale, of_elements):
    """Elements of a block, and its scale."""
    scale = mx_scale(largest(x, of_scale[0]), *of_scale)
    return [mx_element(code, scale, *of_elements) for code in x], scale


@golden
def mx_block_stochastic(x, random, of_scale, of_elements):
    """The same, each element rounded by random bits of its own."""
    scale = mx_scale(largest(x, of_scale[0]), *of_scale)
    return [
        mx_element_stochastic(x[i], scale, random[i], *of_elements) for i in range(len(x))
    ], scale


@golden
def nv_block(x, tensor, constants):
    """Elements of a block of NVFP4, and its scale."""
    scale = nv_scale(largest(x, constants[0]), tensor, *constants)
    return [nv_element(code, scale, tensor, *constants) for code in x], scale


@golden
def largest(x, f):
    """The code of the largest magnitude of a block."""
    return max([code & f.mag_mask for code in x])


@golden
def hadamard(x, d, span, shift, f):
    """The sums and differences of a block that Sylvester's matrix says, each rounded; d negates."""
    field = (1 << (f.bits - 1 - f.fraction_bits)) - 1
    greatest = max([1, *[code >> f.fraction_bits & field for code in x]])
    terms = [aligned(code, greatest, span, f) for code in x]
    negated = [x[i] >> (f.bits - 1) ^ (d >> i & 1) for i in range(len(x))]
    terms = [-terms[i] if negated[i] == 1 else terms[i] for i in range(len(x))]
    found = [transformed(terms, j, greatest, span + shift, f) for j in range(len(x))]
    return [f.nan_code if greatest == field else y for y in found]


@golden
def transformed(terms, j, greatest, below, f):
    """Result j, rounded."""
    total = 0
    for i in range(len(terms)):
        total += -terms[i] if (i & j).bit_count() & 1 == 1 else terms[i]
    return rounded(1 if total < 0 else 0, abs(total), greatest, below, f)


# -- decoding ------------------------------------------------------------------------------------


@golden
def scaled(code, scale, f, of_scale, out):
    """An element times its block's scale, to nearest even, as a float."""
    kind, s, e, g = as_finite(code, f)
    return rounded_product(kind, s, e, g, scale, of_scale, out)


@golden
def rounded_product(kind, s, e, g, scale, of_scale, out):
    """The same of an element's class, sign, exponent and significand."""
    kind_scale, _, e_scale, g_scale = unpack(scale, of_scale)
    if kind == NAN or kind_scale == NAN:
        return pack_nan(out)
    if kind == INF:
        return pack_infinity(s, out, NOSAT)
    return round_pack(s, e + e_scale, g * g_scale, out, RNE, NOSAT)


@golden
def scaled_parts(code, scale, f, of_scale, significand_bits, exponent_bits):
    """Sign, significand and exponent (two's complement) of the same product, not rounded, and
    whether it has no finite value; an exponent of all ones is then read like any other."""
    kind, s, e, g = as_finite(code, f)
    return parts_of_product(kind, s, e, g, scale, of_scale, significand_bits, exponent_bits)


@golden
def parts_of_product(kind, s, e, g, scale, of_scale, significand_bits, exponent_bits):
    """The same of an element's class, sign, exponent and significand."""
    kind_scale, _, e_scale, g_scale = as_finite(scale, of_scale)
    g = g * g_scale
    sign = s if g > 0 else 0
    invalid = 0 if kind == FINITE and kind_scale == FINITE else 1
    exponent = (e + e_scale) & ((1 << exponent_bits) - 1)
    above = significand_bits + 1
    return sign | g << 1 | exponent << above | invalid << (above + exponent_bits)


@golden
def as_finite(code, f):
    """Class and sign of a code, and exponent and significand of what it would be if all codes were
    finite."""
    kind, s, e, g = unpack(code, f)
    if kind != FINITE:
        magnitude = code & f.mag_mask
        e = (magnitude >> f.fraction_bits) - f.bias - f.fraction_bits
        g = (magnitude & ((1 << f.fraction_bits) - 1)) + (1 << f.fraction_bits)
    return kind, s, e, g


@golden
def scaled_block(x, scale, constants):
    """The numbers of a block."""
    return [scaled(code, scale, *constants) for code in x]


@golden
def scaled_parts_block(x, scale, constants):
    """Signs, significands, exponents and marks of the elements of a block."""
    found = [scaled_parts(code, scale, *constants) for code in x]
    return taken_apart(found, constants[2], constants[3])


@golden
def taken_apart(found, significand_bits, exponent_bits):
    """Parts that lie side by side, each in a list of its own."""
    above, top = significand_bits + 1, significand_bits + 1 + exponent_bits
    return (
        [y & 1 for y in found],
        [y >> 1 & ((1 << significand_bits) - 1) for y in found],
        [y >> above & ((1 << exponent_bits) - 1) for y in found],
        [y >> top for y in found],
    )
