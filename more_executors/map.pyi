"""The typed face of `map`."""

from collections.abc import Callable
from typing import overload

from typing_extensions import Never

from ._chaining import Chainable
from ._runtime.executor import DelegatingExecutor
from ._types import A, Anything, B, D, E, Log, OnError, Plain, R, Returned

__all__ = ["MapExecutor"]

class MapExecutor(DelegatingExecutor[A, B]):
    @overload
    def __init__(
        self,
        delegate: Plain,
        fn: Callable[[A], B],
        logger: Log = None,
        name: str = "default",
        *,
        error_fn: OnError[B] = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        delegate: Chainable[Anything, Returned[E]],
        fn: Callable[[A | E], B],
        logger: Log = None,
        name: str = "default",
        *,
        error_fn: OnError[B] = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        delegate: Chainable[A, E],
        fn: Callable[[E], B],
        logger: Log = None,
        name: str = "default",
        *,
        error_fn: OnError[B] = None,
    ) -> None: ...
    @overload
    def __init__(
        self: MapExecutor[Anything, Returned[E]],
        delegate: Chainable[Anything, Returned[E]],
        fn: None = None,
        logger: Log = None,
        name: str = "default",
        *,
        error_fn: OnError[E] = None,
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
        self: MapExecutor[E, R | D],
        delegate: Chainable[E, R],
        fn: None = None,
        logger: Log = None,
        name: str = "default",
        *,
        error_fn: Callable[[BaseException], D],
    ) -> None: ...
    @overload
    def __init__(
        self: MapExecutor[Anything, Returned[Never]],
        delegate: Plain,
        fn: None = None,
        logger: Log = None,
        name: str = "default",
        *,
        error_fn: None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: MapExecutor[Anything, Returned[E]],
        delegate: Plain,
        fn: None = None,
        logger: Log = None,
        name: str = "default",
        *,
        error_fn: Callable[[BaseException], E],
    ) -> None: ...

def check_functions(fn: object, error_fn: object, flat: bool) -> None: ...
