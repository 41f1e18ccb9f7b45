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
    """A future that is done, with the result `x`."""
    return _returned.done(x)


def f_return_error(x: BaseException | type[BaseException], traceback: TracebackType | None = None) -> Future[None]:
    """A future that is done, and failed.

    Args:
        x: the exception, or a class of which one is made.
        traceback: the traceback that the exception gets, or None.

    Raises TypeError if one of these is anything else.
    """
    if traceback is not None and not isinstance(traceback, TracebackType):
        raise TypeError(f"traceback must be a traceback, not {shown(traceback)}")
    future = _failed.failed(x)
    error = future.exception()
    if traceback is not None and error is not None:
        error.with_traceback(traceback)
    return future


def f_return_cancelled() -> Future[None]:
    """A future that is done, and cancelled."""
    return _cancelled.cancelled()
