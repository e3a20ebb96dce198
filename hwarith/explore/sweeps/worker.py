"""The processes that measure design points (`hwarith.flow.workers`)."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

from ...flow import workers
from ...units import unit
from ..point import measure
from .store import load_shared, save_shared


class Worker(workers.Worker):
    """A process that measures points."""

    def __init__(self) -> None:
        super().__init__(__name__)


def ask_all(requests: Iterable[dict[str, Any]], jobs: int) -> Generator[tuple[int, dict[str, Any]]]:
    """Have so many processes measure points: the index of each and its answer, as they come.

    An answer has ``result`` or, with a message, ``error``. Closing the iterator ends the processes
    at once, with all that they run.
    """
    yield from workers.ask_all(requests, jobs, lambda: Worker())


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The result of a point, measured or from the store."""
    result = load_shared(request["file"])
    if result is None:
        result = measure(unit(request["spec"]), request["workload"], request["library"])
        save_shared(request["file"], result)
    return {"result": result.as_dict()}
