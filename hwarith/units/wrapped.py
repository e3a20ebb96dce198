"""Units around another unit: several of it side by side, or its codes in wider words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from .. import rtl
from ..exceptions import InvalidInput
from ..lazily import np
from .contract import Contract, Unit
from .interface import about, ports
from .operations import Operation
from .registry import unit_parameter
from .transfers import Transfers


@dataclass(frozen=True, kw_only=True, repr=False)
class Wrapper(Unit):
    """Base of the units around another one, whose name is that of a parameter of its spec:
    ``mul:a=bf16,lanes=4``, ``mul:a=bf16,box=32``.

    Its `family` and `summary` are those of the unit; `of` is the unit without its stages.
    """

    operation: ClassVar[Operation] = Operation("operation of another unit")

    key: ClassVar[str]
    """The parameter of a spec that says that there is one."""

    of: Unit = unit_parameter("the unit within", "mul:")

    def __post_init__(self) -> None:
        if isinstance(self.of, Unit):
            object.__setattr__(self, "family", self.of.family)
        super().__post_init__()

    @classmethod
    def around(cls, one: Unit, value: Any) -> Unit:
        """A unit in this wrapper; itself where nothing would be another. Raises `InvalidInput`."""
        made = cls(**{"of": one, cls.key: value})
        return one if made.is_idle else made

    @property
    def is_idle(self) -> bool:
        """Whether the unit within does the same."""
        raise NotImplementedError

    def check_wrapped(self) -> None:
        """Raise `InvalidInput` for a unit that does not give results for each transfer of codes."""
        of = self.of
        if not of.is_pipeline or type(of.transfers) is not Transfers:
            raise InvalidInput(
                f"{of.family}: parameter {self.key}: {of.spec} has a memory, takes several clocks, "
                "or its operands in blocks; allowed: units that take codes, one transfer for each "
                "result"
            )

    def take_over(self, summary: str, operation: str, more: Callable[[str], str]) -> None:
        """Have what the unit within has: its summary and operation with these words behind them,
        and what it says of each port with `more` of it."""
        of = self.of
        meanings = {p.name: p.meaning for p in ports(of)}
        own = {
            "summary": f"{of.summary}; {summary}",
            "operation": replace(
                of.operation,
                name=f"{of.operation.name} {operation}",
                arity=0,
                exact=None,
                factors=0,
                role=None,
            ),
            "meanings": {name: meanings[name] + more(name) for name in (*of.operands, *of.results)},
            "stages": self.stages or of.stages,
            "cuts": self.cuts or of.cuts,
            "grain": of.grain,
            "of": replace(of, stages=0, cuts=(), grain=rtl.SUM_BLOCK),
            "__doc__": about(of),
        }
        for name, value in own.items():
            object.__setattr__(self, name, value)

    @property
    def one(self) -> Unit:
        """The unit within, with its stages."""
        return replace(self.of, stages=self.stages, cuts=self.cuts, grain=self.grain)

    @property
    def value(self) -> str:
        """What the parameter `key` is."""
        return str(getattr(self, self.key))

    def spread(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Checked operands as those of the unit within, arrays of one shape."""
        raise NotImplementedError

    def grouped(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Operands of the unit within, arrays of one shape, as those of this one."""
        raise NotImplementedError

    # -- spec and name -------------------------------------------------------------------------

    def shown_parameters(self) -> dict[str, Any]:
        return {name: x for name, x in super().shown_parameters().items() if name != "of"}

    @property
    def spec(self) -> str:
        parameters = self.parameters()
        shown = self.shown_parameters().items()
        family, _, own = self.of.spec.partition(":")
        items = [own] * bool(own) + [f"{k}={parameters[k].in_spec(x)}" for k, x in shown]
        return f"{family}:{','.join(items)}"

    @property
    def name(self) -> str:
        return super().name.replace(self.family, self.of.name, 1)

    # -- contract ------------------------------------------------------------------------------

    @property
    def contract(self) -> Contract:
        return self.of.contract

    @property
    def conventions(self) -> dict[str, str]:
        return self.of.conventions

    @property
    def policy(self) -> dict[str, str]:
        return self.of.policy

    def definition(self) -> tuple[Callable[..., int], tuple]:
        """That of the unit within."""
        return self.of.definition()

    @property
    def word_bits(self) -> int:
        return self.of.word_bits


def unwrapped(unit: Unit) -> Unit:
    """What a unit computes, whatever is around it: the unit of each of its lanes, or of the codes
    in its boxes; of any other unit itself."""
    return unit.one if isinstance(unit, Wrapper) else unit
