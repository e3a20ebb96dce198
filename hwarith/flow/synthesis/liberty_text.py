"""The syntax of Liberty files: groups with attributes and further groups.

The reader is our own. Those on PyPI give a tree of groups, as `parse` does, where most code here is
about what the groups mean: templates, tables, units, missing parts. And `liberty-parser` is under
the GPL, needs sympy and is slow; `lln-libparse` 0.56, which is yosys' parser, ends the whole
process at a file without a group, and never ends with some damaged ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...exceptions import InvalidInput, quoted, shown

_TOKEN = re.compile(
    r"""(?P<skip>[ \t\r\f]+|\\\r?\n|/\*(?:.*?\*/|.*)|//[^\n]*)
      | (?P<newline>\n)
      | (?P<text>"[^"]*")
      | (?P<mark>[(){}:;,])
      | (?P<word>[^\s"(){}:;,]+)
      | (?P<wrong>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass
class Group:
    """A Liberty group ``kind (arguments) { ... }``: its attributes, and the groups inside."""

    kind: str
    arguments: list[str]
    attributes: dict[str, str] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)

    def named(self, *kinds: str) -> Iterator[Group]:
        """The groups inside of one of these kinds, in their order."""
        return (group for group in self.groups if group.kind in kinds)


def parse(text: str) -> Group:
    """The outermost group of a Liberty text. Raises `InvalidInput` with the line of an error."""
    tokens = _Tokens(text)
    root = Group("", [])
    while tokens.peek():
        _statement(tokens, root)
    if len(root.groups) != 1 or root.attributes:
        raise InvalidInput("it is not a Liberty file, which is one group library (name) { ... }")
    return root.groups[0]


class _Tokens:
    """The tokens of a text, with the line of each."""

    def __init__(self, text: str):
        self.items: list[tuple[str, int]] = []
        line = 1
        for match in _TOKEN.finditer(text):
            if match.lastgroup == "wrong":
                raise InvalidInput(f"line {line}: {quoted(match[0])} is not Liberty")
            if match.lastgroup != "skip":
                self.items.append((match[0], line))
            line += match[0].count("\n")
        self.last = line
        self.next = 0

    def peek(self) -> str:
        """The next token that is not a line's end, left in place; nothing at the end."""
        while self.next < len(self.items) and self.items[self.next][0] == "\n":
            self.next += 1
        return self.items[self.next][0] if self.next < len(self.items) else ""

    def take(self, allowed: str = "") -> str:
        """The next token. Raises `InvalidInput` if it is not among the `allowed` marks."""
        token = self.peek()
        if not token:
            raise InvalidInput(f"line {self.last}: it ends inside a group or statement")
        if allowed and token not in allowed:
            line = self.items[self.next][1]
            raise InvalidInput(f"line {line}: expected {' or '.join(allowed)}, not {shown(token)}")
        self.next += 1
        return token

    def value(self) -> str:
        """The value of a simple attribute: up to a semicolon or the end of its line."""
        words = []
        while self.next < len(self.items) and self.items[self.next][0] not in (";", "\n", "}"):
            words.append(self.take())
        return " ".join(words).strip('"')


def _statement(tokens: _Tokens, group: Group) -> None:
    """``name : value ;`` or ``name (a, b) ;`` or ``name (a, b) { ... }`` into its group."""
    name = tokens.take()
    if tokens.take(":(") == ":":
        group.attributes[name] = tokens.value()
    else:
        arguments = []
        while (token := tokens.take()) != ")":
            if token != ",":
                arguments.append(token.strip('"'))
        if tokens.peek() != "{":
            group.attributes[name] = ",".join(arguments)
        else:
            tokens.take()
            inner = Group(name, arguments)
            group.groups.append(inner)
            while tokens.peek() != "}":
                _statement(tokens, inner)
            tokens.take()
    if tokens.peek() == ";":
        tokens.take()


def with_single_pins(text: str) -> str:
    """The same library with a ``timing`` group for each related pin: ABC, when it sizes gates,
    crashes on one with several."""
    parts, start = [], 0
    for match in re.finditer(r"\btiming\s*\(\s*\)\s*\{", text):
        depth, end = 1, match.end()
        while depth and (brace := re.compile(r"[{}]").search(text, end)):
            depth += 1 if brace[0] == "{" else -1
            end = brace.end()
        group = text[match.start() : end]
        related = re.search(r'related_pin\s*:\s*"([^"]*)"', group)
        pins = related[1].split() if related else []
        if related and len(pins) > 1:
            parts.append(text[start : match.start()])
            parts += [group[: related.start(1)] + pin + group[related.end(1) :] for pin in pins]
            start = end
    return "".join([*parts, text[start:]])
