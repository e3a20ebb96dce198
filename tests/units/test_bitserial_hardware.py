"""Hardware of a step of the processing element, of whole groups, and of the dequantizer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from amaranth.hdl import Cat

import hwarith as hw
from hwarith.flow.stimuli.families import stimuli_of
from hwarith.golden import golden
from hwarith.rtl import run_steps
from hwarith.units import Contract, Unit
from hwarith.units.bitserial import BitSerialPe, definitions
from hwarith.units.bitserial.weights import WEIGHTS
from hwarith.units.operations import Operation
from hwarith.units.registry import unit_parameter
from tests.evidence import assert_equal_on
from tests.faults import faulty
from tests.tiers import few
from tests.units.test_bitserial import random_groups


@golden
def step_last(a, terms, bsig, acc, frame):
    return definition_of_step(acc, a, terms, bsig, frame)


definition_of_step = definitions.step


@dataclass(frozen=True, kw_only=True, repr=False)
class Step(Unit):
    """A processing element between its registers: any accumulator in, the next one out."""

    family: ClassVar[str] = "step"
    summary: ClassVar[str] = "a step of a processing element"
    operation: ClassVar[Operation] = Operation("step")

    pe: BitSerialPe = unit_parameter("the processing element", "bspe")

    @property
    def name(self) -> str:
        return f"step_{self.pe.name}"

    @property
    def operands(self) -> dict[str, hw.Format]:
        return self.pe.operands | {"acc": hw.format(f"uint{self.pe.state_bits}")}

    @property
    def results(self) -> dict[str, hw.Format]:
        return {"y": self.operands["acc"]}

    @property
    def contract(self) -> Contract:
        return self.pe.contract

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return step_last, (self.pe.frame,)

    @property
    def word_bits(self) -> int:
        return self.pe.word_bits

    def datapath(self) -> list:
        def step(m: Any, x: Any) -> Any:
            state, at = {}, 0
            for name, f in self.pe.state.items():
                state[name] = x["acc"][at : at + f.bits]
                at += f.bits
            operands = {name: x[name] for name in self.pe.operands}
            front = run_steps(m, self.pe.front_datapath(), operands)
            following = run_steps(m, self.pe.datapath(), front | state)
            return {"y": Cat(*(following[name] for name in self.pe.state))}

        return [step]

    def random(self, n: int) -> list[np.ndarray]:
        """Operands, and accumulators that steps may leave, near them and about the highest
        exponent, where they overflow."""
        rng = np.random.default_rng(n)
        codes = [
            rng.integers(0, 1 << min(f.bits, 63), n).astype(f.dtype)
            for f in self.pe.operands.values()
        ]
        a, terms, bsig = stimuli_of(self.pe).refined(codes, rng)
        m, e = rng.integers(0, 1 << self.pe.aw, n), rng.integers(1, 64, n)
        near = (a >> np.uint64(10)).astype(np.int64) % 32 + rng.integers(-6, 12, n)
        e = np.where(rng.integers(0, 3, n) > 0, np.clip(near, 1, 63), e)
        m = np.where(rng.integers(0, 3, n) == 0, m >> 8 << 8, m)
        m = np.where(rng.integers(0, 9, n) == 0, (1 << self.pe.aw) - 1, m)
        if self.pe.frame.left_norm:
            m = np.where(e > 1, m | 1 << (self.pe.aw - 1), m)
        nonzero = (m > 0) & (rng.integers(0, 20, n) > 0)
        code = m | e << self.pe.aw | rng.integers(0, 2, n) << (self.pe.aw + 6)
        flags = rng.integers(0, 4, n) << (self.pe.aw + 7)
        acc = np.where(nonzero, code, 0) | flags
        return [a, terms, bsig, acc.astype(self.operands["acc"].dtype)]


STEPS = (
    "bspe",
    "bspe:align=joint",
    "bspe:type=fp4,lane_round=trunc",
    "bspe:left_norm=0,lanes=3",
    "bspe:type=int6,fx=13,align=joint",
    "bspe:fx=0,aw=16,align=joint,lane_round=trunc",
    "bspe:type=fp3,fx=1,aw=12,left_norm=0",
    "bspe:type=int8,fx=5,aw=8,lanes=1",
)


@pytest.mark.parametrize("spec", few(STEPS, 3))
def test_hardware_of_a_step(spec: str) -> None:
    u = Step(pe=spec)
    operands = u.random(200_000)
    assert_equal_on(u, *operands)


@pytest.mark.parametrize("spec", ["bspe", "bspe:left_norm=0"])
def test_sums_of_minus_a_power_of_two(spec: str) -> None:
    """A negative sum has one place more once its inverse is incremented."""
    u = Step(pe=spec)
    operands = np.array([0x9BA2A89420A81B47]), np.array([0xC66D]), np.array([5])
    acc = np.array([0xE478B900])
    assert int(u(*operands, acc)[0]) == 0xE4C00000
    assert_equal_on(u, *operands, acc)


@pytest.mark.long
@pytest.mark.parametrize("spec", STEPS)
def test_hardware_of_ten_million_steps(spec: str) -> None:
    u = Step(pe=spec)
    for seed in range(10):
        operands = u.random(1_000_000 + seed)
        assert_equal_on(u, *operands)


@pytest.mark.parametrize(
    ("sound", "broken"),
    [
        ("once = carry ?", "once = ~carry ?"),
        ("acc_up = acc_right16[0] &", "acc_up = acc_right16[0] |"),
        ("lane0_up = lane0_right8[0] &", "lane0_up = lane0_right8[0] |"),
        ("nonzero = |left_left1;", "nonzero = 1'b1;"),
        ("too_large = normalized_exponent[6] &", "too_large = normalized_exponent[5] &"),
    ],
)
def test_faults_in_a_step_are_found(sound: str, broken: str) -> None:
    u = Step(pe="bspe:align=joint")
    operands = u.random(200_000)
    found = hw.simulate(u, verilog=faulty(u, re.escape(sound), broken))(*operands)
    assert (found != u(*operands)).any()


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "bspe:type=fp4",
            "bspe:align=joint",
            "bspe:fx=13,type=int8",
            "bspe:stages=2",
            "bspe:type=fp4,stages=5",
        ],
        3,
    ),
)
def test_hardware_of_groups(spec: str) -> None:
    u = hw.unit(spec)
    name = "int6" if u.type == "mixed" else u.type
    acts, codes, special = random_groups(name, True, 3000, 32)
    acts[:50, 3] = 0x7C00
    steps = u.steps(acts, codes, special, type=name)
    simulation, expected = hw.simulate(u), u(*steps)
    for found in (simulation(*steps), simulation.stream(*steps, idle=0.4, stall=0.5, seed=2)):
        for x, y in zip(found, expected, strict=True):
            assert (x == y).all()
    simulation(*steps)
    assert simulation.clocks == steps[0].size + u.stages


@pytest.mark.long
@pytest.mark.parametrize("name", ["int8", "int6", "fp4", "fp3"])
@pytest.mark.parametrize("align", ["local", "joint"])
def test_hardware_of_a_million_groups(name: str, align: str) -> None:
    u = hw.unit(f"bspe:type={name},align={align}")
    simulation, rng = hw.simulate(u), np.random.default_rng(7)
    for _ in range(10):
        acts = rng.integers(0, 1 << 16, (100_000, 16))
        corners = rng.choice(
            [0, 0x8000, 1, 0x3FF, 0x400, 0x7BFF, 0xFBFF, 0x7C00, 0x7E00, 0x3C00], acts.shape
        )
        acts = np.where(rng.integers(0, 3, acts.shape) == 0, corners, acts)
        codes = rng.integers(0, 1 << WEIGHTS[name].bits, acts.shape)
        choice = (6, -6, 12, -12) if name == "fp3" else (10, -10, 16, -16)
        steps = u.steps(acts, codes, rng.choice(choice, len(acts)))
        for x, y in zip(simulation(*steps), u(*steps), strict=True):
            assert (x == y).all()


@pytest.mark.parametrize(
    "spec", ["bsdequant", "bsdequant:fx=13", "bsdequant:fx=0,aw=12,dqm=20", "bsdequant:dqm=4"]
)
def test_hardware_of_the_dequantizer(spec: str) -> None:
    u = hw.unit(spec)
    rng = np.random.default_rng(1)
    acc, scale, half = (rng.integers(0, 1 << f.bits, 40_000) for f in u.operands.values())
    short = acc & ((1 << u.aw) - 1) >> rng.integers(0, u.aw, 40_000)
    operands = (acc >> u.aw << u.aw | short, scale, half)
    simulation, expected = hw.simulate(u), u(*operands)
    for found in (simulation(*operands), simulation.stream(*operands, idle=0.3, stall=0.6)):
        for x, y in zip(found, expected, strict=True):
            assert (x == y).all()
    simulation(*operands)
    assert simulation.clocks == 8 * 40_000 + 1  # every 8 clocks, after 8 clocks


def test_dequantizer_rounds_once_and_multiplies_exactly() -> None:
    u = hw.unit("bsdequant")
    found = u(0x7FFFFF | 20 << 23, 255, 0)  # rounds up to the next binade
    assert int(found.magnitude) * 2.0 ** int(np.int8(found.exponent)) == 255 * 2.0 ** (20 - 5)
    small = u(0b1011 | 1 << 23 | 1 << 29, 7, 1)  # fewer bits than dqm: exact
    assert (small.magnitude, np.int8(small.exponent), small.sign) == (77, 1 - 28 - 1, 1)
