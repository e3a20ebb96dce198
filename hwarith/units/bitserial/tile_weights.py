"""Quantized weights as operands of a tile."""

from __future__ import annotations

from ...exceptions import InvalidInput
from ...formats.weights import Quantized
from ...lazily import np
from .terms import BANK, TermGen
from .weights import MIXED, Weights, special_codes


def by_column(encoder: TermGen, kind: Weights, weights: Quantized) -> list[np.ndarray]:
    """Codes, scales and special values (or their places in `bank_of`) of weights of a type, as a
    tile with this encoder takes them."""
    codes = weights.codes
    if encoder.type == MIXED:
        sign = np.int64(1) << (kind.bits - 1)
        widened = (codes.astype(np.int64) ^ sign) - sign & 255
        codes = codes << (4 - kind.bits) if kind.floating else widened
    assert weights.scale_codes is not None
    operands = [codes.astype(np.uint8), weights.scale_codes]
    if encoder.takes_floats:
        specials = special_codes(_halves(weights))
        if encoder.has_bank:
            specials = np.searchsorted(np.unique(specials), specials).astype(np.uint8)
        operands.append(specials)
    return operands


def bank_of(weights: Quantized) -> int:
    """The special values of weights side by side, in ascending order of their codes. Raises
    `InvalidInput` if they are too many."""
    codes = np.unique(special_codes(_halves(weights)))
    if len(codes) > BANK:
        raise InvalidInput(
            f"bstile: a bank holds {BANK} special values, {weights.type} has {len(codes)}"
        )
    return sum(int(code) << (6 * i) for i, code in enumerate(codes))


def _halves(weights: Quantized) -> np.ndarray:
    """The special values of weights as integers that count halves."""
    return (2 * weights.specials).astype(np.int64)
