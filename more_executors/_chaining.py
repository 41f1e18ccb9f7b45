"""What makes executors chain: each has the `with_*` methods, which put another one on top."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from threading import TIMEOUT_MAX
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, overload

from ._async_block import AsyncBlock
from ._checks import checked_timeout
from ._types import A, Anything, Async, Awaited, B, C, D, E, FutureLike, P, R, Returned, Untyped, X

if TYPE_CHECKING:  # executors are made of this
    import asyncio
    from collections.abc import Coroutine

    from typing_extensions import Never, Unpack

    from ._bound import BoundCallable
    from ._types import Cancel, Count, Log, Name, OnError, Poll
    from .asyncio import AsyncioExecutor
    from .cancel_on_shutdown import CancelOnShutdownExecutor
    from .flat_map import FlatMapExecutor
    from .map import MapExecutor
    from .poll import PollExecutor
    from .poll._keywords import PollKeywords
    from .retry import RetryExecutor, RetryPolicy
    from .throttle import ThrottleExecutor
    from .timeout import TimeoutExecutor

__all__: list[str] = []


class Chainable(AsyncBlock, Executor, Generic[A, B]):
    """An executor with the `with_*` methods, each the one of `Executors` with this executor as first argument.

    What its types mean is in `_types`. A subclass with a `submit` of its own gives that the same overloads again. Type
    checkers take them for incompatible, as `self` differs, and with those of `Executor`: so there is an ignore there.
    """

    _name: str

    @overload  # type: ignore[override]  # the base class cannot say that futures give something else
    def submit(self: Unknown, fn: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> Future[Any]: ...
    @overload
    def submit(self: HandingOn[E], fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R | E]: ...
    @overload
    def submit(self: Awaiting[E], fn: Async[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R | E]: ...
    @overload
    def submit(self, fn: Callable[P, A], /, *args: P.args, **kwargs: P.kwargs) -> Future[B]: ...
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call `fn(*args, **kwargs)` some time; returns a future of what the executor makes of it."""
        raise NotImplementedError

    @overload  # type: ignore[override]  # as for `submit`
    def map(
        self: Unknown,
        fn: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[Any]: ...
    @overload
    def map(
        self: HandingOn[E],
        fn: Callable[..., R],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[R | E]: ...
    @overload
    def map(
        self: Awaiting[E],
        fn: Async[..., R],
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
    def map(
        self,
        fn: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        **options: Any,
    ) -> Iterator[Any]:
        """Submit `fn` with the arguments that `iterables` give, one each; returns an iterator over the results.

        As `concurrent.futures.Executor.map`, and with all keywords that it has on this Python.

        Args:
            fn: what is called.
            iterables: where the arguments come from: one iterable for each that `fn` takes.
            timeout: seconds from now after which the iterator raises TimeoutError; None or inf is never.
            chunksize: how many calls a process pool gets at a time.

        Raises TypeError or ValueError if `timeout` cannot be used. The iterator raises what a call raised.
        """
        seconds = None if timeout is None else min(checked_timeout("timeout", timeout), TIMEOUT_MAX / 2)
        return super().map(fn, *iterables, timeout=seconds, chunksize=chunksize, **options)

    if TYPE_CHECKING:  # what follows is made by `executors`, which is what knows every executor

        @overload
        def with_map(
            self: Unknown, fn: Callable[[Any], D], logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
        ) -> MapExecutor[Any, D | X]: ...
        @overload
        def with_map(
            self: HandingOn[E],
            fn: Callable[[C | E], D],
            logger: Log = None,
            name: Name = None,
            *,
            error_fn: OnError[X] = None,
        ) -> MapExecutor[C, D | X]: ...
        @overload
        def with_map(
            self: Awaiting[E],
            fn: Callable[[C | E], D],
            logger: Log = None,
            name: Name = None,
            *,
            error_fn: OnError[X] = None,
        ) -> MapExecutor[Coroutine[Any, Any, C], D | X]: ...
        @overload
        def with_map(
            self: HandingOn[E], fn: None = None, logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
        ) -> MapExecutor[Anything, Returned[E | X]]: ...
        @overload
        def with_map(
            self, fn: Callable[[B], D], logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
        ) -> MapExecutor[A, D | X]: ...
        @overload
        def with_map(
            self, fn: None = None, logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
        ) -> MapExecutor[A, B | X]: ...
        def with_map(self, *args: Any, **kwargs: Any) -> Any: ...

        @overload  # for functions such as the identity, which type variables cannot tell the results of
        def with_flat_map(
            self: HandingOn[Never],
            fn: Callable[[FutureLike[Any]], FutureLike[Any]],
            logger: Log = None,
            name: Name = None,
            *,
            error_fn: OnError[FutureLike[Any]] = None,
        ) -> FlatMapExecutor[Any, Any]: ...
        @overload
        def with_flat_map(
            self: Unknown,
            fn: Callable[[Any], FutureLike[D]],
            logger: Log = None,
            name: Name = None,
            *,
            error_fn: OnError[FutureLike[X]] = None,
        ) -> FlatMapExecutor[Any, D | X]: ...
        @overload
        def with_flat_map(
            self: HandingOn[E],
            fn: Callable[[C | E], FutureLike[D]],
            logger: Log = None,
            name: Name = None,
            *,
            error_fn: OnError[FutureLike[X]] = None,
        ) -> FlatMapExecutor[C, D | X]: ...
        @overload
        def with_flat_map(
            self: Awaiting[E],
            fn: Callable[[C | E], FutureLike[D]],
            logger: Log = None,
            name: Name = None,
            *,
            error_fn: OnError[FutureLike[X]] = None,
        ) -> FlatMapExecutor[Coroutine[Any, Any, C], D | X]: ...
        @overload
        def with_flat_map(
            self: HandingOn[E],
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
        def with_flat_map(self, *args: Any, **kwargs: Any) -> Any: ...

        @overload
        def with_poll(
            self: Unknown,
            poll_fn: Poll[Any, D],
            cancel_fn: Cancel[Any] = None,
            default_interval: float = 5.0,
            logger: Log = None,
            name: Name = None,
            **options: Unpack[PollKeywords[Any]],
        ) -> PollExecutor[Any, D, Any]: ...
        @overload
        def with_poll(
            self: HandingOn[E],
            poll_fn: Poll[C | E, D],
            cancel_fn: Cancel[C | E] = None,
            default_interval: float = 5.0,
            logger: Log = None,
            name: Name = None,
            **options: Unpack[PollKeywords[C | E]],
        ) -> PollExecutor[C, D, C | E]: ...
        @overload
        def with_poll(
            self: Awaiting[E],
            poll_fn: Poll[C | E, D],
            cancel_fn: Cancel[C | E] = None,
            default_interval: float = 5.0,
            logger: Log = None,
            name: Name = None,
            **options: Unpack[PollKeywords[C | E]],
        ) -> PollExecutor[Coroutine[Any, Any, C], D, C | E]: ...
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
        def with_poll(self, *args: Any, **kwargs: Any) -> Any: ...

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
        def bind(self: Unknown, fn: Callable[P, Any]) -> BoundCallable[P, Any]: ...
        @overload
        def bind(self: HandingOn[E], fn: Callable[P, R]) -> BoundCallable[P, R | E]: ...
        @overload
        def bind(self: Awaiting[E], fn: Async[P, R]) -> BoundCallable[P, R | E]: ...
        @overload
        def bind(self, fn: Callable[P, A]) -> BoundCallable[P, B]: ...
        def bind(self, fn: Any) -> Any: ...

        @overload
        def flat_bind(self: HandingOn[Never], fn: Callable[P, FutureLike[R]]) -> BoundCallable[P, R]: ...
        @overload
        def flat_bind(self: Chainable[E, FutureLike[R]], fn: Callable[P, E]) -> BoundCallable[P, R]: ...
        def flat_bind(self, fn: Any) -> Any: ...


HandingOn: TypeAlias = Chainable[Anything, Returned[E]]  # its futures give what callables return, or an E
Awaiting: TypeAlias = Chainable[Anything, Awaited[E]]  # … what their coroutines give
Unknown: TypeAlias = Chainable[Untyped, Untyped]


def inherited(name: str | None, delegate: object) -> str:
    """`name`, or if that is None the name of `delegate`: "default" for an executor of somebody else."""
    if name is not None:
        return name
    return delegate._name if isinstance(delegate, Chainable) else "default"
