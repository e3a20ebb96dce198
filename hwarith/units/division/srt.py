"""Division by digits of radix 4 from -2 to 2, with the remainder in carry-save form (SRT).

A digit is chosen by an estimate, the leading bits of four times the remainder, and three bits of
the divisor behind its first one. With digits of both signs a wrong guess is made good by later
ones, so that nothing carries across the remainder, nor across the quotient: beside it there is one
that is less by one, and the next digit is put behind one of the two.

Source: Ercegovac and Lang, Digital Arithmetic (2004), chapter 5: radix 4, redundancy 2/3,
on-the-fly conversion.
"""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Const, Module, Mux, Value

from ...rtl import Values, wire

FRACTION_BITS = 4
"""Bits of the estimate below the point of a divisor from 1/2 to below 1; there are 3 above it."""

LEAST = {
    2: (12, 14, 15, 16, 18, 20, 20, 24),
    1: (4, 4, 4, 4, 6, 6, 8, 8),
    0: (-4, -6, -6, -6, -8, -8, -8, -8),
    -1: (-13, -15, -16, -18, -20, -20, -22, -24),
}
"""The least estimate, in sixteenths, of which a digit is so great, by eighths of the divisor."""


def start(m: Module, dividend: Value, divisor: Value, digits: int) -> Values:
    """What `step` takes for a quotient of so many digits, of numbers of as many bits that begin
    with a one. The first digit is the one before the point."""
    pad = max(0, FRACTION_BITS - len(divisor))
    width, bits = len(divisor) + pad + 3, 2 * digits - 1
    return {
        "divisor": Cat(Const(0, pad), divisor),
        "sum": wire(m, "first_sum", Cat(Const(0, pad), dividend), width),
        "carries": wire(m, "no_carries", Const(0, width)),
        "quotient": wire(m, "no_quotient", Const(0, bits)),
        "less_one": wire(m, "minus_one", Const((1 << bits) - 1, bits)),
    }


def step(m: Module, name: str, x: Values) -> Values:
    """One more digit."""
    divisor, total, carries = x["divisor"], x["sum"], x["carries"]
    width, low = len(total), len(divisor) - FRACTION_BITS
    estimate = wire(m, f"{name}_estimate", total[low:] + carries[low:], width - low).as_signed()
    eighth = divisor[-4:-1]
    at_least = {
        digit: wire(m, f"{name}_at_least{i}", Array([estimate >= least for least in row])[eighth])
        for i, (digit, row) in enumerate(LEAST.items())
    }
    two, one = at_least[2], at_least[1] & ~at_least[2]
    minus_one, minus_two = at_least[-1] & ~at_least[0], ~at_least[-1]
    above, below = one | two, minus_one | minus_two
    multiple = (divisor & (one | minus_one).replicate(len(divisor))) | (
        Cat(Const(0, 1), divisor) & (two | minus_two).replicate(len(divisor) + 1)
    )
    multiple = Cat(multiple, Const(0, width - len(multiple))) ^ above.replicate(width)
    taken = wire(m, f"{name}_taken", multiple, width)
    pairs = (total & carries) | (total & taken) | (carries & taken)
    # The digit modulo 4, and the one less by one.
    digit = Cat(one | minus_one, two | minus_two | minus_one)
    lesser = Cat(~(one | minus_one), ~above & ~minus_two)
    quotient, less_one = x["quotient"], x["less_one"]
    return {
        "sum": wire(m, f"{name}_sum", Cat(Const(0, 2), total ^ carries ^ taken), width),
        "carries": wire(m, f"{name}_carries", Cat(Const(0, 2), above, pairs), width),
        "quotient": wire(
            m, f"{name}_quotient", Cat(digit, Mux(below, less_one, quotient)), len(quotient)
        ),
        "less_one": wire(
            m, f"{name}_less_one", Cat(lesser, Mux(above, quotient, less_one)), len(quotient)
        ),
    }


def end(m: Module, x: Values) -> tuple[Value, Value]:
    """The quotient, rounded down, and whether anything is left of the dividend."""
    total, carries = x["sum"], x["carries"]
    negative = wire(m, "negative", (total + carries)[len(total) - 1])
    # A sum is zero if the bits at which it has one or two ones are the carries of these.
    some = Cat(Const(0, 1), total | carries)[: len(total)] != (total ^ carries)
    return wire(m, "quotient", Mux(negative, x["less_one"], x["quotient"])), some
