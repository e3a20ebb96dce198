"""A unit of every family that is soon simulated and mapped."""

from __future__ import annotations

import hwarith as hw

ANFMA = "anfma:a=e4m3,b=e4m3,out=fp16,norm=an-1-2,w=8"
ENGINE = f"engine:pe=({ANFMA}),rows=2,columns=3"

SPECS = (
    "add:a=e3m2",
    "anend:a=e4m3,b=e4m3,out=fp16,w=8",
    ANFMA,
    "anseed:a=e4m3,b=e4m3,seed=fp16,w=8",
    "bitplane_dot:n=2,m=2,lanes=8,k=64",
    "blockquant:out=mxfp4,a=bf16,n=2",
    "bsdequant",
    "bspe:type=fp4,lanes=2",
    "class:a=e4m3",
    "cmp:a=e4m3",
    "convert:a=fp16,out=e4m3fn",
    "convert:a=fp16,out=int8,flags=after",
    "mul:a=e3m2fn,out=int4",
    "decode",
    "dfpmac:p=8",
    "div:a=e3m2",
    "divsqrt:a=e3m2",
    "dot:a=e2m1fn,n=2,c=none,out=e4m3",
    ENGINE,
    "fma:a=e3m2",
    "fmod:a=e3m2",
    "fpint",
    "hadamard:n=2,span=2",
    "ilayernorm:a=int4,length=4",
    "kulisch:a=e2m1fn,out=e4m3,k=9",
    "layernorm:a=e3m2,length=2,acc=e3m2",
    "lmul:format=e4m3fn",
    "logb:a=e4m3",
    "mac:a=e2m1fn,acc=e4m3",
    "minmax:a=e4m3,op=max",
    "mul:a=e4m3fn",
    "multi:formats=bf16+e4m3fn",
    "nvfp4quant:n=1",
    "pad:format=e4m3fn",
    "paexp2:format=e4m3fn",
    "palog2:format=e4m3fn",
    "pam:format=e4m3fn",
    "paslope:format=e4m3fn,op=mul",
    "pasqrt:format=e4m3fn",
    "powdecode",
    "prealign",
    "recip:a=e4m3",
    "requant:a=int8,out=int4",
    "rmsnorm:a=e3m2,length=2,acc=e3m2",
    "rem:a=e3m2",
    "rope:a=e2m1fn",
    "roundint:a=e4m3",
    "rsqrt:a=e4m3",
    "scalb:a=e4m3,by=int6",
    "sgnj:a=e4m3fnuz,op=xor",
    "shiftexp:a=int4,x0=uint3",
    "shiftgelu:a=int4,x0=uint3,n=7,out=4",
    "shiftmax:a=int4,x0=uint3,n=7,out=4",
    "sqrt:a=e4m3",
    "termgen:type=fp4",
)

EXACT = {
    "bitplane_dot",
    "class",
    "cmp",
    "decode",
    "dfpmac",
    "fpint",
    "logb",
    "minmax",
    "paslope",
    "sgnj",
    "termgen",
}
"""Families whose results are what they are defined as, so that there are no errors."""

OF_EACH_FAMILY = {hw.unit(spec).family: spec for spec in SPECS}
