"""An executor that runs everything at once, on the caller's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent import futures
from typing import ParamSpec, TypeVar

from . import metrics
from ._base import AFTER_SHUTDOWN, Chainable, check_name, chosen_logger
from ._core import Origin

__all__ = ["SyncExecutor"]

P = ParamSpec("P")
A = TypeVar("A")


class SyncExecutor(Chainable):
    """Calls what is submitted in `submit` itself and returns a future that is done.

    The base of a chain in tests, and where the callable returns at once anyhow. May be used from any thread.
    """

    def __init__(self, logger: logging.Logger | None = None, name: str = "default") -> None:
        check_name(name)
        self._name = name
        self._origin = Origin(chosen_logger(logger, "SyncExecutor"))
        self._shut_down = False
        self._record = metrics.track(self, "sync", name, self._origin.tally)

    def submit(self, fn: Callable[P, A], /, *args: P.args, **kwargs: P.kwargs) -> futures.Future[A]:
        """Call `fn(*args, **kwargs)`; returns a future with what it returned or raised.

        Only an `Exception` is caught: a KeyboardInterrupt, say, gets to the caller. Raises RuntimeError after
        `shutdown`.
        """
        if self._shut_down:
            raise RuntimeError(AFTER_SHUTDOWN)
        try:
            return self._origin.run(fn, args, kwargs)
        finally:
            # An exception that the future keeps may keep this frame: it must not keep what is in it.
            del self, fn, args, kwargs

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work; there is nothing to wait for or to cancel."""
        if not self._shut_down:
            self._shut_down = True
            self._record.ended()
