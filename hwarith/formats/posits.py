"""Golden definitions of the magnitudes of posits: Posit Standard (2022), sections 3 and 4.

A magnitude is a code, or minus one, without its sign bit: a regime, an exponent and a fraction, as
a string that ends with the code. The regime of k >= 0 is k + 1 ones and a zero, that of k < 0 is
-k zeros and a one.
"""

from __future__ import annotations

from ..golden import bit_length, golden


@golden
def posit_value(mag, f):
    """Exponent and significand of a magnitude that is not zero: g * 2^e. All significands have the
    bits of the longest fraction: where there are fewer, zeros stand behind them."""
    n = f.bits - 1
    ones = mag >> (n - 1)
    run = n - bit_length(mag ^ f.mag_mask if ones else mag)
    k = run - 1 if ones else -run
    rest = max(n - run - 1, 0)  # bits behind the regime
    fraction = max(rest - f.exponent_bits, 0)
    low = mag & ((1 << rest) - 1)
    exponent = low >> fraction << max(f.exponent_bits - rest, 0)  # bits cut off are zeros
    t = (low & ((1 << fraction) - 1)) << (f.fraction_bits - fraction)
    return (k << f.exponent_bits) + exponent - f.fraction_bits, t + (1 << f.fraction_bits)


@golden
def posit_magnitude(top, g, f):
    """The nearest magnitude to a value whose first one, that of `g`, is at 2^top: the string of all
    its bits cut off, ties to even ones, but never to 0 or beyond the largest."""
    n = f.bits - 1
    k = top >> f.exponent_bits
    if k < 1 - n:
        return 1
    if k > n - 2:
        return f.max_mag
    # One bit more of the fraction than there can be room for, and a sticky one
    fraction = f.fraction_bits + 2
    cut = max(bit_length(g) - fraction, 0)
    kept = g >> cut
    sticky = 1 if kept << cut != g else 0
    significand = (kept << (fraction + 1 - bit_length(kept))) | sticky
    exponent = top - (k << f.exponent_bits)
    regime, run = ((2 << (k + 1)) - 2, k + 1) if k >= 0 else (1, -k)
    below_regime = f.exponent_bits + fraction
    string = (regime << below_regime) + ((exponent - 1) << fraction) + significand
    d = run + 1 + below_regime - n
    i = string >> d
    rest, half = string - (i << d), 1 << (d - 1)
    up = rest > half or (rest == half and i & 1 == 1)
    return i + (1 if up else 0)
