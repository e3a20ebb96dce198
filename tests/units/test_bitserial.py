"""BitMoD's units: terms, processing element, dequantizer and tile, against published vectors, exact
sums and each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from amaranth.hdl import Cat

import hwarith as hw
from hwarith.flow.stimuli.families import stimuli_of
from hwarith.formats.weights import quantize, weight_type
from hwarith.golden import golden
from hwarith.rtl import run_steps
from hwarith.units import Contract, Unit
from hwarith.units.bitserial import BitSerialPe, definitions
from hwarith.units.bitserial.weights import (
    LEGAL_SPECIALS,
    LEGAL_WITH_SIGNED_T0,
    WEIGHTS,
    special_codes,
)
from hwarith.units.operations import Operation
from hwarith.units.registry import unit_parameter
from tests.units.test_rtl import assert_rtl_equals_golden

FP16 = hw.format("fp16")
HALVES = {"fp3": (0, 2, 4, 8), "fp4": (0, 1, 2, 3, 4, 6, 8, 12)}


def published() -> tuple[np.ndarray, np.ndarray]:
    """Activations, and words of weights, of a linear congruential generator."""
    x, words = 1, []
    for _ in range(256):
        x = (1664525 * x + 1013904223) % 2**32
        words.append(x)
    acts = np.array(words[:128]) >> 16
    return np.where(acts >> 10 & 31 == 31, acts & ~1024, acts), np.array(words[128:])


ACTS, WORDS = published()


def integers(name: str, codes: np.ndarray, special: Any = 0) -> np.ndarray:
    """What codes of weights stand for, in halves for fp3 and fp4, as special values (...) are."""
    bits = WEIGHTS[name].bits
    sign = codes >> (bits - 1)
    if name.startswith("int"):
        return codes - (sign << bits)
    magnitude = np.array(HALVES[name])[codes & ((1 << (bits - 1)) - 1)]
    minus_zero = (sign == 1) & (magnitude == 0)
    value = np.where(sign == 1, -magnitude, magnitude)
    return np.where(minus_zero, np.asarray(special)[..., None], value)


def exact_sum(acts: np.ndarray, weights: np.ndarray) -> tuple[int, int]:
    """The sum of products and of their magnitudes, in units of 2^-24."""
    total = magnitude = 0
    for a, w in zip(acts.tolist(), weights.tolist(), strict=True):
        e, fraction = a >> 10 & 31, a & 1023
        value = (1024 + fraction) << (e - 1) if e else fraction
        total += (-value if a >> 15 else value) * w
        magnitude += value * abs(w)
    return total, magnitude


# -- terms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("signed_t0", [False, True])
def test_terms_sum_up_to_every_weight(name: str, signed_t0: bool) -> None:
    w = WEIGHTS[name]
    specials = (0,)
    if w.floating:
        legal = LEGAL_WITH_SIGNED_T0 if signed_t0 else LEGAL_SPECIALS
        specials = tuple(s * x for x in legal for s in (1, -1))
    for special in specials:
        codes = np.arange(1 << w.bits)
        for code, value in zip(codes.tolist(), integers(name, codes, special), strict=True):
            total = 0
            for k in range(w.terms):
                term = w.term(code, int(special_codes(special, signed_t0)), k, signed_t0)
                magnitude = (term & 1) << (term >> 1 & 3) << (w.step * k)
                total += -magnitude if term >> 3 else magnitude
            assert total == value, (code, special)


def test_table_of_fp4_codes() -> None:
    halves = [definitions.half_units(magnitude) for magnitude in range(8)]
    assert halves == [0b00000, 0b00001, 0b00010, 0b00011, 0b00100, 0b00110, 0b01000, 0b01100]
    book = weight_type("bitmod4").codebooks[0]
    values = dict(zip(book.codes.tolist(), (2 * book.levels).tolist(), strict=True))
    codes = np.array(sorted(values))
    assert integers("fp4", codes, 10).tolist() == [values[c] for c in codes.tolist()]


def test_table_of_booth_digits() -> None:
    digits = {0: (0, 0, 0), 7: (0, 0, 0), 1: (0, 0, 1), 2: (0, 0, 1), 3: (0, 1, 1), 4: (1, 1, 1),
              5: (1, 0, 1), 6: (1, 0, 1)}  # fmt: skip
    for string, (sign, exp, man) in digits.items():
        term = definitions.booth_term(string, 1) if string & 1 else None
        shifted = definitions.booth_term(string << 1, 1)
        expected = sign << 3 | exp << 1 | man
        assert shifted == expected
        assert term is None or definitions.booth_term(string >> 1, 0) in range(16)


@pytest.mark.parametrize(
    ("name", "terms"),
    [("int8", 4), ("int7", 4), ("int6", 3), ("int5", 3), ("int4", 2), ("int3", 2), ("fp4", 2),
     ("fp3", 2)],
)  # fmt: skip
def test_clocks_of_a_group(name: str, terms: int) -> None:
    assert WEIGHTS[name].terms == terms
    assert WEIGHTS[name].clocks(128, 4) == 32 * terms
    u = hw.unit(f"bspe:type={name}")
    assert len(u.steps(ACTS, np.zeros(128, int))[0]) == 32 * terms


@pytest.mark.parametrize("spec", ["termgen", "termgen:t0=signed", "termgen:type=int3",
                                  "termgen:type=int6", "termgen:type=int8", "termgen:type=fp3",
                                  "termgen:type=fp4,t0=signed"])  # fmt: skip
def test_hardware_of_the_term_generator(spec: str) -> None:
    assert_rtl_equals_golden(spec, 1 << 17)  # every code, every special value


@pytest.mark.parametrize("name", ["int6", "fp4"])
def test_mixed_generator_gives_the_terms_of_each_type(name: str) -> None:
    w, mixed = WEIGHTS[name], hw.unit("termgen")
    codes = np.arange(1 << w.bits)
    wide = codes if w.floating else integers(name, codes) & 255
    own = hw.unit(f"termgen:type={name}")
    for k in range(w.terms):
        special = [42] if w.floating else []
        one = own(codes, *special, k)
        assert (mixed(wide, 42, int(w.floating), k).term == one.term).all()
        assert (one.bsig == w.step * k).all()


# -- processing element --------------------------------------------------------------------------

VECTORS = [
    ("int8", 0, 128, 36973820021998, (0, 0x4341B6, 27), (0, 0x4340CD, 27), (0, 0x0D4485, 8),
     (0, 0x10D0518EB, 27)),
    ("int4", 0, 64, 3539290705831, (0, 0x67025E, 23), (0, 0x67025C, 23), (0, 0x1451E5, 4),
     (0, 0x19C07114F, 23)),
    ("fp4", 10, 64, -1669739424698, (1, 0x612FBE, 22), (1, 0x612FBE, 22), (1, 0x132BF8, 2),
     (1, 0x184C438EA, 22)),
    ("fp3", 6, 64, -7458245561532, (1, 0x6C88F4, 24), (1, 0x6C88F5, 24), (1, 0x1568D4, 4),
     (1, 0x1B22084A0, 24)),
]  # fmt: skip


def test_published_activations() -> None:
    first = ["3c88", "5e88", "8116", "b473", "0cf0", "5e98", "c656", "8e62"]
    assert [f"{a:04x}" for a in ACTS[:8]] == first


@pytest.mark.parametrize(
    ("name", "special", "clocks", "exact", "joint", "local", "dequantized", "wide"), VECTORS
)
def test_published_groups(
    name: str, special: int, clocks: int, exact: int, joint: tuple, local: tuple,
    dequantized: tuple, wide: tuple,
) -> None:  # fmt: skip
    codes = WORDS >> (32 - WEIGHTS[name].bits)
    assert exact_sum(ACTS, integers(name, codes, special))[0] == exact
    for options, expected in (
        ("align=joint", joint),
        ("align=local", local),
        ("align=joint,fx=13", wide),
    ):
        u = hw.unit(f"bspe:type={name},{options}")
        assert tuple(map(int, u.group(ACTS, codes, special=special))) == expected
    assert len(u.steps(ACTS, codes, special)[0]) == clocks
    dequant, half = hw.unit("bsdequant"), int(WEIGHTS[name].floating)
    sign, magnitude, exponent = joint
    found = dequant(magnitude | exponent << 23 | sign << 29, 101, half)
    assert (found.sign, found.magnitude, np.int8(found.exponent)) == dequantized


@pytest.mark.parametrize(
    ("name", "special", "acts", "weights", "trace"),
    [
        ("int8", 0, [0x3C00] * 4, [127, -127, 1, -128],
         [(1, 0x400000, 13), (1, 0x400000, 13), (1, 0x400000, 13), (1, 0x7F0000, 12)]),
        ("int6", 0, [0x3C00, 0xC000, 0x3555, 0x7BFF], [-31, 17, 3, -1],
         [(1, 0x400000, 12), (1, 0x7D5580, 11), (1, 0x400800, 22)]),
        ("fp4", 10, [0x3C00, 0xC000, 0x3555, 0x0001], [7, 8, 0xB, 2],
         [(1, 0x455400, 9), (1, 0x47FE00, 9)]),
        ("int4", 0, [0x3C00, 0xBC00, 0x3C00, 0xBC00], [7, 7, -8, -8], [(0, 0, 0), (0, 0, 0)]),
    ],
)  # fmt: skip
def test_published_traces(name: str, special: int, acts: list, weights: list, trace: list) -> None:
    u = hw.unit("bspe:align=joint")
    steps = u.steps(acts, weights, special, type=name)
    found = [u(*(x[: k + 1] for x in steps)) for k in range(len(trace))]
    assert [(y.sign, y.magnitude, y.exponent) for y in found] == trace


def test_published_values_of_traces() -> None:
    u = hw.unit("bspe:align=joint")
    of_int6 = u.group([0x3C00, 0xC000, 0x3555, 0x7BFF], [-31, 17, 3, -1], type="int6")
    assert u.decode(of_int6, "int6") == -65568
    of_fp4 = u.group([0x3C00, 0xC000, 0x3555, 1], [7, 8, 0xB, 2], special=10, type="fp4")
    assert 2 * u.decode(of_fp4, "fp4") == pytest.approx(-8.99902, abs=1e-5)


def random_groups(name: str, wide: bool, groups: int = 400, n: int = 128) -> tuple:
    """Activations (normal, or of uniform patterns), codes, special values."""
    rng = np.random.default_rng(3)
    if wide:
        acts = rng.integers(0, 1 << 16, (groups, n))
        acts = np.where(acts >> 10 & 31 == 31, acts & ~1024, acts)
    else:
        acts = FP16.encode(rng.standard_normal((groups, n))).astype(np.int64)
    codes = rng.integers(0, 1 << WEIGHTS[name].bits, (groups, n))
    choice = (6, -6, 12, -12) if name == "fp3" else (10, -10, 16, -16)
    special = rng.choice(choice, groups) if WEIGHTS[name].floating else np.zeros(groups, int)
    return acts, codes, special


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("name", ["int8", "int6", "int3", "fp4", "fp3"])
def test_bounds_of_the_error(name: str, wide: bool) -> None:
    acts, codes, special = random_groups(name, wide)
    weights = integers(name, codes, special)
    sums = [exact_sum(a, w) for a, w in zip(acts, weights, strict=True)]
    exact, terms = (np.array(x, float) for x in zip(*sums, strict=True))
    half = 2.0 if WEIGHTS[name].floating else 1.0
    relative = {}
    for options in ("align=local", "align=joint", "fx=13", "lane_round=trunc", "left_norm=0"):
        u = hw.unit(f"bspe:type={name},{options}")
        found = u.decode(u.group(acts, codes, special)) * half * 2.0**24
        relative[options] = (found - exact) / terms
    bound = {"align=local": 1e-4, "align=joint": 1e-4, "fx=13": 1e-7, "lane_round=trunc": 3e-4}
    for options, most in bound.items():
        assert np.abs(relative[options]).max() <= most, options
    rms = {options: float(np.sqrt(np.mean(x**2))) for options, x in relative.items()}
    assert rms["align=local"] < (12e-6 if wide else 4e-6)
    assert rms["lane_round=trunc"] > rms["align=local"]
    assert rms["left_norm=0"] > rms["align=local"]


def test_infinity_and_nan_are_flagged_and_add_nothing() -> None:
    u = hw.unit("bspe:type=int4")
    acts, codes = np.array([0x3C00, 0x7C00, 0xFE00, 0x4000]), np.array([3, 5, 0, 2])
    found = u.group(acts, codes, flags=True)
    assert (found.invalid, found.overflow) == (1, 0)
    assert u.decode(found) == 7
    assert u.group(acts[[0, 3]], codes[[0, 3]], flags=True).invalid == 0
    dequant = hw.unit("bsdequant")
    acc = int(found.magnitude) | int(found.exponent) << 23 | 1 << 30
    assert dequant.as_float(dequant(acc, 3, 0)) == 0x7FC00000


def test_subnormals_are_exact_and_zeros_have_no_exponent() -> None:
    u = hw.unit("bspe:type=int8")
    assert u.decode(u.group([1, 1, 0x83FF, 0], [127, 1, 3, 77])) == (128 - 3 * 1023) * 2.0**-24
    assert u.group([0x7BFF, 1], [0, 5]) == (0, 5 << 3, 1)  # exponent of the subnormal
    assert u.group([0x8000, 0], [5, -5]) == (0, 0, 0)


def test_groups_broadcast_and_are_padded() -> None:
    u = hw.unit("bspe:type=fp4")
    acts, codes, special = random_groups("fp4", False, 3, 6)
    every = u.group(acts[:, None], codes[None], special[None])
    assert every.magnitude.shape == (3, 3)
    one = u.group(acts[2], codes[1], int(special[1]))
    assert (every.sign[2, 1], every.magnitude[2, 1], every.exponent[2, 1]) == one
    padded = u.group(np.append(acts[2], [0, 0]), np.append(codes[1], [0, 0]), int(special[1]))
    assert padded == one


def test_array_speed_is_the_definition() -> None:
    """Interpreted for a few, compiled for many."""
    u = hw.unit("bspe:type=int6,align=joint")
    acts, codes, _ = random_groups("int6", True, 40, 16)
    many = u.group(acts, codes, flags=True)
    for i in range(0, 40, 13):
        steps = [x.tolist() for x in u.steps(acts[i], codes[i])]
        assert tuple(x[i] for x in many) == tuple(u.golden(*steps))


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
        codes = [rng.integers(0, 1 << min(f.bits, 63), n).astype(f.dtype)
                 for f in self.pe.operands.values()]  # fmt: skip
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
    "bspe", "bspe:align=joint", "bspe:type=fp4,lane_round=trunc", "bspe:left_norm=0,lanes=3",
    "bspe:type=int6,fx=13,align=joint", "bspe:fx=0,aw=16,align=joint,lane_round=trunc",
    "bspe:type=fp3,fx=1,aw=12,left_norm=0", "bspe:type=int8,fx=5,aw=8,lanes=1",
)  # fmt: skip


@pytest.mark.parametrize("spec", STEPS)
def test_hardware_of_a_step(spec: str) -> None:
    u = Step(pe=spec)
    operands = u.random(200_000)
    assert (hw.simulate(u)(*operands) == u(*operands)).all()


@pytest.mark.long
@pytest.mark.parametrize("spec", STEPS)
def test_hardware_of_ten_million_steps(spec: str) -> None:
    u = Step(pe=spec)
    for seed in range(10):
        operands = u.random(1_000_000 + seed)
        assert (hw.simulate(u)(*operands) == u(*operands)).all()


@pytest.mark.parametrize(
    ("sound", "broken"),
    [
        ("once = inverted[23] ?", "once = ~inverted[23] ?"),
        ("acc_up = acc_right16[0] &", "acc_up = acc_right16[0] |"),
        ("lane0_up = lane0_right8[0] &", "lane0_up = lane0_right8[0] |"),
        ("nonzero = | left_left1;", "nonzero = 1'h1;"),
        ("too_large = normalized_exponent[6] &", "too_large = normalized_exponent[5] &"),
    ],
)
def test_faults_in_a_step_are_found(sound: str, broken: str) -> None:
    u = Step(pe="bspe:align=joint")
    verilog = hw.verilog(u)
    assert verilog.count(sound) == 1
    operands = u.random(200_000)
    found = hw.simulate(u, verilog=verilog.replace(sound, broken))(*operands)
    assert (found != u(*operands)).any()


@pytest.mark.parametrize("spec", ["bspe:type=fp4", "bspe:align=joint", "bspe:fx=13,type=int8",
                                  "bspe:stages=2", "bspe:type=fp4,stages=5"])  # fmt: skip
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
        corners = rng.choice([0, 0x8000, 1, 0x3FF, 0x400, 0x7BFF, 0xFBFF, 0x7C00, 0x7E00, 0x3C00],
                             acts.shape)  # fmt: skip
        acts = np.where(rng.integers(0, 3, acts.shape) == 0, corners, acts)
        codes = rng.integers(0, 1 << WEIGHTS[name].bits, acts.shape)
        choice = (6, -6, 12, -12) if name == "fp3" else (10, -10, 16, -16)
        steps = u.steps(acts, codes, rng.choice(choice, len(acts)))
        for x, y in zip(simulation(*steps), u(*steps), strict=True):
            assert (x == y).all()


# -- dequantizer ---------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", ["bsdequant", "bsdequant:fx=13", "bsdequant:fx=0,aw=12,dqm=20",
                                  "bsdequant:dqm=4"])  # fmt: skip
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


# -- tile ----------------------------------------------------------------------------------------


def tile_operands(u: Any, n: int, k: int, groups: int, name: str | None = None) -> list[np.ndarray]:
    rng = np.random.default_rng(k)
    a = FP16.encode(rng.standard_normal((n, u.rows, k)) * 10.0 ** rng.integers(-7, 4, (n, 1, k)))
    a = np.where(rng.integers(0, 500, a.shape) == 0, 0x7C00, a)
    shape = (n, u.columns, groups)
    operands = [a, rng.integers(0, 1 << u.encoder.bits, (n, u.columns, k)),
                rng.integers(0, 256, shape)]  # fmt: skip
    if u.encoder.takes_floats:
        operands.append(special_codes(rng.choice([6, -6, 10, -10, 16, -16], shape)))
    if name:
        operands.append(np.full(n, u.mode(name)))
    return operands


@pytest.mark.parametrize(
    ("spec", "name"),
    [("bstile:rows=3,columns=2", None), ("bstile:pe=(bspe),rows=2,columns=2", "int6"),
     ("bstile:pe=(bspe:type=int8,align=joint),rows=9,columns=1,dqm=20", None)],
)  # fmt: skip
@pytest.mark.parametrize(("k", "groups"), [(4, 1), (32, 2), (96, 3)])
def test_hardware_of_the_tile(spec: str, name: str | None, k: int, groups: int) -> None:
    u = hw.unit(spec)
    operands = tile_operands(u, 30, k, groups, name)
    simulation, expected = hw.simulate(u), u(*operands)
    assert (simulation(*operands) == expected).all()
    terms = WEIGHTS[name or u.pe.type].terms
    group = k // groups // 4 * terms
    if group >= max(8, u.rows):  # no pause for dequantization
        assert simulation.clocks == 30 * groups * group + u.stages
    else:
        assert simulation.clocks > 30 * groups * group + u.stages
    assert (simulation.stream(*operands, idle=0.3, stall=0.7, seed=4) == expected).all()


def test_every_type_goes_through_a_mixed_tile() -> None:
    mixed = hw.unit("bstile:pe=(bspe),rows=2,columns=3")
    rng = np.random.default_rng(5)
    acts = FP16.encode(rng.standard_normal((2, 64)))
    for name in ("int3", "int4", "int5", "int6", "int7", "int8", "bitmod3", "bitmod4", "fp4"):
        weights = quantize(rng.standard_normal((3, 64)), name, group=32, scale_bits=8)
        kind = name.replace("bitmod", "fp")
        own = hw.unit(f"bstile:pe=(bspe:type={kind}),rows=2,columns=3")
        assert (own.matmul(acts, weights) == mixed.matmul(acts, weights)).all()


def test_matrix_product_of_a_tile() -> None:
    u = hw.unit("bstile:pe=(bspe:type=fp4),rows=4,columns=4")
    rng = np.random.default_rng(6)
    acts = FP16.encode(rng.standard_normal((5, 256)))
    weights = quantize(rng.standard_normal((7, 256)), "bitmod4", scale_bits=8)
    found = FP16.decode(u.matmul(acts, weights))
    exact = FP16.decode(acts) @ weights.values().T
    terms = np.abs(FP16.decode(acts)) @ np.abs(weights.values()).T
    assert found.shape == (5, 7)
    # a sum is rounded to 14 bits before its scale, and to fp16 at the end
    assert (np.abs(found - exact) <= 2.0**-14 * terms + 2.0**-11 * np.abs(exact)).all()


def test_tile_is_group_by_group() -> None:
    """An element of the tile, step by step by the other units."""
    u = hw.unit("bstile:rows=2,columns=2")
    a, w, scale, special = tile_operands(u, 1, 48, 3)
    y = u(a, w, scale, special)[0]
    pe, dequant, add = u.pe, u.dequant, hw.unit("add:a=fp32")
    for r, c in np.ndindex(2, 2):
        total = 0
        for g in range(3):
            part = slice(16 * g, 16 * g + 16)
            code = int(special[0, c, g])
            halves = -(code & 31) if code >> 5 else code & 31
            s = pe.group(a[0, r, part], w[0, c, part], halves, flags=True)
            acc = s.magnitude | s.exponent.astype(int) << 23 | s.sign.astype(int) << 29
            acc |= s.invalid.astype(int) << 30
            total = add(total, dequant.as_float(dequant(int(acc), scale[0, c, g], 1)))
        assert total == y[r, c]


@pytest.mark.parametrize("spec", ["termgen", "bspe:type=fp4", "bspe:stages=3", "bsdequant",
                                  "bstile:rows=2,columns=2"])  # fmt: skip
def test_regression(spec: str) -> None:
    result = hw.regress(spec, vectors=60)
    assert result.failed == 0, result


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("bspe:type=fp5", "fp5"), ("bspe:lanes=5", "1 to 4"), ("bspe:align=both", "local"),
        ("bspe:fx=17", "0 to 16"), ("bspe:aw=24", "8 to 23"),
        ("bspe:align=joint,stages=2", "must be 1"),
        ("bspe:stages=9", "1 to 8"), ("bstile:pe=(bspe:stages=2)", "one stage"),
        ("bsdequant:aw=40", "8 to 36"), ("termgen:type=int9", "int9"),
        ("bstile:pe=(mul)", "must be a bspe"), ("bstile:rows=0", "1 to 64"),
        ("bstile:stages=4", "cannot be given"),
    ],
)  # fmt: skip
def test_bad_parameters(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(spec)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(acts=[1.5], codes=[1]), "float"),
        (dict(acts=np.zeros(0, int), codes=np.zeros(0, int)), "at least 1"),
        (dict(acts=[1, 2, 3], codes=[1, 2]), "shape"), (dict(acts=[70000], codes=[1]), "70000"),
        (dict(acts=[1], codes=[16]), "16"), (dict(acts=[1], codes=[1], special=7), "halves"),
        (dict(acts=[1], codes=[1], special=2.5), "halves"), (dict(acts=3, codes=1), "at least 1"),
        (dict(acts=[1], codes=[1], type="int8"), "int8"),
        (dict(acts=[[1]], codes=[[1]], special=[6, 6, 6, 6, 6]), None),
    ],
)  # fmt: skip
def test_bad_groups(arguments: dict, message: str | None) -> None:
    u = hw.unit("bspe:type=fp4")
    if message is None:
        assert u.group(**arguments).magnitude.shape == (5,)
        return
    with pytest.raises(hw.InvalidInput, match=message):
        u.group(**arguments)


def test_a_mixed_element_must_be_told_the_type() -> None:
    with pytest.raises(hw.InvalidInput, match="name the type"):
        hw.unit("bspe").group([1], [1])


def test_bad_operands_of_a_tile() -> None:
    u = hw.unit("bstile:rows=2,columns=2")
    a, w, scale, special = tile_operands(u, 1, 32, 2)
    for bad in ((a, w, scale), (a[:, :1], w, scale, special), (a, w[..., :16], scale, special),
                (a, w, scale[..., :1], special), (a[..., :12], w[..., :12], scale, special),
                (a[..., :0], w[..., :0], scale, special)):  # fmt: skip
        with pytest.raises(hw.InvalidInput, match="bstile"):
            u(*bad)
    weights = quantize(np.ones((2, 32)), "bitmod4")
    with pytest.raises(hw.InvalidInput, match="scale_bits=8"):
        u.matmul(a[0], weights)
    with pytest.raises(hw.InvalidInput, match="fp4"):
        u.matmul(a[0], quantize(np.ones((2, 32)), "int4", scale_bits=8))
    with pytest.raises(hw.InvalidInput, match="shapes"):
        u.matmul(a[0, :, :16], quantize(np.ones((2, 32)), "bitmod4", scale_bits=8))
    with pytest.raises(hw.InvalidInput, match="mode"):
        hw.unit("bstile:pe=(bspe),rows=2,columns=2")(a, w, scale, special, 7)
