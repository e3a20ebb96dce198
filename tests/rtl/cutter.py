"""The cutter of a unit's datapath, all of whose wide sums are in blocks."""

from __future__ import annotations

from amaranth.hdl import Signal

import hwarith as hw
from hwarith.rtl.pipeline.cuts import Cutter
from hwarith.rtl.pipeline.datapath import Datapath
from hwarith.rtl.pipeline.recording import Recording


def cutter(spec: str) -> Cutter:
    u = hw.unit(spec)
    inputs = {name: Signal(f.bits, name=name) for name, f in u.inputs.items()}
    return Datapath(Recording(u.datapath(), inputs), set()).cutter
