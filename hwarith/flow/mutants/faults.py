"""Faults of the Verilog that hwarith writes: where there can be some, and text that has them.

The text is known to be one assignment after the other: ``wire [7:0] x = ...;``, ``assign y = ...;``
and, in ``always`` blocks, ``if (...) begin`` and ``x <= ...;``. A fault changes one place in one of
their expressions, as a slip of the pen would.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

import numpy as np

SELECT = "mutant"
"""The input that says which fault is there, in text with several."""

SELECT_BITS = 16

KINDS = {
    "operator": "another operator: & for |, - for +, | for ^",
    "inversion": "an inversion left out",
    "comparison": "another comparison: <= for <, != for ==",
    "index": "another bit or slice, one place further up or down",
    "arms": "both arms of ?: exchanged",
    "constant": "a constant with its lowest bit inverted",
    "stuck": "a bit of a wire, or of what a register takes, always 0 or always 1",
}
"""What faults there are."""

_MODULE = re.compile(r"^module (\w+) \(\n.*?^endmodule", re.MULTILINE | re.DOTALL)
_DECLARED = re.compile(
    r"^ *(?:input|output|wire|reg|localparam)(?: +(?:wire|reg))?(?: +signed)?"
    r"(?: +\[(\d+):0\])? +(\w+)",
    re.MULTILINE,
)
_STATEMENT = re.compile(
    r"^(?P<always> *always .*$)"
    r"|^ *(?:wire|assign)(?: signed)?(?: \[\d+:0\])? (?P<wire>\w+) = (?P<value>[^;]+);"
    r"|^ *(?P<register>\w+) <= (?P<taken>[^;]+);"
    r"|if \((?P<condition>[^;]+?)\) begin$",
    re.MULTILINE,
)
_INSTANCE = re.compile(r"^( +\w+ \w+ \(\n)(?= +\.)", re.MULTILINE)
_TOKEN = re.compile(
    r"\d+'[bdh][0-9a-fA-F]+|\d+|[A-Za-z_$][\w$]*|<<<|>>>|<<|>>|<=|>=|==|!=|&&|\|\||\S"
)
_NUMBER = re.compile(r"(\d+)'([bdh])([0-9a-fA-F]+)")
_BASES = {"b": 2, "d": 10, "h": 16}
_WRITTEN = {"b": "0{}b", "d": "{}", "h": "0{}x"}

_BINARY = {"&": "|", "|": "&", "^": "|", "+": "-", "-": "+", "*": "+"}
_UNARY = {"&": "|", "|": "&", "^": "|"}
_COMPARED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True)
class Statement:
    """An expression of a text: where it stands, what it is given to, of how many bits, and before
    which place more wires can be declared."""

    start: int
    end: int
    name: str
    bits: int
    before: int


@dataclass(frozen=True)
class Fault:
    """A change of a text: what of it becomes what, where; `kind` is one of `KINDS`."""

    kind: str
    what: str
    start: int
    end: int
    by: str
    statement: Statement


def faults(text: str) -> list[Fault]:
    """All faults that the Verilog of a unit can be given, in the order of the text."""
    found = [x for statement, widths in _statements(text) for x in _faults(text, statement, widths)]
    return sorted(found, key=lambda x: (x.start, x.end, x.what))


def chosen(found: Sequence[Fault], count: int, seed: int) -> list[Fault]:
    """So many of the faults, by chance, as many of each kind as there are; all if there are no
    more."""
    rng = np.random.default_rng(seed)
    by_kind = [[x for x in found if x.kind == kind] for kind in KINDS]
    mixed = [[xs[i] for i in rng.permutation(len(xs))] for xs in by_kind]
    in_turn = [x for x in chain.from_iterable(zip_longest(*mixed)) if x is not None]
    return sorted(in_turn[:count], key=lambda x: (x.start, x.end, x.what))


def mutated(text: str, fault: Fault) -> str:
    """The text with a fault."""
    return text[: fault.start] + fault.by + text[fault.end :]


def with_all(text: str, found: Sequence[Fault]) -> str:
    """The text with an input more, `SELECT`: at 1 the first of these faults is there, at 2 the
    second one, and so on; at 0 none."""
    edits: list[tuple[int, int, str]] = []
    for statement in dict.fromkeys(x.statement for x in found):
        kind = f"wire [{statement.bits - 1}:0]"
        whole = text[statement.start : statement.end]
        here = [(n, x) for n, x in enumerate(found, 1) if x.statement == statement]
        wires = f"  {kind} intact_{here[0][0]} = {whole};\n"
        value = f"intact_{here[0][0]}"
        for n, x in here:
            wrong = text[statement.start : x.start] + x.by + text[x.end : statement.end]
            wires += f"  {kind} mutant_{n} = {wrong};\n"
            value = f"{SELECT} == {SELECT_BITS}'d{n} ? mutant_{n} : {value}"
        edits += [(statement.before, statement.before, wires)]
        edits += [(statement.start, statement.end, value)]
    port = f"  input wire [{SELECT_BITS - 1}:0] {SELECT},\n"
    for module in _MODULE.finditer(text):
        place = text.index("(\n", module.start()) + 2
        edits.append((place, place, port))
        for instance in _INSTANCE.finditer(text, place, module.end()):
            edits.append((instance.end(), instance.end(), f"    .{SELECT}({SELECT}),\n"))
    for start, end, by in sorted(edits, key=lambda x: x[:2], reverse=True):
        text = text[:start] + by + text[end:]
    return text


def _statements(text: str) -> Iterator[tuple[Statement, dict[str, int]]]:
    """Those of a text, each with the widths of what its module has."""
    for module in _MODULE.finditer(text):
        declared = _DECLARED.finditer(text, module.start(), module.end())
        widths = {x[2]: int(x[1] or 0) + 1 for x in declared}
        before = 0
        for found in _STATEMENT.finditer(text, module.start(), module.end()):
            if found["always"]:
                before = found.start()
                continue
            group = next(x for x in ("value", "taken", "condition") if found[x])
            name = found["wire"] or found["register"] or "condition"
            place = found.start() if found["wire"] else before
            yield Statement(*found.span(group), name, widths.get(name, 1), place), widths


@dataclass
class _Expression:
    """The tokens of a statement: for each its place and the bracket that it stands in."""

    tokens: list[str]
    places: list[tuple[int, int]]
    within: list[int]

    def siblings(self, i: int) -> Iterator[int]:
        """The tokens behind one, in the same pair of brackets and in none within."""
        return (j for j in range(i + 1, len(self.tokens)) if self.within[j] == self.within[i])


def _expression(text: str, statement: Statement) -> _Expression:
    tokens, places, within, opened = [], [], [], [-1]
    for found in _TOKEN.finditer(text, statement.start, statement.end):
        tokens.append(found[0])
        places.append(found.span())
        within.append(opened[-1])
        if found[0] in _OPENING:
            opened.append(len(tokens) - 1)
        elif found[0] in _CLOSING:
            opened.pop()
            within[-1] = opened[-1]
    return _Expression(tokens, places, within)


def _faults(text: str, statement: Statement, widths: dict[str, int]) -> Iterator[Fault]:
    x = _expression(text, statement)

    def fault(kind: str, what: str, first: int, last: int, by: str) -> Fault:
        return Fault(kind, what, x.places[first][0], x.places[last][1], by, statement)

    for i, token in enumerate(x.tokens):
        before = x.tokens[i - 1] if i else ""
        is_binary = bool(re.fullmatch(r"[\w$']+|[)\]}]", before))
        inside = x.tokens[x.within[i]] if x.within[i] >= 0 else ""
        if inside == "[":
            continue
        swapped = _COMPARED | (_BINARY if is_binary else _UNARY)
        if token in swapped:
            kind = "comparison" if token in _COMPARED else "operator"
            yield fault(kind, f"{token} becomes {swapped[token]}", i, i, swapped[token])
        elif token in ("~", "-") and not is_binary:
            yield fault("inversion", f"{token} left out", i, i, "")
        elif token == "[":
            yield from (fault("index", *made) for made in _other_bits(x, i, widths.get(before, 0)))
        elif token == "?":
            yield from (fault("arms", *made) for made in _exchanged(text, x, i))
        elif number := _NUMBER.fullmatch(token):
            bits, base, digits = number.groups()
            value = int(digits, _BASES[base]) ^ 1
            form = _WRITTEN[base].format(len(digits))
            by = f"{bits}'{base}{value:{form}}" if base != "d" else f"{bits}'d{value}"
            yield fault("constant", f"{token} becomes {by}", i, i, by)
    yield from _stuck(text, statement)


def _other_bits(x: _Expression, i: int, width: int) -> Iterator[tuple[str, int, int, str]]:
    """A bit or slice one place away."""
    end = x.tokens.index("]", i)
    inner = "".join(x.tokens[i + 1 : end])
    if not re.fullmatch(r"\d+(:\d+)?", inner):
        return
    ends = [int(n) for n in inner.split(":")]
    for by in (1, -1):
        moved = [n + by for n in ends]
        if min(moved) >= 0 and max(moved) < width:
            other = ":".join(map(str, moved))
            yield f"{x.tokens[i - 1]}[{inner}] becomes [{other}]", i, end, f"[{other}]"


def _exchanged(text: str, x: _Expression, i: int) -> Iterator[tuple[str, int, int, str]]:
    """The arms of a ``?`` exchanged."""
    nested, colon, last = 0, -1, -1
    for j in x.siblings(i):
        if x.tokens[j] == "?":
            nested += 1
        elif x.tokens[j] == ":" and nested:
            nested -= 1
        elif x.tokens[j] == ":" and colon < 0:
            colon = j
        elif x.tokens[j] in (":", ","):
            break
        last = j
    if not i < colon < last:
        return
    first = text[x.places[i + 1][0] : x.places[colon - 1][1]]
    second = text[x.places[colon + 1][0] : x.places[last][1]]
    yield "arms of ?: exchanged", i + 1, last, f"({second}) : ({first})"


def _stuck(text: str, statement: Statement) -> Iterator[Fault]:
    bits = statement.bits
    whole = text[statement.start : statement.end]
    if _NUMBER.fullmatch(whole):
        return
    for bit in sorted({0, bits // 2, bits - 1}):
        one, others = 1 << bit, (1 << bits) - 1 - (1 << bit)
        of = f"{statement.name}[{bit}]" if bits > 1 else statement.name
        for value, held in enumerate((f"& {bits}'h{others:x}", f"| {bits}'h{one:x}")):
            by = f"({whole}) {held}" if bits > 1 else f"1'b{value}"
            yield Fault(
                "stuck", f"{of} always {value}", statement.start, statement.end, by, statement
            )
