"""The configurations of docs/proofs.md: what is proved for every input, in groups."""

from __future__ import annotations

from itertools import permutations
from typing import Any

SMALL = (
    *("e2m1fn", "e2m3fn", "e3m2fn", "e4m3fn", "e5m2", "e4m3", "e3m4", "e4m3fnuz", "e5m2fnuz"),
    *("binary8p3sf", "binary8p4se", "binary8p5uf"),
)
WIDE = ("bf16", "fp16", "tf32", "fp32")
MODES = ("rna", "rtz", "rup", "rdn", "rto")
CONVERTED = (
    *("fp32", "tf32", "bf16", "fp16", "e4m3fn", "e5m2", "e4m3fnuz", "e3m2fn", "e2m1fn"),
    *("e8m0fnu", "int8"),
)

GROUPS: dict[str, list[str]] = {
    "products": [
        *(f"mul:a={f}" for f in (*SMALL, *WIDE)),
        *(f"mul:a={f},round={mode}" for f in ("e4m3fn", *WIDE) for mode in MODES),
        *(f"mul:a={f},round=port,flags=after" for f in ("e4m3fn", *WIDE)),
        *(f"mul:a=bf16,subnormals={x}" for x in ("daz", "ftz", "flush")),
        "mul:a=bf16,round=sra,n=8",
        "mul:a=fp16,nan=payload,flags=before",
        "mul:a=bf16,out=fp32",
        "mul:a=e4m3fn,b=e5m2,out=fp16",
        *(f"mul:a={f},stages={n}" for f in WIDE for n in (1, 2, 3, 4)),
    ],
    "sums": [
        *(f"add:a={f}" for f in (*SMALL, "bf16", "fp16", "tf32", "fp32")),
        *(f"add:a=e4m3fn,round={mode}" for mode in MODES),
        "add:a=e5m2,round=port,flags=after",
        "add:a=e4m3fn,stages=2",
    ],
    "multiply-adds": [
        *(f"fma:a={f}" for f in (*SMALL[:5], "bf16", "fp16", "fp32")),
        "fma:a=bf16,c=fp32,out=fp32",
        "fma:a=e4m3fn,optimize=delay",
        "rope:a=e2m1fn",
    ],
    "quotients, remainders and roots": [
        *(f"div:a={f}" for f in ("e2m1fn", "e4m3fn", "e5m2", "bf16")),
        "div:a=e4m3fn,round=port,flags=after",
        *(f"{x}:a={f}" for x in ("rem", "fmod") for f in ("e2m1fn", "e4m3fn")),
        "fmod:a=int8,overflow=wrap",
        *(f"{x}:a={f}" for x in ("recip", "sqrt", "rsqrt") for f in ("e4m3fn", "bf16", "fp16")),
    ],
    "conversions": [f"convert:a={a},out={b}" for a, b in permutations(CONVERTED, 2)],
    "posits": [
        *(f"{x}:a=posit8" for x in ("mul", "add", "recip", "sqrt", "cmp", "minmax")),
        "mul:a=posit16",
        "convert:a=posit16,out=fp16",
        "convert:a=fp32,out=posit16",
    ],
    "integral values": [
        *(f"roundint:a={f}" for f in (*SMALL[3:5], *WIDE)),
        *(f"roundint:a=fp16,round={mode}" for mode in MODES),
        "roundint:a=fp16,round=port,flags=on",
    ],
    "integer and fixed-point results": [
        *(f"mul:a={f},out=int8" for f in ("e4m3fn", "e5m2", "fp16")),
        *(f"add:a={f},out=int16,flags=after" for f in ("e5m2", "bf16", "fp16")),
        "fma:a=e4m3fn,out=int16",
        "div:a=e4m3fn,out=int8,flags=after",
        "div:a=int8,round=rtz",
        "div:a=int8,round=rtz,overflow=wrap",
        *(f"convert:a={f},out=int32,round=port,flags=after" for f in ("bf16", "fp16", "fp32")),
        *(f"convert:a=fp32,out={f},round=port,flags=after" for f in ("fp16", "bf16", "e4m3fn")),
        "convert:a=fp32,out=fp16,subnormals=flush,nan=payload,flags=after",
        "mul:a=fix4.4,out=fix6.2,round=rna",
        "add:a=fix4.4,b=fix2.6,out=fix6.1,round=rto",
    ],
    "classes, signs and exponents": [
        *(f"class:a={f}" for f in (*SMALL[3:5], *WIDE)),
        *(f"sgnj:a=fp16,op={op}" for op in ("copy", "neg", "xor", "abs", "negate")),
        "sgnj:a=e4m3fnuz,op=xor",
        *(f"logb:a={f},flags=on" for f in (*SMALL[3:5], *WIDE)),
    ],
    "scaling by powers of two": [
        *(f"scalb:a={f}" for f in (*SMALL[3:5], *WIDE)),
        "scalb:a=fp16,by=int8,round=port,flags=after",
        "scalb:a=fp32,out=fp16,flags=before",
        "scalb:a=posit16",
        *(f"cast:out={f}" for f in ("e4m3fn", "e5m2")),
        "cast:a=e4m3fn,k=int8,out=bf16",
    ],
    "comparisons": [
        *(f"cmp:a={f}" for f in (*SMALL[3:5], *WIDE)),
        *(f"minmax:a={f},op={op}" for f in (*SMALL[3:5], *WIDE) for op in ("min", "max")),
    ],
    "approximate units": [
        *(f"lmul:format={f}" for f in ("e4m3fn", "e5m2", "bf16", "fp16")),
        "lmul:format=bf16,stages=1",
        *(f"{family}:format=bf16" for family in ("pam", "pad", "palog2", "paexp2", "pasqrt")),
        "paslope:format=bf16,op=mul",
    ],
    "products and columns of AxCore": [
        *(f"axmul:w={w}" for w in ("e3m0f", "e2m1fn", "e1m2f", "e4m3fn")),
        "axmul:profile=ae,c1=43",
        *(f"{x}{profile}" for x in ("axnorm", "axseed") for profile in ("", ":profile=ae")),
        "axdot:n=1,depth=4",
        "axscale",
    ],
    "dot products": [
        *(f"dot:a=e2m1fn,n={n},scale=ue4m3,c=none,out=fp32" for n in (2, 4, 8, 16)),
        "dot:a=e2m1fn,n=8,scale=ue4m3,c=none,out=bf16",
        *(f"dot:a=e2m1fn,n={n},c=none,out=fp32" for n in (2, 4, 8, 16)),
        *(f"dot:a=e4m3fn,n={n},c=none,out=fp32" for n in (4, 8)),
        *(f"dot:meta={x},n=2,c=none,out=bf16" for x in ("mx+", "mx+,bm=unit", "razer")),
    ],
    "lanes and formats by a port": [
        "mul:a=e4m3fn,lanes=4,stages=2",
        "add:a=e5m2,round=port,lanes=2",
        "multi:formats=e4m3fn+e5m2",
    ],
    "integer networks": [
        *(
            f"requant:a=int8,out=int8,multiplier=1518500250,mode={mode}"
            for mode in ("double", "single", "dyadic")
        ),
        "shiftexp:a=int9,x0=uint8,n=15",
    ],
    "boxed floats": [
        *(f"{x}:a=fp16,box=32" for x in ("mul", "add", "minmax", "class", "sgnj")),
        "mul:a=bf16,round=port,flags=after,box=64,stages=2",
        "convert:a=fp32,out=fp16,flags=after,box=64",
    ],
    "quantizers": [
        "blockquant:out=mxfp4,a=bf16,n=2",
        "nvfp4quant:n=1",
        "hadamard:n=2,span=2",
        "andaquant:m=8,n=8",
    ],
    "datatypes of weights": [
        "decode",
        "decodemulti",
        "powencode",
        "flintdecode",
        "flintdecode:b=5",
        "olivedecode",
        "blockdecode:a=mxfp4,n=2,out=bf16",
        "blockdecode:a=mxfp4,n=8,out=bf16",
        "blockdecode:a=mxfp4+,n=8,out=sig",
        "blockdecode:a=nvfp4,n=4",
        "blockdecode:a=nvfp4,n=8,out=sig",
        "blockdecode:a=m2xfp_a,n=8,out=sig",
        "blockdecode:a=razer_w,n=8,out=fp16",
        "powdecode",
        "termgen:type=fp4",
        "prealign",
    ],
}
"""Specs by what they are."""


def proof(spec: str) -> list[Any]:
    """The verdict on a unit, the seconds that it took, in how many cases."""
    import hwarith as hw

    found = hw.prove(spec, timeout=1800)
    return [found.verdict, round(found.seconds, 1), found.cases]
