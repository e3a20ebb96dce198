"""The references of units, found by their class."""

from __future__ import annotations

from typing import Any

from ...units import Unit
from ...units.anda import AndaQuant
from ...units.anfma import ColumnEnd, Seed
from ...units.axcore import AxDot, AxNorm, AxSeed
from ...units.bitserial import BitSerialPe, BsDequant, BsTile
from ...units.blocks import BlockDecode, BlockQuant, Hadamard, Nvfp4Quant
from ...units.chain import ChainOfOne
from ...units.codes import RoundInt
from ...units.decode import PowDecode, PowEncode
from ...units.dotmulti import DotMulti
from ...units.fpint import PreAlign
from ...units.ivit import ILayerNorm, ShiftExp, ShiftGelu, ShiftMax
from ...units.mac.scaled import ScaledSum
from ...units.multi import Multi
from ...units.requant import Requant
from ...units.rope import Rope
from ...units.rows import LayerNorm, RmsNorm, SoftMax
from ...units.systolic import Engine
from .base import Reference
from .blocks import (
    AndaQuantReference,
    BlockDecodeReference,
    BlockQuantReference,
    HadamardReference,
    Nvfp4QuantReference,
    PreAlignReference,
)
from .columns import AxDotReference, AxNormReference, AxSeedReference
from .integers import (
    ILayerNormReference,
    RequantReference,
    ShiftExpReference,
    ShiftGeluReference,
    ShiftMaxReference,
)
from .products import (
    BitSerialPeReference,
    BsDequantReference,
    BsTileReference,
    DotMultiReference,
    EngineReference,
    MultiReference,
    ScaledSumReference,
)
from .rows import NormReference, RopeReference, SoftMaxReference
from .scalars import (
    ColumnEndReference,
    PowDecodeReference,
    PowEncodeReference,
    RoundIntReference,
    SeedReference,
)

_REFERENCES: dict[type[Unit], type[Reference[Any]]] = {
    BlockQuant: BlockQuantReference,
    AndaQuant: AndaQuantReference,
    Nvfp4Quant: Nvfp4QuantReference,
    BlockDecode: BlockDecodeReference,
    Hadamard: HadamardReference,
    PreAlign: PreAlignReference,
    PowDecode: PowDecodeReference,
    PowEncode: PowEncodeReference,
    RoundInt: RoundIntReference,
    ColumnEnd: ColumnEndReference,
    Seed: SeedReference,
    AxDot: AxDotReference,
    AxNorm: AxNormReference,
    AxSeed: AxSeedReference,
    DotMulti: DotMultiReference,
    Multi: MultiReference,
    ShiftExp: ShiftExpReference,
    ShiftMax: ShiftMaxReference,
    ShiftGelu: ShiftGeluReference,
    ILayerNorm: ILayerNormReference,
    Requant: RequantReference,
    Engine: EngineReference,
    BitSerialPe: BitSerialPeReference,
    BsDequant: BsDequantReference,
    ScaledSum: ScaledSumReference,
    BsTile: BsTileReference,
    LayerNorm: NormReference,
    RmsNorm: NormReference,
    Rope: RopeReference,
    SoftMax: SoftMaxReference,
}


def reference_of(unit: Unit | ChainOfOne) -> Reference[Any] | None:
    """What tells the exact results of a unit; None where its `operation` does, or nothing."""
    found = _REFERENCES.get(type(unit))  # type: ignore[arg-type]
    return found(unit) if found else None
