"""The matrix instructions of GPUs, as parameters of `dot`.

Source: Li et al., MMA-Sim, arXiv 2511.10909, tables 3 to 8; Khattak and Mikaitis, arXiv 2512.07004,
whose recorded results they give; for FP8 `mma.sync` of H100 and B200 what these recordings show.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...exceptions import unknown


@dataclass(frozen=True)
class Preset:
    """A matrix instruction's dot product.

    Attributes
    ----------
    parameters : of `dot`, as text.
    sure : how its rule is known: ``recorded`` (results of the hardware), ``published`` (a model of
        which its authors say that it was tested on the hardware), ``inferred``.
    note : what else is to be known.
    """

    parameters: dict[str, str]
    sure: str
    note: str = ""


_FP32 = {"out": "fp32", "c": "fp32", "round": "rtz", "overflow": "toinf", "nan": "ones"}
_FP16 = {"out": "fp16", "c": "fp16", "round": "rne", "nan": "ones"}


def _truncated(element: str, n: int, bits: int, out: dict[str, str], **more: str) -> dict[str, str]:
    return {"a": element, "b": element, "n": str(n), "acc": f"trunc-{bits}"} | out | more


def _nvidia() -> dict[str, Preset]:
    found = {}
    for device, n, bits in (("v100", 4, 23), ("a100", 8, 24), ("ada", 8, 24)):
        for name, out in (("fp32", _FP32), ("fp16", _FP16)):
            found[f"{device}-fp16-{name}"] = Preset(_truncated("fp16", n, bits, out), "recorded")
        if device != "v100":
            found[f"{device}-bf16-fp32"] = Preset(_truncated("bf16", n, bits, _FP32), "recorded")
            found[f"{device}-tf32-fp32"] = Preset(
                _truncated("tf32", n // 2, bits, _FP32), "recorded"
            )
    for element in ("e4m3fn", "e5m2"):
        # The floor is that of the 24 bits of the other formats.
        wide = _truncated(element, 16, 13, _FP32, keep="13", floor="-132")
        found[f"ada-{element}-fp32"] = Preset(wide, "recorded")
        narrow = _truncated(element, 16, 13, _FP16, floor="-20")
        found[f"ada-{element}-fp16"] = Preset(narrow, "recorded")
    for device in ("h100", "b200"):
        for element, n in (("fp16", 16), ("bf16", 16), ("tf32", 8)):
            found[f"{device}-{element}-fp32"] = Preset(
                _truncated(element, n, 25, _FP32), "recorded"
            )
        found[f"{device}-fp16-fp16"] = Preset(_truncated("fp16", 16, 25, _FP16), "recorded")
        for element in ("e4m3fn", "e5m2"):
            for name, out in (("fp32", _FP32), ("fp16", _FP16)):
                parts = _truncated(element, 32, 25, out, acc="halves-25")
                sure = "inferred" if (device, name) == ("h100", "fp32") else "recorded"
                note = "as of fp16, and of B200" if sure == "inferred" else ""
                found[f"{device}-mma-{element}-{name}"] = Preset(parts, sure, note)
    for element in ("e4m3fn", "e5m2"):
        wgmma = _truncated(element, 32, 13, _FP32, keep="13", floor="-133")
        found[f"h100-wgmma-{element}-fp32"] = Preset(wgmma, "recorded", "recorded without addend")
        narrow = _truncated(element, 32, 13, _FP16, floor="-21")
        found[f"h100-wgmma-{element}-fp16"] = Preset(narrow, "published")
    for element in ("e4m3fn", "e5m2", "e3m2fn", "e2m3fn", "e2m1fn"):
        for name, out in (("fp32", _FP32), ("fp16", _FP16)):
            parts = _truncated(element, 32, 25, out)
            found[f"b200-tcgen05-{element}-{name}"] = Preset(parts, "published", _ANY_PAIR)
    return found | _blocks()


def _blocks() -> dict[str, Preset]:
    found = {}
    mx = {"scale": "e8m0fnu", "block": "32", "floor": "-133"}
    for name, element in (("mxfp8", "e4m3fn"), ("mxfp6", "e3m2fn"), ("mxfp4", "e2m1fn")):
        parameters = _truncated(element, 32, 25, _FP32, **mx)
        found[f"b200-{name}"] = Preset(
            parameters, "published", _ANY_PAIR if name != "mxfp4" else ""
        )
    nvfp4 = {"scale": "ue4m3", "block": "16", "group": "16", "floor": "-139"}
    found["b200-nvfp4"] = Preset(_truncated("e2m1fn", 64, 35, _FP32, **nvfp4), "published")
    for block in ("16", "32"):
        scales = nvfp4 | {"scale": "e8m0fnu", "block": block}
        found[f"b200-mxf4nvf4-block{block}"] = Preset(
            _truncated("e2m1fn", 64, 35, _FP32, **scales), "published", "scales in UE8M0"
        )
    return found


_ANY_PAIR = "any pair of FP8, FP6 and FP4 elements is summed up so"


def _amd() -> dict[str, Preset]:
    found = {}
    out = {"out": "fp32", "c": "fp32", "round": "rne", "nan": "ones"}
    for element, n in (("fp16", 4), ("bf16", 2)):
        found[f"cdna1-{element}-fp32"] = Preset(
            {"a": element, "b": element, "n": str(n), "acc": "exact"} | out, "published"
        )
        found[f"cdna2-{element}-fp32"] = Preset(
            {"a": element, "b": element, "n": str(n), "acc": "pairwise", "subnormals": "zero"}
            | out,
            "published",
        )
    found["cdna2-bf16_1k-fp32"] = Preset(
        found["cdna2-bf16-fp32"].parameters | {"n": "4"}, "published", "the instructions named _1k"
    )
    for name, element, n in (("fp16", "fp16", 8), ("bf16", "bf16", 8), ("xf32", "tf32", 4)):
        found[f"cdna3-{name}-fp32"] = Preset(
            {"a": element, "b": element, "n": str(n), "acc": "floor-24"} | out, "published"
        )
    for element in ("e4m3fnuz", "e5m2fnuz"):
        found[f"cdna3-{element}-fp32"] = Preset(
            {"a": element, "b": element, "n": "16", "acc": "floor2-24"} | out, "published"
        )
    for device in ("cdna1", "cdna2", "cdna3"):
        found[f"{device}-fp32-fp32"] = Preset(
            {"a": "fp32", "b": "fp32", "n": "1", "acc": "seq"} | out,
            "published",
            "a chain of fused multiply-adds",
        )
    return found


PRESETS = _nvidia() | _amd()
"""Every preset by its name: device, perhaps instruction, format of the factors, of the result."""


def preset(name: str) -> Preset:
    """The preset of this name. Raises `InvalidInput` for an unknown one, with the nearest."""
    if name not in PRESETS:
        raise unknown("preset", name, PRESETS)
    return PRESETS[name]
