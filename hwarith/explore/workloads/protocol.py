"""What a workload is: something that computes with a unit, and how well it then does."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ...units import Unit
from .datapath import datapath


@dataclass(frozen=True)
class Outcome:
    """A workload's run on a unit.

    Attributes
    ----------
    accuracy : the share of the workload's items that were done right, 0 to 1.
    output_error : the root mean square of the outputs' deviation from those of the baseline's
        arithmetic (`Workload.baseline`), over the root mean square of the latter; None where an
        output is not finite.
    operands : codes that met the unit, an array for each operand, of one axis (of a dot product's
        blocks with another one, for their lanes), all of one length: one sum of products after the
        other, as they meet a unit that holds its sum. Error metrics and energy are computed on
        them; there must be at least two sets.
    """

    accuracy: float
    output_error: float | None
    operands: tuple[np.ndarray, ...]


class Workload(Protocol):
    """A computation whose products and sums run through the unit under study.

    A workload of your own derives from this class and gives the members without a default: what
    it is called (`name`, `summary`), how much it is (`count`, `digest`), what exact arithmetic
    achieves (`baseline_accuracy`; where that is not float64, `baseline`), and `run`. It is named in
    sweeps and on the command line by the module that has it, and where: ``package.module:NAME``
    (`hwarith.explore.workloads.workload`).
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """A short name, for readers of a report."""

    @property
    @abstractmethod
    def summary(self) -> str:
        """What is computed, on which data, and what the accuracy is a share of, in sentences."""

    @property
    @abstractmethod
    def count(self) -> int:
        """How many items the accuracy is a share of."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """A hash of all data, which changes whenever the figures of a unit may. Of a workload
        that is named by its module, that module's file counts without being in here."""

    @property
    @abstractmethod
    def baseline_accuracy(self) -> float:
        """The accuracy, 0 to 1, of arithmetic that hardly errs: that of `baseline`."""

    @abstractmethod
    def run(self, unit: Unit) -> Outcome:
        """Compute everything with a unit in its place. Raises `InvalidInput` as `check` does."""

    @property
    def baseline(self) -> str:
        """The arithmetic that units are compared with, in accuracy and output error, as reports
        call it."""
        return "float64"

    @property
    def item(self) -> str:
        """What one item is called, in the singular."""
        return "item"

    @property
    def sample(self) -> str:
        """Which operands `Outcome.operands` has, to go on "the operands that met the unit ..."."""
        return "in all of it"

    @property
    def method(self) -> tuple[str, ...]:
        """How it is run on a unit, in sentences for readers of a report."""
        return ()

    def check(self, unit: Unit) -> None:
        """Raise `InvalidInput` if the workload cannot run on a unit, before anything is computed:
        here, if the unit cannot sum up products (`datapath`)."""
        datapath(unit)
