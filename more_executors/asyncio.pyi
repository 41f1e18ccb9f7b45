"""The typed face of `asyncio`."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Generic, overload

from typing_extensions import Never

from ._chaining import Chainable
from ._types import A, Anything, B, E, Log, P, Plain, R, Returned, Untyped

__all__ = ["AsyncioExecutor"]

class AsyncioExecutor(Executor, Generic[A, B]):
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
    @overload  # type: ignore[override]  # that is what it is for
    def submit(
        self: AsyncioExecutor[Untyped, Untyped], fn: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[Any]: ...
    @overload
    def submit(
        self: AsyncioExecutor[Anything, Returned[E]], fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[R | E]: ...
    @overload
    def submit(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, fn: Callable[P, A], /, *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[B]: ...
    @overload
    def submit_with_loop(
        self: AsyncioExecutor[Untyped, Untyped],
        /,
        loop: asyncio.AbstractEventLoop | None,
        fn: Callable[P, Any],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> asyncio.Future[Any]: ...
    @overload
    def submit_with_loop(
        self: AsyncioExecutor[Anything, Returned[E]],
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
