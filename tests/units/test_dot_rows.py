"""Dot products of tensor cores on single rows of known values, computed by hand from the rules.

A row is ``a | b | c | scales -> result`` in hexadecimal; the elements stand from lane 0 on, others
are zeros; ``xN`` repeats one; ``i:x*y`` puts x and y into lane i.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

import hwarith as hw

MXFP8 = "dot:a=e4m3fn,n=32,scale=e8m0fnu,block=32,acc=trunc-25,floor=-133,"
OUT = "c=fp32,out=fp32,round=rtz,overflow=toinf,nan=ones"
MX_E4M3 = MXFP8 + OUT
MX_E5M2 = MX_E4M3.replace("e4m3fn", "e5m2")
MX_FP6 = MX_E4M3.replace("a=e4m3fn", "a=e3m2fn,b=e2m3fn")
GROUPS = f"dot:a=e2m1fn,n=64,scale=ue4m3,block=16,group=16,acc=trunc-35,floor=-139,{OUT}"
GROUPS_E8M0 = GROUPS.replace("ue4m3", "e8m0fnu")
GROUPS_32 = GROUPS_E8M0.replace("block=16", "block=32")

ROWS = [
    (MX_E4M3, "38|38|3F800000|7F 7F->40000000"),
    (MX_E4M3, "00|00|0|7F FF->7FFFFFFF"),
    (MX_E4M3, "38|38|0|00 FE->3F800000"),
    (MX_E4M3, "38|38|0|FE FE->7F800000"),
    (MX_E4M3, "B8|38|0|34 34->00000000"),
    (MX_E5M2, "7C|00|0|7F 7F->7FFFFFFF"),
    (MX_E5M2, "FC|3C|3F800000|00 7F->FF800000"),
    (MX_E5M2, "7C|3C|FF800000|7F 7F->7FFFFFFF"),
    (MX_E4M3, "80 x32|38 x32|80000000|7F 7F->00000000"),
    (MX_E4M3, "38 B8|38 38|33000000|7F 7F->33000000"),
    (MX_E4M3, "38 B8|38 38|32800000|7F 7F->00000000"),
    (MX_E4M3, "01 81|38 38|30000000|7F 7F->30000000"),
    (MX_E4M3, "01 81|38 38|2F800000|7F 7F->00000000"),
    (MX_E4M3, "38|38|7F7FFFFF|E6 7F->7F7FFFFF"),
    (MX_E4M3, "38|38|7F7FFFFF|E7 7F->7F800000"),
    (MX_E4M3, "40 81|38 38|0|34 34->00000001"),
    (MX_E4M3, "40 82|38 38|0|34 34->00000000"),
    (MX_FP6, "1F|1F|0|7F 7F->43520000"),
    (GROUPS, "0:2*2||0|B8 x4|38 x4->3F800000"),
    (GROUPS, "0:2*2||0|38 38 38 7F|38 x4->7FFFFFFF"),
    (GROUPS_E8M0, "0:2*2||0|7F 7F FF 7F|7F x4->7FFFFFFF"),
    (GROUPS_E8M0, "0:7*7 1:F*7 16:2*2||0|93 6F 7F 7F|7F x4->00000000"),
    (GROUPS_E8M0, "16:2*2||0|93 6F 7F 7F|7F x4->37800000"),
    (GROUPS, "0:2*2 16:A*2||2E000000|38 x4|38 x4->2E000000"),
    (GROUPS, "0:2*2 16:A*2||2D800000|38 x4|38 x4->00000000"),
    (GROUPS, "0:2*2 16:A*2||2B000000|01 01 38 38|38 x4->2B000000"),
    (GROUPS, "0:2*2 16:A*2||2A800000|01 01 38 38|38 x4->00000000"),
    (GROUPS_E8M0, "0:2*4||0|FE 7F 7F 7F|7F x4->7F800000"),
    (GROUPS_E8M0, "0:3*2||0|FE 7F 7F 7F|7F x4->7F400000"),
    (GROUPS_E8M0, "0:A*2||0|00 x4|00 x4->00000000"),
    (GROUPS_E8M0, "0:2*4 16:9*1||0|34 28 7F 7F|34 29 7F 7F->00000001"),
    (GROUPS_E8M0, "0:2*4 16:9*1||0|34 29 7F 7F|34 29 7F 7F->00000000"),
    (GROUPS_32, "16:2*2 32:2*2||0|80 81|7F 7F->40C00000"),
    (GROUPS, "0:7*7||0D800000|00 x4|38 x4->0D800000"),
    ("cdna1-fp16-fp32", "F000 B800 B400 B000|6400 3C00 3C00 3C00|4B000000->BF600000"),
    ("cdna1-fp16-fp32", "0C00|0C00|3F800000->3F800000"),
    ("cdna1-fp16-fp32", "0C00 0001|0C00 0001|3F800000->3F800001"),
    ("cdna1-fp16-fp32", "0C00 0001|0C00 8001|BF800000->BF7FFFFF"),
    ("cdna1-fp16-fp32", "0001|0001|0->27800000"),
    ("cdna1-fp16-fp32", "FC00|3C00|7F7FFFFF->FF800000"),
    ("cdna1-fp16-fp32", "7C00 3C00|3C00 FC00|0->7FFFFFFF"),
    ("cdna1-fp16-fp32", "3C00 0 0 0 BC00|0800 0 0 0 0800|45000000->44FFFFFF"),
    ("cdna1-bf16-fp32", "0001|3F80|0->00010000"),
    ("cdna1-bf16-fp32", "0080|3380|0->00000000"),
    ("cdna1-bf16-fp32", "0080 0001|3380 0D80|0->00000001"),
    ("cdna1-bf16-fp32", "7F7F 7F7F|7F7F FF7F|3F800000->3F800000"),
    ("cdna1-bf16-fp32", "7180|4100|7F7FFFFF->7F800000"),
    ("cdna1-bf16-fp32", "7180|4080|7F7FFFFF->7F7FFFFF"),
    ("cdna2-bf16-fp32", "C600 BF00 BE80 BE00|4480 3F80 3F80 3F80|4B000000->BEC00000"),
    ("cdna2-bf16_1k-fp32", "C600 BF00 BE80 BE00|4480 3F80 3F80 3F80|4B000000->00000000"),
    ("cdna2-fp16-fp32", "F000 B800 B400 B000|6400 3C00 3C00 3C00|4B000000->00000000"),
    ("cdna2-fp16-fp32", "03FF|3C00|0->00000000"),
    ("cdna2-fp16-fp32", "83FF|3C00|80000000->00000000"),
    ("cdna2-fp16-fp32", "7C00|0001|0->7FFFFFFF"),
    ("cdna2-fp16-fp32", "0C00 0C00 3C00|0C00 0C00 3C00|0->3F800001"),
    ("cdna2-fp16-fp32", "3C00 0C00 0C00|3C00 0C00 0C00|0->3F800000"),
    ("cdna2-fp16-fp32", "0|0|007FFFFF->00000000"),
    ("cdna2-bf16-fp32", "0080|3F00|0->00000000"),
    ("cdna2-bf16-fp32", "0080|BF80|00800001->00000000"),
    ("cdna2-bf16-fp32", "7F7F|4000|3F800000->7F800000"),
    ("cdna2-bf16-fp32", "7F7F 7F7F|7F7F FF7F|3F800000->7FFFFFFF"),
    ("cdna3-fp16-fp32", "F000 B800 B400 B000|6400 3C00 3C00 3C00|4B000000->BF000000"),
    ("cdna3-e5m2fnuz-fp32", "F4 BC B8 B4|68 40 40 40|4B000000->BF800000"),
    ("cdna3-xf32-fp32", "45000000 45000000|45000000 C5000000|B58637BD->BE800000"),
    ("cdna3-xf32-fp32", "3F801FFF|3F800000|0->3F800000"),
    ("cdna3-bf16-fp32", "7F7F|4000|3F800000->7F800000"),
    ("cdna3-bf16-fp32", "7F7F FF7F|4000 4000|3F800000->7FFFFFFF"),
    ("cdna3-fp16-fp32", "3C00|3C00|B0800000->3F7FFFFF"),
    ("cdna3-fp16-fp32", "3C00 0C00 BC00|3C00 0800 3C00|0->00000000"),
    ("cdna3-bf16-fp32", "0080|AB80|0->80000000"),
    ("cdna3-bf16-fp32", "0080|B3C0|0->80000001"),
    ("cdna3-bf16-fp32", "8000 x8|3F80 x8|80000000->00000000"),
    ("cdna3-e4m3fnuz-fp32", "40|40|B0800000->3F800000"),
    ("cdna3-e4m3fnuz-fp32", "40|40|B3000000->3F7FFFFF"),
    ("cdna3-e4m3fnuz-fp32", "40|40|B2800000->3F800000"),
    ("cdna3-e4m3fnuz-fp32", "80|00|0->7FFFFFFF"),
    ("cdna3-e5m2fnuz-fp32", "7C 90|40 10|0->46FFFFFF"),
    ("cdna3-e5m2fnuz-fp32", "7C 00 90|40 00 10|0->47000000"),
    ("cdna3-e5m2fnuz-fp32", "7C|7C|7F800000->7F800000"),
    ("v100-fp16-fp16", "0400 0040|1000 0001|0->0001"),
    ("v100-fp16-fp16", "0400 0020|1000 0001|0->0000"),
    ("a100-fp16-fp16", "0400 0010|1000 0001|0->0001"),
    ("a100-fp16-fp16", "0400 0008|1000 0001|0->0000"),
    ("h100-fp16-fp16", "0400 0004|1000 0001|0->0001"),
    ("h100-fp16-fp16", "0400 0002|1000 0001|0->0000"),
    ("h100-fp16-fp16", "8001|3800|0->0000"),
    ("h100-fp16-fp16", "7BFF|3C00|4C00->7C00"),
    ("h100-fp16-fp16", "7BFF|3C00|4BFF->7BFF"),
    ("h100-wgmma-e4m3fn-fp16", "38 B8 08|38 38 04|0->0800"),
    ("h100-wgmma-e4m3fn-fp16", "38 B8 08|38 38 02|0->0000"),
    ("h100-wgmma-e5m2-fp16", "3C BC 08|3C 3C 3C|0->0800"),
    ("h100-wgmma-e5m2-fp16", "3C BC 04|3C 3C 3C|0->0000"),
    ("h100-wgmma-e5m2-fp16", "0C 01|08 01|0->0001"),
    ("h100-wgmma-e5m2-fp16", "0C|08|0->0000"),
    ("b200-tcgen05-e4m3fn-fp32", "38 B8|38 38|33000000->33000000"),
    ("b200-tcgen05-e4m3fn-fp32", "38 B8|38 38|32800000->00000000"),
    ("b200-tcgen05-e5m2-fp32", "FC|3C|3F800000->FF800000"),
    ("b200-tcgen05-e3m2fn-fp32", "1F|1F|0->44440000"),
    ("b200-tcgen05-e2m3fn-fp32", "1F|1F|0->42610000"),
    ("b200-tcgen05-e2m1fn-fp32", "7|7|0->42100000"),
    ("b200-tcgen05-e4m3fn-fp16", "38 B8|38 38|8000->0000"),
    ("b200-tcgen05-e5m2-fp16", "3C BC 04|3C 3C 3C|0->0400"),
    ("b200-tcgen05-e5m2-fp16", "0C 01|08 01|0->0001"),
    ("b200-tcgen05-e3m2fn-fp16", "1F|1F|0->6220"),
    ("b200-tcgen05-e2m3fn-fp16", "1F|1F|0->5308"),
    ("b200-tcgen05-e2m1fn-fp16", "7|7|0->5080"),
    ("b200-mxf4nvf4-block16", "0:2*4||0|FE 7F 7F 7F|7F x4->7F800000"),
    ("b200-mxf4nvf4-block16", "0:7*7 1:F*7 16:2*2||0|93 6F 7F 7F|7F x4->00000000"),
    ("b200-mxf4nvf4-block16", "0:2*4 16:9*1||0|34 28 7F 7F|34 29 7F 7F->00000001"),
    ("b200-mxf4nvf4-block32", "16:2*2 32:2*2||0|80 81|7F 7F->40C00000"),
    # Each step is rounded, from the addend on, and subnormals are kept.
    ("cdna1-fp32-fp32", "33800000 33800000|3F800000 3F800000|3F800000->3F800000"),
    ("cdna2-fp32-fp32", "3F800001|3F800001|BF800002->28800000"),
    ("cdna2-fp32-fp32", "00000001|3F800000|0->00000001"),
    ("cdna3-fp32-fp32", "3F800000 33800000|3F800000 3F800000|33800000->3F800000"),
    ("cdna3-fp32-fp32", "7F800000|0|0->7FFFFFFF"),
]


def codes_of(text: str, n: int) -> list[int]:
    """``01 02`` or ``01 x4`` as codes of n lanes."""
    match text.split():
        case [code, repeated] if repeated.startswith("x"):
            found = [int(code, 16)] * int(repeated[1:])
        case codes:
            found = [int(code, 16) for code in codes]
    return found + [0] * (n - len(found))


def operands_of(u: hw.Unit, row: str) -> tuple[list[np.ndarray], int]:
    """The operands of a row, filled up to a multiple of n, and its result."""
    given, result = row.split("->")
    a, b, c, *scales = given.split("|")
    n = max(u.n, -(-len(a.split()) // u.n) * u.n)
    if ":" in a:
        left, right = [0] * n, [0] * n
        for lane, x, y in re.findall(r"(\d+):(\w)\*(\w)", a):
            left[int(lane)], right[int(lane)] = int(x, 16), int(y, 16)
    else:
        left, right = codes_of(a, n), codes_of(b, n)
    if u.a.name == "tf32":
        left, right = ([code >> 13 for code in x] for x in (left, right))
    if len(scales) == 1:
        scales = scales[0].split()
    blocks = [np.array(codes_of(x, u.n // u.block), u.scale.dtype) for x in scales]
    factors = [np.array(x, u.a.dtype) for x in (left, right)]
    return [*factors, np.array(int(c, 16), u.c.dtype), *blocks], int(result, 16)


@pytest.mark.parametrize(("spec", "row"), ROWS)
def test_known_rows(spec, row):
    u = hw.unit(spec if spec.startswith("dot:") else f"dot:preset={spec}")
    operands, result = operands_of(u, row)
    assert f"{int(u.dot(*operands)):#x}" == f"{result:#x}"
