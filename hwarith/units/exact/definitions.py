"""Golden definitions of the exact units: IEEE 754-2019, 5.4.1 and 5.4.2, for any format.

An exact result is formed first and rounded once (`result`), so that fused stays fused. What the
standard leaves open is decided in ``docs/rounding.md``. A definition takes the operands' codes;
`control`, what ports may say of one operation (`pack_control`); the formats; and `Rules`. It gives
the result's code, with the exception flags above it if `Rules` asks for them.
"""

from __future__ import annotations

from typing import NamedTuple

from ...formats.rounding import (
    FINITE,
    INDEFINITE,
    INF,
    NAN,
    STOCHASTICALLY,
    WRAP,
    add_exact,
    in_units,
    last_place,
    magnitude,
    pack_infinity,
    pack_integer,
    pack_magnitude,
    pack_max,
    pack_nan,
    pack_zero,
    round_pack,
    round_up,
    stochastic_up,
    unpack,
)
from ...golden import bit_length, golden
from ...lazily import np

NV, DZ, OF, UF, NX = 16, 8, 4, 2, 1
"""Exception flags, the bits of RISC-V's ``fflags``."""

AFTER, BEFORE = 1, 2
"""When tininess is detected: on the result rounded with unbounded exponent, or on the exact one."""

NEGATE_ADDEND, NEGATE_PRODUCT = 1, 2
"""Bits of the port `op`, as in Berkeley HardFloat."""


class Rules(NamedTuple):
    """What a unit does with operands and results, as integers for golden definitions."""

    policy: int  # `Overflow`
    variant: int  # `Stochastic`
    n: int  # random bits of stochastic rounding, 0 if there are none
    daz: int  # 1: subnormal operands are zeros
    ftz: int  # 1: tiny results become zeros
    payload: int  # 1: NaN operands are propagated
    tininess: int  # AFTER or BEFORE; 0 without flags


def pack_control(
    op: int | np.ndarray, mode: int | np.ndarray, random: int | np.ndarray
) -> int | np.ndarray:
    """What to negate, the rounding mode and its random bits as one integer, or array of them."""
    return op | mode << 2 | random << 5


@golden
def convert(a, control, fa, fo, rules):
    """A code as one of another format."""
    c, s, e, g = unpack_operand(a, fa, rules)
    if c == NAN:
        return nan_result(a, fa, fo, rules, is_signaling(a, c, fa))
    if c == INF:
        return infinite_result(s, fo, rules)
    return result(s, e, g, fo, control, rules)


@golden
def mul(a, b, control, fa, fb, fo, rules):
    """Product a * b."""
    ca, sa, ea, ga = unpack_operand(a, fa, rules)
    cb, sb, eb, gb = unpack_operand(b, fb, rules)
    s = sa ^ sb
    invalid = is_signaling(a, ca, fa) or is_signaling(b, cb, fb)
    if ca == NAN or cb == NAN:
        x, fx = (a, fa) if ca == NAN else (b, fb)
        return nan_result(x, fx, fo, rules, invalid)
    if ca == INF or cb == INF:
        if (ca != INF and ga == 0) or (cb != INF and gb == 0):
            return invalid_result(fo, rules)  # infinity times zero
        return infinite_result(s, fo, rules)
    return result(s, ea + eb, ga * gb, fo, control, rules)


@golden
def add(a, b, control, fa, fb, fo, rules, width):
    """Sum a + b, or a - b."""
    ca, sa, ea, ga = unpack_operand(a, fa, rules)
    cb, sb, eb, gb = unpack_operand(b, fb, rules)
    invalid = is_signaling(a, ca, fa) or is_signaling(b, cb, fb)
    if ca == NAN or cb == NAN:
        x, fx = (a, fa) if ca == NAN else (b, fb)
        return nan_result(x, fx, fo, rules, invalid)
    sb ^= control & NEGATE_ADDEND
    if ca == INF and cb == INF and sa != sb:
        return invalid_result(fo, rules)
    if ca == INF:
        return infinite_result(sa, fo, rules)
    if cb == INF:
        return infinite_result(sb, fo, rules)
    s, e, g = add_exact(sa, ea, ga, sb, eb, gb, (control >> 2) & 7, width)
    return result(s, e, g, fo, control, rules)


@golden
def fma(a, b, c, control, fa, fb, fc, fo, rules, width):
    """Fused a * b + c, with either term negated."""
    ca, sa, ea, ga = unpack_operand(a, fa, rules)
    cb, sb, eb, gb = unpack_operand(b, fb, rules)
    cc, sc, ec, gc = unpack_operand(c, fc, rules)
    zero_times_infinity = (ca == INF and cb == FINITE and gb == 0) or (
        cb == INF and ca == FINITE and ga == 0
    )
    if ca == NAN or cb == NAN or cc == NAN:
        x, fx = (a, fa) if ca == NAN else ((b, fb) if cb == NAN else (c, fc))
        signaling = is_signaling(a, ca, fa) or is_signaling(b, cb, fb) or is_signaling(c, cc, fc)
        return nan_result(x, fx, fo, rules, signaling or zero_times_infinity)
    s = sa ^ sb ^ ((control & NEGATE_PRODUCT) >> 1)
    sc ^= control & NEGATE_ADDEND
    if zero_times_infinity:
        return invalid_result(fo, rules)
    if ca == INF or cb == INF:
        if cc == INF and sc != s:
            return invalid_result(fo, rules)
        return infinite_result(s, fo, rules)
    if cc == INF:
        return infinite_result(sc, fo, rules)
    s, e, g = add_exact(s, ea + eb, ga * gb, sc, ec, gc, (control >> 2) & 7, width)
    return result(s, e, g, fo, control, rules)


@golden
def unpack_operand(code, f, rules):
    """`unpack`, with subnormals taken as zeros if the rules say so."""
    kind, s, e, g = unpack(code, f)
    if rules.daz == 1 and f.integer == 0 and g >> f.fraction_bits == 0:
        g = 0
    return kind, s, e, g


@golden
def result(s, e, g, f, control, rules):
    """Code and flags of (-1)^s * g * 2^e, rounded once.

    BEFORE judges the exact value, whatever rounds it. AFTER judges what is rounded with unbounded
    exponent; but at random it is the result, as there are no random bits for another rounding.
    """
    mode, random = (control >> 2) & 7, control >> 5
    if f.integer == 1:
        return integer_result(s, e, g, f, mode, random, rules)
    if rules.n == 0 and rules.ftz == 0 and rules.tininess == 0:
        return round_pack(s, e, g, f, mode, rules.policy)
    if g == 0:
        return pack_zero(s, f, rules.policy)
    top = e + bit_length(g) - 1
    unbounded = top - f.fraction_bits
    q = unbounded if rules.ftz == 1 else last_place(top, f)
    mag, inexact = rounded(s, e, g, q, f, mode, random, rules)
    smallest_normal = 1 << f.fraction_bits
    tiny = mag < smallest_normal
    if rules.ftz == 1 and tiny:
        return with_flags(pack_zero(s, f, rules.policy), UF | NX, f, rules)
    y = pack_magnitude(s, mag, f, mode, rules.policy)
    if mag > f.max_mag:
        return with_flags(y, OF | NX, f, rules)
    if rules.tininess == BEFORE:
        tiny = top < f.emin
    elif rules.ftz == 0 and not is_stochastic(mode, rules):
        tiny = rounded(s, e, g, unbounded, f, mode, random, rules)[0] < smallest_normal
    return with_flags(y, (NX | (UF if tiny else 0)) if inexact else 0, f, rules)


@golden
def integer_result(s, e, g, f, mode, random, rules):
    """Code and flags of (-1)^s * g * 2^e rounded to a multiple of an integer's step. What is then
    out of range is clamped or wraps, and is invalid, not inexact (IEEE 754-2019, 5.8; RISC-V F)."""
    if g == 0:
        return 0
    far = e + bit_length(g) - f.lsb > f.bits + 2
    if far and rules.policy != WRAP:
        return out_of_range(s, f, rules)
    i, inexact = rounded(s, e, g, f.lsb, f, mode, random, rules)
    if rules.policy != WRAP and i > (f.min_mag if s else f.max_mag):
        return out_of_range(s, f, rules)
    return with_flags(pack_integer(s, i, f, rules.policy), NX if inexact else 0, f, rules)


@golden
def out_of_range(s, f, rules):
    """An integer that there is not: the end of the range, or x86's indefinite integer, which is the
    lowest one, or of unsigned ones the highest."""
    y = pack_max(s, f)
    if rules.policy == INDEFINITE:
        y = (f.mag_mask + 1) if f.signed else f.mag_mask
    return with_flags(y, NV, f, rules)


@golden
def rounded(s, e, g, q, f, mode, random, rules):
    """The magnitude of g * 2^e rounded to a multiple of 2^q, and whether it is another value."""
    i, nu = in_units(g, q - e)
    mag = magnitude(i, q, f)
    if is_stochastic(mode, rules):
        up = stochastic_up(g, q - e, rules.variant, rules.n, random) if nu > 0 else 0
    else:
        up = round_up(s, mag & 1, nu, mode)
    return mag + up, nu > 0


@golden
def is_stochastic(mode, rules):
    """Whether a mode rounds with the unit's random bits."""
    return rules.n > 0 and mode == STOCHASTICALLY


@golden
def with_flags(y, flags, f, rules):
    """A result's code with its flags, if there are any, above it."""
    return y | (flags << f.bits if rules.tininess > 0 else 0)


@golden
def infinite_result(s, fo, rules):
    """An exact result that is infinite: inexact, if it becomes anything but infinity; of an
    integer invalid."""
    if fo.integer == 1:
        return out_of_range(s, fo, rules)
    y = pack_infinity(s, fo, rules.policy)
    held = fo.inf_mag >= 0 and y & fo.mag_mask == fo.inf_mag
    return with_flags(y, 0 if held else NX, fo, rules)


@golden
def invalid_result(fo, rules):
    """The canonical NaN of an invalid operation."""
    if fo.integer == 1:
        return out_of_range(0, fo, rules)
    return with_flags(pack_nan(fo), NV, fo, rules)


@golden
def nan_result(x, fx, fo, rules, invalid):
    """The result where operand `x` is the first NaN: canonical, or `x` itself, made quiet. That
    there is no NaN for it is invalid, as a NaN's conversion to an integer is (IEEE 754-2019, 7.2).

    It keeps its sign and as much of its payload as there is room for, the msb first. Formats of a
    single NaN have no payload to give or to take.
    """
    if fo.integer == 1:
        return out_of_range(0, fo, rules)
    y = pack_nan(fo)
    if rules.payload == 1 and has_payload(fx) and has_payload(fo):
        s = (x >> (fx.bits - 1)) & fx.signed
        spare = fx.fraction_bits - 1
        room = fo.fraction_bits - 1
        payload = (x & ((1 << spare) - 1)) << max(room - spare, 0) >> max(spare - room, 0)
        y = (s * fo.signed) << (fo.bits - 1) | (fo.nan_code + payload)
    return with_flags(y, NV if invalid or fo.nan_code < 0 else 0, fo, rules)


@golden
def has_payload(f):
    """Whether a format has NaN of many codes, quiet and signaling ones (IEEE 754-2019, 6.2.1)."""
    return f.first_nan_mag >= 0 and f.first_nan_mag < f.mag_mask


@golden
def is_signaling(code, kind, f):
    """A NaN whose quiet bit, the msb of the fraction, is clear."""
    return kind == NAN and has_payload(f) and (code >> (f.fraction_bits - 1)) & 1 == 0
