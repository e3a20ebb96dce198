"""Ways to accumulate that are made of units one behind the other, as hardware."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Value

from ... import rtl
from ...formats import Format
from ...rtl import Step, Values, wire
from ...rtl.floats import Specials
from ..exact.add import Add
from . import arrays
from .parameters import DotParameters

ALL = "all_"
"""In front of the names of the whole operands, beside those of a part."""

RAISED = "raised"
"""The flags of all parts so far."""


def datapath(unit: DotParameters) -> list[Step]:
    """Steps from the operands to the result's code, before anything is appended to it."""
    ways = {"seq": _sequential, "pairwise": _pairwise, "halves": _halves}
    return [_operands(unit), *ways[unit.acc.way](unit)]


def _sequential(unit: DotParameters) -> list[Step]:
    """A product and the accumulator after the other, each sum rounded."""
    steps: list[Step] = []
    for i in range(unit.n):
        c = (unit.addend or "none") if i == 0 else unit.out
        part = unit.part(n=1, acc="exact", c=c, subnormals=_of_parts(unit))
        steps += [
            _take(unit, [i], f"lane{i}", {"all_c" if i == 0 else "y": "c"}),
            *rtl.handing_on(_whole(unit), [*part.datapath(), _rounded(unit, "y", f"step{i}")]),
        ]
    return steps


def _pairwise(unit: DotParameters) -> list[Step]:
    """Rounded products, and a tree of rounded sums."""
    part = unit.part(n=1, acc="exact", c="none", subnormals=_of_parts(unit))
    steps: list[Step] = []
    level: list[str] = []
    for i in range(unit.n):
        product = [*part.datapath(), _rounded(unit, f"product{i}", f"lane{i}")]
        steps.append(_take(unit, [i], f"lane{i}", {}))
        steps += rtl.handing_on((*_whole(unit), *level), product)
        level.append(f"product{i}")
    depth = 0
    while len(level) > 1:
        depth += 1
        sums: list[str] = []
        for i, pair in enumerate(zip(level[::2], level[1::2], strict=False)):
            kept = (*sums, *level[2 * i + 2 :])
            steps += _sum(unit, *pair, unit.out, f"sum{depth}_{i}", kept)
            sums.append(f"sum{depth}_{i}")
        level = sums + level[2 * len(sums) :]
    if unit.addend:
        return [*steps, *_sum(unit, level[0], "all_c", unit.addend, "y", ())]
    return [*steps, rtl.renamed(**{level[0]: "y"})]


def _halves(unit: DotParameters) -> list[Step]:
    """Both halves of the products, and the addend, to nearest even."""
    half = unit.n // 2
    order = list(arrays.in_order(range(unit.n), unit.acc))
    parts = {"n": half, "acc": f"trunc-{unit.acc.bits}"}
    first, second = unit.part(**parts, c="none"), unit.part(**parts, c=unit.out)
    add = Add(a=unit.out, b=unit.out, out=unit.out)
    return [
        _take(unit, order[:half], "first_half", {}),
        *rtl.handing_on(_whole(unit), first.datapath()),
        _take(unit, order[half:], "second_half", {"y": "c"}),
        *rtl.handing_on(_whole(unit), second.datapath()),
        rtl.renamed(y="a", all_c="b"),
        *add.datapath(),
    ]


# -- parts ---------------------------------------------------------------------------------------


def _of_parts(unit: DotParameters) -> str:
    """What parts do with subnormals; those that count as +0 are seen to between them."""
    return "keep" if unit.subnormals == "zero" else unit.subnormals


def _whole(unit: DotParameters) -> tuple[str, ...]:
    """The names of the whole operands, and of the flags that are raised so far."""
    names = (*unit.lane_formats, *("c" if unit.addend else ""))
    return (*(f"{ALL}{name}" for name in names), *((RAISED,) if unit.flags != "none" else ()))


def _called(name: str, step: Step) -> Step:
    step.__name__ = name
    return step


def _operands(unit: DotParameters) -> Step:
    def operands(m: Module, x: Values) -> Values:
        """Operands, with +0 for subnormals where these count as such."""
        found = {f"{ALL}{name}": value for name, value in x.items()}
        if unit.subnormals != "zero":
            return found
        for name in "ab":
            f, n = unit.lane_formats[name]
            codes = [_positive(x[name].word_select(i, f.bits), f) for i in range(n)]
            found[f"{ALL}{name}"] = wire(m, f"flushed_{name}", Cat(*codes))
        if unit.addend:
            found[f"{ALL}c"] = wire(m, "flushed_c", _positive(x["c"], unit.addend))
        return found

    return operands


def _take(unit: DotParameters, lanes: list[int], name: str, names: dict[str, str]) -> Step:
    def take(m: Module, x: Values) -> Values:
        """The factors of some products alone, and their scales."""
        found = {new: x[old] for old, new in names.items() if old in x}
        for operand, (f, _) in unit.lane_formats.items():
            is_factor = operand in ("a", "b")
            places = lanes if is_factor else dict.fromkeys(i // unit.block for i in lanes)
            codes = [x[f"{ALL}{operand}"].word_select(i, f.bits) for i in places]
            found[operand] = wire(m, f"{name}_{operand}", Cat(*codes))
        return x | found

    return _called(name, take)


def _sum(
    unit: DotParameters, left: str, right: str, f: Format, name: str, kept: tuple[str, ...]
) -> list[Step]:
    """The rounded sum of two codes, the second one of format f; what is `kept` is handed on."""
    add = Add(
        a=unit.out,
        b=f,
        out=unit.out,
        round=unit.round,
        overflow=unit.overflow,
        subnormals=_of_parts(unit),
        flags=unit.flags,
    )

    def terms(m: Module, x: Values) -> Values:
        """The terms of one sum."""
        return x | {"a": x[left], "b": x[right]}

    steps = [*add.datapath(), _rounded(unit, name, f"of_{name}")]
    handed = tuple(dict.fromkeys((*_whole(unit), *kept)))
    return [_called(f"terms_{name}", terms), *rtl.handing_on(handed, steps)]


def _rounded(unit: DotParameters, name: str, called: str) -> Step:
    def rounded(m: Module, x: Values) -> Values:
        """A rounded result, with a zero for a subnormal where these are flushed."""
        y, f = x["y"], unit.out
        if unit.subnormals == "zero":
            bits = Specials(f).magnitude_bits
            normal = y[f.fraction_bits : bits].any()
            y = Cat(y[:bits] & normal.replicate(bits), y[bits:])
        rounded = {name: wire(m, f"{name}_rounded", y)}
        if unit.flags != "none":
            raised = x["flags"] | x.get(RAISED, 0)
            rounded[RAISED] = wire(m, f"raised_{called}", raised)
        return rounded

    return _called(f"rounded_{called}", rounded)


def _positive(code: Value, f: Format) -> Value:
    """A code, or +0 in the place of a subnormal one."""
    if not f.is_float:
        return code
    fraction = code[: f.fraction_bits]
    exponent = code[f.fraction_bits : Specials(f).magnitude_bits]
    return code & ~(~exponent.any() & fraction.any()).replicate(f.bits)
