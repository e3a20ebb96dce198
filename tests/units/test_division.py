"""Quotients and roots against published digests of results and flags, and their hardware."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.flow.stimuli.families import stimulus
from tests.digests import digest, stimulus_of
from tests.evidence import assert_golden, assert_rtl_equals_golden
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


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("family", RESULTS)
def test_published_digests(family: str, name: str) -> None:
    u = hw.unit(f"{family}:a={name},flags=after")
    y, flags = u(*stimulus_of(u))
    place = FORMATS.index(name)
    assert digest(y) == RESULTS[family][place]
    assert digest(flags.astype(np.uint8)) == FLAGS[family][place]


OTHERS = {  # of other modes and of mixed formats
    "div:a=fp16,round=rup": "6d482d1176a47c4e",
    "div:a=fp16,round=rdn": "1fc41444e2303a89",
    "div:a=fp16,round=rtz": "de06584ab4f614fb",
    "recip:a=fp16,round=rup": "12c5dc7461ec4aaa",
    "recip:a=fp16,round=rdn": "a46d7ce0e964a580",
    "recip:a=fp16,round=rtz": "ee6054806ad9f2dd",
    "sqrt:a=fp16,round=rup": "6056ffe28b538de4",
    "sqrt:a=fp16,round=rdn": "8964dd6b4ebbd888",
    "sqrt:a=fp16,round=rtz": "8964dd6b4ebbd888",
    "rsqrt:a=fp16,round=rup": "45f5f831a92304bc",
    "rsqrt:a=fp16,round=rdn": "b011d7352370d37b",
    "rsqrt:a=fp16,round=rtz": "b011d7352370d37b",
    "div:a=bf16,b=fp16,out=fp32": "5bed8997d1258077",
    "div:a=fp32,out=bf16": "5a0d43dd3cf7989c",
    "div:a=fp16,out=e4m3fn": "e8da92c749337f0d",
}


@pytest.mark.parametrize("spec", OTHERS)
def test_published_digests_of_other_modes_and_formats(spec: str) -> None:
    u = hw.unit(spec)
    assert digest(u(*stimulus_of(u))) == OTHERS[spec]


COUNTS = {  # NV, DZ, OF, UF, NX of all operands
    "div:a=e4m3fn": (4, 504, 6284, 11136, 49264),
    "div:a=e5m2": (1028, 492, 7112, 8324, 40292),
    "recip:a=e4m3fn": (0, 2, 2, 40, 218),
    "recip:a=e5m2": (2, 2, 2, 12, 184),
    "sqrt:a=e4m3fn": (126, 0, 0, 0, 110),
    "sqrt:a=e5m2": (126, 0, 0, 0, 107),
    "rsqrt:a=e4m3fn": (126, 2, 0, 0, 117),
    "rsqrt:a=e5m2": (126, 2, 0, 0, 107),
}


@pytest.mark.parametrize("spec", COUNTS)
def test_how_many_results_have_a_flag(spec: str) -> None:
    u = hw.unit(f"{spec},flags=after")
    flags = u(*stimulus_of(u))[1]
    assert tuple(int((flags & bit > 0).sum()) for bit in (16, 8, 4, 2, 1)) == COUNTS[spec]


VECTORS = {  # operands, result, flags
    "div:a=fp16": [
        (0x3C00, 0x4200, 0x3555, 1),
        (0x7BFF, 0x0001, 0x7C00, 5),
        (0x0001, 0x7BFF, 0x0000, 3),
        (0x0401, 0x4000, 0x0200, 3),
        (0x0003, 0x4000, 0x0002, 3),
        (0x3C00, 0x8000, 0xFC00, 8),
        (0x7C00, 0x8000, 0xFC00, 0),
        (0x8000, 0x0000, 0x7E00, 16),
        (0x3C00, 0xFC00, 0x8000, 0),
        (0x7D00, 0x3C00, 0x7E00, 16),
    ],
    "div:a=e4m3fn": [(0x38, 0x00, 0x7F, 8), (0x7E, 0x08, 0x7F, 5)],
    "sqrt:a=fp16": [(0x4000, 0x3DA8, 1), (0x0001, 0x0C00, 0), (0x8000, 0x8000, 0)],
    "rsqrt:a=fp16": [(0x4000, 0x39A8, 1), (0x0001, 0x6C00, 0), (0x8000, 0xFC00, 8)],
    "recip:a=fp16": [(0x0001, 0x7C00, 5)],
    "div:a=binary8p4se": [(0x40, 0x00, 0x80, 16)],
    "div:a=fp16,by_zero=nan": [(0x3C00, 0x8000, 0x7E00, 16), (0x7C00, 0x0000, 0x7E00, 16)],
}


@pytest.mark.parametrize("spec", VECTORS)
def test_vectors(spec: str) -> None:
    u = hw.unit(f"{spec},flags=after")
    for *operands, y, flags in VECTORS[spec]:
        assert u(*operands) == (y, flags), [hex(x) for x in operands]


@pytest.mark.parametrize("spec", few(["sqrt:a=fp64", "div:a=fp64", "recip:a=fp64"], 3))
def test_results_of_fp64_are_those_of_the_processor(spec: str) -> None:
    """Other words than those of 64 bits, against an implementation of their own."""
    u = hw.unit(spec)
    random = np.random.default_rng(3)
    codes = random.integers(0, 2**64, (len(u.operands), 20_000), np.uint64)
    operands = codes.view(np.float64)
    with np.errstate(all="ignore"):
        expected = {
            "div": lambda a, b: a / b,
            "sqrt": np.sqrt,
            "recip": lambda a: 1 / a,
        }[u.family](*operands)
    found = u(*codes).view(np.float64)
    np.testing.assert_array_equal(found, expected)
    assert (np.signbit(found) == np.signbit(expected))[~np.isnan(expected)].all()


@pytest.mark.parametrize("name", ["int8", "uint8"])
def test_integers_that_wrap_are_divided_as_by_riscv(name: str) -> None:
    """DIV and DIVU of its M extension: toward zero, the lowest over -1 is itself, x/0 all ones."""
    u = hw.unit(f"div:a={name},round=rtz,overflow=wrap")
    operands = stimulus(u, 1 << 16, seed=5)
    a, b = map(u.a.decode, operands)
    quotients = np.trunc(a / np.where(b == 0, 1, b)).astype(int)
    assert_golden(u, operands, np.where(b == 0, -1, quotients) % 256)


def test_quotients_that_wrap_keep_their_low_bits() -> None:
    u = hw.unit("div:a=int16,b=fix2.6,out=int8,overflow=wrap")
    a, b = stimulus(u, 4000, seed=8)
    exact = [
        Fraction(x) / y if y else None for x, y in zip(u.a.decode(a), u.b.decode(b), strict=True)
    ]
    assert_golden(u, (a, b), np.array([255 if x is None else round(x) % 256 for x in exact]))
    assert any(x is not None and abs(x) > 255 for x in exact)
    wide = hw.unit("div:a=int32,round=rtz,overflow=wrap,by_zero=riscv")
    assert wide.spec == "div:a=int32,b=int32,out=int32,round=rtz,overflow=wrap"
    assert wide(0x80000000, 0xFFFFFFFF) == 0x80000000
    assert wide(7, 0) == wide(0, 0) == 0xFFFFFFFF
    assert wide(0xFFFFFFF9, 2) == 0xFFFFFFFD  # -7 / 2


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("div:a=fp16,by_zero=riscv", "by_zero: must be inf or nan with overflow=nosat, not riscv"),
        ("div:a=int8,by_zero=riscv", "must be inf or nan with overflow=saturate, not riscv"),
        ("div:a=int8,overflow=wrap,by_zero=inf", "must be riscv with overflow=wrap, not inf"),
        ("div:a=int8,overflow=wrap,flags=after", "flags: there are none with overflow=wrap"),
        ("div:a=fp16,out=int8,overflow=wrap", "overflow: must be saturate or indefinite for int8"),
        ("recip:a=int8,by_zero=riscv", "by_zero: unknown value 'riscv'"),
    ],
)
def test_what_cannot_wrap_is_refused(spec: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        hw.unit(spec)


WIDE = ("rsqrt:a=fp32", "rsqrt:a=fp64", "div:a=fp64,b=fp16,out=e15m112", "sqrt:a=e15m112")


@pytest.mark.parametrize("spec", few(WIDE, 4))
def test_compiled_and_interpreted_are_equal(spec: str) -> None:
    """The wide divisions and roots of the compiler against those of Python."""
    u = hw.unit(spec)
    random = np.random.default_rng(4)
    operands = [
        np.array([int.from_bytes(random.bytes(16), "little") % 2**f.bits for _ in range(300)])
        for f in u.operands.values()
    ]
    operands = [x.astype(f.dtype) for x, f in zip(operands, u.operands.values(), strict=True)]
    assert u(*operands).tolist() == [u.golden(*map(int, x)) for x in zip(*operands, strict=True)]


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "div:a=e4m3fn,flags=after",
            "div:a=e5m2,round=port,flags=before",
            "div:a=e4m3,subnormals=flush,flags=after",
            "div:a=fp16,stages=3",
            "rsqrt:a=fp16,flags=after",
            "recip:a=e4m3,flags=after,stages=2",
            "div:a=e3m2fn,b=e2m1fn,out=fp16,round=port,flags=after",
            "div:a=bf16,round=rto,overflow=saturate",
            "div:a=fp16,flags=after",
            "div:a=binary8p4se,round=rup,flags=after",
            "sqrt:a=e4m3fn,round=sra,n=6",
            "div:a=e5m2,nan=payload,by_zero=nan,flags=after",
            "sqrt:a=bf16,flags=after",
            "div:a=int8,b=e4m3fn,out=bf16,flags=after",
            "rsqrt:a=e4m3fn,out=e5m2,round=port,flags=before",
            "sqrt:a=fp16,out=e4m3fn,subnormals=ftz,flags=after",
            "recip:a=fp16,out=bf16,subnormals=daz",
            "rsqrt:a=binary8p3se,flags=after",
            "div:a=ue4m3,out=ue4m3",
            "div:a=e8m0fnu,b=e4m3fn,out=bf16",
            "div:a=fp32,flags=after",
            "sqrt:a=fp32,stages=4",
            "div:a=int8,round=rtz,overflow=wrap",
            "div:a=uint8,round=rtz,overflow=wrap",
            "div:a=int16,b=int8,out=int8,overflow=wrap",
            "div:a=fix4.4,b=ufix2.6,out=int4,round=port,overflow=wrap",
            "div:a=int8,out=fix4.4,round=sra,n=5,overflow=wrap,stages=2",
            "div:a=int32,round=rtz,overflow=wrap",
        ],
        4,
    ),
)
def test_hardware(spec: str) -> None:
    assert_rtl_equals_golden(spec)
