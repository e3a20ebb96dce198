"""Types of weights, measured with a stand-in for synthesis: rows for figures and reports."""

from __future__ import annotations

from functools import cache

from hwarith.explore.weights import digits, measure_weights
from hwarith.reports import WeightRows, weight_rows
from tests.explore.fake_flow import FakeFlow

TYPES = ("int4", "int8", "fp3", "bitmod4", "mxfp4", "int4_asym", "flint4", "fp16")


@cache
def measured_rows() -> WeightRows:
    return weight_rows(measure_weights(TYPES, flow=FakeFlow()), digits(), 32, TYPES)
