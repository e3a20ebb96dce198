"""Chains of multiply-adds whose states fit machine words of 32 bits (`anfma`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ...formats import Format
from ...golden import arrays as engine
from ...units.anfma import AnFma
from ...units.anfma.state import State
from ...units.chain import Chain
from . import loop


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
    k, lam = u.groups or (0, 0)
    bits = u.w + u.guard
    constants = _Constants(
        *map(np.int32, (bits, bits - u.product_bits, u.guard, (1 << u.exponent_bits) - 1,
                        int(u.prodnorm), bits - k, bits - k - lam, k, k + lam))
    )  # fmt: skip
    eb = eb + np.int32(u.product_bits - 1 + excess)
    run = _loop(exact=u.groups is None)
    loop.in_parts(lambda p: run(f[p], x[p], ga[p], ea[p], gb, eb, constants), len(f), gb.size)
    zero = f == 0
    return u.pack_state(
        State(((f < 0) & ~zero).astype(np.int64), np.where(zero, -excess, x - excess),
              np.abs(f).astype(np.int64), state.flags)
    )  # fmt: skip


def _unpacked(f: Format, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Signed significands and exponents of their lsb, int32, of finite codes; subnormals are 0."""
    values = f.decode(codes)
    if not np.isfinite(values).all():
        return None
    values = np.where(np.abs(values) < float(f.smallest_normal), 0.0, values)
    significand, exponent = np.frexp(values)
    whole = np.ldexp(significand, f.precision).astype(np.int32)
    return np.ascontiguousarray(whole), (exponent - f.precision).astype(np.int32)


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


@cache
def _loop(exact: bool) -> Callable:
    import numba

    shift_left, shift_right, leading_zeros = _shifts()
    word = np.int32

    @numba.njit(nogil=True, forceinline=True)
    def by_zeros(m, c):
        return word(c.bits - word(word(32) - leading_zeros(m)))

    @numba.njit(nogil=True, forceinline=True)
    def by_groups(m, c):
        shift = c.k if shift_right(m, c.second) != 0 else c.k_lam
        shift = word(0) if shift_right(m, c.first) != 0 else shift
        return word(-1) if shift_right(m, c.bits) != 0 else shift

    normalizing_shift = by_zeros if exact else by_groups

    def run(fs, xs, ga, ea, gb, eb, c):
        for i in range(ga.shape[0]):
            f_i, x_i = fs[i], xs[i]
            for k in range(ga.shape[1]):
                g_k, e_k, gb_k, eb_k = ga[i, k], ea[i, k], gb[k], eb[k]
                for j in range(f_i.size):
                    f, x = f_i[j], x_i[j]
                    p = word(g_k * gb_k[j])
                    xp = word(0) if p == 0 else word(e_k + eb_k[j])
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
                    x_i[j] = word(0) if m == 0 else word(word(top - shift) & c.exponents)
                    f_i[j] = word(-m) if t < 0 else m

    compiled = numba.njit(nogil=True)(run)
    matrix = numba.int32[:, ::1]
    with engine._vectorized():
        compiled.compile((*[matrix] * 6, numba.typeof(_Constants(*[np.int32(0)] * 9))))
    return compiled


@cache
def _shifts() -> tuple[Any, Any, Any]:
    """Shifts of 32-bit words by less than 32 places, and the number of leading zeros, as single
    instructions."""
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    def of_two(name: str) -> Any:
        def instruction(typing_context: Any, x: Any, n: Any) -> Any:
            def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
                return getattr(builder, name)(*args)

            return types.int32(types.int32, types.int32), codegen

        return intrinsic(instruction)

    @intrinsic
    def leading_zeros(typing_context: Any, x: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 0))

        return types.int32(types.int32), codegen

    return of_two("shl"), of_two("lshr"), leading_zeros
