"""The contract of a unit: what an author writes, and what everyone gets of it."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple

from amaranth.lib import wiring

from .. import rtl
from ..exceptions import InvalidInput, quoted
from ..formats import Format
from ..lazily import np
from ..tables import Tabled
from . import evaluation
from .operations import Operation
from .parameters import Parameterized, integer_parameter
from .results import by_name, split
from .timed import close, cuts_parameter, library_parameter, period_parameter
from .transfers import Transfers

STAGES = 8
"""Most pipeline stages of a unit."""

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class Contract(NamedTuple):
    """What a unit promises, as data.

    ``kind`` is one of "correctly rounded", "faithful", "exact", "exact integer", "approximate";
    ``bound`` says how far from exact a result may be; ``source`` names the paper or standard.
    """

    kind: str
    bound: str
    source: str


def stages_parameter(help: str, least: int) -> Any:
    """A field that holds a number of stages, the least one by default."""
    return integer_parameter(
        help, least, STAGES, least, quiet=True, in_name=lambda _, value: f"l{value}"
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class Unit(Parameterized, Tabled):
    """Base of all units: a frozen record of parameters, which is called with arrays of codes.

    An author writes, in a class with ``@dataclass(frozen=True, kw_only=True, repr=False)``: the
    class attributes `family`, `summary` and `operation`; the properties `operands`, `results`,
    `contract` and `word_bits`; the methods `definition` and `datapath`; and `validate`, if
    parameters depend on each other. Nothing else needs to be known.

    Units with a memory derive from `hwarith.units.accumulator.Accumulator`, those that are arrays
    of other units from `hwarith.units.parts.ArrayUnit`. These, and what is not pipelined by the
    delay model, give other `transfers`, `core` and `stages_for`.
    """

    summary: ClassVar[str]
    """What it computes, in a line."""

    operation: ClassVar[Operation]
    """What a result stands for: one of `hwarith.units.operations`, or an own `Operation`. It is a
    function of the first operands; others are no part of it."""

    meanings: ClassVar[dict[str, str]] = {}
    """What ports are, by their names, in a few words; those of a base are known already. An author
    may leave it out."""

    shared_operands: ClassVar[tuple[str, ...]] = ("op", "rm")
    """Operands that say what is done to others, of which there is one for all lanes (`lanes=`)."""

    stages: int = stages_parameter("pipeline registers", 0)
    cuts: tuple[int, ...] = cuts_parameter()
    grain: int = integer_parameter(
        "bits of a wide sum between which a register may stand; library finds it",
        2,
        64,
        rtl.SUM_BLOCK,
        quiet=True,
    )
    target_delay: int | None = integer_parameter(
        "instead of stages: as few as keep every path at so many gate delays of the delay model",
        1,
        None,
        None,
        quiet=True,
    )
    target_period: str | None = period_parameter()
    library: str | None = library_parameter()

    # -- what an author writes -----------------------------------------------------------------

    @property
    def operands(self) -> dict[str, Format]:
        """Names and formats of the operands, in order: the arguments of a call, and ports of the
        hardware. A name is made of letters, digits and underscores, a letter first."""
        raise NotImplementedError

    @property
    def results(self) -> dict[str, Format]:
        """Names and formats of the results, in order. Of several a call returns a named tuple."""
        raise NotImplementedError

    @property
    def lane_formats(self) -> dict[str, tuple[Format, int]]:
        """Of operands and results that are several codes side by side, for which a call takes an
        axis more: the format and the number of these codes. An author may leave it out
        (`hwarith.units.blocks.LaneUnit` has what it takes)."""
        return {}

    @property
    def contract(self) -> Contract:
        """What a result is worth, and where that is defined."""
        raise NotImplementedError

    def definition(self) -> tuple[Callable[..., int], tuple]:
        """The golden definition, and the constants that it takes behind the operands' codes.

        It is a function marked with `hwarith.golden.golden`, on plain integers; constants are
        integers and (named) tuples of them. Of several results it returns the codes side by side
        in one integer, the first one at the lsb.
        """
        raise NotImplementedError

    @property
    def word_bits(self) -> int:
        """Bits of the widest magnitude that the definition forms for these parameters. Up to
        1021 it is compiled for arrays; beyond, it runs in plain Python."""
        raise NotImplementedError

    def datapath(self) -> list[rtl.Step]:
        """The hardware: steps, each of which takes a module and named signals, and returns all
        that later steps need. The first one gets the operands, the last one returns the results.

        Steps name their signals with `hwarith.rtl.wire`. Pipeline registers are put anywhere in
        them, by a model of the delays of operators.
        """
        raise NotImplementedError

    @property
    def policy(self) -> dict[str, str]:
        """For an approximate unit, the options with which an exact one of its operation treats
        special cases as it does, such as ``{"subnormals": "flush"}``: reports compare the two. An
        author may leave it out."""
        return {}

    @property
    def conventions(self) -> dict[str, str]:
        """What becomes of what is not exact or not ordinary, in words by topic: rounding, overflow,
        subnormals, NaN (`hwarith.units.conventions`). An author may leave it out."""
        return {}

    @property
    def work(self) -> Fraction:
        """How many pieces of its operation (`Operation.piece`) a transfer brings: the n products of
        a dot product, the share of a product that a term of a weight is, ... An author may leave
        it out; it is one then."""
        return Fraction(1)

    # -- what everyone gets --------------------------------------------------------------------

    @property
    def code_formats(self) -> dict[str, Format]:
        """The formats of the codes that a call takes and returns, by the names of operands and
        results: of the ports, or of the codes side by side in them."""
        ports = self.operands | self.results
        return {name: self.lane_formats.get(name, (f, 1))[0] for name, f in ports.items()}

    @property
    def operand_axes(self) -> dict[str, int]:
        """How many axes the codes of each operand of one call have: none, one of a block or a
        group, two of a matrix."""
        return {name: int(name in self.lane_formats) for name in self.operands}

    @property
    def inputs(self) -> dict[str, Format]:
        """Names and formats of all ports by which data enters, in order."""
        return self.transfers.inputs

    @property
    def transfers(self) -> Transfers:
        """How operands enter the hardware, and how results leave it."""
        return Transfers(self)

    @property
    def latency(self) -> str:
        """When results come and how often, in words."""
        clocks = "1 clock" if self.stages == 1 else f"{self.stages} clocks"
        return f"{clocks}, one result a clock" if self.stages else "combinational"

    def golden(self, *codes: Any) -> Any:
        """The definition on plain integers: one code per operand; one code back, or a named tuple
        of them."""
        function, constants = self.definition()
        packed = function(*self.arguments(list(codes)), *constants)
        return by_name(tuple(self.results), split(packed, self.results.values()))

    def arguments(self, codes: list) -> list:
        """What the definition takes in front of its constants, for operands' codes (integers or
        arrays): these, but where it takes some of them together."""
        return codes

    def check_operands(self, codes: tuple[Any, ...]) -> list[np.ndarray]:
        """Operand codes as arrays of one shape. Raises `InvalidInput`, naming the operand."""
        return evaluation.check_operands(self, codes)

    def __call__(self, *operands: Any, values: bool = False) -> Any:
        """The golden definition on arrays of codes (`call`), or of values.

        With ``values`` each operand is an array of numbers: it is rounded to nearest even, clipped
        where it is finite and too large, and results are decoded to numbers. An unsigned integer
        is often a code of something else: values of such an operand must be integers within its
        range. Raises `InvalidInput`.
        """
        if not values:
            return self.call(*operands)
        return evaluation.decoded(self, self.call(*evaluation.encoded(self, operands)))

    def call(self, *codes: Any) -> Any:
        """The golden definition on arrays of codes, with numpy's broadcasting.

        Returns codes of the result's format in the smallest unsigned type that holds them; of
        several results a named tuple of such arrays. Raises `InvalidInput` for operands that are
        no codes of their formats, or whose shapes do not fit together.
        """
        formats = self.results.values()
        values = split(self.evaluate(self.check_operands(codes)), formats)
        return by_name(
            tuple(self.results),
            [np.asarray(x, f.dtype)[()] for x, f in zip(values, formats, strict=True)],
        )

    def evaluate(self, arrays: list[np.ndarray]) -> np.ndarray:
        """Results of checked operands, arrays of one shape; of several the codes side by side."""
        return evaluation.evaluate(self, arrays)

    def create(self) -> wiring.Component:
        """The hardware: combinational for ``stages=0``, else a pipelined stream component."""
        if self.stages == 0:
            return rtl.Combinational(self)
        return rtl.Pipelined(self, self.core(instances=False))

    def create_ports(self) -> wiring.Component:
        """The same hardware with plain ports by name, which is what Verilog is made of."""
        if self.stages == 0:
            return rtl.Combinational(self)
        return rtl.PipelinedPorts(self, self.core(instances=True))

    def core(self, instances: bool) -> rtl.Core:
        """What lies between the two streams of a unit with stages: the datapath in segments, with
        a register rank behind each. With `instances` parts are referred to by their names."""
        return rtl.datapath_core(self)

    @property
    def is_pipeline(self) -> bool:
        """Whether that is what lies there: ranks of registers, a transfer in each clock."""
        return type(self).core is Unit.core

    @property
    def parts(self) -> dict[str, Callable[[], wiring.Component]]:
        """What makes the components that the one of `create_ports` refers to, by the names of
        their modules; nothing but for arrays."""
        return {}

    def stages_for(self, target_delay: int) -> int:
        """The fewest stages that keep every path at so many gate delays. Raises `InvalidInput`."""
        if self.stages:
            raise InvalidInput(f"{self.family}: give stages or target_delay, not both")
        widths = {name: f.bits for name, f in self.inputs.items()}
        try:
            return rtl.stages_for(self.datapath(), widths, target_delay, STAGES)
        except InvalidInput as error:
            raise InvalidInput(f"{self.family}: parameter target_delay: {error}") from None

    # -- checks --------------------------------------------------------------------------------

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if "operation" in vars(cls) and not isinstance(cls.operation, Operation):
            raise InvalidInput(
                f"{cls.__name__}: operation must be an Operation, such as "
                f"hwarith.units.operations.PRODUCT, not {quoted(cls.operation)}"
            )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_ports()
        if self.cuts or self.grain != rtl.SUM_BLOCK:
            self._check_cuts()
        if self.target_period is not None or self.library is not None:
            close(self)
        if self.target_delay is not None:
            object.__setattr__(self, "stages", self.stages_for(self.target_delay))
            object.__setattr__(self, "target_delay", None)

    def _check_cuts(self) -> None:
        """Raise `InvalidInput` if there is not one for each stage of a pipeline."""
        if not self.is_pipeline:
            name = "cuts" if self.cuts else "grain"
            raise InvalidInput(
                f"{self.family}: parameter {name}: only the ranks of a pipeline can be placed"
            )
        if self.cuts and len(self.cuts) != self.stages:
            raise InvalidInput(
                f"{self.family}: parameter cuts: must be as many as stages, {self.stages}, "
                f"not {len(self.cuts)}"
            )

    def _check_ports(self) -> None:
        """Raise `InvalidInput` if ports of these names cannot be."""
        transfers = self.transfers
        named = [*self.operands, *transfers.controls, *self.results]
        names = [*named, *(name for name in transfers.inputs if name not in named)]
        for name in names:
            if not _IDENTIFIER.fullmatch(name) or keyword.iskeyword(name):
                reason = "must be letters, digits and underscores, a letter first, and no keyword"
            elif name in rtl.KEYWORDS:
                reason = "is a keyword of Verilog or SystemVerilog"
            elif name in rtl.RESERVED_PORTS:
                reason = f"is taken; operands, controls and results cannot be {_RESERVED}"
            elif names.count(name) > 1:
                reason = "is there twice; operands, controls and results must differ"
            else:
                continue
            raise InvalidInput(f"{self.family}: port name {quoted(name)} {reason}")


_RESERVED = ", ".join(rtl.RESERVED_PORTS)
