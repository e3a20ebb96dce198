"""Hardware of a conversion to a float: align to the result's last place, round, pack.

Of an aligned magnitude the top bits are kept: those of the result, and below them as many as the
rounding looks at one by one; what lies farther below is only known to be zero or not (sticky).
Where the source's values are all values of the result, nothing is rounded.
"""

from __future__ import annotations

from dataclasses import replace
from functools import wraps

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...formats import Format
from ...rtl import Operand, Rounder, Step, Values, wire
from ...rtl.floats import exponent_bits, signed_exponent


def steps(operand: Operand, rounder: Rounder) -> list[Step]:
    """From the fields of an operand that is a float to a float, where values must be rounded."""
    round_, pack = rounder.after_normalization()
    fits = _is_in_range(operand.format, rounder.out)
    align = _align_to_float(operand, rounder.out, rounder.below)
    return [align, _never_too_big(round_) if fits else round_, pack]


def exact_steps(operand: Operand, rounder: Rounder) -> list[Step]:
    """The same where every value is one of the result."""
    _, pack = replace(rounder, mode="rne", n=0).after_normalization()
    return [_align_to_float(operand, rounder.out, 0), _unrounded(rounder.out), pack]


def is_exact(operand: Operand, out: Format, ftz: bool) -> bool:
    """Whether every finite value of the operand is one of the float format `out`, and none is
    flushed to zero."""
    a = operand.format
    return (
        not out.hidden_always
        and out.signed >= a.signed
        and out.precision >= a.precision
        and Operand(out).lsb <= operand.lsb
        and _is_in_range(a, out)
        and not (ftz and operand.lsb < Operand(out).emin)
    )


def _is_in_range(a: Format, out: Format) -> bool:
    return a.max <= out.max and -a.min <= out.max


def _sign_and_specials(x: Values) -> Values:
    """What most steps hand on as it is."""
    return {name: x[name] for name in ("sign", "nan", "inf")}


def _align_to_float(operand: Operand, out: Format, below: int) -> Step:
    """The leading one to the top, but not below the lowest binade. A format that reaches lower
    than the result's is only shifted right, another one only left."""
    offset, low, high = (w - Operand(out).emin for w in (-operand.bias, *operand.weights))
    width = out.precision + below

    def align(m: Module, x: Values) -> Values:
        """The significand with its msb on top, or where the lowest binade has its, and the exponent
        of the result."""
        exponent = wire(m, "scale", x["exponent"] + offset, signed_exponent(low, high))
        if low < 0:
            distance = Mux(exponent < 0, -offset - x["exponent"], 0)
            distance = wire(m, "distance", distance, (-low).bit_length())
            if low == high:
                kept, sticky = _top(Cat(x["significand"], Const(0, -low)), width)
            else:
                kept, sticky = rtl.align_right(
                    m, "aligned", x["significand"], distance, -low, width
                )
        else:
            kept, sticky, exponent = _normalize(m, x["significand"], exponent, low, width)
        bits = max(exponent_bits(max(high, 0) + 1), out.exponent_bits)
        field = exponent + (not out.hidden_always)
        return _sign_and_specials(x) | {
            "kept": wire(m, "kept", kept),
            "sticky": wire(m, "sticky", sticky),
            "exponent": wire(m, "aligned_exponent", field[:bits], bits),
            "carry": Const(0, 1),
            "difference": Const(0, 1),
        }

    return align


def _normalize(
    m: Module, significand: Value, exponent: Value, low: int, width: int
) -> tuple[Value, Value, Value]:
    """Shift out leading zeros, which only a significand of the least exponent has. `low`, which
    is that exponent, leads to the lowest binade."""
    size = len(significand)
    if low == 0 or size == 1:
        kept, some = _top(significand, width)
        return kept, some, exponent
    # A one where the lowest binade begins ends the count of leading zeros there.
    marked = significand | (1 << (size - 1 - low) if low < size else 0)
    zeros = rtl.leading_zeros(m, "zeros", wire(m, "marked", marked, size))
    kept, some = rtl.shift_left(m, "normalized", significand, zeros, width)
    return kept, some, exponent - zeros


def _top(x: Value, width: int) -> tuple[Value, Value]:
    """The top `width` bits of `x`, zeros below if it has fewer, and whether bits are lost."""
    lost = len(x) - width
    return (x[lost:], x[:lost].any()) if lost > 0 else (Cat(Const(0, -lost), x), Const(0, 1))


def _unrounded(out: Format) -> Step:
    """In place of the rounding step, where nothing is lost."""

    def join(m: Module, x: Values) -> Values:
        """Exponent and fraction side by side; nothing is to be rounded."""
        hidden = x["kept"][-1]
        field = x["exponent"] & hidden.replicate(len(x["exponent"]))
        mag = Cat(x["kept"][:-1], field)[: out.fraction_bits + out.exponent_bits]
        none = {name: Const(0, 1) for name in ("overflow", "inexact", "underflow")}
        return _sign_and_specials(x) | none | {"mag": wire(m, "mag", mag)}

    return join


def _never_too_big(round_: Step) -> Step:
    """The rounding step, where no value can be beyond the largest one."""

    @wraps(round_)
    def rounded(m: Module, x: Values) -> Values:
        return round_(m, x) | {"overflow": Const(0, 1)}

    return rounded
