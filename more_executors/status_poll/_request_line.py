"""Whose turn it is to make requests on one event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

__all__: list[str] = []


class MakesRequests(Protocol):
    """A call of an async `EachStatus`."""

    def start_worker(self) -> asyncio.Task[None] | None:
        """Have a task make requests, one after the other; None if none is left to begin. Never raises."""
        raise NotImplementedError

    def worker_ended(self) -> None:
        """Such a task has ended, maybe before it began."""
        raise NotImplementedError


class RequestLine:
    """The requests of all calls on one loop: so many at a time, and those of the call that came first are first.

    Between two requests of a call nobody has to wake up, and a place that one call does not need is the next one's.
    """

    def __init__(self, most: int) -> None:
        """At most `most` requests are under way at a time."""
        self._free = most
        self._calls: deque[MakesRequests] = deque()  # that may have requests to begin
        self._workers: dict[asyncio.Task[None], MakesRequests] = {}  # which nobody else may refer to

    def join(self, call: MakesRequests) -> None:
        """Have the requests of `call` begin when it is their turn."""
        self._calls.append(call)
        self._fill()

    def cancel(self, call: MakesRequests) -> None:
        """Cancel the requests of `call` that are under way."""
        for worker in [worker for worker, of in self._workers.items() if of is call]:
            worker.cancel()

    def _fill(self) -> None:
        while self._free and self._calls:
            call = self._calls[0]
            worker = call.start_worker()
            if worker is None:
                self._calls.popleft()
            else:
                self._free -= 1
                self._workers[worker] = call
                worker.add_done_callback(self._leave)

    def _leave(self, worker: asyncio.Task[None]) -> None:
        self._free += 1
        self._workers.pop(worker).worker_ended()
        self._fill()
