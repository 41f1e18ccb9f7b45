"""Futures that are done."""

from __future__ import annotations

from concurrent.futures import Future
from types import TracebackType
from typing import Any, overload

from .._checks import shown
from .._types import A
from ._sources import future_source

__all__ = ["f_return", "f_return_cancelled", "f_return_error"]

_returned = future_source("return", "none")
_failed = future_source("return_error", "none")
_cancelled = future_source("return_cancelled", "none")


@overload
def f_return(x: A) -> Future[A]: ...
@overload
def f_return() -> Future[None]: ...
def f_return(x: Any = None) -> Future[Any]:
    """A future with the result `x`."""
    return _returned.done(x)


def f_return_error(x: BaseException | type[BaseException], traceback: TracebackType | None = None) -> Future[None]:
    """A future that failed with `x`, an instance or a class, as if raised at `traceback` if that is given.

    Raises TypeError if `x` is no exception, or `traceback` no traceback.
    """
    if traceback is not None and not isinstance(traceback, TracebackType):
        raise TypeError(f"traceback must be a traceback, not {shown(traceback)}")
    future = _failed.failed(x)
    error = future.exception()
    if traceback is not None and error is not None:
        error.with_traceback(traceback)
    return future


def f_return_cancelled() -> Future[None]:
    """A future that was cancelled."""
    return _cancelled.cancelled()
