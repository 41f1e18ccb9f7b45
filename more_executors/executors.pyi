"""The typed face of `executors`; `python -m mypy.stubtest more_executors.executors` checks it against the real one."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias, overload

from typing_extensions import Never, Unpack

from ._bound import BoundCallable
from ._chaining import Chainable
from ._types import (
    Anything,
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
    Plain,
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
from .pools import ProcessPoolExecutor, ThreadPoolExecutor
from .retry import RetryExecutor, RetryPolicy
from .sync import SyncExecutor
from .throttle import ThrottleExecutor
from .timeout import TimeoutExecutor

__all__ = ["Executors"]

_As: TypeAlias = Chainable[Anything, Returned[E]]
_On: TypeAlias = Chainable[R, E]
_Unknown: TypeAlias = Chainable[Untyped, Untyped]
_Fn: TypeAlias = Callable[[E], D]

class Executors:
    @classmethod
    def thread_pool(cls, *args: Any, **kwargs: Any) -> ThreadPoolExecutor: ...
    @classmethod
    def threadpool(cls, *args: Any, **kwargs: Any) -> ThreadPoolExecutor: ...
    @classmethod
    def process_pool(cls, *args: Any, **kwargs: Any) -> ProcessPoolExecutor: ...
    @classmethod
    def sync(cls, logger: Log = None, name: str = "default") -> SyncExecutor: ...
    @overload
    @classmethod
    def with_map(
        cls, executor: _Unknown, fn: _Fn[Any, D], logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
    ) -> MapExecutor[Any, D | X]: ...
    @overload
    @classmethod
    def with_map(
        cls, executor: _As[E], fn: _Fn[C | E, D], logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
    ) -> MapExecutor[C, D | X]: ...
    @overload
    @classmethod
    def with_map(
        cls, executor: _As[E], fn: None = None, logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
    ) -> MapExecutor[Anything, Returned[E | X]]: ...
    @overload
    @classmethod
    def with_map(
        cls, executor: _On[R, E], fn: _Fn[E, D], logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
    ) -> MapExecutor[R, D | X]: ...
    @overload
    @classmethod
    def with_map(
        cls, executor: _On[R, E], fn: None = None, logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
    ) -> MapExecutor[R, E | X]: ...
    @overload
    @classmethod
    def with_map(
        cls, executor: Plain, fn: _Fn[C, D], logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
    ) -> MapExecutor[C, D | X]: ...
    @overload
    @classmethod
    def with_map(
        cls, executor: Plain, fn: None = None, logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
    ) -> MapExecutor[Anything, Returned[X]]: ...
    @overload
    @classmethod
    def with_flat_map(
        cls,
        executor: Plain,
        fn: _Fn[FutureLike[Any], FutureLike[Any]],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[Any]] = None,
    ) -> FlatMapExecutor[Any, Any]: ...
    @overload
    @classmethod
    def with_flat_map(
        cls,
        executor: _As[E],
        fn: _Fn[C | E, FutureLike[D]],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> FlatMapExecutor[C, D | X]: ...
    @overload
    @classmethod
    def with_flat_map(
        cls,
        executor: _As[E],
        fn: None = None,
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> FlatMapExecutor[Anything, Returned[E | X]]: ...
    @overload
    @classmethod
    def with_flat_map(
        cls,
        executor: _On[R, E],
        fn: _Fn[E, FutureLike[D]],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> FlatMapExecutor[R, D | X]: ...
    @overload
    @classmethod
    def with_flat_map(
        cls,
        executor: _On[R, E],
        fn: None = None,
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> FlatMapExecutor[R, E | X]: ...
    @overload
    @classmethod
    def with_flat_map(
        cls,
        executor: Plain,
        fn: _Fn[C, FutureLike[D]],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> FlatMapExecutor[C, D | X]: ...
    @overload
    @classmethod
    def with_flat_map(
        cls,
        executor: Plain,
        fn: None = None,
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> FlatMapExecutor[Anything, Returned[X]]: ...
    @overload
    @classmethod
    def with_poll(
        cls,
        executor: _Unknown,
        poll_fn: Poll[Any, D],
        cancel_fn: Cancel[Any] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: Name = None,
        **options: Unpack[PollKeywords[Any]],
    ) -> PollExecutor[Any, D, Any]: ...
    @overload
    @classmethod
    def with_poll(
        cls,
        executor: _As[E],
        poll_fn: Poll[C | E, D],
        cancel_fn: Cancel[C | E] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: Name = None,
        **options: Unpack[PollKeywords[C | E]],
    ) -> PollExecutor[C, D, C | E]: ...
    @overload
    @classmethod
    def with_poll(
        cls,
        executor: _On[R, E],
        poll_fn: Poll[E, D],
        cancel_fn: Cancel[E] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: Name = None,
        **options: Unpack[PollKeywords[E]],
    ) -> PollExecutor[R, D, E]: ...
    @overload
    @classmethod
    def with_poll(
        cls,
        executor: Plain,
        poll_fn: Poll[C, D],
        cancel_fn: Cancel[C] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: Name = None,
        **options: Unpack[PollKeywords[C]],
    ) -> PollExecutor[C, D, C]: ...
    @overload
    @classmethod
    def with_retry(
        cls,
        executor: Chainable[E, D],
        retry_policy: RetryPolicy | None = None,
        logger: Log = None,
        name: Name = None,
        **kwargs: Any,
    ) -> RetryExecutor[E, D]: ...
    @overload
    @classmethod
    def with_retry(
        cls,
        executor: Plain,
        retry_policy: RetryPolicy | None = None,
        logger: Log = None,
        name: Name = None,
        **kwargs: Any,
    ) -> RetryExecutor[Anything, Returned[Never]]: ...
    @overload
    @classmethod
    def with_timeout(
        cls, executor: Chainable[E, D], timeout: float, logger: Log = None, name: Name = None
    ) -> TimeoutExecutor[E, D]: ...
    @overload
    @classmethod
    def with_timeout(
        cls, executor: Plain, timeout: float, logger: Log = None, name: Name = None
    ) -> TimeoutExecutor[Anything, Returned[Never]]: ...
    @overload
    @classmethod
    def with_throttle(
        cls, executor: Chainable[E, D], count: Count, logger: Log = None, name: Name = None, block: bool = False
    ) -> ThrottleExecutor[E, D]: ...
    @overload
    @classmethod
    def with_throttle(
        cls, executor: Plain, count: Count, logger: Log = None, name: Name = None, block: bool = False
    ) -> ThrottleExecutor[Anything, Returned[Never]]: ...
    @overload
    @classmethod
    def with_cancel_on_shutdown(
        cls, executor: Chainable[E, D], logger: Log = None, name: Name = None
    ) -> CancelOnShutdownExecutor[E, D]: ...
    @overload
    @classmethod
    def with_cancel_on_shutdown(
        cls, executor: Plain, logger: Log = None, name: Name = None
    ) -> CancelOnShutdownExecutor[Anything, Returned[Never]]: ...
    @overload
    @classmethod
    def with_asyncio(
        cls,
        executor: Chainable[E, D],
        loop: asyncio.AbstractEventLoop | None = None,
        logger: Log = None,
        name: Name = None,
    ) -> AsyncioExecutor[E, D]: ...
    @overload
    @classmethod
    def with_asyncio(
        cls, executor: Plain, loop: asyncio.AbstractEventLoop | None = None, logger: Log = None, name: Name = None
    ) -> AsyncioExecutor[Anything, Returned[Never]]: ...
    @overload
    @classmethod
    def bind(cls, executor: _Unknown, fn: Callable[P, Any]) -> BoundCallable[P, Any]: ...
    @overload
    @classmethod
    def bind(cls, executor: _As[E], fn: Callable[P, R]) -> BoundCallable[P, R | E]: ...
    @overload
    @classmethod
    def bind(cls, executor: Chainable[E, R], fn: Callable[P, E]) -> BoundCallable[P, R]: ...
    @overload
    @classmethod
    def bind(cls, executor: Plain, fn: Callable[P, R]) -> BoundCallable[P, R]: ...
    @overload
    @classmethod
    def flat_bind(
        cls, executor: Chainable[Anything, Returned[Never]], fn: Callable[P, FutureLike[R]]
    ) -> BoundCallable[P, R]: ...
    @overload
    @classmethod
    def flat_bind(cls, executor: Chainable[E, FutureLike[R]], fn: Callable[P, E]) -> BoundCallable[P, R]: ...
    @overload
    @classmethod
    def flat_bind(cls, executor: Plain, fn: Callable[P, FutureLike[R]]) -> BoundCallable[P, R]: ...
