"""An executor that calls everything at once, on the caller's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent import futures
from typing import NoReturn

from . import metrics
from ._chaining import Chainable
from ._checks import check_name, chosen_logger, refuse_copy_of_executor
from ._core import CallingSource, WayIn, check_threads
from ._runtime.delegate import AFTER_SHUTDOWN
from ._types import Anything, P, R, Returned

__all__ = ["SyncExecutor"]


class SyncExecutor(Chainable[Anything, Returned[NoReturn]]):
    """Calls the callable in `submit` itself, and returns a future that is done.

    It is for tests, and for callables that return at once anyway. All methods may be called from any thread.
    """

    def __init__(self, logger: logging.Logger | None = None, name: str = "default") -> None:
        check_threads()
        check_name(name)
        self._name = name
        self._future_source = CallingSource(chosen_logger(logger, "SyncExecutor"))
        self._record = metrics.track(self, "sync", name, self._future_source.counters)

    __reduce_ex__ = refuse_copy_of_executor

    def submit(  # type: ignore[override]  # of Chainable's overloads, one
        self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[R]:
        """Call `fn(*args, **kwargs)`; returns a future that has its result, or its exception.

        Raises RuntimeError after `shutdown`, and what `fn` raises if that is no `Exception`, such as KeyboardInterrupt.
        """
        try:
            return self._future_source.submit(fn, args, kwargs)
        finally:
            del self, fn, args, kwargs  # see _frames

    def _way_in(self) -> WayIn:
        """What executors on top of this one submit to."""
        return WayIn(self, SUBMIT, self._future_source, None)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accept no more work. There is nothing to wait for, and nothing to cancel."""
        self._future_source.close(AFTER_SHUTDOWN)
        self._record.ended()


SUBMIT = SyncExecutor.submit
