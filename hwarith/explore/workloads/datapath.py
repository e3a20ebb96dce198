"""Units put together so that they compute sums of products, as workloads need them.

* A multiply-add unit accumulates: ``acc = fma(x[k], w[k], acc)``;
* a product unit's results go through an exact adder with a wide accumulator;
* an adder accumulates products that an exact multiplier rounds to the adder's first format;

each for k in ascending order.
"""

from __future__ import annotations

import numpy as np

from ...errors import InvalidInput, quoted
from ...matrix.product import matmul
from ...units import Unit
from ...units.chain import Chain, chain
from ...units.operations import Role


def datapath(unit: Unit) -> Chain:
    """The units around `unit` that make it compute sums of products.

    Raises `InvalidInput` for a unit that cannot: one that does not accumulate in the format of
    its result, or of an operation that is none of product, sum and multiply-add.
    """
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
    if not path.operand_formats[1].signed:
        raise InvalidInput(f"{unit.spec}: weights have signs, {path.operand_formats[1]} has none")
    return path


def accumulate(path: Chain, x: np.ndarray, w: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Codes of ``x w + bias`` (images, outputs) for codes of inputs (images, inputs), weights
    (inputs, outputs) and bias (outputs)."""
    if path.multiply is None:
        return matmul(path.add, x, w, bias)
    return matmul(path.multiply, x, w, bias, add=path.add)


def operands_met(
    path: Chain, unit: Unit, x: np.ndarray, w: np.ndarray, bias: np.ndarray
) -> tuple[np.ndarray, ...]:
    """The operands of `unit` in `accumulate`, one dot product after the other, step by step."""
    acc = np.broadcast_to(path.begin(bias), (len(x), len(bias)))
    steps = []
    for k in range(len(w)):
        x_k, w_k = x[:, k : k + 1], w[k : k + 1]
        met: tuple[np.ndarray, ...] = (x_k, w_k)
        if unit is not path.multiply:
            met = (x_k, w_k, acc) if path.multiply is None else (path.multiply(x_k, w_k), acc)
            acc = path.add(*met)
        steps.append(np.broadcast_arrays(*met))
    return tuple(np.stack(codes, axis=-1).ravel() for codes in zip(*steps, strict=True))
