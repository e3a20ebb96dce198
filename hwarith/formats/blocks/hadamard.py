"""The random Hadamard transform: what is large in few elements is spread over all of a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...exceptions import InvalidInput, quoted, shown
from ...lazily import np
from ..codec import array_of
from .axes import checked_axis

TE_SIGNS = (1, 1, 1, -1, 1, -1, -1, -1, -1, -1, -1, 1, -1, 1, -1, -1)
"""The signs that TransformerEngine has for all layers (NVFP4, groups of 16)."""

MOST = 1024


@dataclass(frozen=True)
class Hadamard:
    """y = (x * d) H_n / sqrt(n) of each group of n along an axis: d are signs, H_n is Sylvester's
    matrix, whose row i and column j have the sign of the parity of the ones in i & j.

    Parameters
    ----------
    n : a power of two from 2 to 1024.
    signs : n numbers 1 or -1. Default: for 16 `TE_SIGNS`, otherwise all 1.

    It is its own inverse but for the order of signs (`inverse`), so that a product of two matrices
    stays the same if both have been transformed along the axis that is summed over. Sums are formed
    in float64, by butterflies at distances 1, 2, 4, ..., and the result is rounded to the type of
    the array. Where sqrt(n) is irrational (n = 32), 1 / sqrt(n) is rounded to fp32.

    Source: NVFP4 training (arXiv 2509.25149, appendix C); Quartet (arXiv 2505.14669).
    """

    n: int
    signs: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        n = self.n
        if not isinstance(n, int) or isinstance(n, bool) or n < 2 or n > MOST or n & (n - 1):
            raise InvalidInput(
                f"a Hadamard transform has a power of two of elements, 2 to {MOST}, not {quoted(n)}"
            )
        signs = self.signs
        if signs is None:
            signs = TE_SIGNS if n == len(TE_SIGNS) else (1,) * n
        if not isinstance(signs, Sequence | np.ndarray) or isinstance(signs, str | bytes):
            raise InvalidInput(f"signs must be {n} numbers 1 or -1, not {quoted(signs)}")
        if len(signs) != n or any(x not in (1, -1) for x in signs):
            raise InvalidInput(f"signs must be {n} numbers 1 or -1, not {quoted(signs)}")
        object.__setattr__(self, "signs", tuple(int(x) for x in signs))

    @property
    def factor(self) -> float:
        """1 / sqrt(n), which is rounded to fp32."""
        return float(np.float32(self.n**-0.5))

    def __call__(self, x: Any, axis: int = -1) -> np.ndarray:
        """The transform of a float array of any shape, of that shape and type. Raises
        `InvalidInput` if n does not divide the axis."""
        return self._transformed(x, axis, before=np.array(self.signs, float), after=None)

    def inverse(self, y: Any, axis: int = -1) -> np.ndarray:
        """What the transform was made of, but for rounding."""
        return self._transformed(y, axis, before=None, after=np.array(self.signs, float))

    def _transformed(
        self, x: Any, axis: int, before: np.ndarray | None, after: np.ndarray | None
    ) -> np.ndarray:
        array = array_of(x, "what is transformed")
        if array.dtype.kind not in "fiu" and array.dtype.type.__module__ != "ml_dtypes":
            raise InvalidInput(f"a Hadamard transform is of numbers, not of {shown(array.dtype)}")
        axis = checked_axis(axis, array.ndim)
        if array.shape[axis] % self.n:
            raise InvalidInput(
                f"a Hadamard transform of {self.n} elements must divide the axis that it goes "
                f"along, and axis {quoted(axis)} of shape {array.shape} it does not"
            )
        rows = np.moveaxis(array, axis, -1)
        groups = rows.astype(np.float64).reshape(-1, self.n)
        if before is not None:
            groups *= before
        with np.errstate(invalid="ignore"):  # infinities of both signs
            for distance in (1 << k for k in range(self.n.bit_length() - 1)):
                low, high = np.moveaxis(groups.reshape(-1, 2, distance), 1, 0)
                groups = np.stack([low + high, low - high], axis=1).reshape(groups.shape)
            groups *= self.factor
            if after is not None:
                groups *= after
        kind = array.dtype if array.dtype.kind not in "iu" else np.float64
        with np.errstate(over="ignore"):
            done = groups.reshape(rows.shape).astype(kind)
        return np.moveaxis(done, -1, axis)
