"""Coroutine functions that do as the test says, and a clock that stands until the test moves it."""

from __future__ import annotations

import asyncio
import queue
import threading
from math import inf
from typing import Any

from support import PATIENCE


class AsyncCall:
    """One call of an AsyncStepped, made on its event loop; it goes on when the test ends it."""

    def __init__(self, argument: Any) -> None:
        self.argument = argument
        self.thread = threading.current_thread()
        self.loop = asyncio.get_running_loop()
        self._outcome: asyncio.Future[object] = self.loop.create_future()

    def end(self, returning: object = inf, *, raising: BaseException | None = None) -> None:
        """Have the call return, or raise, so."""
        self.loop.call_soon_threadsafe(self._end, returning, raising)

    def _end(self, returning: object, raising: BaseException | None) -> None:
        if raising is None:
            self._outcome.set_result(returning)
        else:
            self._outcome.set_exception(raising)

    async def outcome(self) -> object:
        try:
            return await self._outcome
        finally:
            del self


class AsyncStepped:
    """A coroutine function with one argument, each call of which waits for the test: `next()` gives the call."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[AsyncCall] = queue.SimpleQueue()

    async def __call__(self, argument: Any) -> Any:
        call = AsyncCall(argument)
        self._calls.put(call)
        try:
            return await call.outcome()
        finally:
            del self, argument, call

    def next(self) -> AsyncCall:
        """Wait for the next call to begin."""
        return self._calls.get(timeout=PATIENCE)

    def unasked(self) -> int:
        """How many calls there were that the test has not asked for yet."""
        return self._calls.qsize()


class StandingClock:
    """A clock that stands still unless somebody lets time pass."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
