"""Operands that are values, and arrays and tensors that are taken by their type."""

from __future__ import annotations

import ctypes
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import hwarith as hw
from hwarith.formats.tensors import _TYPES

FMA = "fma:a=bf16,c=fp32,out=fp32"


class Tensor:
    """What a library that is not imported hands out: numpy's array under a type of DLPack's."""

    def __init__(self, array: np.ndarray, code: int | None = None, device: int = 1) -> None:
        self.array, self.code, self.device = array, code, device

    def __dlpack__(self, **_: Any) -> Any:
        capsule = self.array.__dlpack__()
        if self.code is not None:
            pointer = ctypes.pythonapi.PyCapsule_GetPointer
            pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
            ctypes.c_uint8.from_address(pointer(capsule, b"dltensor") + 20).value = self.code
        return capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device, 0


def test_values_are_rounded_computed_and_decoded() -> None:
    u = hw.unit(FMA)
    x, y, z = np.random.default_rng(0).normal(size=(3, 50))
    bf16, fp32 = hw.format("bf16"), hw.format("fp32")
    codes = u(bf16.encode(x), bf16.encode(y), fp32.encode(z))
    np.testing.assert_array_equal(u(x, y, z, values=True), fp32.decode(codes))
    assert u(1.5, 2, Fraction(1, 4), values=True) == 3.25
    assert hw.unit("mul:a=e4m3fn")([500, 1], 1, values=True).tolist() == [448, 1]  # clipped
    assert hw.unit("mul:a=int8")([-3, 1.4], 5, values=True).tolist() == [-15, 5]


def test_values_of_groups_lanes_tiles_and_several_results() -> None:
    assert hw.unit("mac:a=int8")([1, 2, 3], [4, -5, 6], values=True) == 12
    dot = hw.unit("dot:a=e4m3fn,n=4,c=fp32,out=fp32")
    assert dot([1, 2, 3, 4], [1, 0.5, 1, 1], 0.25, values=True) == 9.25
    pair = hw.unit("dfpmac:p=16")([3], [2], [4], [1], values=True)
    assert pair._fields == ("y", "ovf")
    assert (pair.y, pair.ovf) == (10, 0)
    engine = hw.unit("engine:pe=(fma:a=bf16,c=fp32,out=fp32),rows=2,columns=2")
    identity = np.eye(2)
    got = engine([[1.5, 2], [3, -4]], identity, np.zeros((2, 2)), values=True)
    assert got.tolist() == [[1.5, 2], [3, -4]]


def test_values_of_unsigned_integers_are_not_rounded() -> None:
    u = hw.unit("add:a=uint8,out=uint9")
    assert u(200, 100.0, values=True) == 300
    for wrong in (1.5, -1, 256, np.nan):
        with pytest.raises(hw.InvalidInput, match="operand a of add: values must be integers from"):
            u(wrong, 1, values=True)


@pytest.mark.parametrize(
    ("dtype", "name"), [("float16", "fp16"), ("float32", "fp32"), ("float64", "fp64")]
)
def test_floats_of_the_format_are_its_codes(dtype: str, name: str) -> None:
    u, x = hw.unit(f"mul:a={name}"), np.array([1.5, -2.25, np.inf, -0.0], dtype)
    np.testing.assert_array_equal(u(x, x), (x * x).view(f"uint{x.itemsize * 8}"))
    assert u(x[0], x[1]) == (x[0] * x[1]).view(f"uint{x.itemsize * 8}")
    assert hw.format(name).decode(x).tolist() == x.tolist()


@pytest.mark.parametrize(
    ("spec", "operand", "message"),
    [
        ("mul:a=fp32", np.ones(2, np.float64), "codes of fp32, not float64 values; hwarith.format"),
        ("mul:a=fp16", np.float32(1), "must be codes of fp16, not float32 values"),
        ("mul:a=fp64", [1.0], "must be codes of fp64 (unsigned integers), not float64 values"),
        ("mul:a=bf16", np.ones(2, ml_dtypes.float8_e5m2), "codes of bf16, not float8_e5m2 values"),
        ("mul:a=bf16", Tensor(np.ones(2, np.float16)), "must be codes of bf16, not float16 values"),
        ("mul:a=e5m2", Tensor(np.ones(2, np.uint8), 10), "codes of e5m2, not e4m3fn values"),
        ("mul:a=bf16", Tensor(np.ones(2, np.uint16), 4, 2), "must be in the processor's memory"),
        ("mul:a=bf16", Tensor(np.ones(2, np.uint8), 17), "cannot be taken by DLPack"),
    ],
)
def test_doubtful_operands_are_refused(spec: str, operand: Any, message: str) -> None:
    with pytest.raises(hw.InvalidInput) as refused:
        hw.unit(spec)(operand, operand)
    assert message in str(refused.value)
    assert str(refused.value).startswith("operand a of mul ")


def test_the_message_says_how_values_are_given() -> None:
    with pytest.raises(hw.InvalidInput, match="a unit does with values=True"):
        hw.unit("mul:a=bf16")([1.0], [1.0])


@pytest.mark.parametrize(("code", "name"), [(code, name) for (code, _), name in _TYPES.items()])
def test_tensors_of_types_that_numpy_lacks(code: int, name: str) -> None:
    f = hw.format(name)
    codes = f.encode([1.0, 2.0, 0.5])
    np.testing.assert_array_equal(f.check(Tensor(codes, code)), codes)
    assert hw.format("fp32").encode(Tensor(codes, code)).view(np.float32).tolist() == [1, 2, 0.5]


def test_tensors_of_types_that_numpy_has() -> None:
    u = hw.unit("mul:a=fp32")
    x = np.array([1.5, 2], np.float32)
    np.testing.assert_array_equal(u(Tensor(x), Tensor(x)), u(x, x))
    np.testing.assert_array_equal(u(Tensor(x), Tensor(x), values=True), [2.25, 4])
    np.testing.assert_array_equal(u(Tensor(x.view(np.uint32)), x), u(x, x))
    q = hw.quantize(Tensor(np.linspace(-1, 1, 64, dtype=np.float32)), "int4", 32)
    assert q.codes.shape == (64,)


def test_a_tensor_that_does_not_hand_itself_out() -> None:
    class Stubborn(Tensor):
        def __dlpack__(self, **_: Any) -> Any:
            raise RuntimeError("requires grad")

    with pytest.raises(hw.InvalidInput, match="values cannot be taken by DLPack: 'requires grad'"):
        hw.format("bf16").encode(Stubborn(np.ones(1)))
