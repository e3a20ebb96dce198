"""Units put together so that they compute sums of products, as workloads need them.

* A multiply-add unit accumulates: ``acc = fma(x[k], w[k], acc)``;
* a product unit's results go through an exact adder with a wide accumulator;
* an adder accumulates products that an exact multiplier rounds to the adder's first format;
* a dot product takes n pairs at a time, with the scales of their blocks if it has such (`dots`);
* ``dfpmac`` takes two pairs at a time (`pairs`);

each for k in ascending order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...exceptions import InvalidInput, quoted
from ...formats import Format
from ...matrix.product import matmul
from ...units import Unit
from ...units.chain import Chain, chain
from ...units.dot import Dot
from ...units.mac.pair import PairMac
from ...units.operations import Role
from .dots import DotPath
from .pairs import PairPath
from .paths import Datapath, Encoded, check_weights


def datapath(unit: Unit) -> Datapath:
    """The units around `unit` that make it compute sums of products.

    Raises `InvalidInput` for a unit that cannot: one that does not accumulate in the format of
    its result, or of an operation that is none of product, sum, multiply-add and dot product.
    """
    if isinstance(unit, Dot):
        return DotPath(unit)
    if isinstance(unit, PairMac):
        return PairPath(unit)
    role = unit.operation.role
    if role is Role.ADDS:
        first = next(iter(unit.operands.values()))
        exact = "fp32" if first.is_float else "int8"
        path = chain(f"mul:a={exact},out={first}", unit)
    elif role in (Role.MULTIPLIES, Role.ACCUMULATES):
        path = chain(unit)
    else:
        raise InvalidInput(
            f"{unit.spec}: a network cannot run on operation {quoted(unit.operation.name)}"
        )
    check_weights(unit, path.operand_formats[1])
    return ChainPath(unit, path)


@dataclass(frozen=True)
class ChainPath(Datapath):
    """Products and sums one after the other, by the units of a `chain`."""

    unit: Unit
    chain: Chain

    @property
    def operand_formats(self) -> tuple[Format, Format]:
        return self.chain.operand_formats

    @property
    def product_format(self) -> Format | None:  # type: ignore[override]
        return self.chain.product_format

    @property
    def first(self) -> Format:
        return self.chain.first

    @property
    def last(self) -> Format:
        return self.chain.last

    def left(self, x: np.ndarray, scale: ArrayLike = 1.0) -> Encoded:
        return _encoded(self.operand_formats[0], x, scale)

    def right(self, w: np.ndarray, scale: ArrayLike = 1.0) -> Encoded:
        return _encoded(self.operand_formats[1], w, scale)

    def accumulate(self, x: Encoded, w: Encoded, bias: np.ndarray | None = None) -> np.ndarray:
        multiply, add = self.chain
        x, w = self._whole_steps(x, w)
        if multiply is None:
            return matmul(add, x.codes, w.codes, bias)
        return matmul(multiply, x.codes, w.codes, bias, add=add)

    def operands_met(
        self, x: Encoded, w: Encoded, bias: np.ndarray, most: int | None = None
    ) -> tuple[np.ndarray, ...]:
        multiply, add = self.chain
        x, w = self._whole_steps(x, w)
        n, k = self.chain.lanes, len(w.codes)
        acc = np.broadcast_to(self.chain.begin(bias), (len(x.codes), len(bias)))
        steps = []
        for start in range(0, k if most is None else min(k, max(most, n)), n):
            pair = x.codes[:, None, start : start + n], w.codes.T[None, :, start : start + n]
            met: tuple[np.ndarray, ...] = tuple(np.broadcast_arrays(*pair))
            if not add.lane_formats:
                met = tuple(codes[..., 0] for codes in met)
            if self.unit is not multiply:
                met = (*met, acc) if multiply is None else (multiply(*met), acc)
                acc = add(*met)
            steps.append(met)
        return tuple(
            np.stack(codes, axis=2).reshape(-1, *codes[0].shape[2:])
            for codes in zip(*steps, strict=True)
        )

    def _whole_steps(self, x: Encoded, w: Encoded) -> tuple[Encoded, Encoded]:
        """With zeros at the end of sums whose length is no multiple of what a step takes."""
        missing = -len(w.codes) % self.chain.lanes
        if not missing:
            return x, w
        left = np.pad(x.codes, ((0, 0), (0, missing)))
        return Encoded(left, x.scale), Encoded(np.pad(w.codes, ((0, missing), (0, 0))), w.scale)


def _encoded(f: Format, x: np.ndarray, scale: ArrayLike) -> Encoded:
    factor = np.asarray(scale, float)
    return Encoded(f.encode(x / factor), factor)
