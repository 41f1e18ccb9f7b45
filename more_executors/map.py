"""An executor that applies a function to results, or to exceptions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, overload

from ._callables import check_callable, is_plain
from ._chaining import Awaiting, Chainable, HandingOn
from ._core import MapTable
from ._runtime.delegate import Delegate
from ._runtime.executor import DelegatingExecutor
from ._runtime.through import ALL, ThroughPoll
from ._types import A, Anything, B, C, D, E, Log, Never, OnError, Plain, R, Returned, X

__all__ = ["MapExecutor"]


class MapExecutor(DelegatingExecutor[A, B], ThroughPoll[B]):
    """Applies functions to the results and exceptions of the delegate's futures.

        with MapExecutor(ThreadPoolExecutor(), json.loads) as executor:
            document = executor.submit(download, url).result()

    `fn(result)` returns the result of the future. When the delegate's future fails, `error_fn(exception)` returns it.
    Without a function, the result or the exception stays as it is. If a function raises, the future fails with that
    exception and its traceback. An `error_fn` that raises the exception that it got leaves its traceback as it was.

    The functions run on the thread that completes the delegate's future, so on several threads at a time. No lock is
    held. `future.cancel()` cancels the delegate's future; while a function runs, `cancel()` returns False and
    `running()` True. All methods may be called from any thread.
    """

    _kind = "MapExecutor"
    _metric = "map"
    _reached = ALL
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
        self: MapExecutor[Coroutine[Any, Any, D], C],
        delegate: Awaiting[X],
        fn: Callable[[D | X], C],
        logger: Log = None,
        name: str = "default",
        *,
        error_fn: OnError[C] = None,
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
            delegate: the executor that runs the callables; it is shut down after this one.
            fn: a callable that gets a result, or None.
            logger: a `logging.Logger`, by default the one with the name of the class.
            name: a str, the label of this executor in metrics.
            error_fn: a callable that gets an exception, or None.

        Raises TypeError if one of these cannot be used.
        """
        super().__init__(delegate, logger, name)
        check_functions(fn, error_fn, self._flat)
        self._start(MapTable(self._logger, fn, error_fn, self._flat))


def check_functions(fn: object, error_fn: object, flat: bool) -> None:
    """Raise TypeError unless both can be called, or are None.

    With `flat` they have to return futures, so neither may be an `async def` or have a `yield`.
    """
    if fn is not None and not is_plain(fn):
        check_callable("fn", fn, awaited=not flat, iterated=not flat)
    if error_fn is not None and not is_plain(error_fn):
        check_callable("error_fn", error_fn, awaited=not flat, iterated=not flat)
