"""A stand-in for the flow, so that sweeps are quick where yosys is not what is tested."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from hwarith.flow.energy.measure import Energy
from hwarith.flow.synthesis.synthesize import Synthesis
from hwarith.units import Unit


class FakeFlow:
    """Area, delay and energy from the operands' widths; remembers which units it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.before: Callable[[Unit], None] = lambda unit: None

    def verilog(self, unit: Unit) -> str:
        return f"module {unit.name};\nendmodule\n"

    def synthesize(
        self,
        unit: Unit,
        library: str = "generic",
        recipe: str | None = None,
        delay_target: Any = None,
    ) -> Any:
        self.before(unit)
        bits = sum(f.bits for f in unit.operands.values())
        cells = bits * bits // (4 if unit.family == "lmul" else 1)
        if recipe is None:
            self.asked.append(unit.spec)
        asic = {"area": 1.5 * cells, "area_unit": "GE", "delay": 2.5 * bits, "delay_unit": "NAND2"}
        return Synthesis(
            spec=unit.spec,
            library=library,
            recipe=recipe or "asic",
            target="",
            cells=cells,
            flip_flops=0,
            cells_by_type={},
            depth=bits,
            transistors=4 * cells,
            versions={},
            **(asic if recipe is None else {}),
        )

    def breakdown(self, unit: Unit, library: str = "generic") -> Any:
        part = {
            "name": "sum",
            "instances": 1,
            "cells": 9,
            "flip_flops": 0,
            "area": 12.0,
            "share": 1.0,
            "delay": 5.0,
            "parts": [],
        }
        return SimpleNamespace(as_dict=lambda: {"parts": [part]}, difference=0.1)

    def energy(self, unit: Unit, *codes: Any, library: str = "generic") -> Any:
        switching = 0.25 * sum(f.bits for f in unit.operands.values())
        return Energy(
            spec=unit.spec,
            library=library,
            recipe="asic",
            delay_target=None,
            target="",
            operations=codes[0].size - 1 if codes else 1,
            clocks=None,
            toggles=1.0,
            energy=switching,
            switching=switching,
            internal=None,
            clock=None,
            inputs=0.0,
            energy_unit="NAND2",
            leakage=3.0,
            by_type={},
            versions={},
        )
