"""What a PollExecutor measures of itself: once a call of the poll function, whatever the number of tasks in it."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from math import inf
from threading import Lock

from ..metrics._histogram import Histogram

__all__: list[str] = []

CALL_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
BATCH_SIZES = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000, 100_000, 1_000_000)
LAG_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)

WINDOW_SECONDS = 60.0
SAMPLE_SECONDS = 1.0


class PollMeter:
    """Durations, sizes and lags of calls, and at what rate futures end.

    All methods may be called from any thread, take a microsecond or so each, and wait for nobody but other callers of
    the same method. What only reads takes no lock.
    """

    __slots__ = ("_clock", "_lock", "_samples", "batch_sizes", "call_durations", "lags", "throttled")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.call_durations = Histogram(CALL_SECONDS)
        self.batch_sizes = Histogram(BATCH_SIZES)
        self.lags = Histogram(LAG_SECONDS)
        self.throttled = 0
        self._clock = clock
        self._lock = Lock()
        # (when, how many had ended by then), ascending: never changed, but replaced as a whole.
        self._samples: tuple[tuple[float, int], ...] = ((clock(), 0),)

    def count_call(self, size: int, lag: float, seconds: float) -> None:
        """Note a call with `size` tasks that took `seconds`, begun `lag` seconds after the first of them was due."""
        self.batch_sizes.observe(size)
        self.lags.observe(lag)
        self.call_durations.observe(seconds)

    def counts(self) -> Mapping[str, int]:
        """What is counted for metrics and is no histogram."""
        return {"throttled": self.throttled}

    def histograms(self) -> Iterator[tuple[str, Histogram]]:
        """Each histogram, with its name among the metrics."""
        yield "duration_seconds", self.call_durations
        yield "batch_size", self.batch_sizes
        yield "lag_seconds", self.lags

    def note_throttled(self) -> None:
        """Note that a call raised Throttled."""
        with self._lock:
            self.throttled += 1

    def note_done(self, done: int, ago: float = 0.0) -> None:
        """Note that `done` futures had ended so many seconds ago. To be called once for each call, or more often."""
        samples, now = self._samples, self._clock() - ago
        last_time, last_done = samples[-1]
        if now - last_time < SAMPLE_SECONDS:
            return
        if now - last_time > WINDOW_SECONDS and done <= last_done:
            samples = ()  # there was nothing to do: that says nothing about the rate
        # Another thread may do the same: then a sample is lost, which does not matter.
        self._samples = (*samples[window_start(samples, now) :], (now, max(done, last_done)))

    def seconds_left(self, outstanding: int, done: int) -> float | None:
        """In how many seconds `outstanding` futures will have ended, at the rate of the last minute.

        `done` have ended so far. None if that is not known: it is too early, or none has ended for a minute.
        """
        if not outstanding:
            return 0.0
        samples, now = self._samples, self._clock()
        start, done_then = samples[window_start(samples, now)]
        if now - start < SAMPLE_SECONDS or done <= done_then:
            return None
        return outstanding * (now - start) / (done - done_then)


def window_start(samples: tuple[tuple[float, int], ...], now: float) -> int:
    """Which of `samples` is the last one that is no younger than the window, or else the first."""
    return max(0, bisect_right(samples, (now - WINDOW_SECONDS, inf)) - 1)
