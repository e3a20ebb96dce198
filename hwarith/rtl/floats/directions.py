"""Rounding modes in hardware: whether a magnitude is increased by one lsb."""

from __future__ import annotations

from amaranth.hdl import Const, Mux, Value

from ..wires import Values

RM = {"rne": 0, "rtz": 1, "rdn": 2, "rup": 3, "rna": 4, "rto": 6}
"""Modes on a port ``rm``: the encoding of RISC-V's field of that name and, for ``rto``, of Berkeley
HardFloat. The other two numbers are to nearest even, but the first where there are random bits."""

STOCHASTICALLY = 5

PORT = "port"
"""Rounding mode given by a port ``rm``; ``port_sra`` and so on with stochastic rounding as well."""


def goes_up(mode: str, x: Values, lsb: Value, guard: Value, sticky: Value) -> Value:
    """Whether rounding increases a magnitude, in a mode that is not stochastic. `x` has ``sign``,
    and ``rm`` if the mode is on a port."""
    inexact = guard | sticky
    if not mode.startswith(PORT):
        return {
            "rne": guard & (sticky | lsb),
            "rna": guard,
            "rup": inexact & ~x["sign"],
            "rdn": inexact & x["sign"],
            "rto": inexact & ~lsb,
        }.get(mode, Const(0, 1))
    rm = x["rm"]
    to_nearest = rm[2] & ~(rm == RM["rto"]) | ~rm[:2].any()
    nearest = guard & (sticky | lsb | (rm == RM["rna"]))
    away = ((rm == RM["rup"]) & ~x["sign"]) | ((rm == RM["rdn"]) & x["sign"])
    return Mux(to_nearest, nearest, inexact & (away | ((rm == RM["rto"]) & ~lsb)))


def floor_goes_up(mode: str, x: Values, lsb: Value, rest: Value) -> Value:
    """Whether rounding increases a number in two's complement, of which the bits `rest` are
    dropped, in a mode that is not stochastic. `x` has what `goes_up` takes."""
    negative = x["sign"]
    guard, sticky, inexact = rest[-1], rest[:-1].any(), rest.any()
    if not mode.startswith(PORT):
        return {
            "rne": guard & (sticky | lsb),
            "rna": guard & (sticky | ~negative),
            "rtz": inexact & negative,
            "rup": inexact,
            "rto": inexact & ~lsb,
        }.get(mode, Const(0, 1))
    rm = x["rm"]
    to_nearest = rm[2] & ~(rm == RM["rto"]) | ~rm[:2].any()
    nearest = guard & (sticky | Mux(rm == RM["rna"], ~negative, lsb))
    toward = (rm == RM["rup"]) | ((rm == RM["rtz"]) & negative) | ((rm == RM["rto"]) & ~lsb)
    return Mux(to_nearest, nearest, inexact & toward)


def random_carry(variant: str, n: int, x: Values, rest: Value, carry: Value) -> Value:
    """Whether `n` random bits ``r`` increase a magnitude of which the bits `rest` are dropped: the
    carry of their sum with the first `n` of these.

    Variant A drops what lies below these bits. B's half-step offset makes the carry-in the bit
    below them; C rounds them to nearest even first, which is a carry-in as well. `carry` is one
    more at the lsb of `rest`, with nothing lost below.
    """
    first = rest[len(rest) - n :]
    below = rest[: len(rest) - n]
    if variant == "sra":
        into: Value = carry & below.all() if len(below) else carry
    elif variant == "srb":
        into = below[-1] | carry
    else:
        into = (below[-1] & (x["sticky"] | first[0] | carry)) | (carry & first[0])
    return (first + x["r"] + into)[n]


def toward_zero(rm: Value, sign: Value) -> Value:
    """Whether this mode rounds values of this sign toward zero."""
    return (rm == RM["rtz"]) | ((rm == RM["rup"]) & sign) | ((rm == RM["rdn"]) & ~sign)
