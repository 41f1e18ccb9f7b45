"""Tasks that an executor leaves to somebody else, as they are."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from concurrent.futures import Future
from types import FrameType
from typing import Any, Generic

from .._checks import checked_flag
from .._core import PollTable
from .._runtime.bulk_cancel import checked_futures
from .._runtime.executor import LastingExecutor
from .._runtime.threaded_executor import ThreadedExecutor
from .._types import A, B, T

__all__: list[str] = []


class LeavingExecutor(ThreadedExecutor[A, B], Generic[A, B, T]):
    """A ThreadedExecutor whose table leaves tasks."""

    _poll_table: PollTable

    def release(self, futures: Iterable[Future[Any]]) -> list[T]:
        """Do without the tasks of `futures`, of this executor or made from them, for somebody else to `adopt` them.

        Returns the `result` of each task that is left so, in the same order. Its future is cancelled, the service is
        not told, and a journal keeps it on record as going on. Those that are done, or are not polled yet, are left
        out, and stay as they were. So does a task that a call of the poll function resolves first; what it says of the
        others comes too late. Raises TypeError if `futures` is no iterable of futures; then none is released.
        """
        return self._poll_table.release(checked_futures(futures))

    def leave(self, wait: bool = True) -> list[T]:
        """Shut down, but leave the tasks to somebody else: `release` for all that are polled. Returns their results.

        What the delegate has not begun is cancelled there. What it is just starting is left as soon as it has; with
        `wait`, this returns after that, as `shutdown` does, with all results. After an interrupt, another call goes
        on, and returns them all.
        """
        wait = checked_flag("wait", wait)
        table = self._poll_table
        table.start_leaving()
        self.shutdown(wait)
        table.leave_all()  # where it was shut down before
        if wait and not (has_interrupted_shutdown(self) or self._would_wait_for_itself()):
            self._wait_until_drained()
        return table.results_left()

    def _cancel_at_shutdown(self, asked_for: bool) -> None:
        if self._poll_table.leaves:
            self._poll_table.leave_all()
        super()._cancel_at_shutdown(asked_for)


SHUTDOWN = LastingExecutor.shutdown.__code__


def has_interrupted_shutdown(executor: object) -> bool:
    """Whether this is a signal handler on a thread that is in `shutdown` of `executor`: that would have to go on."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not (frame.f_code is SHUTDOWN and frame.f_locals.get("self") is executor):
        frame = frame.f_back
    return frame is not None
