"""The typed face of `flat_map`."""

from collections.abc import Callable
from typing import Any, overload

from typing_extensions import Never

from ._chaining import Chainable
from ._types import A, Anything, B, D, E, FutureLike, Log, OnError, Plain, R, Returned
from .map import MapExecutor

__all__ = ["FlatMapExecutor"]

class FlatMapExecutor(MapExecutor[A, B]):
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
        delegate: Chainable[Anything, Returned[E]],
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
        delegate: Chainable[Anything, Returned[E]],
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
