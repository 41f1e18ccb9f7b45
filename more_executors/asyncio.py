"""Awaiting what other threads do."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Executor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, overload

from . import metrics
from ._chaining import Chainable
from ._checks import check_name, checked_flag, chosen_logger, has_method, refuse_copy, shown
from ._core import FutureSource, LoopBridge, check_threads, referent, refused
from ._runtime.delegate import AFTER_SHUTDOWN, Delegate, check_delegate
from ._runtime.delegate_end import DelegateEnd, check_shutdown, leave_block
from ._runtime.nested_calls import guarded
from ._types import A, Anything, B, E, Log, Never, P, Plain, R, Returned, Untyped

if TYPE_CHECKING:
    AsyncioFuture: TypeAlias = asyncio.Future[Any]
else:
    AsyncioFuture = asyncio.Future  # subscripted, it would be no class in Python 3.10

__all__ = ["AsyncioExecutor"]


class LoopFuture(AsyncioFuture):
    """An asyncio future that hands its `cancel` on to the one it stands for, at once.

    A done callback would do that too: after a turn of the loop, and at the cost of one for each future.
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


class AsyncioExecutor(Executor, Generic[A, B]):
    """Submits to a delegate, and returns asyncio futures: the last of a chain.

        executor = Executors.thread_pool().with_asyncio()
        pages = await asyncio.gather(*(executor.submit(download, url) for url in urls))

    Cancelling an asyncio future cancels the delegate's future, and the other way round. However many futures end
    between two turns of a loop, it is woken once.

    Futures are made on the thread of their loop; `shutdown` may be called from any thread.
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
            delegate: the executor that calls what is submitted; shut down with this one.
            loop: the loop of all futures; by default, the one that is current at a submit.
            logger: by default the one called "AsyncioExecutor"; told if cancelling the delegate's future fails.
            name: labels metrics.

        Raises TypeError if one of these cannot be used.
        """
        check_threads()
        check_delegate(delegate)
        check_shutdown(delegate)
        check_loop(loop)
        check_name(name)
        self._delegate = guarded(delegate)
        self._loop = loop
        self._logger = chosen_logger(logger, "AsyncioExecutor")
        self._bridges: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, LoopBridge] = weakref.WeakKeyDictionary()
        self._shut_down = False
        self._end = DelegateEnd(delegate)
        self._record = metrics.track(self, "asyncio", name, FutureSource(self._logger).counters)

    __reduce_ex__ = refuse_copy

    @overload  # type: ignore[override]  # that is what it is for
    def submit(self: Unknown, fn: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[Any]: ...
    @overload
    def submit(
        self: HandingOn[E], fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[R | E]: ...
    @overload
    def submit(self, fn: Callable[P, A], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[B]: ...
    def submit(  # pyright: ignore[reportIncompatibleMethodOverride]  # as above
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> asyncio.Future[Any]:
        """Have the delegate call `fn(*args, **kwargs)`; returns an asyncio future.

        Raises RuntimeError after `shutdown`, and if there is no loop, and whatever the delegate's `submit` raises.
        """
        return self._submit(self._loop, fn, args, kwargs)

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
        self, /, loop: asyncio.AbstractEventLoop | None, fn: Callable[P, A], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[B]: ...
    def submit_with_loop(
        self, /, loop: asyncio.AbstractEventLoop | None, fn: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> asyncio.Future[Any]:
        """`submit` for a future on `loop`, None being the current one."""
        check_loop(loop)
        return self._submit(loop, fn, args, kwargs)

    def _submit(
        self, loop: Any, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> asyncio.Future[Any]:
        if self._shut_down:
            raise RuntimeError(AFTER_SHUTDOWN)
        if loop is None:
            loop = current_loop()
        bridge = self._bridges.get(loop)
        if bridge is None:
            bridge = self._bridges.setdefault(loop, LoopBridge(loop))
        source: futures.Future[Any] = self._delegate.submit(fn, *args, **kwargs)
        target = LoopFuture(loop=loop)
        target.logger = self._logger
        bridge.connect(source, target)
        return target

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work, and shut the delegate down; with `wait`, its futures are done then.

        Waiting blocks the thread: on that of the loop, it keeps the loop from doing anything else.
        """
        wait = checked_flag("wait", wait)
        cancel_futures = checked_flag("cancel_futures", cancel_futures)
        self._shut_down = True
        self._record.ended()
        if not self._end.has_come():  # also if a call of this was interrupted
            self._end.cancel_futures = self._end.cancel_futures or cancel_futures
            self._end.come(wait)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        leave_block(self, self._logger, error)


def current_loop() -> asyncio.AbstractEventLoop:
    """The loop that runs on this thread, else the one that is set there. Raises RuntimeError if there is none."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.get_event_loop()


def check_loop(loop: object) -> None:
    """Raise TypeError unless `loop` is an event loop or None."""
    if loop is not None and not has_method(loop, "call_soon_threadsafe"):
        raise TypeError(f"loop must be an asyncio event loop or None, not {shown(loop)}")


HandingOn: TypeAlias = AsyncioExecutor[Anything, Returned[E]]
Unknown: TypeAlias = AsyncioExecutor[Untyped, Untyped]
