"""Berkeley TestFloat as a referee: its test cases, as its program writes them, through a unit.

Source: John R. Hauser, Berkeley TestFloat, release 3e, ``testfloat_gen``. A case is a line of
hexadecimal codes of fixed width: operands, the result that SoftFloat gives, exception flags.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...exceptions import InvalidInput, ToolFailure, quoted
from ...formats import ROUNDINGS, Format, format
from ...formats import rounding as r
from ...tables import Row, Table, Tabled
from ...units import Unit, unit
from ...units.compare.unit import Compare
from ...units.exact.base import Exact
from ...units.operations import CONVERSION, MULTIPLY_ADD, PRODUCT, SUM
from ...units.results import several
from .. import processes, tools
from ..checks import check_integer
from ..simulate import simulate
from .run import GOLDEN, MOST_SHOWN, RTL, is_nan
from .text import digits, hexadecimal

LEVELS = (1, 2)
"""TestFloat's levels of testing: the second has many times the cases of the first."""

_TYPES = {"fp16": "f16", "fp32": "f32", "fp64": "f64", "e15m112": "f128"} | {
    "int32": "i32",
    "int64": "i64",
    "uint32": "ui32",
    "uint64": "ui64",
}
_MODES = {
    "rne": "near_even",
    "rna": "near_maxMag",
    "rtz": "minMag",
    "rup": "max",
    "rdn": "min",
    "rto": "odd",
}
_OPERATIONS = {PRODUCT: "mul", SUM: "add", MULTIPLY_ADD: "mulAdd"}

_FLAGS_DIGITS = 2

_PART = 1 << 18
"""Cases that are compared at a time."""

_ALLOWED = (
    "mul, add (op=sub too), fma, cmp (lt, le, eq) of fp16, fp32, fp64 or e15m112, conversions "
    "between these and from int32, int64, uint32 and uint64; rounded by one of "
    f"{', '.join(_MODES)} or by a port, with subnormals and infinities"
)


@dataclass(frozen=True)
class Conformed(Tabled):
    """What `conform` found.

    Attributes
    ----------
    spec : of the unit, with exception flags if there are any to compare.
    runs : of each function of TestFloat, rounding mode and level a row: how many results were
        compared, and how many differ from the golden model's and from the RTL's.
    differences : the first of those, a row each: operands, the expected result and those that came.
    """

    spec: str
    runs: tuple[Row, ...]
    differences: tuple[Row, ...]

    @property
    def results(self) -> int:
        """How many results were compared."""
        return sum(int(str(run["results"])) for run in self.runs)

    @property
    def differing(self) -> dict[str, int]:
        """How many of them differ, for the golden model and the RTL."""
        sources = [name for name in (GOLDEN, RTL) if self.runs and name in self.runs[0]]
        return {name: sum(int(str(run[name])) for run in self.runs) for name in sources}

    @property
    def passed(self) -> bool:
        """Whether none differs."""
        return not any(self.differing.values())

    def tables(self) -> list[Table]:
        """Its counts in all, those of each run, and the first differences."""
        wrong = {f"differ from the {source}": n for source, n in self.differing.items()}
        total = Table([{"spec": self.spec, "results": self.results, **wrong}])
        return [total, Table(self.runs), *[Table(self.differences)] * bool(self.differences)]

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        found = {"results": self.results, "differing": self.differing, "passed": self.passed}
        return vars(self) | found

    def __str__(self) -> str:
        found = ", ".join(f"{n:,} differ from the {name}" for name, n in self.differing.items())
        if self.passed:
            found = f"all agree with the {' and the '.join(self.differing)}"
        return f"{self.spec}: of {self.results:,} results of TestFloat {found}"


def conform(
    spec: Unit | str,
    levels: Sequence[int] = LEVELS,
    rtl: bool = True,
    cases: int | None = None,
    most: int = 10,
) -> Conformed:
    """Run the test cases of Berkeley TestFloat through a unit (or its spec): the golden model, and
    the hardware.

    The program ``testfloat_gen`` makes them, and SoftFloat in it the results. Any NaN is as good as
    any other. Flags are compared of units that can have them (with ``flags=after`` if they have
    none). With ``round=port`` all modes are run.

    Parameters
    ----------
    spec : the unit, or its spec.
    levels : TestFloat's levels, 1 and 2.
    rtl : whether the hardware runs too (`hwarith.simulate`).
    cases : at most so many of each function, mode and level; None: all.
    most : how many differences are kept.

    Raises `InvalidInput` for a unit that no function of TestFloat is like, and for a wrong number;
    `MissingTool` without testfloat_gen, `ToolFailure` if it fails; and what `hwarith.simulate`
    raises.
    """
    u = flagged(unit(spec))
    check_integer("conform: most", most, 0, MOST_SHOWN)
    if cases is not None:
        check_integer("conform: cases", cases, 1, 1 << 40)
    if not isinstance(levels, list | tuple) or not set(levels) or set(levels) - set(LEVELS):
        raise InvalidInput(f"conform: levels must be 1 and 2, or one of them, not {quoted(levels)}")
    function = function_of(u)
    tools.require("testfloat_gen", by="hwarith conform")
    sources = {GOLDEN: u} | ({RTL: simulate(u)} if rtl else {})
    runs: list[dict[str, object]] = []
    differences: list[dict[str, object]] = []
    for mode in _modes(u):
        for level in dict.fromkeys(levels):
            name = {"function": function, "rounding": mode, "level": level}
            counts = dict.fromkeys(sources, 0)
            results = 0
            for columns in _cases(u, function, mode, level, cases):
                results += len(columns[0])
                wrong = _wrong(u, mode, columns, sources)
                for source, places in wrong.items():
                    counts[source] += len(places[0])
                differences += _rows(u, name, columns, wrong, most - len(differences))
            runs.append(name | {"results": results} | counts)
    return Conformed(u.spec, tuple(runs), tuple(differences))


def function_of(u: Unit) -> str:
    """TestFloat's function that is like a unit. Raises `InvalidInput` if there is none."""
    given = [f.name for name, f in u.operands.items() if name != "rm"]
    out = next(iter(u.results.values())).name
    types = [_TYPES.get(_usual(name), "") for name in given]
    float_types = {x for x in types if x.startswith("f")}
    if isinstance(u, Compare) and len(float_types) == 1 and u.op in ("lt", "le", "eq"):
        usual_flags = u.flags == "off" or (u.signaling == "on") == (u.op != "eq")
        other = "_signaling" if u.op == "eq" else "_quiet"
        return f"{types[0]}_{u.op}{'' if usual_flags else other}"
    usual = getattr(u, "subnormals", "keep") == "keep" and not getattr(u, "n", None)
    policy = str(getattr(u, "overflow", "")) == "nosat"
    result = _TYPES.get(_usual(out), "")
    if all(types) and result.startswith("f") and usual and policy and _modes(u):
        if u.operation == CONVERSION and types[0] != result and len(types) == 1:
            return f"{types[0]}_to_{result}"
        op = getattr(u, "op", "")
        name = _OPERATIONS.get(u.operation, "")
        name = "sub" if (name, op) == ("add", "sub") else name
        plain = op in ("", "add", "sub", "madd", None)
        if name and plain and {*types, result} == float_types and len(float_types) == 1:
            return f"{result}_{name}"
    raise InvalidInput(f"conform: TestFloat has no function for {u.spec}; allowed: {_ALLOWED}")


def _usual(name: str) -> str:
    """The name of a format that TestFloat knows by another one."""
    return {format(known): known for known in _TYPES}.get(format(name), name)


def flagged(u: Unit) -> Unit:
    """The unit with exception flags, if it can have any."""
    if isinstance(u, Exact) and u.out.is_float and u.flags == "none" and u.out.signed:
        return replace(u, flags="after")
    return u


def _modes(u: Unit) -> list[str]:
    """The rounding modes that are run; of a unit that does not round to nearest even alone."""
    mode = getattr(u, "round", "rne")
    return list(_MODES) if mode == "port" else [mode] * (mode in _MODES)


def _cases(
    u: Unit, function: str, mode: str, level: int, cases: int | None
) -> Iterator[list[np.ndarray]]:
    """TestFloat's cases in parts: arrays of codes of operands, results, and flags."""
    formats = [f for name, f in u.operands.items() if name != "rm"]
    formats.append(next(iter(u.results.values())))
    widths = [*(digits(f) for f in formats), _FLAGS_DIGITS]
    tininess = "before" if getattr(u, "flags", "") == "before" else "after"
    options = ["-level", str(level), f"-r{_MODES[mode]}", f"-tininess{tininess}"]
    line = sum(widths) + len(widths)
    left = cases
    for part in processes.streamed(["testfloat_gen", *options, function], line * _PART):
        rows = _read(part, widths, function)
        columns = [_codes(x, f) for x, f in zip(rows, [*formats, format("uint8")], strict=True)]
        yield [x[:left] for x in columns]
        if left is not None and (left := left - len(columns[0])) <= 0:
            return


_VALUES = np.full(256, 255, np.uint8)
_VALUES[list(b"0123456789ABCDEF")] = range(16)
_VALUES[list(b"abcdef")] = range(10, 16)


def _read(part: bytes, widths: list[int], function: str) -> list[np.ndarray]:
    """The digits of each column, of lines that are all as long."""
    line = sum(widths) + len(widths)
    whole, rest = divmod(len(part), line)
    text = np.frombuffer(part, np.uint8)[: whole * line].reshape(whole, line)
    ends = np.cumsum([width + 1 for width in widths]) - 1
    separators = np.frombuffer(b" " * (len(widths) - 1) + b"\n", np.uint8)
    values = _VALUES[text]
    columns = [
        values[:, end - width : end] for end, width in zip(ends.tolist(), widths, strict=True)
    ]
    fits = (text[:, ends] == separators).all() and all((x < 16).all() for x in columns)
    if rest or not fits:
        first = part.split(b"\n", 1)[0][:80].decode(errors="replace")
        raise ToolFailure(
            f"testfloat_gen {function}: lines must have {len(widths)} columns of "
            f"{', '.join(map(str, widths))} digits, not {quoted(first)}"
        )
    return columns


def _codes(nibbles: np.ndarray, f: Format) -> np.ndarray:
    """Codes of digits, the highest first."""
    codes = np.zeros(len(nibbles), object if f.bits > 64 else np.uint64)
    for i in range(nibbles.shape[1]):
        digit = nibbles[:, i].astype(codes.dtype)
        codes = codes << 4 | digit if f.bits > 64 else codes << np.uint64(4) | digit
    return codes.astype(f.dtype)


Wrong = dict[str, tuple[np.ndarray, list[np.ndarray]]]
"""By source the places of results that differ, and all that came."""


def _wrong(u: Unit, mode: str, columns: list[np.ndarray], sources: dict[str, Any]) -> Wrong:
    *operands, right, flags = columns
    given = dict(zip((name for name in u.operands if name != "rm"), operands, strict=True))
    if "rm" in u.operands:
        given["rm"] = np.full(len(right), int(r.rounding(mode)), np.uint8)
    f = next(iter(u.results.values()))
    found: Wrong = {}
    for source, run in sources.items():
        results = run(*(given[name] for name in u.operands))
        came = several(results)
        differs = np.asarray(came[0] != right, bool)
        differs &= ~(is_nan(f, came[0]) & is_nan(f, right))
        if "flags" in u.results:
            differs |= came[1] != flags
        found[source] = np.flatnonzero(differs), came
    return found


def _rows(
    u: Unit, name: dict[str, object], columns: list[np.ndarray], wrong: Wrong, most: int
) -> list[dict[str, object]]:
    """The first differences of a part."""
    *operands, right, flags = columns
    names = [name for name in u.operands if name != "rm"]
    result, f = next(iter(u.results.items()))
    places = np.unique(np.concatenate([x for x, _ in wrong.values()]))[: max(0, most)]
    rows = []
    for i in places.tolist():
        row = dict(name)
        for operand, codes in zip(names, operands, strict=True):
            row[operand] = hexadecimal(codes[i], u.operands[operand])
        row[f"{result} expected"] = f"{hexadecimal(right[i], f)} {int(flags[i]):02X}"
        for source, (_, came) in wrong.items():
            raised = f" {int(came[1][i]):02X}" if len(came) > 1 else ""
            row[f"{result} {source}"] = hexadecimal(came[0][i], f) + raised
        rows.append(row)
    return rows


assert set(_MODES) == set(ROUNDINGS)
