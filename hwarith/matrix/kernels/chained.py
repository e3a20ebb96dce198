"""Chains of multiply-adds whose states fit machine words of 32 bits (`anfma`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ...formats import Format
from ...golden.compiler import inlined
from ...golden.instructions import leading_zeros, shifts
from ...golden.kernels import Kernel
from ...golden.vectors import each
from ...units.anfma import AnFma
from ...units.anfma.state import State
from ...units.chain import Chain
from ..tiles import in_rows
from .loop import LEAST_WORK

_BELOW_ALL = -(1 << 29)
"""An exponent, twice of which an int32 still holds, less than any of a sum."""


def accumulate(chain: Chain, a: np.ndarray, b: np.ndarray, acc: np.ndarray) -> np.ndarray | None:
    """`hwarith.matrix.kernels.accumulate` for `anfma`, on factors without infinities and NaN, if a
    sum has at most 31 bits.

    The same steps as `hwarith.units.anfma.definitions.multiply_add`, on significands with their
    sign and on exponents, each in an array of its own. Flags stay as they are.
    """
    u = chain.add
    if not isinstance(u, AnFma) or u.w + u.guard > 30 or u.exponent_bits > 24:
        return None
    factors = [_unpacked(f, x) for f, x in zip(chain.operand_formats, (a, b), strict=True)]
    if None in factors:
        return None
    (ga, ea), (gb, eb) = (x for x in factors if x is not None)
    state = u.unpack_state(acc)
    excess = 1 << (u.exponent_bits - 1)
    f = np.where(state.sign == 1, -state.significand, state.significand).astype(np.int32)
    x = np.where(state.significand == 0, 0, state.exponent + excess).astype(np.int32)
    constants = _constants(u)
    eb = eb + np.int32(u.product_bits - 1 + excess)
    run = _loop(exact=u.groups is None)

    def work(part: slice) -> None:
        run(f[part], x[part], ga[part], ea[part], gb, eb, constants)

    in_rows(work, len(f), gb.size, LEAST_WORK)
    zero = f == 0
    sign = ((f < 0) & ~zero).astype(np.int64)
    exponent = np.where(zero, -excess, x - excess)
    return u.pack_state(State(sign, exponent, np.abs(f).astype(np.int64), state.flags))


def _unpacked(f: Format, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Signed significands and exponents of their lsb, int32, of finite codes; subnormals are 0.
    The exponent of 0 is below all others, so that a product of it never decides an alignment."""
    values = f.decode(codes)
    if not np.isfinite(values).all():
        return None
    values = np.where(np.abs(values) < float(f.smallest_normal), 0.0, values)
    significand, exponent = np.frexp(values)
    whole = np.ldexp(significand, f.precision).astype(np.int32)
    exponent = np.where(whole == 0, _BELOW_ALL, exponent - f.precision)
    return np.ascontiguousarray(whole), exponent.astype(np.int32)


class _Constants(NamedTuple):
    bits: np.int32  # of a sum without its carry
    left: np.int32  # from a product's lsb to a sum's
    guard: np.int32
    exponents: np.int32  # mask
    normalize_product: np.int32
    first: np.int32  # lsb of the first group of bits that the normalizer looks at
    second: np.int32  # and of the second one
    k: np.int32  # shifts, if the first group is zero, or both
    k_lam: np.int32


def _constants(u: AnFma) -> _Constants:
    k, lam = u.groups or (0, 0)
    bits = u.w + u.guard
    numbers = {
        "bits": bits,
        "left": bits - u.product_bits,
        "guard": u.guard,
        "exponents": (1 << u.exponent_bits) - 1,
        "normalize_product": int(u.prodnorm),
        "first": bits - k,
        "second": bits - k - lam,
        "k": k,
        "k_lam": k + lam,
    }
    return _Constants(**{name: np.int32(number) for name, number in numbers.items()})


@cache
def _loop(exact: bool) -> Kernel:
    return Kernel(_make_loop, exact)


def _make_loop(exact: bool) -> Callable:
    step = _step(exact)
    each_sum = each(vectors=True)

    def run(fs, xs, ga, ea, gb, eb, c):
        for i in range(ga.shape[0]):
            state = fs[i], xs[i]
            for k in range(ga.shape[1]):
                each_sum(step, state, (*state, gb[k], eb[k]), (ga[i, k], ea[i, k], c))

    return run


def _step(exact: bool) -> Any:
    """The step on significands and exponents of a sum and of two factors."""
    import numba

    word = np.int32
    shift_left, shift_right = shifts(numba.int32)
    normalizing_shift = _shift_by_zeros() if exact else _shift_by_groups()

    @inlined
    def step(elements, scalars):
        f, x, gb, eb = elements
        ga, ea, c = scalars
        p = word(ga * gb)
        xp = word(ea + eb)
        fp = shift_left(word(abs(p)), c.left)
        unnormalized = c.normalize_product & word(p != 0)
        unnormalized &= word(shift_right(fp, word(c.bits - 1)) == 0)
        xp, fp = word(xp - unnormalized), shift_left(fp, word(unnormalized))
        top = max(xp, x)
        fp = shift_right(fp, min(word(top - xp), c.bits))
        fc = shift_left(word(abs(f)), c.guard)
        fc = shift_right(fc, min(word(top - x), c.bits))
        fp, fc = word(-fp) if p < 0 else fp, word(-fc) if f < 0 else fc
        t = word(fp + fc)
        m = word(abs(t))
        shift = normalizing_shift(m, c)
        carry = word(shift < 0)
        m = shift_right(shift_left(m, word(shift + carry)), word(carry + c.guard))
        exponent = word(0) if m == 0 else word(word(top - shift) & c.exponents)
        return word(-m) if t < 0 else m, exponent

    return step


def _shift_by_zeros() -> Any:
    import numba

    zeros, word = leading_zeros(numba.int32), np.int32

    @inlined
    def by_zeros(m, c):
        return word(c.bits - word(word(32) - zeros(m)))

    return by_zeros


def _shift_by_groups() -> Any:
    import numba

    word = np.int32
    _, shift_right = shifts(numba.int32)

    @inlined
    def by_groups(m, c):
        shift = c.k if shift_right(m, c.second) != 0 else c.k_lam
        shift = word(0) if shift_right(m, c.first) != 0 else shift
        return word(-1) if shift_right(m, c.bits) != 0 else shift

    return by_groups
