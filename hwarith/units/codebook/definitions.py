"""Golden definition of a weight from codebooks."""

from __future__ import annotations

from ...golden import golden
from ..fpint.definitions import signed


@golden
def weight(first, second, minus, shift, bits, out_bits):
    """The sum of two words of so many bits, with the other sign for `minus`, moved by `shift`; all
    in two's complement."""
    total = signed(first, bits) + signed(second, bits)
    total = (-total if minus else total) + signed(shift, bits)
    return total & ((1 << out_bits) - 1)
