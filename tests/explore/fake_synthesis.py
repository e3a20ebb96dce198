"""A stand-in for synthesis, so that sweeps are quick where yosys is not what is tested."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hwarith.flow.synthesize import Synthesis
from hwarith.units import Unit


class FakeSynthesis:
    """Area and delay from the operands' widths; remembers which units it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.before: Callable[[Unit], None] = lambda unit: None

    def __call__(
        self,
        unit: Unit,
        library: str = "generic",
        recipe: str | None = None,
        delay_target: float | None = None,
    ) -> Any:
        self.before(unit)
        bits = sum(f.bits for f in unit.operands.values())
        cells = bits * bits // (4 if unit.family == "lmul" else 1)
        if recipe is None:
            self.asked.append(unit.spec)
        asic = {"area": 1.5 * cells, "area_unit": "GE", "delay": 2.5 * bits, "delay_unit": "NAND2"}
        return Synthesis(
            spec=unit.spec, library=library, recipe=recipe or "asic", target="", cells=cells,
            flip_flops=0, cells_by_type={}, depth=bits, transistors=4 * cells, versions={},
            **(asic if recipe is None else {}),
        )  # fmt: skip
