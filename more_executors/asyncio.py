"""An executor whose futures can be awaited."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Executor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, overload

from . import metrics
from ._async_block import AsyncBlock
from ._chaining import Chainable
from ._checks import check_name, checked_flag, chosen_logger, has_method, iterated, refuse_copy_of_executor, shown
from ._completions import Completions
from ._core import FutureSource, LoopBridge, LoopSubmits, check_threads, referent, refused
from ._only_calls import only_calls
from ._runtime.bulk_cancel import cancel_in_bulk
from ._runtime.delegate import AFTER_SHUTDOWN, Delegate, check_delegate
from ._runtime.delegate_end import DelegateEnd, check_shutdown, leave_block
from ._runtime.nested_calls import way_into
from ._runtime.through import ALL, ReachesThrough, Through
from ._types import A, Anything, Async, Awaited, B, E, Log, Never, P, Plain, R, Returned, Untyped

if TYPE_CHECKING:
    from .poll.stats import OutstandingTask, PollStats

    AsyncioFuture: TypeAlias = asyncio.Future[Any]
else:
    AsyncioFuture = asyncio.Future  # subscripted, it would be no class in Python 3.10

__all__ = ["AsyncioExecutor"]  # `as_completed` would replace the one that a program has

F = TypeVar("F")


class LoopFuture(AsyncioFuture):
    """An asyncio future whose `cancel` cancels the delegate's future as well, at once.

    A done callback would do that one turn of the loop later, and there would have to be one for each future.
    """

    __slots__ = ("logger", "source")

    source: Any
    logger: logging.Logger

    def cancel(self, msg: Any = None) -> bool:
        source, self.source = referent(self.source), None
        if not super().cancel(msg):
            return False
        if source is not None:
            try:
                source.cancel()
            except BaseException as error:
                refused(self.logger, "Exception during cancel on %s", (source,), error)
        return True


class AsyncioExecutor(AsyncBlock, ReachesThrough, Executor, Generic[A, B]):
    """Submits to a delegate and returns asyncio futures. It comes last in a chain.

        executor = Executors.thread_pool().with_asyncio()
        pages = await asyncio.gather(*(executor.submit(download, url) for url in urls))

    Cancelling an asyncio future cancels the delegate's future, and the other way round. A loop is woken once for all
    futures that end between two of its turns.

    Call `submit` and `submit_with_loop` on the thread of the loop; `shutdown` may be called from any thread.
    """

    @overload
    def __init__(
        self,
        delegate: Chainable[A, B],
        loop: asyncio.AbstractEventLoop | None = None,
        logger: Log = None,
        name: str = "default",
    ) -> None: ...
    @overload
    def __init__(
        self: AsyncioExecutor[Anything, Returned[Never]],
        delegate: Plain,
        loop: asyncio.AbstractEventLoop | None = None,
        logger: Log = None,
        name: str = "default",
    ) -> None: ...
    def __init__(
        self,
        delegate: Delegate,
        loop: asyncio.AbstractEventLoop | None = None,
        logger: logging.Logger | None = None,
        name: str = "default",
    ) -> None:
        """Make it.

        Args:
            delegate: the executor that runs the callables; it is shut down with this one.
            loop: the event loop of all futures; by default, the one that is current when `submit` is called.
            logger: gets an entry when cancelling the delegate's future fails; by default the logger "AsyncioExecutor".
            name: a str, the label of this executor in metrics.

        Raises TypeError if one of these cannot be used.
        """
        check_threads()
        check_delegate(delegate)
        check_shutdown(delegate)
        check_loop(loop)
        check_name(name)
        self._loop = loop
        self._logger = chosen_logger(logger, "AsyncioExecutor")
        self._bridges: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, LoopBridge] = weakref.WeakKeyDictionary()
        self._submits = LoopSubmits(
            way_into(delegate),
            LoopFuture,
            self._logger,
            self._bridges,
            asyncio.get_running_loop,
            asyncio.get_event_loop,
            only_calls(delegate),
        )
        self._shut_down = False
        self._end = DelegateEnd(delegate)
        self._record = metrics.track(self, "asyncio", name, FutureSource(self._logger).counters)

    __reduce_ex__ = refuse_copy_of_executor
    _reached = ALL

    @overload  # type: ignore[override]  # that is what it is for
    def submit(self: Unknown, fn: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[Any]: ...
    @overload
    def submit(
        self: HandingOn[E], fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[R | E]: ...
    @overload
    def submit(self: Awaiting[E], fn: Async[P, R], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[R | E]: ...
    @overload
    def submit(self, fn: Callable[P, A], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[B]: ...
    def submit(  # pyright: ignore[reportIncompatibleMethodOverride]  # as above
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> asyncio.Future[Any]:
        """Have the delegate call `fn(*args, **kwargs)`; returns an asyncio future of the result.

        Raises TypeError if `fn` is an `async def` that the delegate would only call, RuntimeError after `shutdown` and
        if there is no event loop, and what the delegate's `submit` raises.
        """
        if self._shut_down:
            raise RuntimeError(AFTER_SHUTDOWN)
        return self._submits.submit(self._loop, fn, args, kwargs)

    @overload
    def submit_with_loop(
        self: Unknown,
        /,
        loop: asyncio.AbstractEventLoop | None,
        fn: Callable[P, Any],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> asyncio.Future[Any]: ...
    @overload
    def submit_with_loop(
        self: HandingOn[E],
        /,
        loop: asyncio.AbstractEventLoop | None,
        fn: Callable[P, R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> asyncio.Future[R | E]: ...
    @overload
    def submit_with_loop(
        self: Awaiting[E],
        /,
        loop: asyncio.AbstractEventLoop | None,
        fn: Async[P, R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> asyncio.Future[R | E]: ...
    @overload
    def submit_with_loop(
        self, /, loop: asyncio.AbstractEventLoop | None, fn: Callable[P, A], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[B]: ...
    def submit_with_loop(
        self, /, loop: asyncio.AbstractEventLoop | None, fn: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> asyncio.Future[Any]:
        """As `submit`, with a future of `loop`; None means the current event loop.

        Raises TypeError if `loop` is no event loop, and what `submit` raises.
        """
        check_loop(loop)
        if self._shut_down:
            raise RuntimeError(AFTER_SHUTDOWN)
        return self._submits.submit(loop, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accept no more work, and shut the delegate down.

        Args:
            wait: whether to return only when the delegate has shut down. This blocks the thread, and on the thread of
                the loop it blocks the loop.
            cancel_futures: whether the delegate is to cancel its pending futures.

        Raises TypeError if one of these cannot be used, and what the delegate's `shutdown` raises.
        """
        wait = checked_flag("wait", wait)
        cancel_futures = checked_flag("cancel_futures", cancel_futures)
        self._shut_down = True
        self._record.ended()
        if not self._end.has_come():  # also if a call of this was interrupted
            self._end.cancel_futures = self._end.cancel_futures or cancel_futures
            self._end.come(wait)

    if TYPE_CHECKING:  # see `through`

        def adopt(self, result: Any, *, timeout: float | None = None) -> asyncio.Future[B]: ...
        def adopt_many(self, results: Iterable[Any], *, timeout: float | None = None) -> list[asyncio.Future[B]]: ...
        def submit_once(self, key: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> asyncio.Future[B]: ...
        def submit_many_once(self, fn: Callable[[Any], Any], keys: Iterable[Any]) -> list[asyncio.Future[B]]: ...
        def cancel_all(self) -> int: ...
        def cancel_many(self, futures: Iterable[asyncio.Future[Any]]) -> int: ...
        def notify(self) -> None: ...
        def outstanding(self) -> list[OutstandingTask]: ...
        def stats(self) -> PollStats: ...

    def _delegate_below(self) -> Any:
        return self._end.delegate

    def _future_through(self, through: Through, fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._shut_down:
            raise RuntimeError(AFTER_SHUTDOWN)
        return self._submits.submit_to(through, self._loop, fn, args, kwargs)

    def _cancel_in_bulk(self, futures: Iterable[Any] | None) -> int:
        if futures is None:
            count: int = self._delegate_below().cancel_all()
            return count
        found = [checked_future(future) for future in iterated("futures", futures, "futures")]
        pairs = [(future, referent(future.source)) for future in found]  # read once: the loop may end some meanwhile
        sources = [source for _, source in pairs if source is not None]
        others = [future for future, source in pairs if source is None]
        return cancel_in_bulk(sources, self._logger) + sum(future.cancelled() for future in others)

    def _would_wait_for_itself(self) -> bool:
        delegate = self._end.delegate
        return isinstance(delegate, AsyncBlock) and delegate._would_wait_for_itself()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        leave_block(self, self._logger, error)


def as_completed(futures: Iterable[F], timeout: float | None = None) -> AsyncIterator[F]:
    """An iterator for `async for` that gives `futures` as they are done; those that are done already come first.

        async for future in as_completed(futures):
            print(future.result())

    The loop is woken once for all futures that end between two of its turns. Each future is given once.

    Args:
        futures: an iterable of futures of `concurrent.futures`, such as those of the executors here, or of the running
            loop.
        timeout: a float, the seconds from now after which TimeoutError is raised; None is never.

    Raises TypeError or ValueError if one of these cannot be used, and RuntimeError if no event loop runs here.
    """
    return Completions(futures, timeout)


def checked_future(future: object) -> LoopFuture:
    """`future`. Raises TypeError if it is none of an AsyncioExecutor."""
    if not isinstance(future, LoopFuture):
        raise TypeError(f"futures must be futures that the executor gave, not {shown(future)}")
    return future


def check_loop(loop: object) -> None:
    """Raise TypeError unless `loop` is an event loop or None."""
    if loop is not None and not has_method(loop, "call_soon_threadsafe"):
        raise TypeError(f"loop must be an asyncio event loop or None, not {shown(loop)}")


HandingOn: TypeAlias = AsyncioExecutor[Anything, Returned[E]]
Awaiting: TypeAlias = AsyncioExecutor[Anything, Awaited[E]]
Unknown: TypeAlias = AsyncioExecutor[Untyped, Untyped]
