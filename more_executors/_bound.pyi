"""The typed face of `_bound`."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, overload

from typing_extensions import Unpack

from ._runtime.delegate import Delegate
from ._types import B, Cancel, Count, D, FutureLike, Log, Name, OnError, P, Poll, X
from .poll._executor import PollKeywords
from .retry import RetryPolicy

__all__: list[str] = []

class BoundCallable(Generic[P, B]):
    _executor: Delegate
    _fn: Callable[..., Any]

    def __init__(self, executor: Delegate, fn: Callable[..., Any]) -> None: ...
    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> Future[B]: ...
    @overload
    def with_map(
        self, fn: Callable[[B], D], logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
    ) -> BoundCallable[P, D | X]: ...
    @overload
    def with_map(
        self, fn: None = None, logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
    ) -> BoundCallable[P, B | X]: ...
    @overload
    def with_flat_map(
        self,
        fn: Callable[[B], FutureLike[D]],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> BoundCallable[P, D | X]: ...
    @overload
    def with_flat_map(
        self, fn: None = None, logger: Log = None, name: Name = None, *, error_fn: OnError[FutureLike[X]] = None
    ) -> BoundCallable[P, B | X]: ...
    def with_poll(
        self,
        poll_fn: Poll[B, D],
        cancel_fn: Cancel[B] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: Name = None,
        **options: Unpack[PollKeywords[B]],
    ) -> BoundCallable[P, D]: ...
    def with_retry(
        self, retry_policy: RetryPolicy | None = None, logger: Log = None, name: Name = None, **kwargs: Any
    ) -> BoundCallable[P, B]: ...
    def with_timeout(self, timeout: float, logger: Log = None, name: Name = None) -> BoundCallable[P, B]: ...
    def with_throttle(
        self, count: Count, logger: Log = None, name: Name = None, block: bool = False
    ) -> BoundCallable[P, B]: ...
    def with_cancel_on_shutdown(self, logger: Log = None, name: Name = None) -> BoundCallable[P, B]: ...
    def with_asyncio(
        self, loop: asyncio.AbstractEventLoop | None = None, logger: Log = None, name: Name = None
    ) -> Callable[P, asyncio.Future[B]]: ...
