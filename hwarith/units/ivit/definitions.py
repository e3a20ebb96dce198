"""Golden definitions of I-ViT's functions on integers (arXiv 2207.01405, quant_modules.py).

Of a scale S, x0 is floor(-1/S), of which they take the magnitude. A row is a list of codes.
"""

from __future__ import annotations

from ...golden import divide, golden, square_root
from ..mac.definitions import signed

MOST = (1 << 31) - 1
"""What is divided by a sum; and the most that a sum counts as."""


@golden
def shiftexp(a, x0, bits, n):
    """`shift_exp` of a code."""
    return shift_exp(signed(a, bits), x0, n)


@golden
def shift_exp(p, x0, n):
    """exp(S p) in units of S / 2^n, of p <= 0: 2^(-q + r / x0) with 1 + r / 2 x0 for 2^(r / x0).

    A greater p counts as 0; an x0 of 0 gives 0.
    """
    p = min(p, 0)
    p = p + (p >> 1) - (p >> 4)  # times log2(e), about
    p = max(p, -n * x0)
    q = divide(-p, max(x0, 1))
    r = p + x0 * q
    return ((r + 2 * x0) << (n - q)) >> 1


@golden
def shiftmax(x, x0, bits, n, out):
    """exp(x - max x) over the sum of these, in units of 2^-(out - 1)."""
    values = [signed(code, bits) for code in x]
    top = max(values)
    e = [shift_exp(v - top, k, n) for v, k in zip(values, x0, strict=True)]
    factor = reciprocal(sum(e))
    return [share(part, factor, out) for part in e]


@golden
def shiftgelu(x, x0, bits, n, out):
    """x sigmoid(1.702 S x), the sigmoid as exp(x - top) / (exp(x - top) + exp(-top)), in which top
    is the greatest of the row and at least 0."""
    values = [signed(code, bits) for code in x]
    top = max(0, max(values))
    y = []
    for v, k in zip(values, x0, strict=True):
        e = shift_exp(v - top, k, n)
        factor = reciprocal(e + shift_exp(-top, k, n))
        y.append(v * share(e, factor, out) & ((1 << (bits + out - 1)) - 1))
    return y


@golden
def ilayernorm(x, bias, bits, bias_bits, out, newton):
    """floor(d f / 2) + bias of the distances d from the mean, with f = floor((2^31 - 1) / root) of
    the root of the sum of their squares."""
    values = [signed(code, bits) for code in x]
    mean = rounded_quotient(sum(values), len(values))
    squares = min(sum((v - mean) * (v - mean) for v in values), (1 << 32) - 1)
    factor = reciprocal(newton_root(squares) if newton else square_root(squares))
    pairs = zip(values, bias, strict=True)
    y = [((v - mean) * factor >> 1) + signed(b, bias_bits) for v, b in pairs]
    return [number & ((1 << out) - 1) for number in y]


@golden
def reciprocal(total):
    """floor((2^31 - 1) / total); a total beyond 2^31 - 1 counts as that, one of 0 as 1."""
    return divide(MOST, max(min(total, MOST), 1))


@golden
def share(e, factor, out):
    """The part that e is of a sum, by its `reciprocal`, in units of 2^-(out - 1)."""
    return min((e * factor) >> (32 - out), (1 << (out - 1)) - 1)


@golden
def rounded_quotient(total, n):
    """total / n to the nearest integer, ties to even."""
    low = total // n
    twice = 2 * (total - low * n)
    return low + (twice > n or (twice == n and low & 1 == 1))


@golden
def newton_root(v):
    """The square root of 32 bits after ten of Newton's iterations from 2^16: of less than some
    36,000 it is up to 64 too large."""
    k = 1 << 16
    for _ in range(10):
        k = (k + divide(v, k)) >> 1
    return k
