"""Golden definition of the multiply-add whose format is a port: the format's own on each lane."""

from __future__ import annotations

from ...golden import golden
from ..exact.definitions import fma


@golden
def multi(a, b, c, fmt, mode, word, formats, widths, rules):
    """a * b + c of each lane of words, in the format that `fmt` is the number of; the last one of
    those of higher numbers. `widths` are the workspaces of `fma`, by format."""
    k = min(fmt, len(formats) - 1)
    f = formats[k]
    bits = f.bits
    mask = (1 << bits) - 1
    y = 0
    for i in range(word // bits):
        at = i * bits
        x = fma(
            a >> at & mask, b >> at & mask, c >> at & mask, mode << 2, f, f, f, f, rules, widths[k]
        )
        y |= x << at
    return y
