"""Parameters of units: frozen records that are checked when they are made, and written as text."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from ..exceptions import InvalidInput, name_of, quoted, unknown
from ..formats import Format, scalar_format

_COMMA = re.compile(r",(?![^()]*\))")
"""A comma that is not in parentheses, where the spec of another unit may stand."""


_LARGEST = 2**31
"""No integer may be larger, unless its parameter says so."""


def _name_and_number(parameter: str, value: Any) -> str:
    if isinstance(value, int):
        return f"{parameter}{value}"
    return str(getattr(value, "identifier", value))


@dataclass(frozen=True)
class Parameter:
    """How one field of a record is read from text, checked and written again.

    Attributes
    ----------
    help : what it is, in a few words.
    parse : the value of a text or of a value; raises `InvalidInput`, saying what it must be.
    allowed : the values that there are, in a few words.
    default : None: it must be given, or follows from other parameters.
    same_as : the parameter whose value it has when it is not given.
    quiet : whether its default is left out of spec and name.
    in_name : how it stands in the name, of its own name and its value; numbers have their
        parameter's name in front, formats are identifiers.
    in_spec : the text of its value, which `parse` takes back.
    """

    help: str
    parse: Callable[[Any], Any]
    allowed: str
    default: Any = None
    same_as: str | None = None
    quiet: bool = False
    in_name: Callable[[str, Any], str] = _name_and_number
    in_spec: Callable[[Any], str] = str


def parameter_field(parameter: Parameter) -> Any:
    """The field of a record that holds a parameter."""
    return dataclasses.field(default=parameter.default, metadata={"parameter": parameter})


def format_parameter(
    help: str, default: str | None = None, same_as: str | None = None, quiet: bool = False
) -> Any:
    """A field that holds a `Format`; `same_as` names the field to copy when not given."""
    value = scalar_format(default) if default else None
    return parameter_field(Parameter(help, scalar_format, "a format", value, same_as, quiet))


def choice_parameter(
    help: str,
    choices: tuple[str, ...],
    default: str | None,
    quiet: bool = False,
    in_name: Callable[[str, Any], str] = _name_and_number,
) -> Any:
    """A field that holds one of a few names. `quiet` leaves it out of spec and name by default."""

    def parse(value: Any) -> str:
        if name_of(value) not in choices:
            raise unknown("value", value, choices)
        return name_of(value)

    allowed = " ".join(choices)
    return parameter_field(Parameter(help, parse, allowed, default, None, quiet, in_name))


def integer_parameter(
    help: str,
    low: int,
    high: int | None,
    default: int | None,
    quiet: bool = False,
    in_name: Callable[[str, Any], str] = _name_and_number,
) -> Any:
    """A field that holds an integer from `low` to `high`; None means a default that depends."""
    allowed = f"{low} to {high}" if high is not None else f"{low} or more"

    def parse(value: Any) -> int:
        try:
            number = int(str(value), 0)
        except ValueError:
            raise InvalidInput(f"must be an integer ({allowed}), not {quoted(value)}") from None
        if not low <= number <= (_LARGEST if high is None else high):
            bounds = allowed if number < _LARGEST else f"{low} to {high or _LARGEST}"
            raise InvalidInput(f"must be {bounds}, not {quoted(number)}")
        return number

    return parameter_field(Parameter(help, parse, allowed, default, None, quiet, in_name))


def text_parameter(
    help: str,
    parse: Callable[[Any], Any],
    allowed: str,
    default: Any,
    quiet: bool = False,
    in_name: Callable[[str, Any], str] = _name_and_number,
    in_spec: Callable[[Any], str] = str,
) -> Any:
    """A field whose values `parse` checks, raising `InvalidInput` for what is not `allowed`."""
    return parameter_field(Parameter(help, parse, allowed, default, None, quiet, in_name, in_spec))


def items_of(parameters: str) -> list[str]:
    """The items of ``key=value,key=value``."""
    return [item for part in _COMMA.split(parameters) if (item := part.strip())]


@dataclass(frozen=True, kw_only=True, repr=False)
class Parameterized:
    """A frozen record of parameters, which text describes: ``mul:a=bf16,round=rne``.

    Every field is made by a function of this module. When a record is made, each value is parsed,
    and then `validate` checks those that depend on each other.
    """

    family: ClassVar[str]
    """The first word of a spec: letters, digits and underscores, a letter first."""

    takes_posits: ClassVar[bool] = False
    """Whether its formats may be posits."""

    def validate(self) -> None:
        """Check what concerns several parameters. Raises `InvalidInput`.

        A parameter that follows from others, where it is not given, is set here with
        ``object.__setattr__``.
        """

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
            if isinstance(value, Format) and value.is_posit and not self.takes_posits:
                raise InvalidInput(
                    f"{self.family}: parameter {name}: takes no posits, not {value.name}; allowed: "
                    "floats and integers"
                )
            object.__setattr__(self, name, value)
        self.validate()

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """The parameters of this family by name, in the order of its spec: formats first, then
        its own before those of its base."""
        own = [name for c in (cls, *cls.__mro__) for name in vars(c).get("__annotations__", {})]
        all_of_them = {f.name: f.metadata["parameter"] for f in dataclasses.fields(cls)}
        formats = [name for name, p in all_of_them.items() if p.parse is scalar_format]
        order = [*formats, *(name for name in dict.fromkeys(own) if name in all_of_them)]
        return {name: all_of_them[name] for name in dict.fromkeys(order)}

    @classmethod
    def from_text(cls, parameters: str, others: Iterable[str] = ()) -> Self:
        """The record of ``key=value,key=value``. Raises `InvalidInput`, which of an unknown key
        names `others` among those that there are: keys that are taken elsewhere."""
        values: dict[str, Any] = {}
        for item in items_of(parameters):
            key, equals, value = (text.strip() for text in item.partition("="))
            if key not in cls.parameters():
                raise unknown(f"parameter of {cls.family}", key, [*cls.parameters(), *others])
            if not equals or not value:
                raise InvalidInput(f"{cls.family}: parameter {key}: give it as {key}=VALUE")
            if key in values:
                raise InvalidInput(f"{cls.family}: parameter {key} is given twice")
            values[key] = value
        return cls(**values)

    def shown_parameters(self) -> dict[str, Any]:
        """The parameters that stand in spec and name, with their values. Those that follow from
        others when they are not given are left out by the families that have them."""
        return {
            name: getattr(self, name)
            for name, parameter in self.parameters().items()
            if not (parameter.quiet and getattr(self, name) == parameter.default)
        }

    @property
    def spec(self) -> str:
        """The text that makes this unit again: ``mul:a=bf16,b=bf16,out=bf16,round=rne``."""
        parameters = self.parameters()
        shown = self.shown_parameters().items()
        text = ",".join(f"{k}={parameters[k].in_spec(x)}" for k, x in shown)
        return f"{self.family}:{text}" if text else self.family

    @property
    def name(self) -> str:
        """A stable name, legal as a Verilog module name: ``mul_bf16_bf16_bf16_rne``."""
        parameters = self.parameters()
        shown = self.shown_parameters().items()
        return "_".join([self.family, *(parameters[key].in_name(key, x) for key, x in shown)])

    def __str__(self) -> str:
        return self.spec

    def __repr__(self) -> str:
        return f"hwarith.unit({self.spec!r})"
