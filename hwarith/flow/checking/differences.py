"""Wrong results, kept while a check runs: what they are, and what explains them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Context
from fractions import Fraction

import numpy as np

from ...exceptions import shown
from ...formats import Format
from ...formats import rounding as r
from ...formats.text import code_row
from ...units import Unit
from ..stimuli.corner_weighted import is_special
from ..vectors.text import hexadecimal
from .batches import Batch
from .explain import Arithmetic, Codes, Explainer
from .result import NOTHING

EXAMINED = 256
"""Wrong results whose explanations are sought, at most."""

_OF_A_BATCH = EXAMINED // 2

_RIGHT = 16
"""Right results of a batch that are kept beside them."""

_FEW = 9
"""Digits of values that take no more."""

_MORE_DIGITS = 3
"""Digits of exact results beyond those that a format needs."""

_MOST_CODES = 60
"""Characters of the codes of a group in a row."""


@dataclass(frozen=True)
class Difference:
    """A wrong result: the codes of its operands, transfer by transfer, of the right results and of
    those that came, and the class of vectors it is of."""

    name: str
    transfers: list[Codes]
    right: Codes
    got: Codes


class Differences:
    """The first wrong results of a unit."""

    def __init__(self, u: Unit):
        self.u = u
        self.kept: list[Difference] = []
        self._right: list[Difference] = []
        self._explainer = Explainer(u)

    def keep(self, batch: Batch, got: list[np.ndarray], wrong: np.ndarray) -> None:
        """Keep the first of the results of a batch at these places, and some right ones."""
        room = max(0, min(_OF_A_BATCH, EXAMINED - len(self.kept)))
        # The first half of them, and others from all over the batch
        others = np.linspace(0, max(len(wrong) - 1, 0), room - room // 2).astype(int)
        places = np.unique([*wrong[: room // 2], *wrong[others[: len(wrong)]]]).astype(int)
        self.kept += self._told(batch, got, places)
        if self._explainer.alone and len(self._right) < EXAMINED:
            right = np.linspace(0, len(got[0]) - 1, _RIGHT).astype(int) if len(got[0]) else wrong
            self._right += self._told(batch, got, np.setdiff1d(right, wrong))

    def _told(self, batch: Batch, got: list[np.ndarray], places: np.ndarray) -> list[Difference]:
        ends = batch.ends if places.size else places
        found = []
        for i in places.tolist():
            last = int(ends[i])
            first = last + 1 - (1 if batch.transfers is None else int(batch.transfers[i]))
            transfers = [[int(x[t]) for x in batch.inputs] for t in range(first, last + 1)]
            right, came = ([int(x[i]) for x in xs] for xs in (batch.expected, got))
            found.append(Difference(batch.name, transfers, right, came))
        return found

    def explained(self) -> tuple[list[str], dict[str, int]]:
        """For each that is kept what explains it best, and how many of them each of these explains.

        What explains most goes first, and of what explains as many, that which the right results
        speak against the least.
        """
        found = [self._explanations(one) for one in self.kept]
        against = self._against()
        best: list[str] = [NOTHING] * len(found)
        left = {i for i, texts in enumerate(found) if texts}
        while left:
            counts = Counter(text for i in sorted(left) for text in found[i])
            text = max(counts, key=lambda t: counts[t] ** 2 / (counts[t] + against[t]))
            for i in [i for i in left if text in found[i]]:
                best[i] = text
                left.remove(i)
        return best, dict(Counter(best).most_common())

    def _explanations(self, one: Difference) -> list[str]:
        if not self._explainer.alone:
            return self._explainer.facts(one.right, one.got)
        tried = self._explainer.alternatives(one.transfers[0], one.right).items()
        texts = [text for text, codes in tried if codes == one.got]
        return texts or self._explainer.facts(one.right, one.got)

    def _against(self) -> Counter[str]:
        """By alternative how many right results are not what it gives."""
        return Counter(
            text
            for one in self._right
            for text in self._explainer.alternatives(one.transfers[0], one.right)
        )

    def row(self, one: Difference, explanation: str) -> dict[str, object]:
        """A wrong result by titles."""
        arithmetic = self._explainer.arithmetic
        row = {"class": self._class(one)} | self._operands(one.transfers)
        if arithmetic and self._explainer.alone:
            row["exact"] = _exact(arithmetic, one.transfers[0])
        pairs = zip(self.u.results.items(), one.right, one.got, strict=True)
        for (name, f), right, got in pairs:
            row[f"{name} right"] = _code(right, f)
            row[f"{name} got"] = _code(got, f)
        f = next(iter(self.u.results.values()))
        if f.is_float and (steps := _steps(f, one.right[0], one.got[0])) is not None:
            row["off by"] = f"{steps:+,} ulp" if 0 < abs(steps) < 1 << 64 else ""
        return row | {"explained by": explanation}

    def event_row(self, one: Batch, what: str) -> dict[str, object]:
        """What happened to the only result of a batch in a stream, by titles."""
        rows = [[int(x) for x in codes] for codes in zip(*one.inputs, strict=True)]
        codes = self._operands(rows)
        results = zip(self.u.results.items(), one.expected, strict=True)
        right = {f"{name} right": _code(int(x[0]), f) for (name, f), x in results}
        return {"class": what} | codes | right

    def _operands(self, transfers: list[Codes]) -> dict[str, object]:
        """The codes at each port, of all transfers of a result."""
        row: dict[str, object] = {}
        for i, (name, f) in enumerate(self.u.inputs.items()):
            if self.u.transfers.controls:
                row[name] = shown(
                    ",".join(hexadecimal(codes[i], f) for codes in transfers), _MOST_CODES
                )
            else:
                row[name] = _code(transfers[0][i], f)
        return row

    def _class(self, one: Difference) -> str:
        """What makes the operands hard, by the conditions of the classes of `hwarith.vectors`."""
        arithmetic = self._explainer.arithmetic
        if arithmetic is None or self.u.transfers.controls:
            return one.name
        return ", ".join(corners(arithmetic, one.transfers[0])) or one.name


def corners(arithmetic: Arithmetic, codes: Codes) -> list[str]:
    """The classes of `hwarith.vectors` whose conditions a vector meets."""
    given = dict(zip(arithmetic.u.operands, codes, strict=True))
    numbers = [(given[name], f) for name, f in arithmetic.terms.items()]
    found = ["special"] if any(is_special(f, code) for code, f in numbers) else []
    x, exact = arithmetic.exact_value(codes), arithmetic.exact
    terms = arithmetic.signed(codes)
    if x is None or terms is None:
        return found
    borders = {"subnormal_border": exact.smallest_normal, "overflow_border": exact.overflow_limit}
    conditions = {
        "halfway": exact.is_halfway,
        "sticky": exact.is_sticky,
        "cancellation": lambda terms: exact.operation.adds and exact.is_cancellation(terms),
        "subnormal": exact.is_subnormal,
        "overflow": exact.is_overflow,
    } | {name: lambda terms, at=at: exact.is_next_to(terms, at) for name, at in borders.items()}
    found += [name for name, holds in conditions.items() if holds(terms)]
    subnormal = (
        f.is_float and 0 < code & f.numbers.mag_mask < 1 << f.fraction_bits for code, f in numbers
    )
    return found + ["normalization"] * any(subnormal)


def _code(code: int, f: Format) -> str:
    """A code and its value, in as many digits as its format has."""
    if f.bits > 64:
        return shown(hexadecimal(code, f), _MOST_CODES)
    value = code_row(f, code)["value"]
    return f"{hexadecimal(code, f)} = {_number(value, f) if isinstance(value, float) else value}"


def _number(value: float, f: Format) -> str:
    """A value in few digits if these are all, else in as many as its format has."""
    text = f"{value:.{_FEW}g}"
    return text if float(text) == value else f"{value:.{max(4, _digits(f))}g}"


def _digits(f: Format) -> int:
    return min(17, f.precision * 3 // 10 + 2)


def _exact(arithmetic: Arithmetic, codes: Codes) -> str:
    """The exact result, and where it lies between two codes."""
    x = arithmetic.exact_value(codes)
    if x is None:
        return "not finite"
    if x == 0:
        return "0"
    value = Fraction(x) * Fraction(2) ** arithmetic.base
    decimal = (
        Context(prec=_digits(arithmetic.out) + _MORE_DIGITS)
        .divide(value.numerator, value.denominator)
        .normalize()
    )
    f = arithmetic.out
    down = arithmetic.round(x, r.RTZ)
    step = arithmetic.exact.ulp(x) - arithmetic.base
    beyond = down & f.numbers.mag_mask >= f.numbers.max_mag
    text = f"{decimal:f}" if -5 < decimal.adjusted() < 12 else f"{decimal:g}"
    if step <= 0 or beyond:
        return text
    part = Fraction(abs(x) % (1 << step), 1 << step)
    between = f" {'-' if x < 0 else '+'} {_part(part)} ulp" if part else ""
    return f"{text} = {hexadecimal(down, f)}{between}"


def _part(part: Fraction) -> str:
    """A part of an ulp in a few digits, and on which side of them it lies."""
    text = f"{float(part):.4g}"
    rest = part - Fraction(text)
    return text if rest == 0 else f"just {'above' if rest > 0 else 'below'} {text}"


def _steps(f: Format, right: int, got: int) -> int | None:
    """How many codes the result lies above the right one, None if one is not finite."""
    places = []
    for code in (right, got):
        if r.unpack(code, f.numbers)[0] != r.FINITE:
            return None
        mag = code & f.numbers.mag_mask
        places.append(-mag if code != mag else mag)
    return places[1] - places[0]
