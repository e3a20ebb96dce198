"""What standards, libraries and devices call the formats, and what is easily mistaken.

Sources: OCP OFP8 1.0 and MX 1.0; the documentation of ml_dtypes, gfloat, PyTorch, microxcaling,
PTX, CUDA's math headers, ONNX, and MLIR's builtin types. Tests hold codes to ml_dtypes and gfloat
under the names that stand here.
"""

from __future__ import annotations

from .names import ALIASES

LIBRARIES = (
    *("ml_dtypes", "gfloat", "OCP", "PyTorch", "microxcaling", "PTX", "CUDA C++", "ONNX", "MLIR"),
)
"""Who has names for formats."""

_NAMES = {
    "fp64": "float64 binary64 - float64 - f64 double DOUBLE f64",
    "fp32": "float32 binary32 FP32 float32 - f32 float FLOAT f32",
    "tf32": "- - - - - tf32 - - tf32",
    "fp16": "float16 binary16 FP16 float16 float16 f16 __half FLOAT16 f16",
    "bf16": "bfloat16 bfloat16 BF16 bfloat16 bfloat16 bf16 __nv_bfloat16 BFLOAT16 bf16",
    "e4m3fn": (
        "float8_e4m3fn ocp_e4m3 E4M3 float8_e4m3fn fp8_e4m3 e4m3 __nv_fp8_e4m3 FLOAT8E4M3FN "
        "f8E4M3FN"
    ),
    "e5m2": "float8_e5m2 ocp_e5m2 E5M2 float8_e5m2 fp8_e5m2 e5m2 __nv_fp8_e5m2 FLOAT8E5M2 f8E5M2",
    "e4m3": "float8_e4m3 - - - - - - - f8E4M3",
    "e3m4": "float8_e3m4 - - - - - - - f8E3M4",
    "e4m3fnuz": "float8_e4m3fnuz - - float8_e4m3fnuz - - - FLOAT8E4M3FNUZ f8E4M3FNUZ",
    "e5m2fnuz": "float8_e5m2fnuz - - float8_e5m2fnuz - - - FLOAT8E5M2FNUZ f8E5M2FNUZ",
    "e4m3b11fnuz": "float8_e4m3b11fnuz - - - - - - - f8E4M3B11FNUZ",
    "e3m2fn": "float6_e3m2fn ocp_e3m2 E3M2 - fp6_e3m2 e3m2 __nv_fp6_e3m2 - f6E3M2FN",
    "e2m3fn": "float6_e2m3fn ocp_e2m3 E2M3 - fp6_e2m3 e2m3 __nv_fp6_e2m3 - f6E2M3FN",
    "e2m1fn": (
        "float4_e2m1fn ocp_e2m1 E2M1 float4_e2m1fn_x2 fp4_e2m1 e2m1 __nv_fp4_e2m1 FLOAT4E2M1 "
        "f4E2M1FN"
    ),
    "e8m0fnu": (
        "float8_e8m0fnu ocp_e8m0 E8M0 float8_e8m0fnu - ue8m0 __nv_fp8_e8m0 FLOAT8E8M0 f8E8M0FNU"
    ),
    "ue4m3": "- - - - - ue4m3 - - -",
    "mxint8_element": "- ocp_int8 INT8 - int8 - - - -",
    "int8": "int8 - - int8 - s8 int8_t INT8 i8",
    "int4": "int4 - - int4 - s4 - INT4 i4",
}

NAMES = {name: dict(zip(LIBRARIES, text.split(), strict=True)) for name, text in _NAMES.items()}
"""What others call a format, by who they are; ``-`` where they do not have it."""

NOTES = {
    "e4m3": "IEEE-like, with infinities. The OCP's E4M3, that of GPUs, is e4m3fn.",
    "e4m3fn": "The E4M3 of the OCP and of GPUs: no infinities. The IEEE-like one is e4m3.",
    "e5m2": "The E5M2 of the OCP and of GPUs: IEEE-like, with infinities.",
    "e4m3fnuz": "That of AMD's MI300 and of Graphcore; newer devices have the OCP's e4m3fn.",
    "e5m2fnuz": "That of AMD's MI300 and of Graphcore; newer devices have the OCP's e5m2.",
    "tf32": "Codes are the 19 significant bits; a register holds them as code << 13.",
    "mxint8_element": "The OCP's INT8 counts units of 2^-6; int8 counts units of 1.",
    "ue4m3": "The scale of NVFP4: e4m3fn without its sign, in a byte.",
    "ue3m3": "The scale of RaZeR's weights, in the low bits of a byte.",
    "ue5m0": "The scale of Anda: an exponent of fp16, of which 31 is NaN.",
    "razer_w": "Subject to a patent application by Cornell University.",
    "razer_a": "Subject to a patent application by Cornell University.",
    "e8m0fnu": "The scale of the MX formats: powers of two, and one NaN.",
    "e2m1fn": "The element of MXFP4 and NVFP4, which add scales: see mxfp4 and nvfp4.",
}
"""What is easily mistaken, by the names of formats."""


def names_elsewhere(name: str) -> dict[str, str]:
    """What others call a format of this name, by who they are; its other names here under
    ``hwarith``. Those without a name for it are left out."""
    others = {"hwarith": ", ".join(ALIASES.get(name, ()))} | NAMES.get(name, {})
    return {who: called for who, called in others.items() if called not in ("", "-")}
