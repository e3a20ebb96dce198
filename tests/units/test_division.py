"""Quotients and roots against published digests of results and flags, and their hardware."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

import hwarith as hw
from tests.evidence import assert_rtl_equals_golden
from tests.tiers import few

FORMATS = ("e4m3fn", "e5m2", "bf16", "fp16", "fp32")
RESULTS = {
    "div": [
        "9e83766f83b4ed7c",
        "9e78246a521ba436",
        "a99551165ff44fcc",
        "4446338341a994ea",
        "b8b42e0adbedbb63",
    ],
    "sqrt": [
        "7deb97b1f4ba11a5",
        "54196c5f954d1bf6",
        "c16791b940cef0c7",
        "885e5db6fed6cc52",
        "ea8006afe2ec891d",
    ],
    "recip": [
        "f1586389ed4fa568",
        "25ecea6116b3de89",
        "2969bb0e7b5c995e",
        "407f73f8180a9ff0",
        "249230007f27ae54",
    ],
    "rsqrt": [
        "3e5b4d80ea86e3ee",
        "a43760ef5710602c",
        "a71c9696b66cb030",
        "44e7d4bdc00a85d5",
        "0b0a3f95f12fb910",
    ],
}
FLAGS = {
    "div": [
        "e4ca65a200965f57",
        "ac60675b32f3d193",
        "b17cb6cd238d18d8",
        "21601c549c7a70e7",
        "6b610af61f12680e",
    ],
    "sqrt": [
        "3ea5c591ea62f24d",
        "f6b97b595751f727",
        "b99758fc34460a93",
        "a10efba168610d63",
        "4a1b3cb758c71e64",
    ],
    "recip": [
        "f7665aa89b496ba1",
        "9011853a630cd1cf",
        "479ec7ce2a016709",
        "e5498c36b5fc984c",
        "1f5ed01060f07cc3",
    ],
    "rsqrt": [
        "f8ebf71ae9b75670",
        "2e8ec73134c41314",
        "dcd7071d5aad590f",
        "4167cde18930e060",
        "5fcc5a58542414cd",
    ],
}


def words() -> np.ndarray:
    """The two hundred thousand words of the published stimulus."""
    state, found = 1, []
    for _ in range(200_000):
        state = (6364136223846793005 * state + 1442695040888963407) % 2**64
        found.append(state >> 32)
    return np.array(found, np.uint32)


def stimulus_of(u: hw.Unit) -> list[np.ndarray]:
    formats = list(u.operands.values())
    if formats[0].bits == 8:
        grid = np.meshgrid(*(f.codes() for f in formats), indexing="ij")
        return [x.ravel() for x in grid]
    found = words().reshape(-1, 2).T
    return [(x >> (32 - f.bits)).astype(f.dtype) for x, f in zip(found, formats, strict=False)]


def digest(x: np.ndarray) -> str:
    return hashlib.sha256(x.tobytes()).hexdigest()[:16]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("family", RESULTS)
def test_published_digests(family: str, name: str) -> None:
    u = hw.unit(f"{family}:a={name},flags=after")
    y, flags = u(*stimulus_of(u))
    place = FORMATS.index(name)
    assert digest(y) == RESULTS[family][place]
    assert digest(flags.astype(np.uint8)) == FLAGS[family][place]


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "div:a=e4m3fn,flags=after",
            "div:a=e5m2,round=port,flags=before",
            "div:a=e4m3,subnormals=flush,flags=after",
            "sqrt:a=bf16,flags=after",
            "rsqrt:a=fp16,flags=after",
            "recip:a=e4m3,flags=after,stages=2",
        ],
        4,
    ),
)
def test_hardware(spec: str) -> None:
    assert_rtl_equals_golden(spec)


def test_integer_results_are_refused() -> None:
    with pytest.raises(hw.InvalidInput, match="out: must be a float, not int8"):
        hw.unit("div:a=fp16,out=int8")
