"""Tasks that an executor leaves to somebody else, as they are."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from threading import get_ident
from typing import Any, Generic

from .._checks import checked_flag
from .._core import PollTable
from .._runtime.bulk_cancel import checked_futures
from .._runtime.threaded_executor import ThreadedExecutor
from .._types import A, B, T

__all__: list[str] = []


class LeavingExecutor(ThreadedExecutor[A, B], Generic[A, B, T]):
    """A ThreadedExecutor whose table leaves tasks."""

    _poll_table: PollTable
    _in_shutdown: set[int]  # the threads that are

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        me = get_ident()
        is_nested = me in self._in_shutdown
        self._in_shutdown.add(me)
        try:
            super().shutdown(wait, cancel_futures=cancel_futures)
        finally:
            if not is_nested:
                self._in_shutdown.discard(me)

    shutdown.__doc__ = ThreadedExecutor.shutdown.__doc__

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
        # In a signal handler that has interrupted a shutdown, that is what would have to go on.
        if wait and get_ident() not in self._in_shutdown and not self._would_wait_for_itself():
            self._wait_until_drained()
        return table.results_left()

    def _cancel_at_shutdown(self, asked_for: bool) -> None:
        if self._poll_table.leaves:
            self._poll_table.leave_all()
        super()._cancel_at_shutdown(asked_for)
