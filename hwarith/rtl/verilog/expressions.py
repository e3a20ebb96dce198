"""Expressions of Verilog. All operands have the widths that they must have, so that nothing is
extended or cut off unseen."""

from __future__ import annotations

from dataclasses import dataclass

ATOM, UNARY, REDUCTION, CHOICE = "atom", "unary", "reduction", "choice"

_ASSOCIATIVE = frozenset({"&", "|", "^", "+"})

ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "==", "<", "<=", ">", ">=", "<<", ">>", ">>>"})
"""Operators by which constants are numbers, not patterns."""


@dataclass(frozen=True)
class Expression:
    """Text, and what kind of expression it is: one of the kinds above, or a binary operator."""

    text: str
    kind: str = ATOM

    def inside(self, operator: str) -> str:
        """As an operand of a binary operator: parentheses unless it is plain what comes first."""
        same = self.kind == operator and operator in _ASSOCIATIVE
        return self.text if same or self.kind in (ATOM, UNARY) else f"({self.text})"

    @property
    def atom(self) -> str:
        """As an operand of a unary operator."""
        return self.text if self.kind == ATOM else f"({self.text})"


_LONGEST = 256
"""Bits of a constant that fits a line; a longer one is written in pieces."""


def constant(value: int, width: int, operator: str = "") -> str:
    """A constant, decimal where it is counted with."""
    if width == 1 or (operator in ARITHMETIC and width <= 31):
        return f"{width}'d{value}" if width > 1 else f"1'b{value}"
    if value == 0:
        return f"{width}'d0"
    if value == (1 << width) - 1 and width > 16:
        return f"{{{width}{{1'b1}}}}"
    if width > _LONGEST:
        ends = range(width, 0, -_LONGEST)
        sizes = [(max(end - _LONGEST, 0), min(end, _LONGEST)) for end in ends]
        pieces = [f"{size}'h{value >> low & ((1 << size) - 1):x}" for low, size in sizes]
        return f"{{{', '.join(pieces)}}}"
    return f"{width}'h{value:x}" if width > 4 else f"{width}'b{value:0{width}b}"


def concatenation(parts: list[str]) -> Expression:
    """Parts side by side, msb first; a part that is repeated is written once."""
    grouped: list[tuple[str, int]] = []
    for part in parts:
        if grouped and grouped[-1][0] == part:
            grouped[-1] = (part, grouped[-1][1] + 1)
        else:
            grouped.append((part, 1))
    texts = [part if n == 1 else f"{{{n}{{{part}}}}}" for part, n in grouped]
    return Expression(texts[0] if len(texts) == 1 else f"{{{', '.join(texts)}}}")


def operation(operator: str, inputs: list[Expression]) -> Expression:
    """An operation, named as in the netlist."""
    match operator, inputs:
        case "m", [condition, yes, no]:
            otherwise = no.text if no.kind in (ATOM, UNARY, CHOICE) else f"({no.text})"
            return Expression(f"{condition.atom} ? {yes.inside('?')} : {otherwise}", CHOICE)
        case "~" | "-", [x]:
            return Expression(f"{operator}{x.atom}", UNARY)
        case "r|" | "r&" | "r^", [x]:
            return Expression(f"{operator[1]}{x.atom}", REDUCTION)
    first, second = inputs
    if operator[0] == "s":
        plain = {"s>>": ">>>"}.get(operator, operator[1:])
        right = second.atom if plain == ">>>" else f"$signed({second.text})"
        text = f"$signed({first.text}) {plain} {right}"
        if plain in (">>>", "/", "%"):
            return Expression(f"$unsigned({text})")
        return Expression(text, plain)
    plain = operator.removeprefix("u")
    return Expression(f"{first.inside(plain)} {plain} {_right(plain, second)}", plain)


def _right(operator: str, x: Expression) -> str:
    return x.inside(operator) if operator in _ASSOCIATIVE else x.inside("")
