"""Recorded results of matrix instructions against golden models and hardware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..exceptions import InvalidInput, quoted, shown
from ..formats import Format
from ..inputs import read_arrays
from ..tables import Table, Tabled
from ..units import Unit, unit
from ..units.dot import Dot
from ..units.dot.contributions import Contribution, contributions
from .simulate import simulate

KEYS = ("a", "b", "c", "d")

FIRST = 5
"""Differences of which all terms are told."""


@dataclass(frozen=True)
class Difference:
    """A row whose result is another one than was recorded.

    Attributes
    ----------
    row : its number, from 0 on.
    source : ``golden`` or ``RTL``.
    expected, got : the recorded code and the other one.
    terms : what each term contributed in the last step, where the definition says so.
    """

    row: int
    source: str
    expected: int
    got: int
    terms: list[Contribution]


@dataclass(frozen=True)
class Recordings(Tabled):
    """What `check_recordings` found.

    Attributes
    ----------
    unit : the dot product.
    rows : how many rows there were.
    differing : how many of them differ, by source.
    differences : the first of them.
    """

    unit: Dot
    rows: int
    differing: dict[str, int]
    differences: list[Difference]

    def counts(self) -> list[dict[str, object]]:
        """A row for each source: rows, and how many differ."""
        return [
            {"unit": self.unit.spec, "source": source, "rows": self.rows, "differ": count}
            for source, count in self.differing.items()
        ]

    def first(self) -> list[dict[str, object]]:
        """A row for each of the `differences`: codes, and what each term contributed."""
        return [
            {
                "row": x.row,
                "source": x.source,
                "recorded": f"{x.expected:#x}",
                "got": f"{x.got:#x}",
                "terms": " ".join(
                    f"{t.term}={float(t.exact):g}->{float(t.added):g}" for t in x.terms
                ),
            }
            for x in self.differences
        ]

    def tables(self) -> list[Table]:
        """Counts, and the first differences."""
        return [Table(self.counts()), *[Table(self.first())] * bool(self.differences)]

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data, for JSON."""
        return {"counts": self.counts(), "differences": self.first()}


def gpu_check(preset: Any, recordings: Any, rtl: bool = False) -> Recordings:
    """Hold recorded results of hardware to a preset, or a `dot` unit or its spec, bit for bit.

    `recordings` is a mapping of arrays as `check_recordings` takes them, or the path of an ``.npz``
    file with them. Raises `InvalidInput` for what is not as said here.
    """
    if isinstance(recordings, str | Path):
        path, recordings = Path(recordings), read_arrays(Path(recordings), "recordings")
        if not isinstance(recordings, dict):
            raise InvalidInput(f"recordings {shown(path)}: must be an .npz file with a, b, c and d")
    return check_recordings(preset, recordings, rtl)


def check_recordings(
    preset: Any, arrays: Mapping[str, np.ndarray], rtl: bool = False
) -> Recordings:
    """Hold recorded results of hardware to the definition of a dot product.

    Parameters
    ----------
    preset : a preset's name, or a `dot` unit or its spec, without scales.
    arrays : ``a`` and ``b`` of shape (rows, K), ``c`` and ``d`` of shape (rows,). Floats are
        values; uint32 are the bit patterns of binary32 values, or codes of fp32, which is the same;
        other unsigned integers are codes. ``c`` is rounded to nearest even into the format of the
        result, as callers of the instructions do; without it sums begin at +0. Zeros are put behind
        where K is no multiple of n.
    rtl : also run the hardware.

    Raises `InvalidInput` for missing or unknown keys, wrong shapes or types, and for values that
    are no values of the formats.
    """
    u = preset if isinstance(preset, Unit) else unit(_spec(preset))
    if not isinstance(u, Dot) or u.scale or u.addend is None or u.addend != u.out:
        raise InvalidInput(
            f"recordings are of dot products without scales, from c on; not {u.spec}"
        )
    a, b, c, d = _codes(u, arrays)
    sources = {"golden": u.dot(a, b, c)}
    if rtl:
        sources["RTL"] = _by_hardware(u, a, b, c)
    differing, found = {}, []
    for source, results in sources.items():
        wrong = np.flatnonzero(~_same(u.out, results, d))
        differing[source] = len(wrong)
        for row in wrong[:FIRST].tolist():
            terms = contributions(u, a[row], b[row], int(c[row]))
            found.append(Difference(row, source, int(d[row]), int(results[row]), terms))
    return Recordings(u, len(d), differing, found)


def _spec(preset: Any) -> Any:
    named = isinstance(preset, str) and not preset.startswith("dot:")
    return f"dot:preset={preset}" if named else preset


def _same(f: Format, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which codes are the same; NaN of any code are."""
    return (x == y) | (np.isnan(f.decode(x)) & np.isnan(f.decode(y)))


def _by_hardware(u: Dot, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    sim, acc = simulate(u), c
    for i in range(0, a.shape[-1], u.n):
        acc = sim(a[:, i : i + u.n], b[:, i : i + u.n], acc)
    return acc


def _codes(u: Dot, arrays: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Codes of a, b, c and d."""
    missing = [key for key in ("a", "b", "d") if key not in arrays]
    if missing or not set(arrays) <= set(KEYS):
        names = ", ".join(shown(key) for key in arrays) or "nothing"
        raise InvalidInput(f"recordings have the keys a, b, d and perhaps c, not {names}")
    a, b = (_of(f, arrays[key], key) for f, key in ((u.a, "a"), (u.b, "b")))
    d = _of(u.result, arrays["d"], "d")
    c = _of(u.result, arrays["c"], "c", rounds=True) if "c" in arrays else np.zeros_like(d)
    rows = d.shape[:1]
    shapes = ", ".join(f"{key} {x.shape}" for key, x in zip(KEYS, (a, b, c, d), strict=True))
    if (
        a.ndim != 2
        or a.shape != b.shape
        or a.shape[:1] != rows
        or c.shape != d.shape
        or d.ndim != 1
    ):
        raise InvalidInput(f"recordings are a and b (rows, K), c and d (rows,), not {shapes}")
    if not a.size:
        raise InvalidInput(f"recordings must not be empty: {shapes}")
    behind = ((0, 0), (0, -a.shape[1] % u.n))
    return [np.pad(a, behind), np.pad(b, behind), c, d]


def _of(f: Format, x: np.ndarray, key: str, rounds: bool = False) -> np.ndarray:
    """Codes of what was recorded. Raises `InvalidInput` for values that f does not have, unless
    they are to be rounded."""
    if x.dtype == np.uint32:
        x = x.view(np.float32)
    if x.dtype.kind == "u":
        return f.check(x, key)
    if x.dtype.kind != "f":
        raise InvalidInput(f"{key} must be floats or unsigned integers, not {shown(x.dtype)}")
    values = x.astype(np.float64)
    if f.name == "tf32":  # of whose register the low bits are ignored
        return (x.astype(np.float32).view(np.uint32) >> 13).astype(f.dtype)
    codes = f.encode(values)
    back = f.decode(codes)
    wrong = np.flatnonzero(~((back == values) | (np.isnan(back) & np.isnan(values))))
    if wrong.size and not rounds:
        value = float(values.flat[wrong[0]])
        raise InvalidInput(f"{key}: {quoted(value)} is no value of {f.name}")
    return codes
