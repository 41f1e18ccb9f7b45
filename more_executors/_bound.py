"""A function that is tied to an executor: calling it submits."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, overload

from ._checks import refuse_copy, shown
from ._runtime.delegate import Delegate, check_delegate
from ._runtime.nested_calls import guarded
from ._types import B, P

if TYPE_CHECKING:  # executors have this
    import asyncio

    from typing_extensions import Self, Unpack

    from ._types import Cancel, Count, D, FutureLike, Log, Name, OnError, Poll, X
    from .poll._keywords import PollKeywords
    from .retry import RetryPolicy

__all__: list[str] = []


class BoundCallable(Generic[P, B]):
    """Calling it submits the function it was made with, and returns the future.

    It has the `with_*` methods of executors: each returns a new one, which submits the same function to the executor
    that the method makes. It has the name, the docstring and the attributes of the function.

    May be called from any thread, as far as the executor may.
    """

    def __init__(self, executor: Delegate, fn: Callable[..., Any]) -> None:
        """Raises TypeError if `executor` is no executor, or `fn` cannot be called."""
        check_delegate(executor, "executor")
        if not callable(fn):
            raise TypeError(f"fn must be callable, not {shown(fn)}")
        update_wrapper(self, fn)  # first: it copies the attributes of a function, those of a bound one too
        self._executor = executor
        self._submits_to = guarded(executor)
        self._fn = fn

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> Future[B]:
        """Submit the function with these arguments; returns the future. Raises what the executor's `submit` raises."""
        future: Future[B] = self._submits_to.submit(self._fn, *args, **kwargs)
        return future

    __reduce_ex__ = refuse_copy("send another process the function, to bind it to an executor there")

    def __copy__(self) -> Self:
        made = object.__new__(type(self))
        vars(made).update(vars(self))
        return made

    def __repr__(self) -> str:
        return f"<{self._fn!r} bound to {self._executor!r}>"

    if TYPE_CHECKING:  # what follows is made by `executors`, which is what knows every executor

        @overload
        def with_map(
            self, fn: Callable[[B], D], logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
        ) -> BoundCallable[P, D | X]: ...
        @overload
        def with_map(
            self, fn: None = None, logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
        ) -> BoundCallable[P, B | X]: ...
        def with_map(self, *args: Any, **kwargs: Any) -> Any: ...

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
        def with_flat_map(self, *args: Any, **kwargs: Any) -> Any: ...

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
