"""The typed face of `create`."""

from concurrent.futures import Future
from types import TracebackType
from typing import overload

from .._types import A

__all__ = ["f_return", "f_return_cancelled", "f_return_error"]

@overload
def f_return(x: A) -> Future[A]: ...
@overload
def f_return() -> Future[None]: ...
def f_return_error(x: BaseException | type[BaseException], traceback: TracebackType | None = None) -> Future[None]: ...
def f_return_cancelled() -> Future[None]: ...
