"""The bit-serial dequantizer: a sum times its group's scale, one bit of the scale in each clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...formats.lanes import side_by_side
from ...golden import apply
from ...lazily import np
from ...rtl import Values, wire
from ..contract import Contract
from ..conventions import MODES, conventions
from ..operations import DEQUANTIZATION, Operation
from ..parameters import integer_parameter
from ..transfers import Transfers
from . import definitions
from .base import BitSerial
from .definitions import SCALE_BITS
from .pe_hardware import rounded_to
from .weights import SOURCE

MOST_SCALE_BITS = 16


@dataclass(frozen=True, kw_only=True, repr=False)
class BsDequant(BitSerial):
    """An accumulator of `bspe` times a scale of `sfw` bits: (-1)^sign * magnitude * 2^exponent.

    ``acc`` is the accumulator's code: its magnitude at the lsb, then exponent, sign, invalid and
    overflow. The magnitude is rounded to nearest even to `dqm` bits and then multiplied with the
    scale, an unsigned integer, msb first; for sums that count halves (fp3, fp4) ``half`` is set. A
    result comes every `sfw` clocks, `sfw` clocks after its operands; where a group takes as many
    clocks, processing elements do not wait.

    Source: BitMoD (HPCA 2025), section IV-B; the rounding is a decision of this project.
    """

    family: ClassVar[str] = "bsdequant"
    summary: ClassVar[str] = "bit-serial dequantizer of bspe: times an 8-bit scale, in 8 clocks"
    operation: ClassVar[Operation] = DEQUANTIZATION
    meanings: ClassVar[dict[str, str]] = {
        "acc": "accumulator of a bspe: magnitude at the lsb, exponent, sign, invalid, overflow",
        "scale": "what it is multiplied with, an unsigned integer",
        "half": "1: the accumulator counts halves (weights of fp3 and fp4)",
        "magnitude": "of the product",
        "exponent": "of the magnitude's lsb",
    }

    dqm: int = integer_parameter("bits of the magnitude (default: 11 + fx)", 4, 28, None)
    sfw: int = integer_parameter("bits of the scale", 2, MOST_SCALE_BITS, SCALE_BITS, quiet=True)
    stages: int = integer_parameter(
        "clocks: one for each bit of the scale", 2, MOST_SCALE_BITS, None, quiet=True
    )

    def validate(self) -> None:
        super().validate()
        if self.dqm is None:
            object.__setattr__(self, "dqm", 11 + self.fx)
        if self.stages is None:
            object.__setattr__(self, "stages", self.sfw)
        if self.stages != self.sfw:
            raise InvalidInput(
                f"bsdequant: parameter stages: must be {self.sfw}, the bits of a scale (sfw), not "
                f"{self.stages}"
            )

    def stages_for(self, target_delay: int) -> int:
        raise InvalidInput(f"bsdequant: parameter target_delay: it takes {self.sfw} clocks")

    def shown_parameters(self) -> dict[str, Any]:
        shown = super().shown_parameters()
        del shown["stages"]
        if self.dqm == 11 + self.fx:
            del shown["dqm"]
        return shown

    @property
    def operands(self) -> dict[str, Format]:
        bits = {"acc": self.state_bits, "scale": self.sfw, "half": 1}
        return {name: format(f"uint{n}") for name, n in bits.items()}

    @property
    def magnitude_bits(self) -> int:
        """Bits of a result's magnitude."""
        return self.dqm + self.sfw

    @property
    def exponent_format(self) -> Format:
        """Of a result's exponent."""
        return format(f"int{self.expw + 2}")

    @property
    def results(self) -> dict[str, Format]:
        return {
            "magnitude": format(f"uint{self.magnitude_bits}"),
            "exponent": self.exponent_format,
            "sign": format("uint1"),
            "invalid": format("uint1"),
        }

    @property
    def latency(self) -> str:
        return f"{self.sfw} clocks, one result every {self.sfw} clocks"

    @property
    def transfers(self) -> Transfers:
        return Transfers(self, clocks=self.sfw)

    @property
    def contract(self) -> Contract:
        return Contract("faithful", f"rounded to {self.dqm} bits before an exact product", SOURCE)

    @property
    def conventions(self) -> dict[str, str]:
        return conventions(
            f"the accumulator's magnitude {MODES['rne']}, to {self.dqm} bits; the product is exact",
            "none, the result has room",
            "",
            "handed on as invalid",
        )

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.dequantize, (self.frame, self.dqm, self.sfw)

    @property
    def word_bits(self) -> int:
        return max(self.state_bits, self.magnitude_bits + self.expw + 4)

    def as_float(self, results: Iterable[np.ndarray], out: Format | str = "fp32") -> np.ndarray:
        """Results as codes of the float format `out`, rounded to nearest even; invalid ones are
        NaN.

        `results` are what a call of the unit returns, arrays of one shape, which the codes have
        too. Raises `InvalidInput` for an unknown format.
        """
        f = format(out)
        packed = side_by_side(results, self.results.values())
        constants = (self.magnitude_bits, self.exponent_format.bits, f.numbers)
        bits = sum(port.bits for port in self.results.values()) + f.precision
        return apply(definitions.as_float, [packed], constants, f.dtype, bits)[()]

    def golden_float(self, acc: int, scale: int, half: int, out: Format) -> int:
        """An accumulator times a scale as a code of the float format `out`, on plain integers."""
        product = definitions.dequantize(acc, scale, half, self.frame, self.dqm, self.sfw)
        widths = self.magnitude_bits, self.exponent_format.bits
        return definitions.as_float(product, *widths, out.numbers)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        raise NotImplementedError  # it is no datapath: see `_serial`

    def core(self, instances: bool) -> rtl.Core:
        return partial(_serial, self)


@rtl.named_part("round_state")
def round_state(m: Module, u: BsDequant, acc: Values, half: Value) -> Values:
    """What enters the multiplication: of an accumulator's fields magnitude, exponent, sign and
    invalid."""
    magnitude, exponent = acc["magnitude"], acc["exponent"]
    extra = u.aw - u.dqm
    moved: Value = exponent - (25 + u.fx) - half
    if extra > 0:
        magnitude, less = rounded_to(m, magnitude, u.dqm, Const(extra))
        moved = moved + extra - less
    return {
        "magnitude": wire(m, "factor", magnitude, u.dqm),
        "exponent": wire(m, "weight", moved, signed(u.exponent_format.bits)),
        "sign": acc["sign"],
        "invalid": acc["invalid"],
    }


def _serial(u: BsDequant, m: Module, inputs: Values, valid: Value, o_ready: Value) -> rtl.Handshake:
    """Ready, valid, results: the first bit of the scale counts as operands are taken, the others
    in the clocks after that."""
    fields, at = {}, 0
    for name, f in u.state.items():
        fields[name] = inputs["acc"][at : at + f.bits]
        at += f.bits
    entering = round_state(m, u, fields, inputs["half"])
    busy = Signal(name="busy")
    left = Signal(range(u.sfw), name="bits_left", reset_less=True)
    scale = Signal(u.sfw - 1, name="scale_left", reset_less=True)
    done = wire(m, "done", busy & ~left.any())
    ready = wire(m, "ready", ~busy | (done & o_ready))
    with m.If(ready):
        m.d.sync += [busy.eq(valid), left.eq(u.sfw - 1), scale.eq(inputs["scale"][:-1])]
    with m.Elif(~done):
        m.d.sync += [left.eq(left - 1), scale.eq(Cat(Const(0, 1), scale[:-1]))]
    bit = wire(m, "scale_bit", Mux(ready, inputs["scale"][-1], scale[-1]))
    return ready, done, multiply(m, u, entering, ready, ~done, bit)


@rtl.named_part("multiply_by_scale")
def multiply(
    m: Module, u: BsDequant, entering: Values, load: Value, go_on: Value, bit: Value
) -> Values:
    """Registers of a product, bit by bit of the scale: the first one where `load` is set, with what
    enters; another one where `go_on` is. Gives the results."""
    factor = Signal(u.dqm, name="factor_held", reset_less=True)
    total = Signal(u.magnitude_bits, name="total", reset_less=True)
    registers: Values = {
        name: Signal(len(entering[name]), name=f"{name}_held", reset_less=True)
        for name in ("exponent", "sign", "invalid")
    }
    with m.If(load):
        m.d.sync += [
            factor.eq(entering["magnitude"]),
            total.eq(entering["magnitude"] & bit.replicate(u.dqm)),
            *(register.eq(entering[name]) for name, register in registers.items()),
        ]
    with m.Elif(go_on):
        m.d.sync += total.eq(Cat(Const(0, 1), total[:-1]) + (factor & bit.replicate(u.dqm)))
    return {"magnitude": total} | registers
