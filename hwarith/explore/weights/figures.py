"""What is found out of a type of weights: figures with their definitions, and how they are got."""

from __future__ import annotations

from ...units.bitserial.pe import LANES
from ..point import COSTS, Figure

GROUP = 32
"""Weights that share a scale, unless the user says so otherwise."""

COUNTED_GROUP = 128
"""Weights of the group that area and clocks are multiplied for."""

NORMAL_SHAPE, NORMAL_SEED = (2048, 128), 0
"""Groups and their weights of the standard figure, and the seed of numpy's ``default_rng``."""

WEIGHT_FIGURES = {
    figure.key: figure
    for figure in (
        Figure(
            "bits",
            "Bits per weight",
            "bits",
            "Bits of a weight's code and its share of what its group keeps: the scale (16 bits; 8 "
            "of formats of blocks), which special value it has, and the zero point. Of groups that "
            "are full.",
        ),
        Figure(
            "nmse",
            "Weight error (NMSE)",
            "",
            "Normalised mean squared error: the sum of (w - q)² over all weights, divided by the "
            "sum of w², where w is a weight and q what its code stands for.",
        ),
        Figure(
            "nmse_normal",
            "Error of normal weights (normal NMSE)",
            "",
            f"The same of {NORMAL_SHAPE[0]} groups of {NORMAL_SHAPE[1]} random numbers N(0,1), of "
            "mean 0 and variance 1 (formats of blocks: blocks of theirs): a standard figure, the "
            "same in every report.",
        ),
        Figure(
            "accuracy",
            "Accuracy",
            "",
            "Share of the held-out images classified right by the network with quantized weights, "
            "activations in fp16, and sums in float64.",
        ),
        Figure(
            "output_error",
            "Network output error",
            "",
            "Root mean square of the deviation of that network's outputs from those of float64 "
            "weights and activations, divided by the root mean square of the latter.",
        ),
        Figure(
            "pe_output_error",
            "Output error through the PE",
            "",
            "The same where the bit-accurate model of the processing element (PE) computes all "
            "products and sums: a PE of groups those of each group, which are multiplied by the "
            "scale and added up in float64; a MAC all of an output.",
        ),
        Figure(
            "area_per_throughput",
            "Area per throughput",
            "GE·clock",
            "Area of the PE divided by its multiply-adds per clock: the gates that do one "
            "multiply-add in each clock. It takes all PEs at one clock rate.",
        ),
        Figure(
            "area",
            "Area",
            "GE",
            "Area of the PE with its accumulator; with hwarith's generic "
            "library in gate equivalents (GE), multiples of a two-input NAND gate. Without what "
            "PEs share: the generator of terms (bit-serial), the alignment of activations "
            "(bit-parallel), and the multiplication by the scale.",
        ),
        Figure(
            "delay",
            COSTS["delay"].title,
            COSTS["delay"].unit,
            "Longest path between inputs, registers and outputs, without wires and loads; with "
            "hwarith's generic library in delays of a two-input NAND gate.",
        ),
        Figure(
            "throughput",
            "Multiply-adds per clock",
            "per clock",
            "Products of an activation and a weight that the PE adds up in each clock. A "
            f"bit-serial PE has {LANES} lanes and takes a clock for each term of a weight; a "
            f"bit-parallel one has {LANES} lanes.",
        ),
        Figure(
            "area_time",
            "Area · time",
            "GE·NAND2",
            "Area per throughput times the delay: the gates that do one multiply-add in each "
            "delay of a NAND gate, each PE at the clock rate that it could have.",
        ),
        Figure(
            "group_area",
            f"Area · clocks of {COUNTED_GROUP} weights",
            "GE·clock",
            f"Area times the clocks that a group of {COUNTED_GROUP} weights takes.",
        ),
    )
}
"""What is measured of a type of weights on a processing element, by key."""

METHOD = (
    "A group's scale brings its largest magnitude to the type's largest level, and each weight "
    "goes to the nearest level; of several sets of levels the group takes the one with the least "
    "squared error (hwarith.quantize).",
    "Groups run along the inputs of a layer. What does not fill a group is filled with zeros, "
    "which count in no figure.",
    "Biases are not quantized and added in float64. With sums in float64 accuracy and output error "
    "are the types' own; a PE adds rounding of its own.",
    "All PEs take activations in fp16; bit-parallel ones as integers that were aligned to a "
    "group's greatest exponent. The weights of FP16 MACs are fp16 too: a "
    "type with a decoder in front of one would cost as much and the decoder.",
)
"""How types are compared, in sentences for readers of a report."""
