"""Files of vectors run through a unit: its golden model, and its hardware."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...exceptions import shown, unknown
from ...formats import Format
from ...inputs import told
from ...tables import Row, Table, Tabled
from ...units import Unit, unit
from ..checks import check_integer
from ..simulate import simulate
from .read import read_suite
from .suite import Suite, completes
from .text import hexadecimal

NAN = ("any", "bits")
"""How NaN results are compared: any NaN is as good as any other, or bit for bit."""

MOST_SHOWN = 1_000_000

_MOST_KINDS = 5
"""Kinds of rows that are not for a unit, of which the text of a run says how many there are."""

GOLDEN, RTL = "golden model", "RTL"


@dataclass(frozen=True)
class Run(Tabled):
    """What `run_vectors` found.

    Attributes
    ----------
    spec : of the unit.
    file, kind : the file of vectors, and what kind of file it is.
    results : how many results were compared.
    differing : for the golden model, and the RTL if that ran, how many results differ: from the
        file's, and of the RTL also from the golden model's, bit for bit.
    nan_bits : how many results agree only because any NaN is as good as any other.
    skipped : rows that are not for this unit, by what they are for.
    notes : what else a reader should know.
    differences : the first results that differ, a row each: line, class, operands, the expected
        result and those that came.
    """

    spec: str
    file: str
    kind: str
    results: int
    differing: dict[str, int]
    nan_bits: int
    skipped: dict[str, int]
    notes: tuple[str, ...]
    differences: tuple[Row, ...]

    @property
    def passed(self) -> bool:
        """Whether no result differs."""
        return not any(self.differing.values())

    def tables(self) -> list[Table]:
        """Its counts, and the first differences."""
        return [Table([self._row()]), *[Table(self.differences)] * bool(self.differences)]

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {name: value for name, value in vars(self).items() if name != "differences"} | {
            "passed": self.passed,
            "differences": self.differences,
        }

    def _row(self) -> Row:
        return {
            "spec": self.spec,
            "file": self.file,
            "kind": self.kind,
            "results": self.results,
            **{f"differ from the {source}": n for source, n in self.differing.items()},
            "NaN of other bits": self.nan_bits,
            "not for this unit": sum(self.skipped.values()),
        }

    def __str__(self) -> str:
        return "\n".join([f"{self.spec}: {self._verdict()}", *self._remarks()])

    def _verdict(self) -> str:
        of = f"{self.results:,} results of {self.file} ({self.kind})"
        if self.passed:
            return f"{of} agree with the {' and the '.join(self.differing)}"
        found = (f"{count:,} differ from the {source}" for source, count in self.differing.items())
        return f"of {of} {', '.join(found)}"

    def _remarks(self) -> list[str]:
        counts = sorted(self.skipped.items(), key=lambda item: -item[1])
        others = sum(count for _, count in counts[_MOST_KINDS:])
        counts = counts[:_MOST_KINDS] + [("others", others)] * bool(others)
        skipped = ", ".join(f"{count:,} of {what}" for what, count in counts)
        nan = f"{self.nan_bits:,} of them are NaN of other bits than the file's"
        return [
            *([nan] if self.nan_bits else []),
            *([f"not for this unit: {skipped}"] if skipped else []),
            *self.notes,
        ]


def run_vectors(
    spec: Unit | str,
    file: Path | str,
    rtl: bool = False,
    nan: str = "any",
    most: int = 10,
    verilog: str | None = None,
) -> Run:
    """Run a file of vectors through a unit (or its spec), and compare the results.

    Files are those that `hwarith.vectors` writes, those of ``testfloat_gen`` (operands, result and
    exception flags in hexadecimal), IBM's ``.fptest``, and your own: columns of hexadecimal codes,
    tables with the ports' names as titles (``.csv``), arrays by these names (``.npz``).
    ``docs/vectors.md`` describes them.

    Parameters
    ----------
    spec : the unit, or its spec.
    file : the file of vectors.
    rtl : whether the hardware runs too (`hwarith.simulate`).
    nan : ``any``: any NaN is as good as the NaN that is expected, which standards leave open;
        ``bits``: NaN are compared bit for bit. Between hardware and golden model all bits count.
    most : how many differences are kept.
    verilog : other Verilog with the unit's module name and ports, for ``rtl``.

    Raises `InvalidInput` for a wrong spec or option, a file that cannot be read, or that has
    nothing for the unit; and for the hardware what `hwarith.simulate` raises.
    """
    u = unit(spec)
    if nan not in NAN:
        raise unknown("comparison of NaN", nan, NAN)
    check_integer("run: most", most, 0, MOST_SHOWN)
    path = Path(file)
    suite = read_suite(u, path)
    with told(path, "vectors"):
        calls = u.transfers.calls(suite.inputs)
        got = {GOLDEN: _results(u, calls, u)}
    if rtl or verilog is not None:
        got[RTL] = _results(u, calls, simulate(u, verilog))
    comparison = _Comparison(u, suite, got, nan)
    return Run(
        u.spec,
        shown(path.name),
        suite.kind,
        int(comparison.complete.sum()),
        {source: int(wrong.sum()) for source, wrong in comparison.wrong.items()},
        int(comparison.nan_bits.sum()),
        suite.skipped,
        tuple(suite.notes),
        tuple(comparison.rows(most)),
    )


def _results(
    u: Unit, calls: list[list[np.ndarray]], run: Callable[..., Any]
) -> dict[str, np.ndarray]:
    """The codes of each result, one call after the other."""
    parts = [[np.ravel(x) for x in u.transfers.result_codes(run(*call))] for call in calls]
    return dict(zip(u.results, map(np.concatenate, zip(*parts, strict=True)), strict=True))


def is_nan(f: Format, codes: np.ndarray) -> np.ndarray:
    """Which of an array of codes are NaN."""
    n = f.numbers
    if not f.is_float or n.nan_code < 0:
        return np.zeros(codes.shape, bool)
    magnitudes = (codes & n.mag_mask) if codes.dtype.hasobject else codes & f.dtype.type(n.mag_mask)
    if n.first_nan_mag < 0:
        return np.asarray(codes == n.nan_code, bool)
    return np.asarray(magnitudes >= n.first_nan_mag, bool)


class _Comparison:
    """Results beside those of the file, one for each transfer upon which results come."""

    def __init__(self, u: Unit, suite: Suite, got: dict[str, dict[str, np.ndarray]], nan: str):
        self.u, self.suite, self.got = u, suite, got
        self.complete = completes(u, suite.inputs)
        count = int(self.complete.sum())
        self.nan_bits = np.zeros(count, bool)
        self.wrong = {source: np.zeros(count, bool) for source in got}
        self.expected = {
            name: (x.codes[self.complete], x.care[self.complete])
            for name, x in suite.expected.items()
        }
        for source, results in got.items():
            for name, (codes, care) in self.expected.items():
                f = u.results[name]
                differs = np.asarray(((results[name] ^ codes) & care) != 0, bool)
                if nan == "any":
                    only_bits = differs & is_nan(f, results[name]) & is_nan(f, codes)
                    self.nan_bits |= only_bits
                    differs &= ~only_bits
                self.wrong[source] |= differs
        if RTL in got:
            for name, codes in got[RTL].items():
                self.wrong[RTL] |= np.asarray(codes != got[GOLDEN][name], bool)

    def rows(self, most: int) -> list[dict[str, object]]:
        """The first differences, for a table."""
        wrong = np.flatnonzero(np.logical_or.reduce(list(self.wrong.values())))[:most]
        ends = np.flatnonzero(self.complete)
        return [self._row(i, ends[i - 1] + 1 if i else 0, ends[i]) for i in wrong.tolist()]

    def _row(self, i: int, first: int, last: int) -> dict[str, object]:
        lines = self.suite.lines
        place = f"{lines[first]}-{lines[last]}" if last > first else str(lines[last])
        row: dict[str, object] = {"line": place}
        if self.suite.classes[last]:
            row["class"] = str(self.suite.classes[last])
        for (name, f), codes in zip(self.u.inputs.items(), self.suite.inputs, strict=True):
            row[name] = shown(
                ",".join(hexadecimal(x, f) for x in codes[first : last + 1].tolist()), 60
            )
        for name, f in self.u.results.items():
            codes, care = self.expected.get(name, (None, None))
            if codes is not None and care is not None and care[i]:
                row[f"{name} expected"] = hexadecimal(int(codes[i]), f)
            for source, results in self.got.items():
                row[f"{name} {source}"] = hexadecimal(int(results[name][i]), f)
        return row
