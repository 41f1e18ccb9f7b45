"""What the tests of RetryExecutor share: a clock that the test sets, policies that do as it says."""

from __future__ import annotations

import contextlib
import gc
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from support import FOREVER, PATIENCE, DuckDelegate, InThread, WatchedLock, WatchedLocks

from more_executors import RetryExecutor, RetryPolicy, _core


class Clock:
    """The time of retry threads: it stands still until the test sets it on. To be made before the executor."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self._sleeps: queue.SimpleQueue[float] = queue.SimpleQueue()
        locks = WatchedLocks()
        locks.on_sleep = self._sleep
        monkeypatch.setattr(_core, "allocate_lock", locks)
        monkeypatch.setattr(_core, "monotonic", lambda: self.now)

    def _sleep(self, lock: WatchedLock, seconds: float) -> bool:
        if not threading.current_thread().name.startswith("RetryExecutor-"):
            return lock.sleep(seconds)
        self._sleeps.put(seconds)
        return lock.sleep(FOREVER)

    def sleep(self) -> float:
        """Wait until the thread goes to sleep; returns for how many seconds: FOREVER if only a wake-up ends that.

        A wake-up that came before that ends the sleep at once.
        """
        return self._sleeps.get(timeout=PATIENCE)

    def set_on(self, seconds: float, executor: RetryExecutor) -> float:
        """Let so much time pass, and the thread see it; returns how long it sleeps next."""
        self.now += seconds
        executor._table.waker.set()
        return self.sleep()


class Scripted(RetryPolicy):
    """After each attempt it tries again after the next of `delays`; an exception there is raised, None is the end.

    `asked` has the attempts that it was asked about.
    """

    def __init__(self, *delays: Any, at: str = "sleep_time") -> None:
        self._delays = list(delays)
        self._at = at
        self.asked: list[tuple[int, Any]] = []
        self.timed: list[tuple[int, Any]] = []

    def should_retry(self, attempt: int, future: Any) -> bool:
        self.asked.append((attempt, future))
        if self._at == "should_retry" and self._delays and isinstance(self._delays[0], BaseException):
            raise self._delays[0]
        return bool(self._delays)

    def sleep_time(self, attempt: int, future: Any) -> Any:
        self.timed.append((attempt, future))
        delay = self._delays.pop(0)
        if isinstance(delay, BaseException):
            raise delay
        return delay


class Deciding(RetryPolicy):
    """Its methods are the functions given."""

    def __init__(
        self,
        should_retry: Callable[[int, Any], Any] = lambda attempt, future: True,
        sleep_time: Callable[[int, Any], Any] = lambda attempt, future: 0,
    ) -> None:
        self.should_retry = should_retry  # type: ignore[method-assign]
        self.sleep_time = sleep_time  # type: ignore[method-assign]


def is_followed(future: Any) -> bool:
    """Whether somebody wants to know when `future`, of whichever kind, is done."""
    if isinstance(future, _core.FutureBase):
        return any(type(thing).__module__ == _core.__name__ for thing in gc.get_referents(future))
    return bool(future._done_callbacks if isinstance(future, Future) else future._callbacks)


class WatchedDelegate(DuckDelegate):
    """A DuckDelegate that says when something was submitted: `next()` waits for that, and gives the future.

    Whoever submitted it on another thread follows the future by then.
    """

    def __init__(self, future_type: Callable[[], Any] = Future) -> None:
        super().__init__(future_type)
        self.threads: list[threading.Thread] = []
        self._submitted: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        self.threads.append(threading.current_thread())
        future = super().submit(fn, *args, **kwargs)
        self._submitted.put((future, threading.current_thread()))
        return future

    def next(self) -> Any:
        future, thread = self._submitted.get(timeout=PATIENCE)
        until = time.monotonic() + PATIENCE
        while thread is not threading.current_thread() and not is_followed(future):
            assert time.monotonic() < until, "nobody follows it"
            threading.Event().wait(0.0005)
        return future


@contextlib.contextmanager
def retrying(delegate: Any, *arguments: Any, **keywords: Any) -> Iterator[RetryExecutor]:
    """A RetryExecutor that is shut down at the end, without regard for what is pending then."""
    executor = RetryExecutor(delegate, *arguments, **keywords)
    try:
        yield executor
    finally:
        executor.shutdown(wait=False)
        executor._table.cancel_all()


def retry_thread(name: str = "default") -> threading.Thread:
    """The thread of the RetryExecutor called `name`."""
    (thread,) = (thread for thread in threading.enumerate() if thread.name == f"RetryExecutor-{name}")
    return thread


def shutting_down(executor: Any) -> InThread:
    """A thread that shuts `executor` down and waits for its futures by now."""

    def wait() -> None:
        waiting.set()
        usual()

    waiting, usual = threading.Event(), executor._wait_until_drained
    executor._wait_until_drained = wait
    thread = InThread(executor.shutdown)
    assert waiting.wait(PATIENCE)
    return thread
