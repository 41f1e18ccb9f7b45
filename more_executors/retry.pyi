"""The typed face of `retry`."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, overload

from typing_extensions import Never

from ._chaining import Chainable
from ._runtime.executor import DeferringExecutor
from ._types import A, Anything, B, E, Log, P, Plain, R, Returned, Untyped

__all__ = ["ExceptionRetryPolicy", "RetryExecutor", "RetryPolicy"]

class RetryPolicy:
    def should_retry(self, attempt: int, future: Future[Any]) -> bool: ...
    def sleep_time(self, attempt: int, future: Future[Any]) -> float: ...

class ExceptionRetryPolicy(RetryPolicy):
    def __init__(
        self,
        *,
        max_attempts: int = 3,
        exponent: float = 2.0,
        sleep: float = 1.0,
        max_sleep: float = 120,
        exception_base: type[BaseException] | Iterable[type[BaseException]] = ...,
    ) -> None: ...

class RetryExecutor(DeferringExecutor[A, B]):
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
    @overload
    def submit_retry(
        self: Chainable[Untyped, Untyped],
        /,
        retry_policy: RetryPolicy,
        fn: Callable[P, Any],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Future[Any]: ...
    @overload
    def submit_retry(
        self: Chainable[Anything, Returned[E]],
        /,
        retry_policy: RetryPolicy,
        fn: Callable[P, R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Future[R | E]: ...
    @overload
    def submit_retry(
        self, /, retry_policy: RetryPolicy, fn: Callable[P, A], *args: P.args, **kwargs: P.kwargs
    ) -> Future[B]: ...

def checked_policy(policy: RetryPolicy) -> RetryPolicy: ...
