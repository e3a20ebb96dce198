"""The rounder of results that are posits: normalize, form the string of the code, round, pack."""

from __future__ import annotations

from dataclasses import dataclass, field

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Value

from ...formats import Format
from ..logic import exceeds
from ..shifters import shift_right
from ..wires import Values, wire
from .rounder import Rounder


def as_binades(out: Format) -> Format:
    """A posit's longest significands, of any exponent, as those of a float without subnormals,
    zero and bias."""
    return Format(out.name, "float", out.bits, 1, out.fraction_bits, bias=0, hidden_always=True)


@dataclass(frozen=True)
class PositRounder(Rounder):
    """Steps as those of `Rounder`, of a result that is a posit; there are no flags.

    What is rounded has no lowest binade (`out` is such a float, by `as_binades`, and `ftz` is set);
    `posit` is the format of the code. Regime, exponent and fraction are put side by side, the
    regime as the two bits at its end, and moved right by the rest of its run: then there are the
    bits of the code, and below them guard and sticky. A result beyond the largest magnitude is
    that one, and one below the smallest is that one.

    Source: Posit Standard (2022), 4.1.
    """

    posit: Format = field(kw_only=True)

    def _round(self, m: Module, x: Values) -> Values:
        """The regime, the exponent and the fraction as one string, cut off at the code's lsb."""
        n, es = self.posit.bits - 1, self.posit.exponent_bits
        kept = x["kept"]
        scale = wire(m, "scale", x["exponent"], Shape(max(len(x["exponent"]), es + 2), signed=True))
        exponent, k, small = scale[:es], scale[es:-1], scale[-1]
        run = wire(m, "run", k ^ small.replicate(len(k)))
        far = wire(m, "out_of_range", exceeds(run, n - 2))
        distance = run[: (n - 1).bit_length()]
        distance = wire(m, "regime", distance | far.replicate(len(distance)))
        fields = Cat(kept[:-1], exponent, small, ~small)
        width = max(n + 1, len(fields))
        carry = x["carry"]
        string, differs = shift_right(m, "string", fields, distance, width, fill=~small, lost=carry)
        body, guard, rest = string[width - n :], string[width - n - 1], string[: width - n - 1]
        differs = wire(m, "differs", differs | (rest ^ carry.replicate(len(rest))).any())
        # A carry from below passes through what is dropped if that is all ones.
        carried = wire(m, "carried", carry & ~differs)
        sticky = x["sticky"] | differs
        up = (guard & (sticky | carried | body[0])) | (carried & body[0])
        return {name: x[name] for name in ("sign", "nan", "inf")} | {
            "magnitude": wire(m, "truncated", body),
            "up": wire(m, "round_up", Mux(far, small, up)),
            "zero": wire(m, "zero", ~kept[-1]),
        }

    def _pack(self, m: Module, x: Values) -> Values:
        """The rounded magnitude in two's complement with its sign; zero, or NaR."""
        bits, sign = self.posit.bits, x["sign"]
        # -(i + up) = ~i + ~up: one adder rounds and negates.
        inverted = Cat(x["magnitude"], Const(0, 1)) ^ sign.replicate(bits)
        code = wire(m, "signed", (inverted + (x["up"] ^ sign))[:bits], bits)
        finite: Value = code & ~x["zero"].replicate(bits)
        nar = Const(1 << (bits - 1), bits)
        return {"y": wire(m, "code", Mux(x["nan"] | x["inf"], nar, finite), bits)}
