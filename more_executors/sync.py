"""An executor that runs everything at once, on the caller's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent import futures
from typing import NoReturn

from . import metrics
from ._chaining import Chainable
from ._checks import check_name, chosen_logger, refuse_copy
from ._core import FutureSource, check_threads
from ._runtime.delegate import AFTER_SHUTDOWN
from ._types import Anything, P, R, Returned

__all__ = ["SyncExecutor"]


class SyncExecutor(Chainable[Anything, Returned[NoReturn]]):
    """Calls what is submitted in `submit` itself and returns a future that is done.

    The base of a chain in tests, and where the callable returns at once anyhow. May be used from any thread.
    """

    def __init__(self, logger: logging.Logger | None = None, name: str = "default") -> None:
        check_threads()
        check_name(name)
        self._name = name
        self._origin = FutureSource(chosen_logger(logger, "SyncExecutor"))
        self._shut_down = False
        self._record = metrics.track(self, "sync", name, self._origin.counters)

    __reduce_ex__ = refuse_copy

    def submit(  # type: ignore[override]  # of Chainable's overloads, one
        self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[R]:
        """Call `fn(*args, **kwargs)`; returns a future with what it returned or raised.

        Only an `Exception` is caught: a KeyboardInterrupt, say, gets to the caller. Raises RuntimeError after
        `shutdown`.
        """
        if self._shut_down:
            raise RuntimeError(AFTER_SHUTDOWN)
        try:
            return self._origin.run(fn, args, kwargs)
        finally:
            del self, fn, args, kwargs  # see _frames

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work; there is nothing to wait for or to cancel."""
        self._shut_down = True
        self._record.ended()
