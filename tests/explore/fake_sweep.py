"""A sweep's folder of made-up figures, with real units and Verilog, for reports of many points."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Sequence
from pathlib import Path

import hwarith as hw
from hwarith.explore.metrics import COUNTS, METRICS
from hwarith.explore.point import Result
from hwarith.units import Unit

_FORMATS = ("fp32", "bf16", "fp16", "e4m3fn", "e5m2", "e3m2fn", "e2m3fn")


def _specs() -> list[str]:
    modes = ("rne", "rtz", "rna", "rup", "rdn")
    specs = [f"lmul:format=bf16,k={k}" for k in range(1, 8)]
    for f, mode in itertools.product(_FORMATS, modes):
        for out in dict.fromkeys((f, "bf16", "fp32")):
            specs.append(f"mul:a={f},out={out},round={mode}")
            specs.append(f"fma:a={f},b={f},c={out},out={out},round={mode}")
    return specs + [f"lmul:format=fp16,k={k}" for k in range(1, 11)]


def make_sweep(
    folder: Path, number: int, verilog_of: Sequence[str] = ("mul:a=e2m1fn",), seed: int = 1
) -> Path:
    """Write the folder of a finished sweep of so many points (up to 207), and give it back.

    The points' pages show in turn the Verilog of the units `verilog_of`.
    """
    texts = [hw.verilog(spec) for spec in verilog_of]
    rng = random.Random(seed)
    (folder / "points").mkdir(parents=True)
    points = []
    for i, spec in enumerate(_specs()[:number]):
        unit = hw.unit(spec)
        result = _result(unit, texts[i % len(texts)], rng)
        file = f"{unit.name}.json"
        (folder / "points" / file).write_text(json.dumps(result.as_dict()))
        points.append({"spec": unit.spec, "file": file})
    assert len(points) == number
    manifest = {
        "source": None,
        "workload": "digits",
        "library": "generic",
        "points": points,
        "versions": {"hwarith": "0", "yosys": "0"},
    }
    (folder / "sweep.json").write_text(json.dumps(manifest))
    return folder


def rename_all(folder: Path, name: str) -> None:
    """Have everything in a sweep's folder that may have any name carry this one."""
    manifest = json.loads((folder / "sweep.json").read_text())
    for point in manifest["points"]:
        path = folder / "points" / point["file"]
        data = json.loads(path.read_text())
        data["area_unit"] = data["delay_unit"] = data["energy_unit"] = name
        data["details"] |= {
            "verilog": name,
            "path": [name, name],
            "cells": {name: 3, "NAND2": 1},
            "cell_areas": {name: 2.5, "NAND2": 1.0},
            "breakdown": {"parts": [_part(name, 1.0, 9.0)], "difference": 0.0},
            "reasons": {"energy": name},
        }
        path.write_text(json.dumps(data))
    manifest |= {
        "library": name,
        "source": name,
        "versions": {"hwarith": name, "yosys": name, name: name},
    }
    (folder / "sweep.json").write_text(json.dumps(manifest))


def _part(
    name: str, share: float, delay: float, parts: Sequence[dict] = (), instances: int = 1
) -> dict:
    return {
        "name": name,
        "instances": instances,
        "cells": 9,
        "flip_flops": 0,
        "area": 90 * share,
        "share": share,
        "delay": delay,
        "parts": list(parts),
    }


def _result(unit: Unit, verilog: str, rng: random.Random) -> Result:
    size = sum(f.bits for f in unit.operands.values()) ** 2 * rng.uniform(1, 2)
    error = 2.0 ** -next(iter(unit.results.values())).precision * rng.uniform(0.5, 4)
    cost = {
        "area": 3 * size,
        "delay": size**0.5,
        "depth": 20,
        "cells": int(size),
        "cmos_cells": int(2 * size),
        "transistors": int(8 * size),
        "cmos_path": 40,
    }
    return Result(
        spec=unit.spec,
        name=unit.name,
        operation=unit.operation.name,
        cost=cost,
        area_unit="GE",
        delay_unit="NAND2",
        accuracy=0.97 - rng.randrange(20) / 500,
        output_error=error,
        metrics={key: error * rng.uniform(1, 2) for key in METRICS},
        counts=dict.fromkeys(COUNTS, 9),
        seconds=1.0,
        details={
            "verilog": verilog,
            "histogram": {
                "exact": 5,
                "low": -0.5,
                "high": 0.5,
                "below": 1,
                "above": 0,
                "counts": [rng.randrange(99) for _ in range(48)],
            },
            "path": ["a[0]", "y[3]"],
            "breakdown": {
                "parts": [
                    _part("unpack", 0.1, 0.0),
                    _part(
                        "product",
                        0.9,
                        12.0,
                        [_part("leading_zeros", 0.2, 0.0, instances=2), _part("rest", 0.7, 12.0)],
                    ),
                ],
                "difference": -0.034,
            },
            "cells": {"NAND2": 40, "XOR2": 12},
            "cell_areas": {"NAND2": 1.0, "XOR2": 2.5},
        },
    )
