"""Files of vectors, read: columns of hexadecimal codes (TestFloat's among them), tables, arrays."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ...exceptions import InvalidInput, listed, quoted, shown
from ...formats import Format
from ...formats.text import code_of_text
from ...inputs import read_arrays, read_text, told
from ...units import Unit
from . import fptest
from .suite import Expected, Suite, array_of, cared_for, completes, expected, made_for
from .text import digits, words

_COMMENT = re.compile(r"\s*(?:#|//)\s?(.*)")
_CLASS = re.compile(r"class (\w+): ")
_SPEC = re.compile(r"[a-z]\w*(?::\S*)?")

FLAGS = 2
"""Digits of TestFloat's exception flags."""


def read_suite(u: Unit, path: Path) -> Suite:
    """What a file of vectors has for a unit.

    An ``.npz`` file is one of arrays; others are told apart by what is in them: ``->`` stands in
    every line of IBM's ``.fptest``, commas in tables. Raises `InvalidInput` for a file that cannot
    be read, that is none of these, or that has nothing for this unit.
    """
    if path.suffix == ".npz":
        arrays = read_arrays(path, "vectors")
        with told(path, "vectors"):
            return _arrays(u, arrays if isinstance(arrays, dict) else {})
    text = read_text(path, "vectors")
    with told(path, "vectors"):
        if "->" in text:
            return fptest.read(u, text)
        lines = text.splitlines()
        spec, first = _header(lines)
        notes = made_for(u, spec) if spec else []
        if first is None:
            raise InvalidInput("it has no vectors")
        return (_table if "," in first else _columns)(u, lines, notes)


def _header(lines: list[str]) -> tuple[str | None, str | None]:
    """The spec, if the first line is a comment that is one, and the first line of data."""
    comment = _COMMENT.fullmatch(lines[0]) if lines else None
    spec = comment[1].strip() if comment else ""
    data = (line for line in lines if line.strip() and not _COMMENT.fullmatch(line))
    return (spec if _SPEC.fullmatch(spec) else None), next(data, None)


# -- columns of codes --------------------------------------------------------------------------


def _columns(u: Unit, lines: list[str], notes: list[str]) -> Suite:
    """Codes in hexadecimal, a line for each transfer: those of the inputs, then of the results;
    then, if the unit has none, TestFloat's exception flags, which are not compared."""
    ports = u.inputs | u.results
    columns = _ports_of(u, lines)
    row = re.compile(
        r"\s*" + r"[\s_]+".join(f"(?:0x)?({_code(name, f, u)})" for name, f in columns) + r"\s*",
        re.ASCII | re.IGNORECASE,
    )
    found, numbers, classes, name = [], [], [], ""
    for number, line in enumerate(lines, 1):
        if match := row.fullmatch(line):
            found.append(match.groups())
            numbers.append(number)
            classes.append(name)
        elif comment := _COMMENT.fullmatch(line):
            of_class = _CLASS.match(comment[1])
            name = of_class[1] if of_class else name
        elif line.strip():
            raise InvalidInput(_complaint(u, columns, number, line))
    codes = {
        port: [None if code[0] in "xX" else int(code, 16) for code in column]
        for (port, _), column in zip(columns, zip(*found, strict=True), strict=True)
    }
    inputs = [array_of(f, codes[port], f"operand {port}") for port, f in u.inputs.items()]
    results = expected(u, inputs, {port: codes[port] for port in u.results}, "vector")
    kind = "vectors of hwarith" if any(classes) else "columns of codes"
    if len(columns) > len(ports):
        kind = "TestFloat"
        notes = [*notes, "exception flags are not compared: the unit has none"]
    return Suite(kind, inputs, results, np.array(numbers), np.array(classes), notes=notes)


def _ports_of(u: Unit, lines: list[str]) -> list[tuple[str, Format | None]]:
    """The columns: those of the unit, and one for flags if the first line of data has one more."""
    columns: list[tuple[str, Format | None]] = [*(u.inputs | u.results).items()]
    first = _header(lines)[1] or ""
    return [*columns, ("flags", None)] if len(_words(first)) == len(columns) + 1 else columns


def _words(line: str) -> list[str]:
    return re.split(r"[\s_]+", line.strip())


def _code(name: str, f: Format | None, u: Unit) -> str:
    """What a code looks like."""
    width = digits(f) if f else FLAGS
    if name == "flags" and name in u.results:  # five bits are two digits, as TestFloat has them
        width = FLAGS
    known = rf"[0-9a-f]{{{width}}}"
    return f"{known}|x{{{width}}}" if name in u.results else known


def _complaint(u: Unit, columns: list[tuple[str, Format | None]], number: int, line: str) -> str:
    """What is wrong with a line."""
    codes = _words(line)
    if len(codes) != len(columns):
        names = ", ".join(u.inputs | u.results)
        return (
            f"line {number} has {len(codes)} columns; {u.spec} takes {len(u.inputs | u.results)} "
            f"({names}), and as TestFloat writes them exception flags behind"
        )
    for code, (name, f) in zip(codes, columns, strict=True):
        if not re.fullmatch(f"(?:0x)?(?:{_code(name, f, u)})", code, re.ASCII | re.IGNORECASE):
            width = digits(f) if f else FLAGS
            of = f"{f.name} has" if f else "flags have"
            return (
                f"line {number}: {name} must be {width} hexadecimal digits, as {of}, "
                f"not {quoted(code)}"
            )
    return f"line {number} cannot be read: {quoted(line)}"


# -- tables --------------------------------------------------------------------------------------


def _table(u: Unit, lines: list[str], notes: list[str]) -> Suite:
    """A table with the ports' names as titles; its cells are codes or values as in
    ``hwarith eval``."""
    numbered = [
        (number, line)
        for number, line in enumerate(lines, 1)
        if line.strip() and not _COMMENT.fullmatch(line)
    ]
    titles, *rows = ([cell.strip() for cell in line.split(",")] for _, line in numbered)
    names = _checked_titles(u, titles)
    if not rows:
        raise InvalidInput("it has no vectors")
    ports = u.inputs | u.results
    codes: dict[str, list[int | None]] = {name: [] for name in names}
    for (number, _), row in zip(numbered[1:], rows, strict=True):
        if len(row) != len(titles):
            raise InvalidInput(f"line {number} has {len(row)} columns, the titles {len(titles)}")
        for name in names:
            text = row[titles.index(name)]
            if not text and name in u.inputs:
                raise InvalidInput(f"line {number}: {name} is empty")
            what = f"line {number}: {name}"
            codes[name].append(code_of_text(text, ports[name], what) if text else None)
    inputs = [array_of(f, codes[name], f"operand {name}") for name, f in u.inputs.items()]
    results = {name: codes[name] for name in names if name in u.results}
    classes = [row[titles.index("class")] if "class" in titles else "" for row in rows]
    numbers = np.array([number for number, _ in numbered[1:]])
    found = expected(u, inputs, results, "vector")
    return Suite("table", inputs, found, numbers, np.array(classes), notes=notes)


def _checked_titles(u: Unit, titles: list[str]) -> list[str]:
    """The ports that have a column. Raises `InvalidInput` if one is missing or unknown."""
    names = [name for name in (*u.inputs, *u.results) if name in titles]
    wrong = [title for title in titles if title != "class" and title not in names]
    missing = [name for name in u.inputs if name not in names]
    if wrong or missing or len(set(titles)) < len(titles) or not set(names) & set(u.results):
        raise InvalidInput(
            f"columns must be those of {u.spec}: {', '.join(u.inputs)}, some of "
            f"{', '.join(u.results)}, and class if you like; not {listed(titles)}"
        )
    return names


# -- arrays --------------------------------------------------------------------------------------


def _arrays(u: Unit, arrays: dict[str, np.ndarray]) -> Suite:
    """Arrays by the names of the ports; ``class``, ``complete`` and ``spec`` may be there too."""
    facts = {name: arrays.pop(name) for name in ("class", "complete", "spec") if name in arrays}
    notes = made_for(u, str(facts["spec"])) if "spec" in facts else []
    names = _checked_titles(u, list(arrays))
    ports = u.inputs | u.results
    codes = {name: _array(arrays[name], ports[name], name) for name in names}
    sizes = {len(x) for x in codes.values()} | {x.size for n, x in facts.items() if n == "class"}
    if len(sizes) > 1 or 0 in sizes:
        raise InvalidInput("its arrays must be of one length, one or more")
    inputs = [codes[name] for name in u.inputs]
    comes = completes(u, inputs)
    found = {}
    for name in names:
        if name in u.results:
            found[name] = Expected(codes[name], cared_for(ports[name], comes))
    classes = facts.get("class", np.full(len(comes), "")).ravel().astype(str)
    return Suite("arrays", inputs, found, np.arange(1, len(comes) + 1), classes, notes=notes)


def _array(array: np.ndarray, f: Format, name: str) -> np.ndarray:
    """The codes of a port."""
    if f.bits > 64 and array.ndim == 2 and array.dtype.kind == "u" and array.itemsize == 4:
        count = words(np.zeros(0, object), f).shape[1]
        if array.shape[1] == count:
            joined = sum(array[:, i].astype(object) << (32 * i) for i in range(count))
            return f.check(joined, name)
    if array.ndim != 1 or array.dtype.kind != "u":
        raise InvalidInput(
            f"{name} must be a row of codes, unsigned integers"
            + (f" (or words of 32 bits, {-(-f.bits // 32)} a code)" if f.bits > 64 else "")
            + f", not of shape {shown(array.shape)} and {shown(array.dtype)}"
        )
    return f.check(array, name)
