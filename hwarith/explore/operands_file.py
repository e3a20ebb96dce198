"""Own operands for a unit's error metrics, from numpy's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..exceptions import InvalidInput, listed, shown
from ..formats import Format
from ..inputs import read_arrays
from ..units import Unit
from ..units.chain import chain_of_one


def read_operands(unit: Unit, path: Path) -> list[np.ndarray]:
    """Operand codes of a unit, as `hwarith.explore.evaluate` takes them.

    An ``.npz`` file has an array under the name of each operand; an ``.npy`` file one array, whose
    first axis is that of the operands in their order. Blocks have a last axis for their lanes.
    Unsigned integers are codes; floats and signed integers are values, which are rounded to the
    nearest codes. Shapes broadcast.

    Raises `InvalidInput` for a file that cannot be read or is not as said here.
    """
    formats = dict(chain_of_one(unit).operands)
    formats |= {name: f for name, (f, _) in unit.lane_formats.items() if name in formats}
    arrays = read_arrays(path, "operands")
    if not isinstance(arrays, dict):
        if arrays.ndim == 0 or len(arrays) != len(formats):
            raise InvalidInput(
                f"operands {shown(path)}: the first axis must be that of the {len(formats)} "
                f"operands ({', '.join(formats)}), not of {arrays.shape}"
            )
        arrays = dict(zip(formats, arrays, strict=True))
    if set(arrays) != set(formats):
        raise InvalidInput(
            f"operands {shown(path)}: must have the arrays {', '.join(formats)}, "
            f"not {listed(arrays)}"
        )
    return [
        _codes(f, arrays[name], f"operands {shown(path)}: {name}") for name, f in formats.items()
    ]


def _codes(f: Format, array: Any, what: str) -> np.ndarray:
    if array.dtype.kind == "u":
        return f.check(array, what)
    if array.dtype.kind not in "fi":
        raise InvalidInput(f"{what} must be codes (unsigned) or values, not {shown(array.dtype)}")
    return np.asarray(f.encode(array))
