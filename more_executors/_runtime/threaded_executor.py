"""Executors with a thread of their own, which does what is due, and in the end shuts the delegate down."""

from __future__ import annotations

from abc import abstractmethod

from .._core import run_once
from .._types import A, B
from .delegate import AFTER_SHUTDOWN
from .executor import DelegatingExecutor
from .executor_thread import ExecutorThread

__all__: list[str] = []


class ThreadedExecutor(DelegatingExecutor[A, B]):
    """A DelegatingExecutor with a thread of its own, called after it.

    A subclass also

    3. does in `_work`, on that thread, what there is to do; it may be called from `_start` on;
    4. if it has more to end when all futures are done, does that in `_finish`.
    """

    _background: bool | None = None  # whether the thread is to shut the delegate down; None: it is not known yet

    def _start_thread(self) -> None:
        self._worker = ExecutorThread(self, self._table.waker, f"{self._kind}-{self._name}")
        self._worker.start()

    @abstractmethod
    def _work(self) -> float | None:
        """Do what is due; returns the seconds until there is more, None for as long as nothing wakes the thread."""

    def _finish(self) -> None:
        """All futures are done. Called on the thread, once, or again if it raises."""

    _run_once = run_once

    def _end_itself(self) -> None:
        """All futures are done, and so is what the thread has to do."""
        try:
            self._finish()
            if self._background:
                self._shut_delegate_down_in_background()
        finally:
            del self  # see _frames

    def _is_over(self) -> bool:
        return self._drained() and (self._table.closed != AFTER_SHUTDOWN or self._background is not None)

    def _stay_until_drained(self) -> None:
        self._worker.pin(self)

    def _wait_until_drained(self) -> None:
        self._worker.join()

    def _end_when_drained(self, background: bool) -> None:
        before, self._background = self._background, background
        if self._drained():  # else whatever ends the last future wakes the thread
            self._table.waker.set()
            if before is False:  # the thread may be over without that
                self._shut_delegate_down_in_background()

    def _would_wait_for_itself(self) -> bool:
        return self._worker.is_current() or super()._would_wait_for_itself()

    def _forget_threads(self) -> None:
        self._worker.end_after_fork()


class DeferringExecutor(ThreadedExecutor[A, B]):
    """A ThreadedExecutor whose thread submits to the delegate: that has to take work until all futures are done."""

    def _is_over_at_once(self) -> bool:
        return False

    def _cancels_at_shutdown(self) -> bool:
        return False
