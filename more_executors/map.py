"""Making something else of results, or of exceptions."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, ClassVar, overload

from ._callables import check_callable, is_plain
from ._chaining import Chainable, HandingOn
from ._core import MapTable
from ._runtime.delegate import Delegate
from ._runtime.executor import DelegatingExecutor
from ._types import A, Anything, B, D, E, Log, Never, OnError, Plain, R, Returned

__all__ = ["MapExecutor"]


class MapExecutor(DelegatingExecutor[A, B]):
    """Its futures are a function of what the delegate's futures end with.

        with MapExecutor(ThreadPoolExecutor(), json.loads) as executor:
            document = executor.submit(download, url).result()

    `fn(result)` makes the result; `error_fn(exception)` makes a result of a failure. One that is None passes through.
    What they raise becomes the future's exception, with its traceback; an `error_fn` that raises the very exception it
    was given leaves the failure as it was. They run with nothing held, on the thread that completes the delegate's
    future.

    `future.cancel()` is the delegate's decision; while a function runs, the answer is no, and `running()` is True.
    """

    _kind = "MapExecutor"
    _metric = "map"
    _flat: ClassVar[bool] = False

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
        delegate: HandingOn[E],
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
        delegate: HandingOn[E],
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
    def __init__(
        self,
        delegate: Delegate,
        fn: Callable[[Any], Any] | None = None,
        logger: logging.Logger | None = None,
        name: str = "default",
        *,
        error_fn: Callable[[BaseException], Any] | None = None,
    ) -> None:
        """Make it.

        Args:
            delegate: the executor that calls what is submitted; shut down after this one.
            fn: gets a result.
            logger: by default the one called after the class.
            name: labels metrics.
            error_fn: gets an exception.

        Raises TypeError if one of these cannot be used.
        """
        super().__init__(delegate, logger, name)
        check_functions(fn, error_fn, self._flat)
        self._start(MapTable(self._logger, fn, error_fn, self._flat))


def check_functions(fn: object, error_fn: object, flat: bool) -> None:
    """Raise TypeError unless both can be called, or are None. To return a coroutine or generator is no future."""
    if fn is not None and not is_plain(fn):
        check_callable("fn", fn, awaited=not flat, iterated=not flat)
    if error_fn is not None and not is_plain(error_fn):
        check_callable("error_fn", error_fn, awaited=not flat, iterated=not flat)
