"""What the playground's page asks of hwarith: plain numbers, texts and lists, for JSON.

It runs in the browser, where there is no numpy, and in the tests beside hwarith itself. A question
is the name of one of `QUESTIONS` and its arguments; mistakes come back as hwarith's own messages.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from decimal import ROUND_DOWN, Context, Decimal
from fractions import Fraction
from typing import Any

import hwarith as hw
from hwarith.exceptions import HwarithError, InvalidInput
from hwarith.explore.exact_result import exact_result, ulp
from hwarith.flow import tools
from hwarith.flow.synthesis import scripts
from hwarith.formats import BLOCKS, NAMED, PATTERNS, ROUNDINGS, BlockFormat, Format
from hwarith.formats.codec import overflows_of_data
from hwarith.formats.facts import LISTED_BITS, format_facts
from hwarith.formats.text import code_row, number_of_text
from hwarith.tables import number_text
from hwarith.units import Unit, interface
from hwarith.units.bitserial import BsTile
from hwarith.units.chain import RIGHT
from hwarith.units.parameters import Parameter
from hwarith.units.parts import ArrayUnit
from hwarith.units.systolic import Engine
from hwarith.units.text import codes_of_texts, family_rows, flat
from hwarith.units.timed import MAPPED

BEGIN_WITH = {
    "mul": "mul:a=e4m3fn",
    "add": "add:a=e5m2",
    "fma": "fma:a=e4m3fn,c=bf16,out=bf16",
    "cmp": "cmp:a=bf16",
    "minmax": "minmax:a=bf16",
    "dot": "dot:a=e2m1fn,b=e2m1fn,n=4,c=fp16,out=fp16",
    "mac": "mac:a=e4m3fn,acc=fp16",
    "kulisch": "kulisch:a=e2m1fn,out=fp16,k=16",
    "lmul": "lmul:format=e4m3fn",
    "bspe": "bspe:type=int4,lanes=1",
    "bstile": "bstile:rows=2,columns=2",
    "fpint": "fpint:lanes=1",
    "engine": "engine:pe=(fma:a=int4,c=int16,out=int16),rows=2,columns=2",
    "blockquant": "blockquant:out=mxfp4,n=4",
    "nvfp4quant": "nvfp4quant:n=4",
    "hadamard": "hadamard:n=4,span=8",
    "layernorm": "layernorm:a=fp16,length=3",
    "rmsnorm": "rmsnorm:a=fp16,length=3",
    "softmax": "softmax:a=fp16",
    "ilayernorm": "ilayernorm:length=3",
    "codebook": "codebook:bits=1,dim=2,width=4",
}
"""The specs of families whose own defaults are large."""

EXAMPLES = {
    "codebook": {"word": "7,-3;5,-6", "code": "0,1,1", "address": "0,1"},
    "bspe": {"a": "0x3C00,0x3C00", "terms": "0x9,0x1", "bsig": "2,0"},
    "fpint": {"a": "100,0x7FF,5", "w": "3,1,7"},
}
"""Operands of families whose ports hold several codes of other formats."""

VALUES = ("1.1", "2.7", "-0.3", "0.75")
INTEGERS = ("7", "-3", "5", "-6")
GROUP = 3
"""What stands in the fields of operands to begin with, and how much of it for a group."""

FLAGS = ("inexact", "underflow", "overflow", "division by zero", "invalid")
"""Exceptions from the lsb up, as units with ``flags`` have them."""

MOST_DIGITS = 40
NEIGHBOURS = 6
"""Digits that are shown of an exact result, and codes beside a value on a number line."""

_CUT_OFF = Context(prec=17, rounding=ROUND_DOWN, Emin=-(10**6), Emax=10**6)


# -- what there is -------------------------------------------------------------------------------


def start() -> dict[str, Any]:
    """The families of units and the formats, by name."""
    units = [row | {"spec": BEGIN_WITH.get(str(row["unit"]), row["unit"])} for row in family_rows()]
    return {
        "version": hw.__version__,
        "units": units,
        "formats": [*NAMED],
        "blocks": [*BLOCKS],
        "patterns": [*PATTERNS],
    }


def unit(spec: str) -> dict[str, Any]:
    """What a unit is: its parameters with what is allowed, its ports."""
    u = hw.unit(spec)
    meanings = {port.name: port.meaning for port in interface.ports(u)}
    return {
        "spec": u.spec,
        "family": u.family,
        "name": u.name,
        "summary": u.summary,
        "contract": list(u.contract),
        "conventions": {**interface.timing(u), **u.conventions},
        "parameters": [
            _parameter(u, name, p) for name, p in u.parameters().items() if name not in MAPPED
        ],
        "operands": [
            _port(u, name, meanings) | {"example": _example(u, name, i)}
            for i, name in enumerate(u.operands)
        ],
        "results": [_port(u, name, meanings) for name in u.results],
    }


def _parameter(u: Unit, name: str, p: Parameter) -> dict[str, Any]:
    value = getattr(u, name)
    return {
        "name": name,
        "help": p.help,
        "value": "" if value is None else p.in_spec(value).strip("()"),
        "allowed": p.allowed,
        "choices": _choices(p),
        "format": "format" in p.allowed,
        "quiet": p.quiet,
    }


def _choices(p: Parameter) -> list[str]:
    """The values that there are, if `allowed` lists them or a short range; else none."""
    if ends := re.fullmatch(r"(\d+) to (\d+)", p.allowed):
        low, high = map(int, ends.groups())
        return [str(x) for x in range(low, high + 1)] if high - low <= 8 else []
    words = p.allowed.split()
    return words if len(words) > 1 and all(_is_value(p, word) for word in words) else []


def _is_value(p: Parameter, word: str) -> bool:
    try:
        p.parse(word)
    except InvalidInput:
        return False
    return True


def _port(u: Unit, name: str, meanings: dict[str, str]) -> dict[str, Any]:
    ports = u.operands | u.results
    axes = u.operand_axes.get(name, 2 * isinstance(u, ArrayUnit))
    return {
        "name": name,
        "format": u.code_formats[name].name,
        "bits": ports[name].bits,
        "lanes": u.lane_formats.get(name, (None, 0))[1],
        "several": ("", "a group", "a matrix, row by row")[axes],
        "meaning": meanings.get(name, ""),
    }


def _example(u: Unit, name: str, i: int) -> str:
    """A text for an operand: values, in groups, blocks or matrices where it takes them."""
    if u.family in EXAMPLES:
        return EXAMPLES[u.family][name]
    f, (_, lanes) = u.code_formats[name], u.lane_formats.get(name, (None, 0))
    axes = u.operand_axes[name]
    rows, columns = _shapes(u)[name] if axes == 2 else (1, lanes or (GROUP if axes else 1))
    values: Sequence[str] = VALUES if f.is_float else INTEGERS
    if not f.signed:
        values = [x for x in values if not x.startswith("-")] if f.is_float or axes == 2 else ["0"]
    columns = min(columns, len(VALUES)) if lanes else columns
    return ";".join(
        ",".join(values[(i + k) % len(values)] for k in range(row, row + columns))
        for row in range(rows)
    )


def _shapes(u: Unit) -> dict[str, tuple[int, int]]:
    """The rows and columns that matrices of an array have to begin with."""
    if isinstance(u, BsTile):
        k = u.pe.lanes
        weights = dict.fromkeys(("scale", "special"), (u.columns, 1))
        return {"a": (u.rows, k), "w": (u.columns, k)} | weights
    assert isinstance(u, Engine)
    depths = {name: u.rows * n for name, (_, n) in u.units.factors.items()}
    factors = {name: (n, u.columns) if name in RIGHT else (2, n) for name, n in depths.items()}
    return factors | {"c": (2, u.columns)}


# -- what a unit computes ------------------------------------------------------------------------


def evaluate(spec: str, texts: list[str]) -> dict[str, Any]:
    """Operands and results as values and codes; the exact result, and the error, if it is known."""
    u = hw.unit(spec)
    codes, notes = codes_of_texts(u, texts)
    found = u.golden(*codes)
    results = [found] if len(u.results) == 1 else list(found)
    shown = {name: flat(x) for name, x in zip(u.results, results, strict=True)}
    return {
        "operands": _shown(u, dict(zip(u.operands, map(flat, codes), strict=True))),
        "notes": notes,
        "results": _shown(u, shown),
        "flags": [name for i, name in enumerate(FLAGS) if shown.get("flags", [0])[0] >> i & 1]
        if "flags" in shown
        else None,
        "error": _error(u, codes, results[0]),
    }


def _shown(u: Unit, codes: dict[str, list[int]]) -> dict[str, list[dict[str, Any]]]:
    return {name: [of_code(u.code_formats[name], x) for x in xs] for name, xs in codes.items()}


def of_code(f: Format, code: int) -> dict[str, Any]:
    """A code: in hexadecimal, its value, and its bits by field from the msb."""
    row = code_row(f, code)
    return {"code": row["code"], "value": number_text(row["value"]), "bits": _bits(f, code)}


def _bits(f: Format, code: int) -> list[list[str]]:
    """Names of fields and their bits."""
    text = f"{code:0{f.bits}b}"
    parts = {"sign": int(f.signed)}
    if f.is_float:
        parts = {"unused": f.ignored_bits} | parts
        parts |= {"exponent": f.exponent_bits, "fraction": f.fraction_bits}
    else:
        parts["integer"] = f.bits - f.signed
    found, at = [], 0
    for name, width in parts.items():
        if width:
            found.append([name, text[at : at + width]])
            at += width
    return found


def _error(u: Unit, codes: list[Any], result: Any) -> dict[str, Any] | None:
    """The exact result, and how far the unit's is from it in units of the last place."""
    exact = exact_result(u, codes)
    if exact is None or not isinstance(result, int):
        return None
    out = next(iter(u.results.values()))
    got = out.decode_one(result)
    place = ulp(exact, out)
    known = isinstance(got, Fraction) or got == 0
    distance = (Fraction(got) - exact) / place if known else None
    return {
        "exact": exact_text(exact),
        "fraction": _fraction_text(exact),
        "ulps": None if distance is None else _short(distance),
        "place": exact_text(place),
    }


def exact_text(x: Fraction) -> str:
    """A number as a decimal; of a long or endless one its first digits."""
    sign, size = "-" if x < 0 else "", abs(x)
    places = size.denominator.bit_length() - 1
    dyadic = size.denominator == 1 << places
    digits = str(size.numerator * 5**places) if dyadic and places < 10_000 else ""
    if not digits or len(digits) > MOST_DIGITS:
        return sign + _first_digits(size)
    if not places:
        return sign + digits
    digits = digits.rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".")


def _first_digits(size: Fraction) -> str:
    found = _CUT_OFF.divide(Decimal(size.numerator), Decimal(size.denominator))
    near_one = -6 < found.adjusted() < _CUT_OFF.prec - 1
    return f"{found:f}…" if near_one else f"{found:e}".replace("e", "…e")


def _fraction_text(x: Fraction) -> str:
    """``143/64``, or ``143 · 2^-70`` where the denominator is long."""
    if x.denominator == 1 and x.numerator.bit_length() <= 64:
        return str(x.numerator)
    if x.denominator.bit_length() <= 20 and x.numerator.bit_length() <= 64:
        return f"{x.numerator}/{x.denominator}"
    if x.denominator & (x.denominator - 1):
        return ""
    low = (x.numerator & -x.numerator).bit_length() - 1 - (x.denominator.bit_length() - 1)
    odd = x / Fraction(2) ** low
    return f"{odd.numerator} · 2^{low}" if odd.numerator.bit_length() <= 64 else ""


def _short(x: Fraction) -> str:
    return "0" if x == 0 else f"{float(x):.4g}" if abs(x) < 10**300 else "huge"


def _log2(x: Fraction) -> float:
    return math.log2(x.numerator) - math.log2(x.denominator)


def verilog(spec: str) -> dict[str, str]:
    """The Verilog of a unit, and the name of its file."""
    u = hw.unit(spec)
    return {"name": f"{u.name}.v", "text": hw.verilog(u)}


def recipe(spec: str) -> dict[str, str]:
    """The files that yosys maps a unit to generic gates with; the recipe is that of
    `hwarith.synthesize`, but for the netlists."""
    u = hw.unit(spec)
    script = scripts.recipe_script("asic")
    if u.parts:
        script = scripts.part_by_part(script, u.name)
    elif u.stages:
        script = scripts.pipelined(script)
    steps = [line for line in script.splitlines() if not line.startswith("write_")]
    return {
        "recipe.ys": "\n".join(steps) + "\n",
        "library.lib": (tools.shipped("synth") / "generic.lib").read_text(),
    }


# -- what a format is ----------------------------------------------------------------------------


def format(name: str, text: str, overflow: str) -> dict[str, Any]:
    """The facts of a format, its values on number lines, and what each rounding mode makes of a
    number."""
    f = hw.format(name)
    facts = {key: number_text(value) for key, value in format_facts(f).items()}
    if isinstance(f, BlockFormat):
        return {"facts": facts, "element": f.element.name, "scale": f.scale.name}
    x = number_of_text(text)
    if x is None:
        raise InvalidInput(
            f"value: {text!r} is not a number; allowed: 1.5, -3, 1/3, 1e-3, inf, nan"
        )
    rounded = [
        {"mode": mode, "number": f.encode_one(x, round=mode, overflow=overflow)}
        for mode in ROUNDINGS
    ]
    given = Fraction(x) if x == x and abs(x) != math.inf else None
    place = None if given is None else ulp(given, f)
    for row in rounded:
        got = f.decode_one(row["number"])
        known = isinstance(got, Fraction) or got == 0
        row |= of_code(f, row.pop("number"))
        row["ulps"] = _short((Fraction(got) - given) / place) if known and place else None
    return {
        "facts": facts,
        "overflows": [*overflows_of_data(f)],
        "rounded": rounded,
        "listed": f.bits <= LISTED_BITS,
        **_lines(f, given),
    }


def _lines(f: Format, given: Fraction | None) -> dict[str, Any]:
    """Places of a format's values on number lines, from 0 to 1 but for those outside.

    ``log`` has all positive values of a format of few bits, of others their powers of two;
    ``linear`` the same of both signs; ``near`` the values around the given one.
    """
    lowest, highest = _positive_ends(f)
    if f.bits <= LISTED_BITS:
        finite = sorted({x for x in map(f.decode_one, range(1 << f.bits)) if _is_number(x)})
        values = [Fraction(x) for x in finite]
    else:
        powers = [Fraction(2) ** e for e in _exponents(lowest, highest)]
        values = sorted([*(-x for x in powers if f.signed), Fraction(0), *powers, f.min, f.max])
    low, high = f.min, f.max
    positive = [x for x in values if x > 0]
    left, right = _log2(positive[0]), _log2(positive[-1])
    width = right - left or 1

    def on_log(x: Fraction) -> float:
        return (_log2(x) - left) / width

    def on_linear(x: Fraction) -> float:
        return float((x - low) / (high - low))

    near = _near(f, given)
    span = near[-1] - near[0] if len(near) > 1 else Fraction(1)
    normal = f.smallest_normal
    return {
        "log": [[on_log(x), x < normal and f.is_float] for x in positive],
        "log_ends": [_value_text(f, positive[0]), _value_text(f, positive[-1])],
        "log_ones": [[on_log(Fraction(2) ** e), e] for e in _marks(left, right)],
        "log_given": on_log(abs(given)) if given else None,
        "linear": [on_linear(x) for x in values],
        "linear_ends": [_value_text(f, low), _value_text(f, high)],
        "linear_given": on_linear(given) if given is not None else None,
        "linear_zero": on_linear(Fraction(0)),
        "near": [[float((x - near[0]) / span), _value_text(f, x)] for x in near],
        "near_given": float((given - near[0]) / span) if given is not None and near else None,
    }


def _is_number(x: Fraction | float) -> bool:
    return isinstance(x, Fraction) or x == 0


def _positive_ends(f: Format) -> tuple[Fraction, Fraction]:
    return f.smallest, f.max


def _exponents(lowest: Fraction, highest: Fraction) -> range:
    first, last = math.ceil(_log2(lowest)), math.floor(_log2(highest))
    return range(first, last + 1, max(1, (last - first) // 300))


def _marks(left: float, right: float) -> range:
    """Powers of two that are named below the line: a dozen at most."""
    step = max(1, math.ceil((right - left) / 12))
    first = math.ceil(left / step) * step
    return range(first, math.floor(right) + 1, step)


def _near(f: Format, given: Fraction | None) -> list[Fraction]:
    """The values around a number: those of the codes beside the nearest one."""
    if given is None:
        return []
    middle = _place(f, f.encode_one(given))
    found = set()
    for place in range(middle - NEIGHBOURS, middle + NEIGHBOURS + 1):
        code = _code_at(f, place)
        if code is not None and _is_number(x := f.decode_one(code)):
            found.add(Fraction(x))
    return sorted(found)


def _place(f: Format, code: int) -> int:
    """Where a code stands in the order of values, 0 being that of zero."""
    n = f.numbers
    s, mag = code >> (n.bits - 1) & n.signed, code & n.mag_mask
    if n.integer:
        return mag - (n.mag_mask + 1) if s else mag
    return -mag if s else mag


def _code_at(f: Format, place: int) -> int | None:
    """The inverse of `_place`; None beyond the codes of finite values."""
    n = f.numbers
    if not (-n.min_mag if n.integer else -n.max_mag * n.signed) <= place <= n.max_mag:
        return None
    if n.integer:
        return place & ((1 << n.bits) - 1)
    return abs(place) | (1 << (n.bits - 1) if place < 0 else 0)


def _value_text(f: Format, x: Fraction) -> str:
    return number_text(code_row(f, f.encode_one(x))["value"])


# -- questions -----------------------------------------------------------------------------------

QUESTIONS: dict[str, Callable[..., Any]] = {
    "start": start,
    "unit": unit,
    "evaluate": evaluate,
    "verilog": verilog,
    "recipe": recipe,
    "format": format,
}


def answer(question: str) -> str:
    """The answer to ``["name", argument, ...]`` in JSON, as ``{"is": ...}``; or a mistake's
    one-line message, ``{"wrong": ...}``."""
    name, *arguments = json.loads(question)
    try:
        return json.dumps({"is": QUESTIONS[name](*arguments)})
    except HwarithError as error:
        return json.dumps({"wrong": str(error)})
