"""How much processor time the library takes, measured while it works.

All times are CPU times of the measured thread (``time.thread_time``), so waiting, for the network, for the
GIL or for other processes, is not counted. They include the readings of the clock, uncorrected.

Together they are an upper bound: handing over includes the pool's own work, and the executors' threads
include the waking of whoever waits for a future. Not measured are ``future.cancel``, which few tasks see, and
``as_completed``, which is the standard library's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from time import thread_time
from typing import Any, TypeVar

from client import Descriptor, PublishClient, TaskStatus
from runs import Run

T = TypeVar("T")

JOURNAL = "-journal"
"""How the name of a thread ends that writes to a journal."""

EXECUTORS = ("PollExecutor-", "RetryExecutor-", "ThrottleExecutor-")
"""How the names of the executors' threads begin."""


@dataclass(frozen=True)
class Cost:
    """The total CPU time (seconds) of one part of the library's work, and what it is."""

    name: str
    seconds: float
    explanation: str


class _Elsewhere(threading.local):
    seconds = 0.0
    """What this thread has spent in functions that are not the library's."""


class Meter:
    """Times calls that submit and the executors' threads, without what is not the library's."""

    def __init__(self) -> None:
        self._elsewhere = _Elsewhere()
        self._submitting = 0.0
        self._threads: list[threading.Thread] = []
        self._in_threads: list[float] = []
        self._in_journals: list[float] = []

    def submit(self, submit: Callable[..., T], *args: Any) -> T:
        """Call ``submit(*args)`` and return what it does."""
        elsewhere = self._elsewhere.seconds
        begin = thread_time()
        submitted = submit(*args)
        self._submitting += thread_time() - begin - (self._elsewhere.seconds - elsewhere)
        return submitted

    @contextmanager
    def elsewhere(self) -> Generator[None, None, None]:
        """Do not count, on this thread, what is done meanwhile."""
        begin = thread_time()
        try:
            yield
        finally:
            self._elsewhere.seconds += thread_time() - begin

    @contextmanager
    def watch(self) -> Generator[None, None, None]:
        """Count the threads of executors made meanwhile, but not their calls of a pool's ``submit``."""
        submit, run = ThreadPoolExecutor.submit, threading.Thread.run

        def timed_submit(pool: ThreadPoolExecutor, /, *args: Any, **kwargs: Any) -> Future[Any]:
            with self.elsewhere():
                return submit(pool, *args, **kwargs)

        def timed_run(thread: threading.Thread) -> None:
            if thread.name.startswith(EXECUTORS):
                self._threads.append(thread)
            try:
                run(thread)
            finally:
                if thread.name.startswith(EXECUTORS):
                    of_its_kind = self._in_journals if thread.name.endswith(JOURNAL) else self._in_threads
                    of_its_kind.append(thread_time() - self._elsewhere.seconds)

        ThreadPoolExecutor.submit = timed_submit  # type: ignore[assignment, method-assign]
        threading.Thread.run = timed_run  # type: ignore[assignment, method-assign]
        try:
            yield
        finally:
            ThreadPoolExecutor.submit = submit  # type: ignore[method-assign]
            threading.Thread.run = run  # type: ignore[method-assign]

    def costs(self) -> list[Cost]:
        """The times, once the executors are shut down."""
        for thread in self._threads:
            thread.join(10.0)
        return [
            Cost("submit", self._submitting, "calls of executor.submit_many_once"),
            Cost(
                "threads",
                sum(self._in_threads),
                "threads of the executors, without searches and submit of the pool",
            ),
            Cost("journal", sum(self._in_journals), "the thread that writes the journal"),
        ]


class MeteredClient(PublishClient):
    """A client that notes when it is not at work itself: then the library is. It tells ``run``, too.

    ``published`` is how many tasks it has started, ``doubts`` of how many objects it was asked whether they
    have one, and ``known`` how many of them have.
    """

    def __init__(self, url: str, meter: Meter, run: Run, **options: Any) -> None:
        super().__init__(url, **options)
        self.published = 0
        self.doubts = 0
        self.known = 0
        self._meter = meter
        self._run = run
        self._lock = threading.Lock()
        self._thread = threading.local()
        self._handing_over: list[float] = []  # Appending is atomic: many threads publish.

    def publish(self, object_id: str) -> str:
        """Publish an object; the time since the last time in this thread is the library's and the pool's."""
        ended: float | None = getattr(self._thread, "publish_ended", None)
        if ended is not None:
            self._handing_over.append(thread_time() - ended)
        try:
            task_id = super().publish(object_id)
            self.note_published()
            return task_id
        finally:
            self._thread.publish_ended = thread_time()

    def search(self, task_ids: list[str]) -> list[TaskStatus]:
        """Look up tasks."""
        self.note_search(len(task_ids))
        with self._meter.elsewhere():
            return super().search(task_ids)

    def resolve(self, descriptor: Descriptor, task: TaskStatus) -> None:
        """Resolve a future, and note how long after its task had ended."""
        if "ended" in task:
            super().resolve(descriptor, task)
            self.note_ended(task["ended"])
        else:
            descriptor.report(task["state"])

    def find(self, object_ids: list[str]) -> dict[str, str]:
        """Look up objects."""
        with self._meter.elsewhere():
            found = super().find(object_ids)
        self.note_found(len(object_ids), len(found))
        return found

    def note_ended(self, ended: float) -> None:
        """Note how long ago a task ended, unless that was before this run."""
        if ended < self._run.began:
            with self._lock:
                self._run.late += 1
        else:
            self._run.delays.append(time.time() - ended)

    def note_published(self) -> None:
        """Count a task that was started."""
        with self._lock:
            self.published += 1

    def note_search(self, size: int) -> None:
        """Count a search for so many tasks."""
        self._run.searches.append(size)

    def note_found(self, asked: int, known: int) -> None:
        """Count objects that the service was asked about, and those of them that have a task."""
        self.doubts += asked
        self.known += known

    def costs(self) -> list[Cost]:
        """The times, once the executors are shut down."""
        if (
            not self._handing_over
        ):  # by coroutines: their loop is the library's and theirs, and cannot be told apart
            return self._meter.costs()
        hand_over = Cost(
            "hand over", sum(self._handing_over), "threads of the pool, from one call of publish to the next"
        )
        return [*self._meter.costs(), hand_over]
