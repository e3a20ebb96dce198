"""Golden definition of rounding to an integral value: IEEE 754-2019, 5.9, for any float format.

`flags` is 1 where exception flags lie above a result's code.
"""

from __future__ import annotations

from ...formats.rounding import (
    FINITE,
    NAN,
    RTZ,
    SATURATE,
    in_units,
    pack_nan,
    round_pack,
    round_up,
    unpack,
)
from ...golden import golden
from ..exact.definitions import NV, NX, is_signaling


@golden
def round_to_integral(a, mode, f, exact, flags):
    """The integral value of the same format to which a mode rounds a code; a zero keeps its sign.

    With `exact` 1 a result that is another value is inexact.
    """
    c, s, e, g = unpack(a, f)
    if c == NAN:
        return pack_nan(f) | (NV if flags == 1 and is_signaling(a, c, f) else 0) << f.bits
    if c != FINITE or e >= 0:
        return a & (f.mag_mask | (f.signed << (f.bits - 1)))
    i, nu = in_units(g, -e)
    y = round_pack(s, 0, i + round_up(s, i & 1, nu, mode), f, RTZ, SATURATE)
    return y | (NX if flags == 1 and exact == 1 and nu > 0 else 0) << f.bits
