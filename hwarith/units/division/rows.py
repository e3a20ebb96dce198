"""Restoring rows: each finds one bit of a quotient or root and leaves the next remainder.

Written for both a row behind the other and one that is used again: a row takes what the one before
it left.
"""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ...rtl import wire


def restoring_row(m: Module, name: str, taken: Value, off: Value) -> tuple[Value, Value]:
    """One bit, whether `taken` is at least `off`; and what is left of `taken` when `off` is taken
    from it where it is. Both are unsigned."""
    difference = wire(m, f"{name}_difference", taken - off)
    fits = wire(m, f"{name}_fits", ~difference[-1])
    return fits, wire(m, f"{name}_rest", Mux(fits, difference[: len(taken)], taken))


def quotient(m: Module, rest: Value, divisor: Value, bits: int) -> tuple[Value, Value]:
    """So many bits of rest / divisor below the point, rest less than the divisor, which has as
    many bits; and the last remainder."""
    found: list[Value] = []
    for i in range(bits):
        fits, rest = restoring_row(m, f"row{i}", Cat(Const(0, 1), rest), divisor)
        rest = rest[: len(divisor)]
        found.append(fits)
    return Cat(*reversed(found)), rest


def root(m: Module, radicand: Value, bits: int) -> tuple[Value, Value]:
    """So many bits of the square root of a radicand of an even number of bits, whose first two are
    not both zeros; and the last remainder.

    A row takes 01 behind the root so far from the remainder and the next two bits. The first bit
    is a one.
    """
    pairs = [radicand[i : i + 2] for i in reversed(range(0, len(radicand), 2))]
    pairs += [Const(0, 2)] * (bits - len(pairs))
    rest = wire(m, "row0_rest", (pairs[0] - 1)[:2])
    return root_rows(m, Const(1, 1), rest, pairs[1:bits])


def root_rows(m: Module, found: Value, rest: Value, pairs: list[Value]) -> tuple[Value, Value]:
    """A root with a bit more for each of the radicand's next pairs of bits, and the remainder,
    which has a bit more than the root."""
    for i, pair in enumerate(pairs, 1):
        taken = Cat(pair, rest)
        fits, rest = restoring_row(m, f"row{i}", taken, Cat(Const(1, 2), found))
        found = Cat(fits, found)
        rest = rest[: len(found) + 1]
    return found, rest


def reciprocal_root(m: Module, x: Value, bits: int) -> tuple[Value, Value]:
    """So many bits of 1/sqrt(x) below the point, of a number x with two bits above the point that
    is more than 1; and the last remainder. The first bit is a one.

    With the root q so far, of i bits, the remainder is 4^i - q^2 x: a row takes (4q + 1) x from
    four times as much.
    """
    fraction = len(x) - 2
    rest: Value = wire(m, "row1_rest", (Const(4 << fraction) - x)[: len(x)])
    times: Value = x
    found: Value = Const(1, 1)
    for i in range(2, bits + 1):
        width = fraction + i + 3
        taken = Cat(Const(0, 2), rest)
        off = wire(m, f"row{i}_off", Cat(Const(0, 2), times) + x)
        fits, rest = restoring_row(m, f"row{i}", taken, off)
        rest = rest[:width]
        times = wire(
            m, f"row{i}_times", Cat(Const(0, 1), times) + (x & fits.replicate(len(x))), width
        )
        found = Cat(fits, found)
    return found, rest


def reciprocal_root_rows(
    m: Module, x: Value, found: Value, times: Value, rest: Value, bits: int
) -> tuple[Value, Value, Value]:
    """So many more bits of 1/sqrt(x), as `reciprocal_root` finds them, in rows of one width: the
    root, the root times x, and the remainder, each in as many bits as it had."""
    for i in range(bits):
        off = wire(m, f"row{i}_off", Cat(Const(0, 2), times) + x)
        fits, left = restoring_row(m, f"row{i}", Cat(Const(0, 2), rest), off)
        rest = left[: len(rest)]
        product = Cat(Const(0, 1), times) + (x & fits.replicate(len(x)))
        times = wire(m, f"row{i}_times", product, len(times))
        found = Cat(fits, found)[: len(found)]
    return found, times, rest
