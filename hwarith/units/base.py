"""The contract of a unit: parameters, golden definition, array speed, hardware."""

from __future__ import annotations

import dataclasses
import re
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from amaranth.lib import wiring

from .. import rtl
from ..errors import InvalidInput, unknown
from ..formats import Format, format
from ..golden import SMALL, apply, lookup


class Contract(NamedTuple):
    """What a unit promises, as data.

    ``kind`` is one of "correctly rounded", "faithful", "exact", "exact integer", "approximate";
    ``bound`` says how far from exact a result may be; ``source`` names the paper or standard.
    """

    kind: str
    bound: str
    source: str


@dataclass(frozen=True)
class Parameter:
    """How one field of a unit is read from text, checked and written again."""

    help: str
    parse: Callable[[Any], Any]
    allowed: str
    default: Any = None
    same_as: str | None = None
    quiet: bool = False


def _field(parameter: Parameter) -> Any:
    return dataclasses.field(default=parameter.default, metadata={"parameter": parameter})


def format_parameter(
    help: str, default: str | None = None, same_as: str | None = None, quiet: bool = False
) -> Any:
    """A field that holds a `Format`; `same_as` names the field to copy when not given."""
    value = format(default) if default else None
    return _field(Parameter(help, format, "a format", value, same_as, quiet))


def choice_parameter(
    help: str, choices: tuple[str, ...], default: str | None, quiet: bool = False
) -> Any:
    """A field that holds one of a few names. `quiet` leaves it out of spec and name by default."""

    def parse(value: Any) -> str:
        if str(value).lower() not in choices:
            raise unknown("value", value, choices)
        return str(value).lower()

    return _field(Parameter(help, parse, " ".join(choices), default, quiet=quiet))


def integer_parameter(
    help: str, low: int, high: int | None, default: int | None, quiet: bool = False
) -> Any:
    """A field that holds an integer from `low` to `high`; None means a default that depends."""
    allowed = f"{low} to {high}" if high is not None else f"{low} or more"

    def parse(value: Any) -> int:
        try:
            number = int(str(value), 0)
        except ValueError:
            raise InvalidInput(f"must be an integer ({allowed}), not {value!r}") from None
        if number < low or (high is not None and number > high):
            raise InvalidInput(f"must be {allowed}, not {number}")
        return number

    return _field(Parameter(help, parse, allowed, default, quiet=quiet))


def text_parameter(
    help: str, parse: Callable[[Any], Any], allowed: str, default: Any, quiet: bool = False
) -> Any:
    """A field whose values `parse` checks, raising `InvalidInput` for what is not `allowed`."""
    return _field(Parameter(help, parse, allowed, default, quiet=quiet))


_COMMA = re.compile(r",(?![^()]*\))")
"""A comma that is not in parentheses, where the spec of another unit may stand."""

STAGES = 8
"""Most pipeline stages of a unit."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Unit:
    """Base of all units: a frozen record of parameters that are checked when it is made.

    A family gives the class attributes, `operands`, `results`, `contract`, `definition` and
    `datapath`. Calling a unit evaluates its golden definition on arrays of codes.
    """

    family: ClassVar[str]
    summary: ClassVar[str]
    operation: ClassVar[str]
    """What a result approximates: ``product`` a*b, ``sum`` a+b, or ``multiply-add`` a*b+c, of
    operands that may be `negated` first; or a name of its own, of which sweeps know no exact
    result. Operands behind these are no part of it."""

    stages: int = integer_parameter("pipeline registers", 0, STAGES, 0, quiet=True)
    target_delay: int | None = integer_parameter(
        "instead of stages: as few as keep every path at so many gate delays of the delay model",
        1, None, None, quiet=True,
    )  # fmt: skip

    # -- what a family gives -------------------------------------------------------------------

    @property
    def operands(self) -> dict[str, Format]:
        """Names and formats of the operands, in order."""
        raise NotImplementedError

    @property
    def results(self) -> dict[str, Format]:
        """Names and formats of the results, in order."""
        raise NotImplementedError

    @property
    def contract(self) -> Contract:
        raise NotImplementedError

    @property
    def controls(self) -> dict[str, Format]:
        """Names and formats of inputs beside the operands, which `transfers` sets."""
        return {}

    @property
    def chain_start(self) -> Unit | None:
        """What makes the accumulator of a chained multiply-add (`hwarith.units.chain`)."""
        return None

    @property
    def chain_end(self) -> Unit | None:
        """What makes a code of the accumulator of a chained multiply-add."""
        return None

    def plausible(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        """Random operands for tests, changed where codes alone say too little of what is worth
        trying."""
        return codes

    def stimulus(self, n: int, draw: Callable) -> tuple[np.ndarray, ...] | None:
        """Operands of a call for tests with `n` results, if they are no codes of the `operands`
        by themselves: of what ``draw(unit, n)`` gives for other units."""
        return None

    def at_work(self, codes: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        """Such operands in the shapes of calls when the unit is at work, where these are others:
        as long as groups are, and as often as weights stay."""
        return codes

    @property
    def negated(self) -> dict[int, tuple[str, ...]]:
        """The operands that are negated before the `operation` proper, for each code of the
        operand ``op`` (for 0, if there is no such operand)."""
        return {0: ()}

    def definition(self) -> tuple[Callable[..., int], tuple]:
        """The golden definition and the constants it takes after its `arguments`. Of several
        results it gives one integer, the codes side by side, the first one at its lsb."""
        raise NotImplementedError

    def arguments(self, codes: list) -> list:
        """What the definition takes for operands' codes, integers or arrays: these themselves."""
        return codes

    @property
    def word_bits(self) -> int:
        """Widest magnitude that the definition forms for these parameters."""
        raise NotImplementedError

    def datapath(self) -> list[rtl.Step]:
        """The hardware, as steps that make named wires with `rtl.wire`. Pipeline registers stand
        where the delay model puts them."""
        raise NotImplementedError

    def validate(self) -> None:
        """Check what concerns several parameters. Raises `InvalidInput`."""

    # -- what every unit has -------------------------------------------------------------------

    @property
    def inputs(self) -> dict[str, Format]:
        """Operands and controls: the ports by which data enters."""
        return self.operands | self.controls

    @property
    def latency(self) -> str:
        """When results come and how often, in words."""
        return f"{self.stages} clocks, one result a clock" if self.stages else "combinational"

    def __post_init__(self) -> None:
        parameters = self.parameters()
        for name, parameter in parameters.items():
            origin = name
            while getattr(self, origin) is None and parameters[origin].same_as:
                origin = str(parameters[origin].same_as)
            value = getattr(self, origin)
            if value is not None:
                try:
                    value = parameter.parse(value)
                except InvalidInput as error:
                    raise InvalidInput(f"{self.family}: parameter {name}: {error}") from None
            object.__setattr__(self, name, value)
        self.validate()
        if self.target_delay is not None:
            object.__setattr__(self, "stages", self._stages_for(self.target_delay))
            object.__setattr__(self, "target_delay", None)

    def _stages_for(self, target_delay: int) -> int:
        """Stages in the place of a target, which is of no more use then."""
        if self.stages:
            raise InvalidInput(f"{self.family}: give stages or target_delay, not both")
        widths = {name: f.bits for name, f in self.inputs.items()}
        try:
            return rtl.stages_for(self.datapath(), widths, target_delay, STAGES)
        except InvalidInput as error:
            raise InvalidInput(f"{self.family}: parameter target_delay: {error}") from None

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """The parameters of this family by name, in the order of its spec: formats first, then
        its own before those of its base."""
        own = [name for c in (cls, *cls.__mro__) for name in vars(c).get("__annotations__", {})]
        all_of_them = {f.name: f.metadata["parameter"] for f in dataclasses.fields(cls)}
        formats = [name for name, p in all_of_them.items() if p.parse is format]
        order = [*formats, *(name for name in dict.fromkeys(own) if name in all_of_them)]
        return {name: all_of_them[name] for name in dict.fromkeys(order)}

    @classmethod
    def from_text(cls, parameters: str) -> Self:
        """The unit of ``key=value,key=value``. Raises `InvalidInput`."""
        values: dict[str, Any] = {}
        for item in filter(None, (part.strip() for part in _COMMA.split(parameters))):
            key, equals, value = (text.strip() for text in item.partition("="))
            if key not in cls.parameters():
                raise unknown(f"parameter of {cls.family}", key, cls.parameters())
            if not equals or not value:
                raise InvalidInput(f"{cls.family}: parameter {key}: give it as {key}=VALUE")
            if key in values:
                raise InvalidInput(f"{cls.family}: parameter {key} is given twice")
            values[key] = value
        return cls(**values)

    def _shown(self) -> dict[str, Any]:
        return {
            name: getattr(self, name)
            for name, parameter in self.parameters().items()
            if not (parameter.quiet and getattr(self, name) == parameter.default)
        }

    @property
    def spec(self) -> str:
        """The text that makes this unit again: ``mul:a=bf16,b=bf16,out=bf16,round=rne``."""
        return f"{self.family}:" + ",".join(f"{k}={v}" for k, v in self._shown().items())

    @property
    def name(self) -> str:
        """A stable name, legal as a Verilog module name: ``mul_bf16_bf16_bf16_rne``."""
        parts = [self.family]
        for name, value in self._shown().items():
            parts.append(self.name_part(name, value))
        return "_".join(parts)

    def name_part(self, parameter: str, value: Any) -> str:
        """How one parameter stands in `name`: numbers behind their parameter's name."""
        if parameter == "stages":
            return f"l{value}"
        return f"{parameter}{value}" if isinstance(value, int) else str(value)

    def __str__(self) -> str:
        return self.spec

    def __repr__(self) -> str:
        return f"hwarith.unit({self.spec!r})"

    def golden(self, *codes: int) -> Any:
        """The definition on plain integers: one code per operand; one code back, or a named tuple
        of them."""
        function, constants = self.definition()
        return self.by_name(self._split(function(*self.arguments(list(codes)), *constants)))

    def check_operands(self, codes: tuple[Any, ...]) -> list[np.ndarray]:
        """Operand codes as arrays of one shape. Raises `InvalidInput`, naming the operand."""
        if len(codes) != len(self.operands):
            raise InvalidInput(
                f"{self.family} takes {len(self.operands)} operands "
                f"({', '.join(self.operands)}), not {len(codes)}"
            )
        arrays = [
            f.check(x, f"operand {name} of {self.family}")
            for (name, f), x in zip(self.operands.items(), codes, strict=True)
        ]
        try:
            return list(np.broadcast_arrays(*arrays))
        except ValueError:
            shapes = ", ".join(f"{n} {x.shape}" for n, x in zip(self.operands, arrays, strict=True))
            raise InvalidInput(
                f"operands of {self.family} must be of one shape or broadcast to one, not {shapes}"
            ) from None

    def __call__(self, *codes: Any) -> Any:
        """The golden definition on arrays of codes, with numpy's broadcasting.

        Returns codes of the result's format in the smallest unsigned type that holds them; of
        several results a named tuple of such arrays. Raises `InvalidInput` for operands that are
        no codes of their formats, or whose shapes do not fit together.
        """
        values = self._split(self.evaluate(self.check_operands(codes)))
        return self.by_name([
            x.astype(f.dtype, copy=False)[()]
            for x, f in zip(values, self.results.values(), strict=True)
        ])  # fmt: skip

    def _split(self, packed: Any) -> list:
        """The codes of all results, from an integer or array in which they lie side by side."""
        *formats, _ = self.results.values()
        values = []
        for f in formats:
            bits = f.numbers.bits
            values.append(packed & ((1 << bits) - 1))
            packed = packed >> bits
        return [*values, packed]

    @property
    def _packed_dtype(self) -> np.dtype:
        return format(f"uint{sum(f.bits for f in self.results.values())}").dtype

    def by_name(self, values: list) -> Any:
        """The value of the only result, or a named tuple of a value for each result."""
        return values[0] if len(values) == 1 else _result_type(tuple(self.results))(*values)

    def transfers(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """What enters at each of the `inputs`, transfer by transfer, for arrays of operands."""
        return [x.ravel() for x in arrays]

    def transfers_per_result(self, arrays: list[np.ndarray]) -> list[int]:
        """How many of the `transfers` each result takes, one result after the other."""
        return [1] * arrays[0].size

    @property
    def clocks_per_transfer(self) -> int:
        """Clocks from one transfer to the next, if nothing blocks."""
        return 1

    @property
    def completes(self) -> tuple[str, int] | None:
        """The control, and its value, of the transfers upon which results follow; None: of all."""
        return None

    def collect(self, columns: list[np.ndarray], shape: tuple[int, ...]) -> Any:
        """What a call returns, of the codes that come out at each of the `results`."""
        return self.by_name([x.reshape(shape)[()] for x in columns])

    def result_codes(self, results: Any) -> list[np.ndarray]:
        """The inverse of `collect`: the codes at each of the `results`, of what a call returns."""
        return [results] if len(self.results) == 1 else list(results)

    @property
    def without_ranks(self) -> Self:
        """The same unit with no more pipeline registers than it must have."""
        return dataclasses.replace(self, stages=self.parameters()["stages"].default)

    @property
    def parts(self) -> dict[str, Callable[[], wiring.Component]]:
        """What makes the components that the one of `create_ports` refers to, by the names of
        their modules."""
        return {}

    def result_shape(self, arrays: list[np.ndarray]) -> tuple[int, ...]:
        """The shape of the results of arrays of operands."""
        return arrays[0].shape

    def evaluate(self, arrays: list[np.ndarray]) -> np.ndarray:
        """The golden definition on arrays of one shape, by a table or compiled."""
        widths = [f.bits for f in self.operands.values()]
        small = sum(widths) <= 16 and len(widths) <= 3 and not self._packed_dtype.hasobject
        if small and arrays[0].size > SMALL:
            return lookup(_table(self), arrays, widths)
        return self.compute(arrays)

    def compute(self, arrays: list[np.ndarray]) -> np.ndarray:
        """The golden definition on arrays of one shape, without a table."""
        function, constants = self.definition()
        return apply(
            function, self.arguments(arrays), constants, self._packed_dtype, self.word_bits
        )

    def create(self) -> wiring.Component:
        """The hardware: combinational for ``stages=0``, else a pipelined stream component."""
        return rtl.Combinational(self) if self.stages == 0 else rtl.Pipelined(self)

    def create_ports(self) -> wiring.Component:
        """The same hardware with plain ports by name, which is what Verilog is made of."""
        return rtl.Combinational(self) if self.stages == 0 else rtl.PipelinedPorts(self)


@cache
def _result_type(names: tuple[str, ...]) -> Callable[..., tuple]:
    return namedtuple("Results", names)


@cache
def _table(unit: Unit) -> np.ndarray:
    """Results for all operand codes, the first operand's on top of the index."""
    widths = [f.bits for f in unit.operands.values()]
    index = np.arange(1 << sum(widths), dtype=np.uint32)
    operands = []
    for i, f in enumerate(unit.operands.values()):
        below = sum(widths[i + 1 :])
        operands.append(((index >> below) & ((1 << f.bits) - 1)).astype(f.dtype))
    return unit.compute(operands)
