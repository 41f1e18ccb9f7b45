"""The typed face of `_chaining`."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Any, Generic, overload

from typing_extensions import Never, Unpack

from ._bound import BoundCallable
from ._types import (
    A,
    Anything,
    B,
    C,
    Cancel,
    Count,
    D,
    E,
    FutureLike,
    Log,
    Name,
    OnError,
    P,
    Poll,
    R,
    Returned,
    Untyped,
    X,
)
from .asyncio import AsyncioExecutor
from .cancel_on_shutdown import CancelOnShutdownExecutor
from .flat_map import FlatMapExecutor
from .map import MapExecutor
from .poll import PollExecutor
from .poll._executor import PollKeywords
from .retry import RetryExecutor, RetryPolicy
from .throttle import ThrottleExecutor
from .timeout import TimeoutExecutor

__all__: list[str] = []

class Chainable(Executor, Generic[A, B]):
    _name: str

    @overload  # type: ignore[override]  # the base class cannot say that futures give something else
    def submit(
        self: Chainable[Untyped, Untyped], fn: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[Any]: ...
    @overload
    def submit(
        self: Chainable[Anything, Returned[E]], fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[R | E]: ...
    @overload
    def submit(self, fn: Callable[P, A], /, *args: P.args, **kwargs: P.kwargs) -> Future[B]: ...
    @overload  # type: ignore[override]
    def map(
        self: Chainable[Untyped, Untyped],
        fn: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[Any]: ...
    @overload
    def map(
        self: Chainable[Anything, Returned[E]],
        fn: Callable[..., R],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[R | E]: ...
    @overload
    def map(
        self,
        fn: Callable[..., A],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[B]: ...
    @overload
    def with_map(
        self: Chainable[Untyped, Untyped],
        fn: Callable[[Any], D],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[X] = None,
    ) -> MapExecutor[Any, D | X]: ...
    @overload
    def with_map(
        self: Chainable[Anything, Returned[E]],
        fn: Callable[[C | E], D],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[X] = None,
    ) -> MapExecutor[C, D | X]: ...
    @overload
    def with_map(
        self: Chainable[Anything, Returned[E]],
        fn: None = None,
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[X] = None,
    ) -> MapExecutor[Anything, Returned[E | X]]: ...
    @overload
    def with_map(
        self, fn: Callable[[B], D], logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
    ) -> MapExecutor[A, D | X]: ...
    @overload
    def with_map(
        self, fn: None = None, logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
    ) -> MapExecutor[A, B | X]: ...
    @overload  # for functions such as the identity, which type variables cannot tell the results of
    def with_flat_map(
        self: Chainable[Anything, Returned[Never]],
        fn: Callable[[FutureLike[Any]], FutureLike[Any]],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[Any]] = None,
    ) -> FlatMapExecutor[Any, Any]: ...
    @overload
    def with_flat_map(
        self: Chainable[Untyped, Untyped],
        fn: Callable[[Any], FutureLike[D]],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> FlatMapExecutor[Any, D | X]: ...
    @overload
    def with_flat_map(
        self: Chainable[Anything, Returned[E]],
        fn: Callable[[C | E], FutureLike[D]],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> FlatMapExecutor[C, D | X]: ...
    @overload
    def with_flat_map(
        self: Chainable[Anything, Returned[E]],
        fn: None = None,
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> FlatMapExecutor[Anything, Returned[E | X]]: ...
    @overload
    def with_flat_map(
        self,
        fn: Callable[[B], FutureLike[D]],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> FlatMapExecutor[A, D | X]: ...
    @overload
    def with_flat_map(
        self, fn: None = None, logger: Log = None, name: Name = None, *, error_fn: OnError[FutureLike[X]] = None
    ) -> FlatMapExecutor[A, B | X]: ...
    @overload
    def with_poll(
        self: Chainable[Untyped, Untyped],
        poll_fn: Poll[Any, D],
        cancel_fn: Cancel[Any] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: Name = None,
        **options: Unpack[PollKeywords[Any]],
    ) -> PollExecutor[Any, D, Any]: ...
    @overload
    def with_poll(
        self: Chainable[Anything, Returned[E]],
        poll_fn: Poll[C | E, D],
        cancel_fn: Cancel[C | E] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: Name = None,
        **options: Unpack[PollKeywords[C | E]],
    ) -> PollExecutor[C, D, C | E]: ...
    @overload
    def with_poll(
        self,
        poll_fn: Poll[B, D],
        cancel_fn: Cancel[B] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: Name = None,
        **options: Unpack[PollKeywords[B]],
    ) -> PollExecutor[A, D, B]: ...
    def with_retry(
        self, retry_policy: RetryPolicy | None = None, logger: Log = None, name: Name = None, **kwargs: Any
    ) -> RetryExecutor[A, B]: ...
    def with_timeout(self, timeout: float, logger: Log = None, name: Name = None) -> TimeoutExecutor[A, B]: ...
    def with_throttle(
        self, count: Count, logger: Log = None, name: Name = None, block: bool = False
    ) -> ThrottleExecutor[A, B]: ...
    def with_cancel_on_shutdown(self, logger: Log = None, name: Name = None) -> CancelOnShutdownExecutor[A, B]: ...
    def with_asyncio(
        self, loop: asyncio.AbstractEventLoop | None = None, logger: Log = None, name: Name = None
    ) -> AsyncioExecutor[A, B]: ...
    @overload
    def bind(self: Chainable[Untyped, Untyped], fn: Callable[P, Any]) -> BoundCallable[P, Any]: ...
    @overload
    def bind(self: Chainable[Anything, Returned[E]], fn: Callable[P, R]) -> BoundCallable[P, R | E]: ...
    @overload
    def bind(self, fn: Callable[P, A]) -> BoundCallable[P, B]: ...
    @overload
    def flat_bind(
        self: Chainable[Anything, Returned[Never]], fn: Callable[P, FutureLike[R]]
    ) -> BoundCallable[P, R]: ...
    @overload
    def flat_bind(self: Chainable[E, FutureLike[R]], fn: Callable[P, E]) -> BoundCallable[P, R]: ...
