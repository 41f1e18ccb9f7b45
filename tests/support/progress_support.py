"""What the tests of progress bars share: a screen to draw on, and an executor whose figures the test sets."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from support import PATIENCE

from more_executors import _core
from more_executors.poll_stats import PollStats

OFTEN = 0.001  # seconds between drawings, where the test waits for one
NEVER = 3600.0


class Screen(io.StringIO):
    """What a bar is drawn on."""

    def __init__(self) -> None:
        super().__init__()
        self._written = threading.Condition()

    def write(self, text: str) -> int:
        with self._written:
            self._written.notify_all()
            return super().write(text)

    def wait_for(self, text: str) -> None:
        """Wait until `text` is in what is drawn from now on."""
        with self._written:
            begin = len(self.getvalue())
            assert self._written.wait_for(lambda: text in self.getvalue()[begin:], PATIENCE), self.getvalue()

    def last(self) -> str:
        """The bar as it was drawn last."""
        return self.getvalue().strip().rpartition("\r")[2]


class Counting(Executor):
    """An executor whose `stats()` the test sets."""

    def __init__(self) -> None:
        self.on_stats: Callable[[], object] = lambda: None
        self.set(0, 0)

    def set(self, done: int, outstanding: int, failed: int = 0, cancelled: int = 0, **states: int) -> None:
        figures = (outstanding, 0, 0, 0, 0, done, failed, cancelled, 0, 0, 0, 0.0, 0.0, None, None)
        self._stats = PollStats(*figures, states)

    def stats(self) -> PollStats:
        self.on_stats()
        return self._stats


def made(count: int) -> list[Future[Any]]:
    return [_core.Future() for _ in range(count)]


def bar_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "more_executors-progress"]
