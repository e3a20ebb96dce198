"""Slices of a range on each core, for work that releases the interpreter lock."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache


def in_slices(work: Callable[[slice], object], size: int, step: int) -> None:
    """Do `work` on consecutive slices of a range of this size, `step` elements each, on all cores;
    on the calling thread if it is one slice."""
    slices = [slice(i, min(i + step, size)) for i in range(0, size, step)]
    run = map if len(slices) <= 1 else _threads(os.getpid()).map
    list(run(work, slices))


@lru_cache(maxsize=1)
def _threads(_process: int) -> ThreadPoolExecutor:
    """Those of this process: threads do not survive a fork."""
    return ThreadPoolExecutor(os.cpu_count())
