"""How far long work is: a bar on a terminal, a line every ten seconds in a log.

All of it is on standard error. What is done before ten seconds are over leaves no line.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

Item = TypeVar("Item")

EVERY = 10.0
"""Seconds between lines of a log."""

LONG = 60.0
"""What takes longer, in seconds, says so before it begins."""


@dataclass
class Count:
    """How much of a piece of work is done; ``total`` is None while that is not known."""

    what: str
    total: int | None = None
    done: int = 0
    began: float = field(default_factory=time.monotonic)
    _shows: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._first = self.done

    def advance(self, done: int = 1) -> None:
        """So much more is done."""
        self.update(self.done + done, self.total)

    def update(self, done: int, total: int | None) -> None:
        """So much is done, of so much."""
        self.done, self.total = done, total
        for show in self._shows:
            show()

    def shown_by(self, show: Callable[[], None]) -> None:
        """Have `show` called after each change."""
        self._shows.append(show)

    def line(self) -> str:
        """How far it is: ``sweep: 12 of 32, 2 min 10 s, about 3 min 37 s left``."""
        took = time.monotonic() - self.began
        of = "" if self.total is None else f" {self.done:,} of {self.total:,},"
        made = self.done - self._first
        left = ""
        if self.total and made > 0 and self.done < self.total:
            left = f", about {duration(took * (self.total - self.done) / made)} left"
        return f"{self.what}:{of} {duration(took)}{left}"


def duration(seconds: float) -> str:
    """A time as people say it: ``45 s``, ``2 min 10 s``, ``3 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    (big, unit), (small, smaller) = (
        ((whole // 60, "min"), (whole % 60, "s"))
        if whole < 3600
        else ((whole // 3600, "h"), (whole % 3600 // 60, "min"))
    )
    return f"{big} {unit}" + (f" {small} {smaller}" if small else "")


def say_first(what: str, seconds: float, how: str = "about") -> None:
    """Say what is about to take more than a minute, and ``about`` (or ``at most``) how long."""
    if seconds > LONG:
        _say(f"{what}: {how} {duration(round(seconds, -1))}")


@contextmanager
def counted(what: str, total: int | None = None, done: int = 0) -> Iterator[Count]:
    """Show how far a piece of work is while the block runs; gives the `Count` to tell it."""
    count = Count(what, total, done)
    with _bar(count) if sys.stderr and sys.stderr.isatty() else _lines(count):
        yield count


def progress(
    items: Iterable[Item], what: str, total: int | None = None, each: float = 0.0
) -> Iterator[Item]:
    """The same items one by one; `total` says how many where they have no length, and `each` about
    how many seconds one takes, for `say_first`."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    say_first(f"{what} ({total or 0:,})", each * (total or 0))
    with counted(what, total) as count:
        for item in items:
            yield item
            count.advance()


@contextmanager
def _lines(count: Count) -> Iterator[None]:
    """Write a line at regular times, from a thread of its own."""
    over = threading.Event()

    def write() -> None:
        while not over.wait(EVERY):
            _say(count.line())

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


@contextmanager
def _bar(count: Count) -> Iterator[None]:
    """Draw a bar, which goes away at the end."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, speed_estimate_period=600) as bar:
        task = bar.add_task(count.what, total=count.total, completed=count.done)
        count.shown_by(lambda: bar.update(task, completed=count.done, total=count.total))
        yield


def _say(line: str) -> None:
    """A line on standard error, if that can be written."""
    if sys.stderr is None:
        return
    with suppress(OSError, ValueError):
        print(f"hwarith: {line}", file=sys.stderr, flush=True)
