"""The thread of an executor, which must not keep it alive."""

from __future__ import annotations

import logging
import weakref
from threading import Thread, current_thread
from time import monotonic, sleep
from typing import Protocol

from .._core import Waker, log, next_turn
from .nested_calls import start_thread
from .pauses import SECONDS_AFTER_ERROR, pause

__all__: list[str] = []

LONGEST_RUN = 0.002  # seconds without a rest
REST = 0.00005  # which is enough for threads that wait for the GIL


class RunsOnThread(Protocol):
    """An executor with a thread of its own."""

    def _run_once(self) -> float | None:
        """Do what is due; returns the seconds until the next call, or None if there is to be none."""


class ExecutorThread:
    """A daemon thread that calls `_run_once` of an executor, and refers to the executor during the call only.

    It ends when a call returns None, or when nobody refers to the executor any more. It calls at the start, after the
    seconds that the last call returned, and whenever `waker` is set. If there is always more to do, it rests now and
    then: other threads would have the GIL half of the time, if that.
    """

    def __init__(self, executor: RunsOnThread, waker: Waker, name: str) -> None:
        """Make the thread. `start` starts it."""
        self._executor = weakref.ref(executor, lambda _: waker.set())
        self._waker = waker
        self._pinned: RunsOnThread | None = None
        self._over = False
        self._is_forked = False
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread. Raises RuntimeError if it cannot be started."""
        start_thread(self._thread)

    def pin(self, executor: RunsOnThread) -> None:
        """Keep `executor` alive until the thread ends."""
        if not self._over:
            self._pinned = executor

    def end_after_fork(self) -> None:
        """Call this in a forked child. Threads do not exist there; but where they are greenlets, they do."""
        self._is_forked = True

    def is_current(self) -> bool:
        """Whether the caller is on this thread."""
        return current_thread() is self._thread

    def has_begun(self) -> bool:
        """Whether the thread was started."""
        return self._thread.ident is not None

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join()

    def _run(self) -> None:
        # Nothing may end this but the word of a turn, as nobody else would complete the futures: a turn deals with what
        # user code raises, but not with a lack of memory, or with a fault of ours. Handling that may fail likewise.
        since: float | None = None  # it has always had more to do
        seconds: float | None = 0.0
        try:
            while seconds is not None:
                try:
                    try:
                        seconds = next_turn(self._waker, seconds, self._executor)
                    except BaseException as error:
                        seconds = self._after(error)
                    since = None if seconds is None or seconds > 0.0 else self._rest(since)
                except BaseException:
                    seconds = 0.0  # there may have been no turn
                    pause(SECONDS_AFTER_ERROR)
        finally:
            self._over = True
            self._pinned = None
        is_forked = self._is_forked
        del self  # see _frames
        if is_forked:  # a greenlet; `threading` does not know it here, so that it cannot end
            Waker().wait()

    def _rest(self, since: float | None) -> float | None:
        now = monotonic()
        if since is None or now - since < LONGEST_RUN:
            return now if since is None else since
        sleep(REST)
        return None

    def _after(self, error: BaseException) -> float:
        try:
            logger = logging.getLogger(__name__)
            log(logger, logging.ERROR, "%s goes on after an error", self._thread.name, error=error)
            return SECONDS_AFTER_ERROR
        finally:
            del self, error  # see _frames
