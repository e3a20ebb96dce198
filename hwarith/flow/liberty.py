"""What is needed of a Liberty file: the cells, their areas, functions and delays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InvalidInput

_TOKEN = re.compile(
    r"""(?P<skip>[ \t\r\f]+|\\\r?\n|/\*.*?\*/|//[^\n]*)
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
        return (group for group in self.groups if group.kind in kinds)


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes
    ----------
    area : area in the library's units.
    inputs : names of the input pins.
    functions : the Boolean expression of each output, in Liberty's notation.
    register : the attributes of the ``ff`` or ``latch`` group (``next_state``, ``clocked_on``,
        ...), empty for a combinational cell.
    delays : (input, output) to delay in the library's time unit; from the clock for a register.
        Empty if the library gives none.
    setups : input of a register to its setup time.
    """

    name: str
    area: float
    inputs: tuple[str, ...]
    functions: dict[str, str]
    register: dict[str, str]
    delays: dict[tuple[str, str], float]
    setups: dict[str, float]


@dataclass(frozen=True)
class Library:
    """A cell library: its name, its time unit (such as ``1ns``) and its cells by name."""

    name: str
    time_unit: str
    cells: dict[str, Cell]

    @property
    def has_delays(self) -> bool:
        """Whether every combinational cell and register with an output has delays."""
        return all(cell.delays for cell in self.cells.values() if cell.functions and cell.inputs)


def read(path: Path) -> Library:
    """The cells of a Liberty file.

    A delay is read from the middle entry of its table, the slower of rise and fall: a typical
    load and slope, for ranking and not for sign-off. Raises `InvalidInput`, naming the file and
    what is wrong with it.
    """
    content = read_bytes(path)
    try:
        top = parse(content.decode(errors="replace"))
        if top.kind != "library":
            raise InvalidInput(f"it begins with {top.kind!r} instead of a library group")
        cells = {"".join(group.arguments): _cell(group) for group in top.named("cell")}
        if not cells:
            raise InvalidInput("its library has no cells")
    except InvalidInput as error:
        raise InvalidInput(f"Liberty file {path}: {error}") from None
    return Library("".join(top.arguments), top.attributes.get("time_unit", "1ns"), cells)


def read_bytes(path: Path) -> bytes:
    """The content of a Liberty file. Raises `InvalidInput` if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"Liberty file {path} cannot be read: {error.strerror}") from None


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
                raise InvalidInput(f"line {line}: {match[0]!r} is not Liberty")
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
            raise InvalidInput(f"line {line}: expected {' or '.join(allowed)}, not {token}")
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


def _cell(group: Group) -> Cell:
    pins = {name: pin for pin in group.named("pin") for name in pin.arguments}
    outputs = {n: pin for n, pin in pins.items() if "function" in pin.attributes}
    registers = list(group.named("ff", "latch", "ff_bank", "latch_bank"))
    delays: dict[tuple[str, str], float] = {}
    setups: dict[str, float] = {}
    for name, pin in pins.items():
        for timing in pin.named("timing"):
            kind = timing.attributes.get("timing_type", "combinational")
            related = timing.attributes.get("related_pin", "").split()
            if kind.startswith("setup"):
                number = _middle(timing, "rise_constraint", "fall_constraint", "intrinsic_rise",
                                 "intrinsic_fall")  # fmt: skip
                setups[name] = max(number or 0.0, setups.get(name, 0.0))
            elif kind in ("combinational", "rising_edge", "falling_edge"):
                number = _middle(timing, "cell_rise", "cell_fall", "intrinsic_rise",
                                 "intrinsic_fall")  # fmt: skip
                for source in related if number is not None else ():
                    arc = (source, name)
                    delays[arc] = max(number or 0.0, delays.get(arc, 0.0))
    return Cell(
        "".join(group.arguments),
        _number(group.attributes.get("area", "0"), "area"),
        tuple(n for n, pin in pins.items() if pin.attributes.get("direction") == "input"),
        {name: pin.attributes["function"] for name, pin in outputs.items()},
        registers[0].attributes if registers else {},
        delays,
        setups,
    )


def _middle(timing: Group, *names: str) -> float | None:
    """The largest of these numbers; a table stands for its middle entry."""
    found = [_number(timing.attributes[name], name) for name in names if name in timing.attributes]
    for table in timing.named(*names):
        entries = table.attributes.get("values", "").replace(",", " ").split()
        if entries:
            found.append(_number(entries[len(entries) // 2], table.kind))
    return max(found, default=None)


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInput(f"{what} must be a number, not {text!r}") from None
