"""The typed face of `timeout`."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, overload

from typing_extensions import Never

from ._chaining import Chainable
from ._runtime.executor import ThreadedExecutor
from ._types import A, Anything, B, E, FutureLike, Log, P, Plain, R, Returned, Untyped

__all__ = ["TimeoutExecutor"]

class TimeoutExecutor(ThreadedExecutor[A, B]):
    @overload
    def __init__(
        self,
        delegate: Chainable[A, B],
        timeout: float,
        logger: Log = None,
        name: str = "default",
    ) -> None: ...
    @overload
    def __init__(
        self: TimeoutExecutor[Anything, Returned[Never]],
        delegate: Plain,
        timeout: float,
        logger: Log = None,
        name: str = "default",
    ) -> None: ...
    @overload
    def submit_timeout(
        self: Chainable[Untyped, Untyped], /, timeout: float, fn: Callable[P, Any], *args: P.args, **kwargs: P.kwargs
    ) -> Future[Any]: ...
    @overload
    def submit_timeout(
        self: Chainable[Anything, Returned[E]],
        /,
        timeout: float,
        fn: Callable[P, R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Future[R | E]: ...
    @overload
    def submit_timeout(self, /, timeout: float, fn: Callable[P, A], *args: P.args, **kwargs: P.kwargs) -> Future[B]: ...
    def _watch(self, future: FutureLike[Any], seconds: float) -> Future[Any]: ...
