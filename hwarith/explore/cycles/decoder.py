"""Transformer decoders: their shapes, and the matrix products of a pass over tokens.

Source, and what to know of how attention is counted: `hwarith.explore.cycles.accelerator`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ...exceptions import InvalidInput, quoted
from .checks import exact_bits, flag, whole

ACTIVATION_BITS = 16
"""Bits of an activation, a result, and an element of K and V."""

Shape = tuple[int, int]
Bits = int | float | Fraction


@dataclass(frozen=True)
class Model:
    """Shape of a transformer decoder.

    ``layers``, ``hidden`` channels, ``ffn`` channels of the feed-forward part, attention
    ``heads``, ``kv_heads`` heads of keys and values, ``vocab`` tokens of the vocabulary;
    ``gated`` feed-forward parts have two matrices in front instead of one. ``name`` is that of a
    published model. Raises `InvalidInput`, naming the wrong value.
    """

    layers: int
    hidden: int
    ffn: int
    heads: int
    kv_heads: int
    vocab: int
    gated: bool
    name: str = ""

    def __post_init__(self) -> None:
        for key in ("layers", "hidden", "ffn", "heads", "kv_heads", "vocab"):
            whole(key, getattr(self, key))
        flag("gated", self.gated)
        if self.hidden % self.heads:
            raise InvalidInput(f"heads must divide hidden ({self.hidden}), not {self.heads}")
        if self.heads % self.kv_heads:
            raise InvalidInput(f"kv_heads must divide heads ({self.heads}), not {self.kv_heads}")


MODELS = {
    model.name: model
    for model in (
        Model(24, 2048, 8192, 32, 32, 50272, False, "opt-1.3b"),
        Model(32, 2560, 10240, 32, 32, 51200, False, "phi-2"),
        Model(32, 4096, 11008, 32, 4, 64000, True, "yi-6b"),
        Model(32, 4096, 11008, 32, 32, 32000, True, "llama-2-7b"),
        Model(40, 5120, 13824, 40, 40, 32000, True, "llama-2-13b"),
        Model(32, 4096, 14336, 32, 8, 128256, True, "llama-3-8b"),
    )
}
"""The models with published totals, by name."""


@dataclass(frozen=True)
class Operation:
    """A matrix product that is done ``count`` times.

    Shapes: ``weight`` (outputs, inputs), ``input`` (any, inputs), ``output`` (tokens, any).
    ``weight_bits`` are the weight's bits if they are not those of the accelerator's weights.
    Raises `InvalidInput` for anything but pairs of whole numbers above zero.
    """

    name: str
    weight: Shape
    input: Shape
    output: Shape
    count: int = 1
    weight_bits: Bits | None = None

    def __post_init__(self) -> None:
        for key in ("weight", "input", "output"):
            shape = getattr(self, key)
            if not isinstance(shape, tuple) or len(shape) != 2:
                raise InvalidInput(
                    f"{self.name}: {key} must be a pair of sizes, not {quoted(shape)}"
                )
            for size in shape:
                whole(f"{self.name}: {key}", size)
        whole(f"{self.name}: count", self.count)
        if self.weight_bits is not None:
            bits = exact_bits(f"{self.name}: weight_bits", self.weight_bits)
            object.__setattr__(self, "weight_bits", bits)


def operations(model: Model, tokens: int, context: int | None = None) -> list[Operation]:
    """The matrix products of a pass over `tokens` tokens, in the order of a layer.

    `context` is how many tokens attention looks at: those of the pass, unless it is given. In
    ``qk`` and ``av`` the query and the attention weights take the place of the weight.
    Raises `InvalidInput` if either is not a whole number above zero.
    """
    whole("tokens", tokens)
    context = tokens if context is None else whole("context", context)
    hidden, ffn, layers = model.hidden, model.ffn, model.layers
    kv = hidden // model.heads * model.kv_heads
    rows = whole("tokens times heads", model.heads * tokens)

    def linear(name: str, outputs: int, inputs: int, count: int = layers) -> Operation:
        return Operation(name, (outputs, inputs), (tokens, inputs), (tokens, outputs), count)

    def attention(name: str, weight: Shape, output: Shape) -> Operation:
        return Operation(name, weight, (context, kv), output, layers, ACTIVATION_BITS)

    return [
        linear("q", hidden, hidden),
        linear("k", kv, hidden),
        linear("v", kv, hidden),
        attention("qk", (tokens, hidden), (rows, context)),
        attention("av", (rows, context), (tokens, hidden)),
        linear("o", hidden, hidden),
        *([linear("gate", ffn, hidden)] if model.gated else []),
        linear("up", ffn, hidden),
        linear("down", hidden, ffn),
        linear("lm_head", model.vocab, hidden, 1),
    ]
