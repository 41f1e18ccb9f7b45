"""How much processor time the library takes, measured while it works.

All times are CPU times of the measured thread (``time.thread_time``), so waiting, for the network, for the
GIL or for other processes, is not counted. They include the readings of the clock, uncorrected.

Together they are an upper bound: handing over includes the pool's own work, and resolving includes waking
whoever waits for the future. Not measured are ``future.cancel``, which few tasks see, and ``as_completed``,
which is the standard library's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from time import thread_time
from typing import Any

from client import Descriptor, PublishClient, TaskStatus


@dataclass(frozen=True)
class Cost:
    """The total CPU time (seconds) of one part of the library's work, and what it is."""

    name: str
    seconds: float
    explanation: str


class SubmitMeter:
    """Times ``executor.submit`` without the ``submit`` of the thread pool below it.

    All in the thread that made the meter; what other threads submit is left alone.
    """

    def __init__(self) -> None:
        self._caller = threading.get_ident()
        self._whole = 0.0
        self._pool = 0.0

    def submit(self, submit: Callable[..., Future[Any]], *args: Any) -> Future[Any]:
        """Call ``submit(*args)`` and return what it does."""
        begin = thread_time()
        future = submit(*args)
        self._whole += thread_time() - begin
        return future

    @contextmanager
    def watch_pool(self) -> Iterator[None]:
        """Make ``ThreadPoolExecutor.submit`` report its time."""
        original = ThreadPoolExecutor.submit

        def submit(pool: ThreadPoolExecutor, /, *args: Any, **kwargs: Any) -> Future[Any]:
            begin = thread_time()
            try:
                return original(pool, *args, **kwargs)
            finally:
                if threading.get_ident() == self._caller:
                    self._pool += thread_time() - begin

        ThreadPoolExecutor.submit = submit  # type: ignore[assignment, method-assign]
        try:
            yield
        finally:
            ThreadPoolExecutor.submit = original  # type: ignore[method-assign]

    def cost(self) -> Cost:
        """The time of the library alone, or of both where the pool could not be watched."""
        pool = "less" if self._pool else "including"
        return Cost("submit", self._whole - self._pool, f"executor.submit {pool} the pool's submit")


class MeteredClient(PublishClient):
    """A client that notes when it is not at work itself: then the library is.

    ``polls`` has the time (``time.monotonic``) and the number of tasks of each poll, ``delays`` the seconds
    from the end of each task on the service to the moment when all futures of the same answer were
    resolved.
    """

    def __init__(self, url: str, interval: float) -> None:
        super().__init__(url, interval)
        self.polls: list[tuple[float, int]] = []
        self.delays: list[float] = []
        self._thread = threading.local()
        self._handing_over: list[float] = []  # Appending is atomic: many threads publish.
        self._polling = 0.0
        self._resolving = 0.0
        self._poll_ended: float | None = None
        self._closed = False
        self._poll_lock = threading.Lock()
        self._lock = threading.Lock()
        self._published = 0
        self._expected = 0

    @property
    def polled(self) -> int:
        """How many tasks there are to poll: those of the last poll, and what is known to have changed."""
        return self._published + self._expected

    def publish(self, object_id: str) -> str:
        """Publish an object; the time since the last time in this thread is the library's and the pool's."""
        ended: float | None = getattr(self._thread, "publish_ended", None)
        if ended is not None:
            self._handing_over.append(thread_time() - ended)
        try:
            task_id = super().publish(object_id)
            with self._lock:
                self._published += 1
            return task_id
        finally:
            self._thread.publish_ended = thread_time()

    def poll_tasks(self, descriptors: list[Descriptor]) -> None:
        """Look up all tasks; the time since the last poll, which was in the same thread, is the library's."""
        if self._poll_ended is not None:
            self._polling += thread_time() - self._poll_ended
        self.polls.append((time.monotonic(), len(descriptors)))
        self._expected = len(descriptors) - self._published
        try:
            with self._poll_lock:
                if not self._closed:
                    super().poll_tasks(descriptors)
        finally:
            self._poll_ended = thread_time()

    def close(self) -> None:
        """Close all connections as soon as no poll is under way; poll no more."""
        self.hurry()
        with self._poll_lock:
            self._closed = True
            super().close()

    def _resolve(self, ended: Iterable[tuple[Descriptor, TaskStatus]]) -> None:
        ended = list(ended)
        begin = thread_time()
        super()._resolve(ended)
        self._resolving += thread_time() - begin
        self._expected -= len(ended)
        now = time.time()
        self.delays.extend(now - task.get("ended", now) for _, task in ended)

    def costs(self) -> list[Cost]:
        """The times spent outside this client's functions, and in resolving futures."""
        return [
            Cost("hand over", sum(self._handing_over), "workers between calls of publish, the pool included"),
            Cost("poll", self._polling, "poll thread between two calls of poll_tasks"),
            Cost("resolve", self._resolving, "the loop over yield_result and yield_exception"),
        ]
