"""Numbers into a format of blocks that keep more than a scale."""

from __future__ import annotations

from ...exceptions import InvalidInput
from ...golden.cores import in_slices
from ...lazily import np
from .format import BlockFormat
from .values import Blocks

SLICE = 1 << 16
"""Numbers that are worked on at a time: what is made of them stays in a core's cache."""


def quantize_with_metadata(kind: BlockFormat, array: np.ndarray, size: int, axis: int) -> Blocks:
    """Blocks of so many numbers along an axis, by the format's `Metadata`; in fp32, or those of
    fp64 as they are, if the format has no tensor scale.

    Raises `InvalidInput` for a size that the format does not have, and for an infinity or NaN if
    its scales have no NaN.
    """
    more = kind.metadata
    assert more is not None
    more.check_block(size, kind.name)
    wide = array.dtype == np.float64 and not kind.tensor_scale
    with np.errstate(over="ignore"):
        array = array.astype(np.float64 if wide else np.float32, copy=False)
    rows = np.ascontiguousarray(np.moveaxis(array, axis, -1))
    v = rows.reshape(-1, size)
    invalid = ~np.isfinite(v).all(axis=1)
    nan_scale = kind.scale.numbers.nan_code
    if invalid.any():
        if nan_scale < 0:
            raise InvalidInput(
                f"{kind} takes finite numbers: its scales, {kind.scale}, have no NaN for a block "
                "with an infinity or NaN in it"
            )
        v = np.where(np.isfinite(v), v, v.dtype.type(0))
    tensor = more.tensor_scale(max(v.max(), -v.min()))
    codes, scales = np.zeros(v.shape, np.uint8), np.zeros(len(v), np.uint8)
    metadata = np.zeros((len(v), more.spans(size)), np.uint8)

    def work(part: slice) -> None:
        numbers = v[part] if tensor is None else v[part] / tensor
        codes[part], scales[part], metadata[part] = more.quantize(kind.element, numbers)

    if tensor == 0:
        tensor = np.float32(1)
    else:
        in_slices(work, len(v), max(1, SLICE // size))
    if invalid.any():
        codes[invalid], scales[invalid], metadata[invalid] = 0, nan_scale, 0
    outer = rows.shape[:-1]
    found = (x.reshape(*outer, -1) for x in (codes, scales, metadata))
    codes, scales, metadata = (np.moveaxis(x, -1, axis) for x in found)
    return Blocks(
        format=kind,
        axis=axis,
        group=size,
        codes=codes,
        scale_codes=scales,
        tensor_scale=tensor,
        metadata=metadata,
    )
