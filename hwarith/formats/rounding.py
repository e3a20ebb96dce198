"""Rounding and overflow by name, and the one golden rounder that every unit shares.

A value is rounded with unbounded exponent, and the range is checked on the rounded value. The table
of ``docs/rounding.md``, "T1" below, says what an overflow becomes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from ..exceptions import name_of, unknown
from ..golden import bit_length, golden
from .posits import posit_magnitude, posit_value


class Rounding(IntEnum):
    """How a value between two codes is rounded.

    The numbers are those of RISC-V's ``rm`` field and, for RTO, of Berkeley HardFloat. 5 stands
    for stochastic rounding (`Stochastic`), where a unit has random bits; else it and 7 are RNE.
    """

    RNE = 0  #: to nearest, ties to even
    RNA = 4  #: to nearest, ties away from zero
    RTZ = 1  #: toward zero
    RUP = 3  #: toward positive infinity
    RDN = 2  #: toward negative infinity
    RTO = 6  #: to odd: truncate, then set the lsb if anything was lost


class Stochastic(IntEnum):
    """How a value between two codes is rounded by N random bits R; nu is the dropped fraction.

    The variants of P3109 (interim report v4.0, 4.7.4): the magnitude goes up if

    - A: floor(nu 2^N) + R >= 2^N,
    - B: floor(nu 2^(N+1)) + 2R + 1 >= 2^(N+1),
    - C: RNE(nu 2^N) + R >= 2^N.

    Over all R, A errs by a bias in (-2^-N, 0] ulp, B and C by at most 2^-(N+1) ulp.
    """

    SRA = 0
    SRB = 1
    SRC = 2


class Overflow(IntEnum):
    """What becomes of a value beyond the largest finite one (the columns of table T1).

    Where a format has neither infinity nor NaN, every policy but ``wrap`` clamps. Of NOSAT, NAN
    and P3109_SATNONE modes that round toward zero make an exception (`pack_overflow`).
    """

    SATURATE = 0  #: SATFINITE: the largest finite value, for infinities as well
    SATPROP = 1  #: finite values saturate; infinities stay infinite (NaN without infinity)
    NOSAT = 2  #: infinity; NaN in formats without infinity
    WRAP = 3  #: integers only: keep the low bits (two's complement)
    NAN = 4  #: finite values become NaN; infinities stay as with NOSAT
    P3109_SATNONE = 5  #: infinity; formats without infinity saturate (SatNone of P3109, 4.7.5)
    TOINF = 6  #: as NOSAT to nearest, in every mode: tensor cores truncate, and overflow so
    INDEFINITE = 7  #: floats to integers: x86's indefinite integer, for infinities and NaN as well


ROUNDINGS = tuple(mode.name.lower() for mode in Rounding)
STOCHASTIC = tuple(variant.name.lower() for variant in Stochastic)
OVERFLOWS = tuple(policy.name.lower() for policy in Overflow)


def rounding(name: str) -> Rounding:
    """The rounding mode of this name. Raises `InvalidInput` if there is none."""
    if name_of(name) not in ROUNDINGS:
        raise unknown("rounding mode", name, ROUNDINGS)
    return Rounding[name_of(name).upper()]


def overflow(name: str) -> Overflow:
    """The overflow policy of this name. Raises `InvalidInput` if there is none."""
    if name_of(name) not in OVERFLOWS:
        raise unknown("overflow policy", name, OVERFLOWS)
    return Overflow[name_of(name).upper()]


class FormatNumbers(NamedTuple):
    """A format as plain integers, which is how golden definitions take it.

    ``mag`` means a code without its sign bit. Codes that do not exist are -1, and so is
    ``first_nan_mag`` where no magnitude is a NaN.
    """

    integer: int  # 1: two's complement or unsigned integer, value = code * 2^lsb
    posit: int  # 1: two's complement of a regime, an exponent and a fraction
    exponent_bits: int
    bits: int
    signed: int
    fraction_bits: int
    emin: int  # exponent of the smallest normal number
    lsb: int  # exponent of the smallest step: emin - fraction_bits
    hidden_always: int  # 1: no zero and no subnormals (e8m0fnu)
    bias: int
    mag_mask: int
    max_mag: int  # largest finite magnitude
    min_mag: int  # magnitude of the most negative integer
    inf_mag: int
    first_nan_mag: int  # every magnitude from here on is a NaN
    nan_code: int  # the canonical NaN
    negative_zero: int  # 1: the code "sign and nothing else" is -0


RNE, RNA, RTZ, RUP, RDN, RTO = (int(mode) for mode in Rounding)
STOCHASTICALLY = 5
SRA, SRB, SRC = (int(variant) for variant in Stochastic)
SATURATE, SATPROP, NOSAT, WRAP, TO_NAN, P3109_SATNONE, TOINF, INDEFINITE = (
    int(policy) for policy in Overflow
)
FINITE, INF, NAN = 0, 1, 2


@golden
def unpack(code, f):
    """Class, sign, exponent and significand of a code: (-1)^s * g * 2^e if the class is FINITE."""
    s = (code >> (f.bits - 1)) & f.signed
    mag = code & f.mag_mask
    if f.integer:
        return FINITE, s, f.lsb, ((f.mag_mask + 1) - mag if s else mag)
    if f.posit:
        if mag == 0:
            return (NAN if s else FINITE), s, 0, 0
        e, g = posit_value((f.mag_mask + 1) - mag if s else mag, f)
        return FINITE, s, e, g
    if mag == f.inf_mag:
        return INF, s, 0, 0
    if (f.first_nan_mag >= 0 and mag >= f.first_nan_mag) or (
        s == 1 and mag == 0 and f.negative_zero == 0
    ):
        return NAN, s, 0, 0
    t = mag & ((1 << f.fraction_bits) - 1)
    e = mag >> f.fraction_bits
    if e == 0 and f.hidden_always == 0:
        return FINITE, s, f.lsb, t
    return FINITE, s, e - f.bias - f.fraction_bits, t + (1 << f.fraction_bits)


@golden
def round_pack(s, e, g, f, mode, policy):
    """Code of (-1)^s * g * 2^e, rounded once; of a posit to nearest, whatever the mode.

    The lsb of `g` may be a sticky bit if `g` has at least two bits more than the result needs.
    """
    if g == 0:
        return pack_zero(s, f, policy)
    top = e + bit_length(g) - 1
    if f.posit:
        return pack_integer(s, posit_magnitude(top, g, f), f, SATURATE)
    q = last_place(top, f)
    if f.integer and q <= e and top - q > f.bits + 1 and policy != WRAP:
        return pack_overflow(s, f, mode, policy)
    i, nu = in_units(g, q - e)
    if f.integer:
        return pack_integer(s, i + round_up(s, i & 1, nu, mode), f, policy)
    mag = magnitude(i, q, f)
    return pack_magnitude(s, mag + round_up(s, mag & 1, nu, mode), f, mode, policy)


@golden
def round_pack_stochastic(s, e, g, f, variant, n, random, policy):
    """Code of (-1)^s * g * 2^e, rounded once by the `n` bits of `random` (`Stochastic`).

    Beyond the range as with rounding to nearest.
    """
    if g == 0:
        return pack_zero(s, f, policy)
    d = last_place(e + bit_length(g) - 1, f) - e
    if d <= 0:
        return round_pack(s, e, g, f, RNE, policy)
    i = (g >> min(d, bit_length(g))) + stochastic_up(g, d, variant, n, random)
    if i == 0:
        return pack_integer(s, 0, f, policy) if f.integer else pack_magnitude(s, 0, f, RNE, policy)
    return round_pack(s, e + d, i, f, RNE, policy)


@golden
def magnitude(i, q, f):
    """The code without its sign of i * 2^q, with i of as many bits as the precision, or fewer in
    the lowest binade. Magnitudes are ordered like values: the one above is the next greater value,
    and beyond the largest and below the smallest normal they go on as if exponents had no bound.
    """
    return i + ((q - f.lsb) << f.fraction_bits) - (f.hidden_always << f.fraction_bits)


@golden
def pack_magnitude(s, mag, f, mode, policy):
    """Code of a rounded magnitude and a sign, if it is in range."""
    mag = max(mag, 0)
    if mag > f.max_mag:
        return pack_overflow(s, f, mode, policy)
    if f.signed == 0:
        return pack_unsigned(s, mag, f, mode, policy)
    return pack_zero(s, f, policy) if mag == 0 else (s << (f.bits - 1)) | mag


@golden
def last_place(top, f):
    """Exponent of the result's lsb, for a value of exponent `top`, before a carry of rounding."""
    return f.lsb if f.integer else max(top, f.emin) - f.fraction_bits


@golden
def in_units(g, d):
    """g * 2^-d as an integer and what is dropped (`shift_out`)."""
    if d > 0:
        return shift_out(g, min(d, bit_length(g) + 1))
    return g << -d, 0


@golden
def shift_out(g, d):
    """`g` without its low d > 0 bits, and what these are to them: 0 nothing, 1 less than half of
    an lsb, 2 half, 3 more than half."""
    below_half = g & ((1 << (d - 1)) - 1)
    return g >> d, 2 * ((g >> (d - 1)) & 1) + (1 if below_half else 0)


@golden
def stochastic_up(g, d, variant, n, random):
    """1 if the magnitude g * 2^-d, of which the fraction is dropped, is to go up by one lsb."""
    i = g >> min(d, bit_length(g))
    low = g - (i << d if i else 0)
    k = n + 1 if variant == SRB else n
    # A zero behind the lsb, so that there is something to shift out even for d <= k
    scaled = low << (max(k - d, 0) + 1)
    t, rest = shift_out(scaled, min(max(d - k, 0), bit_length(low) + 1) + 1)
    if variant == SRB:
        return 1 if t + 2 * random + 1 >= 1 << k else 0
    if variant == SRC:
        t += round_up(0, t & 1, rest, RNE)
    return 1 if t + random >= 1 << k else 0


@golden
def round_up(s, odd, nu, mode):
    """1 if the magnitude is to be increased by one lsb.

    `nu` is the dropped part: 0 nothing, 1 less than half an lsb, 2 half, 3 more than half.
    """
    if mode == RTZ:
        return 0
    if mode == RNA:
        return 1 if nu >= 2 else 0
    if mode == RUP:
        return 1 if nu > 0 and s == 0 else 0
    if mode == RDN:
        return 1 if nu > 0 and s == 1 else 0
    if mode == RTO:
        return 1 if nu > 0 and odd == 0 else 0
    return 1 if nu + odd > 2 else 0


@golden
def pack_integer(s, i, f, policy):
    """Integer (or posit) of sign and magnitude; out of range it wraps or is clamped."""
    if policy != WRAP:
        i = min(i, f.min_mag if s else f.max_mag)
    return (-i if s else i) & (f.mag_mask | (f.signed << (f.bits - 1)))


@golden
def pack_unsigned(s, mag, f, mode, policy):
    """Unsigned float: finite values below its range become the lowest code (saturating), or NaN."""
    below = s == 1 and (mag > 0 or f.hidden_always == 1)
    if not below:
        return mag
    upward = policy == P3109_SATNONE and mode in (RTZ, RUP)
    clamps = policy in (SATURATE, SATPROP) or upward or f.nan_code < 0
    return 0 if clamps else f.nan_code


@golden
def pack_zero(s, f, policy):
    """Zero with its sign where the format has -0; in formats without zero 00, or NaN (NOSAT)."""
    if f.hidden_always == 1 and policy in (NOSAT, TO_NAN, P3109_SATNONE, TOINF):
        return f.nan_code
    return (s << (f.bits - 1)) if f.negative_zero else 0


@golden
def pack_max(s, f):
    """The largest finite value of a sign."""
    if f.integer or f.posit:
        return pack_integer(s, f.min_mag if s else f.max_mag, f, SATURATE)
    if f.signed == 0:
        return 0 if s else f.max_mag
    return (s << (f.bits - 1)) | f.max_mag


@golden
def pack_overflow(s, f, mode, policy):
    """Table T1, finite overflow; in unsigned formats a negative one is below the range.

    Rounding to odd gives the largest value, as the next step would hide what was lost from a
    second rounding. P3109's SatNone has it give infinity if the format is signed.
    """
    if s == 1 and f.signed == 0:
        return pack_unsigned(s, f.max_mag, f, mode, policy)
    toward_zero = mode == RTZ or (mode == RUP and s == 1) or (mode == RDN and s == 0)
    if policy == P3109_SATNONE:
        toward_zero = toward_zero or (mode == RTO and f.signed == 0) or f.inf_mag < 0
    else:
        toward_zero = toward_zero or mode == RTO
    toward_zero = toward_zero and policy != TOINF
    if toward_zero or policy in (SATURATE, SATPROP) or f.nan_code < 0:
        return pack_max(s, f)
    return f.nan_code if policy == TO_NAN else pack_infinity(s, f, NOSAT)


@golden
def pack_infinity(s, f, policy):
    """Table T1, infinite input."""
    below = s == 1 and f.signed == 0
    clamps = policy == P3109_SATNONE and f.inf_mag < 0 and not below
    if clamps or policy == SATURATE or f.nan_code < 0:
        return pack_max(s, f)
    if f.inf_mag < 0 or below:
        return f.nan_code
    return (s << (f.bits - 1)) | f.inf_mag


@golden
def pack_nan(f):
    """Table T1, NaN input: the canonical NaN, or the largest value in formats without NaN."""
    return f.nan_code if f.nan_code >= 0 else pack_max(0, f)


@golden
def align(s, e, g, to):
    """(-1)^s * g * 2^e in units of 2^to; what lies below is ORed into the lsb (a sticky bit)."""
    d = min(max(to - e, 0), bit_length(g))
    i = (g << max(e - to, 0)) >> d | (1 if g & ((1 << d) - 1) else 0)
    return -i if s else i


@golden
def add_exact(sx, ex, gx, sy, ey, gy, mode, width):
    """Sum of two exact values as (sign, exponent, significand).

    Exact if it fits in `width` bits; otherwise its lsb is sticky, which a rounder cannot tell
    from the exact sum while `width` is at least 4 more than each significand and the result's
    precision. A sum of opposite values is +0, or -0 when rounding down (IEEE 754-2019, 6.3).
    """
    if gx == 0 and gy == 0:
        return (sx if sx == sy else (1 if mode == RDN else 0)), 0, 0
    if gx == 0:
        return sy, ey, gy
    if gy == 0:
        return sx, ex, gx
    e = max(ex + bit_length(gx), ey + bit_length(gy)) - width
    total = align(sx, ex, gx, e) + align(sy, ey, gy, e)
    if total == 0:
        return (1 if mode == RDN else 0), e, 0
    return (1 if total < 0 else 0), e, abs(total)


@golden
def convert(code, f, to, mode, policy):
    """A code of format `f` as a code of format `to`."""
    kind, s, e, g = unpack(code, f)
    if kind == NAN:
        return pack_nan(to)
    if kind == INF:
        return pack_infinity(s, to, policy)
    return round_pack(s, e, g, to, mode, policy)


@golden
def convert_stochastic(code, random, f, to, variant, n, policy):
    """The same, rounded by `n` random bits."""
    kind, s, e, g = unpack(code, f)
    if kind == NAN:
        return pack_nan(to)
    if kind == INF:
        return pack_infinity(s, to, policy)
    return round_pack_stochastic(s, e, g, to, variant, n, random, policy)
