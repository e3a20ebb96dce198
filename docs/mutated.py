"""The campaign of docs/mutants.md: faults in a unit of every family, and in dot products of blocks
of each kind of metadata."""

from __future__ import annotations

from tests.small_units import METADATA, OF_EACH_FAMILY

COUNT = 24

RICHER = {"kulisch": "kulisch:a=e4m3,out=fp16,k=9", "mac": "mac:a=e4m3fn,acc=e4m3fn"}
"""Units whose memory can hold all that the hardware is made for."""

CAMPAIGN = sorted([*(OF_EACH_FAMILY | RICHER).values(), *METADATA])


def mutated(spec: str) -> list[int]:
    """``hwarith mutate SPEC --count 24``: places, faults, those found by simulation and by the
    regression, those shown to change nothing by trying all operands and by proof, those left."""
    import hwarith as hw

    found = hw.mutate(spec, count=COUNT)
    regression = sum(x.by.startswith("regression") for x in found.mutants)
    exhaustive = sum(x.by == "every combination of operands" for x in found.mutants)
    return [
        found.places,
        len(found.mutants),
        found.count("killed") - regression,
        regression,
        exhaustive,
        found.count("equivalent") - exhaustive,
        len(found.unexplained),
    ]
