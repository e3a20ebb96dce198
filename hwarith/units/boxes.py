"""Any unit of one transfer at a time, whose narrow floats are in wider words: NaN boxing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Mux

from .. import rtl
from ..exceptions import InvalidInput
from ..formats import Format
from ..formats.boxes import BoxedFormat, boxed
from ..lazily import np
from ..rtl import Values, wire
from ..rtl.floats import Specials
from .parameters import choice_parameter
from .results import by_name, several, split
from .wrapped import Wrapper

UNBOXED = "_in_box"
"""Behind an operand's name, the wire that has its code: of what is not boxed the NaN."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Boxes(Wrapper):
    """A unit whose floats are in words of a register file for wider ones: ``mul:a=fp16,box=32``.

    Every port of a float of fewer bits has 32 or 64, of which those above the code are all ones.
    An operand in which they are not is taken for the canonical quiet NaN; results are boxed.
    Integers, flags and modes stay as they are, and so do floats of as many bits. Where there is no
    narrower float it is the unit itself.

    Source: RISC-V, D extension, NaN boxing of narrower values.
    """

    family: ClassVar[str] = "boxes"
    summary: ClassVar[str] = "a unit of boxed floats"
    key: ClassVar[str] = "box"

    box: str = choice_parameter(
        "bits of the words that narrower floats are in",
        ("32", "64"),
        "32",
        in_name=lambda _, value: f"box{value}",
    )

    def validate(self) -> None:
        of, bits = self.of, int(self.box)
        self.check_wrapped()
        ports = {name: f for name, f in (of.operands | of.results).items() if f.is_float}
        if not ports:
            raise InvalidInput(
                f"{of.family}: parameter box: {of.spec} has no ports of floats; allowed: units "
                "that have"
            )
        for name, f in ports.items():
            if f.bits > bits:
                raise InvalidInput(
                    f"{of.family}: parameter box: must be at least the {f.bits} bits of port "
                    f"{name}, {f.name}, not {bits}"
                )
            if f.bits < bits and (f.is_posit or f.nan == "none"):
                raise InvalidInput(
                    f"{of.family}: parameter box: {f.name} of port {name} is no float with a NaN; "
                    "allowed: formats that are"
                )
        self.take_over(f"floats boxed in {bits} bits", "of boxed floats", self._how)

    def _how(self, name: str) -> str:
        f = self.boxed.get(name)
        return f"; a {f.inner.name} below {f.bits - f.inner.bits} ones" if f else ""

    @property
    def is_idle(self) -> bool:
        return not self.boxed

    @property
    def boxed(self) -> dict[str, BoxedFormat]:
        """The ports that are wider than those of the unit within, and their formats."""
        named, bits = (self.of.operands | self.of.results).items(), int(self.box)
        return {name: boxed(f, bits) for name, f in named if f.is_float and f.bits < bits}

    # -- contract ------------------------------------------------------------------------------

    @property
    def operands(self) -> dict[str, Format]:
        return self.of.operands | {k: f for k, f in self.boxed.items() if k in self.of.operands}

    @property
    def results(self) -> dict[str, Format]:
        return self.of.results | {k: f for k, f in self.boxed.items() if k in self.of.results}

    @property
    def conventions(self) -> dict[str, str]:
        words = "ones above a float; an operand without them is the canonical NaN"
        return self.of.conventions | {"boxes": words}

    # -- golden --------------------------------------------------------------------------------

    def golden(self, *codes: Any) -> Any:
        """The definition of the unit within, on what is in the boxes."""
        boxes = self.boxed
        given = [
            boxes[name].unbox_one(int(x)) if name in boxes else x
            for name, x in zip(self.operands, codes, strict=True)
        ]
        found = zip(self.results, several(self.of.golden(*given)), strict=True)
        names = tuple(self.results)
        return by_name(names, [x | boxes[k].ones if k in boxes else x for k, x in found])

    def call(self, *codes: Any) -> Any:
        operands = self.spread(self.check_operands(codes))
        found = split(self.of.evaluate(operands), self.of.results.values())
        named = zip(self.results.items(), found, strict=True)
        results = [
            f.box(x) if isinstance(f, BoxedFormat) else np.asarray(x, f.dtype)
            for (_, f), x in named
        ]
        return by_name(tuple(self.results), [x[()] for x in results])

    def spread(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        boxes = self.boxed
        return [
            boxes[name].unbox(x) if name in boxes else x
            for name, x in zip(self.operands, arrays, strict=True)
        ]

    def grouped(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        boxes = self.boxed
        return [
            boxes[name].box(x) if name in boxes else x
            for name, x in zip(self.operands, arrays, strict=True)
        ]

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._unbox, *self.of.datapath(), self._box]

    def _unbox(self, m: Module, x: Values) -> Values:
        """The codes in their boxes; where these are not all ones the canonical NaN."""
        found = dict(x)
        for name, f in self.boxed.items():
            if name in x:
                code, nan = x[name][: f.inner.bits], Specials(f.inner).nan
                is_boxed = x[name][f.inner.bits :].all()
                code = Mux(is_boxed, code, Const(nan, f.inner.bits))
                found[name] = wire(m, f"{name}{UNBOXED}", code)
        return found

    def _box(self, m: Module, x: Values) -> Values:
        """Ones above the codes."""
        found = {name: x[name] for name in self.results}
        for name, f in self.boxed.items():
            if name in found:
                found[name] = Cat(x[name][: f.inner.bits], Const(-1, f.bits - f.inner.bits))
        return found
