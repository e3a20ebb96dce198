"""Tensors of other libraries, such as PyTorch's, which is not imported: taken by DLPack.

Source: DLPack 1.1, ``dlpack.h``: the codes of types, and where a tensor has its type.
"""

from __future__ import annotations

import ctypes
from typing import Any

from ..exceptions import InvalidInput, quoted
from ..lazily import np
from .names import NAMED, Descriptor

_CPU = 1
_UNSIGNED = 1
_TYPE_OFFSET = 20
"""Bytes before the type of a ``DLTensor``: its address, its device, its number of axes."""

_TYPES = {
    (4, 16): "bf16",
    (7, 8): "e3m4",
    (8, 8): "e4m3",
    (9, 8): "e4m3b11fnuz",
    (10, 8): "e4m3fn",
    (11, 8): "e4m3fnuz",
    (12, 8): "e5m2",
    (13, 8): "e5m2fnuz",
    (14, 8): "e8m0fnu",
}
"""Formats that numpy has no type for, by DLPack's code and bits; narrower ones come packed."""


class _Handed:
    """A tensor on its way to numpy, under a type that numpy has."""

    def __init__(self, capsule: Any, device: tuple[int, int]) -> None:
        self._capsule, self._device = capsule, device

    def __dlpack__(self, **_: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device


def is_tensor(values: Any) -> bool:
    """Whether this is a tensor that is no array of numpy."""
    return hasattr(values, "__dlpack__") and not isinstance(values, np.ndarray | np.generic)


def array_of_tensor(tensor: Any, what: str) -> tuple[np.ndarray, Descriptor | None]:
    """A tensor as an array of numpy that shares its memory; of a format that numpy has no type for
    its bit patterns, and the format.

    Raises `InvalidInput`, naming `what`, for a tensor that is not in the memory of the processor,
    that does not hand itself out, or whose type numpy cannot hold.
    """
    try:
        device = tensor.__dlpack_device__()
        if device[0] != _CPU:
            raise InvalidInput(f"{what} must be in the processor's memory; move it there first")
        capsule = tensor.__dlpack__()
        address = _address(capsule)
        code, bits, lanes = (ctypes.c_uint8 * 4).from_address(address + _TYPE_OFFSET)[:3]
        name = _TYPES.get((code, bits)) if lanes == 1 else None
        if name:
            ctypes.c_uint8.from_address(address + _TYPE_OFFSET).value = _UNSIGNED
        array = np.from_dlpack(_Handed(capsule, device))
    except InvalidInput:
        raise
    except Exception as error:  # of whatever library
        raise InvalidInput(f"{what} cannot be taken by DLPack: {quoted(str(error))}") from None
    return array, NAMED[name] if name else None


def _address(capsule: Any) -> int:
    """Where the ``DLTensor`` of a capsule is."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return int(pointer(capsule, b"dltensor"))
