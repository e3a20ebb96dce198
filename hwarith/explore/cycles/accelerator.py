"""Cycles and DRAM traffic of a language model on an output-stationary array of PEs.

The cycle model of the BitMoD accelerator, and of those it is compared with: FP16, ANT and OliVe.
For each operation an array of ``rows`` x ``columns`` PEs computes while DRAM delivers, and the
slower of the two counts. One cycle is 1 ns, DRAM gives 256 bits in it.

Source: Chen et al., "BitMoD: Bit-serial Mixture-of-Datatype LLM Acceleration" (HPCA 2025,
doi:10.1109/HPCA61900.2025.00084), whose authors published a simulator and its totals. All totals
come out exactly. What to know of the definition, which is kept as published:

* The totals are those of 2024; in July 2025 the authors changed how their simulator counts
  attention, not the totals.
* A serial array charges attention at the latency of its weights, though K and V have 16 bits.
* Attention computes ``qk`` of each head over the channels of all heads, and ``av`` with tokens in
  place of a head's channels: in general too many cycles. Of the K and V that one generated token
  reads only a part is counted.
* The context of generated tokens does not grow: it stays the prompt's length.
* On-chip energy is not modelled.

The authors of BitMoD say that a patent application by Cornell University covers their work.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil

from ...exceptions import InvalidInput, unknown
from .checks import exact_bits, flag, whole
from .decoder import ACTIVATION_BITS, MODELS, Bits, Model, Operation, operations

DRAM_BYTES_PER_CYCLE = 32
"""A bus of 128 bits at double data rate."""

DRAM_PJ_PER_BYTE = 150
"""2400 pJ for each access of 128 bits."""

BUFFER_BYTES = 512 * 1024
"""Bytes of each of the published buffers."""


@dataclass(frozen=True)
class Accelerator:
    """An array of ``rows`` x ``columns`` PEs, each with a dot product of ``dp`` elements.

    ``bits`` are those of a weight in memory, with its share of the group's scale, ``input_bits``
    those of what a layer's weights are multiplied with. A PE takes ``clocks`` cycles for a dot
    product; without them a ``serial`` one takes ceil(floor(bits) / 2), another one 1.
    ``weight_buffer`` and ``input_buffer`` are in bytes. Raises `InvalidInput`, naming the wrong
    value.
    """

    rows: int
    columns: int
    bits: Bits
    dp: int = 1
    serial: bool = False
    weight_buffer: int = BUFFER_BYTES
    input_buffer: int = BUFFER_BYTES
    clocks: int | None = None
    input_bits: Bits = ACTIVATION_BITS

    def __post_init__(self) -> None:
        for key in ("rows", "columns", "dp", "weight_buffer", "input_buffer"):
            whole(key, getattr(self, key))
        flag("serial", self.serial)
        if self.clocks is not None:
            whole("clocks", self.clocks)
        for key in ("bits", "input_bits"):
            object.__setattr__(self, key, exact_bits(key, getattr(self, key)))

    @property
    def latency(self) -> int:
        """Cycles of a dot product."""
        usual = -(-int(self.bits) // 2) if self.serial else 1
        return self.clocks or usual


@dataclass(frozen=True)
class Cost:
    """What operations take. ``cycles`` sums the larger of compute and DRAM of each operation."""

    compute_cycles: int = 0
    dram_cycles: int = 0
    cycles: int = 0
    dram_bytes: int = 0

    @property
    def dram_energy(self) -> float:
        """Energy of DRAM in uJ."""
        return self.dram_bytes * DRAM_PJ_PER_BYTE / 10**6

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.compute_cycles + other.compute_cycles,
            self.dram_cycles + other.dram_cycles,
            self.cycles + other.cycles,
            self.dram_bytes + other.dram_bytes,
        )

    def times(self, count: int) -> Cost:
        """The cost of doing the same `count` times."""
        return Cost(
            self.compute_cycles * count,
            self.dram_cycles * count,
            self.cycles * count,
            self.dram_bytes * count,
        )


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of `costs`."""
    return sum(costs, Cost())


def cost(operation: Operation, accelerator: Accelerator) -> Cost:
    """What an operation takes on an accelerator, with its ``count``.

    The weight is fetched for each bufferful of the input, or the input for each bufferful of the
    weight, whichever makes less traffic: each once if either fits its buffer.
    """
    outputs, inputs = operation.weight
    tokens = operation.output[0]
    compute = (
        _ceil(inputs, accelerator.dp)
        * _ceil(outputs, accelerator.rows)
        * _ceil(tokens, accelerator.columns)
        * accelerator.latency
    )
    bits = operation.weight_bits or accelerator.bits
    weight = _row_bytes(inputs, bits) * outputs
    input_bits = ACTIVATION_BITS if operation.weight_bits else accelerator.input_bits
    input_ = _row_bytes(operation.input[1], input_bits) * tokens
    output = _row_bytes(outputs, ACTIVATION_BITS) * tokens
    fetched = min(
        _ceil(input_, accelerator.input_buffer) * weight + input_,
        _ceil(weight, accelerator.weight_buffer) * input_ + weight,
    )
    moved = fetched + output
    dram = moved // DRAM_BYTES_PER_CYCLE
    return Cost(compute, dram, max(compute, dram), moved).times(operation.count)


def _ceil(a: int, b: int) -> int:
    return -(-a // b)


def _row_bytes(elements: int, bits: Bits) -> int:
    return ceil(Fraction(elements) * Fraction(bits) / 8)


@dataclass(frozen=True)
class Config:
    """An accelerator as it processes a ``prompt`` and as it generates (``generation``) a token.

    Arrays have another shape for one token than for many. ``bits`` are those of a weight in
    generation by the name of the model, where they depend on it.
    """

    prompt: Accelerator
    generation: Accelerator
    bits: dict[str, Bits] = field(default_factory=dict, hash=False)

    def generating(self, model: Model) -> Accelerator:
        """The accelerator for one generated token of `model`.

        Raises `InvalidInput` if the bits of a weight were not published for the model.
        """
        if not self.bits:
            return self.generation
        if model.name not in self.bits:
            raise InvalidInput(
                "the bits of ANT and OliVe in generation are known only for "
                + ", ".join(self.bits)
                + "; give your own model a config such as rows=64,columns=16,bits=5"
            )
        return replace(self.generation, bits=self.bits[model.name])


def _published(bits: tuple[float, ...]) -> dict[str, Bits]:
    return dict(zip(MODELS, bits, strict=True))


CONFIGS = {
    "fp16": Config(Accelerator(32, 24, 16), Accelerator(64, 12, 16)),
    "ant": Config(
        Accelerator(32, 32, 5.5), Accelerator(64, 16, 5), _published((5, 5, 5.25, 5, 5, 4.5))
    ),
    "olive": Config(
        Accelerator(36, 32, 4.5),
        Accelerator(72, 16, 4),
        _published((3.875, 4, 4.25, 3.75, 3.75, 3.5)),
    ),
    "bitmod-lossless": Config(
        Accelerator(32, 32, 6.0625, dp=4, serial=True),
        Accelerator(64, 16, 6.0625, dp=4, serial=True),
    ),
    "bitmod": Config(
        Accelerator(32, 32, 4.0625, dp=4, serial=True),
        Accelerator(64, 16, 3.0625, dp=4, serial=True),
    ),
}
"""The published accelerators of equal area. ``bitmod-lossless`` has INT6 weights; ``bitmod``,
``ant`` and ``olive`` give up some accuracy."""


def task(
    model: str | Model,
    config: str | Config | Accelerator,
    tokens: int = 256,
    generate: int = 0,
) -> dict[str, dict[str, Cost]]:
    """The cost of each operation, by its name, in each phase.

    Phase ``prompt`` is one pass over `tokens` tokens, ``generation`` the `generate` tokens after
    it, each a pass of its own with the prompt as context; without any it is left out.

    Parameters
    ----------
    model : name of one of `MODELS`, or a `Model`.
    config : name of one of `CONFIGS`, a `Config`, or an `Accelerator` for both phases.

    The published generative results are for 256 tokens and 20 generated ones. Lossy
    configurations then have fewer bits in generation than in the prompt, as published.

    Raises `InvalidInput` for unknown names and wrong numbers, and where `Config.generating` does.
    """
    if isinstance(model, str):
        if model not in MODELS:
            raise unknown("model", model, MODELS)
        model = MODELS[model]
    if isinstance(config, str):
        if config not in CONFIGS:
            raise unknown("config", config, CONFIGS)
        config = CONFIGS[config]
    if isinstance(config, Accelerator):
        config = Config(config, config)
    whole("generate", generate, least=0)
    phases = {"prompt": {o.name: cost(o, config.prompt) for o in operations(model, tokens)}}
    if generate:
        accelerator = config.generating(model)
        phases["generation"] = {
            o.name: cost(o, accelerator).times(generate) for o in operations(model, 1, tokens)
        }
    return phases


__all__ = [
    "CONFIGS",
    "MODELS",
    "Accelerator",
    "Config",
    "Cost",
    "Model",
    "Operation",
    "cost",
    "operations",
    "task",
    "total",
]
