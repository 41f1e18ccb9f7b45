"""How the tests of throttles see an executor's thread come to rest, let time pass for it, and end what they began."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from support import FOREVER, PATIENCE, DuckDelegate, WatchedLock, WatchedLocks, assert_ends

from more_executors import ThrottleExecutor, _core

REFUSED = "^cannot schedule new futures after shutdown$"


class Bed(WatchedLock):
    """A lock of a Sleeper."""

    def __init__(self, locks: WatchedLocks) -> None:
        super().__init__(locks)
        self._taken = 0

    def is_woken(self) -> bool:
        """Whether a wake-up has come that its sleeper has not taken note of."""
        return self.releases > self._taken - 1  # it is taken once to begin with

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        taken = super().acquire(blocking, timeout)
        self._taken += taken
        if timeout is None and taken:
            self._locks.woken()  # type: ignore[attr-defined]
        return taken

    def release(self) -> None:
        with self._locks.changed:  # type: ignore[attr-defined]
            self.releases += 1
            self.end_sleep()

    def end_sleep(self) -> None:
        """Wake who sleeps on it, without a wake-up."""
        if self._lock.locked():
            self._lock.release()

    def take(self) -> None:
        """Have it locked."""
        self._lock.acquire(False)


class Sleeper(WatchedLocks):
    """Knows when an executor's own thread has done all there was to do, and lets time pass for it.

    To be made before the executor. Other threads that go to sleep are counted.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, thread_name: str) -> None:
        super().__init__()
        self._thread_name = thread_name
        self.changed = threading.Condition()
        self._bed: Bed | None = None
        self._seconds = 0.0
        self._wake_ups = 0
        self._asleep_after = -1
        self._time_is_up = False
        self._others = threading.Semaphore(0)
        self._beds_of_others: set[Bed] = set()
        self.on_sleep = self._sleep  # type: ignore[assignment]
        monkeypatch.setattr(_core, "allocate_lock", self)

    def __call__(self) -> Bed:
        return Bed(self)

    def _is_here(self) -> bool:
        return threading.current_thread().name == self._thread_name

    def woken(self) -> None:
        if self._is_here():
            self._wake_ups += 1

    def _sleep(self, bed: Bed, seconds: float) -> bool:
        if not self._is_here():
            return self._sleep_of_others(bed, seconds)
        with self.changed:
            self._bed, self._seconds, self._asleep_after = bed, seconds, self._wake_ups
            self.changed.notify_all()
        bed.sleep(FOREVER)
        with self.changed:
            time_is_up, self._time_is_up = self._time_is_up, False
            if time_is_up and bed.releases == self._wake_ups:
                return False
            bed.take()  # a wake-up may have come just after the time was up
            self._wake_ups += 1
            return True

    def _sleep_of_others(self, bed: Bed, seconds: float) -> bool:
        with self.changed:
            self._beds_of_others.add(bed)
            self.changed.notify_all()
        self._others.release()
        taken = bed.sleep(seconds)
        with self.changed:
            self._beds_of_others.discard(bed)
        return taken

    def idle(self) -> float:
        """Wait until the thread sleeps, and nothing has woken it; returns for how many seconds, or FOREVER."""
        with self.changed:
            idle = self.changed.wait_for(lambda: self._bed and self._bed.releases == self._asleep_after, PATIENCE)
            assert idle, "the thread does not come to rest"
            return self._seconds

    def let_time_pass(self) -> None:
        """Have the seconds be over for which the thread sleeps."""
        self.idle()
        assert self._bed is not None
        with self.changed:
            self._asleep_after = -1
            self._time_is_up = True
            self._bed.end_sleep()

    def idle_others(self, count: int) -> None:
        """Wait until so many other threads sleep, and nothing has woken them."""

        def sleep() -> bool:
            return sum(not bed.is_woken() for bed in self._beds_of_others) == count

        with self.changed:
            assert self.changed.wait_for(sleep, PATIENCE), "others do not come to rest"

    def wait_for_others(self, count: int) -> None:
        """Wait until `count` more other threads have gone to sleep."""
        for _ in range(count):
            assert self._others.acquire(timeout=PATIENCE), "nobody goes to sleep"


def throttle_thread(name: str = "default") -> threading.Thread:
    (thread,) = (thread for thread in threading.enumerate() if thread.name == f"ThrottleExecutor-{name}")
    return thread


@contextlib.contextmanager
def throttling(count: Any, delegate: Any = None, **options: Any) -> Iterator[tuple[ThrottleExecutor, DuckDelegate]]:
    """An executor, and its delegate whose futures the test ends; what is left at the end is cancelled."""
    delegate = delegate or DuckDelegate(Future)
    executor = ThrottleExecutor(delegate, count, **options)
    try:
        yield executor, delegate
    finally:
        executor.shutdown(wait=False)
        while left := executor._table.futures():  # one may be on its way to the delegate
            for future in left:
                future.cancel()
            for given in list(delegate.given):
                if not given.done() and not given.cancel():
                    given.set_result(None)
            threading.Event().wait(0.001)
        assert_ends(executor._worker._thread)


def keys(delegate: DuckDelegate) -> list[Any]:
    """The first arguments of the calls that were submitted to the delegate, in order."""
    return [args[0] for _, args, _ in delegate.submitted]
