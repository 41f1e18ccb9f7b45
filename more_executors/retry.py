"""An executor that calls again what failed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from math import inf
from typing import Any, cast, overload

from ._callables import check_method
from ._chaining import Awaiting, Chainable, HandingOn, Unknown
from ._checks import checked_number, has_method, iterated, shown
from ._core import RetryTable, WayIn
from ._runtime.delegate import Delegate, Submits
from ._runtime.threaded_executor import DeferringExecutor
from ._types import A, Anything, Async, B, E, Log, Never, P, Plain, R, Returned

__all__ = ["ExceptionRetryPolicy", "RetryExecutor", "RetryPolicy"]


class RetryPolicy:
    """Decides whether there is another attempt, and when. Subclass it, and override one or both methods.

    They are called on the thread that completed an attempt, so on several threads at a time. No lock is held. If a
    method raises, that is logged, and there are no more attempts.
    """

    def should_retry(self, attempt: int, future: Future[Any]) -> bool:
        """Whether to make another attempt. By default False.

        It is called after each attempt that was not cancelled, after a success too.

        Args:
            attempt: an int, the number of the attempt that has ended; the first is 1.
            future: a future that is done, with the result or the exception of that attempt.
        """
        return False

    def sleep_time(self, attempt: int, future: Future[Any]) -> float:
        """How many seconds to wait before the next attempt; less than 0 is as 0. By default 0.

        The arguments are those of `should_retry`.
        """
        return 0


class ExceptionRetryPolicy(RetryPolicy):
    """Makes another attempt after certain exceptions, with longer and longer pauses."""

    def __init__(
        self,
        *,
        max_attempts: int = 3,
        exponent: float = 2.0,
        sleep: float = 1.0,
        max_sleep: float = 120,
        exception_base: type[BaseException] | Iterable[type[BaseException]] = Exception,
    ) -> None:
        """Make it.

        Args:
            max_attempts: an int, the number of attempts at most, with the first one.
            exponent: a float; each pause is so many times as long as the one before.
            sleep: a float, the length of the first pause in seconds.
            max_sleep: a float, the length of the longest pause in seconds.
            exception_base: an exception class, or an iterable of them. After other exceptions there is no new attempt.

        Raises TypeError or ValueError if one of these cannot be used.
        """
        self._max_attempts = checked_number("max_attempts", max_attempts)
        self._exponent = checked_number("exponent", exponent)
        self._sleep = checked_number("sleep", sleep)
        self._max_sleep = checked_number("max_sleep", max_sleep)
        self._exception_base = checked_exceptions("exception_base", exception_base)

    def should_retry(self, attempt: int, future: Future[Any]) -> bool:
        return attempt < self._max_attempts and isinstance(future.exception(), self._exception_base)

    def sleep_time(self, attempt: int, future: Future[Any]) -> float:
        try:
            growth = self._exponent ** (attempt - 1)
        except OverflowError:
            growth = inf
        # Never 0 times infinity: what is 0 once stays so.
        return min(self._sleep * growth, self._max_sleep) if self._sleep and growth else 0.0


FOR_ERRORS = ExceptionRetryPolicy.should_retry


class RetryExecutor(DeferringExecutor[A, B]):
    """Has the delegate call again what failed, as often as a policy says.

        with RetryExecutor(ThreadPoolExecutor(), max_attempts=5, exception_base=OSError) as executor:
            page = executor.submit(download, url).result()

    A future gets the result, or the exception, of the last attempt. Attempts are submitted to the delegate from a
    thread of this executor, in the order in which they are due.

    Between two attempts, `future.cancel()` always succeeds. During an attempt it cancels the delegate's future; even if
    that is refused, there are no more attempts. There are none after an attempt that was cancelled in the delegate.

    All methods may be called from any thread. One more waiting call costs the logarithm of the number of waiting calls.
    """

    _kind = "RetryExecutor"
    _metric = "retry"

    @overload
    def __init__(
        self,
        delegate: Chainable[A, B],
        retry_policy: RetryPolicy | None = None,
        logger: Log = None,
        name: str = "default",
        **kwargs: Any,
    ) -> None: ...
    @overload
    def __init__(
        self: RetryExecutor[Anything, Returned[Never]],
        delegate: Plain,
        retry_policy: RetryPolicy | None = None,
        logger: Log = None,
        name: str = "default",
        **kwargs: Any,
    ) -> None: ...
    def __init__(
        self,
        delegate: Delegate,
        retry_policy: RetryPolicy | None = None,
        logger: logging.Logger | None = None,
        name: str = "default",
        **kwargs: Any,
    ) -> None:
        """Make it.

        Args:
            delegate: the executor that runs the attempts; it is shut down after this one.
            retry_policy: a `RetryPolicy`, by default an `ExceptionRetryPolicy` made of `kwargs`.
            logger: a `logging.Logger`, by default the logger "RetryExecutor".
            name: a str, the label of this executor in metrics, and the end of the name of its thread.
            kwargs: the arguments of `ExceptionRetryPolicy`.

        Raises TypeError or ValueError if one of these cannot be used.
        """
        super().__init__(delegate, logger, name)
        self._policy = ExceptionRetryPolicy(**kwargs) if retry_policy is None else checked_policy(retry_policy)
        self._retry_table = RetryTable(self._logger, FOR_ERRORS)
        self._start(self._retry_table)

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
        """Have the delegate call `fn(*args, **kwargs)`, as often as the policy says; returns a future of the last call.

        Raises RuntimeError after `shutdown`, at the end of the interpreter and in a forked child process.
        """
        return self._retry_table.submit_retry(self, self._policy, fn, args, kwargs)

    def _way_in(self) -> Submits:
        return WayIn(self, SUBMIT, self._retry_table, self._policy)

    @overload
    def submit_retry(
        self: Unknown, /, retry_policy: RetryPolicy, fn: Callable[P, Any], *args: P.args, **kwargs: P.kwargs
    ) -> Future[Any]: ...
    @overload
    def submit_retry(
        self: HandingOn[E], /, retry_policy: RetryPolicy, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> Future[R | E]: ...
    @overload
    def submit_retry(
        self: Awaiting[E], /, retry_policy: RetryPolicy, fn: Async[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> Future[R | E]: ...
    @overload
    def submit_retry(
        self, /, retry_policy: RetryPolicy, fn: Callable[P, A], *args: P.args, **kwargs: P.kwargs
    ) -> Future[B]: ...
    def submit_retry(
        self, /, retry_policy: RetryPolicy, fn: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """As `submit`, with this `RetryPolicy` instead of the executor's.

        Raises TypeError if `retry_policy` is no retry policy, and what `submit` raises.
        """
        return self._retry_table.submit_retry(self, checked_policy(retry_policy), fn, args, kwargs)

    def _work(self) -> float | None:
        try:
            return self._retry_table.start_due(self._submits_to)
        finally:
            del self  # see `_run_once`


SUBMIT = RetryExecutor.submit


def checked_policy(policy: RetryPolicy) -> RetryPolicy:
    """`policy`. Raises TypeError if it is no retry policy."""
    for method in ("should_retry", "sleep_time"):
        if not has_method(policy, method):
            raise TypeError(f"retry_policy must be a RetryPolicy, with a method {method}, not {shown(policy)}")
        check_method("retry_policy", policy, method)
    return policy


def checked_exceptions(what: str, classes: Any) -> tuple[type[BaseException], ...]:
    """A tuple of `classes`, which is one exception class or several.

    Raises TypeError if it is anything else, and ValueError if it is empty.
    """
    several: Any = (classes,) if isinstance(classes, type) else classes
    found: list[type[BaseException]] = []
    for one in iterated(what, several, "exception classes, or one"):
        if not (isinstance(one, type) and issubclass(one, BaseException)):
            raise TypeError(f"{what} must be an exception class, or several, not {shown(cast('object', one))}")
        found.append(one)
    if not found:
        raise ValueError(f"{what} must be an exception class, or several, not {shown(classes)}, which has none")
    return tuple(found)
