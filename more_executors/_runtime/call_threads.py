"""Threads that make slow calls for an executor."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from threading import RLock, Thread, current_thread

from .._core import GoingOn, log
from .nested_calls import start_thread
from .pauses import SECONDS_AFTER_ERROR, pause

__all__: list[str] = []

Job = Callable[[], object]


class ThreadSlot:
    """The place of one thread among `most`. If several threads were started for it, the first one takes it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.has_thread = False  # a thread was started for it
        self._free = deque([None])

    def take(self) -> bool:
        try:
            self._free.pop()
        except IndexError:
            return False
        return True


class CallThreads:
    """Up to `most` daemon threads, started as they are needed, that do one job after another.

    They hold nothing but the job they are at. A job that raises is logged. All methods may be called from any thread.
    """

    def __init__(self, name: str, most: int) -> None:
        """Start no thread yet. Threads are called `name` and a number."""
        self.when_free: Callable[[], object] = bool  # called after each job, when there is room again
        self._name = name
        self._most = most
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = RLock()  # guards what follows; a signal handler or a garbage collection inside may call anything
        self._threads: list[Thread] = []
        self._slots: list[ThreadSlot] = []
        self._unfinished = GoingOn()
        self._dismissed = 0  # threads that were asked to end
        self._closed = False

    def has_room(self) -> bool:
        """Whether a job that is added now would begin at once."""
        return self._unfinished.count < self._most

    def start(self, job: Job) -> None:
        """Have a thread call `job` as soon as one is free.

        Raises RuntimeError after `close`, and if no thread can be started.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot start a call after shutdown")
            # One without a thread: a call that this one interrupted was just starting that, and cannot go on before.
            slot = next((slot for slot in self._slots if not slot.has_thread), None)
            if slot is None and self._unfinished.count >= len(self._slots) and len(self._slots) < self._most:
                slot = ThreadSlot(len(self._slots) + 1)
                self._slots.append(slot)
            if slot is not None:
                self._fill(slot)
            self._unfinished.begin()
            try:
                self._jobs.put(job)  # in here: before the word of `close` that there is no more
            except BaseException:
                self._unfinished.end()
                raise

    def close(self) -> None:
        """Have the threads end after the jobs that have begun or are in the queue. Does not wait."""
        with self._lock:
            self._closed = True
            while self._dismissed < len(self._slots):
                self._jobs.put(None)
                self._dismissed += 1

    def join(self) -> None:
        """Wait until the threads have ended, after `close`."""
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def is_current(self) -> bool:
        """Whether the caller is on one of the threads."""
        return current_thread() in self._threads

    def _fill(self, slot: ThreadSlot) -> None:
        thread = Thread(target=self._work, args=(slot,), name=f"{self._name}-{slot.number}", daemon=True)
        try:
            self._threads.append(thread)  # first: what it does may ask whether it `is_current`
            start_thread(thread)
            slot.has_thread = True
        except BaseException as error:
            if thread.ident is not None:
                slot.has_thread = True
            elif thread in self._threads:
                self._threads.remove(thread)
            if not (isinstance(error, RuntimeError) and any(slot.has_thread for slot in self._slots)):
                raise

    def _work(self, slot: ThreadSlot) -> None:
        if not slot.take():
            return
        while True:
            try:
                job = self._jobs.get()
            except BaseException:  # a lack of memory
                pause(SECONDS_AFTER_ERROR)
                continue
            if job is None:
                return
            try:
                try:
                    job()
                except BaseException as error:  # a job deals with what user code raises: a lack of memory, or a fault
                    logger = logging.getLogger(__name__)
                    log(logger, logging.ERROR, "%s goes on after an error", self._name, error=error)
            except BaseException:
                pass  # in that, too
            del job
            self._unfinished.end()
            try:  # noqa: SIM105  # which asks for no memory
                self.when_free()
            except BaseException:
                pass
