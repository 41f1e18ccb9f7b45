"""The library's own poll executor on a virtual clock: its table, its rounds, its calls, its rate limit.

Only three things are not the library's: the clock, the thread that gives an executor its turns, and the threads or the
event loop that its calls are made on.
"""

from __future__ import annotations

import heapq
import inspect
import logging
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from itertools import count
from math import inf, nextafter
from typing import Any

from more_executors import PollExecutor, _core
from more_executors.poll import _call, _gate, _scheduler
from more_executors.poll._call import PollCaller, Tasks
from more_executors.poll._engine import PollEngine
from more_executors.poll._options import PollOptions
from more_executors.poll._runners import Runner

from .day import Day


class Clock:
    """Seconds since the day began."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def time_of(clock: Clock) -> Iterator[None]:
    """Have the library look at `clock`. No executor may have a thread meanwhile."""
    modules = (_core, _call, _gate, _scheduler)
    kept = [module.monotonic for module in modules]
    for module in modules:
        module.monotonic = clock  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module, monotonic in zip(modules, kept, strict=True):
            module.monotonic = monotonic  # type: ignore[attr-defined]


class Sleep:
    """To be awaited in a call."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __await__(self) -> Generator[float, None, None]:
        yield self._seconds


class Flights:
    """A `Runner`: the calls that are on their way, at most so many."""

    def __init__(self, calls: PollCaller, waker: _core.Waker, clock: Clock, most: int) -> None:
        self._calls = calls
        self._waker = waker
        self._clock = clock
        self._most = most
        self._numbers = count()
        self._flights: list[tuple[float, int, Coroutine[Any, Any, None]]] = []

    def has_room(self) -> bool:
        return len(self._flights) < self._most

    def start(self, tasks: Tasks, late: float) -> bool:
        self._go_on(self._calls.call_async(tasks, late, self))  # type: ignore[arg-type]
        return False

    def watched(self, call: Awaitable[Any], *_: object) -> Awaitable[Any]:
        """What the thread of an event loop does around a call."""
        return call

    @property
    def next_end(self) -> float:
        return self._flights[0][0] if self._flights else inf

    def land(self) -> None:
        """Go on with the calls whose time it is; each that is over wakes the executor."""
        while self.next_end <= self._clock.now:
            self._go_on(heapq.heappop(self._flights)[2])
            self._waker.set()

    def _go_on(self, call: Coroutine[Any, Any, None]) -> None:
        try:
            seconds = call.send(None)
        except StopIteration:
            return
        heapq.heappush(self._flights, (self._clock.now + seconds, next(self._numbers), call))


class VirtualPolling(PollEngine):
    """The parts of a poll executor, but for where calls are made."""

    flights: Flights

    def __init__(self, options: PollOptions, clock: Clock) -> None:
        self._clock = clock
        super().__init__(options, None, logging.getLogger(__name__), "simulated", debugging=False)

    def _runner(self, calls: PollCaller, table: _core.DueTable, options: PollOptions) -> Runner:
        self.flights = Flights(calls, table.waker, self._clock, options.max_concurrency)
        return self.flights


SIGNATURE = inspect.signature(PollExecutor.__init__).parameters
DEFAULTS: dict[str, Any] = {
    name: parameter.default
    for name, parameter in SIGNATURE.items()
    if name not in ("self", "delegate", "poll_fn", "logger", "name")
}


class VirtualExecutor:
    """Lives through a day, without a thread and without sleeping."""

    def __init__(self, poll_fn: Callable[[Tasks], Awaitable[Any]], clock: Clock, **options: Any) -> None:
        """`options` are those of a PollExecutor."""
        self._clock = clock
        self.polling = VirtualPolling(PollOptions(poll_fn=poll_fn, **{**DEFAULTS, **options}), clock)
        self.most_outstanding = 0

    def live(self, day: Day) -> None:
        """Adopt each task when it is started, and poll until all are done."""
        with time_of(self._clock):
            self._live(day)
        self.polling.close()

    def _live(self, day: Day) -> None:
        clock, starts, table = self._clock, day.starts, self.polling.table
        flights, turn = self.polling.flights, self.polling.scheduler.turn
        adopt, woken = table.adopt, table.waker.wait
        started, tasks, next_turn = 0, len(day), 0.0
        while True:
            next_start = starts[started] if started < tasks else inf
            now = min(next_start, flights.next_end, next_turn)
            if now == inf:
                return
            clock.now = now
            if now == next_start:
                adopt(self, started)
                started += 1
                self.most_outstanding = max(self.most_outstanding, len(table))
            flights.land()
            if woken(0) or next_turn <= now:
                # A wait may be too short to make a difference to the clock.
                next_turn = max(now + turn(), nextafter(now, inf))
