"""Processes that answer requests: one JSON request a line in, one JSON answer a line out.

Processes of their own with pipes, and not `multiprocessing`: a script without a main guard can
start them, a crash costs one answer and not the others, and a worker ends by itself when the
process that started it has died.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, suppress
from typing import Any

from ..exceptions import HwarithError
from ..temporary import temporary_folder
from . import processes

_START = """
import os, sys
sys.path[:] = sys.argv[3:]
from importlib import import_module
from hwarith.flow.workers import serve
answer = import_module(sys.argv[2]).answer
os.chdir(sys.argv[1])
serve(answer)
"""
_GRACE_SECONDS = 2


def ask_all(
    requests: Iterable[dict[str, Any]], jobs: int, start: Callable[[], Worker]
) -> Generator[tuple[int, dict[str, Any]]]:
    """Have worker processes answer requests: the index of each and its answer, as they come.

    A request is taken when a worker is free for it; the iterator is asked again after every
    answer, as there may be new ones. Workers are made by `start`. An answer is what their function
    returns or, with a message, ``error``. Closing the iterator ends the workers at once, with all
    that they run.
    """
    waiting = enumerate(requests)
    busy: dict[Worker, int] = {}
    idle: list[Worker] = []
    with selectors.DefaultSelector() as ready:
        try:
            while True:
                while len(busy) < jobs and (following := next(waiting, None)):
                    worker = idle.pop() if idle else start()
                    busy[worker] = following[0]
                    ready.register(worker.answers, selectors.EVENT_READ, worker)
                    worker.ask(following[1])
                if not busy:
                    return
                for key, _ in ready.select():
                    worker = key.data
                    ready.unregister(worker.answers)
                    answer = worker.answer()
                    i = busy.pop(worker)
                    if worker.has_died:
                        worker.end()
                    else:
                        idle.append(worker)
                    yield i, answer
        finally:
            for worker in (*busy, *idle):
                worker.interrupt()
            for worker in (*busy, *idle):
                worker.end()


class Worker:
    """A worker process, seen from the one that asks.

    It answers by the function `answer` of a module, which takes a request and returns what JSON can
    hold. A `HwarithError` of it becomes an answer with its message under ``error``.
    """

    def __init__(self, module: str) -> None:
        self._open = ExitStack()
        folder = self._open.enter_context(temporary_folder())
        self._said = self._open.enter_context((folder / "said").open("w+", errors="replace"))
        # It finds modules where this process does, and files by the same relative names
        path = [os.path.abspath(entry) for entry in sys.path]
        # In a session of its own: Ctrl-C on the terminal is the asking process's to handle
        self._process = processes.start(
            processes.python("-c", _START, os.getcwd(), module, *path), folder, self._said
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self.answers = self._process.stdin, self._process.stdout
        self.has_died = False

    def ask(self, request: dict[str, Any]) -> None:
        """Send a request; its answer is there when `answers` is readable."""
        with suppress(BrokenPipeError):  # it has died, which `answer` will find
            self._requests.write(json.dumps(request) + "\n")
            self._requests.flush()

    def answer(self) -> dict[str, Any]:
        """The answer to the last request; if the process ended instead, an error saying so."""
        line = self.answers.readline()
        if line:
            return json.loads(line)
        self.has_died = True
        status = self._process.wait()
        self._said.seek(0)
        last = (["", *self._said.read().strip().splitlines()])[-1]
        return {"error": f"its process ended with status {status} {last}".strip()}

    def interrupt(self) -> None:
        """Ask the process, and all that it runs, to clean up and end."""
        self._signal(signal.SIGINT)

    def end(self) -> None:
        """End them, if they have not ended by themselves in time."""
        try:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_SECONDS)
        finally:
            self._signal(signal.SIGKILL)
            self._process.wait()
            for file in (self._requests, self.answers):
                with suppress(BrokenPipeError):
                    file.close()
            self._open.close()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def serve(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer requests until there are no more, or until interrupted.

    A description of hardware is millions of small objects; looking for garbage among them time and
    again took a fifth of its time. It is looked for between requests.
    """
    gc.disable()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print must not get between the answers
    with suppress(KeyboardInterrupt):
        for line in sys.stdin:
            print(json.dumps(_respond(answer, json.loads(line))), file=answers)
            gc.collect()


def _respond(
    answer: Callable[[dict[str, Any]], dict[str, Any]], request: dict[str, Any]
) -> dict[str, Any]:
    try:
        return answer(request)
    except HwarithError as error:
        return {"error": str(error)}
    except Exception as error:  # a mistake of hwarith's own: it costs this answer only
        where = traceback.extract_tb(error.__traceback__)[-1]
        return {"error": f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"}
