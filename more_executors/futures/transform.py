"""Making something else of one future."""

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
    """A future of `fn(result)`, or if `future` fails of `error_fn(exception)`.

    A function that is None lets its outcome through. What one raises becomes the exception of the future; an `error_fn`
    that raises the very exception it was given leaves it as it was. They run on the thread that completes `future`; at
    once, on this one, if it is done. Cancelling is up to `future`.

    Raises TypeError if an argument cannot be used. Chains of any length are fine.

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
    """`f_map` for functions that return futures: the future that this returns ends as theirs does.

    A function that returns anything else fails the future with a TypeError that names both. Cancelling is up to
    `future`, then to the one that a function returned.

        f_flat_map(executor.submit(find_url, title), lambda url: executor.submit(download, url))
    """
    check_futures(f_flat_map.__name__, (future,))
    check_functions(fn, error_fn, flat=True)
    return mapped(_flat_mapped, future, fn, error_fn, True)
