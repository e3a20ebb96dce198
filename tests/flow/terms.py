"""What terms of definitions and of circuits give, beside the unit itself."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import hwarith as hw
from hwarith.flow.proofs import netlist
from hwarith.flow.proofs.specification import specification
from hwarith.flow.proofs.terms import Terms, evaluate


def assert_terms_give(u: hw.Unit, right: Callable[[dict[str, int]], Any], seeds: int) -> None:
    """Hold the terms of a unit's definition and Verilog to what is right, for random operands."""
    t = Terms()
    inputs = {name: t.variable(name, f.bits) for name, f in u.inputs.items()}
    golden, executor = specification(u, t, inputs)
    misuse = t.any_of(executor.misuses)
    circuit = netlist.circuit(netlist.netlist(hw.verilog(u), u.name), t, inputs)
    rtl = t.concat(*(circuit.outputs[name] for name in reversed(u.results)))
    for seed in range(seeds):
        chosen = random.Random(seed)
        given = {name: chosen.getrandbits(x.width) for name, x in inputs.items()}
        said = right(given)
        packed, place = 0, 0
        for f, code in zip(
            u.results.values(), said if isinstance(said, tuple) else (said,), strict=True
        ):
            packed, place = packed | code << place, place + f.bits
        assert evaluate([golden, rtl, misuse], given) == [packed, packed, 0]
