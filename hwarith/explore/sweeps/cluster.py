"""A sweep's requests answered by the workers of a Dask cluster.

Each thread of a Dask worker keeps a process of `hwarith.explore.sweeps.worker`, so that a point
that crashes costs itself only, and what one worker finishes the cache folder of its machine keeps.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

from ...exceptions import InvalidInput, ToolFailure, quoted
from ...extras import require
from .store import tool_context
from .worker import Worker

_PATIENCE_SECONDS = 5
"""For the scheduler to answer."""

_WORKER_PATIENCE_SECONDS = 30
"""For the first worker to come: clusters may start some when there is work."""

_QUEUE = 2
"""Points that are with the cluster at a time, for each thread of its workers."""

_LOST = "the Dask cluster was lost; what is finished is kept, the next run goes on from it"


@contextmanager
def connect(address: str) -> Iterator[Any]:
    """A client of the scheduler at an address such as ``tcp://10.0.0.1:8786``.

    Raises `MissingTool` without Dask, and `InvalidInput` if no scheduler answers in a few seconds.
    """
    require("distributed", "--dask")
    from distributed import Client
    from distributed.comm.addressing import resolve_address

    for name in list(logging.root.manager.loggerDict):
        if name.startswith("distributed"):  # what goes wrong is said in one line
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        resolve_address(address)  # a client would only time out
        client = Client(address, timeout=_PATIENCE_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError):
        raise InvalidInput(
            f"no Dask scheduler answers at {quoted(address)}; start one with: dask scheduler, "
            "and give the address that it prints, such as tcp://10.0.0.1:8786"
        ) from None
    try:
        yield client
    finally:
        client.close(timeout=_PATIENCE_SECONDS)


def ask_cluster(
    requests: Iterable[dict[str, Any]], client: Any, context: dict[str, Any]
) -> Generator[tuple[int, dict[str, Any]]]:
    """`ask_all` on the workers of a client's cluster, which must have hwarith in this `context`.

    Raises `ToolFailure` if the cluster has no workers or is lost, `InvalidInput` for workers with
    another hwarith or other tools.
    """
    from distributed import wait

    waiting = enumerate(requests)
    futures: dict[Any, int] = {}
    try:
        while True:
            room = max(1, _QUEUE * sum(client.nthreads().values())) - len(futures)
            for _, (i, request) in zip(range(room), waiting, strict=False):
                futures[client.submit(_answer, request, context, pure=False)] = i
            if not futures:
                return
            _wait_for_workers(client)
            with client.as_current():
                done = wait(list(futures), return_when="FIRST_COMPLETED").done
            for future in done:
                yield futures.pop(future), _outcome(future)
    except (OSError, CancelledError):
        raise ToolFailure(_LOST) from None


def _wait_for_workers(client: Any) -> None:
    try:
        client.wait_for_workers(1, timeout=_WORKER_PATIENCE_SECONDS)
    except TimeoutError:
        raise ToolFailure("the Dask cluster has no workers") from None


def _outcome(future: Any) -> dict[str, Any]:
    from distributed import KilledWorker
    from distributed.comm import CommClosedError

    try:
        return future.result()
    except KilledWorker:
        return {"error": "the Dask workers that ran it died, one after the other"}
    except (InvalidInput, CancelledError, CommClosedError):
        raise
    except Exception as error:
        raise ToolFailure(f"Dask worker: {type(error).__name__}: {error}") from None


_of_thread = threading.local()


def _answer(request: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request; runs on a thread of a Dask worker."""
    here = tool_context()
    for key, value in context.items():
        if here[key] != value:
            raise InvalidInput(
                f"a Dask worker has another {key} of hwarith: {here[key]}, this sweep {value}"
            )
    worker = getattr(_of_thread, "worker", None)
    if worker is None or worker.has_died:
        worker = _of_thread.worker = Worker()
    worker.ask(request)
    answer = worker.answer()
    if worker.has_died:
        worker.end()
    return answer
