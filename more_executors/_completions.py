"""Futures as they are done, for a coroutine: its loop is woken once for all that end until it looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar, cast

from ._checks import checked_timeout, iterated
from ._core import Arrivals, check_future

__all__: list[str] = []

F = TypeVar("F")

MOST_IN_A_TURN = 1000  # futures that are given before other coroutines have a turn


class Completions(AsyncIterator[F], Generic[F]):
    """The iterator of `more_executors.asyncio.as_completed`. It belongs to a loop, and the thread of that."""

    def __init__(self, futures: Iterable[F], timeout: float | None) -> None:
        self._left: dict[int, Any] = {}  # first: it is there if something raises
        seconds = None if timeout is None else checked_timeout("timeout", timeout)
        watched: dict[int, Any] = {}
        for future in iterated("futures", futures, "futures"):
            if not asyncio.isfuture(future):
                check_future("as_completed is of futures, not of", future)
            watched[id(future)] = future
        self._loop = asyncio.get_running_loop()
        self._count = len(watched)
        self._arrivals = Arrivals(self._loop, self._count)
        self._deadline = None if seconds is None else self._loop.time() + seconds
        self._found: list[Any] = []
        self._given = 0
        for key, watching in watched.items():
            self._left[key] = watching
            if not self._arrivals.watch(watching):
                watching.add_done_callback(self._arrivals.note)

    def __aiter__(self) -> Completions[F]:
        return self

    async def __anext__(self) -> F:
        """The next future that is done. Raises TimeoutError if none is in time."""
        if not self._found:
            await self._find()
            if not self._found:
                raise StopAsyncIteration
        future: F = self._found.pop()
        del self._left[id(future)]
        self._given += 1
        if self._given % MOST_IN_A_TURN == 0:
            await asyncio.sleep(0)
        return future

    async def _find(self) -> None:
        """Wait until there are some, unless none is left."""
        while self._left:
            self._found = self._arrivals.take()
            if self._found:
                self._found.reverse()
                return
            if self._deadline is not None and self._loop.time() >= self._deadline:
                raise asyncio.TimeoutError(f"{len(self._left)} (of {self._count}) futures unfinished")
            await self._wait()

    async def _wait(self) -> None:
        waiter, alarm = self._arrivals.wait(), None
        try:
            if self._deadline is not None and self._deadline < float("inf"):
                alarm = self._loop.call_at(self._deadline, self._arrivals.rouse)
            await waiter
        finally:
            if alarm is not None:
                alarm.cancel()

    def __del__(self) -> None:
        """Leave nothing behind with the futures that are not done."""
        for future in self._left.values():
            forget(future, self._arrivals)
        if self._left:
            self._arrivals.close()


def forget(future: Any, arrivals: Arrivals) -> None:
    """Have `future` call `arrivals` no more."""
    if asyncio.isfuture(future):
        future.remove_done_callback(arrivals.note)
    elif not arrivals.forget(future) and isinstance(future, Future):
        standard = cast("Any", future)
        with standard._condition:
            if arrivals.note in standard._done_callbacks:
                standard._done_callbacks.remove(arrivals.note)
