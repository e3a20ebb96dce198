"""Named configurations of the units: the ones whose Verilog is shipped and regressed.

>>> from hwarith.units.catalogue import CATALOGUE
>>> CATALOGUE["fma_bf16_fp32"]
'fma:a=bf16,b=bf16,c=fp32,out=fp32,round=rne'
"""

from __future__ import annotations

CATALOGUE = {
    # Products in one format, and into a wider one
    "mul_fp32": "mul:a=fp32,b=fp32,out=fp32,round=rne",
    "mul_fp32_pipelined": "mul:a=fp32,b=fp32,out=fp32,round=rne,stages=3",
    "mul_fp16": "mul:a=fp16,b=fp16,out=fp16,round=rne",
    "mul_bf16": "mul:a=bf16,b=bf16,out=bf16,round=rne",
    "mul_bf16_fp32": "mul:a=bf16,b=bf16,out=fp32,round=rne",
    "mul_e4m3fn": "mul:a=e4m3fn,b=e4m3fn,out=e4m3fn,round=rne",
    "mul_e4m3fn_bf16": "mul:a=e4m3fn,b=e4m3fn,out=bf16,round=rne",
    "mul_e5m2": "mul:a=e5m2,b=e5m2,out=e5m2,round=rne",
    "mul_e2m1fn_e4m3fn": "mul:a=e2m1fn,b=e2m1fn,out=e4m3fn,round=rne",
    "mul_int8": "mul:a=int8,b=int8,out=int16",
    "mul_fix8p8": "mul:a=fix8.8,b=fix8.8,out=fix8.8,round=rne,overflow=saturate",
    "mul_fp16_int8": "mul:a=fp16,b=fp16,out=int8,round=rne",
    "mul_posit16": "mul:a=posit16,b=posit16,out=posit16,round=rne",
    # Sums
    "add_fp32": "add:a=fp32,b=fp32,out=fp32,round=rne",
    "add_fp32_pipelined": "add:a=fp32,b=fp32,out=fp32,round=rne,stages=2",
    "add_fp16": "add:a=fp16,b=fp16,out=fp16,round=rne",
    "add_bf16": "add:a=bf16,b=bf16,out=bf16,round=rne",
    "add_e4m3fn": "add:a=e4m3fn,b=e4m3fn,out=e4m3fn,round=rne",
    "add_e5m2": "add:a=e5m2,b=e5m2,out=e5m2,round=rne",
    "add_int8_saturating": "add:a=int8,b=int8,out=int8,overflow=saturate",
    # Multiply-adds in one format
    "fma_fp32": "fma:a=fp32,b=fp32,c=fp32,out=fp32,round=rne",
    "fma_fp32_pipelined": "fma:a=fp32,b=fp32,c=fp32,out=fp32,round=rne,stages=4",
    "fma_fp16": "fma:a=fp16,b=fp16,c=fp16,out=fp16,round=rne",
    "fma_bf16": "fma:a=bf16,b=bf16,c=bf16,out=bf16,round=rne",
    "fma_e4m3fn": "fma:a=e4m3fn,b=e4m3fn,c=e4m3fn,out=e4m3fn,round=rne",
    "fma_e5m2": "fma:a=e5m2,b=e5m2,c=e5m2,out=e5m2,round=rne",
    "fma_posit16": "fma:a=posit16,b=posit16,c=posit16,out=posit16,round=rne",
    # Multiply-adds with a wide accumulator
    "fma_bf16_fp32": "fma:a=bf16,b=bf16,c=fp32,out=fp32,round=rne",
    "fma_bf16_fp32_pipelined": "fma:a=bf16,b=bf16,c=fp32,out=fp32,round=rne,stages=3",
    "fma_fp16_fp32": "fma:a=fp16,b=fp16,c=fp32,out=fp32,round=rne",
    "fma_e4m3fn_fp32": "fma:a=e4m3fn,b=e4m3fn,c=fp32,out=fp32,round=rne",
    "fma_e4m3fn_e5m2_fp16_bf16": "fma:a=e4m3fn,b=e5m2,c=fp16,out=bf16,round=rne",
    # Options: mode on a port and flags, weights in integers, no subnormals
    "fma_fp16_flags": "fma:a=fp16,b=fp16,c=fp16,out=fp16,round=port,flags=after",
    "fma_fp16_int4_fp32": "fma:a=fp16,b=int4,c=fp32,out=fp32,round=rne",
    "mul_bf16_flush": "mul:a=bf16,b=bf16,out=bf16,round=rne,subnormals=flush",
    # Integers, accumulators
    "mac_int8_int32": "fma:a=int8,b=int8,c=int32,out=int32",
    "mac_int8_int32_pipelined": "fma:a=int8,b=int8,c=int32,out=int32,stages=1",
    "mac_bf16_fp32": "mac:a=bf16,b=bf16,acc=fp32,out=fp32,round=rne",
    "dfpmac_int16": "dfpmac:p=16",
    "multi": "multi:formats=fp32+fp16+bf16+e4m3fn+e5m2,round=rne",
    "dotmulti": "dotmulti:round=rne",
    "kulisch_e4m3fn_fp32": "kulisch:a=e4m3fn,b=e4m3fn,out=fp32,k=4096,round=rne",
    # Dot products of blocks, and of a tensor core
    "dot_nvfp4_fp32": "dot:a=e2m1fn,b=e2m1fn,n=16,scale=ue4m3,block=16,c=fp32,out=fp32,acc=exact,"
    "round=rne",
    "dot_m2xfp_fp32": "dot:a=e2m1fn,b=e2m1fn,n=8,scale=e8m0fnu,block=8,c=fp32,out=fp32,acc=exact,"
    "round=rne,meta=m2xfp",
    "dot_v100_fp16_fp32": "dot:preset=v100-fp16-fp32",
    # Quotients, remainders and roots
    "div_fp16": "div:a=fp16,b=fp16,out=fp16,round=rne",
    "div_fp16_serial": "div:a=fp16,b=fp16,out=fp16,clocks=13,round=rne",
    "divsqrt_fp16": "divsqrt:a=fp16,b=fp16,out=fp16,clocks=13,round=rne",
    "rem_fp16": "rem:a=fp16,b=fp16,out=fp16,clocks=42,round=rne",
    "fmod_int32": "fmod:a=int32,b=int32,out=int32,clocks=32,round=rne,overflow=wrap",
    "sqrt_fp16": "sqrt:a=fp16,out=fp16,round=rne",
    "recip_bf16": "recip:a=bf16,out=bf16,round=rne",
    "rsqrt_bf16": "rsqrt:a=bf16,out=bf16,round=rne",
    # Elementary functions
    "exp2_bf16": "exp2:a=bf16,out=bf16,round=rne",
    "exp_bf16_faithful": "exp:a=bf16,out=bf16,accuracy=faithful,round=rne",
    "log2_bf16": "log2:a=bf16,out=bf16,round=rne",
    "ln_bf16_faithful": "ln:a=bf16,out=bf16,accuracy=faithful,round=rne",
    "sigmoid_bf16_faithful": "sigmoid:a=bf16,out=bf16,accuracy=faithful,round=rne",
    "tanh_bf16_faithful": "tanh:a=bf16,out=bf16,accuracy=faithful,round=rne",
    "silu_e4m3fn": "silu:a=e4m3fn,out=e4m3fn,round=rne",
    "softplus_e4m3fn": "softplus:a=e4m3fn,out=e4m3fn,round=rne",
    "gelu_e4m3fn": "gelu:a=e4m3fn,out=e4m3fn,round=rne",
    "erf_bf16_faithful": "erf:a=bf16,out=bf16,accuracy=faithful,round=rne",
    # Conversions and comparisons
    "class_fp16": "class:a=fp16",
    "sgnj_fp16": "sgnj:a=fp16,op=copy",
    "logb_fp16": "logb:a=fp16,out=int16",
    "scalb_fp16": "scalb:a=fp16,by=int16,out=fp16,round=rne",
    "cast_e2m1fn_e4m3fn": "cast:a=e2m1fn,k=int5,out=e4m3fn",
    "roundint_fp16": "roundint:a=fp16,round=rne",
    "convert_fp32_e4m3fn": "convert:a=fp32,out=e4m3fn,round=rne",
    "convert_fp32_e2m1fn_sra": "convert:a=fp32,out=e2m1fn,round=sra,n=12",
    "convert_fp32_int32_flags": "convert:a=fp32,out=int32,round=port,flags=after",
    "convert_bf16_fp32": "convert:a=bf16,out=fp32,round=rne",
    "max_bf16": "minmax:a=bf16,op=max",
    "less_bf16": "cmp:a=bf16,b=bf16,op=lt",
    # Integer networks: accumulators in fewer bits
    "requant_int8": "requant:a=int32,out=int8,mode=double",
    "requant_int8_dyadic": "requant:a=int32,out=int8,mode=dyadic,stages=2",
    # Normalizations of rows
    "softmax_bf16": "softmax:a=fp32,out=bf16,p=bf16,z=fix9.16,acc=fp32",
    "layernorm_fp16": "layernorm:a=fp16,out=fp16,w=fp16,acc=fp16,root=fp16,length=64",
    "rmsnorm_fp16": "rmsnorm:a=fp16,out=fp16,w=fp16,acc=fp16,root=fp16,length=64",
    "rope_bf16": "rope:a=bf16,w=bf16,out=bf16,round=rne",
    # The exponential of I-ViT
    "shiftexp": "shiftexp:a=int9,x0=uint8,n=15",
    # L-Mul
    "lmul_fp16": "lmul:format=fp16,k=10,krnd=trunc",
    "lmul_bf16": "lmul:format=bf16,k=7,krnd=trunc",
    "lmul_bf16_k3": "lmul:format=bf16,k=3,krnd=trunc",
    "lmul_bf16_pipelined": "lmul:format=bf16,k=7,krnd=trunc,stages=1",
    "lmul_e4m3fn": "lmul:format=e4m3fn,k=3,krnd=trunc",
    "lmul_e5m2": "lmul:format=e5m2,k=2,krnd=trunc",
    "lmul_bf16_no_specials": "lmul:format=bf16,k=7,krnd=trunc,specials=none",
    # Piecewise-affine operations
    "pam_bf16": "pam:format=bf16",
    "pad_bf16": "pad:format=bf16",
    "pasqrt_bf16": "pasqrt:format=bf16",
    "palog2_bf16": "palog2:format=bf16",
    "paexp2_bf16": "paexp2:format=bf16",
    "paslope_bf16": "paslope:format=bf16,op=mul",
    # Chains with approximate normalization, and an array of them
    "anfma_exact": "anfma:a=bf16,b=bf16,out=fp32,norm=exact,w=24",
    "anfma_1_2": "anfma:a=bf16,b=bf16,out=fp32,norm=an-1-2,w=24",
    "anend": "anend:a=bf16,b=bf16,out=fp32,w=24",
    "anseed": "anseed:a=bf16,b=bf16,seed=fp32,w=24",
    "engine_anfma": "engine:pe=(anfma:a=bf16,b=bf16,out=fp32,norm=an-1-2,w=24),rows=4,columns=4",
    # AxCore: the product by one addition, four of them and a column's sum, its ends, its scale
    "axmul_fp16_e2m1": "axmul:a=fp16,w=e2m1fn",
    "axdot_fp16_e2m1": "axdot:a=fp16,w=e2m1fn,n=4,depth=64",
    "axnorm_fp16": "axnorm:a=fp16,depth=64",
    "axseed_fp16": "axseed:a=fp16,depth=64",
    "axscale_fp16": "axscale:a=fp16",
    # Bit-serial: BitMoD's encoder, processing element, dequantizer, a small tile
    "termgen": "termgen:type=mixed",
    "bspe": "bspe:type=mixed,lanes=4,align=local,fx=3",
    "bspe_joint_fp4": "bspe:type=fp4,lanes=4,align=joint,fx=3",
    "bsdequant": "bsdequant:fx=3",
    "bstile_2x2_fp4": "bstile:pe=(bspe:type=fp4,lanes=4,align=local,fx=3),rows=2,columns=2",
    # Bipolar integers by bit planes: one pair at a time, and four
    "bitplane_dot_4": "bitplane_dot:n=4,m=4,lanes=64,pi=1,pj=1,k=4096",
    "bitplane_dot_8_by_2": "bitplane_dot:n=8,m=8,lanes=32,pi=2,pj=2,k=32768",
    # Dot products by lookup: a plane of weights at a time, and all of them
    "lutdot_int8": "lutdot:a=int8,k=4,q=4,planes=1,weights=bipolar,n=4,length=256",
    "lutdot_int15_at_once": "lutdot:a=int15,k=3,q=4,planes=4,weights=int,n=2,length=256",
    "lutdot_fp16": "lutdot:a=fp16,k=2,q=4,planes=1,weights=affine,n=2,length=256",
    # Sums by ternary weights, and of mantissas bit by bit
    "ternary": "ternary:a=int8,packing=two,lanes=5,k=256",
    "ternary_five": "ternary:a=int8,packing=five,lanes=5,k=256",
    "andape_int4": "andape:w=int4,lanes=64,m=8",
    # What makes mantissas with a shared exponent, and what adds up sums of groups
    "andaquant_8": "andaquant:m=8,a=fp16,n=8,round=rtz",
    "scaledsum_int18": "scaledsum:a=int18,by=int8,acc=fp32",
    # Integer arithmetic on fp16 with a shared exponent, and what aligns it
    "fpint_int4": "fpint:w=int4,p=14,lanes=4,k=256",
    "fpint_int8": "fpint:w=int8,p=14,lanes=4,k=256",
    "prealign_14": "prealign:p=14,round=rne",
    # Decoders of weights in few bits
    "decode_e3m2_fp16": "decode:type=e3m2,out=fp16",
    "decode_e5m1_bf16": "decode:type=e5m1,out=bf16",
    "decode_e2m1_sig": "decode:type=e2m1,out=sig",
    "decode_int4b_fp16": "decode:type=int4b,out=fp16",
    "decodemulti": "decodemulti:types=e2m1+e3m2+int4b+uint3b,n=8,out=fp16",
    "powencode_4": "powencode:code=unsigned,b=4,a=0.55",
    "powdecode_4": "powdecode:b=4,a=0.55,code=sm",
    "flintdecode_4": "flintdecode:b=4",
    "flintdecode_5": "flintdecode:b=5",
    "olivedecode": "olivedecode",
    "codebook_bits4_dim4": "codebook:bits=4,dim=4,width=8",
    "powdecode_4_twos": "powdecode:b=4,a=0.55,code=twos",
    # Decoders of blocks, quantizers, and the rotation before
    "blockdecode_mxfp4_bf16": "blockdecode:a=mxfp4,n=8,out=bf16",
    "blockdecode_nvfp4_sig": "blockdecode:a=nvfp4,n=8,out=sig",
    "blockdecode_mxfp4_plus_sig": "blockdecode:a=mxfp4+,n=8,out=sig",
    "blockdecode_m2xfp_sig": "blockdecode:a=m2xfp_a,n=8,out=sig",
    "blockdecode_razer_fp16": "blockdecode:a=razer_w,n=8,out=fp16",
    "blockquant_mxfp8": "blockquant:out=mxfp8_e4m3,a=bf16,n=8,stages=2",
    "nvfp4quant": "nvfp4quant:a=bf16,n=4",
    "hadamard_4": "hadamard:n=4,a=bf16,span=8",
}
"""Name to spec. A spec is written out as `Unit.spec` gives it, so that a changed default of a
parameter changes no shipped unit."""
