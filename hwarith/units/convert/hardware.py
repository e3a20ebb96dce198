"""Hardware of a conversion: unpack, align to the result's last place, round, pack.

Of an aligned magnitude the top bits are kept: those of the result, and below them as many as the
rounding looks at one by one; what lies farther below is only known to be zero or not (sticky).
Where the source's values are all values of the result, nothing is rounded.
"""

from __future__ import annotations

from functools import wraps

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...formats import STOCHASTIC, Format
from ...rtl import Operand, Rounder, Step, Values, wire
from ...rtl.floats import exponent_bits, goes_up, random_carry, signed_exponent
from ...rtl.integers import as_integer, integer_range
from ...rtl.logic import exceeds_rounded


def steps(a: Format, out: Format, mode: str, overflow: str, n: int) -> list[Step]:
    """The datapath from a code ``a`` (and `n` random bits ``r``) to the code ``y``."""
    exact = _is_exact(a, out)
    if exact or mode not in STOCHASTIC:
        n = 0
    rounder = Rounder(out, "rne" if exact else mode, overflow, n)
    if out.is_float and not a.is_float and not exact and not n:
        return _integer_to_float(a, rounder)
    first = [_unpack(a)]
    if out.is_float:
        first.append(_align_to_float(a, out, 0 if exact else rounder.below))
    elif a.is_float or a.exponent or out.exponent or out.symmetric:
        first.append(_align_to_integer(a, out, rounder.below))
        return [*_with_random_bits(first, n), _round_integer(rounder), _pack_integer(out, overflow)]
    else:
        return [_refit(a, out, overflow)]
    round_, pack = rounder.after_normalization()
    if exact:
        return [*first, _unrounded(out), pack]
    first = _with_random_bits(first, n)
    return [*first, _never_too_big(round_) if _is_in_range(a, out) else round_, pack]


def _with_random_bits(steps: list[Step], n: int) -> list[Step]:
    """Steps that hand on the random bits, if there are any."""
    return rtl.handing_on(("r",), steps) if n else steps


def _is_in_range(a: Format, out: Format) -> bool:
    return a.max <= out.max and -a.min <= out.max


def _is_exact(a: Format, out: Format) -> bool:
    """Whether every finite value of `a` is one of the float format `out`."""
    return (
        out.is_float
        and not out.hidden_always
        and out.signed >= a.signed
        and out.precision >= a.precision
        and Operand(out).lsb <= Operand(a).lsb
        and _is_in_range(a, out)
    )


def _unpack(a: Format) -> Step:
    def unpack(m: Module, x: Values) -> Values:
        """Fields and class of the operand."""
        raw = rtl.unpack(m, "a", x["a"], a)
        fields = ("sign", "nan", "inf", "exponent", "significand")
        return {name: getattr(raw, name) for name in fields}

    return unpack


def _sign_and_specials(x: Values) -> Values:
    """What most steps hand on as it is."""
    return {name: x[name] for name in ("sign", "nan", "inf")}


# -- float results -----------------------------------------------------------------------------


def _align_to_float(a: Format, out: Format, below: int) -> Step:
    """The leading one to the top, but not below the lowest binade. A format that reaches lower
    than the result's is only shifted right, another one only left."""
    offset, low, high = (w - Operand(out).emin for w in (-Operand(a).bias, *Operand(a).weights))
    width = out.precision + below

    def align(m: Module, x: Values) -> Values:
        """The significand with its msb on top, or where the lowest binade has its, and the exponent
        of the result."""
        exponent = wire(m, "scale", x["exponent"] + offset, signed_exponent(low, high))
        if low < 0:
            distance = Mux(exponent < 0, -offset - x["exponent"], 0)
            kept, sticky = _shift_right(
                m, x["significand"], distance, -low, width, constant=low == high
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


def _shift_right(
    m: Module, x: Value, distance: Value, most: int, width: int, constant: bool
) -> tuple[Value, Value]:
    """`x` on top of `width` bits, moved right by `distance`, 0 to `most` (if `constant`, by
    `most`); and whether ones fell out below."""
    if constant:
        return _top(Cat(x, Const(0, most)), width)
    top, lost = _top(x, width) if len(x) > width else (x, Const(0, 1))
    bits = min(most, width).bit_length()
    right = wire(m, "distance", distance, most.bit_length())
    if len(right) > bits:
        far = right[bits:].any()
        right = wire(m, "align_right", right[:bits] | far.replicate(bits))
    kept, some = rtl.shift_right(m, "aligned", top, right, width)
    return kept, some | lost


def _integer_to_float(a: Format, rounder: Rounder) -> list[Step]:
    """The rounder negates a negative integer; it wants a zero below the lsb."""
    exponent = Operand(a).emin + rounder.out.bias

    def widen(m: Module, x: Values) -> Values:
        """The integer as a significand, with its sign."""
        sign = x["a"][a.bits - 1] if a.signed else Const(0, 1)
        return {
            "sign": wire(m, "sign", sign),
            "nan": Const(0, 1),
            "inf": Const(0, 1),
            "significand": wire(m, "widened", Cat(Const(0, 1), x["a"])),
            "negative": sign,
            "exponent": Const(exponent, signed_exponent(exponent, exponent)),
        }

    return [widen, *rounder.steps((exponent, exponent))]


def _unrounded(out: Format) -> Step:
    """In place of the rounding step, where nothing is lost."""

    def join(m: Module, x: Values) -> Values:
        """Exponent and fraction side by side; nothing is to be rounded."""
        hidden = x["kept"][-1]
        field = x["exponent"] & hidden.replicate(len(x["exponent"]))
        mag = Cat(x["kept"][:-1], field)[: out.fraction_bits + out.exponent_bits]
        return _sign_and_specials(x) | {"overflow": Const(0, 1), "mag": wire(m, "mag", mag)}

    return join


def _never_too_big(round_: Step) -> Step:
    """The rounding step, where no value can be beyond the largest one."""

    @wraps(round_)
    def rounded(m: Module, x: Values) -> Values:
        return round_(m, x) | {"overflow": Const(0, 1)}

    return rounded


# -- integer results ---------------------------------------------------------------------------


def _refit(a: Format, out: Format, overflow: str) -> Step:
    """From integer to integer."""

    def fit(m: Module, x: Values) -> Values:
        return {"y": rtl.fit_integer(m, as_integer(x["a"], a), out, overflow)}

    return fit


def _align_to_integer(a: Format, out: Format, below: int) -> Step:
    """The significand's bits to their weights; one that reaches above the window is too big, and
    then the window may hold anything."""
    offset, low, high = (w - out.exponent for w in (-Operand(a).bias, *Operand(a).weights))
    # Subnormals, and all integers, lie within the window.
    integer_bits = max(out.bits - out.signed, low + 1, 1)
    top = integer_bits - 1

    def align(m: Module, x: Values) -> Values:
        """The significand with the integer's lsb in its place, and what lies below."""
        distance, width = top - offset - x["exponent"], integer_bits + below
        kept, sticky = _shift_right(
            m, x["significand"], distance, top - low, width, constant=low == high
        )
        above = x["exponent"] > top - offset if high > top else Const(0, 1)
        return _sign_and_specials(x) | {
            "kept": wire(m, "kept", kept),
            "sticky": wire(m, "sticky", sticky),
            "above": wire(m, "above", above | x["inf"] | x["nan"]),
        }

    return align


def _round_integer(rounder: Rounder) -> Step:
    def round_(m: Module, x: Values) -> Values:
        """Whether to round up."""
        magnitude, rest = x["kept"][rounder.below :], x["kept"][: rounder.below]
        if rounder.stochastic:
            up = random_carry(rounder.stochastic, rounder.n, x, rest, Const(0, 1))
        else:
            up = goes_up(rounder.mode, x, magnitude[0], rest, x["sticky"])
        return {name: x[name] for name in ("sign", "nan", "above")} | {
            "magnitude": wire(m, "truncated", magnitude),
            "up": wire(m, "round_up", up),
        }

    return round_


def _pack_integer(out: Format, overflow: str) -> Step:
    """The rounded magnitude with its sign, clamped into the result's range unless it wraps."""
    low, high = integer_range(out)

    def pack(m: Module, x: Values) -> Values:
        """The rounded number with its sign, limited to the integers that there are."""
        magnitude, up, sign = x["magnitude"], x["up"], x["sign"]
        # -(i + up) = ~i + ~up: one adder rounds and negates.
        bits = max(out.bits, len(magnitude))
        inverted = Cat(magnitude, Const(0, bits - len(magnitude))) ^ sign.replicate(bits)
        code = wire(m, "signed", (inverted + (up ^ sign))[: out.bits], out.bits)
        if overflow == "wrap":
            return {"y": code}
        positive = exceeds_rounded(magnitude, up, high)
        negative = exceeds_rounded(magnitude, up, -low)
        clamped = wire(m, "clamped", x["above"] | Mux(sign, negative, positive))
        lowest, highest = (Const(c % (1 << out.bits), out.bits) for c in (low, high))
        limit = Mux(sign & ~x["nan"], lowest, highest)
        return {"y": wire(m, "code", Mux(clamped, limit, code), out.bits)}

    return pack
