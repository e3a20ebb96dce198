"""Golden definitions of blocks: quantized, transformed, and numbers aligned to a block."""

from __future__ import annotations

from ...formats.blocks.definitions import (
    mx_element,
    mx_element_stochastic,
    mx_scale,
    nv_element,
    nv_scale,
)
from ...formats.rounding import NOSAT, RNE, align, round_pack, unpack
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
