"""What shards say of each task when somebody wants to see: how often it was polled, what the poll function reported.

Nothing of it is sent unless it is asked for, and it renews no lease.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, TypeAlias

from ...poll.stats import OutstandingTask

__all__: list[str] = []

Look: TypeAlias = "tuple[int | None, int, str | None, float | None]"  # polls, failures, state, progress


def looks_of(futures: Iterable[Future[Any] | None], rows: Iterable[OutstandingTask]) -> list[Look | None]:
    """What `rows`, those of a shard's executor, say of each of the futures; None if nothing."""
    found = {id(row.future): row for row in rows}
    looks: list[Look | None] = []
    for future in futures:
        row = found.get(id(future))
        looks.append(None if row is None else (row.polls, row.failures, row.state, row.progress))
    return looks


class Looks:
    """Rows of a client, which shards say more about. `put` may be called from any thread."""

    def __init__(self, rows: list[OutstandingTask]) -> None:
        self.rows = rows
        self._answers: SimpleQueue[tuple[list[int], bytes | None]] = SimpleQueue()

    def put(self, places: list[int], answer: bytes | None, error: BaseException | None) -> None:
        """What a shard has answered about the rows at these places, or why it has not."""
        self._answers.put((places, answer))

    def wait_for(self, count: int, seconds: float) -> None:
        """Take over so many answers, or what comes within that time."""
        until = monotonic() + seconds
        for _ in range(count):
            try:
                places, answer = self._answers.get(timeout=max(0.0, until - monotonic()))
            except Empty:
                return
            if answer:  # else nobody was there
                self._take_over(places, pickle.loads(answer))

    def _take_over(self, places: list[int], looks: list[Look | None]) -> None:
        for place, look in zip(places, looks, strict=True):
            if look is not None:
                polls, failures, state, progress = look
                row = self.rows[place]
                self.rows[place] = OutstandingTask(row.result, row.age, polls, failures, row.future, state, progress)
