"""What the hardware of I-ViT's functions has in common."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...rtl import wire
from ..division.rows import restoring_row, root_rows


def shift_exp(m: Module, name: str, distance: Value, x0: Value, n: int) -> Value:
    """exp(-S distance) in units of S / 2^n, of an unsigned distance and the magnitude x0.

    A restoring row finds each bit of the number q of halvings, and what is left of the distance
    falls off from 2 x0 in a straight line.
    """
    most = wire(m, f"{name}_most", x0 * n)
    # Of -distance the shifts round down: those of the distance round up.
    half, sixteenth = distance - distance[1:], distance[4:] + distance[:4].any()
    octaves = wire(m, f"{name}_octaves", distance + half - sixteenth, len(distance) + 1)
    clamped = wire(m, f"{name}_clamped", Mux(octaves < most, octaves, most), len(most))
    halvings, rest = quotient(m, f"{name}_halvings", clamped, x0, n.bit_length())
    line = wire(m, f"{name}_line", 2 * x0 - rest, len(x0) + 1)
    grown = Cat(Const(0, n - 1), line)
    return rtl.move_right(m, f"{name}_halved", grown, halvings)[: len(x0) + n]


def quotient(m: Module, name: str, value: Value, divisor: Value, bits: int) -> tuple[Value, Value]:
    """So many bits of floor(value / divisor), and the remainder, by restoring rows that bring down
    a bit each; the bits of the value above these are less than the divisor.

    Of a divisor of 0 the bits are ones.
    """
    rest: Value = value[bits:]
    found: list[Value] = []
    for i in reversed(range(bits)):
        taken = Cat(value[i], rest)
        fits, rest = restoring_row(m, f"{name}_row{i}", taken, divisor)
        rest = rest[: len(divisor)]
        found.insert(0, fits)
    return Cat(*found), rest


def reciprocal(m: Module, name: str, total: Value) -> Value:
    """floor((2^31 - 1) / total), which of 0 is as of 1."""
    found, _ = quotient(m, name, Const((1 << 31) - 1, 31), total, 31)
    return found


def clamped_sum(m: Module, name: str, total: Value, bits: int) -> Value:
    """A sum in so many bits, all ones if it has more."""
    beyond = total[bits:].any()
    return wire(m, name, total[:bits] | beyond.replicate(bits), bits)


def share(m: Module, name: str, e: Value, factor: Value, out: int) -> Value:
    """(e factor) 2^(out - 32), at most 2^(out - 1) - 1, in out - 1 bits."""
    whole = rtl.product(m, f"{name}_product", e, factor)[32 - out :]
    return clamped_sum(m, name, whole, out - 1)


def square_root(m: Module, v: Value) -> Value:
    """The integer square root of an even number of bits, by a restoring row for each of its own."""
    pairs = [v[i : i + 2] for i in reversed(range(0, len(v), 2))]
    found, _ = root_rows(m, Const(0, 0), Const(0, 0), pairs)
    return found


def newton_root(m: Module, v: Value) -> Value:
    """Ten of Newton's iterations for the square root of 32 bits, k = (k + v / k) / 2 from 2^16 on.

    After i of them k is at least 2^(16 - i): so many bits less of the quotient may be ones.
    """
    k: Value = Const(1 << 16, 17)
    for i in range(10):
        found, _ = quotient(m, f"newton{i}", v, k, 16 + i) if i else (v[16:], None)
        k = wire(m, f"root{i}", (k + found)[1:], 17)
    return k
