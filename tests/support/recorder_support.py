"""What the tests of JournalWriter share."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from typing import Any

import pytest
from support import PATIENCE, HeardLogger

from more_executors.journal import _writer_thread
from more_executors.journal._writer import JournalWriter

Write = tuple[list[tuple[int, Any]], list[int]]


class FakeJournal:
    """Has on record what it was told to, and can be kept from that."""

    def __init__(self, *on_record: tuple[int, Any]) -> None:
        self.on_record: dict[int, Any] = dict(on_record)
        self.writes: list[Write] = []
        self.threads: set[str] = set()
        self.before: Callable[[], object] = lambda: None  # called by each write, which fails as this does
        self.after: Callable[[], object] = lambda: None
        self._done: queue.SimpleQueue[Write] = queue.SimpleQueue()

    def write(self, joined: Sequence[tuple[int, Any]], ended: Sequence[int]) -> None:
        self.threads.add(threading.current_thread().name)
        self.before()
        self.on_record.update(joined)
        for key in ended:
            self.on_record.pop(key, None)
        self.writes.append((list(joined), list(ended)))
        self._done.put(self.writes[-1])
        self.after()

    def next(self) -> Write:
        """Wait for the next write."""
        return self._done.get(timeout=PATIENCE)

    def outstanding(self) -> Iterable[tuple[int, Any]]:
        return sorted(self.on_record.items())

    def __repr__(self) -> str:
        return "<FakeJournal>"


class Made:
    """A journal, a logger, and the recorder that has them."""

    def __init__(self, *on_record: tuple[int, Any]) -> None:
        self.journal = FakeJournal(*on_record)
        self.heard = HeardLogger()
        self.recorder = JournalWriter(self.journal, self.heard, "PollExecutor-tested")

    def flush(self) -> None:
        assert self.recorder.flush(PATIENCE) is True


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """One that writes when it is flushed, and tries again at once."""
    monkeypatch.setattr(_writer_thread, "SECONDS_TO_GATHER", inf)
    monkeypatch.setattr(_writer_thread, "FIRST_PAUSE", 0.0)
    made = Made()
    yield made
    made.journal.before = lambda: None
    made.recorder.close(wait=True)


def failing(times: float, error: BaseException) -> Callable[[], None]:
    """What raises so many times."""
    left = [times]

    def fail() -> None:
        if left[0] > 0:
            left[0] -= 1
            raise error

    return fail
