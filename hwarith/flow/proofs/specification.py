"""The specification of a unit: its golden definition, executed on terms and on numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...golden.words import SPARE, WIDTHS
from ...units import Unit
from ...units.blocks import LaneUnit
from .integers import Integer, NotExecutable
from .symbolic import Executor
from .terms import Term, Terms


def specification(u: Unit, terms: Terms, inputs: Mapping[str, Term]) -> tuple[Term, Executor]:
    """The results of a unit's definition, side by side as it returns them; and what has executed
    it, with what must never hold for it to have a meaning in words of its `word_bits`
    (`Executor.misuses`).

    Where the definition needs an operand as a number (a mode that says how often a loop runs), it
    is executed for each of the narrowest one's codes.
    """
    function, constants = definition(u)
    executor = Executor(terms, 0)

    def executed(codes: Mapping[str, Term]) -> Term:
        executor.word = WIDTHS[-1]
        given = u.arguments(operands(u, codes, terms.extract, executor.integer_or_constant))
        held = [x.high.bit_length() for x in given if isinstance(x, Integer)]
        held += [f.bits for f, _ in u.lane_formats.values()]
        held.append(sum(f.bits for name, f in u.results.items() if name not in u.lane_formats))
        executor.word = max(u.word_bits, *held) + SPARE
        return _packed(u, executor, executor.call(function, *given, *constants))

    codes = {name: inputs[name] for name in u.operands}
    try:
        return executed(codes), executor
    except NotExecutable:
        mode = min(codes, key=lambda name: codes[name].width)
        bits = codes[mode].width
        if bits > 3:
            raise
    result: Term | None = None
    for value in range(1 << bits):
        chosen = terms.equal(inputs[mode], terms.const(value, bits))
        with executor.where(chosen):
            made = executed(codes | {mode: terms.const(value, bits)})
        result = made if result is None else terms.ite(chosen, made, result)
    assert result is not None
    return result, executor


def definition(u: Unit) -> tuple[Callable[..., Any], tuple]:
    """The golden definition of all results of a unit, and the constants behind the operands."""
    return u.block_definition() if isinstance(u, LaneUnit) else u.definition()


def operands(
    u: Unit,
    codes: Mapping[str, Any],
    part: Callable[[Any, int, int], Any],
    integer: Callable[[Any], Any] = lambda x: x,
) -> list[Any]:
    """A definition's operands, of codes by port: of lanes a list, of `part`s of the port's code
    from a place on, of so many bits."""
    found: list[Any] = []
    for name in u.operands:
        f, n = u.lane_formats.get(name, (u.operands[name], 0))
        lanes = [integer(part(codes[name], i * f.bits, f.bits)) for i in range(n)]
        found.append(lanes if name in u.lane_formats else integer(codes[name]))
    return found


def replayed(u: Unit, given: Mapping[str, int]) -> dict[str, int]:
    """What a unit's golden model gives for codes by port, a code for each result."""
    said = u.golden(*operands(u, given, lambda x, place, bits: x >> place & (1 << bits) - 1))
    values = said if len(u.results) > 1 else (said,)
    return {
        name: _joined(value, u.lane_formats[name][0].bits) if name in u.lane_formats else value
        for name, value in zip(u.results, values, strict=True)
    }


def by_port(u: Unit, packed: int) -> dict[str, int]:
    """A code for each result, of the bits of all ports side by side."""
    found, place = {}, 0
    for name, f in u.results.items():
        found[name] = packed >> place & (1 << f.bits) - 1
        place += f.bits
    return found


def _joined(codes: Sequence[int], bits: int) -> int:
    return sum(code << i * bits for i, code in enumerate(codes))


def _packed(u: Unit, executor: Executor, said: Any) -> Term:
    """What a definition returned, as one term."""
    if not isinstance(said, list | tuple):
        return executor.term(said, sum(f.bits for f in u.results.values()))
    values = said if len(u.results) > 1 else (said,)
    parts: list[Term] = []
    for (name, port), value in zip(u.results.items(), values, strict=True):
        if name in u.lane_formats:
            parts += [executor.term(code, u.lane_formats[name][0].bits) for code in value]
        else:
            parts.append(executor.term(value, port.bits))
    return executor.t.concat(*reversed(parts))
