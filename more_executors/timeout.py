"""An executor that cancels what takes too long."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, overload

from ._chaining import Awaiting, Chainable, HandingOn, Unknown
from ._checks import checked_timeout
from ._core import TimeoutTable, WayIn
from ._runtime.delegate import Delegate, Submits
from ._runtime.threaded_executor import ThreadedExecutor
from ._runtime.through import ALL, ThroughPoll
from ._types import A, Anything, Async, B, E, FutureLike, Log, Never, P, Plain, R, Returned

__all__ = ["TimeoutExecutor"]


class TimeoutExecutor(ThreadedExecutor[A, B], ThroughPoll[B]):
    """Tries once to cancel each future that is not done `timeout` seconds after its `submit`.

        executor = TimeoutExecutor(ThreadPoolExecutor(), timeout=60)

    Whether it is cancelled depends on the delegate: a thread pool cancels only what it has not begun. All methods may
    be called from any thread. One more future costs the logarithm of the number of futures, or less if all have the
    same timeout.
    """

    _kind = "TimeoutExecutor"
    _metric = "timeout"
    _reached = ALL

    @overload
    def __init__(
        self, delegate: Chainable[A, B], timeout: float, logger: Log = None, name: str = "default"
    ) -> None: ...
    @overload
    def __init__(
        self: TimeoutExecutor[Anything, Returned[Never]],
        delegate: Plain,
        timeout: float,
        logger: Log = None,
        name: str = "default",
    ) -> None: ...
    def __init__(
        self, delegate: Delegate, timeout: float, logger: logging.Logger | None = None, name: str = "default"
    ) -> None:
        """Make it.

        Args:
            delegate: the executor that runs the callables; it is shut down after this one.
            timeout: a float, in seconds. After inf seconds is never, after 0 or less at once.
            logger: a `logging.Logger`, by default the logger "TimeoutExecutor".
            name: a str, the label of this executor in metrics, and the end of the name of its thread.

        Raises TypeError or ValueError if one of these cannot be used.
        """
        super().__init__(delegate, logger, name)
        self._timeout = checked_timeout("timeout", timeout)
        self._timeout_table = TimeoutTable(self._logger)
        self._timeout_table.timeout = self._timeout
        self._start(self._timeout_table)

    @overload  # type: ignore[override]  # see Chainable
    def submit(self: Unknown, fn: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> Future[Any]: ...
    @overload
    def submit(self: HandingOn[E], fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R | E]: ...
    @overload
    def submit(self: Awaiting[E], fn: Async[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R | E]: ...
    @overload
    def submit(self, fn: Callable[P, A], /, *args: P.args, **kwargs: P.kwargs) -> Future[B]: ...
    def submit(  # pyright: ignore[reportIncompatibleMethodOverride]  # see Chainable
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """Have the delegate call `fn(*args, **kwargs)`; returns a future that is cancelled after the timeout.

        Raises RuntimeError after `shutdown`, at the end of the interpreter and in a forked child process, and what the
        delegate's `submit` raises.
        """
        try:
            return self._timeout_table.submit_timeout(self, self._submits_to, self._timeout, fn, args, kwargs)
        finally:
            del self, fn, args, kwargs  # as in the base class

    def _way_in(self) -> Submits:
        return WayIn(self, SUBMIT, self._timeout_table, self._submits_to)

    @overload
    def submit_timeout(
        self: Unknown, /, timeout: float, fn: Callable[P, Any], *args: P.args, **kwargs: P.kwargs
    ) -> Future[Any]: ...
    @overload
    def submit_timeout(
        self: HandingOn[E], /, timeout: float, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> Future[R | E]: ...
    @overload
    def submit_timeout(
        self: Awaiting[E], /, timeout: float, fn: Async[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> Future[R | E]: ...
    @overload
    def submit_timeout(self, /, timeout: float, fn: Callable[P, A], *args: P.args, **kwargs: P.kwargs) -> Future[B]: ...
    def submit_timeout(self, /, timeout: float, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        """As `submit`, with this `timeout`, in seconds, instead of the executor's.

        Raises TypeError or ValueError if it is no number of seconds, and what `submit` raises.
        """
        try:
            seconds = checked_timeout("timeout", timeout)
            return self._timeout_table.submit_timeout(self, self._submits_to, seconds, fn, args, kwargs)
        finally:
            del self, fn, args, kwargs

    def _watch(self, future: FutureLike[Any], seconds: float) -> Future[Any]:
        """A future with the outcome of `future`, which is cancelled after so many seconds."""
        return self._timeout_table.with_timeout(self, future, seconds)

    def _work(self) -> float | None:
        try:
            return self._timeout_table.cancel_due()
        finally:
            del self  # see `_run_once`


SUBMIT = TimeoutExecutor.submit
