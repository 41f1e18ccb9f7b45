"""An executor that continues with another future when a future is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

from ._types import A, B
from .map import MapExecutor

if TYPE_CHECKING:
    from ._chaining import Chainable, HandingOn
    from ._types import Anything, D, E, FutureLike, Log, Never, OnError, Plain, R, Returned

__all__ = ["FlatMapExecutor"]


class FlatMapExecutor(MapExecutor[A, B]):
    """A `MapExecutor` whose functions return futures; its own futures get the results of those.

        downloads = ThreadPoolExecutor(8)
        executor = FlatMapExecutor(ThreadPoolExecutor(2), lambda url: downloads.submit(download, url))
        page = executor.submit(find_url, title).result()

    If a function returns anything else, the future fails with a TypeError that names the function and what it returned.
    `future.cancel()` cancels the delegate's future, and later the future that a function returned.
    """

    _kind = "FlatMapExecutor"
    _metric = "flat_map"
    _flat = True

    if TYPE_CHECKING:  # to run, it is that of the base class

        @overload
        def __init__(
            self: FlatMapExecutor[Any, Any],
            delegate: Plain,
            fn: Callable[[FutureLike[Any]], FutureLike[Any]],
            logger: Log = None,
            name: str = "default",
            *,
            error_fn: OnError[FutureLike[Any]] = None,
        ) -> None: ...
        @overload
        def __init__(
            self,
            delegate: Plain,
            fn: Callable[[A], FutureLike[B]],
            logger: Log = None,
            name: str = "default",
            *,
            error_fn: OnError[FutureLike[B]] = None,
        ) -> None: ...
        @overload
        def __init__(
            self,
            delegate: HandingOn[E],
            fn: Callable[[A | E], FutureLike[B]],
            logger: Log = None,
            name: str = "default",
            *,
            error_fn: OnError[FutureLike[B]] = None,
        ) -> None: ...
        @overload
        def __init__(
            self,
            delegate: Chainable[A, E],
            fn: Callable[[E], FutureLike[B]],
            logger: Log = None,
            name: str = "default",
            *,
            error_fn: OnError[FutureLike[B]] = None,
        ) -> None: ...
        @overload
        def __init__(
            self: FlatMapExecutor[Anything, Returned[E]],
            delegate: HandingOn[E],
            fn: None = None,
            logger: Log = None,
            name: str = "default",
            *,
            error_fn: OnError[FutureLike[E]] = None,
        ) -> None: ...
        @overload
        def __init__(
            self,
            delegate: Chainable[A, B],
            fn: None = None,
            logger: Log = None,
            name: str = "default",
            *,
            error_fn: None = None,
        ) -> None: ...
        @overload
        def __init__(
            self: FlatMapExecutor[E, R | D],
            delegate: Chainable[E, R],
            fn: None = None,
            logger: Log = None,
            name: str = "default",
            *,
            error_fn: Callable[[BaseException], FutureLike[D]],
        ) -> None: ...
        @overload
        def __init__(
            self: FlatMapExecutor[Anything, Returned[Never]],
            delegate: Plain,
            fn: None = None,
            logger: Log = None,
            name: str = "default",
            *,
            error_fn: None = None,
        ) -> None: ...
        @overload
        def __init__(
            self: FlatMapExecutor[Anything, Returned[E]],
            delegate: Plain,
            fn: None = None,
            logger: Log = None,
            name: str = "default",
            *,
            error_fn: Callable[[BaseException], FutureLike[E]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...
