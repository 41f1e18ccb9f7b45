"""Cancelling what takes too long."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, overload

from ._chaining import Chainable, HandingOn, Unknown
from ._checks import checked_timeout
from ._core import TimeoutTable
from ._runtime.delegate import Delegate
from ._runtime.executor import ThreadedExecutor
from ._types import A, Anything, B, E, FutureLike, Log, Never, P, Plain, R, Returned

__all__ = ["TimeoutExecutor"]


class TimeoutExecutor(ThreadedExecutor[A, B]):
    """Tries to cancel each future that is not done some seconds after its submit, once.

        executor = TimeoutExecutor(ThreadPoolExecutor(), timeout=60)

    Whether that works is up to the delegate: a thread pool cancels what it has not begun. All methods may be called
    from any thread. However many futures there are, one more costs the logarithm of their number, and nothing if all
    have the same time.
    """

    _kind = "TimeoutExecutor"
    _metric = "timeout"

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
            delegate: the executor that calls what is submitted; shut down after this one.
            timeout: seconds; inf is for ever, and what is not positive over at once.
            logger: by default the one called "TimeoutExecutor".
            name: labels metrics and ends the name of the thread.

        Raises TypeError or ValueError if one of these cannot be used.
        """
        super().__init__(delegate, logger, name)
        self._timeout = checked_timeout("timeout", timeout)
        self._timeout_table = TimeoutTable(self._logger)
        self._start(self._timeout_table)

    @overload  # type: ignore[override]  # see Chainable
    def submit(self: Unknown, fn: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> Future[Any]: ...
    @overload
    def submit(self: HandingOn[E], fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R | E]: ...
    @overload
    def submit(self, fn: Callable[P, A], /, *args: P.args, **kwargs: P.kwargs) -> Future[B]: ...
    def submit(  # pyright: ignore[reportIncompatibleMethodOverride]  # see Chainable
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """Have the delegate call `fn(*args, **kwargs)`; returns a future that is cancelled when its time is up.

        Raises RuntimeError after `shutdown`, at the end of the interpreter and in a forked child, and whatever the
        delegate's `submit` raises.
        """
        try:
            return self._timeout_table.submit_timeout(self, self._submits_to, self._timeout, fn, args, kwargs)
        finally:
            del self, fn, args, kwargs  # as in the base class

    @overload
    def submit_timeout(
        self: Unknown, /, timeout: float, fn: Callable[P, Any], *args: P.args, **kwargs: P.kwargs
    ) -> Future[Any]: ...
    @overload
    def submit_timeout(
        self: HandingOn[E], /, timeout: float, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> Future[R | E]: ...
    @overload
    def submit_timeout(self, /, timeout: float, fn: Callable[P, A], *args: P.args, **kwargs: P.kwargs) -> Future[B]: ...
    def submit_timeout(self, /, timeout: float, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        """`submit` with `timeout` seconds. Raises TypeError or ValueError if that is no number of them."""
        try:
            seconds = checked_timeout("timeout", timeout)
            return self._timeout_table.submit_timeout(self, self._submits_to, seconds, fn, args, kwargs)
        finally:
            del self, fn, args, kwargs

    def _watch(self, future: FutureLike[Any], seconds: float) -> Future[Any]:
        """A future that ends as `future` does, and that is cancelled when its time is up."""
        return self._timeout_table.with_timeout(self, future, seconds)

    def _work(self) -> float | None:
        try:
            return self._timeout_table.cancel_due()
        finally:
            del self  # see `_run_once`
