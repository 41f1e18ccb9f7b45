"""The typed face of `transform`."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import overload

from .._types import D, E, FutureLike, OnError, X

__all__ = ["f_flat_map", "f_map"]

@overload
def f_map(future: FutureLike[E], fn: Callable[[E], D], error_fn: None = None) -> Future[D]: ...
@overload
def f_map(future: FutureLike[E], fn: Callable[[E], D], error_fn: Callable[[BaseException], X]) -> Future[D | X]: ...
@overload
def f_map(future: FutureLike[E], fn: None = None, error_fn: OnError[X] = None) -> Future[E | X]: ...
@overload
def f_flat_map(future: FutureLike[E], fn: Callable[[E], FutureLike[D]], error_fn: None = None) -> Future[D]: ...
@overload
def f_flat_map(
    future: FutureLike[E], fn: Callable[[E], FutureLike[D]], error_fn: Callable[[BaseException], FutureLike[X]]
) -> Future[D | X]: ...
@overload
def f_flat_map(future: FutureLike[E], fn: None = None, error_fn: OnError[FutureLike[X]] = None) -> Future[E | X]: ...
