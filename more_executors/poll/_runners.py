"""Where a call of a poll function runs: here, on threads, or on an event loop."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from .._core import DueTable
from .._runtime.call_threads import CallThreads
from .._runtime.loop_thread import LoopThread
from ._call import PollCaller, Tasks

__all__: list[str] = []


class Runner(Protocol):
    """Makes the calls of a DueScheduler, somewhere."""

    def has_room(self) -> bool:
        """Whether a call would begin at once."""
        raise NotImplementedError

    def start(self, tasks: Tasks, late: float) -> bool:
        """Begin a call with `tasks`. Returns whether it is over already."""
        raise NotImplementedError


class InlineRunner:
    """Makes calls on the executor's own thread, one at a time."""

    def __init__(self, calls: PollCaller) -> None:
        self._calls = calls

    def has_room(self) -> bool:
        return True

    def start(self, tasks: Tasks, late: float) -> bool:
        try:
            self._calls.call(tasks, late)
            return True
        finally:
            del self, tasks  # see _frames


class ThreadRunner:
    """Makes calls on threads of a pool, as many at a time as that has."""

    def __init__(self, calls: PollCaller, table: DueTable, threads: CallThreads) -> None:
        threads.when_free = table.waker.set
        self._calls = calls
        self._threads = threads
        self.has_room = threads.has_room

    def start(self, tasks: Tasks, late: float) -> bool:
        try:
            self._threads.start(partial(self._call, tasks, late))
        except RuntimeError:  # no thread can be started now
            self._calls.call(tasks, late)
            return True
        return False

    def _call(self, tasks: Tasks, late: float) -> None:
        try:
            self._calls.call(tasks, late)
        finally:
            del self, tasks


class LoopRunner:
    """Makes calls of an `async def` on an event loop, at most `most` at a time."""

    def __init__(self, calls: PollCaller, table: DueTable, loop: LoopThread, most: int) -> None:
        self._calls = calls
        self._table = table
        self._loop = loop
        self._most = most
        self._going_on: set[object] = set()
        self._queued: set[object] = set()  # those of them that have not begun

    def has_room(self) -> bool:
        return len(self._going_on) < self._most

    def start(self, tasks: Tasks, late: float) -> bool:
        call, queued = object(), False
        try:
            self._going_on.add(call)
            self._queued.add(call)
            queued = True
            self._loop.start(partial(self._call, call, tasks, late), self._calls.context)
            return False
        except BaseException:  # the loop, or its thread, cannot be made
            if queued and not taken(self._queued, call):
                return False  # it has begun all the same
            self._going_on.discard(call)
            raise
        finally:
            del self, tasks

    async def _call(self, call: object, tasks: Tasks, late: float) -> None:
        if not taken(self._queued, call):
            return  # to start it failed after all, and somebody else has its tasks
        try:
            await self._calls.call_async(tasks, late, self._loop)
        finally:
            self._going_on.discard(call)
            self._table.waker.set()
            del self, tasks


def taken(items: set[object], item: object) -> bool:
    """Remove `item` from `items`. Returns whether it was there; of several threads, one gets True."""
    try:
        items.remove(item)
    except (KeyError, MemoryError):  # there may be no memory for a KeyError
        return False
    return True
