"""Futures of what functions make of a future."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, overload

from .._core import check_futures, mapped
from .._types import D, E, FutureLike, OnError, X
from ..map import check_functions
from ._sources import future_source

__all__ = ["f_flat_map", "f_map"]

_mapped = future_source("map")
_flat_mapped = future_source("flat_map")


@overload
def f_map(future: FutureLike[E], fn: Callable[[E], D], error_fn: None = None) -> Future[D]: ...
@overload
def f_map(future: FutureLike[E], fn: Callable[[E], D], error_fn: Callable[[BaseException], X]) -> Future[D | X]: ...
@overload
def f_map(future: FutureLike[E], fn: None = None, error_fn: OnError[X] = None) -> Future[E | X]: ...
def f_map(
    future: FutureLike[Any],
    fn: Callable[[Any], Any] | None = None,
    error_fn: Callable[[BaseException], Any] | None = None,
) -> Future[Any]:
    """A future of `fn(result)`; if `future` fails, of `error_fn(exception)`.

    Without a function, the result or the exception stays as it is. If a function raises, the future fails with that
    exception. An `error_fn` that raises the exception that it got leaves its traceback as it was. Cancelling cancels
    `future`. Chains may have any length.

    Args:
        future: a future.
        fn: a callable that gets a result, or None. It runs on the thread that completes `future`; if `future` is done
            already, on this thread, before this returns.
        error_fn: a callable that gets an exception, or None. It runs there as well.

    Raises TypeError if one of these cannot be used.

        f_map(executor.submit(download, url), json.loads)
    """
    check_futures(f_map.__name__, (future,))
    check_functions(fn, error_fn, flat=False)
    return mapped(_mapped, future, fn, error_fn, False)


@overload
def f_flat_map(future: FutureLike[E], fn: Callable[[E], FutureLike[D]], error_fn: None = None) -> Future[D]: ...
@overload
def f_flat_map(
    future: FutureLike[E], fn: Callable[[E], FutureLike[D]], error_fn: Callable[[BaseException], FutureLike[X]]
) -> Future[D | X]: ...
@overload
def f_flat_map(future: FutureLike[E], fn: None = None, error_fn: OnError[FutureLike[X]] = None) -> Future[E | X]: ...
def f_flat_map(
    future: FutureLike[Any],
    fn: Callable[[Any], FutureLike[Any]] | None = None,
    error_fn: Callable[[BaseException], FutureLike[Any]] | None = None,
) -> Future[Any]:
    """As `f_map`, for functions that return futures: the result is a future with the outcome of that future.

    If a function returns anything else, the future fails with a TypeError that names the function and what it returned.
    Cancelling cancels `future`, and later the future that a function returned.

        f_flat_map(executor.submit(find_url, title), lambda url: executor.submit(download, url))
    """
    check_futures(f_flat_map.__name__, (future,))
    check_functions(fn, error_fn, flat=True)
    return mapped(_flat_mapped, future, fn, error_fn, True)
