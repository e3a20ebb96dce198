"""Vectors of IBM's floating-point test suite, whose files end in ``.fptest``.

Source: IBM, "Floating-Point Test-Suite for IEEE 754R", version 2; ``syntax.txt`` beside its files.
A line has the precision and the operation, the rounding mode, trapped exceptions (or nothing),
operands, ``->``, the result, and the exceptions that occur::

    b32*+ =0 i -1.000000P-126 +1.19BD32P52 -Inf -> -Inf
    b32+ > xu +0.000001P-126 -1.7FFFFFP127 -> -1.7FFFFEP127 x
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

import numpy as np

from ...exceptions import InvalidInput, quoted, shown
from ...formats import Format, format
from ...formats import rounding as r
from ...units import Unit
from ...units.compare.unit import MinMax
from ...units.operations import CONVERSION, MULTIPLY_ADD, PRODUCT, SUM, negated_operands
from .suite import Suite, array_of, expected

MODES = {">": "rup", "<": "rdn", "0": "rtz", "=0": "rne", "=^": "rna"}
PRECISIONS = {"b16": "fp16", "b32": "fp32", "b64": "fp64", "b128": "e15m112"}

_OPERATIONS = {PRODUCT: "*", SUM: "+", MULTIPLY_ADD: "*+", CONVERSION: "cff"}
_FORM = re.compile(r"([bd]\d{1,3})([bd]\d{1,3})?(\S+)", re.ASCII)
_TRAPPED = re.compile("[xuozi]+")
_NUMBER = re.compile(
    r"(?P<sign>[+-])(?:(?P<special>Inf|Zero)|(?P<lead>[01])\.(?P<digits>[0-9A-F]+)P(?P<exponent>[+-]?\d+))",
    re.ASCII,
)

_UNDERFLOW, _INVALID = 2, 16
_FLAGS = {"x": 1, "u": _UNDERFLOW, "v": _UNDERFLOW, "w": _UNDERFLOW, "o": 4, "z": 8, "i": _INVALID}
"""The bits of RISC-V's ``fflags``."""

_TININESS = {"u": "before", "v": "after", "w": "before"}
"""Whether what is tiny was found before or after rounding (u, by the suite's results, before)."""


class Form(NamedTuple):
    """How lines that are for a unit begin."""

    precision: str
    other: str | None
    operation: str


def read(u: Unit, text: str) -> Suite:
    """The lines that are for a unit: of its operation, formats and rounding mode, all modes where
    it has them on a port.

    What a trap would have delivered (a scaled result, or none) is none of hwarith's results and
    is left out. Raises `InvalidInput` if no line is for the unit, or one cannot be read.
    """
    forms = _forms(u)
    mode = _mode(u)
    rows: list[_Row] = []
    skipped: Counter[str] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        if "->" not in line:
            continue
        words, results = (part.split() for part in line.split("->", 1))
        match = _FORM.fullmatch(words[0]) if words else None
        form = Form(*match.groups()) if match else None
        if form not in forms:
            skipped[f"operation {shown(words[0], 12) if words else 'none'}"] += 1
            continue
        row = _row(words, results, number)
        found = MODES[row.mode]
        if mode not in (None, found):
            skipped[f"rounding {found}"] += 1
            continue
        trapped = row.trapped & set(re.sub("[vw]", "u", row.raised))
        if row.result == "#" or trapped - {"x"}:
            skipped["trapped exceptions"] += 1
            continue
        if isinstance(u, MinMax) and "S" in row.operands:
            skipped["signaling NaN (minNum of IEEE 754-2008)"] += 1
            continue
        operands = _operands(u, row.operands, number)
        operands += [{"rm": int(r.rounding(found)), "op": forms[form]}[name] for name in _extra(u)]
        result = _code(row.result, _out(u), number)
        flags = sum({_FLAGS[x] for x in row.raised})
        left_open = _left_open(u, row.operands, result, row.raised)
        rows.append(_Row(number, operands, result, flags, left_open))
    if not rows:
        there = ", ".join(f"{count} of {what}" for what, count in skipped.most_common(5))
        wanted = " or ".join("".join(form_part or "" for form_part in form) for form in forms)
        raise InvalidInput(
            f"no line is for {u.spec}, which takes {wanted}"
            + (f" rounded {mode}" if mode else "")
            + f"; it has {there}"
        )
    return _suite(u, rows, skipped)


class _Line(NamedTuple):
    """The parts of a line, as they are written."""

    mode: str
    trapped: set[str]
    operands: list[str]
    result: str
    raised: str


def _row(words: list[str], results: list[str], number: int) -> _Line:
    trapped = words[2] if len(words) > 2 and _TRAPPED.fullmatch(words[2]) else ""
    mode = words[1] if len(words) > 1 else ""
    result, raised = (*results, "", "")[:2]
    if mode not in MODES or len(results) not in (1, 2) or set(raised) - set(_FLAGS):
        raise InvalidInput(
            f"line {number} must have an operation, one of {' '.join(MODES)}, operands, ->, a "
            "result, and what was raised (xuvwozi)"
        )
    return _Line(mode, set(trapped), words[3 if trapped else 2 :], result, raised)


class _Row(NamedTuple):
    """A line that is for the unit: codes at its ports, the result, flags, and which flags may be
    either."""

    number: int
    operands: list[int]
    result: int
    flags: int
    left_open: int


def _left_open(u: Unit, texts: list[str], result: int, raised: str) -> int:
    """Flags that the suite and the unit may differ in: underflow where rounding gives the smallest
    normal value and they find tininess at different times; invalid where a signaling NaN stands
    beside a quiet one, of which the suite takes the quiet one (IEEE 754, 7.2, does not)."""
    f = _out(u)
    tininess = {_TININESS[x] for x in raised if x in _TININESS}
    smallest_normal = result & f.numbers.mag_mask == 1 << f.fraction_bits
    open_underflow = smallest_normal and tininess - {getattr(u, "flags", "none")}
    open_invalid = {"S", "Q"} <= set(texts) and "i" not in raised
    return _UNDERFLOW * bool(open_underflow) | _INVALID * open_invalid


def _suite(u: Unit, rows: list[_Row], skipped: Counter[str]) -> Suite:
    columns = zip(u.inputs.items(), zip(*(row.operands for row in rows), strict=True), strict=True)
    inputs = [array_of(f, codes, f"operand {name}") for (name, f), codes in columns]
    given: dict[str, list[int | None]] = {next(iter(u.results)): [row.result for row in rows]}
    if "flags" in u.results:
        given["flags"] = [row.flags for row in rows]
    found = expected(u, inputs, given)
    notes = ["exceptions are not compared: the unit has no flags"]
    if "flags" in found:
        found["flags"].care[:] &= ~np.array([row.left_open for row in rows], np.uint8)
        notes = []
    numbers = np.array([row.number for row in rows])
    no_classes = np.full(len(rows), "")
    return Suite("IBM .fptest", inputs, found, numbers, no_classes, dict(skipped), notes)


# -- the unit's side -----------------------------------------------------------------------------


def _out(u: Unit) -> Format:
    return next(iter(u.results.values()))


def _terms(u: Unit) -> list[Format]:
    """The formats of the operands that are numbers."""
    return [f for name, f in u.operands.items() if name not in ("rm", "op", "r")]


def _extra(u: Unit) -> list[str]:
    return [name for name in u.operands if name in ("rm", "op")]


def _mode(u: Unit) -> str | None:
    """The one rounding mode that lines must have; None: any."""
    if isinstance(u, MinMax) or "rm" in u.operands:
        return None
    return getattr(u, "round", "rne")


def _forms(u: Unit) -> dict[Form, int]:
    """How lines that are for a unit begin, and the code at its port ``op`` (0 without one).

    Raises `InvalidInput` for a unit that the suite has nothing for.
    """
    names = {format(name): precision for precision, name in PRECISIONS.items()}
    formats = [*_terms(u), _out(u)]
    conversion = u.operation == CONVERSION
    fits = all(f in names for f in formats) and (conversion or len(set(formats)) == 1)
    operations = _operations(u) if fits and "r" not in u.operands else {}
    if not operations:
        raise InvalidInput(
            f"IBM's suite has nothing for {u.spec}: it has products, sums, multiply-adds, and "
            f"minimum and maximum with nan=number, in one of {', '.join(PRECISIONS.values())}, and "
            "conversions between two of them"
        )
    other = names[_out(u)] if conversion else None
    return {Form(names[formats[0]], other, name): op for name, op in operations.items()}


def _operations(u: Unit) -> dict[str, int]:
    """The suite's names of what a unit does, and the code at its port ``op`` for each."""
    if isinstance(u, MinMax):
        names = {"max": ">C", "min": "<C"}
        number = u.nan == "number" and u.by == "value"
        return {names[u.op]: 0} if u.op in names and number else {}
    if u.operation not in _OPERATIONS:
        return {}
    last = tuple(u.operands)[u.operation.arity - 1]
    signs: dict[tuple[str, ...], str] = {(): _OPERATIONS[u.operation]}
    if u.operation == SUM:
        signs[(last,)] = "-"
    return {signs[names]: op for op, names in negated_operands(u).items() if names in signs}


# -- a line's side -------------------------------------------------------------------------------


def _operands(u: Unit, texts: list[str], number: int) -> list[int]:
    formats = _terms(u)
    if len(texts) != len(formats):
        raise InvalidInput(f"line {number} has {len(texts)} operands, not {len(formats)}")
    return [_code(text, f, number) for text, f in zip(texts, formats, strict=True)]


def _code(text: str, f: Format, number: int) -> int:
    """The code of a number of the suite; of NaN the canonical one, or a signaling one."""
    n = f.numbers
    if text in ("Q", "S"):
        return n.nan_code if text == "Q" else n.first_nan_mag
    match = _NUMBER.fullmatch(text)
    magnitude = -1
    if match and match["special"]:
        magnitude = n.inf_mag if match["special"] == "Inf" else 0
    elif match and len(match["digits"]) == -(-f.fraction_bits // 4):
        fraction, exponent = int(match["digits"], 16), int(match["exponent"][:9])
        normal = match["lead"] == "1"
        field = exponent + n.bias if normal else 0
        legal = field > 0 if normal else exponent == n.emin
        if legal and fraction >> f.fraction_bits == 0:
            magnitude = (field << f.fraction_bits) + fraction
    if match is None or not 0 <= magnitude <= n.inf_mag:
        raise InvalidInput(f"line {number}: {quoted(text)} is no number of {f.name}")
    return magnitude | int(match["sign"] == "-") << (f.bits - 1)
