"""Numbers that are quantized block by block."""

from __future__ import annotations

from dataclasses import dataclass

from ...lazily import np
from ...tables import Table, Tabled
from ..quantized import quantized_table
from .format import BlockFormat, repeated
from .hadamard import Hadamard


@dataclass(frozen=True, eq=False)
class Blocks(Tabled):
    """Numbers in a format of blocks; made by `hwarith.quantize`.

    Attributes
    ----------
    format, axis : the format, and the axis along which blocks run, from the end: -1 is the last.
    group, rows : a block has `group` elements along the axis; so many `rows` of the other one of
        the last two axes share its scale (1 but for two-dimensional blocks).
    codes : element codes, unsigned integers of the numbers' shape.
    scale_codes : codes of the blocks' scales, of that shape but that `axis` counts blocks; rows
        that share a scale repeat it.
    metadata : what blocks keep besides, codes of the format's `Metadata`, uint8 of that shape but
        that `axis` counts what shares one; None if the format has none.
    tensor_scale : the scale of all blocks together, a number of fp32; None if the format has none.
    factor : what values are multiplied with besides: 4/3 of Quartet's backward pass, otherwise 1.
    inside : of Quartet's forward pass, which elements were not clipped (the mask of its gradient);
        otherwise None.
    hadamard : the transform that was applied before, or None.
    nmse : the squared error as a share of the numbers' squares, of the transformed ones if there
        was a `hadamard`; None if it is no number.
    """

    format: BlockFormat
    axis: int
    group: int
    codes: np.ndarray
    scale_codes: np.ndarray
    tensor_scale: np.float32 | None = None
    rows: int = 1
    factor: float = 1.0
    inside: np.ndarray | None = None
    hadamard: Hadamard | None = None
    nmse: float | None = None
    metadata: np.ndarray | None = None

    def tables(self) -> list[Table]:
        """Its format, shape, group, bits and error."""
        return [quantized_table(self.format.name, self)]

    @property
    def levels(self) -> np.ndarray:
        """The elements, float64 of the numbers' shape."""
        return self.format.levels(self.codes, self.scale_codes, self.axis, self.metadata)

    @property
    def scales(self) -> np.ndarray:
        """What the elements of each block are multiplied with, that of the tensor and `factor`
        included: float64 of the shape of `scale_codes`."""
        return np.asarray(self.format.scale.decode(self.scale_codes)) * self._of_all

    def values(self) -> np.ndarray:
        """The numbers that the codes stand for, float64 of the numbers' shape; those of the
        transformed ones, if there was a `hadamard`, whose ``inverse`` takes it back."""
        return self.format.decode(
            self.codes, self.scale_codes, self._of_all, self.axis, self.metadata
        )

    @property
    def words(self) -> np.ndarray:
        """What each block keeps beside its elements in one word, as hardware takes it
        (`BlockFormat.words`): of the shape of `scale_codes`."""
        return self.format.words(self.scale_codes, self.metadata, self.axis)

    @property
    def invalid(self) -> np.ndarray:
        """Which elements are in blocks without a value, for an infinity or NaN in them: bool of
        the numbers' shape."""
        nan = np.isnan(np.asarray(self.format.scale.decode(self.scale_codes)))
        return repeated(nan, self.codes.shape, self.axis)

    @property
    def bits_per_weight(self) -> float:
        """Bits of an element's code and its share of what its block keeps and of the tensor's
        scale."""
        scales = self.format.block_bits(self.group) / (self.group * self.rows)
        tensor = 32 / self.codes.size if self.tensor_scale is not None else 0
        return self.format.bits + scales + tensor

    @property
    def _of_all(self) -> float:
        """What all values are multiplied with."""
        return (1.0 if self.tensor_scale is None else float(self.tensor_scale)) * self.factor
