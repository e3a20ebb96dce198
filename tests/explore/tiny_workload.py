"""A workload of one file: dot products of a few random vectors, none of whose signs may flip."""

from __future__ import annotations

import hashlib

import numpy as np

from hwarith.explore.workloads import Outcome, Workload
from hwarith.explore.workloads.datapath import datapath
from hwarith.units import Unit


class Signs(Workload):
    """Signs of the inner products of 8 vectors with 8 others."""

    name = "signs"
    summary = "The signs of 64 inner products of random vectors with four elements."
    item = "sign"
    count = 64
    baseline = "exact"
    baseline_accuracy = 1.0

    def __init__(self) -> None:
        rng = np.random.default_rng(7)
        self.x, self.w = rng.uniform(-1, 1, (8, 4)), rng.uniform(-1, 1, (4, 8))

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.x.tobytes() + self.w.tobytes()).hexdigest()

    def run(self, unit: Unit) -> Outcome:
        path = datapath(unit)
        x, w = path.left(self.x), path.right(self.w)
        scale, zeros = x.scale * w.scale, path.first.encode(np.zeros(self.w.shape[1]))
        found = path.last.decode(path.accumulate(x, w, zeros)) * scale
        exact = self.x @ self.w
        error = np.sqrt(np.mean((found - exact) ** 2) / np.mean(exact**2))
        operands = path.operands_met(x, w, zeros)
        return Outcome(float(np.mean((found < 0) == (exact < 0))), float(error), operands)


SIGNS = Signs()
